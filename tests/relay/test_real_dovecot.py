"""The relay against the home that it is made for: a real Dovecot."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from ipaddress import IPv6Address

import psutil
import pytest

from mxgw.envelope import Body, Client, MailParameters, ReversePath
from mxgw.relay import Parcel
from tests.relay.support import CLIENT, CONTENT, SENDER, mailbox, parcel, relay_to, said
from tests.rig.dovecot import Dovecot

MESSAGE = b"From: alice@example.org\r\nSubject: =?utf-8?q?hello?=\r\n\r\n" + CONTENT
QUOTA_OCTETS = 20_000


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    """Home without a look at the quota before the content: so a full mailbox shows after it."""
    users = {"taro": None, "hanako": None, "jiro": None, "full": QUOTA_OCTETS}
    with Dovecot(users, duplicate=False, rcpt_check_quota=False) as home:
        yield home


@asynccontextmanager
async def without_chunking(port: int) -> AsyncIterator[int]:
    """A wire to Dovecot that takes CHUNKING out of its LHLO, so that content goes by DATA."""
    wires: set[asyncio.Task[None]] = set()

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(65536):
                sink.write(piece.replace(b"250-CHUNKING\r\n", b""))
                await sink.drain()
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        wires.add(task)
        home_reader, home_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(copy(reader, home_writer), copy(home_reader, writer))
        finally:
            home_writer.close()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for wire in wires:
            wire.cancel()
        await asyncio.gather(*wires, return_exceptions=True)
        await server.wait_closed()


def stored(dovecot: Dovecot, user: str) -> list[bytes]:
    """What arrived, without the fields that Dovecot puts in front."""
    return [MESSAGE[:5] + message.split(MESSAGE[:5], 1)[1] for message in dovecot.messages(user)]


@pytest.mark.parametrize("way", ["bdat", "data"])
async def test_content_arrives_octet_for_octet(dovecot: Dovecot, way: str) -> None:
    contents = [
        MESSAGE + ending
        for ending in (b"", b".\r\n", b"..\r\n.\r\n", "日本語\r\n".encode(), b"x" * 20_000 + b"\r\n")
    ]
    contents.append(MESSAGE + b".a line\r\n" * 200_000)
    if way == "bdat":
        contents.append(MESSAGE + b"no line end here")
    before = len(dovecot.messages("hanako"))
    async with contextlib.AsyncExitStack() as stack:
        port = (
            dovecot.port if way == "bdat" else await stack.enter_async_context(without_chunking(dovecot.port))
        )
        relay = await stack.enter_async_context(relay_to(port))
        for number, content in enumerate(contents):
            message = parcel("hanako", content=content, id=f"{way}{number}")
            [answer] = await relay.deliver(message)
            assert answer.stored, answer
        assert relay.offers("CHUNKING") is (way == "bdat")
        assert relay.status().connections == 1

    assert sorted(stored(dovecot, "hanako")[before:]) == sorted(contents)


async def test_mixed_answers_are_each_recipients_own(dovecot: Dovecot) -> None:
    big = MESSAGE + b"x" * 76 + b"\r\n"
    big += b"y" * QUOTA_OCTETS + b"\r\n"
    for ways in range(2):
        async with contextlib.AsyncExitStack() as stack:
            port = dovecot.port
            if ways:
                port = await stack.enter_async_context(without_chunking(port))
            relay = await stack.enter_async_context(relay_to(port))

            answers = await relay.deliver(
                parcel("taro", "nobody", "full", "jiro", "taro@example.com", content=big)
            )
            following = await relay.deliver(parcel("jiro", content=MESSAGE))

            assert [text[:9] for text in said(answers)] == [
                "250 2.0.0",
                "550 5.1.1",
                "552 5.2.2",
                "250 2.0.0",
                "550 5.1.1",
            ]
            assert following[0].stored
            assert relay.status().connections == 1


async def test_a_message_that_nobody_takes_leaves_the_connection_fit_for_the_next(dovecot: Dovecot) -> None:
    async with contextlib.AsyncExitStack() as stack:
        ports = [dovecot.port, await stack.enter_async_context(without_chunking(dovecot.port))]
        for port in ports:
            relay = await stack.enter_async_context(relay_to(port))
            for number in range(3):
                refused = await relay.deliver(parcel("nobody", "noone", content=MESSAGE, id=f"no{number}"))
                taken = await relay.deliver(parcel("taro", content=MESSAGE, id=f"yes{number}"))

                assert [text[:9] for text in said(refused)] == ["550 5.1.1"] * 2
                assert f"yes{number}" in said(taken)[0]
            assert relay.status().connections == 1


async def test_questions_and_deliveries_share_one_connection(dovecot: Dovecot) -> None:
    async with relay_to(dovecot.port) as relay:
        for number in range(5):
            answers = await relay.ask(SENDER, [mailbox("taro"), mailbox("nobody"), mailbox("hanako")])
            assert [text[:9] for text in said(answers)] == ["250 2.1.5", "550 5.1.1", "250 2.1.5"]
            assert (await relay.deliver(parcel("taro", content=MESSAGE, id=f"q{number}")))[0].stored

        assert relay.status().connections == 1


async def test_dovecot_knows_each_message_by_our_id_and_its_client(dovecot: Dovecot) -> None:
    clients = [CLIENT, Client(IPv6Address("2001:db8::25"), 4711, "[IPv6:2001:db8::25]", extended=False)]
    async with relay_to(dovecot.port) as relay:
        for number in range(6):
            message = parcel("taro", "nobody", content=MESSAGE, id=f"id-{number}", client=clients[number % 2])
            answers = await relay.deliver(message)
            assert f"id-{number}" in said(answers)[0]

        assert relay.status().connections == 1
    async with asyncio.timeout(10):
        while "Disconnect from 2001:db8::25" not in dovecot.log():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_dovecot_that_does_not_trust_us_is_told_no_client() -> None:
    with Dovecot({"taro": None}, duplicate=False, trusted="192.0.2.1") as home:
        async with relay_to(home.port) as relay:
            for _ in range(3):
                assert (await relay.deliver(parcel("taro", content=MESSAGE)))[0].stored
            assert relay.offers("XCLIENT") is False
            assert relay.status().connections == 1


async def test_what_dovecot_cannot_carry_is_not_sent(dovecot: Dovecot) -> None:
    parameters = MailParameters(size_octets=100, body=Body.EIGHT_BIT_MIME, smtputf8=True)
    message = parcel(
        "taro", "たろう", content=MESSAGE, sender=ReversePath("jürgen", "例え.jp"), parameters=parameters
    )
    before = len(dovecot.messages("taro"))
    async with relay_to(dovecot.port) as relay:
        answers = await relay.deliver(message)

    assert answers[0].stored
    assert said(answers)[1].startswith("550 5.6.7")
    assert dovecot.messages("taro")[before:][0].startswith(b"Return-Path: <>\r\n")


def lmtp_workers(dovecot: Dovecot) -> list[int]:
    workers = []
    for child in psutil.Process(dovecot.child.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.name() == "lmtp":
                workers.append(child.pid)
    return workers


def struck_in_the_middle(dovecot: Dovecot, number: signal.Signals) -> Parcel:
    """A long message; half of it is given, then every LMTP worker gets the signal."""
    half = MESSAGE + b"x" * 4_000_000 + b"\r\n"
    message = parcel("taro", "hanako", octets=2 * len(half))

    def chunks() -> Iterator[bytes]:
        yield half
        for pid in lmtp_workers(dovecot):
            os.kill(pid, number)
        yield half

    object.__setattr__(message, "chunks", chunks)
    return message


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("way", ["bdat", "data"])
async def test_a_worker_that_ends_in_the_middle_leaves_no_promise_without_a_message(
    dovecot: Dovecot, number: signal.Signals, way: str
) -> None:
    before = len(dovecot.messages("taro"))
    async with contextlib.AsyncExitStack() as stack:
        port = (
            dovecot.port if way == "bdat" else await stack.enter_async_context(without_chunking(dovecot.port))
        )
        relay = await stack.enter_async_context(relay_to(port))

        answers = await relay.deliver(struck_in_the_middle(dovecot, number))

        arrived = len(dovecot.messages("taro")) - before
        if number is signal.SIGKILL:
            assert said(answers) == ["closed", "closed"]
            assert arrived == 0
        else:
            # A worker that is asked to end may say 421, store the message first, or take it to its end.
            assert answers[0].stored or said(answers)[0] == "closed"
            assert answers[0].stored <= arrived
        # A worker that is ending may still take a connection, only to close it.
        async with asyncio.timeout(20):
            while not (answer := (await relay.deliver(parcel("taro", content=MESSAGE)))[0]).stored:
                assert answer.trouble, answer


async def test_a_killed_dovecot_is_noticed_while_idle_and_found_again(dovecot: Dovecot) -> None:
    async with relay_to(dovecot.port) as relay:
        assert (await relay.deliver(parcel("taro", content=MESSAGE)))[0].stored

        dovecot.kill()
        assert said(await relay.deliver(parcel("taro", content=MESSAGE))) == ["connect-failed"]
        dovecot.start()
        assert (await relay.deliver(parcel("taro", content=MESSAGE)))[0].stored


async def test_no_message_is_lost_or_promised_falsely_while_workers_are_killed(dovecot: Dovecot) -> None:
    """Every message that was said to be stored is there; what was not, may be tried again."""
    rounds, senders = 12, 8
    acknowledged: list[bytes] = []

    def content(sender: int, number: int) -> bytes:
        return MESSAGE + b"message %d of %d\r\n" % (number, sender) + b"z" * 50_000 + b"\r\n"

    before = len(dovecot.messages("jiro"))
    async with relay_to(dovecot.port) as relay:

        async def send(sender: int) -> None:
            for number in range(rounds):
                body = content(sender, number)
                [answer] = await relay.deliver(parcel("jiro", content=body, id=f"k{sender}-{number}"))
                assert not answer.refused
                if answer.stored:
                    acknowledged.append(body)

        async def kill() -> None:
            for _ in range(15):
                await asyncio.sleep(0.05)
                for pid in lmtp_workers(dovecot)[:2]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

        await asyncio.gather(kill(), *(send(sender) for sender in range(senders)))

    arrived = stored(dovecot, "jiro")[before:]
    assert len(acknowledged) > 0
    assert set(acknowledged) <= set(arrived)
