"""What the doctor says of one thing that it looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mxgw.admin.dns_check import Level

MAX_EVIDENCE_LINES = 8
"""Of one verdict, in a table."""

MAX_EVIDENCE_CHARACTERS = 300
"""Of one line: a stranger's reply may be longer than a screen."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that was looked at, and how it is.

    ``subject`` is the edge or the domain, ``check`` names what was looked at. ``key`` and ``mend`` name texts
    of the catalogue ("" where there is nothing to do), which ``facts`` fill. ``evidence`` is what was seen,
    line by line.
    """

    subject: str
    check: str
    level: Level
    key: str
    mend: str = ""
    evidence: tuple[str, ...] = ()
    facts: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judge:
    """Writes the verdicts on one thing."""

    subject: str
    check: str
    evidence: tuple[str, ...] = ()

    def good(self, key: str, **facts: str | int) -> Verdict:
        """As it should be."""
        return self._verdict(Level.OK, key, "", facts)

    def warn(self, key: str, mend: str = "", **facts: str | int) -> Verdict:
        """Mail flows, but less well than it could; or nobody knows."""
        return self._verdict(Level.WARNING, key, mend, facts)

    def bad(self, key: str, mend: str, **facts: str | int) -> Verdict:
        """To be mended."""
        return self._verdict(Level.FAILED, key, mend, facts)

    def _verdict(self, level: Level, key: str, mend: str, facts: dict[str, str | int]) -> Verdict:
        return Verdict(self.subject, self.check, level, key, mend, shortened(self.evidence), facts)


def shortened(lines: Iterable[str]) -> tuple[str, ...]:
    """Evidence within its bounds."""
    kept = list(lines)[:MAX_EVIDENCE_LINES]
    return tuple(
        line if len(line) <= MAX_EVIDENCE_CHARACTERS else f"{line[:MAX_EVIDENCE_CHARACTERS]}..."
        for line in kept
    )
