"""What the check finds wrong is mended at Cloudflare after a yes, and the check itself changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mxgw.admin.words import Language, Words
from mxgw.watch.canary_record import key_record
from tests.admin.admin_house import Told, admin
from tests.admin.person import Person
from tests.cli.support import PROGRAM, environment
from tests.cloud.fake_api import ADMIN_KEY, TOKEN, FakeCloudflare, FakeSendGrid
from tests.cloud.pebble import ZoneThread
from tests.rig.process import find_program

DOMAIN = "example.jp"
KEY = key_record(
    "postmaster@example.jp",
    "s1",
    rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ),
).content
MX = "mx.example.jp"
LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])


@pytest.fixture
def dns() -> Iterator[ZoneThread]:
    with ZoneThread() as running:
        yield running


@pytest.fixture
def zone(dns: ZoneThread) -> Iterator[FakeCloudflare]:
    """What is written there is in DNS at once; at first it is a domain at another provider."""
    with FakeCloudflare(DOMAIN) as running:
        dns.shows(running)
        running.put("A", MX, "203.0.114.1", proxied=True)
        running.put("TXT", DOMAIN, "v=spf1 -all")
        yield running


@pytest.fixture
def settings(dns: ZoneThread, zone: FakeCloudflare) -> Iterator[dict[str, str]]:
    with FakeSendGrid() as sendgrid:
        sendgrid.resolves = lambda host, content: zone.contents(host, "CNAME") == [content]
        for selector in ("s1", "s2"):
            dns.zone.put(f"{selector}.domainkey.u1.wl1.sendgrid.net", {"TXT": [KEY]})
        yield {
            "MXGW_DNS": dns.address,
            "CLOUDFLARE_API_TOKEN": TOKEN,
            "CLOUDFLARE_API_URL": zone.base,
            "SENDGRID_ADMIN_KEY": ADMIN_KEY,
            "SENDGRID_API_URL": sendgrid.base,
            "MXGW_ADMIN_MX_ADDRESSES": "203.0.114.1",
        }


def check(settings: dict[str, str], *arguments: str, lang: str = "en") -> Told:
    return admin("domain", "check", DOMAIN, *arguments, settings=settings, lang=lang)


def test_a_check_alone_changes_nothing(settings: dict[str, str], zone: FakeCloudflare) -> None:
    told = check(settings)

    assert told.code == 1
    assert zone.requests == []
    assert "repair" not in told.facts


@LANGUAGES
def test_a_repair_says_what_it_does_and_does_it(
    settings: dict[str, str], zone: FakeCloudflare, lang: str
) -> None:
    asked = check(settings, "--repair", lang=lang)
    assert zone.asked("POST") == []
    assert any("--yes" in text for text in asked.facts["left"])

    told = check(settings, "--repair", "--yes", lang=lang)

    assert {it["level"] for it in told.facts["findings"]} >= {"failed"}, "as it was"
    assert [it for it in told.facts["after"] if it["level"] == "failed"] == [], "as it is now"
    assert (told.code, told.facts["ok"]) == (0, True)
    assert told.facts["repair"]["cloudflare"]["state"] == "done"
    assert told.facts["repair"]["validation"]["valid"] is True
    assert zone.contents(DOMAIN, "MX") == [MX]
    assert zone.contents(DOMAIN, "TXT") == ['"v=spf1 include:sendgrid.net -all"']
    assert [it["proxied"] for it in zone.records.values() if it["name"] == MX] == [False]
    again = check(settings, "--repair", "--yes", lang=lang)
    assert (again.code, "repair" in again.facts) == (0, True), "MTA-STS is left, which needs a Worker first"
    assert again.facts["repair"]["cloudflare"]["state"] == "there"


@LANGUAGES
def test_without_a_token_there_is_nothing_to_repair_with(settings: dict[str, str], lang: str) -> None:
    told = check({**settings, "CLOUDFLARE_API_TOKEN": ""}, "--repair", lang=lang)

    assert (told.code, told.facts["error"]) == (2, "repair-needs-token")


@LANGUAGES
def test_a_person_is_asked(settings: dict[str, str], zone: FakeCloudflare, lang: str) -> None:
    words = Words(Language(lang))
    environ = environment({**settings, "LANG": f"{lang}_XX.UTF-8", "LC_ALL": "", "TERM": "xterm"})
    setsid = find_program("setsid", package="util-linux")
    command = [setsid, "--ctty", "--wait", PROGRAM, "admin", "domain", "check", DOMAIN]

    with Person(command, environ) as someone:
        someone.sees(words("check-repair", domain=DOMAIN))
        assert someone.ends() == 1
    with Person([*command, "--repair"], environ) as someone:
        someone.sees(words("plan-proxied"))
        someone.sees(words("ask-write-records", count=len(zone.records) + 6))
        someone.types("n")
        assert someone.ends() == 1

    assert zone.asked("POST") == zone.asked("PATCH") == []
