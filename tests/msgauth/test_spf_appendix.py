"""The examples of RFC 7208: appendix A, and the macros of section 7.4, with the RFC's own zone."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

import pytest

from mxgw.msgauth.spf import check_spf
from mxgw.msgauth.spf_macros import TERM_LETTERS, expand_domain, parse_macro_string
from tests.rig.zone import Zone

# RFC 7208 appendix A.
ZONE: Mapping[str, Mapping[str, list[object]]] = {
    "example.com": {
        "MX": [(10, "mail-a.example.com"), (20, "mail-b.example.com")],
        "A": ["192.0.2.10", "192.0.2.11"],
    },
    "amy.example.com": {"A": ["192.0.2.65"]},
    "bob.example.com": {"A": ["192.0.2.66"]},
    "mail-a.example.com": {"A": ["192.0.2.129"]},
    "mail-b.example.com": {"A": ["192.0.2.130"]},
    "www.example.com": {"CNAME": ["example.com"]},
    "example.org": {"MX": [(10, "mail-c.example.org")]},
    "mail-c.example.org": {"A": ["192.0.2.140"]},
    "192.0.2.10": {"PTR": ["example.com"]},
    "192.0.2.11": {"PTR": ["example.com"]},
    "192.0.2.65": {"PTR": ["amy.example.com"]},
    "192.0.2.66": {"PTR": ["bob.example.com"]},
    "192.0.2.129": {"PTR": ["mail-a.example.com"]},
    "192.0.2.130": {"PTR": ["mail-b.example.com"]},
    "192.0.2.140": {"PTR": ["mail-c.example.org"]},
    "10.0.0.4": {"PTR": ["bob.example.com"]},
}
CLIENTS = [name for name in ZONE if name[0].isdigit()] + ["192.0.2.131", "192.0.2.143", "203.0.113.5"]


async def passing(zone: Zone, mail_from: str = "someone@example.com") -> set[str]:
    """Which clients pass; the others must fail."""
    results = {
        client: (
            await check_spf(zone, address=ip_address(client), helo="mail.example.com", mail_from=mail_from)
        ).result
        for client in CLIENTS
    }
    assert set(results.values()) <= {"pass", "fail"}
    return {client for client, result in results.items() if result == "pass"}


@pytest.mark.parametrize(
    ("record", "clients"),
    [
        ("v=spf1 +all", CLIENTS),
        ("v=spf1 a -all", ["192.0.2.10", "192.0.2.11"]),
        ("v=spf1 a:example.org -all", []),
        ("v=spf1 mx -all", ["192.0.2.129", "192.0.2.130"]),
        ("v=spf1 mx:example.org -all", ["192.0.2.140"]),
        ("v=spf1 mx mx:example.org -all", ["192.0.2.129", "192.0.2.130", "192.0.2.140"]),
        (
            "v=spf1 mx/30 mx:example.org/30 -all",
            ["192.0.2.129", "192.0.2.130", "192.0.2.131", "192.0.2.140", "192.0.2.143"],
        ),
        (
            "v=spf1 ptr -all",
            ["192.0.2.10", "192.0.2.11", "192.0.2.65", "192.0.2.66", "192.0.2.129", "192.0.2.130"],
        ),
        (
            "v=spf1 ip4:192.0.2.128/28 -all",
            ["192.0.2.129", "192.0.2.130", "192.0.2.131", "192.0.2.140", "192.0.2.143"],
        ),
    ],
)
async def test_a_1_simple_examples(record: str, clients: list[str]) -> None:
    zone = Zone(ZONE)
    zone.put("example.com", {"TXT": [record]})

    assert await passing(zone) == set(clients)


@pytest.mark.parametrize("domain", ["example.org", "la.example.org", "ny.example.org", "sf.example.org"])
async def test_a_2_multiple_domains(domain: str) -> None:
    zone = Zone(ZONE)
    zone.put("example.org", {"TXT": ["v=spf1 include:example.com include:example.net -all"]})
    zone.put("example.com", {"TXT": ["v=spf1 mx -all"]})
    zone.put("example.net", {"TXT": ["v=spf1 ip4:203.0.113.0/24 -all"]})
    for city in ("la", "ny", "sf"):
        zone.put(f"{city}.example.org", {"TXT": ["v=spf1 redirect=example.org"]})

    assert await passing(zone, f"someone@{domain}") == {"192.0.2.129", "192.0.2.130", "203.0.113.5"}


@pytest.mark.parametrize(
    ("mail_from", "clients"),
    [
        ("mary@example.com", CLIENTS),
        ("fred@example.com", CLIENTS),
        ("joel@example.com", ["192.0.2.65", "192.0.2.66", "192.0.2.129", "192.0.2.130"]),
        ("joel+news@example.com", ["192.0.2.65", "192.0.2.66", "192.0.2.129", "192.0.2.130"]),
        ("amy@example.com", ["192.0.2.129", "192.0.2.130"]),
    ],
)
async def test_a_3_dns_blacklist_style(mail_from: str, clients: list[str]) -> None:
    zone = Zone(ZONE)
    record = "v=spf1 mx include:mobile-users._spf.%{d} include:remote-users._spf.%{d} -all"
    zone.put("example.com", {"TXT": [record]})
    zone.put("mobile-users._spf.example.com", {"TXT": ["v=spf1 exists:%{l1r+}.%{d}"]})
    zone.put("remote-users._spf.example.com", {"TXT": ["v=spf1 exists:%{ir}.%{l1r+}.%{d}"]})
    for name in ("mary.mobile-users", "fred.mobile-users", "65.2.0.192.joel.remote-users"):
        zone.put(f"{name}._spf.example.com", {"A": ["127.0.0.2"]})
    zone.put("66.2.0.192.joel.remote-users._spf.example.com", {"A": ["127.0.0.2"]})

    assert await passing(zone, mail_from) == set(clients)


async def test_a_4_multiple_requirements() -> None:
    zone = Zone(ZONE)
    zone.put("example.com", {"TXT": ["v=spf1 -include:ip4._spf.%{d} -include:ptr._spf.%{d} +all"]})
    zone.put("ip4._spf.example.com", {"TXT": ["v=spf1 -ip4:192.0.2.0/24 +all"]})
    zone.put("ptr._spf.example.com", {"TXT": ["v=spf1 -ptr:example.com +all"]})

    clients = {"192.0.2.10", "192.0.2.11", "192.0.2.65", "192.0.2.66", "192.0.2.129", "192.0.2.130"}
    assert await passing(zone) == clients


# RFC 7208 section 7.4.
MACROS_4 = {
    "s": "strong-bad@email.example.com",
    "l": "strong-bad",
    "o": "email.example.com",
    "d": "email.example.com",
    "i": "192.0.2.3",
    "p": "mx.example.org",
    "v": "in-addr",
    "h": "mx.example.org",
}
MACROS_6 = MACROS_4 | {"i": ".".join("20010DB800000000000000000000CB01"), "v": "ip6"}


@pytest.mark.parametrize(
    ("macros", "text", "expanded"),
    [
        (MACROS_4, "%{s}", "strong-bad@email.example.com"),
        (MACROS_4, "%{o}", "email.example.com"),
        (MACROS_4, "%{d}", "email.example.com"),
        (MACROS_4, "%{d4}", "email.example.com"),
        (MACROS_4, "%{d3}", "email.example.com"),
        (MACROS_4, "%{d2}", "example.com"),
        (MACROS_4, "%{d1}", "com"),
        (MACROS_4, "%{dr}", "com.example.email"),
        (MACROS_4, "%{d2r}", "example.email"),
        (MACROS_4, "%{l}", "strong-bad"),
        (MACROS_4, "%{l-}", "strong.bad"),
        (MACROS_4, "%{lr}", "strong-bad"),
        (MACROS_4, "%{lr-}", "bad.strong"),
        (MACROS_4, "%{l1r-}", "strong"),
        (MACROS_4, "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        (MACROS_4, "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        (MACROS_4, "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        (MACROS_4, "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        (MACROS_4, "%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        (
            MACROS_6,
            "%{ir}.%{v}._spf.%{d2}",
            "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com",
        ),
    ],
)
def test_7_4_macros(macros: dict[str, str], text: str, expanded: str) -> None:
    assert expand_domain(parse_macro_string(text, TERM_LETTERS), macros) == expanded
