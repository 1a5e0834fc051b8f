"""Containers that come and go while the watch looks: the administrator's commands, the trial of a backup."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.watch.watched_house import WatchedHouse


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WatchedHouse]:
    made = WatchedHouse(tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_one_that_is_gone_between_two_questions_hides_none_of_the_others(house: WatchedHouse) -> None:
    house.table["gone"] = ["redis"]
    house.rounds(1)
    house.table["restarts"]["rspamd"] = 4

    told = house.rounds(3)

    assert house.ill() == ["container-rspamd"]
    assert "rspamd was started anew 4 times within a day." in told[0]
