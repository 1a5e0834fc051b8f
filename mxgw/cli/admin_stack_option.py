"""Where the stack is, for commands that the host runs; its .env says what they need."""

from __future__ import annotations

from pathlib import Path

import click

from mxgw.admin.access import DATABASE
from mxgw.admin.env_file import with_env_file
from mxgw.admin.places import STACK_DIRECTORY, STACK_VARIABLE
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call


def stack_option(words: Words) -> click.Option:
    """``--stack DIRECTORY``."""
    return click.Option(
        ["--stack"],
        metavar="DIRECTORY",
        envvar=STACK_VARIABLE,
        default=STACK_DIRECTORY,
        help=words("option-stack"),
    )


def site_environ(call: Call, stack: str) -> dict[str, str]:
    """The environment, and what it leaves open from the stack's .env. In the container of the administrator's
    commands there is no .env: there Compose has put everything into the environment. Raises Refused."""
    if call.environ.get(DATABASE) and not Path(stack).is_dir():
        return dict(call.environ)
    return with_env_file(call.environ, Path(stack) / ".env")
