"""Every alarm is told once when the thing itself is broken, and once when it is well again."""

from __future__ import annotations

import datetime
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mxgw.admin.words import Language
from mxgw.cli import group
from mxgw.watch.judge import days_until_full
from mxgw.watch.waiting import waiting
from tests.dell.sending_house import Postfix
from tests.rig.process import free_port, wait_until
from tests.watch.edge_log import START, attempt, stored
from tests.watch.watched_house import Act, WatchedHouse, certificate

HOUR, DAY = 3_600.0, 86_400.0
SENT = "postfix/smtp[7]: 4ABC: to=<a@b.example>, relay=smtp.sendgrid.net, status=sent (250 Ok)\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WatchedHouse]:
    made = WatchedHouse(tmp_path)
    try:
        yield made
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


def quota(used: int) -> Act:
    return says(
        "doveadm", f"Username\tQuota\tType\tValue\tLimit\t%\ntaro@example.jp\tU\tSTORAGE\t{used}\t1000\t1\n"
    )


def signatures(made: str) -> Act:
    return says("clamdscan", f"ClamAV 1.4.3/27450/{made}\n")


def fresh_signatures(house: WatchedHouse) -> None:
    made = datetime.datetime.fromtimestamp(house.now - HOUR, datetime.UTC)
    signatures(f"{made:%a %b %d %H:%M:%S %Y}")(house)


