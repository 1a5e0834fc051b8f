"""What the tests of the relay share: quick timing, short names for paths and parcels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from typing import Any

from mxgw.channel import Timing
from mxgw.dialer import Dialer, DirectDialer
from mxgw.envelope import Client, ForwardPath, MailParameters, ReversePath
from mxgw.outcome import HomeAnswer
from mxgw.relay import Parcel, Relay

QUICK = Timing(
    banner_seconds=0.5,
    reply_seconds=0.5,
    stale_seconds=0.3,
    ask_seconds=2.0,
    dial_pause_seconds=0.01,
    idle_seconds=30.0,
    probe_seconds=60.0,
)
"""For tests that wait for the end of our patience."""

PATIENT = Timing(dial_pause_seconds=0.01)
"""For tests in which somebody answers: however busy the machine, it is not taken for a silent home."""

SENDER = ReversePath("alice", "example.org")
CLIENT = Client(IPv4Address("192.0.2.7"), 2525, "mail.example.org", extended=True)
CONTENT = b"Subject: hello\r\n\r\n.one\r\n..two\r\nthree\r\n"


def mailbox(text: str) -> ForwardPath:
    local, _, domain = text.partition("@")
    return ForwardPath(local, domain or "example.jp")


def parcel(
    *to: str,
    content: bytes = CONTENT,
    sender: ReversePath = SENDER,
    parameters: MailParameters = MailParameters(),  # noqa: B008 - frozen
    client: Client = CLIENT,
    id: str = "tx1",  # noqa: A002 - Parcel's own word
    octets: int | None = None,
) -> Parcel:
    def chunks() -> Iterator[bytes]:
        return (content[start : start + 65536] for start in range(0, len(content), 65536))

    return Parcel(
        id=id,
        client=client,
        reverse_path=sender,
        forward_paths=tuple(map(mailbox, to or ("taro",))),
        parameters=parameters,
        octets=len(content) if octets is None else octets,
        chunks=chunks,
    )


def said(answers: tuple[HomeAnswer, ...]) -> list[str]:
    """Answers as words: a reply with its text, or the name of a trouble."""
    return [str(answer.reply) if answer.reply else str(answer.trouble) for answer in answers]


@asynccontextmanager
async def relay_to(port: int, *, dialer: Dialer | None = None, **options: Any) -> AsyncIterator[Relay]:
    """A relay without its background task."""
    options = {"timing": PATIENT, "relay_seconds": 60.0, **options}
    relay = Relay(dialer or DirectDialer("127.0.0.1", port, 10.0), hostname="edge.example", **options)
    try:
        yield relay
    finally:
        relay.close()
