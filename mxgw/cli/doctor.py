"""``mxgw doctor``: the edge and domains from outside, with evidence and what to do."""

from __future__ import annotations

from typing import Any

import click


class _InTheUsersLanguage(click.Command):
    """Becomes the command in the language that --lang or LANG names, when it is called."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the real command; click goes on with that."""
        # Imported here: asyncio, DNS and certificates are for whoever calls it.
        from mxgw.cli.doctor_call import spoken_doctor

        return spoken_doctor(args).make_context(info_name, args, parent, **extra)


command = _InTheUsersLanguage("doctor")
