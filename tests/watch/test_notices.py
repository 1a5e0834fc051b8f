"""Notices reach everybody whom .env names, whatever is broken: none is lost on the way, none told twice."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from mxgw.admin.words import Language, Words
from mxgw.cli import group
from mxgw.watch.channels import MAX_CHARACTERS, Channel, Undelivered, channels
from mxgw.watch.finding import Severity, bad, good
from mxgw.watch.judge import SERVICES
from mxgw.watch.memory import MAX_PENDING, Known, Memory, Notice, Occasion, after
from mxgw.watch.round import told
from mxgw.watch.telling import MAX_NOTICES
from tests.watch.kinds import shows
from tests.watch.watched_house import Notices, WatchedHouse

DAY = 86_400.0
NOW = 1_795_500_000.0
WORDS = Words(Language.EN)


@pytest.fixture
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[WatchedHouse]:
    made = WatchedHouse(tmp_path)
    try:
        yield made
        # What a test says that it shows (``shows``), it has shown.
        assert set(getattr(request.function, "shown", ())) <= made.proven
    finally:
        made.close()


@pytest.fixture
def second() -> Iterator[Notices]:
    made = Notices()
    yield made
    made.close()


def notice(number: int, severity: Severity = Severity.BAD, to: str = "slack") -> Notice:
    finding = replace(
        bad(f"mailbox-{number}", "watch-mailbox-full", "watch-mailbox-mend", user=f"u{number}", percent=96),
        severity=severity,
    )
    return Notice(Occasion.WORSE, finding, NOW + number, NOW, (to,))


def fill(path: Path) -> None:
    """Until nothing more goes onto its disk."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


# -- to whom ------------------------------------------------------------------------------------------------


def test_two_webhooks_of_one_kind_are_two_places(house: WatchedHouse, second: Notices) -> None:
    house.settings["ALERT_WEBHOOK"] = f"{house.notices.url}/one, {second.url}/two"
    house.table["states"]["home"] = ["exited", ""]
    second.status = 500

    house.rounds(3)

    alarm, failure = house.notices.texts()
    assert "TROUBLE: home does not run" in alarm
    assert "TROUBLE: The last notice by slack-2 did not get through." in failure
    assert second.taken == []

    second.status = 200
    house.rounds(1)
    assert "TROUBLE: home does not run" in second.texts()[0]


@pytest.mark.parametrize("url", ["hooks.slack.com/services/T/B/x", "ftp://hooks.slack.com/x", "https:///x"])
def test_a_webhook_that_is_no_url_is_not_taken_for_this_machine(house: WatchedHouse, url: str) -> None:
    house.settings["ALERT_WEBHOOK"] = url
    house.write()

    [channel] = channels(house.site)

    with pytest.raises(Undelivered, match="its URL cannot be read"):
        channel.send("subject", "text")


def test_a_place_that_cannot_even_be_tried_hides_no_other(house: WatchedHouse) -> None:
    house.settings |= {
        "ALERT_MAIL_TO": "owner@elsewhere.example",
        "ALERT_SMTP_HOST": "127.0.0.1:1",
        "ALERT_SMTP_CA": str(house.directory / "no-such-file"),
    }
    house.table["states"]["home"] = ["exited", ""]

    told_of = house.rounds(3)

    assert "home does not run" in told_of[0]
    assert "notice-mail" in house.ill()


def test_whatever_a_channel_trips_over_is_told_and_tried_again() -> None:
    def breaks(subject: str, text: str) -> None:
        raise UnicodeError(subject + text)

    heard: list[str] = []
    places = [Channel("mail", breaks), Channel("slack", lambda subject, _: heard.append(subject))]
    memory = Memory(pending=(replace(notice(1), to=("mail", "slack")),))

    after_it = told(memory, places, WORDS)

    assert len(heard) == 1
    assert after_it.failed.keys() == {"mail"}
    assert [one.to for one in after_it.pending] == [("mail",)]


def test_addresses_with_names_go_to_the_addresses(house: WatchedHouse) -> None:
    house.settings |= {
        "ALERT_WEBHOOK": "",
        "ALERT_MAIL_TO": "太郎 <taro@elsewhere.example>, ken@elsewhere.example",
    }
    house.table["states"]["home"] = ["exited", ""]

    house.rounds(3)

    [(_, body, _)] = house.notices.taken
    assert body["personalizations"] == [
        {"to": [{"email": "taro@elsewhere.example"}, {"email": "ken@elsewhere.example"}]}
    ]


# -- how many -----------------------------------------------------------------------------------------------


def test_of_many_the_worst_are_told_and_the_rest_is_counted() -> None:
    heard: list[tuple[str, str]] = []
    place = Channel("slack", lambda *given: heard.append(given))
    many = [notice(0), *(notice(number, Severity.WARNING) for number in range(1, MAX_NOTICES + 5))]

    after_it = told(Memory(pending=tuple(many)), [place], WORDS)

    [(subject, text)] = heard
    assert "u0" in subject
    assert "u0" in text
    assert f"and {len(many) - MAX_NOTICES} more: mxgw admin watch --show" in text
    assert after_it.pending == ()


