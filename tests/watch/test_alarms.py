"""Every alarm is told once when the thing itself is broken, and once when it is well again."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from mxgw.admin.words import Language
from mxgw.cli import group
from mxgw.watch.canary import Part
from mxgw.watch.judge import days_until_full
from mxgw.watch.waiting import waiting
from tests.watch.edge_log import START, attempt, stored
from tests.watch.kinds import kinds, proven_in, shows
from tests.watch.watched_house import Act, WatchedHouse, certificate

HOUR, DAY = 3_600.0, 86_400.0


class Alarm(NamedTuple):
    """One kind of trouble: the key of its sentence, how it comes, how it goes, and words of the sentence."""

    kind: str
    breaks: Act
    mends: Act
    says: str


@pytest.fixture
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[WatchedHouse]:
    made = WatchedHouse(tmp_path)
    try:
        yield made
        # What a test says that it shows (``shows``), it has shown.
        assert set(getattr(request.function, "shown", ())) <= made.proven
    finally:
        made.close()


def set_state(service: str, *state: str) -> Act:
    return lambda house: house.table["states"].update({service: list(state)})


def says(command: str, text: str) -> Act:
    return lambda house: house.table["says"].update({command: text})


def setting(**values: object) -> Act:
    return lambda house: house.table.update(values)


def tailscale(**values: object) -> Act:
    return lambda house: house.tailscale.update(values)


def new_certificate(days: float, *, load: bool = True) -> Act:
    def act(house: WatchedHouse) -> None:
        certificate(house.data / "tls", days=days)
        if load:
            house.port.load()

    return act


def fill(house: WatchedHouse) -> None:
    (house.data / "big").write_bytes(bytes(3_950_000))


def empty(house: WatchedHouse) -> None:
    (house.data / "big").unlink()


def remove(*services: str) -> Act:
    return lambda house: [house.table["states"].pop(name) for name in services] and None


def days_later(house: WatchedHouse, days: float) -> None:
    """The other jobs have gone on meanwhile."""
    house.now += days * DAY
    made = datetime.datetime.fromtimestamp(house.now - HOUR, datetime.UTC)
    says("clamdscan", f"ClamAV 1.4.3/27450/{made:%a %b %d %H:%M:%S %Y}\n")(house)
    for name in ("backup.json", "update.json"):
        house.task(name)
    house.flight()


ALARMS = {
    "a container that starts again and again": Alarm(
        "watch-container-restarts",
        lambda house: house.table["restarts"].update(rspamd=4),
        # Docker counts anew for a container that was made anew.
        lambda house: house.table["restarts"].update(rspamd=0),
        "rspamd was started anew 4 times within a day.",
    ),
    "docker itself": Alarm(
        "watch-unseen",
        setting(broken=True),
        setting(broken=False),
        "The check containers could not be made.",
    ),
    "a full disk": Alarm("watch-disk-low", fill, empty, "left ("),
    "the tailnet": Alarm(
        "watch-tailnet-down",
        tailscale(BackendState="Stopped"),
        tailscale(BackendState="Running"),
        "Tailscale is not connected (Stopped)",
    ),
    "a key of the tailnet that ends": Alarm(
        "watch-tailnet-key",
        lambda house: house.tailscale["Self"].update(KeyExpiry=key_ends(house, days=10)),
        lambda house: house.tailscale["Self"].pop("KeyExpiry"),
        "The key of this machine in Tailscale ends in 9 days",
    ),
    "an expired certificate": Alarm(
        "watch-certificate-over",
        new_certificate(-2),
        new_certificate(60),
        "has ended: phones and PCs refuse",
    ),
    "a certificate that ends soon": Alarm(
        "watch-certificate-ends", new_certificate(9), new_certificate(60), "ends in 9 days"
    ),
    "no certificate": Alarm(
        "watch-certificate-unseen",
        lambda house: (house.data / "tls/cert.pem").unlink(),
        new_certificate(60),
        "cannot be seen",
    ),
    "a backup that cannot be restored": Alarm(
        "watch-backup-unverified",
        lambda house: house.task("backup.json", verified=False),
        lambda house: house.task("backup.json"),
        "could not be restored in a trial",
    ),
    "no backup": Alarm(
        "watch-backup-never",
        lambda house: (house.state / "backup.json").unlink(),
        lambda house: house.task("backup.json"),
        "There was no backup yet.",
    ),
    "a state that cannot be read": Alarm(
        "watch-unseen",
        lambda house: (house.state / "update.json").write_text("{") and None,
        lambda house: house.task("update.json"),
        "The check update could not be made.",
    ),
    "a canary that has stopped": Alarm(
        "watch-canary-old",
        lambda house: house.flight(at=house.now - 2 * HOUR),
        lambda house: house.flight(),
        "The last test mail was sent 12",
    ),
    "a slow canary": Alarm(
        "watch-canary-slow",
        lambda house: house.flight(seconds=200.0),
        lambda house: house.flight(),
        "The test mail took 200 s.",
    ),
    **{
        f"the canary: {part}": Alarm(
            "watch-canary-broken",
            lambda house, part=part: house.flight(broken=part, why="451 4.7.1 later"),
            lambda house: house.flight(),
            f"The test mail did not get through: {part}",
        )
        for part in Part
        if part is not Part.RECORD
    },
}


def key_ends(house: WatchedHouse, *, days: float) -> str:
    return datetime.datetime.fromtimestamp(house.now + days * DAY, datetime.UTC).isoformat()


@pytest.mark.parametrize("what", ALARMS)
def test_an_alarm_is_told_once_and_its_end_once(house: WatchedHouse, what: str) -> None:
    kind, breaks, mends, sentence = ALARMS[what]
    assert house.rounds(1) == []
    assert house.ill() == []

    breaks(house)
    first = house.rounds(1)
    told = house.rounds(2)

    assert first == []

    [alarm] = told
    assert "TROUBLE:" in alarm
    assert sentence in alarm
    assert "What to do: " in alarm

    mends(house)
    assert house.rounds(2) == []
    [recovery] = house.rounds(2)
    assert "WELL AGAIN:" in recovery
    assert house.ill() == []
    assert kind in house.proven


@shows("watch-disk-soon")
def test_a_disk_that_will_be_full_is_told_and_so_is_its_end(house: WatchedHouse) -> None:
    told = house.rounds(1)
    for number in range(4):
        (house.data / f"mail{number}").write_bytes(bytes(300_000))
        days_later(house, 1)
        told += house.rounds(1)

    [alarm] = told
    assert "will be full in about" in alarm

    for number in range(4):
        (house.data / f"mail{number}").unlink()
    days_later(house, 3)
    *_, end = house.rounds(4)
    assert "WELL AGAIN:" in end


def test_each_kind_of_trouble_has_a_test_that_breaks_and_mends_it() -> None:
    tested = {text for path in Path(__file__).parent.glob("test_*.py") for text in proven_in(path)}

    assert kinds() - tested == set()
    assert tested - kinds() == set()


def test_a_flicker_of_one_round_calls_nobody(house: WatchedHouse) -> None:
    house.rounds(1)
    for _ in range(4):
        set_state("home", "restarting", "")(house)
        assert house.rounds(1) == []
        set_state("home", "running", "healthy")(house)
        assert house.rounds(1) == []


def test_what_stays_bad_is_told_again_after_a_day(house: WatchedHouse) -> None:
    set_state("home", "exited", "")(house)
    assert len(house.rounds(3)) == 1

    days_later(house, 1)
    [reminder] = house.rounds(2)

    assert "STILL:" in reminder


@shows("watch-away", "watch-waiting")
def test_the_outage_is_told_from_its_beginning_to_the_last_mail(house: WatchedHouse) -> None:
    lines = [attempt(START), attempt(START + 60, sender="b@x.example", message="two")]

    def at(moment: float) -> list[str]:
        house.clock = waiting(lambda: iter(lines), now=moment)
        return house.rounds(1)

    [alarm] = at(START + 120)
    assert "At least 2 mails of 2 senders wait" in alarm
    assert "a@shop.example (mail.shop.example) -> taro@example.jp, 1x" in alarm
    assert at(START + 180) == []

    lines.append(stored(START + 240))
    [better] = at(START + 241)
    assert "BETTER: Home is reached again; 1 mails of 1 senders still wait" in better

    lines.append(stored(START + 300, sender="b@x.example", message="two"))
    [end] = at(START + 301)
    assert "No mail waits at its sender; all 2 that had to wait have been answered." in end


@shows("watch-lost")
def test_mail_that_never_came_again_is_listed(house: WatchedHouse) -> None:
    lines = [attempt(START), stored(START + 600, message="other")]
    house.clock = waiting(lambda: iter(lines), now=START + 6 * DAY)

    [alarm] = house.rounds(1)

    assert "1 mails did not come again within five days" in alarm
    assert "a@shop.example" in alarm

    house.clock = waiting(lambda: iter(lines), now=START + 12 * DAY)
    [end] = house.rounds(3)
    assert "WELL AGAIN: No sender has given up." in end


@shows("watch-notice-failed")
def test_a_notice_that_fails_is_sent_in_a_later_round_and_the_failure_is_seen(house: WatchedHouse) -> None:
    house.rounds(1)
    house.notices.status = 500
    set_state("home", "exited", "")(house)

    assert house.rounds(4) == []
    assert "notice-slack" in house.ill()
    assert "slack-secret" not in str(house.memory)

    house.notices.status = 200
    sent = house.rounds(4)
    assert sum("home does not run" in text for text in sent) == 1
    assert "notice-slack" not in house.ill()
    assert house.memory.pending == ()


def test_mail_that_postfix_does_not_take_goes_past_it(house: WatchedHouse) -> None:
    house.settings |= {"ALERT_WEBHOOK": "", "ALERT_MAIL_TO": "owner@elsewhere.example"}
    set_state("home", "exited", "")(house)

    house.rounds(3)

    [(path, body, key)] = house.notices.taken
    assert (path, key) == ("/v3/mail/send", "Bearer SG.secret")
    assert body["from"]["email"] == "postmaster@example.jp"
    assert body["personalizations"] == [{"to": [{"email": "owner@elsewhere.example"}]}]
    assert "home does not run" in body["subject"]


def test_line_and_discord_get_what_they_understand(house: WatchedHouse) -> None:
    house.settings |= {"ALERT_WEBHOOK_KIND": "discord", "LINE_CHANNEL_TOKEN": "tok", "LINE_TO": "U1"}
    house.settings["LINE_API_URL"] = house.notices.url
    house.write()

    done = CliRunner().invoke(
        group, ["admin", "alert", "test"], env={"LC_ALL": "ja_JP.UTF-8", **house.environ}
    )

    assert done.exit_code == 0, done.output
    (_, discord, _), (path, line, key) = house.notices.taken
    assert discord["content"].startswith("[mxgw] 【試験】")
    assert discord["allowed_mentions"] == {"parse": []}
    assert (path, key, line["to"]) == ("/v2/bot/message/push", "Bearer tok", "U1")
    assert "異常はありません" in line["messages"][0]["text"]


def test_the_command_keeps_what_it_saw_and_shows_it(house: WatchedHouse) -> None:
    def call(*words: str, language: str = "C.UTF-8") -> tuple[int, str]:
        done = CliRunner().invoke(group, ["admin", *words], env={"LC_ALL": language, **house.environ})
        return done.exit_code, done.output

    code, text = call("watch", "--show")
    assert code == 1
    assert "mxgw admin watch" in text

    set_state("dovecot", "exited", "")(house)
    house.write()
    for _ in range(3):
        code, text = call("watch")
        assert code == 0, text
    found = json.loads(text)
    assert not found["ok"]
    assert [one["id"] for one in found["findings"] if one["severity"] == "bad"] == ["container-dovecot"]
    assert len(house.notices.taken) == 1

    code, text = call("watch", "--show", language="ja_JP.UTF-8")
    assert code == 1
    assert "dovecot が止まっています" in text


def test_a_program_that_hangs_is_told_while_the_rest_is_looked_at(
    house: WatchedHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mxgw.watch.probes.PROBE_SECONDS", 0.5)
    monkeypatch.setattr("mxgw.watch.probes.CONNECT_SECONDS", 0.5)
    house.table["hang"] = True

    house.rounds(1, language=Language.JA)

    assert {"probe-containers", "probe-queue"} <= set(house.ill())
    assert "tailnet" not in house.ill()


def test_a_disk_that_fills_is_forecast() -> None:
    samples = [(day * DAY, "free-/d", 100e9 - day * 2e9) for day in range(10)]

    assert days_until_full(samples, "free-/d", 80e9) == pytest.approx(40)
    assert days_until_full(samples[:2], "free-/d", 80e9) is None
    assert days_until_full([(at, name, 5e9) for at, name, _ in samples], "free-/d", 5e9) is None
