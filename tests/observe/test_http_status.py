"""Rates, history and home as the status page shows them."""

from __future__ import annotations

from mxgw.http.status import Facts, home_status, status
from mxgw.observe import HomeReading, Instruments, State
from mxgw.outcome import Decision
from tests.observe.samples import NOON, outcome

FACTS = Facts("1", "mx.example.jp", "edge")


def test_history_has_one_row_per_minute_and_the_current_one_is_last() -> None:
    meters = Instruments(clock=lambda: NOON)
    for ended_at in (NOON - 59 * 60, NOON - 60, NOON - 1, NOON, NOON + 59):
        meters.record(outcome(ended_at=ended_at, decision=Decision.DEFER))

    said = status(meters.snapshot(), facts=FACTS, state=State.READY, now=NOON + 59)

    history = said["history"]
    assert isinstance(history, dict)
    counts = history["counts"]
    assert history["minute"] == int(NOON) // 60
    assert isinstance(counts, list)
    assert len(counts) == 60
    assert counts[0] == [0, 1, 0, 0]
    assert counts[-2] == [0, 2, 0, 0]
    assert counts[-1] == [0, 2, 0, 0]


def test_what_is_older_than_an_hour_counts_only_in_all() -> None:
    meters = Instruments(clock=lambda: NOON)
    meters.record(outcome(ended_at=NOON - 7200))

    said = status(meters.snapshot(), facts=FACTS, state=State.READY, now=NOON)

    assert said["rates"] == {
        "minute": {"accept": 0, "defer": 0, "reject": 0, "aborted": 0},
        "hour": {"accept": 0, "defer": 0, "reject": 0, "aborted": 0},
        "start": {"accept": 1, "defer": 0, "reject": 0, "aborted": 0},
    }


def test_home_is_down_as_soon_as_one_worker_does_not_reach_it_and_its_error_is_shown() -> None:
    homes = [
        HomeReading(up=True, since=1.0, connections=2, idle=1),
        HomeReading(up=False, since=5.0, last_error="timeout", connections=1, waiting=7),
        HomeReading(up=None),
    ]

    together = home_status(homes, "lmtp://home")

    assert together is not None
    assert (together["up"], together["since"], together["last_error"]) == (False, 5.0, "timeout")
    assert (together["connections"], together["idle"], together["waiting"]) == (3, 1, 7)


def test_home_that_nobody_asked_yet_is_unknown_and_no_home_is_none() -> None:
    unknown = home_status([HomeReading(up=None), HomeReading(up=None)], "")

    assert unknown is not None
    assert unknown["up"] is None
    assert home_status([], "") is None
