"""Whatever a stranger publishes: a result, in bounded work."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mxgw.msgauth.results import Result
from mxgw.msgauth.spf import SpfStep, check_spf
from mxgw.msgauth.spf_macros import BadSyntax
from mxgw.msgauth.spf_record import MAX_RECORD_OCTETS, Record, parse_record
from mxgw.resolver.answers import Answer, MailExchanger, Status
from tests.msgauth.spf_worlds import make_world
from tests.rig.zone import Zone

WORDS = ["v=spf1", "a", "mx", "ptr", "all", "ip4:", "ip6:", "include:", "exists:", "redirect=", "exp=", "x="]
SIGNS = [" ", " ", "+", "-", "~", "?", ":", "/", "//", "=", ".", "..", "\t", "\0", "ü"]
VALUES = ["0", "33", "129", "1.2.3.4", "2001:db8::1", "::", "example.com", "a.b"]
MACROS = ["%", "%{", "}", "%{d}", "%{l1r-}", "%{p}", "%{S}", "%{i0}", "%%", "%_", "%-"]
PIECES = st.sampled_from(WORDS + SIGNS + VALUES + MACROS)
RECORDS = st.one_of(
    st.binary(max_size=200).map(lambda octets: b"v=spf1 " + octets),
    st.lists(PIECES, max_size=30).map(lambda pieces: ("v=spf1 " + "".join(pieces)).encode()),
)
TEXTS = st.text(max_size=80)


@given(RECORDS)
@settings(deadline=None)
@example(b"v=spf1 ip4:" + b"9" * 5000)
@example(b"v=spf1 a/" + b"9" * 5000)
@example(b"v=spf1 ip6:::1%eth0")
@example(b"v=spf1 ip4:\xd9\xa1.2.3.4")
def test_any_octets_are_a_record_or_bad_syntax(octets: bytes) -> None:
    try:
        record = parse_record(octets)
    except BadSyntax:
        return

    assert isinstance(record, Record)


@given(record=RECORDS, other=RECORDS, local=TEXTS, helo=TEXTS)
@settings(max_examples=300, deadline=None)
@example(
    record=b"v=spf1 exists:%{h} exists:%{s} exists:%{S}.a -all exp=%{l}.b",
    other=b"",
    local="\ud800",
    helo="\ud800.x",
)
async def test_any_record_and_sender_end_in_a_result_with_harmless_words(
    record: bytes, other: bytes, local: str, helo: str
) -> None:
    zone = Zone({"a.b": {"TXT": [record], "A": ["192.0.2.1"]}, "example.com": {"TXT": [other]}})
    steps: list[SpfStep] = []

    found = await check_spf(
        zone, address=IPv4Address("192.0.2.1"), helo=helo, mail_from=f"{local}@a.b", steps=steps
    )

    assert found.result in set(Result) - {Result.POLICY}
    assert found.questions == zone.questions <= 150
    texts = [found.domain, found.term, found.explanation, found.problem]
    for text in texts + [text for step in steps for text in (step.domain, step.subject, step.outcome)]:
        assert text.isascii()
        assert text.isprintable() or not text
        assert len(text) <= 1000
    assert max(map(len, texts)) <= 253


@given(number=st.integers(min_value=10**6, max_value=10**9))
@settings(max_examples=100, deadline=None)
async def test_no_dns_is_a_temperror_and_nothing_else(number: int) -> None:
    class Dead:
        async def txt(self, name: str) -> Answer[Any]:
            return Answer(Status.TEMPORARY)

        a = aaaa = mx = ptr = txt

    world = make_world(number)

    found = await check_spf(Dead(), address=world.address, helo=world.helo, mail_from=world.mail_from)

    assert found.result is Result.TEMPERROR


BIG = [
    "ip4:10.0.0.1 " * 10_000,
    "a " * 10_000,
    "a:" + "a." * 30_000 + "com",
    "a:x." + "1" * 60_000,
    "exists:" + "%{l}" * 15_000 + ".a.com",
    "exists:" + "%{d" * 20_000,
    "exists:%{d" + "1" * 60_000 + "}.a.com",
    "x=" + "%{d}" * 15_000,
    "a:b.c" + "/1" * 30_000,
    "ip4:1.2.3.4/" + "1" * 60_000,
]


@pytest.mark.parametrize("terms", BIG, ids=lambda terms: terms[:16].strip())
async def test_64_kib_of_record_are_refused_unread(terms: str) -> None:
    zone = Zone({"example.com": {"TXT": ["v=spf1 " + terms]}})

    found = await check_spf(zone, address=IPv4Address("192.0.2.1"), helo="h", mail_from="taro@example.com")

    assert (found.result, found.problem) == (
        Result.PERMERROR,
        f"record of example.com: more than {MAX_RECORD_OCTETS} octets",
    )


@pytest.mark.parametrize("terms", BIG, ids=lambda terms: terms[:16].strip())
async def test_the_longest_record_that_is_read_costs_little(terms: str) -> None:
    zone = Zone({"example.com": {"TXT": ["v=spf1 " + terms[: MAX_RECORD_OCTETS - 10]]}})

    found = await check_spf(zone, address=IPv4Address("192.0.2.1"), helo="h", mail_from="taro@example.com")

    assert found.result in {Result.NEUTRAL, Result.PERMERROR}
    assert zone.questions <= 11


async def test_a_stranger_can_make_us_ask_so_much_and_no_more() -> None:
    """RFC 7208 section 4.6.4 allows it: ten MX look-ups with ten hosts each, and the names of the client."""

    class Endless:
        """Every name has ten MX hosts, nobody is the client, every client has many names."""

        def __init__(self) -> None:
            self.questions = 0

        async def txt(self, name: str) -> Answer[bytes]:
            self.questions += 1
            return Answer(Status.FOUND, (b"v=spf1 " + b"mx:%{p}.example " * 20 + b"-all",))

        async def a(self, name: str) -> Answer[IPv4Address]:
            self.questions += 1
            return Answer(Status.FOUND, (IPv4Address("198.51.100.1"),))

        async def aaaa(self, name: str) -> Answer[Any]:
            return Answer(Status.NO_DATA)

        async def mx(self, name: str) -> Answer[MailExchanger]:
            self.questions += 1
            return Answer(Status.FOUND, tuple(MailExchanger(n, f"{n}.{name}") for n in range(10)))

        async def ptr(self, address: Any) -> Answer[str]:
            self.questions += 1
            return Answer(Status.FOUND, tuple(f"n{n}.example" for n in range(500)))

    world = Endless()

    found = await check_spf(world, address=ip_address("192.0.2.1"), helo="h", mail_from="taro@example.com")

    assert found.result is Result.PERMERROR
    assert world.questions == found.questions == 1 + 1 + 10 + 10 * 11
