"""A machine that was asleep, off or out of time is not told of what its timers could not do meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.watch.kinds import shows
from tests.watch.watched_house import WatchedHouse

HOUR, DAY = 3_600.0, 86_400.0


@pytest.fixture
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[WatchedHouse]:
    made = WatchedHouse(tmp_path)
    try:
        yield made
        # What a test says that it shows (``shows``), it has shown.
        assert set(getattr(request.function, "shown", ())) <= made.proven
    finally:
        made.close()


def test_a_canary_that_could_not_fly_meanwhile_has_half_an_hour_after_it(house: WatchedHouse) -> None:
    house.rounds(2)

    house.now += 8 * HOUR

    assert house.rounds(25) == []
    [alarm] = house.rounds(10)
    assert "The last test mail was sent 5" in alarm


@shows("watch-canary-never")
def test_a_canary_that_never_flies_is_told_of(house: WatchedHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mxgw.watch.judge.CANARY_SECONDS", 90.0)
    (house.state / "canary.json").unlink()
    assert house.rounds(2) == []
    assert house.ill() == []

    [alarm] = house.rounds(3)
    assert "no test mail has been sent yet" in alarm

    house.flight(at=house.now + 5 * 60)
    [end] = house.rounds(4)
    assert "WELL AGAIN:" in end


def test_a_canary_that_was_taken_away_is_not_missed(house: WatchedHouse) -> None:
    house.flight(broken="dovecot", why="not in the mailbox")
    house.rounds(3)
    house.settings["CANARY_TO"] = ""

    [end] = house.rounds(3)

    assert "WELL AGAIN: The canary is not set up." in end
