"""From what the checks found to Authentication-Results, read back with authres."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import authres
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.header import parse_header
from mxgw.msgauth.arc import ArcVerdict
from mxgw.msgauth.author import author_of
from mxgw.msgauth.dkim import DkimVerdict
from mxgw.msgauth.dkim_signature import Claim, read_signature
from mxgw.msgauth.dmarc import DmarcVerdict, Policy
from mxgw.msgauth.dnsbl import DnsblResult, Listing
from mxgw.msgauth.findings import (
    arc_finding,
    dkim_findings,
    dmarc_finding,
    iprev_finding,
    no_author_finding,
    spf_finding,
)
from mxgw.msgauth.iprev import IprevResult, check_iprev
from mxgw.msgauth.results import Result
from mxgw.msgauth.results_field import Finding, results_field
from mxgw.msgauth.spf import check_spf, check_spf_helo
from mxgw.msgauth.spf_result import Identity, SpfResult
from tests.msgauth.arc_sealer import seal
from tests.msgauth.dkim_judge import KEY_NAME, arc_verdict, dkim_verdicts, zone_of
from tests.msgauth.dkim_signer import MESSAGE, TAGS, ed25519_key, key_record, rsa_key, sign
from tests.rig.zone import Zone

CLIENT = IPv4Address("192.0.2.1")


def read(*findings: Finding) -> list[tuple[str, str, str | None, dict[str, str]]]:
    """Method, result, reason and properties as authres reads them."""
    field = results_field("mx.example.jp", findings)
    (one,) = parse_header(field + b"\r\n").fields
    header = authres.all_features().parse(f"Authentication-Results: {one.body.decode('ascii')}")
    return [
        (
            result.method,
            result.result,
            result.reason,
            {f"{value.type}.{value.name}": str(value.value) for value in result.properties},
        )
        for result in header.results
    ]


async def test_spf_of_the_sender_names_its_domain_alone() -> None:
    zone = Zone({"example.com": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]}})

    found = await check_spf(zone, address=CLIENT, helo="mail.example.net", mail_from="taro@Example.com")

    assert read(spf_finding(found)) == [("spf", "pass", None, {"smtp.mailfrom": "example.com"})]


async def test_spf_of_the_null_sender_names_the_helo_domain() -> None:
    """RFC 7208 section 2.4: the MAIL FROM identity is postmaster at the HELO domain then."""
    zone = Zone({"mail.example.net": {"TXT": ["v=spf1 -all"]}})

    found = await check_spf(zone, address=CLIENT, helo="mail.example.net", mail_from="")

    assert read(spf_finding(found)) == [("spf", "fail", None, {"smtp.mailfrom": "mail.example.net"})]


async def test_spf_of_the_helo_name() -> None:
    zone = Zone({"mail.example.net": {"TXT": ["v=spf1 ?all"]}})

    found = await check_spf_helo(zone, address=CLIENT, helo="mail.example.net")

    assert read(spf_finding(found)) == [("spf", "neutral", None, {"smtp.helo": "mail.example.net"})]


@pytest.mark.parametrize("helo", ["[192.0.2.1]", "a b; dmarc=pass", '"x"', "dmarc=pass", "x)(", ""])
async def test_a_helo_name_that_is_no_domain_is_not_shown(helo: str) -> None:
    found = await check_spf_helo(Zone({}), address=CLIENT, helo=helo)

    assert read(spf_finding(found)) == [("spf", "none", "not a full domain name", {})]


async def test_a_record_cannot_write_results() -> None:
    zone = Zone({"example.com": {"TXT": ["v=spf1 dmarc=pass;header.from=bank.example dkim=pass -all"]}})
    broken = Zone({"example.com": {"TXT": ['v=spf1 dmarc=pass+dkim=pass(";)']}})

    for dns in (zone, broken):
        found = await check_spf(dns, address=CLIENT, helo="h.example", mail_from="taro@example.com")
        field = results_field("mx.example.jp", [spf_finding(found)])

        assert field.count(b"=") == 2 + (b"reason=" in field)
        assert b"pass" not in field.replace(b":pass", b"")


async def test_each_signature_is_a_result_with_what_tells_it_from_the_others() -> None:
    key = rsa_key()
    message = sign(MESSAGE, key, f"i=joe.sixpack@news.example.com; {TAGS}")
    message = sign(message, ed25519_key(), TAGS.replace("rsa-", "ed25519-").replace("d=e", "d=other.e"))

    verdicts = await dkim_verdicts(message, zone_of(key))

    results = read(*dkim_findings(verdicts))
    assert [(method, result) for method, result, *_ in results] == [("dkim", "permerror"), ("dkim", "pass")]
    other, own = (properties for *_, properties in results)
    assert other == {
        "header.d": "other.example.com",
        "header.s": "sel",
        "header.a": "ed25519-sha256",
        "header.b": other["header.b"],
    }
    assert own == {
        "header.d": "example.com",
        "header.s": "sel",
        "header.a": "rsa-sha256",
        "header.i": "joe.sixpack@news.example.com",
        "header.b": own["header.b"],
    }
    signatures = [
        one.body.decode().rpartition("b=")[2] for one in parse_header(message).named("DKIM-Signature")
    ]
    assert [other["header.b"], own["header.b"]] == [value[:8] for value in signatures]


def test_a_message_without_signature() -> None:
    assert read(*dkim_findings([])) == [("dkim", "none", None, {})]


def test_a_signature_that_says_nothing_shows_nothing() -> None:
    verdict = DkimVerdict(Result.PERMERROR, "no d= at all", Claim(), 0, counts_for_dmarc=False, steps=())

    assert read(*dkim_findings([verdict])) == [("dkim", "permerror", "no d: at all", {})]


@pytest.mark.parametrize(
    "tags",
    [
        'd=example.com; i="a; dmarc=pass header.from=bank.example"@example.com',
        "d=example.com'a.attack.example",
        "d=example.com)(; s=x",
        "d=example.com; s=sel;dmarc=pass; b=dmarc=pa; a=dmarc=pass",
        "d=example.com; b=spf=pass",
        "d=example.com; i=dmarc=pass@example.com",
        "d=example.com; i=(dmarc=pass)@example.com",
        "d=example.com; i=dmarc\r\n\t=pass@example.com",
    ],
)
def test_a_signature_cannot_write_results(tags: str) -> None:
    (field,) = parse_header(f"DKIM-Signature: v=1; {tags}; bh=x; h=from\r\n\r\n".encode()).fields
    read_as = read_signature(field)
    verdict = DkimVerdict(Result.NEUTRAL, tags, read_as.claim, 0, counts_for_dmarc=False, steps=())

    ((method, result, _, properties),) = read(*dkim_findings([verdict]))

    assert (method, result) == ("dkim", "neutral")
    assert all("=" not in value and "dmarc" not in value for value in properties.values())


async def test_a_chain_that_holds_tells_where_it_began_to() -> None:
    zone = Zone({KEY_NAME: {"TXT": [key_record(ed25519_key())]}})
    altered = seal(MESSAGE, 1).replace(b"Subject: Is", b"Subject: [list] Is")

    verdict = await arc_verdict(seal(altered, 2), zone)

    assert read(arc_finding(verdict, CLIENT)) == [
        ("arc", "pass", None, {"header.oldest-pass": "2", "smtp.remote-ip": "192.0.2.1"})
    ]


async def test_a_chain_that_is_broken_tells_why() -> None:
    verdict = await arc_verdict(seal(MESSAGE, 1).replace(b"cv=none", b"cv=pass"), Zone({}))

    assert read(arc_finding(verdict, IPv6Address("2001:db8::1"))) == [
        ("arc", "fail", "seal 1 says cv:pass", {"smtp.remote-ip": "2001:db8::1"})
    ]


async def test_no_chain() -> None:
    verdict = await arc_verdict(MESSAGE, Zone({}))

    assert read(arc_finding(verdict, CLIENT)) == [("arc", "none", None, {"smtp.remote-ip": "192.0.2.1"})]


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (
            DmarcVerdict(Result.PASS, "example.com", policy=Policy.REJECT),
            ("dmarc", "pass", None, {"header.from": "example.com", "policy.dmarc": "reject"}),
        ),
        (
            DmarcVerdict(Result.FAIL, "example.com", policy=Policy.QUARANTINE, published=Policy.REJECT),
            ("dmarc", "fail", None, {"header.from": "example.com", "policy.dmarc": "quarantine"}),
        ),
        (
            DmarcVerdict(Result.NONE, "xn--r8jz45g.jp", reason="no DMARC record"),
            ("dmarc", "none", "no DMARC record", {"header.from": "xn--r8jz45g.jp"}),
        ),
        (
            DmarcVerdict(Result.TEMPERROR, "example.com", reason="no answer: _dmarc.example.com"),
            ("dmarc", "temperror", "no answer: _dmarc.example.com", {"header.from": "example.com"}),
        ),
    ],
)
def test_dmarc_names_the_author_domain_and_the_policy_that_applies(
    verdict: DmarcVerdict, expected: tuple[str, str, str | None, dict[str, str]]
) -> None:
    assert read(dmarc_finding(verdict)) == [expected]


def test_a_message_without_author_is_not_one_without_policy() -> None:
    author = author_of(parse_header(b"From: a@a.example\r\nFrom: b@b.example\r\n\r\n"))

    assert read(no_author_finding(author)) == [("dmarc", "permerror", "2 From fields", {})]


@pytest.mark.parametrize(("address", "result"), [("192.0.2.1", "pass"), ("2001:db8::1", "fail")])
async def test_the_reverse_name_check_tells_the_address(address: str, result: str) -> None:
    zone = Zone({address: {"PTR": ["mail.example.com"]}, "mail.example.com": {"A": ["192.0.2.1"]}})

    found = await check_iprev(zone, ip_address(address))

    assert read(iprev_finding(found, ip_address(address))) == [
        ("iprev", result, None, {"policy.iprev": address})
    ]


def test_lists_that_name_the_client_stand_beside_its_address() -> None:
    lists = [
        DnsblResult("bad.example", Listing.LISTED, (IPv4Address("127.0.0.2"),)),
        DnsblResult("good.example", Listing.NOT_LISTED),
        DnsblResult("ill.example", Listing.BROKEN, (IPv4Address("127.255.255.254"),)),
        DnsblResult("slow.example", Listing.UNAVAILABLE),
        DnsblResult("worse.example", Listing.LISTED, (IPv4Address("127.0.0.4"),)),
    ]

    field = results_field(
        "mx.example.jp", [iprev_finding(IprevResult(Result.PASS), IPv6Address("2001:db8::1"), lists)]
    )

    assert field == (
        b"Authentication-Results: mx.example.jp;\r\n"
        b"\tiprev=pass policy.dnsbl=bad.example policy.dnsbl=worse.example\r\n"
        b'\tpolicy.iprev="2001:db8::1"\r\n'
    )


hostile = st.text(max_size=80) | st.sampled_from(
    [
        "a@b\r\nX-Evil: 1",
        '"x; dmarc=pass header.from=bank.example"@evil.example',
        "x) ; dmarc=pass (",
        "evil.example; dmarc=pass header.from=bank.example",
        "spf=pass",
    ]
)


@given(st.builds(Claim, hostile, hostile, hostile, hostile, hostile), hostile, hostile, hostile)
def test_whatever_strangers_wrote_the_results_are_ours(
    claim: Claim, text: str, domain: str, other: str
) -> None:
    arc = ArcVerdict(Result.FAIL, text, False, (domain,), None, False, other, ())
    findings = [
        spf_finding(SpfResult(Result.FAIL, Identity.MAIL_FROM, domain, text, other, text)),
        spf_finding(SpfResult(Result.NONE, Identity.HELO, other, problem=domain)),
        *dkim_findings([DkimVerdict(Result.FAIL, text, claim, 0, counts_for_dmarc=False, steps=())] * 2),
        arc_finding(arc, CLIENT),
        dmarc_finding(DmarcVerdict(Result.FAIL, domain, other, reason=text)),
        iprev_finding(IprevResult(Result.FAIL, domain, (other,)), CLIENT),
    ]

    results = read(*findings)

    assert [(method, result) for method, result, *_ in results] == [
        ("spf", "fail"),
        ("spf", "none"),
        ("dkim", "fail"),
        ("dkim", "fail"),
        ("arc", "fail"),
        ("dmarc", "fail"),
        ("iprev", "fail"),
    ]
    field = results_field("mx.example.jp", findings)
    assert b"=pass" not in field
    assert field.isascii()
