"""The examples of RFC 9989 and of its predecessor RFC 7489, with their DNS as literals."""

from __future__ import annotations

from typing import Any

import pytest

from mxgw.msgauth.dmarc import Policy, discover
from mxgw.msgauth.dmarc_walk import PolicyRecords, walk_targets
from mxgw.msgauth.results import Result
from tests.msgauth.dmarc_cases import dkim, judge, policies, spf
from tests.rig.zone import Zone

RECORD = "v=DMARC1; p=reject"


def asked(zone: Zone) -> list[str]:
    return [question.removeprefix("TXT ") for question in zone.asked]


# RFC 9989 section 4.4, table 1.


@pytest.mark.parametrize(
    ("identifier", "relaxed", "strict"),
    [
        ("foo.example.com", True, False),
        ("news.example.com", True, True),
        ("foo.example.net", False, False),
    ],
)
async def test_table_1_alignment(identifier: str, relaxed: bool, strict: bool) -> None:
    for options, aligned in (("", relaxed), ("; adkim=s; aspf=s", strict)):
        records = {"example.com": RECORD, "example.net": RECORD, "news.example.com": RECORD + options}
        zone = policies(records)

        by_spf = await judge(zone, "news.example.com", spf=spf(identifier))
        by_dkim = await judge(zone, "news.example.com", dkim=(dkim(identifier),))

        assert by_spf.aligned_spf is aligned
        assert bool(by_dkim.aligned_dkim) is aligned
        assert by_spf.result is by_dkim.result is (Result.PASS if aligned else Result.FAIL)


# RFC 9989 section 4.10: the walk.


async def test_section_4_10_a_long_name_costs_eight_questions() -> None:
    zone = Zone()

    await PolicyRecords(zone).walk("a.b.c.d.e.f.g.h.i.j.mail.example.com")

    assert asked(zone) == [
        "_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "_dmarc.g.h.i.j.mail.example.com",
        "_dmarc.h.i.j.mail.example.com",
        "_dmarc.i.j.mail.example.com",
        "_dmarc.j.mail.example.com",
        "_dmarc.mail.example.com",
        "_dmarc.example.com",
        "_dmarc.com",
    ]


@pytest.mark.parametrize(
    ("records", "organization"),
    [
        ({"mail.example.com": RECORD, "example.com": RECORD}, "example.com"),
        ({"mail.example.com": f"{RECORD}; psd=n", "example.com": RECORD}, "mail.example.com"),
        ({"com": f"{RECORD}; psd=y"}, "example.com"),
        ({}, "a.mail.example.com"),
    ],
)
async def test_section_4_10_2_organizational_domains(records: dict[str, str], organization: str) -> None:
    walk = await PolicyRecords(policies(records)).walk("a.mail.example.com")

    assert walk.organizational_domain == organization


async def test_section_4_10_2_one_label_below_a_public_suffix() -> None:
    walk = await PolicyRecords(policies({"example.com": f"{RECORD}; psd=y"})).walk("mail.example.com")

    assert walk.organizational_domain == "mail.example.com"


def test_section_5_1_8_a_zone_cut_too_deep_is_never_found() -> None:
    assert walk_targets("mail.a.b.c.d.e.f.g.example.com") == [
        "mail.a.b.c.d.e.f.g.example.com",
        "c.d.e.f.g.example.com",
        "d.e.f.g.example.com",
        "e.f.g.example.com",
        "f.g.example.com",
        "g.example.com",
        "example.com",
        "com",
    ]


# RFC 9989 section 11.8: relaxed alignment considerations.


async def test_section_11_8_a_sub_domain_speaks_for_its_organization_unless_alignment_is_strict() -> None:
    evil = spf("evil.example.com")

    assert (await judge(policies({"example.com": RECORD}), "example.com", spf=evil)).result is Result.PASS
    strict = policies({"example.com": f"{RECORD}; aspf=s"})
    assert (await judge(strict, "example.com", spf=evil)).result is Result.FAIL


# RFC 9989 appendix B.1 (RFC 7489 appendix B.1): identifier alignment.


@pytest.mark.parametrize(
    ("author", "identifier", "relaxed", "strict"),
    [
        ("example.com", "example.com", True, True),
        ("example.com", "child.example.com", True, False),
        ("child.example.com", "example.com", True, False),
        ("child.example.com", "example.net", False, False),
    ],
)
async def test_appendix_b_1_alignment(author: str, identifier: str, relaxed: bool, strict: bool) -> None:
    for options, aligned in (("", relaxed), ("; adkim=s; aspf=s", strict)):
        zone = policies({"example.com": RECORD + options, "example.net": RECORD})

        assert (await judge(zone, author, spf=spf(identifier))).aligned_spf is aligned
        assert bool((await judge(zone, author, dkim=(dkim(identifier),))).aligned_dkim) is aligned


# RFC 9989 appendix B.2 (RFC 7489 appendix B.2): what domain owners publish.

