"""The DNS records that a domain is told to have are found right, and every mistake in them is named."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address
from typing import Any

import pytest

from mxgw.admin.dns_check import Finding, Level, check_domain
from mxgw.admin.dns_records import Exchanger, Kind, Purpose, Record, mta_sts_policy, wanted_records
from mxgw.admin.words import CATALOGUE, Language, Words
from tests.admin.admin_house import Told, admin
from tests.admin.person import Person
from tests.cli.support import PROGRAM, environment
from tests.rig.process import find_program
from tests.rig.zone import Zone, ZoneServer

DOMAIN = "example.jp"
MX = "mx.example.jp"
REPORTS = "postmaster@example.jp"
ADDRESSES = (IPv4Address("203.0.114.1"), IPv4Address("203.0.114.2"))
EDGE = Exchanger(MX, ADDRESSES)
KEY = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQ"

GOOD: dict[str, dict[str, Sequence[Any]]] = {
    DOMAIN: {"MX": [(10, MX)], "TXT": ["v=spf1 include:sendgrid.net ~all", "google-site-verification=x"]},
    MX: {"A": ["203.0.114.1", "203.0.114.2"]},
    "s1._domainkey.example.jp": {"CNAME": ["s1.domainkey.u1.wl1.sendgrid.net"]},
    "s1.domainkey.u1.wl1.sendgrid.net": {"TXT": [KEY]},
    "s2._domainkey.example.jp": {"TXT": [KEY]},
    "_dmarc.example.jp": {"TXT": [f"v=DMARC1; p=reject; rua=mailto:{REPORTS}"]},
    "_smtp._tls.example.jp": {"TXT": [f"v=TLSRPTv1; rua=mailto:{REPORTS}"]},
    "_mta-sts.example.jp": {"TXT": ["v=STSv1; id=20260101000000"]},
    "mta-sts.example.jp": {"A": ["203.0.115.9"]},
}


def checked(zone: Zone, exchanger: Exchanger = EDGE) -> list[Finding]:
    return asyncio.run(check_domain(zone, DOMAIN, exchanger, reports=REPORTS))


def changed(name: str, records: Mapping[str, Sequence[Any]]) -> Zone:
    zone = Zone(GOOD)
    zone.put(name, records)
    return zone


def test_what_is_right_is_called_right() -> None:
    findings = checked(Zone(GOOD))

    assert [finding.level for finding in findings] == [Level.OK] * 9
    assert [finding.purpose for finding in findings].count(Purpose.DKIM) == 2


def test_what_is_told_to_be_set_is_right_when_it_is_set() -> None:
    wanted = wanted_records(DOMAIN, EDGE, reports=REPORTS, now=1_800_000_000.0)
    zone = Zone(GOOD)
    for name in (DOMAIN, MX, "_dmarc.example.jp", "_smtp._tls.example.jp", "_mta-sts.example.jp"):
        zone.put(name, {"A": [], "MX": [], "TXT": []})

    by_name: dict[str, dict[str, list[Any]]] = {}
    for record in wanted:
        if record.exact:
            by_name.setdefault(record.name, {}).setdefault(record.kind, []).append(value(record))
    for name, records in by_name.items():
        zone.put(DOMAIN if name == "@" else f"{name}.{DOMAIN}", records)

    assert {finding.level for finding in checked(zone)} == {Level.OK}


def value(record: Record) -> object:
    return (record.preference, record.content) if record.kind is Kind.MX else record.content


def test_the_edge_of_another_domain_has_its_addresses_there() -> None:
    wanted = wanted_records("shop.example", EDGE, reports=REPORTS, now=0.0)

    assert [record.content for record in wanted if record.kind is Kind.MX] == [MX]
    assert [record for record in wanted if record.kind is Kind.A] == []


def test_the_policy_is_what_rfc_8461_wants() -> None:
    assert mta_sts_policy(EDGE) == (
        "version: STSv1\r\nmode: testing\r\nmx: mx.example.jp\r\nmax_age: 604800\r\n"
    )


SPF = "v=spf1 include:sendgrid.net"
MISTAKES: list[tuple[str, Mapping[str, Sequence[Any]], str, Level]] = [
    (DOMAIN, {"MX": []}, "mx-missing", Level.FAILED),
    (DOMAIN, {"MX": [(0, "")]}, "mx-null", Level.FAILED),
    (DOMAIN, {"MX": [(1, "aspmx.l.google.com")]}, "mx-elsewhere", Level.FAILED),
    (DOMAIN, {"MX": [(10, MX), (20, "old.example.net")]}, "mx-others", Level.FAILED),
    (MX, {"A": []}, "address-missing", Level.FAILED),
    (MX, {"A": ["104.21.3.4"]}, "address-proxied", Level.FAILED),
    (MX, {"A": ["192.168.1.2"]}, "address-inside", Level.FAILED),
    (MX, {"A": ["203.0.114.1", "8.8.8.8"]}, "address-elsewhere", Level.FAILED),
    (MX, {"A": ["203.0.114.1"]}, "address-incomplete", Level.WARNING),
    (MX, {"AAAA": ["2001:db9::1"]}, "address-v6", Level.WARNING),
    (DOMAIN, {"TXT": []}, "spf-missing", Level.FAILED),
    (DOMAIN, {"TXT": ["v=spf10 nonsense"]}, "spf-missing", Level.FAILED),
    (DOMAIN, {"TXT": [f"{SPF} ~all", "v=spf1 -all"]}, "spf-several", Level.FAILED),
    (DOMAIN, {"TXT": ["v=spf1 includ:sendgrid.net ~all"]}, "spf-syntax", Level.FAILED),
    (DOMAIN, {"TXT": ["v=spf1 include:_spf.google.com ~all"]}, "spf-without-sendgrid", Level.FAILED),
    (DOMAIN, {"TXT": [f"{SPF} +all"]}, "spf-open", Level.FAILED),
    (DOMAIN, {"TXT": [f"{SPF} ?all"]}, "spf-open", Level.FAILED),
    (DOMAIN, {"TXT": [SPF]}, "spf-endless", Level.WARNING),
    ("s1._domainkey.example.jp", {"CNAME": [], "TXT": []}, "dkim-missing", Level.FAILED),
    ("s2._domainkey.example.jp", {"TXT": [KEY, KEY]}, "dkim-several", Level.FAILED),
    ("s2._domainkey.example.jp", {"TXT": ["v=DKIM1; p="]}, "dkim-revoked", Level.FAILED),
    ("_dmarc.example.jp", {"TXT": []}, "dmarc-missing", Level.FAILED),
    ("_dmarc.example.jp", {"TXT": ["p=reject"]}, "dmarc-unreadable", Level.FAILED),
    ("_dmarc.example.jp", {"TXT": ["v=DMARC1; p=reject", "v=DMARC1; p=none"]}, "dmarc-several", Level.FAILED),
    ("_dmarc.example.jp", {"TXT": ["v=DMARC1; p=rejct"]}, "dmarc-problem", Level.FAILED),
    (
        "_dmarc.example.jp",
        {"TXT": ["v=DMARC1; p=none; rua=mailto:a@example.jp"]},
        "dmarc-none",
        Level.WARNING,
    ),
    ("_dmarc.example.jp", {"TXT": ["v=DMARC1; p=reject"]}, "dmarc-silent", Level.WARNING),
    ("_smtp._tls.example.jp", {"TXT": []}, "tls-rpt-missing", Level.WARNING),
    ("_smtp._tls.example.jp", {"TXT": ["v=TLSRPTv1; rua=x"]}, "tls-rpt-syntax", Level.WARNING),
    ("_smtp._tls.example.jp", {"TXT": ["v=TLSRPTv1;", "v=TLSRPTv1;"]}, "tls-rpt-several", Level.WARNING),
    ("_mta-sts.example.jp", {"TXT": []}, "mta-sts-missing", Level.WARNING),
    ("_mta-sts.example.jp", {"TXT": ["v=STSv1; id=2026-01-01"]}, "mta-sts-id", Level.WARNING),
    ("_mta-sts.example.jp", {"TXT": ["v=STSv1; id=1", "v=STSv1; id=2"]}, "mta-sts-several", Level.WARNING),
    ("mta-sts.example.jp", {"A": []}, "mta-sts-host-missing", Level.FAILED),
]


@pytest.mark.parametrize(("name", "records", "key", "level"), MISTAKES)
def test_each_mistake_is_named_with_what_to_do(
    name: str, records: Mapping[str, Sequence[Any]], key: str, level: Level
) -> None:
    findings = checked(changed(name, records))

    (wrong,) = [finding for finding in findings if finding.level is not Level.OK]
    assert (wrong.key, wrong.level) == (key, level)
    for language in Language:
        words = Words(language)
        assert words(wrong.key, **wrong.facts)
        assert words(wrong.mend, **wrong.facts)


def test_the_host_of_the_policy_may_come_later_than_all_else() -> None:
    zone = changed("_mta-sts.example.jp", {"TXT": []})
    zone.put("mta-sts.example.jp", {"A": []})

    keys = {finding.key for finding in checked(zone)}

    assert {"mta-sts-missing", "mta-sts-host-later"} <= keys


def test_every_finding_has_a_test_here() -> None:
    shown = {key for _, _, key, _ in MISTAKES} | {"mta-sts-host-later", "dns-away", "dns-no-domain"}
    prefixes = ("mx-", "address-", "spf-", "dkim-", "dmarc-", "tls-rpt-", "mta-sts-", "dns-")

    findings = {key for key in CATALOGUE if key.startswith(prefixes) and not key.endswith("-ok")}

    assert findings == shown


@pytest.mark.parametrize("name", [name for name in GOOD if "sendgrid" not in name])
def test_dns_that_is_away_is_not_called_a_mistake(name: str) -> None:
    zone = Zone(GOOD, failing=[name])

    wrong = [finding for finding in checked(zone) if finding.level is not Level.OK]

    assert wrong
    assert {finding.key for finding in wrong} == {"dns-away"}


def test_a_domain_that_does_not_exist_is_one_finding() -> None:
    (finding,) = checked(Zone({}))

    assert (finding.key, finding.level) == ("dns-no-domain", Level.FAILED)


def test_dns_that_is_away_altogether_is_one_finding() -> None:
    (finding,) = checked(Zone(GOOD, failing=GOOD))

    assert (finding.key, finding.level) == ("dns-away", Level.FAILED)


@pytest.mark.parametrize("host", ["10.0.0.5", "100.64.0.1"])
def test_an_edge_inside_is_fine_where_it_was_said_to_be(host: str) -> None:
    zone = changed(MX, {"A": [host]})

    findings = checked(zone, Exchanger(MX, (IPv4Address(host),)))

    assert {finding.level for finding in findings} == {Level.OK}


def test_where_the_addresses_are_not_known_any_public_one_will_do() -> None:
    assert {finding.level for finding in checked(Zone(GOOD), Exchanger(MX))} == {Level.OK}


# -- the command --------------------------------------------------------------------------------------------


@pytest.fixture
def zone() -> Zone:
    return Zone(GOOD)


async def run(zone: Zone, *arguments: str, lang: str = "en") -> Told:
    async with ZoneServer(zone) as server:
        settings = {"MXGW_ADMIN_MX_ADDRESSES": ",".join(map(str, ADDRESSES)), "MXGW_DNS": server.address}
        return await asyncio.to_thread(
            admin, "domain", "check", DOMAIN, *arguments, settings=settings, lang=lang
        )


async def test_the_command_asks_real_dns_and_needs_no_database(zone: Zone) -> None:
    told = await run(zone)

    assert told.code == 0
    assert told.facts["ok"] is True
    assert {finding["level"] for finding in told.facts["findings"]} == {"ok"}


@pytest.mark.parametrize("lang", ["en", "ja"])
async def test_the_command_ends_with_1_where_something_is_wrong(zone: Zone, lang: str) -> None:
    zone.put(DOMAIN, {"TXT": [f"{SPF} +all\x1b[31m"]})
    zone.put(MX, {"A": ["104.21.3.4"]})

    told = await run(zone, lang=lang)

    assert told.code == 1
    wrong = {finding["finding"]: finding for finding in told.facts["findings"] if finding["level"] != "ok"}
    assert wrong.keys() == {"address-proxied", "spf-syntax"}
    words = Words(Language(lang))
    assert wrong["address-proxied"]["mend"] == words("mend-address-proxied", host=MX)
    assert "\x1b" not in told.out


async def test_selectors_and_servers_can_be_named(zone: Zone) -> None:
    zone.put("m1._domainkey.example.jp", {"TXT": [KEY]})

    told = await run(zone, "--selector", "M1")
    bad = await run(zone, "--selector", "no selector")
    worse = await run(zone, "--dns", "ns.example.jp")
    worst = await run(zone, "--mx-address", "2001:db8::1")

    assert [it["name"] for it in told.facts["findings"] if it["purpose"] == "DKIM"] == [
        "m1._domainkey.example.jp"
    ]
    assert [it.facts["error"] for it in (bad, worse, worst)] == ["bad-selector", "bad-dns-server", "bad-ipv4"]
    assert {it.code for it in (bad, worse, worst)} == {2}


@pytest.mark.parametrize("lang", ["en", "ja"])
async def test_at_a_terminal_the_findings_are_a_table_in_colour(zone: Zone, lang: str) -> None:
    words = Words(Language(lang))
    zone.put(DOMAIN, {"TXT": []})
    zone.put("_smtp._tls.example.jp", {"TXT": []})

    def looks(server: str) -> tuple[int, str, str]:
        environ = environment({"MXGW_DNS": server, "LANG": f"{lang}_XX.UTF-8", "LC_ALL": "", "TERM": "xterm"})
        setsid = find_program("setsid", package="util-linux")
        command = [setsid, "--ctty", "--wait", PROGRAM, "admin", "domain", "check", DOMAIN]
        with Person(command, environ) as someone:
            return someone.ends(), someone.screen, someone.raw

    async with ZoneServer(zone) as server:
        code, screen, raw = await asyncio.to_thread(looks, server.address)

    assert code == 1
    assert words("spf-missing") in screen
    assert "v=spf1 include:sendgrid.net ~all" in screen
    assert words("check-failed", domain=DOMAIN, failed=1, warnings=1) in screen
    for level, colour in (("ok", "32"), ("warning", "33"), ("failed", "1;31")):
        assert f"\x1b[{colour}m{words(f'level-{level}')}" in raw
