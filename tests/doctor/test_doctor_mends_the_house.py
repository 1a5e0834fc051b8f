"""What is broken in a house of real programs is found, offered to be mended, and mended after a yes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mxgw.admin.words import Language
from mxgw.doctor.words import DoctorWords
from tests.admin.person import Person
from tests.cli.support import PROGRAM, Ended, environment, mxgw
from tests.cloud.fake_api import TOKEN, FakeCloudflare
from tests.cloud.pebble import ZoneThread
from tests.rig.process import find_program, wait_until
from tests.watch.real_house import RealHouse
from tests.watch.watched_house import certificate

LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])
YES = {"en": "y", "ja": "はい"}


@pytest.fixture(scope="module")
def running() -> Iterator[RealHouse]:
    with RealHouse() as house:
        (house.state / "watch.json").write_text(
            json.dumps(
                {"known": {}, "findings": [], "pending": [], "failed": {}, "samples": [], "at": time.time()}
            )
        )
        yield house


@pytest.fixture
def house(running: RealHouse) -> Iterator[RealHouse]:
    running.well()
    yield running
    # Whatever a test left broken is not the next one's affair.
    for name in ("mariadb", "redis", "dovecot", "clamav", "postfix"):
        if not running.host.cells[name].child.running:
            running.host.cells[name].start()


def settings(house: RealHouse, lang: str) -> dict[str, str]:
    path = f"{house.docker.program.parent}:{os.environ.get('PATH', '')}"
    given = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": f"{lang}_XX.UTF-8", "TERM": "xterm-256color"}
    return {**house.environ, **given, "PATH": path, "MXGW_ADMIN_MX": "", "MXGW_DOMAINS": ""}


def doctor(house: RealHouse, *arguments: str, lang: str = "en") -> Ended:
    """As a program calls it."""
    return mxgw("doctor", *arguments, settings=settings(house, lang), start=[*house.host.into(), PROGRAM])


def at_terminal(house: RealHouse, *arguments: str, lang: str) -> Person:
    setsid = find_program("setsid", package="util-linux")
    command = [*house.host.into(), setsid, "--ctty", "--wait", PROGRAM, "doctor", *arguments]
    return Person(command, environment(settings(house, lang)))


def levels(ended: Ended, *, of: str = "checks") -> dict[str, str]:
    return {one["check"]: one["level"] for one in json.loads(ended.out)[of]}


def test_a_house_that_is_well_is_called_well_and_asks_nothing(house: RealHouse) -> None:
    ended = doctor(house, "--house")

    told = json.loads(ended.out)
    assert [one for one in told["checks"] if one["level"] != "ok"] == []
    assert (ended.code, ended.err) == (0, "")
    assert (told["ok"], told["repairs"], told["domains"]) == (True, [], [])
    assert {one["subject"] for one in told["checks"]} == {"house"}
    assert all(one["message"] for one in told["checks"])
    assert {"container-dovecot", "queue", "tailnet", "backup", "clamav-database", "watch"} <= set(
        levels(ended)
    )


@LANGUAGES
def test_a_killed_container_is_found_and_started_after_a_yes(house: RealHouse, lang: str) -> None:
    words = DoctorWords(Language(lang))
    house.host.cells["redis"].child.kill()

    with at_terminal(house, "--house", lang=lang) as someone:
        someone.sees(words("house-title"))
        someone.sees(words("house-containers-well", count=8, names="home, dovecot").rstrip(".。"))
        someone.sees("container-redis")
        someone.sees(words("watch-container-down", name="redis", state="exited"))
        someone.sees(words("doctor-failed", failed=1, warnings=0))
        someone.sees(words("ask-repair-start", name="redis"))
        someone.types("maybe")
        someone.sees(words("answer-yes-or-no"))
        someone.sees(words("ask-repair-start", name="redis"))
        someone.types(YES[lang])
        someone.sees(words("repair-healthy", name="redis"))
        someone.sees(words("doctor-after"))
        someone.sees(words("watch-container-well", name="redis"))
        someone.sees(words("doctor-good"))
        assert someone.ends() == 0

    assert house.site.stack.states()["redis"].health == "healthy"


@LANGUAGES
@pytest.mark.parametrize("answer", ["n", ""])
def test_a_no_leaves_everything_as_it_is(house: RealHouse, lang: str, answer: str) -> None:
    words = DoctorWords(Language(lang))
    house.host.cells["redis"].child.kill()

    with at_terminal(house, "--house", lang=lang) as someone:
        someone.sees(words("ask-repair-start", name="redis"))
        someone.types(answer)
        assert someone.ends() == 1
        assert words("doctor-after") not in someone.screen

    assert not house.host.cells["redis"].child.running


def test_whoever_answers_nonsense_changes_nothing(house: RealHouse) -> None:
    words = DoctorWords(Language.EN)
    house.host.cells["redis"].child.kill()

    with at_terminal(house, "--house", lang="en") as someone:
        for _ in range(5):
            someone.sees(words("ask-repair-start", name="redis"))
            someone.types("what?")
        someone.sees(words("too-many-tries"))
        assert someone.ends() == 2

    assert not house.host.cells["redis"].child.running


def test_a_program_is_told_what_could_be_done_and_does_it_only_when_it_says_so(house: RealHouse) -> None:
    house.host.cells["dovecot"].run(["doveadm", "service", "stop", "lmtp"])

    looked = doctor(house, "--house")
    refused = doctor(house, "--house", "--repair")
    [offer] = json.loads(looked.out)["repairs"]
    assert not house.host.healthy("dovecot")
    ended = doctor(house, "--house", "--repair", "--yes")

    assert (looked.code, refused.code, ended.code) == (1, 2, 0)
    assert json.loads(refused.out)["error"] == "doctor-repair-needs-yes"
    assert (offer["repair"], offer["service"], offer["state"]) == ("restart", "dovecot", "offered")
    assert offer["checks"] == ["container-dovecot"]
    told = json.loads(ended.out)
    [done] = told["repairs"]
    assert (done["repair"], done["service"], done["state"]) == ("restart", "dovecot", "done")
    assert levels(ended)["container-dovecot"] == "failed"
    assert levels(ended, of="after") == {"container-dovecot": "ok"}
    assert told["ok"] is True
    assert house.host.healthy("dovecot")


def test_a_stack_that_is_down_is_started_as_a_whole(house: RealHouse) -> None:
    words = DoctorWords(Language.EN)
    house.site.stack.compose("stop")
    house.docker.stopped = set(house.docker.elsewhere)

    with at_terminal(house, "--house", lang="en") as someone:
        someone.sees(words("ask-repair-up-all"))
        someone.types("y")
        someone.sees(words("repair-all-healthy"))
        someone.sees(words("doctor-good"))
        assert someone.ends() == 0

    assert house.host.healthy("dovecot")


def test_a_container_that_does_not_stay_up_is_told_with_its_last_words(house: RealHouse) -> None:
    house.host.cells["redis"].child.kill()
    # Its port is taken: it says so, and ends.
    nobody = find_program("redis-server", package="redis-server")
    other = house.host.cells["redis"].child.command
    house.host.cells["redis"].child.command = [*house.host.into(), nobody, "--port", "nonsense"]
    try:
        ended = doctor(house, "--house", "--repair", "--yes")
    finally:
        house.host.cells["redis"].child.command = other

    assert ended.code == 1
    [tried] = json.loads(ended.out)["repairs"]
    assert (tried["repair"], tried["state"]) == ("start", "failed")
    assert "nonsense" in " ".join(tried["evidence"])
    assert levels(ended, of="after") == {"container-redis": "failed"}


def test_mail_that_waits_is_sent_where_the_relay_answers_and_not_offered_where_it_does_not(
    house: RealHouse,
) -> None:
    house.relay.close()
    try:
        house.send()
        wait_until(lambda: "refused" in house.queue(), seconds=30, what="the mail was tried")
        age_queue(house)
        away = doctor(house, "--house")
    finally:
        house.open_relay()
    ended = doctor(house, "--house", "--repair", "--yes")

    assert levels(away)["queue"] == "warning"
    assert json.loads(away.out)["repairs"] == []
    [flushed] = json.loads(ended.out)["repairs"]
    assert (flushed["repair"], flushed["state"]) == ("flush", "done")
    assert levels(ended, of="after") == {"queue": "ok"}
    assert house.queue() == ""


def age_queue(house: RealHouse) -> None:
    """What waits has waited for an hour: Postfix goes by the times that it keeps in the file."""
    [queued] = [path for path in (house.host.data / "postfix" / "deferred").rglob("*") if path.is_file()]
    text = queued.read_bytes()
    arrived = json.loads(house.queue())["arrival_time"]
    assert str(arrived).encode() in text
    queued.write_bytes(text.replace(str(arrived).encode(), str(arrived - 3_600).encode()))


def test_a_backup_that_is_due_is_made_and_proven(house: RealHouse) -> None:
    house.task("backup.json", hours=50)

    ended = doctor(house, "--house", "--repair", "--yes")

    assert ended.code == 0
    [made] = json.loads(ended.out)["repairs"]
    assert (made["repair"], made["state"]) == ("backup", "done")
    assert levels(ended)["backup"] == "warning"
    assert levels(ended, of="after") == {"backup": "ok"}
    assert [path for path in (house.disk / "mailserver").glob("20*") if path.is_dir()]


def test_a_certificate_that_ends_is_renewed_and_taken_up(house: RealHouse) -> None:
    certificate(house.tls, days=5)
    for reload in (["dovecot", "doveadm", "reload"], ["postfix", "postfix", "reload"]):
        house.site.stack.run(reload[0], reload[1:])
    pair = house.offer_certificate()

    ended = doctor(house, "--house", "--repair", "--yes")

    [renewed] = json.loads(ended.out)["repairs"]
    assert (renewed["repair"], renewed["state"]) == ("renew", "done"), (
        renewed["message"],
        renewed["evidence"],
    )
    assert set(levels(ended, of="after").values()) == {"ok"}
    assert (house.tls / "cert.pem").read_bytes() == pair.certificate.read_bytes()


def test_the_watch_hears_nothing_of_it(house: RealHouse) -> None:
    before = (house.state / "watch.json").read_bytes()
    house.host.cells["redis"].child.kill()
    sent = len(house.notices.taken)

    for _ in range(3):
        doctor(house, "--house")

    assert (house.state / "watch.json").read_bytes() == before
    assert len(house.notices.taken) == sent


def test_a_watch_that_does_not_run_is_told(house: RealHouse) -> None:
    path = house.state / "watch.json"
    kept = path.read_text()
    try:
        path.write_text(json.dumps({**json.loads(kept), "at": time.time() - 3_600}))
        old = doctor(house, "--house")
        path.unlink()
        never = doctor(house, "--house", lang="ja")
    finally:
        path.write_text(kept)

    [told] = [one for one in json.loads(old.out)["checks"] if one["check"] == "watch"]
    assert (told["level"], told["finding"]) == ("warning", "house-watch-old")
    assert "60 minutes" in told["message"]
    assert "mxgw-watch.timer" in told["mend"]
    assert "見張りがまだ一度も" in never.out
    assert old.code == never.code == 0


def test_alone_it_looks_at_the_house_its_edge_and_its_domains(house: RealHouse) -> None:
    house.sql("INSERT IGNORE INTO domains (name) VALUES (?)", "second.example")

    ended = doctor(house, "--dns", "127.0.0.1:1", "--authority", "127.0.0.1:1", "--timeout", "0.2")

    told = json.loads(ended.out)
    assert told["domains"] == ["example.jp", "second.example"]
    assert {one["subject"] for one in told["checks"]} == {
        *("house", "mx.example.jp", "example.jp", "second.example"),
    }


def test_an_edge_that_cannot_be_reached_from_a_home_line_is_no_alarm_unless_it_was_asked_for(
    house: RealHouse,
) -> None:
    # No way leads there: what a line says whose provider blocks port 25.
    edge, ask = "192.0.2.1", ("--dns", "127.0.0.1:1", "--timeout", "0.2")
    path = {**settings(house, "en"), "MXGW_ADMIN_MX": edge, "MXGW_DOMAINS": "example.jp"}
    start = [*house.host.into(), PROGRAM]

    at_home = mxgw("doctor", *ask, "--authority", "127.0.0.1:1", settings=path, start=start)
    asked_for = mxgw("doctor", "--edge", edge, *ask, settings=path, start=start)

    assert levels(at_home)["port"] == "warning"
    assert levels(asked_for)["port"] == "failed"
    assert "container-dovecot" not in levels(asked_for)


def test_a_port_with_the_old_certificate_is_told_to_read_the_new_one(house: RealHouse) -> None:
    certificate(house.tls, days=90)

    ended = doctor(house, "--house", "--repair", "--yes")

    assert ended.code == 0
    done = {one["service"]: one["state"] for one in json.loads(ended.out)["repairs"]}
    assert done == {"dovecot": "done", "postfix": "done"}
    assert set(levels(ended, of="after").values()) == {"ok"}


@LANGUAGES
def test_records_are_mended_at_cloudflare_after_a_yes(house: RealHouse, lang: str) -> None:
    words = DoctorWords(Language(lang))
    with house.host.inside():
        dns, zone = ZoneThread(), FakeCloudflare("example.jp")
        dns.start()
    ask = ("--dns", dns.address, "--authority", dns.address, "--timeout", "0.5", "--domain", "example.jp")
    house.settings |= {"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_API_URL": zone.base}
    house.write()
    try:
        with zone:
            dns.shows(zone)
            zone.put("TXT", "example.jp", "v=spf1 -all")
            looked = doctor(house, *ask)
            with at_terminal(house, *ask, lang=lang) as someone:
                someone.sees(words("ask-repair-dns", domain="example.jp"))
                someone.types("n")
                assert someone.ends() == 1
            asked = list(zone.requests)
            with at_terminal(house, *ask, lang=lang) as someone:
                someone.sees(words("ask-repair-dns", domain="example.jp"))
                someone.types(YES[lang])
                someone.sees("v=spf1 include:sendgrid.net -all")
                someone.types("y")
                someone.sees(words("doctor-after"))
                assert someone.ends() == 1, "MX and DKIM are not in the zone that the test shows"
    finally:
        dns.close()
        for name in ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_URL"):
            del house.settings[name]
        house.write()

    [offer] = json.loads(looked.out)["repairs"]
    assert (offer["repair"], offer["service"], offer["state"]) == ("dns", "example.jp", "offered")
    assert levels(looked)["SPF"] == "failed"
    assert asked == []
    assert zone.contents("example.jp", "TXT") == ['"v=spf1 include:sendgrid.net -all"']


def test_what_the_others_needed_is_started_first_and_may_be_all_that_they_needed(house: RealHouse) -> None:
    house.site.stack.compose("stop", "mariadb", "dovecot")

    ended = doctor(house, "--house", "--repair", "--yes")

    assert ended.code == 0
    done = [(one["repair"], one["service"], one["state"]) for one in json.loads(ended.out)["repairs"]]
    assert done == [("start", "mariadb", "done"), ("start", "dovecot", "done")]


def test_whoever_goes_away_in_the_middle_sees_what_was_done(house: RealHouse) -> None:
    words = DoctorWords(Language.EN)
    house.site.stack.compose("stop", "redis", "clamav")

    with at_terminal(house, "--house", lang="en") as someone:
        someone.sees(words("ask-repair-start", name="redis"))
        someone.types("y")
        someone.sees(words("ask-repair-start", name="clamav"))
        someone.presses(b"\x03", until=words("doctor-after"))
        someone.sees(words("doctor-failed", failed=1, warnings=1))
        assert someone.ends() == 1

    assert house.host.healthy("redis")
    assert not house.host.cells["clamav"].child.running


def test_settings_that_cannot_be_read_come_back_from_a_backup(house: RealHouse, tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    elsewhere = {**settings(house, "en"), "MXGW_STACK": str(tmp_path)}
    silent = ("--dns", "127.0.0.1:1", "--authority", "127.0.0.1:1", "--timeout", "0.2")

    alone = mxgw("doctor", settings=elsewhere)
    domain = mxgw("doctor", "--domain", "example.jp", *silent, settings=elsewhere)

    assert (alone.code, json.loads(alone.out)["error"]) == (2, "env-file-unreadable")
    assert "mxgw admin restore --configuration only" in alone.err
    assert {one["subject"] for one in json.loads(domain.out)["checks"]} == {"example.jp"}
