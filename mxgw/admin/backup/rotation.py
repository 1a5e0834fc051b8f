"""Which backups are kept: those of some days, and one of each week for some weeks more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

DAYS = 14
WEEKS = 6
"""Weekly ones beyond the daily ones: what was deleted by mistake is often missed after a month."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup on the disk. ``good``: restored on trial with success; None before the trial."""

    name: str
    made: datetime
    good: bool | None


def superfluous(
    backups: Sequence[Kept], now: datetime, *, days: int = DAYS, weeks: int = WEEKS
) -> list[Kept]:
    """What may go. The last good one never does, nor the newest."""
    newest_first = sorted(backups, key=lambda one: one.made, reverse=True)
    kept = {one.name for one in newest_first[:1]}
    kept |= {one.name for one in [one for one in newest_first if one.good][:1]}
    kept |= {
        one.name for one in newest_first if one.made >= now - timedelta(days=days) and one.good is not False
    }
    seen: set[tuple[int, int]] = set()
    for one in newest_first:
        week = one.made.isocalendar()[:2]
        if one.good is not False and week not in seen and one.made >= now - timedelta(days=days, weeks=weeks):
            seen.add(week)
            kept.add(one.name)
    return [one for one in newest_first if one.name not in kept]
