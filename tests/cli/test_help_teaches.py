"""--help says what a command is for and gives an example; nothing is loaded that is not needed."""

from __future__ import annotations

import sys

import pytest

from mxgw import __version__
from mxgw.cli import COMMANDS
from tests.cli.support import mxgw


def test_the_program_lists_its_commands() -> None:
    ended = mxgw("--help")

    assert ended.code == 0
    for name, purpose in COMMANDS.items():
        assert f"{name} " in ended.out
        assert purpose in ended.out
    assert "Begin with: mxgw demo" in ended.out


@pytest.mark.parametrize("command", [(name,) for name in COMMANDS] + [("serve", "edge")])
def test_every_command_teaches_by_an_example(command: tuple[str, ...]) -> None:
    ended = mxgw(*command, "--help")

    assert ended.code == 0
    assert ended.err == ""
    assert "Example" in ended.out
    assert f"mxgw {' '.join(command)}" in ended.out.partition("Example")[2]
    assert max(map(len, ended.out.splitlines())) <= 110


@pytest.mark.parametrize("start", [("mxgw",), (sys.executable, "-m", "mxgw")])
def test_the_version_is_told(start: tuple[str, ...]) -> None:
    extra = {} if start == ("mxgw",) else {"start": start}

    assert mxgw("version", **extra).out.startswith(f"mxgw {__version__} (Python 3.")
    assert mxgw("--version", **extra).out == f"mxgw {__version__}\n"


def test_help_loads_nothing_but_its_parser_of_options() -> None:
    program = (
        "import sys, mxgw.cli; "
        "print(*sorted(set(sys.modules) & {'rich', 'asyncio', 'aiohttp', 'mxgw.config'}))"
    )

    assert mxgw("-c", program, start=(sys.executable,)).out.split() == []


def test_a_server_starts_without_what_only_people_need() -> None:
    program = (
        "import sys, mxgw.cli.serve, mxgw.service; "
        "print(*sorted(set(sys.modules) & {'rich', 'smtplib', 'difflib', 'tomllib', 'mxgw.cli.tries'}))"
    )

    assert mxgw("-c", program, start=(sys.executable,)).out.split() == []
