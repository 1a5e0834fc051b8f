"""What waited in Postfix when a backup was made is told at its restore, and sent by nobody a second time."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mxgw.admin.backup.queued import unsent
from tests.backup.backup_house import BackupHouse
from tests.dell.household import letter

# What postqueue -j prints: one message that could not be delivered yet, and a bounce.
WAITING = [
    {
        "queue_name": "deferred",
        "queue_id": "4C1F2A0B3D",
        "arrival_time": 1795500000,
        "message_size": 3120,
        "forced_expire": False,
        "sender": "taro@example.jp",
        "recipients": [
            {"address": "friend@example.org", "delay_reason": "connection timed out"},
            {"address": "other@example.org", "delay_reason": "connection timed out"},
        ],
    },
    {
        "queue_name": "deferred",
        "queue_id": "4C1F2A0B3E",
        "arrival_time": 1795500060,
        "message_size": 900,
        "forced_expire": False,
        "sender": "",
        "recipients": [{"address": "somebody@example.org"}],
    },
]

# The house's docker, with a Postfix beside: every other question goes to the real one.
DOCKER = """#!{python} -IS
import os, subprocess, sys
words = sys.argv[1:]
if "postqueue" in words or "postsuper" in words:
    with open({asked!r}, "a") as file:
        file.write(" ".join(words[words.index("postfix") + 1:]) + "\\n")
    with open({waiting!r}) as file:
        sys.stdout.write(file.read())
elif "ps" in words:
    sys.stdout.write(subprocess.run([{docker!r}, *words], capture_output=True, text=True).stdout)
    print('{{"Service": "postfix", "Name": "mxgw-postfix-1", "State": "running", "Health": "healthy"}}')
else:
    os.execv({docker!r}, [{docker!r}, *words])
"""


@pytest.fixture
def house(backup_house: BackupHouse) -> Iterator[BackupHouse]:
    yield backup_house
    for one in backup_house.backups():
        shutil.rmtree(one)


def test_the_queue_is_told_and_not_sent_again(house: BackupHouse, tmp_path: Path) -> None:
    asked, waiting, docker = (tmp_path / name for name in ("asked", "waiting", "docker"))
    waiting.write_text("".join(json.dumps(one) + "\n" for one in WAITING))
    docker.write_text(
        DOCKER.format(
            python=sys.executable, asked=str(asked), waiting=str(waiting), docker=str(house.docker.program)
        )
    )
    docker.chmod(0o755)
    settings = {"MXGW_DOCKER": str(docker)}
    house.add("sender")
    house.deliver(letter("old"), "sender")
    made = house.admin("backup", "now", "--no-verify", settings=settings)
    assert made.code == 0, made.err

    told = house.admin("restore", "--yes", settings=settings)

    assert told.code == 0, told.err
    assert "restore-unsent" in told.facts["warnings"]
    assert "taro@example.jp -> friend@example.org, other@example.org (2026-11-24T" in told.err
    assert "somebody@example.org" not in told.err
    assert set(asked.read_text().splitlines()) == {"postqueue -j"}


def test_an_old_manifest_and_a_wrong_one_have_no_queue() -> None:
    assert unsent({}) == []
    assert unsent({"queue": None}) == []
    assert unsent({"queue": ["x", {"sender": ""}, {"recipients": []}]}) == []
