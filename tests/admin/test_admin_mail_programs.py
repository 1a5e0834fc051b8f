"""Outlook and Thunderbird find the home machine by two records, which are told, looked for and judged."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from mxgw.admin.dns_check import Finding, Level, check_domain
from mxgw.admin.dns_records import Exchanger, Kind, MailHost, Purpose, wanted_records
from mxgw.admin.words import CATALOGUE, Language, Words
from tests.admin.admin_house import Told, admin
from tests.rig.zone import Zone, ZoneServer

DOMAIN = "example.jp"
HOST, ADDRESS = "mailserver.tail1234.ts.net", "100.64.3.4"
HOME = MailHost(HOST, IPv4Address(ADDRESS))
SERVICE, BEFORE, AUTOCONFIG = (
    f"{name}.{DOMAIN}" for name in ("_autodiscover._tcp", "autodiscover", "autoconfig")
)
GOOD: dict[str, dict[str, Sequence[Any]]] = {
    DOMAIN: {"MX": [(10, "mx.example.jp")]},
    SERVICE: {"SRV": [(0, 0, 443, HOST)]},
    AUTOCONFIG: {"A": [ADDRESS]},
}
PROGRAMS = (Purpose.OUTLOOK, Purpose.THUNDERBIRD)


def checked(zone: Zone) -> dict[Purpose, Finding]:
    edge = Exchanger("mx.example.jp")
    found = asyncio.run(check_domain(zone, DOMAIN, edge, reports=f"a@{DOMAIN}", mail_host=HOME))
    return {finding.purpose: finding for finding in found if finding.purpose in PROGRAMS}


def changed(name: str, records: Mapping[str, Sequence[Any]]) -> Zone:
    zone = Zone(GOOD)
    zone.put(name, records)
    return zone


def test_what_is_right_is_called_right() -> None:
    found = checked(Zone(GOOD))

    assert {finding.key for finding in found.values()} == {"outlook-ok", "thunderbird-ok"}


def test_what_is_told_to_be_set_is_right_when_it_is_set() -> None:
    wanted = wanted_records(
        DOMAIN, Exchanger("mx.example.jp"), reports="a@example.jp", now=0.0, mail_host=HOME
    )
    outlook, thunderbird = (record for record in wanted if record.purpose in PROGRAMS)
    zone = Zone({DOMAIN: {"MX": [(10, "mx.example.jp")]}})

    weight, port, host = outlook.content.split()
    zone.put(f"{outlook.name}.{DOMAIN}", {outlook.kind: [(outlook.preference, int(weight), int(port), host)]})
    zone.put(f"{thunderbird.name}.{DOMAIN}", {thunderbird.kind: [thunderbird.content]})

    assert (outlook.kind, thunderbird.kind) == (Kind.SRV, Kind.A)
    assert {finding.level for finding in checked(zone).values()} == {Level.OK}


def test_a_priority_and_capitals_of_ones_own_are_fine() -> None:
    found = checked(changed(SERVICE, {"SRV": [(5, 10, 443, HOST.upper())]}))

    assert found[Purpose.OUTLOOK].level is Level.OK


MISTAKES: list[tuple[str, Mapping[str, Sequence[Any]], str]] = [
    (SERVICE, {"SRV": []}, "outlook-missing"),
    (SERVICE, {"SRV": [(0, 0, 443, "autodiscover.provider.example")]}, "outlook-elsewhere"),
    (SERVICE, {"SRV": [(0, 0, 8443, HOST)]}, "outlook-elsewhere"),
    (SERVICE, {"SRV": [(0, 0, 443, HOST), (10, 0, 443, "old.example")]}, "outlook-elsewhere"),
    (SERVICE, {"SRV": [(0, 0, 0, "")]}, "outlook-elsewhere"),
    (BEFORE, {"A": ["203.0.114.80"]}, "outlook-before"),
    (BEFORE, {"A": [ADDRESS]}, "outlook-before"),
    (AUTOCONFIG, {"A": []}, "thunderbird-missing"),
    (AUTOCONFIG, {"A": ["104.21.3.4"]}, "thunderbird-elsewhere"),
    (AUTOCONFIG, {"A": [ADDRESS, "203.0.114.80"]}, "thunderbird-elsewhere"),
    # The name is of the tailnet alone: where an alias leads, no resolver of the internet follows.
    (AUTOCONFIG, {"A": [], "CNAME": [HOST]}, "thunderbird-missing"),
]


@pytest.mark.parametrize(("name", "records", "key"), MISTAKES)
def test_each_mistake_is_named_as_advice_with_what_to_do(
    name: str, records: Mapping[str, Sequence[Any]], key: str
) -> None:
    found = checked(changed(name, records))

    (wrong,) = [finding for finding in found.values() if finding.level is not Level.OK]
    assert (wrong.key, wrong.level) == (key, Level.WARNING)
    for language in Language:
        words = Words(language)
        assert words(wrong.key, **wrong.facts)
        assert (HOST in words(wrong.mend, **wrong.facts)) == (wrong.mend == "mend-outlook")


def test_every_finding_has_a_test_here() -> None:
    findings = {key for key in CATALOGUE if key.startswith(("outlook-", "thunderbird-"))}

    assert findings == {key for _, _, key in MISTAKES} | {"outlook-ok", "thunderbird-ok"}


@pytest.mark.parametrize("name", [SERVICE, BEFORE, AUTOCONFIG])
def test_dns_that_is_away_is_neither_a_mistake_nor_an_error(name: str) -> None:
    found = checked(Zone(GOOD, failing=[name]))

    (unknown,) = [finding for finding in found.values() if finding.level is not Level.OK]
    assert (unknown.key, unknown.level) == ("dns-away", Level.WARNING)


# -- the command --------------------------------------------------------------------------------------------


def records(settings: Mapping[str, str], lang: str = "en") -> Told:
    return admin("domain", "records", DOMAIN, settings={"MAIL_HOSTNAME": "", **settings}, lang=lang)


def lines(told: Told) -> list[tuple[str, str, int | None, str]]:
    return [
        (record["type"], record["name"], record["priority"], record["content"])
        for record in told.facts["records"]
        if record["purpose"] in PROGRAMS
    ]


TWO = [("SRV", "_autodiscover._tcp", 0, f"0 443 {HOST}"), ("A", "autoconfig", None, ADDRESS)]


def test_the_container_knows_the_home_machine_from_its_environment() -> None:
    assert lines(records({"MAIL_HOSTNAME": HOST, "TAILSCALE_IP": ADDRESS})) == TWO


def test_the_host_knows_it_from_the_env_file_of_the_stack(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"MAIL_HOSTNAME={HOST}\nTAILSCALE_IP={ADDRESS}\n")

    assert lines(records({"MXGW_STACK": str(tmp_path)})) == TWO


def test_who_asks_from_elsewhere_is_told_nothing_of_it(tmp_path: Path) -> None:
    assert lines(records({"MXGW_STACK": str(tmp_path)})) == []


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize(
    ("name", "address", "error"),
    [(HOST, "fd7a:115c::1", "bad-ipv4-setting"), ("no name", ADDRESS, "bad-domain")],
)
def test_a_setting_that_cannot_be_right_is_named(name: str, address: str, error: str, lang: str) -> None:
    told = records({"MAIL_HOSTNAME": name, "TAILSCALE_IP": address}, lang)

    assert (told.code, told.facts["error"]) == (2, error)


async def test_real_dns_is_asked_and_what_is_missing_is_no_error() -> None:
    zone = Zone(GOOD)
    zone.put("mx.example.jp", {"A": ["203.0.114.1"]})
    zone.put(DOMAIN, {"TXT": ["v=spf1 include:sendgrid.net ~all"]})
    zone.put("_dmarc.example.jp", {"TXT": ["v=DMARC1; p=reject; rua=mailto:a@example.jp"]})
    for selector in ("s1", "s2"):
        zone.put(
            f"{selector}._domainkey.example.jp", {"TXT": ["v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCB"]}
        )

    async def check() -> Told:
        settings = {"MXGW_DNS": server.address, "MAIL_HOSTNAME": HOST, "TAILSCALE_IP": ADDRESS}
        return await asyncio.to_thread(admin, "domain", "check", DOMAIN, settings=settings)

    async with ZoneServer(zone) as server:
        right = await check()
        zone.put(SERVICE, {"SRV": []})
        zone.put(AUTOCONFIG, {"A": []})
        missing = await check()

    assert (right.code, missing.code) == (0, 0)
    levels = [
        {it["finding"]: it["level"] for it in told.facts["findings"] if it["purpose"] in PROGRAMS}
        for told in (right, missing)
    ]
    assert levels == [
        {"outlook-ok": "ok", "thunderbird-ok": "ok"},
        {"outlook-missing": "warning", "thunderbird-missing": "warning"},
    ]
