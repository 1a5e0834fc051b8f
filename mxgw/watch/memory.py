"""What the watch remembers from round to round, and when it speaks: once per change, a reminder once a day.

Pure: a memory and findings in, a memory and notices out. ``load`` and ``save`` are the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from mxgw.watch.finding import Finding, Severity

RAISE_ROUNDS: Final = 2
"""What is worse for one round only is a service that restarts; nobody is called for it."""

CLEAR_ROUNDS: Final = 3
"""What hovers about a limit must not call every few minutes."""

REMIND_SECONDS: Final = 24 * 3_600

MAX_PENDING: Final = 50
"""Notices that wait for a channel; the oldest go first, for the newest say what is so now."""

MAX_SAMPLES: Final = 14 * 24
"""One an hour, for two weeks."""

SAMPLE_SECONDS: Final = 3_600

AWAY_SECONDS: Final = 300.0
"""A round each minute: after so long without one the machine was off or asleep, or the watch was."""

IMMEDIATE: Final = ("waiting", "notice-")
"""Ids that are not waited for: their source has its own patience."""


class Occasion(StrEnum):
    """Why somebody is told."""

    WORSE = "worse"
    BETTER = "better"
    RECOVERED = "recovered"
    REMINDER = "reminder"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell. ``to`` are the channels that have not taken it yet."""

    occasion: Occasion
    finding: Finding
    at: float
    since: float
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """One finding as it was told. ``streak`` counts the rounds in which ``seen`` was another severity."""

    told: Severity
    since: float
    told_at: float
    seen: Severity
    streak: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """``samples`` are (Unix time, name, number) of what grows; ``failed``: how a channel failed; ``at``: the
    last round; ``awake_since``: the first one after the last absence (0.0: none is known)."""

    known: dict[str, Known] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    pending: tuple[Notice, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    samples: tuple[tuple[float, str, float], ...] = ()
    at: float = 0.0
    awake_since: float = 0.0


def awake_since(memory: Memory, *, now: float) -> float:
    """When the machine came back, as a round at ``now`` sees it."""
    return now if memory.at and not 0 <= now - memory.at <= AWAY_SECONDS else memory.awake_since


def after(memory: Memory, findings: Sequence[Finding], channels: Sequence[str], *, now: float) -> Memory:
    """The memory after a round, with the notices that it gives rise to among ``pending``."""
    known: dict[str, Known] = {}
    notices: list[Notice] = []
    for finding in findings:
        before = memory.known.get(finding.id, Known(Severity.GOOD, now, now, Severity.GOOD))
        one, occasion = _judged(before, finding, now)
        known[finding.id] = one
        if occasion is not None:
            since = before.since if occasion is Occasion.RECOVERED else one.since
            notices.append(Notice(occasion, finding, now, since, tuple(channels)))
    if any(one.id.startswith("probe-") and one.severity is not Severity.GOOD for one in findings):
        # What could not be looked at is as it was.
        ill = {name: one for name, one in memory.known.items() if one.told is not Severity.GOOD}
        known = {**ill, **known}
    pending = [*(notice for notice in memory.pending if notice.to), *(one for one in notices if one.to)]
    return replace(
        memory,
        known=known,
        findings=tuple(findings),
        pending=tuple(pending[-MAX_PENDING:]),
        at=now,
        awake_since=awake_since(memory, now=now),
    )


def _judged(before: Known, finding: Finding, now: float) -> tuple[Known, Occasion | None]:
    severity = finding.severity
    if severity is before.told:
        kept = replace(before, seen=severity, streak=0)
        if severity is not Severity.GOOD and now - before.told_at >= REMIND_SECONDS:
            return replace(kept, told_at=now), Occasion.REMINDER
        return kept, None
    streak = before.streak + 1 if _same_side(before, severity) else 1
    worse = _rank(severity) > _rank(before.told)
    needed = 1 if finding.id.startswith(IMMEDIATE) else RAISE_ROUNDS if worse else CLEAR_ROUNDS
    if streak < needed:
        return replace(before, seen=severity, streak=streak), None
    occasion = (
        Occasion.WORSE if worse else Occasion.RECOVERED if severity is Severity.GOOD else Occasion.BETTER
    )
    since = now if before.told is Severity.GOOD or severity is Severity.GOOD else before.since
    return Known(severity, since, now, severity), occasion


def _same_side(before: Known, severity: Severity) -> bool:
    """Whether the last round was on the same side of what was told."""
    told, seen = _rank(before.told), _rank(before.seen)
    return (seen > told) == (_rank(severity) > told) and seen != told


def _rank(severity: Severity) -> int:
    return (Severity.GOOD, Severity.WARNING, Severity.BAD).index(severity)


def sampled(memory: Memory, numbers: Iterable[tuple[str, float]], *, now: float) -> Memory:
    """With one more sample of each, if the last is an hour old."""
    kept = list(memory.samples)
    for name, number in numbers:
        last = max((at for at, other, _ in kept if other == name), default=0.0)
        if now - last >= SAMPLE_SECONDS:
            kept.append((now, name, number))
    names = {name for _, name, _ in kept}
    bounded = [
        sample for name in sorted(names) for sample in [s for s in kept if s[1] == name][-MAX_SAMPLES:]
    ]
    return replace(memory, samples=tuple(sorted(bounded)))


# -- the file -----------------------------------------------------------------------------------------------


def load(path: Path) -> Memory:
    """What was saved; an empty memory where there is none, or it cannot be read (everything is told anew)."""
    try:
        return _parsed(json.loads(path.read_text()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Memory()


def save(path: Path, memory: Memory) -> None:
    """In one step: a machine that loses its power keeps the old one or the new one. Raises OSError."""
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(asdict(memory), ensure_ascii=False))
    os.replace(temporary, path)


def _parsed(saved: Any) -> Memory:
    return Memory(
        known={
            str(name): Known(
                Severity(one["told"]), float(one["since"]), float(one["told_at"]), Severity(one["seen"]),
                int(one["streak"]),
            )
            for name, one in saved["known"].items()
        },
        findings=tuple(_finding(one) for one in saved["findings"]),
        pending=tuple(
            Notice(Occasion(one["occasion"]), _finding(one["finding"]), float(one["at"]), float(one["since"]),
                   tuple(map(str, one["to"])))
            for one in saved["pending"]
        ),
        failed={str(name): str(why) for name, why in saved["failed"].items()},
        samples=tuple((float(at), str(name), float(number)) for at, name, number in saved["samples"]),
        at=float(saved["at"]),
        awake_since=float(saved.get("awake_since", 0.0)),
    )  # fmt: skip


def _finding(saved: Any) -> Finding:
    return Finding(
        str(saved["id"]), Severity(saved["severity"]), str(saved["key"]), str(saved["mend"]),
        dict(saved["facts"]), tuple(map(str, saved["evidence"])),
    )  # fmt: skip
