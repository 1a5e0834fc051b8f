"""The record of the canary's key: told where it is missing or another's, written to Cloudflare on a yes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mxgw.admin.cloud.cloudflare import Held, quoted
from mxgw.admin.cloud.record_plan import Step
from mxgw.admin.words import Language, Words
from mxgw.cli import group
from mxgw.resolver.answers import Answer, Status
from mxgw.watch.canary_record import KeyRecord, Standing, key_record, planned, standing
from tests.admin.person import Person
from tests.cli.support import PROGRAM, environment
from tests.cloud.fake_api import TOKEN, FakeCloudflare
from tests.cloud.pebble import ZoneThread
from tests.rig.process import find_program
from tests.watch.kinds import shows
from tests.watch.watched_house import WatchedHouse

NAME = "canary._domainkey.example.jp"
LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])
OTHER = "v=DKIM1; k=rsa; p=AAAA"


@pytest.fixture(scope="module")
def key() -> bytes:
    return rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture(scope="module")
def record(key: bytes) -> KeyRecord:
    return key_record("canary@example.jp", "canary", key)


@pytest.fixture
def dns() -> Iterator[ZoneThread]:
    with ZoneThread() as running:
        yield running


@pytest.fixture
def zone(dns: ZoneThread) -> Iterator[FakeCloudflare]:
    """What is written there is in DNS at once."""
    with FakeCloudflare("example.jp") as running:
        running.on_change = lambda: dns.zone.put(
            NAME, {"TXT": [re.findall(r'"([^"]*)"', text) for text in running.contents(NAME, "TXT")]}
        )
        yield running


@pytest.fixture
def house(
    tmp_path: Path, key: bytes, dns: ZoneThread, request: pytest.FixtureRequest
) -> Iterator[WatchedHouse]:
    made = WatchedHouse(tmp_path)
    (tmp_path / "canary.key").write_bytes(key)
    made.settings |= {
        "CANARY_WAY": "direct",
        "CANARY_FROM": "canary@example.jp",
        "CANARY_DKIM_KEY": str(tmp_path / "canary.key"),
        "MXGW_DNS": dns.address,
    }
    made.write()
    try:
        yield made
        # What a test says that it shows (``shows``), it has shown.
        assert set(getattr(request.function, "shown", ())) <= made.proven
    finally:
        made.close()


@pytest.fixture
def writer(house: WatchedHouse, zone: FakeCloudflare) -> WatchedHouse:
    """A house with a token."""
    house.settings |= {"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_API_URL": zone.base}
    house.write()
    return house


def call(house: WatchedHouse, *words: str, lang: str = "en") -> tuple[int, Any]:
    done = CliRunner().invoke(
        group, [*words, "--lang", lang, "--json"], env={"LC_ALL": "C.UTF-8", **house.environ}
    )
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, json.loads(done.stdout)


# -- told ---------------------------------------------------------------------------------------------------


@shows("watch-canary-record-missing", "watch-canary-record-other")
def test_a_record_that_is_missing_or_anothers_is_told_once_and_so_is_its_end(
    house: WatchedHouse, dns: ZoneThread, record: KeyRecord
) -> None:
    dns.zone.put(NAME, {"TXT": [[record.content[:200], record.content[200:]]]})
    assert house.rounds(1) == []
    assert house.ill() == []

    for texts, sentence in (([], "DNS has no record of the canary's key"), ([OTHER], "DNS has another key")):
        dns.zone.put(NAME, {"TXT": texts})
        [alarm] = house.rounds(3)
        assert f"TROUBLE: {sentence}" in alarm
        assert NAME in alarm
        assert "mxgw admin canary --record" in alarm

        dns.zone.put(NAME, {"TXT": [[record.content[:200], record.content[200:]]]})
        [end] = house.rounds(4)
        assert "WELL AGAIN:" in end


def test_mail_that_is_lost_is_told_as_that_whatever_the_record_is(house: WatchedHouse) -> None:
    house.flight(broken="dovecot", why="taken by the edge, but not in the mailbox after 30 s")

    [alarm] = house.rounds(3)

    assert "The test mail did not get through: dovecot is broken." in alarm


def test_a_flight_that_was_not_proven_for_its_record_is_no_lost_mail(
    house: WatchedHouse, dns: ZoneThread
) -> None:
    house.flight(broken="dkim-record", why="dkim=fail", record="missing")
    dns.zone.failing.add(NAME)

    [alarm] = house.rounds(3)

    assert "DNS has no record of the canary's key" in alarm
    assert "Other mail is not affected." in alarm


def test_it_is_well_as_soon_as_the_record_is_there_again(
    house: WatchedHouse, dns: ZoneThread, record: KeyRecord
) -> None:
    dns.zone.put(NAME, {"TXT": [[record.content[:200], record.content[200:]]]})
    house.flight(broken="dkim-record", why="dkim=fail", record="missing")

    assert house.rounds(3) == []
    assert house.ill() == []


def test_dns_that_cannot_tell_is_no_missing_record(house: WatchedHouse, dns: ZoneThread) -> None:
    dns.zone.failing.add(NAME)

    assert house.rounds(3) == []
    assert house.ill() == []


@shows("watch-canary-key")
def test_a_key_that_is_gone_is_told(
    house: WatchedHouse, dns: ZoneThread, key: bytes, record: KeyRecord
) -> None:
    dns.zone.put(NAME, {"TXT": [[record.content[:200], record.content[200:]]]})
    (house.directory / "canary.key").unlink()

    [alarm] = house.rounds(3)

    assert "the key in CANARY_DKIM_KEY cannot be used" in alarm
    assert "openssl genrsa" in alarm

    (house.directory / "canary.key").write_bytes(key)
    [end] = house.rounds(4)
    assert "WELL AGAIN:" in end


# -- shown and written --------------------------------------------------------------------------------------


@LANGUAGES
def test_without_a_token_it_is_shown_and_looked_for(
    house: WatchedHouse, dns: ZoneThread, record: KeyRecord, lang: str
) -> None:
    code, told = call(house, "admin", "canary", "--record", lang=lang)

    assert code == 1
    assert told == {"type": "TXT", "name": NAME, "content": record.content, "standing": "missing"}

    dns.zone.put(NAME, {"TXT": [[record.content[:200], record.content[200:]]]})
    code, told = call(house, "admin", "canary", "--record", lang=lang)
    assert (code, told["standing"]) == (0, "published")


@LANGUAGES
def test_with_a_token_it_is_written_after_a_yes(
    writer: WatchedHouse, zone: FakeCloudflare, record: KeyRecord, lang: str
) -> None:
    code, told = call(writer, "admin", "canary", "--record", lang=lang)
    assert (code, told["standing"], zone.records) == (1, "missing", {})
    assert "mxgw admin canary --record --yes" in told["left"][0]

    code, told = call(writer, "admin", "canary", "--record", "--yes", lang=lang)
    assert (code, told["standing"], told["cloudflare"]["state"]) == (0, "published", "done")
    assert zone.contents(NAME, "TXT") == [quoted(record.content)]

    code, told = call(writer, "admin", "canary", "--record", "--yes", lang=lang)
    assert (code, told["standing"], len(zone.asked("POST"))) == (0, "published", 1)


def test_our_own_key_of_yesterday_is_replaced_and_anothers_only_when_asked_for(
    writer: WatchedHouse, zone: FakeCloudflare, record: KeyRecord
) -> None:
    zone.put("TXT", NAME, f'"{OTHER}"', comment="mxgw")

    code, told = call(writer, "admin", "canary", "--record", "--yes")

    assert (code, told["standing"]) == (0, "published")
    assert zone.contents(NAME, "TXT") == [quoted(record.content)]

    stranger = zone.put("TXT", NAME, f'"{OTHER}"')
    code, told = call(writer, "admin", "canary", "--record", "--yes")
    assert (code, told["standing"], stranger in zone.records) == (1, "other", True)
    assert "mxgw admin canary --record --yes --replace" in told["left"][0]

    code, told = call(writer, "admin", "canary", "--record", "--yes", "--replace")
    assert (code, told["standing"]) == (0, "published")
    assert zone.contents(NAME, "TXT") == [quoted(record.content)]


@LANGUAGES
def test_a_person_is_shown_it_and_asked(writer: WatchedHouse, zone: FakeCloudflare, lang: str) -> None:
    words = Words(Language(lang))
    environ = environment({**writer.environ, "LANG": f"{lang}_XX.UTF-8", "LC_ALL": "", "TERM": "xterm"})
    setsid = find_program("setsid", package="util-linux")

    with Person([setsid, "--ctty", "--wait", PROGRAM, "admin", "canary", "--record"], environ) as someone:
        someone.sees(words("canary-record-missing", name=NAME))
        someone.sees(words("ask-write-records", count=1))
        assert zone.records == {}
        someone.types("y")
        someone.sees(words("canary-record-there", name=NAME))
        assert someone.ends() == 0


def test_a_person_sees_what_the_doctor_would_change_before_it_does(
    writer: WatchedHouse, zone: FakeCloudflare
) -> None:
    environ = environment({**writer.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm"})
    setsid = find_program("setsid", package="util-linux")

    with Person([setsid, "--ctty", "--wait", PROGRAM, "doctor", "--house"], environ) as someone:
        someone.sees("Look at the record of the canary's key at Cloudflare")
        someone.types("y")
        someone.sees(f"+ TXT {NAME}")
        someone.sees("Write these 1 records")
        assert zone.records == {}
        someone.types("y")
        assert someone.ends() == 0

    assert len(zone.records) == 1


@LANGUAGES
def test_a_key_that_is_none_is_refused_with_what_to_do(house: WatchedHouse, lang: str) -> None:
    (house.directory / "canary.key").write_text("not a key")

    code, told = call(house, "admin", "canary", "--record", lang=lang)

    assert (code, told["error"]) == (2, "canary-no-key")
    assert "openssl genrsa" in told["message"]


@LANGUAGES
@pytest.mark.parametrize(
    ("words", "settings", "error"),
    [
        (("--yes",), {}, "canary-yes-alone"),
        (("--record",), {"CANARY_FROM": "", "POSTMASTER_ADDRESS": ""}, "canary-no-sender"),
        (("--record",), {"MXGW_DNS": "dns.example"}, "bad-dns-server"),
        ((), {"CANARY_WAY": "pigeon"}, "canary-bad-way"),
        ((), {"CANARY_TO": ""}, "canary-not-set"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    house: WatchedHouse, lang: str, words: tuple[str, ...], settings: dict[str, str], error: str
) -> None:
    house.settings |= settings
    house.write()

    code, told = call(house, "admin", "canary", *words, lang=lang)

    assert (code, told["error"]) == (2, error)


def test_the_doctor_mends_it_after_a_yes(
    writer: WatchedHouse, zone: FakeCloudflare, record: KeyRecord
) -> None:
    code, told = call(writer, "doctor", "--house")
    [offer] = told["repairs"]
    assert (offer["repair"], offer["checks"], offer["state"]) == ("canary-record", ["canary"], "offered")

    code, told = call(writer, "doctor", "--house", "--repair", "--yes")

    assert [(one["repair"], one["state"]) for one in told["repairs"]] == [("canary-record", "done")]
    assert zone.contents(NAME, "TXT") == [quoted(record.content)]
    assert {one["check"]: one["level"] for one in told["after"]}["canary"] == "ok"
    assert code == 0


# -- decided ------------------------------------------------------------------------------------------------


def held(content: str, *, kind: str = "TXT", name: str = NAME, ours: bool = False) -> Held:
    return Held(f"{kind}{content}", kind, name, content, ours=ours)


def test_what_has_to_change_as_a_table(record: KeyRecord) -> None:
    right = held(record.content)
    spaced = held(record.content.replace("v=DKIM1; ", "").replace("p=", "p= "))
    table: list[tuple[list[Held], Step, Held | None, tuple[Held, ...]]] = [
        ([], Step.CREATE, None, ()),
        ([held(OTHER, name="s1._domainkey.example.jp")], Step.CREATE, None, ()),
        ([right], Step.KEEP, None, ()),
        ([spaced], Step.KEEP, None, ()),
        ([held(OTHER, ours=True)], Step.CHANGE, held(OTHER, ours=True), ()),
        ([held(OTHER)], Step.REPLACE, held(OTHER), ()),
        ([held(OTHER), right], Step.REPLACE, right, (held(OTHER),)),
        ([held("x.example", kind="CNAME")], Step.REPLACE, None, (held("x.example", kind="CNAME"),)),
    ]
    for there, step, changed, dropped in table:
        [change] = planned(record, there)
        assert (change.step, change.change, change.drop) == (step, changed, dropped), there


def test_what_dns_says_as_a_table(record: KeyRecord) -> None:
    content = record.content.encode()
    for answer, expected in (
        (Answer(Status.FOUND, (content,)), Standing.PUBLISHED),
        (Answer(Status.FOUND, (content.replace(b"; ", b" ;"),)), Standing.PUBLISHED),
        (Answer(Status.FOUND, (OTHER.encode(),)), Standing.OTHER),
        (Answer(Status.FOUND, (b"v=DKIM1; p=",)), Standing.OTHER),
        (Answer(Status.FOUND, (content, OTHER.encode())), Standing.OTHER),
        (Answer(Status.NO_NAME), Standing.MISSING),
        (Answer(Status.NO_DATA), Standing.MISSING),
        (Answer(Status.TEMPORARY), Standing.UNKNOWN),
    ):
        assert standing(record, answer) is expected, answer
