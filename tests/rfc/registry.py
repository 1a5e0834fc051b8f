"""The register of clauses: what the RFCs ask of a receiving relay, and what shows that we do it.

One row per MUST and MUST NOT (and the SHOULDs that matter), in tests/rfc/clauses/*.toml. A row says one of:
``shown_by`` (tests that show it), ``deviates`` (why we do otherwise, on purpose; tests may show that too), or
``not_ours`` (why it is not our business). A test is named by its pytest node id, a dialogue by group/name.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CLAUSES = Path(__file__).with_name("clauses")

_ID = re.compile(r"R-(\d{4})-([0-9.]+)-([a-z])")
_CITATION = re.compile(r"RFC (\d{4}) sections? ((?:[\d.]*\d(?:, | and )?)+)")


class Standing(StrEnum):
    """How we stand to a clause."""

    YES = "yes"
    DEVIATES = "deviates"
    NOT_OURS = "not ours"


@dataclass(frozen=True, slots=True)
class Clause:
    """One sentence of an RFC.

    ``says`` is its wording: "..." where it is cut, brackets around what it needs to be understood alone.
    ``level`` is "" where the RFC states a rule without MUST or SHOULD.
    """

    id: str
    level: str
    says: str
    standing: Standing
    shown_by: tuple[str, ...]
    why: str

    @property
    def rfc(self) -> str:
        """The number of the RFC."""
        return self.id.split("-")[1]

    @property
    def section(self) -> str:
        """The section, as the RFC counts."""
        return self.id.split("-")[2]


@dataclass(frozen=True)
class Register:
    """All clauses, RFC by RFC."""

    titles: dict[str, str]
    clauses: tuple[Clause, ...]

    @cached_property
    def counts(self) -> dict[Standing, int]:
        """How many clauses stand so."""
        return {standing: sum(c.standing is standing for c in self.clauses) for standing in Standing}


def load() -> Register:
    """Read the register. Raises ValueError where a row breaks the rules above."""
    titles: dict[str, str] = {}
    clauses: dict[str, Clause] = {}
    # SMTP itself first, then its relatives by number.
    for path in sorted(CLAUSES.glob("rfc*.toml"), key=lambda path: (path.stem != "rfc5321", path.stem)):
        document = tomllib.loads(path.read_text())
        titles[path.stem.removeprefix("rfc")] = document["title"]
        for row in document["clause"]:
            clause = _clause(row)
            if clause.id in clauses or f"rfc{clause.rfc}" != path.stem:
                raise ValueError(f"{clause.id}: there twice, or in the wrong file")
            clauses[clause.id] = clause
    return Register(titles, tuple(clauses.values()))


def missing_tests(register: Register) -> list[str]:
    """Tests that the register names and pytest does not know, with the clause that names them."""
    named = [(clause, test) for clause in register.clauses for test in clause.shown_by]
    known = _collected({test.partition("::")[0] for _, test in named})
    return [f"{clause.id}: {test}" for clause, test in named if test not in known]


def citations() -> dict[tuple[str, str], list[str]]:
    """Where the program cites a section: (RFC, section) -> files below mxgw."""
    places: dict[tuple[str, str], list[str]] = {}
    for path in sorted((ROOT / "mxgw").rglob("*.py")):
        # A citation may be folded over two lines of a comment or docstring.
        text = re.sub(r"\s*\n\s*#?\s*", " ", path.read_text())
        for match in _CITATION.finditer(text):
            for section in re.split(r", | and ", match[2]):
                files = places.setdefault((match[1], section.strip(". ")), [])
                name = str(path.relative_to(ROOT))
                if name not in files:
                    files.append(name)
    return places


def _clause(row: dict[str, Any]) -> Clause:
    if not _ID.fullmatch(row["id"]):
        raise ValueError(f"{row['id']} is no id")
    shown_by = tuple(_node(test) for test in row.get("shown_by", ()))
    if "deviates" in row:
        standing, why = Standing.DEVIATES, row["deviates"]
    elif "not_ours" in row:
        standing, why = Standing.NOT_OURS, row["not_ours"]
    else:
        standing, why = Standing.YES, ""
    known = {"id", "level", "says", "shown_by", "deviates", "not_ours"}
    if row.keys() - known or (standing is Standing.YES) != (not why) or not (shown_by or why):
        raise ValueError(f"{row['id']}: needs shown_by, deviates or not_ours, and nothing else")
    return Clause(row["id"], row["level"], row["says"], standing, shown_by, why)


def _node(test: str) -> str:
    if "::" in test:
        return test
    door = "test_dialogue_at_the_lmtp_door" if test.startswith("lmtp/") else "test_dialogue"
    return f"tests/rfc/test_dialogues.py::{door}[{test}]"


def _collected(files: set[str]) -> set[str]:
    """The node ids of all tests in these files, and the same without their parameters."""
    existing = sorted(file for file in files if (ROOT / file).exists())
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-o", "addopts=", *existing],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"pytest cannot collect the tests:\n{done.stdout}{done.stderr}")
    nodes = {line for line in done.stdout.splitlines() if "::" in line}
    return nodes | {node.partition("[")[0] for node in nodes}
