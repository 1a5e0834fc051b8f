"""Calls of ``mxgw trace`` in the process of the tests, with stdout going elsewhere than to a terminal."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner

from mxgw.cli import group
from tests.cli.support import Ended

ENGLISH = {"LC_ALL": "C.UTF-8"}


def trace(*arguments: str, stdin: str = "", **settings: str) -> Ended:
    """One call. ``settings`` are environment variables."""
    ended = CliRunner().invoke(
        group, ["trace", *arguments], env={**ENGLISH, **settings}, input=stdin, catch_exceptions=False
    )
    return Ended(ended.exit_code, ended.stdout, ended.stderr)


def messages(*arguments: str, stdin: str = "", **settings: str) -> list[dict[str, Any]]:
    """What a call found."""
    ended = trace(*arguments, stdin=stdin, **settings)
    assert ended.code == 0, ended.err
    found: list[dict[str, Any]] = json.loads(ended.out)["messages"]
    return found


def message(*arguments: str, stdin: str = "", **settings: str) -> dict[str, Any]:
    """The only message that a call found."""
    [found] = messages(*arguments, stdin=stdin, **settings)
    return found
