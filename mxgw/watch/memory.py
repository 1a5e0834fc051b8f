"""What the watch remembers from round to round, and when it speaks: once per change, a reminder once a day.

Pure: a memory and findings in, a memory and notices out. memory_file.py keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from mxgw.watch.finding import Finding, Severity, good

RAISE_ROUNDS: Final = 2
"""What is worse for one round only is a service that restarts; nobody is called for it."""

CLEAR_ROUNDS: Final = 3
"""What hovers about a limit must not call every few minutes."""

REMIND_SECONDS: Final = 24 * 3_600

MAX_PENDING: Final = 50
"""Notices that wait for a channel, one of each finding; the oldest go first, for the newest say what is so
now."""

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
    last round; ``awake_since``: the first one after the last absence (0.0: none is known); ``unwritable``:
    why it could not be kept where it belongs."""

    known: dict[str, Known] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    pending: tuple[Notice, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    samples: tuple[tuple[float, str, float], ...] = ()
    at: float = 0.0
    awake_since: float = 0.0
    unwritable: str = ""


def awake_since(memory: Memory, *, now: float) -> float:
    """When the machine came back, as a round at ``now`` sees it."""
    return now if memory.at and not 0 <= now - memory.at <= AWAY_SECONDS else memory.awake_since


def after(memory: Memory, findings: Sequence[Finding], channels: Sequence[str], *, now: float) -> Memory:
    """The memory after a round, with the notices that it gives rise to among ``pending``."""
    known: dict[str, Known] = {}
    notices: list[Notice] = []
    blind = any(one.id.startswith("probe-") and one.severity is not Severity.GOOD for one in findings)
    ill = {name: one for name, one in memory.known.items() if one.told is not Severity.GOOD}
    for finding in findings:
        before = memory.known.get(finding.id, Known(Severity.GOOD, now, now, Severity.GOOD))
        one, occasion = _judged(before, finding, now)
        known[finding.id] = one
        if occasion is not None:
            since = before.since if occasion is Occasion.RECOVERED else one.since
            notices.append(Notice(occasion, finding, now, since, tuple(channels)))
    if blind:
        # What could not be looked at is as it was.
        known = {**ill, **known}
    else:
        # A mailbox that was removed, a place that .env does not name any more.
        notices += [
            Notice(Occasion.RECOVERED, good(name, "watch-gone", name=name), now, one.since, tuple(channels))
            for name, one in ill.items()
            if name not in known
        ]
    pending = _pending(memory.pending, [one for one in notices if one.to])
    return replace(
        memory,
        known=known,
        findings=tuple(findings),
        pending=tuple(pending[-MAX_PENDING:]),
        at=now,
        awake_since=awake_since(memory, now=now),
    )


def _pending(before: Iterable[Notice], notices: Sequence[Notice]) -> list[Notice]:
    """A place that was away hears of each finding what is so now, and not how it came and went meanwhile."""
    newer = {one.finding.id for one in notices}
    return [*(one for one in before if one.to and one.finding.id not in newer), *notices]


def _judged(before: Known, finding: Finding, now: float) -> tuple[Known, Occasion | None]:
    severity = finding.severity
    # A clock that was ahead and is set back: what was told then was told now at the latest.
    before = replace(before, since=min(before.since, now), told_at=min(before.told_at, now))
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
    kept = [sample for sample in memory.samples if sample[0] <= now]
    for name, number in numbers:
        last = max((at for at, other, _ in kept if other == name), default=0.0)
        if now - last >= SAMPLE_SECONDS:
            kept.append((now, name, number))
    names = {name for _, name, _ in kept}
    bounded = [
        sample for name in sorted(names) for sample in [s for s in kept if s[1] == name][-MAX_SAMPLES:]
    ]
    return replace(memory, samples=tuple(sorted(bounded)))
