"""Every kind of trouble that the watch knows, and those that the tests break and mend, out of the sources."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tests.rig.process import ROOT

Test = TypeVar("Test", bound=Callable[..., Any])

JUDGES = ("mxgw/watch/judge.py", "mxgw/watch/round.py")
MAKERS = {"bad", "warning", "make"}


def kinds() -> set[str]:
    """The keys of their sentences."""
    return {key for path in JUDGES for key in _second_arguments(ROOT / path)}


def _second_arguments(path: Path) -> Iterator[str]:
    for call in calls(path):
        if isinstance(call.func, ast.Name) and call.func.id in MAKERS:
            key = call.args[1]
            assert isinstance(key, ast.Constant), ast.unparse(call)
            yield str(key.value)


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def proven_in(path: Path) -> Iterator[str]:
    """The kinds whose alarm and recovery a file of tests shows: those that stand in its ``Alarm(kind, ...)``,
    ``fires_and_recovers(house, kind, ...)`` and ``shows(kind, ...)``."""
    for call in calls(path):
        named = ast.unparse(call.func)
        given = {"Alarm": call.args[:1], "fires_and_recovers": call.args[1:2], "shows": call.args}
        for argument in given.get(named, []):
            if isinstance(argument, ast.Constant):
                yield str(argument.value)


def shows(*kinds: str) -> Callable[[Test], Test]:
    """This test breaks and mends these in its own way; the house looks that it did."""

    def noted(test: Test) -> Test:
        test.shown = kinds  # type: ignore[attr-defined]
        return test

    return noted
