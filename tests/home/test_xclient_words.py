"""What XCLIENT says, word by word: a peer's client, or a refusal."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.envelope import Client
from mxgw.listener.settings import XCLIENT_ATTRIBUTES
from mxgw.listener.xclient import BAD_ATTRIBUTE, BAD_VALUE, Named, origin, parse_xclient
from mxgw.lmtp import xclient
from mxgw.reply import Reply

PEER = Client(ip_address("100.64.0.7"), 40000, "edge.example.jp", extended=True)


@pytest.mark.parametrize(
    ("argument", "named"),
    [
        (b"ADDR=192.0.2.1", Named(address=ip_address("192.0.2.1"))),
        (b"addr=IPV6:2001:db8::1", Named(address=ip_address("2001:db8::1"))),
        (b"ADDR=IPV6:::ffff:192.0.2.1", Named(address=ip_address("192.0.2.1"))),
        (b"ADDR=[UNAVAILABLE] HELO=[tempunavail]", Named()),
        (b"PORT=25  PROTO=smtp", Named(port=25, extended=False)),
        (b"PROTO=ESMTP SESSION=tx+201", Named(extended=True, session="tx 1")),
        (b"HELO=mail+2Bx.example.org", Named(helo="mail+x.example.org")),
        (b"HELO=+E4+BE+8B", Named(helo="例")),
    ],
)
def test_what_a_peer_says_of_its_client_is_understood(argument: bytes, named: Named) -> None:
    assert parse_xclient(argument) == named


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        (b"", BAD_ATTRIBUTE),
        (b"ADDR", BAD_ATTRIBUTE),
        (b"ADDR=", BAD_ATTRIBUTE),
        (b"NAME=mail.example.org", BAD_ATTRIBUTE),
        (b"ADDR=192.0.2.1 ADDR=192.0.2.2", BAD_ATTRIBUTE),
        (b"ADDR=192.0.2.1 LOGIN=root", BAD_ATTRIBUTE),
        (b"HELO=caf\xc3\xa9", BAD_ATTRIBUTE),
        (b"ADDR=192.0.2.256", BAD_VALUE),
        (b"ADDR=2001:db8::1", BAD_VALUE),
        (b"ADDR=IPV6:fe80::1%eth0", BAD_VALUE),
        (b"PORT=65536", BAD_VALUE),
        (b"PORT=+32", BAD_VALUE),
        (b"PROTO=HTTP", BAD_VALUE),
        (b"HELO=a+", BAD_VALUE),
        (b"HELO=a+0D+0AMAIL", BAD_VALUE),
        (b"HELO=+FF", BAD_VALUE),
        (b"SESSION=" + b"x" * 256, BAD_VALUE),
    ],
)
def test_what_cannot_be_meant_is_refused(argument: bytes, reply: Reply) -> None:
    assert parse_xclient(argument) == reply


def test_what_is_not_named_again_keeps_its_value() -> None:
    before = Named(ip_address("192.0.2.1"), 25, "mail.example.org", extended=True, session="one")

    named = parse_xclient(b"ADDR=192.0.2.2 SESSION=two", before)

    assert named == Named(ip_address("192.0.2.2"), 25, "mail.example.org", extended=True, session="two")


def test_for_what_it_did_not_say_the_peer_stands_itself() -> None:
    assert origin(PEER, Named()) == PEER
    assert origin(PEER, Named(address=ip_address("192.0.2.1"), helo="mail.example.org")) == Client(
        ip_address("192.0.2.1"), 40000, "mail.example.org", extended=True
    )


@given(
    address=st.ip_addresses().filter(lambda one: not getattr(one, "ipv4_mapped", None)),
    port=st.integers(0, 65535),
    helo=st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=60),
    extended=st.booleans(),
    session=st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=60),
)
def test_our_own_relay_is_understood(
    address: str, port: int, helo: str, extended: bool, session: str
) -> None:
    client = Client(ip_address(str(address).partition("%")[0]), port, helo, extended, session=session)

    command = xclient(client, session, frozenset(XCLIENT_ATTRIBUTES))
    named = parse_xclient(command.removeprefix(b"XCLIENT ").removesuffix(b"\r\n"))

    assert isinstance(named, Named)
    assert origin(PEER, named) == client
    assert named.session == session


@given(st.binary(max_size=200))
def test_any_octets_give_an_answer(argument: bytes) -> None:
    assert isinstance(parse_xclient(argument), Named | Reply)
