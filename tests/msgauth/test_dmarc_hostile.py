"""Whatever strangers publish and sign: a verdict, in bounded work, with harmless words."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mxgw.header import parse_header
from mxgw.msgauth.author import author_of
from mxgw.msgauth.dkim import DkimVerdict
from mxgw.msgauth.dmarc import MAX_IDENTIFIERS, discover, evaluate
from mxgw.msgauth.dmarc_walk import MAX_LABELS, walk_targets
from mxgw.msgauth.results import Result
from mxgw.resolver.answers import Answer, MailExchanger, Status
from mxgw.resolver.resolver import Resolver
from mxgw.resolver.upstream import Upstream
from tests.msgauth.dmarc_cases import dkim, judge, policies, spf
from tests.rig.zone import Zone, ZoneServer

MAX_WALK_QUESTIONS = MAX_LABELS + 1

PIECES = [
    "v=DMARC1",
    "; ",
    ";",
    "p=",
    "sp=",
    "np=",
    "psd=",
    "rua=",
    "none",
    "reject",
    "y",
    "n",
    "mailto:a@b.c",
    "x",
]
RECORDS = st.one_of(
    st.binary(max_size=80).map(lambda octets: b"v=DMARC1; " + octets),
    st.lists(st.sampled_from(PIECES), max_size=20).map(
        lambda parts: "".join(["v=DMARC1; ", *parts]).encode()
    ),
)
ANSWERS = st.one_of(
    st.sampled_from([Answer(Status.NO_NAME), Answer(Status.NO_DATA), Answer(Status.TEMPORARY)]),
    st.lists(RECORDS, max_size=2).map(lambda records: Answer(Status.FOUND, tuple(records))),
)
NAMES = st.one_of(
    st.sampled_from(["a.b.example", "b.example", "example", "c.b.example", "a.b.c.d.e.f.g.h.i.j.example"]),
    st.text(max_size=30),
)
RESULTS = st.sampled_from(list(Result))


class Drawn:
    """A Lookup whose answers are drawn by chance, and counted."""

    def __init__(self, answers: list[Answer[bytes]]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    async def txt(self, name: str) -> Answer[bytes]:
        self.asked.append(name)
        return self._answers[len(self.asked) % len(self._answers)]

    async def a(self, name: str) -> Answer[IPv4Address]:
        raise AssertionError(name)

    async def aaaa(self, name: str) -> Answer[IPv6Address]:
        raise AssertionError(name)

    async def mx(self, name: str) -> Answer[MailExchanger]:
        raise AssertionError(name)

    async def ptr(self, address: IPv4Address | IPv6Address) -> Answer[str]:
        raise AssertionError(address)


@given(
    answers=st.lists(ANSWERS, min_size=1, max_size=12),
    author=NAMES.filter(bool),
    by_spf=st.tuples(NAMES, RESULTS),
    by_dkim=st.lists(st.tuples(NAMES, RESULTS, st.booleans()), max_size=5),
)
@settings(max_examples=400, deadline=None)
async def test_any_answers_and_names_end_in_a_verdict_with_harmless_words(
    answers: list[Answer[bytes]],
    author: str,
    by_spf: tuple[str, Result],
    by_dkim: list[tuple[str, Result, bool]],
) -> None:
    lookup = Drawn(answers)
    signatures = [dkim(domain, result, counts=counts) for domain, result, counts in by_dkim]

    discovery = await discover(lookup, author)
    verdict = await evaluate(lookup, discovery, spf=spf(*by_spf), dkim=signatures)

    assert verdict.result in {Result.NONE, Result.PASS, Result.FAIL, Result.TEMPERROR, Result.PERMERROR}
    assert (verdict.result is Result.PASS) is (verdict.aligned_spf or bool(verdict.aligned_dkim))
    assert (verdict.record is None) is (verdict.record_domain == "")
    assert len(lookup.asked) == len(set(lookup.asked)) <= 1 + MAX_WALK_QUESTIONS * (2 + len(by_dkim))


@given(st.lists(ANSWERS, min_size=1, max_size=12), NAMES)
@settings(max_examples=200, deadline=None)
async def test_what_is_told_of_a_strangers_zone_is_printable(
    answers: list[Answer[bytes]], identifier: str
) -> None:
    lookup = Drawn(answers)

    verdict = await evaluate(
        lookup,
        await discover(lookup, "mail.example.com"),
        spf=None,
        dkim=[dkim(identifier, Result.TEMPERROR)],
    )

    for text in (verdict.reason, *verdict.steps):
        assert text.isascii()
        assert text.isprintable()


@pytest.mark.parametrize("labels", [1, 7, 8, 9, 100, 120])
async def test_a_name_of_many_labels_costs_eight_questions_at_most(labels: int) -> None:
    name = ".".join(["a"] * labels)
    zone = Zone()

    verdict = await judge(zone, name)

    assert verdict.result is Result.NONE
    assert len(zone.asked) == len(walk_targets(name)) == min(labels, MAX_WALK_QUESTIONS)


async def test_a_name_too_long_for_a_policy_of_its_own_has_the_one_above() -> None:
    name = "a." * 120 + "example.com"
    assert len(name) == 251

    verdict = await judge(policies({"example.com": "v=DMARC1; p=reject; np=quarantine"}), name)

    assert (verdict.result, verdict.record_domain, verdict.policy) == (
        Result.FAIL,
        "example.com",
        "quarantine",
    )


async def test_many_signing_domains_cost_bounded_questions() -> None:
    zone = policies({"example.com": "v=DMARC1; p=reject"})
    signatures: list[DkimVerdict] = [
        dkim(f"a.b.c.d.e.f.g.h.{number}.example.com") for number in range(20 * MAX_IDENTIFIERS)
    ]

    verdict = await evaluate(zone, await discover(zone, "example.com"), spf=None, dkim=signatures)

    assert verdict.result is Result.PASS
    assert len(verdict.aligned_dkim) == MAX_IDENTIFIERS
    assert len(zone.asked) <= MAX_WALK_QUESTIONS * (1 + MAX_IDENTIFIERS)


@pytest.mark.parametrize(
    "octets", [b";" * 65_000, b"p=none;" * 9_000, b"p" * 65_000, b" " * 65_000, b"=;" * 32_000]
)
async def test_a_record_of_64_kib_ends_in_a_verdict(octets: bytes) -> None:
    zone = {"_dmarc.example.com": {"TXT": [b"v=DMARC1;" + octets, *[b"v=spf1 -all"] * 1000]}}

    verdict = await judge(zone, "example.com", spf=spf("example.com"))

    assert verdict.result in {Result.NONE, Result.PERMERROR}
    assert all(len(step) < 1000 for step in verdict.steps)


async def test_the_domains_of_a_bold_from_field_are_asked_for_as_dns_has_them_over_the_wire() -> None:
    header = parse_header("From: Ä <a@MÜNCHEN.example>, b@Example.COM\r\n\r\n".encode())
    zone = policies({"xn--mnchen-3ya.example": "v=DMARC1; p=reject", "com": "v=DMARC1; p=quarantine; psd=y"})
    zone.put("_dmarc.mail.example.com", {"CNAME": ["_dmarc.xn--mnchen-3ya.example"]})
    zone.fail("_dmarc.broken.example")

    async with ZoneServer(zone) as server:
        resolver = Resolver(Upstream([("127.0.0.1", server.port)]))
        found = [await judge(resolver, domain) for domain in author_of(header).domains]
        aliased = await judge(resolver, "mail.example.com")
        broken = await judge(resolver, "broken.example")

    assert [(one.result, one.record_domain, one.policy) for one in found] == [
        (Result.FAIL, "xn--mnchen-3ya.example", "reject"),
        (Result.FAIL, "com", "quarantine"),
    ]
    assert (aliased.record_domain, aliased.policy) == ("mail.example.com", "reject")
    assert broken.result is Result.TEMPERROR
