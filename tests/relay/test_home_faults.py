"""What home may do wrong, at which stage, and what each recipient is then told: a table.

Two recipients; the fault strikes once. Whatever happened, the next message to the same home must be stored
and nothing of the first may be left in its way.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.relay.support import PATIENT, QUICK, SENDER, mailbox, parcel, relay_to, said
from tests.rig.homeserver import (
    DOVECOT_TRUSTING,
    PIPELINING_AND_CHUNKING,
    Act,
    Close,
    Hang,
    HomeServer,
    Raw,
    Reset,
    Stall,
)

# Some hundred cases, each of which waits for a socket: the loop that the program runs on is enough.
pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

ONE_WRITE = PIPELINING_AND_CHUNKING
DATA = ("PIPELINING",)
LOCK_STEP = ()
WAYS = {"one-write": ONE_WRITE, "xclient": DOVECOT_TRUSTING, "data": DATA, "lock-step": LOCK_STEP}

GARBAGE = Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
TORN = Raw(b"250 2.1.0 O", Hang())
TORN_OFF = Raw(b"250 2.1.0 O", Close())

# stage, what home does there, what the two recipients get
TABLE: list[tuple[str, Act, list[str]]] = [
    # A refusal of the session or of MAIL is trouble, whatever its code.
    ("mail", "451 4.3.0 later", ["mail-refused", "mail-refused"]),
    ("mail", "550 5.7.1 not from you", ["mail-refused", "mail-refused"]),
    ("mail", "555 5.5.4 parameter", ["mail-refused", "mail-refused"]),
    ("mail", "354 what", ["garbage", "garbage"]),
    ("mail", "421 4.3.2 shutting down", ["closed", "closed"]),
    ("mail", Close(), ["closed", "closed"]),
    ("mail", Reset(), ["closed", "closed"]),
    ("mail", GARBAGE, ["garbage", "garbage"]),
    ("mail", TORN, ["timeout", "timeout"]),
    ("mail", TORN_OFF, ["closed", "closed"]),
    ("mail", Hang(), ["timeout", "timeout"]),
    ("mail", Stall(), ["timeout", "timeout"]),
    # A reply to RCPT is about that recipient.
    ("rcpt", "450 4.2.1 busy", ["450 4.2.1 busy", "250 2.0.0 Stored"]),
    ("rcpt", "550 5.1.1 unknown", ["550 5.1.1 unknown", "250 2.0.0 Stored"]),
    ("rcpt", "501 5.1.3 syntax", ["501 5.1.3 syntax", "250 2.0.0 Stored"]),
    # ... unless it is about our dialogue.
    ("rcpt", "503 5.5.1 sequence", ["mail-refused", "250 2.0.0 Stored"]),
    ("rcpt", "354 what", ["garbage", "garbage"]),
    ("rcpt", "421 4.3.2 shutting down", ["closed", "closed"]),
    ("rcpt", Close(), ["closed", "closed"]),
    ("rcpt", Reset(), ["closed", "closed"]),
    ("rcpt", GARBAGE, ["garbage", "garbage"]),
    ("rcpt", Hang(), ["timeout", "timeout"]),
    # The second recipient: what the first got stays.
    ("second rcpt", "550 5.1.1 unknown", ["250 2.0.0 Stored", "550 5.1.1 unknown"]),
    ("second rcpt", "421 4.3.2 shutting down", ["closed", "closed"]),
    ("second rcpt", Close(), ["closed", "closed"]),
    # After the content.
    ("final", "452 4.2.2 full", ["452 4.2.2 full", "250 2.0.0 Stored"]),
    ("final", "552 5.2.2 full", ["552 5.2.2 full", "250 2.0.0 Stored"]),
    ("final", "554 5.7.1 spam", ["554 5.7.1 spam", "250 2.0.0 Stored"]),
    ("final", "500 5.5.1 unknown command", ["data-refused", "data-refused"]),
    ("final", "503 5.5.1 sequence", ["data-refused", "data-refused"]),
    ("final", "354 what", ["garbage", "garbage"]),
    ("final", "421 4.3.2 shutting down", ["closed", "closed"]),
    ("final", Close(), ["closed", "closed"]),
    ("final", Reset(), ["closed", "closed"]),
    ("final", GARBAGE, ["garbage", "garbage"]),
    ("final", Hang(), ["timeout", "timeout"]),
    # Between the two last replies: the first recipient has the message, of the second we know nothing.
    ("second final", "421 4.3.2 shutting down", ["250 2.0.0 Stored", "closed"]),
    ("second final", Close(), ["250 2.0.0 Stored", "closed"]),
    ("second final", Reset(), ["250 2.0.0 Stored", "closed"]),
    ("second final", GARBAGE, ["250 2.0.0 Stored", "garbage"]),
    ("second final", Hang(), ["250 2.0.0 Stored", "timeout"]),
    ("second final", "451 4.3.0 disk", ["250 2.0.0 Stored", "451 4.3.0 disk"]),
]

# Only where there is a DATA command.
DATA_TABLE: list[tuple[str, Act, list[str]]] = [
    ("data", "451 4.3.0 later", ["data-refused", "data-refused"]),
    ("data", "554 5.7.1 no", ["data-refused", "data-refused"]),
    ("data", "503 5.5.1 sequence", ["data-refused", "data-refused"]),
    ("data", "250 2.0.0 what", ["garbage", "garbage"]),
    ("data", "421 4.3.2 shutting down", ["closed", "closed"]),
    ("data", Close(), ["closed", "closed"]),
    ("data", Reset(), ["closed", "closed"]),
    ("data", GARBAGE, ["garbage", "garbage"]),
    ("data", Hang(), ["timeout", "timeout"]),
]

# While a long content is on its way.
CONTENT_TABLE: list[tuple[Act, list[str]]] = [
    ("552 5.3.4 too big", ["552 5.3.4 too big", "closed"]),
    ("452 4.3.1 no room", ["452 4.3.1 no room", "closed"]),
    ("250 2.0.0 already?", ["garbage", "garbage"]),
    ("421 4.3.2 shutting down", ["closed", "closed"]),
    (Close(), ["closed", "closed"]),
    (Reset(), ["closed", "closed"]),
    (GARBAGE, ["garbage", "garbage"]),
    (Stall(), ["timeout", "timeout"]),
    (Hang(), ["timeout", "timeout"]),
]

OK = {
    "mail": "250 2.1.0 OK",
    "rcpt": "250 2.1.5 OK",
    "data": "354 Go ahead",
    "final": "250 2.0.0 Stored",
}


def set_fault(home: HomeServer, stage: str, act: Act) -> None:
    """Once at this stage, for the first recipient or the second."""
    first, second = "taro@example.jp", "hanako@example.jp"
    match stage:
        case "mail":
            home.mail = [act, OK["mail"]]
        case "data":
            home.data = [act, OK["data"]]
        case "rcpt":
            home.rcpt[first] = [act, OK["rcpt"]]
        case "second rcpt":
            home.rcpt[second] = [act, OK["rcpt"]]
        case "final":
            home.final[first] = [act, OK["final"]]
        case "second final":
            home.final[second] = [act, OK["final"]]
        case _:
            raise AssertionError(stage)


def name(value: object) -> str:
    return value[:3] if isinstance(value, str) and value[:3].isdigit() else str(value)


def patience(expected: list[str]) -> dict[str, Any]:
    """Short where it will come to its end: a home that works on the content is given until the deadline."""
    return {"timing": QUICK, "relay_seconds": 1.0} if "timeout" in expected else {}


async def strike(home: HomeServer, expected: list[str], content: bytes) -> None:
    """The message that is struck, then one that must go through on the same relay."""
    async with relay_to(home.port, **patience(expected)) as relay:
        answers = await relay.deliver(parcel("taro", "hanako", content=content, id="struck"))
        assert said(answers) == expected
        stored = {message.forward_path for message in home.messages}
        promised = zip(("taro@example.jp", "hanako@example.jp"), answers, strict=True)
        assert {path for path, answer in promised if answer.stored} <= stored

        home.messages.clear()
        home.violations.clear()
        following = await relay.deliver(parcel("taro", "hanako", content=b"the next one\r\n", id="next"))
        assert said(following) == ["250 2.0.0 Stored"] * 2
        assert [message.content for message in home.messages] == [b"the next one\r\n"] * 2
        assert home.violations == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("stage", "act", "expected"), TABLE, ids=name)
async def test_fault(way: str, stage: str, act: Act, expected: list[str]) -> None:
    async with HomeServer(WAYS[way]) as home:
        set_fault(home, stage, act)
        await strike(home, expected, b"struck\r\n")


@pytest.mark.parametrize("way", ["data", "lock-step"])
@pytest.mark.parametrize(("stage", "act", "expected"), DATA_TABLE, ids=name)
async def test_fault_at_data(way: str, stage: str, act: Act, expected: list[str]) -> None:
    async with HomeServer(WAYS[way]) as home:
        set_fault(home, stage, act)
        await strike(home, expected, b"struck\r\n")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("act", "expected"), CONTENT_TABLE, ids=name)
async def test_fault_in_the_middle_of_the_content(way: str, act: Act, expected: list[str]) -> None:
    async with HomeServer(WAYS[way]) as home:
        home.during_content = act
        home.during_content_after = 100_000
        await strike(home, expected, b"x" * 78 + b"\r\n" + b"y" * 16_000_000 + b"\r\n")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("stage", "act", "expected"),
    [row for row in TABLE if "final" not in row[0]],
    ids=name,
)
async def test_fault_while_asking(way: str, stage: str, act: Act, expected: list[str]) -> None:
    expected = [text.replace("250 2.0.0 Stored", "250 2.1.5 OK") for text in expected]
    if stage == "second rcpt" and expected[0] == "closed":
        expected[0] = "250 2.1.5 OK"
    async with HomeServer(WAYS[way]) as home, relay_to(home.port, **patience(expected)) as relay:
        set_fault(home, stage, act)

        answers = await relay.ask(SENDER, [mailbox("taro"), mailbox("hanako")])

        assert said(answers) == expected
        assert said(await relay.ask(SENDER, [mailbox("taro")])) == ["250 2.1.5 OK"]
        assert said(await relay.deliver(parcel("hanako"))) == ["250 2.0.0 Stored"]


# The session itself: greeting, LHLO, XCLIENT.


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ("554 5.3.2 not today", "greeting-refused"),
        ("450 4.3.2 busy", "greeting-refused"),
        ("421 4.3.2 too many connections", "greeting-refused"),
        ("354 what", "greeting-refused"),
        (GARBAGE, "garbage"),
        (Hang(), "connect-timeout"),
        (Stall(), "connect-timeout"),
    ],
    ids=name,
)
@pytest.mark.parametrize("stage", ["greeting", "lhlo"])
async def test_a_session_that_home_refuses_is_trouble(stage: str, act: Act, expected: str) -> None:
    timing = QUICK if expected == "connect-timeout" else PATIENT
    async with HomeServer() as home, relay_to(home.port, timing=timing) as relay:
        fine = {"greeting": "220 ready", "lhlo": "250 home.test\nPIPELINING\nCHUNKING"}[stage]
        # A connection that stays silent is tried a second time, as one that is not there.
        setattr(home, stage, [act, act, fine] if expected == "connect-timeout" else [act, fine])

        assert said(await relay.deliver(parcel("taro"))) == [expected]

        assert said(await relay.deliver(parcel("taro"))) == ["250 2.0.0 Stored"]
        assert home.violations == []


@pytest.mark.parametrize("act", [Close(), Reset()], ids=name)
@pytest.mark.parametrize("stage", ["greeting", "lhlo"])
async def test_a_connection_that_closes_before_lhlo_is_dialled_a_second_time(stage: str, act: Act) -> None:
    async with HomeServer() as home, relay_to(home.port) as relay:
        setattr(home, stage, [act, {"greeting": "220 ready", "lhlo": "250 home.test\nPIPELINING"}[stage]])

        assert said(await relay.deliver(parcel("taro"))) == ["250 2.0.0 Stored"]
        assert home.connections == 2

        home.reset_connections()
        setattr(home, stage, act)
        assert said(await relay.deliver(parcel("taro"))) == ["closed"]
        assert home.connections == 4


async def test_a_refused_xclient_sends_the_message_as_from_ourselves_and_is_not_said_again() -> None:
    async with HomeServer(DOVECOT_TRUSTING) as home, relay_to(home.port) as relay:
        home.xclient = "550 5.7.14 You are not from trusted IP"

        assert said(await relay.deliver(parcel("taro", id="one"))) == ["250 2.0.0 Stored"]
        assert said(await relay.deliver(parcel("taro", id="two"))) == ["250 2.0.0 Stored"]

        assert [command for command in home.commands() if command.startswith("XCLIENT")] == [
            "XCLIENT ADDR=192.0.2.7 PORT=2525 HELO=mail.example.org PROTO=ESMTP SESSION=one"
        ]
        assert home.connections == 1


async def test_no_refusal_meant_for_another_client_is_believed() -> None:
    async with HomeServer(DOVECOT_TRUSTING) as home, relay_to(home.port) as relay:
        assert said(await relay.deliver(parcel("taro", id="one"))) == ["250 2.0.0 Stored"]
        home.xclient = ["451 4.3.0 not now", "220 ready"]
        home.final["hanako@example.jp"] = ["554 5.7.1 your address is on a list", "250 2.0.0 Stored"]

        # Home takes this one as from the first client: stored is stored, but a refusal is not meant for it.
        answers = await relay.deliver(parcel("taro", "hanako", id="two"))

        assert said(answers) == ["250 2.0.0 Stored", "garbage"]
        assert relay.status().connections == 0
        assert said(await relay.deliver(parcel("hanako", id="three"))) == ["250 2.0.0 Stored"]
        assert home.messages[-1].xclient["SESSION"] == "three"


async def test_a_connection_that_takes_no_further_xclient_is_used_up() -> None:
    async with HomeServer(DOVECOT_TRUSTING) as home, relay_to(home.port) as relay:
        trusting = "\n".join(["250 home.test", *DOVECOT_TRUSTING])
        distrusting = "\n".join(["250 home.test", *PIPELINING_AND_CHUNKING])
        home.lhlo = [trusting, distrusting, trusting, distrusting]

        for session in ("one", "two"):
            assert said(await relay.deliver(parcel("taro", id=session))) == ["250 2.0.0 Stored"]

        assert [message.xclient["SESSION"] for message in home.messages] == ["one", "two"]
        assert home.connections == 2
