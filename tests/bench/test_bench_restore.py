"""The timed restore: what it counts, what its page says, and that it runs."""

from __future__ import annotations

from dataclasses import replace

from bench.restore import measure
from bench.restore_page import (
    AGAIN,
    BACKUP,
    CP,
    LIMIT_HOURS,
    RESTORE,
    RSYNC,
    VERIFY,
    Phase,
    Timed,
    page,
    rows,
    sentences,
)
from mxgw.load.messages import parse_sizes
from tests.backup.backup_house import BackupHouse

PHASES = (
    Phase(BACKUP, 40.0),
    Phase(AGAIN, 2.0),
    Phase(VERIFY, 30.0),
    Phase(CP, 10.0),
    Phase(RSYNC, 20.0),
    Phase(RESTORE, 50.0),
)
TIMED = Timed(5, 4000, 2_000_000_000, "like real mail", PHASES, 45.0, whole=True)


def test_rates_and_ratios_are_those_of_the_whole_mail() -> None:
    assert rows(TIMED)[0] == (BACKUP, "40.0", "50.0", "100", "4.00")
    assert rows(TIMED)[3] == (CP, "10.0", "200", "400", "1.00")


def test_what_fits_grows_with_the_time_that_there_is() -> None:
    # 2 GB in 50 s are 40 MB/s; 4 hours have 14,400 s.
    assert TIMED.fits() == 576
    assert TIMED.fits(LIMIT_HOURS / 2) == 288
    assert "576 GB" in sentences(TIMED)[1]
    # Five times the plain copy: of 30 MB/s 6 are left.
    assert TIMED.fits_slowly() == 86.4
    assert "45.0 s" in sentences(TIMED)[0]


def test_a_restore_that_lacks_something_is_said_on_the_page() -> None:
    whole, lacking = (
        "\n".join(page(one, command="x", machine=[("m", "n")], picture=""))
        for one in (TIMED, replace(TIMED, whole=False))
    )

    assert "All of it was there afterwards" in whole
    assert "**NOT all of it" in lacking


def test_the_bench_runs_with_little_mail() -> None:
    said: list[str] = []

    with BackupHouse() as house:
        timed = measure(house, 2, 1, parse_sizes("1K..50K"), said.append)

    assert timed.whole
    assert [phase.name for phase in timed.phases] == [BACKUP, AGAIN, VERIFY, CP, RSYNC, RESTORE]
    assert timed.octets >= 2_000_000
    assert timed.first_login > 0
    assert len(said) == 8
