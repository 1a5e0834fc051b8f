"""The watch as a person sees it: what is well or ill, and nothing of how it was looked at."""

from __future__ import annotations

import json
from pathlib import Path

from tests.admin.admin_house import admin
from tests.admin.person import Person
from tests.cli.support import PROGRAM, environment
from tests.watch.watched_house import WatchedHouse


def test_people_see_no_row_that_says_only_that_a_look_was_possible(tmp_path: Path) -> None:
    house = WatchedHouse(tmp_path)
    try:
        environ = environment({**house.environ, "LANG": "ja_JP.UTF-8", "TERM": "xterm"})
        with Person([PROGRAM, "admin", "watch"], environ) as person:
            person.sees("dovecot は動いています")
            code = person.ends()
        told = admin("watch", "--show", settings=house.environ)
    finally:
        house.close()

    assert code == 0
    assert "probe-" not in person.screen
    assert "probe-disks" in {one["id"] for one in json.loads(told.out)["findings"]}
