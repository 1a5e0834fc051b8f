"""Who may talk, and as whom: PROXY headers, and sessions at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.rfc.edge import HOSTNAME, Edge
from tests.rfc.wire import StrictWire

Edges = Callable[[Mapping[str, str]], Edge]

BEHIND_A_BALANCER = {"MXGW_PROXY_FROM": "127.0.0.0/8", "MXGW_MAX_SESSIONS_PER_CLIENT": "2"}

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V2_IPV4 = SIGNATURE + b"\x21\x11\0\x0c" + bytes([192, 0, 2, 17, 198, 51, 100, 1]) + b"\x9c\x40\0\x19"


def deliver(wire: StrictWire, helo: str = "client.example") -> None:
    assert wire.reply().startswith(f"220 {HOSTNAME}")
    assert wire.command(f"EHLO {helo}").startswith("250")
    assert wire.envelope("alice@sender.example", ["taro@example.org"])[1].startswith("250")
    assert wire.data(b"Subject: who\r\n\r\n").startswith("250")


@pytest.mark.parametrize(
    ("header", "address", "literal"),
    [
        (b"PROXY TCP4 192.0.2.17 198.51.100.1 40000 25\r\n", "192.0.2.17", "[192.0.2.17]"),
        (b"PROXY TCP6 2001:db8::17 2001:db8::1 40000 25\r\n", "2001:db8::17", "[IPv6:2001:db8::17]"),
        (b"PROXY TCP6 ::ffff:192.0.2.17 ::1 40000 25\r\n", "192.0.2.17", "[192.0.2.17]"),
        (V2_IPV4, "192.0.2.17", "[192.0.2.17]"),
    ],
    ids=["v1 IPv4", "v1 IPv6", "v1 IPv4 in IPv6", "v2 IPv4"],
)
def test_the_client_of_a_balancer_is_the_client_of_the_session(
    edges: Edges, header: bytes, address: str, literal: str
) -> None:
    edge = edges(BEHIND_A_BALANCER)
    known = len(edge.gateway.transactions())

    with edge.connect() as wire:
        wire.send(header)
        deliver(wire)

    (event,) = edge.gateway.wait_for("transaction", count=known + 1)[known:]
    assert event["client"] == address
    assert literal in edge.home.messages[-1].content.decode()


def test_the_client_of_a_balancer_stays_the_same_under_tls(edges: Edges) -> None:
    edge = edges(BEHIND_A_BALANCER)

    with edge.connect() as wire:
        wire.send(V2_IPV4)
        wire.reply()
        wire.command("EHLO client.example")
        assert wire.command("STARTTLS").startswith("220")
        wire.handshake()
        wire.command("EHLO client.example")
        wire.envelope("alice@sender.example", ["taro@example.org"])
        assert wire.data(b"Subject: TLS\r\n\r\n").startswith("250")

    assert b"[192.0.2.17]" in edge.home.messages[-1].content


def test_sessions_of_one_network_are_bounded_by_the_clients_address(edges: Edges) -> None:
    # RFC 5321 section 4.5.4.2: some limit may be imposed. 421: come back later, not never.
    edge = edges(BEHIND_A_BALANCER)
    one, two, three, other = (edge.connect() for _ in range(4))
    with one, two, three, other:
        for wire, last in ((one, 1), (two, 2), (three, 3)):
            wire.send(b"PROXY TCP4 203.0.113.%d 198.51.100.1 40000 25\r\n" % last)
            said = wire.reply()
            assert said.startswith("220" if last < 3 else "421 4.7.0"), said
        three.closed()
        other.send(b"PROXY TCP4 198.18.0.1 198.51.100.1 40000 25\r\n")
        assert other.reply().startswith("220")

        assert one.command("QUIT").startswith("221")
        one.closed()
        with edge.connect() as again:
            again.send(b"PROXY TCP4 203.0.113.9 198.51.100.1 40000 25\r\n")
            assert again.reply().startswith("220")


def test_sessions_in_all_are_bounded(edges: Edges) -> None:
    edge = edges({"MXGW_MAX_SESSIONS": "3", "MXGW_MAX_SESSIONS_PER_CLIENT": "3"})
    sessions = [edge.session() for _ in range(3)]

    with edge.connect() as wire:
        assert wire.reply().startswith("421 4.3.2")
        wire.closed()
    for session in sessions:
        assert session.command("NOOP").startswith("250")
        session.command("QUIT")
        session.closed()
        session.close()
    with edge.session() as wire:
        assert wire.command("NOOP").startswith("250")


def test_an_early_talker_is_told_and_its_words_are_not_executed(edges: Edges) -> None:
    edge = edges({"MXGW_CHECKS": "recipient,pregreet", "MXGW_PREGREET_SECONDS": "0.2"})

    with edge.connect() as wire:
        wire.group("EHLO client.example", "MAIL FROM:<alice@sender.example>", "RCPT TO:<taro@example.org>")
        said = wire.rest().decode()
    with edge.session() as wire:
        assert wire.command("NOOP").startswith("250")

    assert said[:4] in ("554 ", "421 ", "521 ", "451 ")
    assert said.count("\r\n") == 1