MONITORING = ["v=DMARC1; p=none; ", "rua=mailto:dmarc-feedback@example.com"]
WITH_FAILURE_REPORTS = [
    "v=DMARC1; p=none; ",
    "rua=mailto:dmarc-feedback@example.com; ",
    "ruf=mailto:auth-reports@example.com",
]
THIRD_PARTY = [
    "v=DMARC1; p=none; ",
    "rua=mailto:dmarc-feedback@example.com; ",
    "ruf=mailto:auth-reports@thirdparty.example.net",
]
TEST_DOMAIN = [
    "v=DMARC1; p=quarantine; ",
    "rua=mailto:dmarc-feedback@example.com,",
    "mailto:tld-test@thirdparty.example.net; ",
    "t=y",
]
TEST_DOMAIN_OF_7489 = [
    "v=DMARC1; p=quarantine; ",
    "rua=mailto:dmarc-feedback@example.com,",
    "mailto:tld-test@thirdparty.example.net!10m; ",
    "pct=25",
]
TEST_DOMAIN_LATER = [
    "v=DMARC1; p=reject; ",
    "rua=mailto:dmarc-feedback@example.com,",
    "mailto:tld-test@thirdparty.example.net",
]
OURS = ("mailto:dmarc-feedback@example.com",)
BOTH = (*OURS, "mailto:tld-test@thirdparty.example.net")


@pytest.mark.parametrize(
    ("domain", "strings", "published", "policy", "rua"),
    [
        ("example.com", MONITORING, "none", "none", OURS),
        ("example.com", WITH_FAILURE_REPORTS, "none", "none", OURS),
        ("example.com", THIRD_PARTY, "none", "none", OURS),
        ("test.example.com", TEST_DOMAIN, "quarantine", "none", BOTH),
        ("test.example.com", TEST_DOMAIN_OF_7489, "quarantine", "quarantine", BOTH),
        ("test.example.com", TEST_DOMAIN_LATER, "reject", "reject", BOTH),
    ],
)
async def test_appendix_b_2_records(
    domain: str, strings: list[str], published: str, policy: str, rua: tuple[str, ...]
) -> None:
    zone: dict[str, Any] = {f"_dmarc.{domain}": {"TXT": [strings]}}

    verdict = await judge(zone, domain)

    assert (verdict.result, verdict.published, verdict.policy) == (Result.FAIL, published, policy)
    assert verdict.record_domain == domain
    assert verdict.record is not None
    assert verdict.record.rua == rua


# RFC 9989 appendix B.3.1 (RFC 7489 appendix B.3): a session.


async def test_appendix_b_3_a_message_with_both_identifiers_passes() -> None:
    zone = policies({"example.com": "v=DMARC1; p=reject; aspf=r; rua=mailto:dmarc-feedback@example.com"})

    verdict = await judge(zone, "example.com", spf=spf("mail.example.com"), dkim=(dkim("example.com"),))

    assert verdict.result is Result.PASS
    assert verdict.aligned_spf
    assert verdict.aligned_dkim == ("example.com",)
    assert verdict.policy is Policy.REJECT


# RFC 9989 appendix B.4: tree walks.


async def test_appendix_b_4_1_simple() -> None:
    zone = policies({"example.com": RECORD, "signing.example.com": "v=DMARC1; p=none"})

    verdict = await judge(zone, "example.com", spf=spf("example.com"), dkim=(dkim("signing.example.com"),))

    assert verdict.organizational_domain == "example.com"
    assert verdict.aligned_spf
    assert verdict.aligned_dkim == ("signing.example.com",)
    assert verdict.record_domain == "example.com"
    assert asked(zone) == ["_dmarc.example.com", "_dmarc.com", "_dmarc.signing.example.com"]


async def test_appendix_b_4_2_deep() -> None:
    author = "a.b.c.d.e.f.g.h.i.j.k.example.com"
    zone = policies({"example.com": RECORD, "signing.example.com": "v=DMARC1; p=none"})

    verdict = await judge(zone, author, spf=spf("example.com"), dkim=(dkim("signing.example.com"),))

    assert asked(zone) == [
        f"_dmarc.{author}",
        "_dmarc.g.h.i.j.k.example.com",
        "_dmarc.h.i.j.k.example.com",
        "_dmarc.i.j.k.example.com",
        "_dmarc.j.k.example.com",
        "_dmarc.k.example.com",
        "_dmarc.example.com",
        "_dmarc.com",
        "_dmarc.signing.example.com",
    ]
    assert verdict.organizational_domain == verdict.record_domain == "example.com"
    assert verdict.aligned_spf
    assert verdict.aligned_dkim == ("signing.example.com",)


async def test_appendix_b_4_3_with_the_record_of_a_public_suffix() -> None:
    zone = policies({"bank.example": "v=DMARC1; p=none; psd=y", "giant.bank.example": RECORD})

    verdict = await judge(
        zone,
        "giant.bank.example",
        spf=spf("mail.giant.bank.example"),
        dkim=(dkim("mail.mega.bank.example"),),
    )

    assert verdict.organizational_domain == verdict.record_domain == "giant.bank.example"
    assert (verdict.result, verdict.policy) == (Result.PASS, Policy.REJECT)
    assert verdict.aligned_spf
    assert verdict.aligned_dkim == ()
    mega = await discover(zone, "mail.mega.bank.example")
    assert (mega.organizational_domain, mega.record_domain) == ("mega.bank.example", "bank.example")
