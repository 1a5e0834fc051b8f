"""A disk that the kernel, or a careful administrator, has made read-only."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.backup.backup_house import BackupHouse, contents
from tests.dell.household import letter

ADDRESS = "yomiko@example.jp"


@pytest.fixture(scope="module")
def house(backup_house: BackupHouse) -> Iterator[BackupHouse]:
    backup_house.add("yomiko")
    backup_house.deliver(letter("old"), "yomiko")
    assert backup_house.admin("backup", "now", "--no-verify").code == 0
    remount(backup_house, "ro")
    try:
        yield backup_house
    finally:
        remount(backup_house, "rw")


def remount(house: BackupHouse, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(house.disk)], check=True)


@pytest.mark.parametrize("command", ["now", "verify"])
def test_what_must_write_says_that_the_disk_is_at_fault(house: BackupHouse, command: str) -> None:
    told = house.admin("backup", command, lang="ja")

    assert (told.code, told.facts["error"]) == (1, "backup-disk-fails")
    assert "dmesg" in told.err


def test_the_watch_hears_of_a_backup_that_could_not_be_written(house: BackupHouse) -> None:
    house.admin("backup", "now")

    assert not json.loads((house.state / "backup.json").read_text())["ok"]


def test_mail_can_be_brought_back_from_it(house: BackupHouse) -> None:
    before = contents(house, "yomiko")

    told = house.admin("restore", "--user", ADDRESS, "--yes")

    assert told.code == 0, told.err
    assert contents(house, "yomiko") == before
