"""What the watch says of one thing at home: how it is, what was seen, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MAX_EVIDENCE_LINES = 5
MAX_EVIDENCE_CHARACTERS = 300
"""Of one line: what a program or a stranger said may be longer than a screen."""

Fact = str | int


class Severity(StrEnum):
    """How urgent it is."""

    GOOD = "good"
    WARNING = "warning"
    """Mail flows; it will not for ever, or nobody knows."""
    BAD = "bad"
    """Mail is delayed or in danger now."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``id`` stays the same from round to round. ``key`` and ``mend`` name texts of the catalogue ("" where
    there is nothing to do), which ``facts`` fill."""

    id: str
    severity: Severity
    key: str
    mend: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()


def good(id: str, key: str, **facts: Fact) -> Finding:  # noqa: A002 - the field's own name
    """As it should be."""
    return Finding(id, Severity.GOOD, key, "", facts)


def warning(id: str, key: str, mend: str, *evidence: str, **facts: Fact) -> Finding:  # noqa: A002
    """To be looked at within days."""
    return Finding(id, Severity.WARNING, key, mend, facts, shortened(evidence))


def bad(id: str, key: str, mend: str, *evidence: str, **facts: Fact) -> Finding:  # noqa: A002
    """To be looked at now."""
    return Finding(id, Severity.BAD, key, mend, facts, shortened(evidence))


def shortened(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Evidence within its bounds."""
    single = (" ".join(line.split()) for line in lines)
    return tuple(line[:MAX_EVIDENCE_CHARACTERS] for line in single if line)[:MAX_EVIDENCE_LINES]
