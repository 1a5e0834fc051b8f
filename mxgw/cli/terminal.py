"""What several commands need: the configuration or its mistakes, addresses as options, terminals."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from shutil import which
from typing import TYPE_CHECKING, NoReturn

import click

from mxgw.config import Address, Config, Fetch, Role, load
from mxgw.config.forms import listen_address, peer_address

if TYPE_CHECKING:
    from rich.console import Console

MISTAKE = 2
FAILURE = 1


class AddressOption(click.ParamType[Address]):
    """``host:port``; port 0 only where we listen."""

    name = "host:port"

    def __init__(self, *, listen: bool) -> None:
        self._parse = listen_address if listen else peer_address

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        """The address, or click's usage error."""
        if isinstance(value, Address):
            return value
        try:
            return self._parse(str(value))
        except ValueError as error:
            self.fail(f"{value!r}: {error}; expected host:port, for example 127.0.0.1:2525", param, ctx)


config_option = click.option(
    "--config",
    "toml",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TOML file with settings; the environment wins over it. [default: $MXGW_CONFIG]",
)


def fail(sentence: str, *, code: int = MISTAKE) -> NoReturn:
    """Say why on stderr and end."""
    click.echo(f"mxgw: {sentence}", err=True)
    raise SystemExit(code)


def load_or_fail(role: Role, *, toml: Path | None, options: Mapping[str, str | None]) -> Config:
    """The configuration for a role, or every mistake on stderr and exit code 2.

    ``options`` are settings given on the command line, by their variable; they win over the environment.
    """
    given = {variable: text for variable, text in options.items() if text is not None}
    with from_aws() as fetch:
        outcome = load({**os.environ, **given}, toml=toml, role=role, fetch=fetch)
    if isinstance(outcome, Config):
        return outcome
    fail(mistakes_text([str(mistake) for mistake in outcome]))


@contextmanager
def from_aws() -> Iterator[Fetch]:
    """Reads what settings keep at AWS, for one load of them; loads nothing itself before it is asked."""
    # Imported here: commands that load no configuration have no use for it.
    from mxgw.aws import AwsReader

    reader = AwsReader()
    yield reader.round()
    # A connection must not be shared with the workers that are forked later.
    reader.close()


def mistakes_text(mistakes: list[str]) -> str:
    """Several mistakes in one text."""
    count = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    return "\n".join([f"the configuration has {count}:", *(f"  {mistake}" for mistake in mistakes)])


def program() -> str:
    """How this program was called, for a command that the user may copy."""
    called = sys.argv[0]
    if Path(called).name == "__main__.py":
        return f"{quote(sys.executable)} -m mxgw"
    found = which("mxgw")
    return "mxgw" if found and Path(found).samefile(called) else quote(called)


def console(*, stderr: bool = False) -> Console:
    """A console of rich: colours on a terminal only, nothing interpreted in what strangers wrote."""
    # Imported here: `mxgw serve` must not wait for it.
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def on_terminal() -> bool:
    """Whether a person looks at stdout."""
    return sys.stdout.isatty()


def plain(text: str) -> str:
    """Text for a terminal: a stranger's control characters must not steer it."""
    return "".join(c if c.isprintable() or c == "\n" else " " if c == "\t" else "\ufffd" for c in text)
