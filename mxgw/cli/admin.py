"""``mxgw admin``: users, aliases and domains of the mail server at home."""

from __future__ import annotations

from typing import Any

import click

from mxgw.cli.terminal import fail

EXTRA = "admin"


class _InTheUsersLanguage(click.Group):
    """Becomes the group in the language that --lang or LANG names, when it is called."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the real group; click goes on with that."""
        return group_for(args).make_context(info_name, args, parent, **extra)


def group_for(arguments: list[str]) -> click.Group:
    """The group in the language that these arguments, or the environment, name."""
    try:
        # Imported here: the gateway is installed without the extra.
        from mxgw.cli import (
            admin_alias,
            admin_certificate,
            admin_device,
            admin_domain,
            admin_phone,
            admin_queue,
            admin_sendgrid,
            admin_user,
        )
    except ModuleNotFoundError as error:
        if error.name not in {"acme", "bcrypt", "josepy", "pymysql"}:
            raise
        fail(f"{error.name} is not installed: pip install 'mxgw[{EXTRA}]'")
    from mxgw.cli import (
        admin_alert,
        admin_backup,
        admin_canary,
        admin_import,
        admin_restore,
        admin_update,
        admin_waiting,
        admin_watch,
    )
    from mxgw.cli.admin_call import spoken_group
    from mxgw.cli.admin_spoken import words_for

    words = words_for(arguments)
    group = spoken_group("admin", words)
    for part in (
        admin_user,
        admin_device,
        admin_alias,
        admin_domain,
        admin_phone,
        admin_queue,
        admin_sendgrid,
        admin_certificate,
    ):
        group.add_command(part.group(words))
    for keeping in (admin_backup, admin_restore, admin_import, admin_update):
        group.add_command(keeping.group(words))
    for watching in (admin_watch, admin_waiting, admin_canary, admin_alert):
        group.add_command(watching.group(words))
    return group


command = _InTheUsersLanguage("admin")
