"""Which backups go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mxgw.admin.backup.rotation import Kept, superfluous

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def backup(days: int, *, good: bool | None = True) -> Kept:
    return Kept(f"{days} days old", NOW - timedelta(days=days, hours=1), good)


def test_two_weeks_of_days_and_one_of_each_week_before_stay() -> None:
    gone = {one.name for one in superfluous([backup(days) for days in range(100)], NOW, days=14, weeks=6)}

    kept = [days for days in range(100) if f"{days} days old" not in gone]
    assert kept[:14] == list(range(14))
    assert len(kept) == 14 + 6
    assert max(kept) < 14 + 6 * 7


def test_the_last_good_one_stays_however_old_it_is() -> None:
    backups = [backup(0, good=False), backup(1, good=False), backup(300)]

    assert [one.name for one in superfluous(backups, NOW)] == ["1 days old"]
