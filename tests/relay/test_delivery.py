"""Delivery to a scripted home on a real socket: what leaves in which write, and whose answer is whose."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Iterator

import pytest

from mxgw.envelope import NULL_REVERSE_PATH, Body, MailParameters, ReversePath
from tests.relay.support import CONTENT, SENDER, mailbox, parcel, relay_to, said
from tests.rig.homeserver import DOVECOT_TRUSTING, PIPELINING_AND_CHUNKING, HomeServer, Raw, Stall, Until

WAYS = {
    "one-write": PIPELINING_AND_CHUNKING,
    "xclient": DOVECOT_TRUSTING,
    "data": ("PIPELINING",),
    "lock-step-bdat": ("CHUNKING",),
    "lock-step-data": (),
}
LARGE = b".a line that begins with a dot\r\n" * 20_000


@pytest.fixture(params=WAYS.values(), ids=WAYS.keys())
def extensions(request: pytest.FixtureRequest) -> tuple[str, ...]:
    way: tuple[str, ...] = request.param
    return way


@pytest.mark.parametrize(
    "content",
    [
        CONTENT,
        b"",
        b".",
        b"\r\n",
        b".\r\n",
        b"no end of line",
        b"\xff8-bit\r\n",
        b"x" * 5000 + b"\r\n",
        LARGE,
    ],
    ids=["dots", "empty", "dot", "line-end", "dot-line", "no-end", "8-bit", "long-line", "large"],
)
async def test_content_arrives_octet_for_octet(extensions: tuple[str, ...], content: bytes) -> None:
    async with HomeServer(extensions) as home, relay_to(home.port) as relay:
        answers = await relay.deliver(parcel("taro", content=content))

        assert said(answers) == ["250 2.0.0 Stored"]
        [message] = home.messages
        # DATA cannot say "no line end here": a missing one is added. BDAT carries what is there.
        by_data = "CHUNKING" not in extensions
        end = b"\r\n" if by_data and content and not content.endswith(b"\r\n") else b""
        assert message.content == content + end
        assert message.reverse_path == "alice@example.org"
        assert home.violations == []


async def test_each_recipient_gets_its_own_answer(extensions: tuple[str, ...]) -> None:
    async with HomeServer(extensions) as home, relay_to(home.port) as relay:
        home.rcpt = {"nobody@example.jp": "550 5.1.1 No such user", "busy@example.jp": "450 4.2.1 Busy"}
        home.final = {"full@example.jp": "452 4.2.2 Full", "spam@example.jp": "554 5.7.1 No"}

        answers = await relay.deliver(parcel("taro", "nobody", "full", "busy", "spam", "hanako"))

        assert said(answers) == [
            "250 2.0.0 Stored",
            "550 5.1.1 No such user",
            "452 4.2.2 Full",
            "450 4.2.1 Busy",
            "554 5.7.1 No",
            "250 2.0.0 Stored",
        ]
        assert [message.forward_path for message in home.messages] == ["taro@example.jp", "hanako@example.jp"]


async def test_one_connection_serves_message_after_message(extensions: tuple[str, ...]) -> None:
    async with HomeServer(extensions) as home, relay_to(home.port) as relay:
        home.rcpt["nobody@example.jp"] = "550 5.1.1 No such user"

        for number in range(3):
            assert said(await relay.deliver(parcel("taro", id=f"a{number}"))) == ["250 2.0.0 Stored"]
            assert said(await relay.deliver(parcel("nobody"))) == ["550 5.1.1 No such user"]
            assert said(await relay.ask(SENDER, [mailbox("nobody"), mailbox("taro")])) == [
                "550 5.1.1 No such user",
                "250 2.1.5 OK",
            ]
            assert said(await relay.deliver(parcel("hanako", content=LARGE))) == ["250 2.0.0 Stored"]

        assert home.connections == 1
        assert len(home.messages) == 6
        assert home.violations == []


async def test_a_small_message_and_its_envelope_leave_in_one_write() -> None:
    async with HomeServer(DOVECOT_TRUSTING) as home, relay_to(home.port) as relay:
        await relay.deliver(parcel("taro", id="tx1"))
        home.writes.clear()
        home.transcript.clear()

        await relay.deliver(parcel("taro", "hanako", id="tx2"))

        assert len(home.writes) == 1
        assert home.commands() == [
            "XCLIENT ADDR=192.0.2.7 PORT=2525 HELO=mail.example.org PROTO=ESMTP SESSION=tx2",
            "LHLO edge.example",
            "MAIL FROM:<alice@example.org>",
            "RCPT TO:<taro@example.jp>",
            "RCPT TO:<hanako@example.jp>",
            f"BDAT {len(CONTENT)} LAST",
            f"[{len(CONTENT)} octets]",
        ]


async def test_with_data_the_envelope_is_one_write_and_the_content_another() -> None:
    async with HomeServer(("PIPELINING",)) as home, relay_to(home.port) as relay:
        await relay.ask(SENDER, [mailbox("taro")])
        home.writes.clear()

        await relay.deliver(parcel("taro", "hanako"))

        assert len(home.writes) == 2


async def test_a_question_is_one_write_and_one_round_trip() -> None:
    async with HomeServer() as home, relay_to(home.port) as relay:
        await relay.ask(SENDER, [mailbox("taro")])
        home.writes.clear()
        home.transcript.clear()

        answers = await relay.ask(SENDER, [mailbox("taro"), mailbox("hanako")])

        assert said(answers) == ["250 2.1.5 OK", "250 2.1.5 OK"]
        assert len(home.writes) == 1
        assert home.commands() == [
            "MAIL FROM:<alice@example.org>",
            "RCPT TO:<taro@example.jp>",
            "RCPT TO:<hanako@example.jp>",
            "RSET",
        ]


async def test_home_is_told_only_what_its_lhlo_offered() -> None:
    parameters = MailParameters(size_octets=999, body=Body.EIGHT_BIT_MIME, smtputf8=True)
    sender = ReversePath("jürgen", "example.org")
    message = parcel("taro", "たろう", sender=sender, parameters=parameters)

    async with HomeServer(("PIPELINING",)) as home, relay_to(home.port) as relay:
        answers = await relay.deliver(message)

        assert said(answers)[0] == "250 2.0.0 Stored"
        assert said(answers)[1].startswith("550 5.6.7 ")
        assert "MAIL FROM:<>" in home.commands()
        assert "RCPT TO:<たろう@example.jp>" not in home.commands()
        assert home.violations == []

    offers = (*PIPELINING_AND_CHUNKING, "SIZE 1000", "SMTPUTF8")
    async with HomeServer(offers) as home, relay_to(home.port) as relay:
        answers = await relay.deliver(message)

        assert said(answers) == ["250 2.0.0 Stored"] * 2
        assert f"MAIL FROM:<jürgen@example.org> SIZE={len(CONTENT)} BODY=8BITMIME SMTPUTF8" in home.commands()
        assert home.violations == []


async def test_a_message_for_nobody_that_home_could_name_is_answered_without_asking() -> None:
    async with HomeServer() as home, relay_to(home.port) as relay:
        answers = await relay.deliver(parcel("たろう", '"a>b"'))

        assert [text[:9] for text in said(answers)] == ["550 5.6.7", "550 5.1.3"]
        assert home.commands() == ["LHLO edge.example"]


async def test_a_failure_report_keeps_its_null_reverse_path() -> None:
    async with HomeServer() as home, relay_to(home.port) as relay:
        await relay.deliver(parcel("taro", sender=NULL_REVERSE_PATH))

        assert home.messages[0].reverse_path == ""
        assert "MAIL FROM:<>" in home.commands()


async def test_when_data_is_granted_although_nobody_is_there_an_empty_message_ends_it() -> None:
    async with HomeServer(("PIPELINING",)) as home, relay_to(home.port) as relay:
        home.default_rcpt = "550 5.1.1 No such user"
        home.nobody = "354 Go ahead"

        assert said(await relay.deliver(parcel("taro"))) == ["550 5.1.1 No such user"]
        home.default_rcpt = "250 2.1.5 OK"
        assert said(await relay.deliver(parcel("taro"))) == ["250 2.0.0 Stored"]

        assert "[0 octets]" in home.commands()
        assert home.connections == 1
        assert home.violations == []


async def test_a_large_content_stops_as_soon_as_nobody_is_left_to_take_it() -> None:
    async with HomeServer() as home, relay_to(home.port) as relay:
        home.default_rcpt = "550 5.1.1 No such user"
        home.during_content = Stall()

        message = parcel("taro", "hanako", octets=10**12)
        object.__setattr__(message, "chunks", lambda: itertools.repeat(b"x" * 65536))

        answers = await relay.deliver(message)

        assert said(answers) == ["550 5.1.1 No such user"] * 2
        assert relay.status().connections == 0


async def test_content_waits_for_a_slow_home_instead_of_filling_memory() -> None:
    size, piece = 64 * 2**20, 65536
    given = 0

    def chunks() -> Iterator[bytes]:
        nonlocal given
        for _ in range(size // piece):
            given += piece
            yield b"x" * piece

    read_on = asyncio.Event()
    message = parcel("taro", octets=size)
    object.__setattr__(message, "chunks", chunks)
    async with HomeServer() as home, relay_to(home.port) as relay:
        home.keep_content = False
        home.during_content = Until(read_on, Raw(b""))

        delivery = asyncio.create_task(relay.deliver(message))
        before = -1
        while before != given or not given:
            before = given
            await asyncio.sleep(0.1)
        assert given < size / 2, "the kernel's buffers and ours are full, the rest waits"
        read_on.set()

        assert said(await delivery) == ["250 2.0.0 Stored"]
        assert home.messages[0].octets == size
        assert home.messages[0].sha256 == hashlib.sha256(b"x" * size).hexdigest()


async def test_a_content_that_is_not_as_long_as_it_said_is_our_own_trouble() -> None:
    for octets in (len(CONTENT) + 1, len(LARGE) + 1):
        content = CONTENT if octets < len(LARGE) else LARGE
        async with HomeServer() as home, relay_to(home.port) as relay:
            answers = await relay.deliver(parcel("taro", content=content, octets=octets))

            assert said(answers) == ["internal"]
            assert home.messages == []
            assert said(await relay.deliver(parcel("taro"))) == ["250 2.0.0 Stored"]


async def test_a_spool_that_cannot_be_read_is_our_own_trouble(caplog: pytest.LogCaptureFixture) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x" * 65536
        raise OSError("disk gone")

    message = parcel("taro", content=LARGE)
    object.__setattr__(message, "chunks", chunks)
    async with HomeServer() as home, relay_to(home.port) as relay:
        assert said(await relay.deliver(message)) == ["internal"]

        assert home.messages == []
        assert "disk gone" in caplog.text
        assert said(await relay.deliver(parcel("taro"))) == ["250 2.0.0 Stored"]


async def test_a_cancelled_delivery_closes_its_connection() -> None:
    never = asyncio.Event()
    async with HomeServer() as home, relay_to(home.port) as relay:
        home.default_final = [Until(never, "250 2.0.0 Stored"), "250 2.0.0 Stored"]
        delivery = asyncio.create_task(relay.deliver(parcel("taro")))
        await home.heard("BDAT")

        delivery.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivery

        assert relay.status().connections == 0
        assert said(await relay.deliver(parcel("taro"))) == ["250 2.0.0 Stored"]
        assert home.connections == 2