def test_a_message_that_a_place_cannot_take_whole_says_how_much_it_leaves_out() -> None:
    heard: list[tuple[str, str]] = []
    place = Channel("slack", lambda *given: heard.append(given), room=700)

    told(Memory(pending=tuple(notice(number) for number in range(8))), [place], WORDS)

    [(subject, text)] = heard
    assert len(subject) + 1 + len(text) <= 700
    shown = text.count("TROUBLE:")
    assert 0 < shown < 8
    assert f"and {8 - shown} more: mxgw admin watch --show" in text


def test_all_services_down_is_whole_in_the_smallest_of_rooms(house: WatchedHouse) -> None:
    house.settings["ALERT_WEBHOOK_KIND"] = "discord"
    for name in SERVICES:
        house.table["states"][name] = ["exited", ""]

    house.rounds(3)

    [(_, body, _)] = house.notices.taken
    assert len(body["content"]) <= MAX_CHARACTERS["discord"]
    assert sum(f"{name} does not run" in body["content"] for name in SERVICES) >= 5


def test_a_place_that_was_away_hears_what_is_so_now_and_not_what_was() -> None:
    memory = Memory(known={"queue": Known(Severity.GOOD, NOW, NOW, Severity.GOOD)}, pending=(notice(1),))
    findings = {
        True: bad("queue", "watch-queue-old", "", count=1, minutes=40),
        False: good("queue", "watch-queue-well"),
    }
    for number in range(MAX_PENDING * 6):
        memory = after(memory, [findings[number // 3 % 2 == 0]], ["slack"], now=NOW + 60 * number)

    assert [one.finding.id for one in memory.pending] == ["mailbox-1", "queue"]


# -- nowhere to write ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", ["full", "read-only"])
def test_a_state_that_cannot_be_written_is_told_once_and_hides_no_alarm(
    house: WatchedHouse, trouble: str
) -> None:
    def call() -> None:
        done = CliRunner().invoke(group, ["admin", "watch"], env={"LC_ALL": "C.UTF-8", **house.environ})
        assert done.exit_code == 0, done.output

    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(house.state)], check=True)
    try:
        for name in ("backup.json", "update.json"):
            house.task(name)
        house.flight()
        call()
        if trouble == "full":
            fill(house.state / "fill")
        else:
            subprocess.run(["mount", "-o", "remount,ro", str(house.state)], check=True)
        house.table["states"]["home"] = ["exited", ""]
        house.write()
        for _ in range(5):
            call()

        texts = house.notices.texts()
        assert sum("TROUBLE: home does not run" in text for text in texts) == 1
        assert sum("TROUBLE: The watch cannot keep what it knows" in text for text in texts) == 1

        subprocess.run(["mount", "-o", "remount,rw", str(house.state)], check=True)
        (house.state / "fill").unlink(missing_ok=True)
        for _ in range(5):
            call()
        texts = house.notices.texts()
        assert sum("WELL AGAIN: The watch keeps what it knows" in text for text in texts) == 1
        assert sum("TROUBLE: home does not run" in text for text in texts) == 1
    finally:
        subprocess.run(["umount", str(house.state)], check=True)


@shows("watch-state-unwritable")
def test_the_trouble_of_its_own_state_is_an_alarm_as_any_other(house: WatchedHouse) -> None:
    house.rounds(1)
    house.memory = replace(house.memory, unwritable="No space left on device")
    assert "The watch cannot keep what it knows" in house.rounds(2)[0]

    house.memory = replace(house.memory, unwritable="")
    assert "WELL AGAIN:" in house.rounds(3)[0]


# -- time ---------------------------------------------------------------------------------------------------


def test_a_clock_that_was_years_ahead_stops_neither_reminders_nor_forecasts(house: WatchedHouse) -> None:
    house.table["states"]["home"] = ["exited", ""]
    really = house.now
    house.now += 3_000 * DAY
    house.rounds(3)

    house.now = really
    house.rounds(3)
    assert {at for at, _, _ in house.memory.samples} != set()
    assert max(at for at, _, _ in house.memory.samples) <= house.now

    house.now += DAY
    assert any("STILL:" in text for text in house.rounds(2))


def test_what_is_not_looked_at_any_more_ends(house: WatchedHouse) -> None:
    full = "User\tQuota\tType\tValue\tLimit\t%\ntaro@example.jp\tU\tSTORAGE\t990\t1000\t99\n"
    house.table["says"]["doveadm"] = full
    assert "taro@example.jp" in house.rounds(3)[0]

    house.table["says"]["doveadm"] = full.splitlines()[0] + "\n"
    [end] = house.rounds(3)

    assert "WELL AGAIN: mailbox-taro@example.jp is not looked at any more." in end
