"""``mxgw deploy``: the edge on AWS, made, brought up to date, taken away."""

from __future__ import annotations

from typing import Any

import click


class _InTheUsersLanguage(click.Group):
    """Becomes the group in the language that --lang or LANG names, when it is called."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the real group; click goes on with that."""
        # Imported here: AWS and the doctor are for whoever calls it.
        from mxgw.cli.deploy_call import spoken_deploy

        return spoken_deploy(args).make_context(info_name, args, parent, **extra)


command = _InTheUsersLanguage("deploy")
