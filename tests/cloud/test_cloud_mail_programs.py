"""The records by which mail programs set themselves up are written and mended at Cloudflare like others."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from mxgw.admin.cloud.cloudflare import Held
from mxgw.admin.cloud.record_plan import Change, Step, plan
from mxgw.admin.dns_records import Exchanger, MailHost, Purpose, wanted_records
from mxgw.admin.words import Language, Words
from tests.admin.admin_house import AdminHouse, Told, admin
from tests.admin.person import Person
from tests.cli.support import PROGRAM, environment
from tests.cloud.fake_api import TOKEN, FakeCloudflare
from tests.cloud.pebble import ZoneThread
from tests.rig.process import find_program

DOMAIN = "example.jp"
HOST, ADDRESS = "mailserver.tail1234.ts.net", "100.64.3.4"
HOME = MailHost(HOST, IPv4Address(ADDRESS))
SERVICE, AUTOCONFIG = f"_autodiscover._tcp.{DOMAIN}", f"autoconfig.{DOMAIN}"
SITE = {"MAIL_HOSTNAME": HOST, "TAILSCALE_IP": ADDRESS}
LINE = f"0 443 {HOST}"
LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])


# -- what has to change -------------------------------------------------------------------------------------


def planned(*there: Held) -> dict[Purpose, Change]:
    edge = Exchanger(f"mx.{DOMAIN}", (IPv4Address("203.0.114.1"),))
    wanted = wanted_records(DOMAIN, edge, reports=f"a@{DOMAIN}", now=0.0, mail_host=HOME)
    changes = plan(DOMAIN, wanted, there)
    return {it.purpose: it for it in changes if it.purpose in {Purpose.OUTLOOK, Purpose.THUNDERBIRD}}


def service(content: str, *, ours: bool = False) -> Held:
    return Held(f"srv {content}", "SRV", SERVICE, content, 0, ours=ours)


def address(content: str, *, ours: bool = False, proxied: bool = False) -> Held:
    return Held(f"a {content}", "A", AUTOCONFIG, content, ours=ours, proxied=proxied)


def test_in_an_empty_zone_both_are_new_and_kept_the_next_time() -> None:
    new = planned()
    again = planned(service(LINE), address(ADDRESS))

    assert {change.step for change in new.values()} == {Step.CREATE}
    assert {change.step for change in again.values()} == {Step.KEEP}
    put = new[Purpose.OUTLOOK].put
    assert (put.kind, put.name, put.preference, put.content) == ("SRV", SERVICE, 0, LINE)


def test_ours_follows_the_machine_to_another_address_and_a_strangers_needs_a_word() -> None:
    ours = planned(service("0 443 old.tail1234.ts.net", ours=True), address("100.64.9.9", ours=True))
    theirs = planned(service("0 443 autodiscover.provider.example"), address("203.0.114.80"))

    assert {change.step for change in ours.values()} == {Step.CHANGE}
    assert {change.step for change in theirs.values()} == {Step.REPLACE}


def test_beside_the_right_one_another_goes_by_a_word_of_its_own() -> None:
    others = (service("0 443 autodiscover.provider.example"), address("203.0.114.80"))

    found = planned(service(LINE), address(ADDRESS), *others)

    assert {change.step for change in found.values()} == {Step.REPLACE}
    assert {one for change in found.values() for one in change.drop} == set(others)


def test_an_alias_gives_way_to_the_address_and_the_proxy_is_switched_off() -> None:
    alias = Held("alias", "CNAME", AUTOCONFIG, HOST)

    led = planned(alias)[Purpose.THUNDERBIRD]
    proxied = planned(address(ADDRESS, proxied=True))[Purpose.THUNDERBIRD]

    assert (led.step, led.why, led.drop) == (Step.REPLACE, "plan-alias-in-the-way", (alias,))
    assert (proxied.step, proxied.why) == (Step.CHANGE, "plan-proxied")


# -- domain check, and its repair ---------------------------------------------------------------------------


@pytest.fixture
def dns() -> Iterator[ZoneThread]:
    with ZoneThread() as running:
        yield running


@pytest.fixture
def zone(dns: ZoneThread) -> Iterator[FakeCloudflare]:
    """Mail works; of mail programs nothing is there. What is written is in DNS at once."""
    with FakeCloudflare(DOMAIN) as running:
        dns.shows(running)
        running.put("A", f"mx.{DOMAIN}", "203.0.114.1")
        running.put("MX", DOMAIN, f"mx.{DOMAIN}", priority=10)
        running.put("TXT", DOMAIN, "v=spf1 include:sendgrid.net ~all")
        running.put("TXT", f"_dmarc.{DOMAIN}", f"v=DMARC1; p=reject; rua=mailto:a@{DOMAIN}")
        running.put("TXT", f"_smtp._tls.{DOMAIN}", f"v=TLSRPTv1; rua=mailto:a@{DOMAIN}")
        running.put("TXT", f"_mta-sts.{DOMAIN}", "v=STSv1; id=1")
        running.put("A", f"mta-sts.{DOMAIN}", "203.0.115.9")
        for selector in ("s1", "s2"):
            key = "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCB"
            running.put("TXT", f"{selector}._domainkey.{DOMAIN}", key)
        yield running


@pytest.fixture
def settings(dns: ZoneThread, zone: FakeCloudflare) -> dict[str, str]:
    return {
        **SITE,
        "MXGW_DNS": dns.address,
        "CLOUDFLARE_API_TOKEN": TOKEN,
        "CLOUDFLARE_API_URL": zone.base,
        "MXGW_ADMIN_MX_ADDRESSES": "203.0.114.1",
    }


def check(settings: dict[str, str], *arguments: str, lang: str = "en") -> Told:
    return admin("domain", "check", DOMAIN, *arguments, settings=settings, lang=lang)


def levels(findings: list[dict[str, str]]) -> dict[str, str]:
    return {it["finding"]: it["level"] for it in findings if it["level"] != "ok"}


def test_what_is_missing_is_advice_and_the_repair_sets_it(
    settings: dict[str, str], zone: FakeCloudflare
) -> None:
    before = check(settings)
    told = check(settings, "--repair", "--yes")

    missing = {"outlook-missing": "warning", "thunderbird-missing": "warning"}
    assert (before.code, levels(before.facts["findings"])) == (0, missing)
    assert told.facts["repair"]["cloudflare"]["written"] == 2
    assert levels(told.facts["after"]) == {}
    assert zone.contents(SERVICE, "SRV") == [LINE]
    (held,) = [it for it in zone.records.values() if it["name"] == SERVICE]
    assert held["data"] == {"priority": 0, "weight": 0, "port": 443, "target": HOST}
    (named,) = [it for it in zone.records.values() if it["name"] == AUTOCONFIG]
    assert (named["content"], named["proxied"]) == (ADDRESS, False)


def test_another_place_of_ours_is_mended_in_place(settings: dict[str, str], zone: FakeCloudflare) -> None:
    check(settings, "--repair", "--yes")
    moved = {**settings, "MAIL_HOSTNAME": "new.tail1234.ts.net", "TAILSCALE_IP": "100.64.3.5"}

    wrong = check(moved)
    mended = check(moved, "--repair", "--yes")

    assert levels(wrong.facts["findings"]) == {
        "outlook-elsewhere": "warning",
        "thunderbird-elsewhere": "warning",
    }
    assert (mended.code, levels(mended.facts["after"])) == (0, {})
    assert zone.contents(SERVICE, "SRV") == ["0 443 new.tail1234.ts.net"]
    assert zone.contents(AUTOCONFIG, "A") == ["100.64.3.5"]


def test_the_second_look_says_which_resolver_still_has_the_old_answer(
    settings: dict[str, str], zone: FakeCloudflare
) -> None:
    with ZoneThread() as remembering:
        remembering.shows(zone)
        zone.on_change()
        truth = ZoneThread()
        with truth:
            truth.shows(zone)
            zone.on_change()
            # From here on the first is a resolver that has looked before the repair.
            told = check(
                {**settings, "MXGW_DNS": truth.address},
                *("--repair", "--yes", "--resolver", remembering.address, "--resolver", truth.address),
            )

    old, current = told.facts["resolvers"]
    assert (told.code, levels(told.facts["after"])) == (0, {})
    assert (old["resolver"], old["state"]) == (remembering.address, "old")
    assert [(it["type"], it["name"], it["seen"]) for it in old["old"]] == [
        ("SRV", SERVICE, []),
        ("A", AUTOCONFIG, []),
    ]
    assert (current["state"], current["old"]) == ("current", [])


@LANGUAGES
def test_a_person_who_repairs_is_told_how_long_to_wait(
    settings: dict[str, str], dns: ZoneThread, zone: FakeCloudflare, lang: str
) -> None:
    words = Words(Language(lang))
    with ZoneThread() as remembering:
        given = {"LANG": f"{lang}_XX.UTF-8", "LC_ALL": "", "TERM": "xterm", "TZ": "JST-9", "COLUMNS": "200"}
        environ = environment({**settings, **given})
        setsid = find_program("setsid", package="util-linux")
        command = [setsid, "--ctty", "--wait", PROGRAM, "admin", "domain", "check", DOMAIN, "--repair"]
        with Person([*command, "--resolver", remembering.address], environ) as someone:
            someone.sees(words("plan-intro", zone=DOMAIN))
            someone.sees(f"SRV {SERVICE} 0 {LINE}")
            someone.sees(words("ask-write-records", count=2))
            someone.types("y")
            someone.sees(words("check-good", domain=DOMAIN))
            someone.sees(words("memory-old"))
            assert someone.ends() == 0
            text = "".join(someone.screen.split())

    assert (
        "".join(words("memory-line-nothing", kind="A", name=AUTOCONFIG, time="", minutes=1)[-30:].split())
        in text
    )
    assert "JST" in text


# -- domain add ---------------------------------------------------------------------------------------------


def test_a_new_domain_gets_them_with_all_others(house: AdminHouse, cloudflare: FakeCloudflare) -> None:
    new = "programs.shop.example"
    cloud = {"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_API_URL": cloudflare.base}

    told = house.admin("domain", "add", new, "--yes", settings={**SITE, **cloud})
    again = house.admin("domain", "add", new, "--yes", settings={**SITE, **cloud})
    gone = house.admin("domain", "remove", new, "--yes", settings=SITE)

    assert cloudflare.contents(f"_autodiscover._tcp.{new}", "SRV") == [LINE]
    assert cloudflare.contents(f"autoconfig.{new}", "A") == [ADDRESS]
    assert told.facts["cloudflare"]["state"] == "done"
    steps = {it["purpose"]: it["step"] for it in again.facts["cloudflare"]["changes"]}
    assert (steps["Outlook"], steps["Thunderbird"]) == ("keep", "keep")
    assert any("_autodiscover._tcp" in text for text in gone.facts["left"])


@LANGUAGES
def test_without_a_token_a_person_is_told_what_to_type(house: AdminHouse, lang: str) -> None:
    words = Words(Language(lang))
    environ = {**house.environ(lang=lang), **SITE, "COLUMNS": "200"}

    with Person(house.at_terminal("domain", "records", DOMAIN), environ) as someone:
        someone.sees(words("note-outlook"))
        someone.sees(HOST)
        someone.sees(words("note-thunderbird"))
        someone.sees(ADDRESS)
        assert someone.ends() == 0
