"""The commands of mxgw. Each lives in its own module, which is imported when it is called.

Exit codes: 0 done, 1 something tried and failed, 2 a mistake in what was asked or configured. A mistake is
one clear sentence on stderr, never a traceback.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Final

import click

from mxgw import __version__

if TYPE_CHECKING:
    from mxgw.admin.words import Words

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


HELP_OPTIONS: Final = ["-h", "--help"]


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def get_help(self, ctx: click.Context) -> str:
        """In Japanese, too; most of the commands speak both languages."""
        if _words().language != "ja":
            return super().get_help(ctx)
        from mxgw.cli import in_japanese
        from mxgw.cli.admin_spoken import SpokenGroup

        version = click.Option(["--version"], is_flag=True, help=in_japanese.VERSION)
        program = SpokenGroup("mxgw", _words(), params=[version], help=in_japanese.HELP)
        for name, purpose in in_japanese.PURPOSES.items():
            program.add_command(click.Command(name, short_help=purpose))
        return program.get_help(
            click.Context(program, info_name=ctx.info_name, help_option_names=HELP_OPTIONS)
        ).rstrip()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, but what is wrong is said in the user's language."""
        if not args:
            click.echo(self.get_help(ctx), err=True)
            ctx.exit(2)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            from mxgw.cli.admin_spoken import refuse_usage

            refuse_usage(_words(), error, ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but what is wrong is said in the user's language."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from mxgw.cli.admin_spoken import refuse_command

            refuse_command(_words(), args[0], ctx, _meant(args[0]))

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


def _words() -> Words:
    """In the language of the environment."""
    # Imported here: a server has nothing to say to people.
    from mxgw.admin.words import Words, language_of

    return Words(language_of(os.environ))


def _meant(name: str) -> Sequence[str]:
    """What somebody wants who leaves "admin" out."""
    from mxgw.admin.words import CATALOGUE

    return [f"admin {name}"] if f"short-{name}" in CATALOGUE and "-" not in name else []


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": HELP_OPTIONS, "max_content_width": 100},
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
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show Japanese shows marks; it is no reason to fail.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    group(prog_name="mxgw")
