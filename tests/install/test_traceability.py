"""docs/traceability.md: every requirement has a row, and what a row names is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.rig.process import ROOT

TABLE = ROOT / "docs" / "traceability.md"
CODE = re.compile(r"`([^`]+)`")

FUNCTIONS = {
    *(f"F-00{number}" for number in range(1, 6)),
    *(f"F-10{number}" for number in range(1, 6)),
    *(f"F-20{number}" for number in range(1, 4)),
    *(f"F-30{number}" for number in range(1, 8)),
    *(f"F-40{number}" for number in range(1, 8)),
    *(f"F-50{number}" for number in range(1, 5)),
}
RISKS = {f"R-{number:03}" for number in range(1, 11)}
# How many lines each table of these chapters has.
LINES = {"3.1": 8, "3.2": 6, "3.3": 5, "3.4": 11, "3.5": 7, "3.6": 4, "7.1": 7, "7.2": 6, "7.3": 4}


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    wording: str
    built: list[str]
    shown: list[str]
    state: str


def rows() -> Iterator[Row]:
    for line in TABLE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and re.match(r"[FR]-\d|\d\.\d ", cells[0]):
            yield Row(cells[0], cells[1], CODE.findall(cells[2]), CODE.findall(cells[3]), cells[4])


def test_every_requirement_has_its_row() -> None:
    names = [row.name for row in rows()]

    assert len(set(names)) == len(names)
    assert {name for name in names if name.startswith("F-")} == FUNCTIONS
    assert {name for name in names if name.startswith("R-")} == RISKS
    for chapter, count in LINES.items():
        assert len([name for name in names if name.startswith(f"{chapter} ")]) == count, chapter


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.name)
def test_what_a_row_names_is_there(row: Row) -> None:
    assert row.wording
    assert row.built
    missing = [path for path in row.built if not (ROOT / path).is_file()]
    assert missing == []
    for test in row.shown:
        path, _, name = test.partition("::")
        tree = ast.parse((ROOT / path).read_text())
        functions = {
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert any(one.startswith("test_") for one in functions)
        assert not name or name in functions, test


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.name)
def test_a_state_is_one_of_three_and_says_what_is_missing(row: Row) -> None:
    word, _, missing = row.state.partition(":")

    assert word in {"met", "part", "open"}
    if word == "met":
        assert row.shown
        assert not missing
    if word == "part":
        assert missing.strip()
