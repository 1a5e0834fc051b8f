"""``mxgw load``: send mail at a rate, take it in, compare. Each command lives in its own module."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

COMMANDS: Final = {
    "send": "Send mail to a server as fast as it goes, or at a rate, and measure it.",
    "sink": "Take mail in, count it, and misbehave as told.",
    "verify": "Compare what senders were promised with what is stored.",
}


class LoadGroup(click.Group):
    """Its commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command ``command`` in the module of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"mxgw.cli.load_{cmd_name}").command
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in --help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    "load",
    cls=LoadGroup,
    epilog="Example: mxgw load sink --listen 127.0.0.1:2526, and beside it: mxgw load send 127.0.0.1:2526",
)
def command() -> None:
    """Test a mail server under load: this gateway, or any other.

    `send` keeps a ledger of what it was promised, `sink` one of what it took; `verify` compares the first
    with the second, or with the mailboxes of a server. What was acknowledged and is absent must be 0.
    """