CASES = {
    "a stopped container": (
        set_state("dovecot", "exited", ""),
        set_state("dovecot", "running", "healthy"),
        "dovecot does not run (exited).",
    ),
    "an unhealthy container": (
        set_state("rspamd", "running", "unhealthy"),
        set_state("rspamd", "running", "healthy"),
        "rspamd runs, but does not answer",
    ),
    "a container that is gone": (
        remove("nginx"),
        set_state("nginx", "running", ""),
        "There is no container nginx.",
    ),
    "docker itself": (setting(broken=True), setting(broken=False), "The check containers could not be made."),
    "a full disk": (fill, empty, "left ("),
    "a full mailbox": (quota(970), quota(10), "The mailbox taro@example.jp is 97% full"),
    "the tailnet": (
        tailscale(BackendState="Stopped"),
        tailscale(BackendState="Running"),
        "Tailscale is not connected (Stopped)",
    ),
    "an expired certificate": (new_certificate(-2), new_certificate(60), "has ended: phones and PCs refuse"),
    "a certificate that ends soon": (new_certificate(9), new_certificate(60), "ends in 9 days"),
    "a port with the old certificate": (
        new_certificate(90, load=False),
        lambda house: house.port.load(),
        "still shows the old certificate",
    ),
    "no certificate": (
        lambda house: (house.data / "tls/cert.pem").unlink(),
        new_certificate(60),
        "cannot be seen",
    ),
    "a failed backup": (
        lambda house: house.task("backup.json", ok=False, why="no space"),
        lambda house: house.task("backup.json"),
        "The backup failed",
    ),
    "an old backup": (
        lambda house: house.task("backup.json", finished=house.now - 2 * DAY),
        lambda house: house.task("backup.json"),
        "The last backup is 48 hours old",
    ),
    "a backup that cannot be restored": (
        lambda house: house.task("backup.json", verified=False),
        lambda house: house.task("backup.json"),
        "could not be restored in a trial",
    ),
    "no backup": (
        lambda house: (house.state / "backup.json").unlink(),
        lambda house: house.task("backup.json"),
        "There was no backup yet.",
    ),
    "a failed update": (
        lambda house: house.task("update.json", ok=False),
        lambda house: house.task("update.json"),
        "The nightly update failed",
    ),
    "a state that cannot be read": (
        lambda house: (house.state / "update.json").write_text("{") and None,
        lambda house: house.task("update.json"),
        "The check update could not be made.",
    ),
    "old signatures": (signatures("Sun Nov  1 10:00:00 2026"), fresh_signatures, "The virus signatures are "),
    "no signatures": (
        says("clamdscan", "ClamAV 1.4.3\n"),
        fresh_signatures,
        "ClamAV has no virus signatures",
    ),
    "the relay's limit": (
        setting(log=SENT * 85),
        setting(log=SENT * 3),
        "85 of 100 mails of SendGrid's plan",
    ),
    "the canary": (
        lambda house: house.flight(broken="scanner", why="451 4.7.1 later"),
        lambda house: house.flight(),
        "The test mail did not get through: scanner",
    ),
    "a canary that has stopped": (
        lambda house: house.flight(at=house.now - 2 * HOUR),
        lambda house: house.flight(),
        "The last test mail was sent 12",
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_an_alarm_is_told_once_and_its_end_once(house: WatchedHouse, what: str) -> None:
    breaks, mends, sentence = CASES[what]
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

    house.now += DAY
    for name in ("backup.json", "update.json"):
        house.task(name)
    house.flight()
    [reminder] = house.rounds(2)

    assert "STILL:" in reminder


def test_a_container_that_starts_again_and_again_is_told(house: WatchedHouse) -> None:
    house.rounds(1)
    house.table["restarts"]["rspamd"] = 4

    [alarm] = house.rounds(3)

    assert "rspamd was started anew 4 times within a day." in alarm


def test_a_real_queue_that_does_not_move_is_told_with_its_reason(house: WatchedHouse) -> None:
    port = free_port()
    environ = {
        "RELAY_HOST": f"[127.0.0.1]:{port}",
        "RELAY_PASSWORD": "x",
        "DB_HOST": "127.0.0.1",
        "DB_PASSWORD": "x",
    }
    pair = {
        "TLS_CERT_FILE": str(house.data / "tls/cert.pem"),
        "TLS_KEY_FILE": str(house.data / "tls/key.pem"),
    }
    more = {
        "SASL_SERVICE": "inet:127.0.0.1:9",
        "LOCAL_LMTP": "inet:127.0.0.1:9",
        "RSPAMD_MILTER": "inet:127.0.0.1:9",
    }
    nobody = ["virtual_mailbox_domains=", "virtual_mailbox_maps=", "smtpd_milters="]
    with Postfix({**environ, **pair, **more}, nobody) as postfix:
        house.table["enter"]["postfix"] = ["env", f"MAIL_CONFIG={postfix.etc}"]
        assert house.rounds(2) == []
        # The notices go by mail as well, which is what cannot leave.
        house.settings["ALERT_MAIL_TO"] = "owner@elsewhere.example"
        house.write()
        done = CliRunner().invoke(
            group, ["admin", "alert", "test", "--json"], env={"LC_ALL": "C.UTF-8", **house.environ}
        )
        assert done.exit_code == 0, done.output
        wait_until(lambda: "refused" in postfix.reasons(), seconds=30, what="the mail was tried")
        house.settings["ALERT_MAIL_TO"] = ""
        house.now += 5 * HOUR
        house.task("backup.json")
        house.flight()

        [alarm] = house.rounds(3)
        assert "1 mails wait to be sent, the oldest for 30" in alarm
        assert "owner@elsewhere.example" in alarm
        assert "refused" in alarm

        subprocess.run(["postsuper", "-c", str(postfix.etc), "-d", "ALL"], check=True, capture_output=True)
        [recovery] = house.rounds(4)
        assert "WELL AGAIN: 0 mails wait to be sent." in recovery


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


def test_mail_that_never_came_again_is_listed(house: WatchedHouse) -> None:
    lines = [attempt(START), stored(START + 600, message="other")]
    house.clock = waiting(lambda: iter(lines), now=START + 6 * DAY)

    [alarm] = house.rounds(1)

    assert "1 mails did not come again within five days" in alarm
    assert "a@shop.example" in alarm


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
    house.table["hang"] = 3

    house.rounds(1, language=Language.JA)

    assert {"probe-containers", "probe-queue"} <= set(house.ill())
    assert "tailnet" not in house.ill()


def test_a_disk_that_fills_is_forecast() -> None:
    samples = [(day * DAY, "free-/d", 100e9 - day * 2e9) for day in range(10)]

    assert days_until_full(samples, "free-/d", 80e9) == pytest.approx(40)
    assert days_until_full(samples[:2], "free-/d", 80e9) is None
    assert days_until_full([(at, name, 5e9) for at, name, _ in samples], "free-/d", 5e9) is None
