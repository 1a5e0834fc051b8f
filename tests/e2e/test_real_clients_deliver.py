"""Real clients, real Dovecot: what was sent is what is stored, octet for octet, below the added fields."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterator

import pytest

from tests.rig import clients, specimen
from tests.rig.clients import Sent
from tests.rig.dovecot import Dovecot
from tests.rig.gateway import Gateway
from tests.rig.specimen import Specimen
from tests.rig.wire import Wire

Send = Callable[..., Sent]


def _aiosmtplib(*arguments: object, **options: object) -> Sent:
    return asyncio.run(clients.aiosmtplib_client(*arguments, **options))


SENDERS: dict[str, Send] = {
    "swaks": clients.swaks,
    "curl": clients.curl,
    "msmtp": clients.msmtp,
    "smtplib": clients.smtplib_client,
    "aiosmtplib": _aiosmtplib,
}
SPECIMENS = (
    specimen.ordinary,
    specimen.eight_bit,
    specimen.long_lines,
    specimen.leading_dots,
    specimen.empty_body,
)
# swaks puts a CRLF of its own in front of the final dot.
CANNOT = {("swaks", "empty body")}


@pytest.fixture
def stored(dovecot: Dovecot) -> Iterator[Callable[[str], list[bytes]]]:
    """What came in for a user during this test."""
    before = {user: len(dovecot.messages(user)) for user in dovecot.users}

    def new(user: str = "taro") -> list[bytes]:
        return dovecot.messages(user)[before[f"{user}@example.jp"] :]

    return new


@pytest.mark.parametrize("tls", [False, True], ids=["in clear", "STARTTLS"])
@pytest.mark.parametrize("make", SPECIMENS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("client", SENDERS)
def test_a_client_delivers_every_octet(
    client: str,
    make: Callable[[], Specimen],
    tls: bool,
    gateway: Gateway,
    stored: Callable[[], list[bytes]],
) -> None:
    sent = make()
    if (client, sent.name) in CANNOT:
        sent = Specimen("one empty line", sent.octets + b"\r\n")

    answer = SENDERS[client](gateway.smtp, sent.octets, tls=tls)

    assert answer.accepted, answer.words
    (message,) = stored()
    specimen.added(message, sent.octets)
    assert specimen.digest(specimen.body(message)) == specimen.digest(sent.body)


def test_the_added_fields_name_gateway_client_and_protocol(
    gateway: Gateway, stored: Callable[[], list[bytes]]
) -> None:
    sent = specimen.ordinary()

    assert clients.swaks(gateway.smtp, sent.octets, tls=True).accepted

    (message,) = stored()
    fields = (
        specimen.added(message, sent.octets).replace(b"\r\n\t", b" ").replace(b"\r\n ", b" ").split(b"\r\n")
    )
    (received,) = [line for line in fields if line.startswith(b"Received:") and b"by mx.example.jp" in line]
    assert b"from client.example.org" in received
    assert b"[127.0.0.1]" in received
    assert b"with ESMTPS" in received
    assert b"for <taro@example.jp>" in received
    assert sum(line.startswith(b"X-MXGW-Fingerprint:") for line in fields) == 1


@pytest.mark.parametrize("client", ["smtplib", "aiosmtplib"])
@pytest.mark.parametrize("sender", ["sender@example.org", "送信者@example.org", "sender@例え.jp"])
def test_internationalised_mail_arrives_whatever_its_sender_is_called(
    client: str, sender: str, gateway: Gateway, stored: Callable[[], list[bytes]]
) -> None:
    sent = specimen.utf8_header()

    answer = SENDERS[client](gateway.smtp, sent.octets, sender=sender, options=["SMTPUTF8", "BODY=8BITMIME"])

    assert answer.accepted, answer.words
    (message,) = stored()
    specimen.added(message, sent.octets)


@pytest.mark.parametrize("keep", [False, True], ids=["new connections", "kept connections"])
def test_smtp_source_delivers_as_it_does_directly(keep: bool, dovecot: Dovecot, gateway: Gateway) -> None:
    send = functools.partial(clients.smtp_source, messages=20, sessions=4, octets=5000, keep=keep)

    directly = send(("127.0.0.1", dovecot.port), lmtp=True, recipient="hanako@example.jp")
    through = send(gateway.smtp, recipient="jiro@example.jp")

    assert directly.accepted, directly.words
    assert through.accepted, through.words
    bodies = [
        sorted(specimen.digest(specimen.body(message)) for message in dovecot.messages(user)[-20:])
        for user in ("hanako", "jiro")
    ]
    assert len(bodies[1]) == 20
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("tls", [False, True], ids=["in clear", "STARTTLS"])
def test_bdat_carries_what_no_data_could(
    tls: bool, gateway: Gateway, stored: Callable[[], list[bytes]]
) -> None:
    """Several chunks, their borders inside a CRLF, a lone dot, and no CRLF at the end."""
    block = specimen.header("no final CRLF")
    chunks = (block[:-3], block[-3:] + b"first\r", b"\n.\r\n..\r\n", b"last line without its end")

    with Wire(gateway.smtp) as wire:
        assert "CHUNKING" in wire.greet()
        if tls:
            assert "CHUNKING" in wire.starttls()
        assert all(
            reply.startswith("250") for reply in wire.envelope("sender@example.org", ["taro@example.jp"])
        )
        reply = wire.bdat(*chunks)

    assert reply.startswith("250 2.0.0"), reply
    (message,) = stored()
    sent = b"".join(chunks)
    # Dovecot ends a last line that has no end; nothing else may differ.
    specimen.added(message.removesuffix(b"\r\n"), sent)


def test_an_empty_bdat_last_ends_a_message(gateway: Gateway, stored: Callable[[], list[bytes]]) -> None:
    sent = specimen.ordinary()

    with Wire(gateway.smtp) as wire:
        wire.greet()
        wire.envelope("sender@example.org", ["taro@example.jp"])
        reply = wire.bdat(sent.octets, b"")

    assert reply.startswith("250"), reply
    (message,) = stored()
    specimen.added(message, sent.octets)


@pytest.mark.parametrize("client", ["curl", "smtplib"])
@pytest.mark.parametrize("tls", [False, True], ids=["in clear", "STARTTLS"])
def test_the_largest_message_arrives_whole(
    client: str, tls: bool, gateway: Gateway, stored: Callable[[], list[bytes]]
) -> None:
    sent = specimen.largest()

    answer = SENDERS[client](gateway.smtp, sent.octets, tls=tls)

    assert answer.accepted, answer.words
    (message,) = stored()
    specimen.added(message, sent.octets)


def test_one_octet_more_than_the_largest_is_refused_for_good(
    gateway: Gateway, stored: Callable[[], list[bytes]]
) -> None:
    sent = specimen.largest(octets=specimen.MAX_MESSAGE_OCTETS + 1)

    with Wire(gateway.smtp) as wire:
        wire.greet()
        wire.envelope("sender@example.org", ["taro@example.jp"])
        reply = wire.data(sent.octets)

    assert reply.startswith("552 5.3.4"), reply
    assert stored() == []


def test_one_message_for_many_mailboxes_is_in_each(
    gateway: Gateway, stored: Callable[[str], list[bytes]]
) -> None:
    sent = specimen.ordinary()
    users = [f"u{n}" for n in range(20)]

    answer = clients.smtplib_client(
        gateway.smtp, sent.octets, recipients=[f"{user}@example.jp" for user in users]
    )

    assert answer.accepted, answer.words
    for user in users:
        (message,) = stored(user)
        specimen.added(message, sent.octets)
