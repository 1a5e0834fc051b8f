"""``mxgw admin update`` as the timer and a person at a terminal call it: a process, and a real backup."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mxgw.admin.words import Language, Words
from tests.admin.person import Person
from tests.backup.backup_house import BackupHouse
from tests.backup.images_docker import ImagesDocker
from tests.cli.support import PROGRAM, SECONDS, Ended, environment
from tests.rig.process import find_program

LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])
CONTROL_C = b"\x03"
OLD = {"nginx": "old-nginx", "dovecot": "old-dovecot", "mariadb": "old-mariadb"}


class Host:
    """The house's commands, with a docker that knows images; backups are the house's own."""

    def __init__(self, house: BackupHouse, directory: Path) -> None:
        self.house = house
        self.docker = ImagesDocker(directory, beyond=house.docker.program)
        self.state = directory / "state"
        self.zones = directory / "zones"

    def environ(self, *, lang: str = "en", **settings: str) -> dict[str, str]:
        inherited = {name: text for name, text in environment({}).items() if not name.startswith("LC_")}
        return {
            **inherited,
            **self.house.settings,
            "LANG": f"{lang}_XX.UTF-8",
            "TERM": "xterm-256color",
            "MXGW_STATE": str(self.state),
            "MXGW_DOCKER": str(self.docker.program),
            # Empty, it would hide the zones of this machine.
            **({"PYTHONTZPATH": str(self.zones)} if self.zones.exists() else {}),
            **settings,
        }

    def run(self, *words: str, lang: str = "en", **settings: str) -> Ended:
        """A command as a timer calls it."""
        with self.started(*words, lang=lang, **settings) as process:
            out, err = process.communicate(timeout=SECONDS)
        return Ended(process.returncode, out.decode(), err.decode())

    @contextlib.contextmanager
    def started(self, *words: str, lang: str = "en", **settings: str) -> Iterator[subprocess.Popen[bytes]]:
        """The same, while it runs."""
        process = subprocess.Popen(
            [PROGRAM, "admin", "update", *words],
            env=self.environ(lang=lang, **settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(SECONDS)
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()

    def person(self, *words: str, lang: str = "en") -> Person:
        """Somebody who types it at a terminal."""
        setsid = find_program("setsid", package="util-linux")
        command = [setsid, "--ctty", "--wait", PROGRAM, "admin", "update", *words]
        return Person(command, self.environ(lang=lang))

    def clock_in_japan(self, hour: int) -> None:
        """It is so late there now, for programs that start from now on."""
        now = datetime.now(UTC)
        offset = hour * 3600 - (now.hour * 3600 + now.minute * 60 + now.second)
        place = self.zones / "Asia"
        place.mkdir(parents=True, exist_ok=True)
        (place / "Tokyo").write_bytes(zone(offset))

    @property
    def record(self) -> dict[str, Any]:
        """update.json."""
        told: dict[str, Any] = json.loads((self.state / "update.json").read_text())
        return told

    @property
    def backups(self) -> int:
        return len(self.house.backups())


def zone(offset: int) -> bytes:
    """A time zone that is always so many seconds ahead of UTC (RFC 8536 section 3)."""

    def block(version: bytes) -> bytes:
        head = b"TZif" + version + bytes(15) + struct.pack(">6L", 0, 0, 0, 0, 1, 4)
        return head + struct.pack(">lBB", offset, 0, 0) + b"JST\0"

    return block(b"2") + block(b"2") + b"\n\n"


@pytest.fixture
def host(backup_house: BackupHouse, tmp_path: Path) -> Host:
    for old in backup_house.backups():
        shutil.rmtree(old)
    return Host(backup_house, tmp_path)


# -- the window ---------------------------------------------------------------------------------------------


def test_the_timer_updates_in_the_window(host: Host) -> None:
    host.docker.publish("dovecot")
    host.clock_in_japan(2)

    told = host.run("now", "--json")

    assert told.code == 0, told.err
    assert json.loads(told.out) == {
        "ok": True,
        "did": "update-done",
        "count": 1,
        "services": {"dovecot": "updated"},
    }
    assert host.docker.running == {**OLD, "dovecot": "new-dovecot"}
    assert host.backups == 1

    told = host.run("status")

    # As the watch reads it.
    assert (told.code, json.loads(told.out)) == (0, host.record)


@pytest.mark.parametrize("hour", [1, 4, 14])
def test_a_timer_that_comes_outside_the_window_changes_nothing(host: Host, hour: int) -> None:
    host.docker.publish("dovecot")
    host.clock_in_japan(hour)

    told = host.run("now", "--json")

    assert (told.code, json.loads(told.out)["error"]) == (2, "update-outside-window")
    assert "--now" in told.err
    assert host.docker.state["calls"] == []
    assert not (host.state / "update.json").exists()


def test_a_person_need_not_wait_for_the_night(host: Host) -> None:
    host.docker.publish("dovecot")
    host.clock_in_japan(14)

    assert host.run("now", "--now").code == 0
    assert host.docker.running["dovecot"] == "new-dovecot"


# -- what comes of it ---------------------------------------------------------------------------------------


def test_where_nothing_is_new_there_is_no_backup_and_all_is_well(host: Host) -> None:
    told = host.run("now", "--now")

    assert (told.code, json.loads(told.out)["did"]) == (0, "update-nothing")
    assert host.record["ok"] is True
    assert host.backups == 0


def test_an_unhealthy_image_goes_back_is_reported_and_is_not_tried_the_next_night(host: Host) -> None:
    host.docker.publish("dovecot", "nginx")
    host.docker.set(broken=["new-dovecot"])

    first = host.run("now", "--now")
    record = host.record
    second = host.run("now", "--now")
    third = host.run("now", "--now")

    assert (first.code, json.loads(first.out)["services"]) == (
        1,
        {"dovecot": "rolled-back", "nginx": "postponed"},
    )
    assert (record["ok"], record["refused"]) == (False, {"dovecot": "new-dovecot"})
    assert "dovecot: the new image was not healthy" in record["why"]
    assert json.loads(second.out)["services"] == {"dovecot": "held", "nginx": "updated"}
    assert (third.code, json.loads(third.out)["services"]) == (1, {"dovecot": "held"})
    assert host.docker.running == {**OLD, "nginx": "new-nginx"}

    host.docker.set(broken=[])
    assert json.loads(host.run("now", "--now", "--retry").out)["services"] == {"dovecot": "updated"}
    assert host.record["refused"] == {}


def test_without_a_backup_there_is_no_update(host: Host) -> None:
    host.docker.publish("dovecot")

    told = host.run("now", "--now", BACKUP_DIRECTORY="/nowhere/not-mounted")

    assert (told.code, json.loads(told.out)["error"]) == (1, "backup-not-mounted")
    assert host.docker.running == OLD
    assert host.docker.named("dovecot:1") == "old-dovecot"
    assert (host.record["ok"], host.record["services"]) == (False, {})
    assert "not-mounted" in host.record["why"]


def test_a_backup_that_runs_already_keeps_the_update_away(host: Host) -> None:
    host.docker.publish("dovecot")
    directory = host.house.disk / "mailserver"
    directory.mkdir(exist_ok=True)
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = host.run("now", "--now")

    assert (told.code, json.loads(told.out)["error"]) == (1, "backup-running")
    assert host.docker.running == OLD


def test_a_registry_that_does_not_answer_is_quoted(host: Host) -> None:
    host.docker.set(pull_error="Error: dial tcp: lookup registry-1.docker.io: no such host\n")

    told = host.run("now", "--now")

    assert (told.code, json.loads(told.out)["error"]) == (1, "update-pull-failed")
    assert "no such host" in host.record["why"]


def test_a_docker_that_is_not_there_is_named(host: Host) -> None:
    told = host.run("now", "--now", MXGW_DOCKER=str(host.state / "docker"))

    assert (told.code, json.loads(told.out)["error"]) == (1, "docker-missing")


# -- one at a time, and stopping ----------------------------------------------------------------------------


def test_a_second_update_beside_a_running_one_is_refused_and_leaves_its_result_alone(host: Host) -> None:
    host.docker.publish("dovecot")
    host.docker.set(waits="pull")

    with host.started("now", "--now") as first:
        host.docker.wait_for_step()
        second = host.run("now", "--now")
        assert not (host.state / "update.json").exists()
        host.docker.begun.unlink()
        out, _ = first.communicate(timeout=SECONDS)

    assert (second.code, json.loads(second.out)["error"]) == (1, "update-running")
    assert json.loads(out)["services"] == {"dovecot": "updated"}


def test_the_end_of_its_unit_in_the_middle_of_a_service_brings_the_old_image_back(host: Host) -> None:
    host.docker.publish("dovecot", "nginx")
    host.docker.set(waits="up", starting=["new-dovecot"])

    with host.started("now", "--now") as process:
        host.docker.wait_for_step()
        process.send_signal(signal.SIGTERM)
        host.docker.begun.unlink()
        out, err = process.communicate(timeout=SECONDS)

    assert (process.returncode, json.loads(out)["error"]) == (1, "update-stopped"), err
    assert host.docker.running == OLD
    assert host.record["services"] == {"dovecot": "stopped", "nginx": "postponed"}
    # It was not found unhealthy: the next night tries it.
    assert host.record["refused"] == {}


def test_control_c_while_images_are_fetched_ends_at_once_and_changes_nothing(host: Host) -> None:
    host.docker.publish("dovecot")
    host.docker.set(waits="pull")

    with host.person("now", "--now") as someone:
        someone.sees("Looking for newer images")
        host.docker.wait_for_step()
        someone.presses(CONTROL_C, until="The update was stopped")
        assert someone.ends() == 1
        assert "Traceback" not in someone.screen

    assert host.docker.running == OLD
    assert host.record["ok"] is False


# -- for people ---------------------------------------------------------------------------------------------


def test_a_person_sees_each_step_and_the_result_in_a_table(host: Host) -> None:
    lang = "ja"
    words = Words(Language(lang))
    host.docker.publish("dovecot", "nginx")
    host.docker.set(crashing=["new-nginx"])

    with host.person("now", "--now", lang=lang) as someone:
        someone.sees(words("update-pulling"))
        someone.sees(words("update-backup"))
        someone.sees(words("update-begun", service="dovecot"))
        someone.sees(words("update-updated", service="dovecot"))
        someone.sees(words("update-rolled-back", service="nginx"))
        assert someone.ends() == 1
    with host.person("status", lang=lang) as someone:
        someone.sees(words("column-outcome"))
        someone.sees(words("update-updated", service="dovecot"))
        someone.sees(words("update-rolled-back", service="nginx"))
        assert someone.ends() == 0


@LANGUAGES
def test_status_before_the_first_update_says_when_it_comes(host: Host, lang: str) -> None:
    told = host.run("status", lang=lang)

    assert (told.code, json.loads(told.out)["error"]) == (2, "update-never")
    assert Words(Language(lang))("update-never") in told.err


def test_a_damaged_record_is_told_and_mended_by_the_next_update(host: Host) -> None:
    host.state.mkdir()
    (host.state / "update.json").write_text("{")

    assert json.loads(host.run("status").out)["error"] == "update-state-damaged"
    assert host.run("now", "--now").code == 0
    assert host.run("status").code == 0


@LANGUAGES
@pytest.mark.parametrize("command", [(), ("now",), ("status",)])
def test_help_teaches(host: Host, lang: str, command: tuple[str, ...]) -> None:
    told = host.run(*command, "--help", lang=lang)

    assert (told.code, told.err) == (0, "")
    assert f"mxgw admin update {command[0] if command else 'status'}" in told.out
    assert ("例" if lang == "ja" else "Example") in told.out


@LANGUAGES
@pytest.mark.parametrize(
    ("words", "key", "facts"),
    [
        (("tomorrow",), "usage-no-command", {"name": "tomorrow"}),
        (("now", "--force"), "usage-no-option", {"name": "--force"}),
        (("now", "redis"), "usage-too-many", {}),
        (("status", "redis"), "usage-too-many", {}),
    ],
)
def test_wrong_input_is_said_in_a_sentence(
    host: Host, lang: str, words: tuple[str, ...], key: str, facts: Mapping[str, str]
) -> None:
    told = host.run(*words, lang=lang)

    assert told.code == 2
    assert Words(Language(lang))(key, **facts) in told.err


def test_a_directory_without_the_stack_is_named(host: Host) -> None:
    told = host.run("now", "--now", "--stack", str(host.state))

    assert (told.code, json.loads(told.out)["error"]) == (2, "env-file-missing")
