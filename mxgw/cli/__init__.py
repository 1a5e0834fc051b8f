"""The commands of mxgw. Each lives in its own module, which is imported when it is called.

Exit codes: 0 done, 1 something tried and failed, 2 a mistake in what was asked or configured. A mistake is
one clear sentence on stderr, never a traceback.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

from mxgw import __version__

COMMANDS: Final = {
    "serve": "Run the gateway: serve edge.",
    "demo": "Try it: gateway, mailbox and status page on loopback.",
    "check": "Show the effective configuration and try what it names.",
    "doctor": "Look at everything, say what is wrong, mend it.",
    "verify": "Check a saved message as the edge would, and say why.",
    "send": "Send a test message and show what the server answers.",
    "read": "List and show the messages that the demo has stored.",
    "admin": "Manage mailboxes, aliases and domains at home.",
    "deploy": "Bring the edge to AWS Fargate, update it, take it away.",
    "load": "Test a server under load: send, take in, compare.",
    "trace": "Follow a message through the logs: where is my mail?",
    "dmarc-report": "Make DMARC aggregate reports from the log.",
    "settings": "List every setting: variable, default, form, meaning.",
    "version": "Print the version.",
}
"""Name and purpose of each command: --help needs no module of theirs, so it is quick."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command ``command`` in the module of that name, with "_" where the command has "-"."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"mxgw.cli.{cmd_name.replace('-', '_')}").command
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in --help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with: mxgw demo",
)
@click.version_option(__version__, prog_name="mxgw", message="%(prog)s %(version)s")
def group() -> None:
    """A mail gateway without a queue.

    Accepts mail on SMTP, relays it at once to your mailbox server by LMTP, and answers the sender with what
    happened. Settings come from MXGW_* variables and a TOML file; `mxgw settings` lists them.
    """


def main() -> None:
    """Entry point of the console script."""
    group(prog_name="mxgw")
