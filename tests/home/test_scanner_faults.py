"""Rspamd that is slow, broken, dead or somebody else: 451 in time, or unscanned where that is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.home.faulty_scanner import Fault, FaultyScanner
from tests.home.sessions import (
    SENDER_ADDRESS,
    SENDER_HELO,
    account,
    bring,
    held_octets,
    hop,
    letter,
    mail,
    stored,
)
from tests.rig.dovecot import Dovecot
from tests.rig.gateway import Gateway
from tests.rig.homedoor import HomeDoor
from tests.rig.process import free_port, wait_until
from tests.rig.rspamd import Rspamd

NOT_SCANNED = "451 4.7.1 The content cannot be checked just now; please try again later #M63"
SCAN_SECONDS = "1"

WORDS = {
    Fault.DEAF: "timeout",
    Fault.SILENT: "timeout",
    Fault.DRIPS: "timeout",
    Fault.RESETS: "broken-off",
    Fault.CLOSES: "broken-off",
    Fault.OVERLOADED: "refused",
    Fault.GARBAGE: "garbage",
    Fault.NO_HTTP: "broken-off",
    Fault.ENDLESS: "garbage",
}


@pytest.fixture
def faulty() -> Iterator[FaultyScanner]:
    with FaultyScanner() as scanner:
        yield scanner


@pytest.fixture(scope="module")
def shared() -> Iterator[FaultyScanner]:
    with FaultyScanner() as scanner:
        yield scanner


@pytest.fixture(scope="module")
def strict(mailboxes: Dovecot, shared: FaultyScanner) -> Iterator[HomeDoor]:
    with HomeDoor(mailboxes.url, rspamd=shared.url, scan_seconds=SCAN_SECONDS) as door:
        yield door
        assert door.tracebacks() == []


@pytest.fixture(scope="module")
def lenient(mailboxes: Dovecot, shared: FaultyScanner) -> Iterator[HomeDoor]:
    with HomeDoor(mailboxes.url, rspamd=shared.url, scan_seconds=SCAN_SECONDS, unscanned="accept") as door:
        yield door
        assert door.tracebacks() == []


@pytest.mark.parametrize("fault", WORDS)
@pytest.mark.parametrize("octets", [200, 2_000_000])
def test_a_scanner_with_a_fault_puts_the_message_off(
    fault: Fault, octets: int, strict: HomeDoor, shared: FaultyScanner, mailboxes: Dovecot
) -> None:
    shared.fault = fault
    subject = f"strict {fault} {octets}"

    message = letter(subject, body="0123456789 \r\n" * (octets // 13))

    replies = bring(strict.lmtp, message, "taro@example.jp", "jiro@example.jp")

    assert replies == [NOT_SCANNED] * 2
    assert stored(mailboxes, subject) == []
    checks = account(strict, message)["checks"]
    # Who answers before it has read everything may be seen as gone instead.
    early = {"refused", "broken-off"} if fault is Fault.OVERLOADED else {WORDS[fault]}
    assert checks["rspamd"] in early


@pytest.mark.parametrize("fault", WORDS)
def test_where_the_administrator_wants_it_the_message_goes_on_unscanned(
    fault: Fault, lenient: HomeDoor, shared: FaultyScanner, mailboxes: Dovecot
) -> None:
    shared.fault = fault

    octets = letter(f"lenient {fault}")

    assert bring(lenient.lmtp, octets)[0].startswith("250")

    assert len(stored(mailboxes, f"lenient {fault}")) == 1
    assert account(lenient, octets)["checks"]["handling"] == "deliver"


def test_nobody_at_the_scanners_port_puts_the_message_off(mailboxes: Dovecot) -> None:
    with HomeDoor(mailboxes.url, rspamd=f"http://127.0.0.1:{free_port()}") as door:
        for octets in (letter("nobody there"), letter("still nobody")):
            assert bring(door.lmtp, octets)[0] == NOT_SCANNED
            assert account(door, octets)["checks"]["rspamd"] == "unreachable"
        # What is wrong is told once, not once a message.
        [told] = [event for event in door.events("log") if "rspamd" in str(event)]
        assert "Connect call failed" in str(told)


def test_the_request_says_whose_message_it_is(mailboxes: Dovecot, faulty: FaultyScanner) -> None:
    with HomeDoor(mailboxes.url, rspamd=faulty.url) as door:
        bring(door.lmtp, letter("whose"), "taro@example.jp", "hanako@example.jp", "taro@example.jp")

    [lines] = faulty.requests
    assert lines[0] == "POST /checkv2 HTTP/1.1"
    for line in (
        f"IP: {SENDER_ADDRESS}",
        f"Helo: {SENDER_HELO}",
        "From: <bounce@bank.example>",
        "Rcpt: <taro@example.jp>",
        "Rcpt: <hanako@example.jp>",
        "MTA-Name: home.example.jp",
        "X-MXGW-Seal: none",
    ):
        assert lines.count(line) == 1, lines


async def test_scans_are_bounded_and_the_others_wait_their_turn(
    mailboxes: Dovecot, faulty: FaultyScanner
) -> None:
    with HomeDoor(mailboxes.url, rspamd=faulty.url, max_scans="2") as door:
        faulty.hold()
        sending = [
            asyncio.create_task(asyncio.to_thread(bring, door.lmtp, letter(f"bounded {n}"))) for n in range(6)
        ]
        await asyncio.to_thread(
            wait_until, lambda: len(faulty.requests) == 2, seconds=30, what="two are being scanned"
        )
        faulty.release()

        assert all(replies[0].startswith("250") for replies in await asyncio.gather(*sending))
    assert faulty.most_open == 2


async def test_a_turn_that_does_not_come_is_a_451_too(mailboxes: Dovecot, faulty: FaultyScanner) -> None:
    faulty.fault = Fault.SILENT
    with HomeDoor(mailboxes.url, rspamd=faulty.url, max_scans="1", scan_seconds="1") as door:
        octets = [letter(f"turn {n}") for n in range(4)]

        replies = await asyncio.gather(*(asyncio.to_thread(bring, door.lmtp, one) for one in octets))

        assert [reply[0] for reply in replies] == [NOT_SCANNED] * 4
        words = {account(door, one)["checks"]["rspamd"] for one in octets}
        assert "timeout" in words
        assert words <= {"timeout", "busy"}


async def test_large_messages_at_a_scanner_that_hangs_take_no_memory(
    mailboxes: Dovecot, faulty: FaultyScanner
) -> None:
    faulty.fault = Fault.DEAF
    large = letter("large", body="0123456789 \r\n" * (20_000_000 // 13))
    with HomeDoor(mailboxes.url, rspamd=faulty.url, scan_seconds="3") as door:
        bring(door.lmtp, letter("small"))
        before = door.peak_rss_octets()

        replies = await asyncio.gather(*(asyncio.to_thread(bring, door.lmtp, large) for _ in range(6)))

        assert [reply[0] for reply in replies] == [NOT_SCANNED] * 6
        assert door.peak_rss_octets() - before < 32 * 1024 * 1024
        assert held_octets(door) == 0


def test_a_large_message_is_scanned_whole(mailboxes: Dovecot, scanner: Rspamd) -> None:
    octets = letter("whole", body="0123456789 \r\n" * (30_000_000 // 13))
    with HomeDoor(mailboxes.url, rspamd=scanner.url) as door:
        assert bring(door.lmtp, octets)[0].startswith("250")

        id_ = account(door, octets)["id"]
    [line] = [line for line in scanner.log().splitlines() if f"qid: <{id_}>" in line]
    assert f"len: {len(octets)}," in line


async def test_rspamd_killed_in_the_middle_of_a_scan(mailboxes: Dovecot) -> None:
    with Rspamd() as scanner, HomeDoor(mailboxes.url, rspamd=scanner.url) as door:
        assert bring(door.lmtp, letter("before"))[0].startswith("250")
        octets = [letter(f"killed {n}") for n in range(4)]
        scanner.freeze()
        sending = [asyncio.create_task(asyncio.to_thread(bring, door.lmtp, one)) for one in octets]
        size = sum(map(len, octets))
        await asyncio.to_thread(wait_until, lambda: held_octets(door) == size, seconds=30, what="they came")
        scanner.kill()

        assert [replies[0] for replies in await asyncio.gather(*sending)] == [NOT_SCANNED] * 4
        assert bring(door.lmtp, letter("dead"))[0] == NOT_SCANNED
        await asyncio.to_thread(scanner.launch)
        assert bring(door.lmtp, octets[0])[0].startswith("250")
    assert [len(stored(mailboxes, f"killed {n}")) for n in range(4)] == [1, 0, 0, 0]


def test_a_dead_scanner_never_makes_a_sender_bounce(mailboxes: Dovecot, faulty: FaultyScanner) -> None:
    """Over a real edge: what is said at home reaches the sender as a 451."""
    faulty.fault = Fault.GARBAGE
    with (
        HomeDoor(mailboxes.url, rspamd=faulty.url) as door,
        Gateway(door.url, proxy_from="127.0.0.0/8") as edge,
    ):
        assert mail(edge, letter("edge")).startswith("451 4.7.1")
        assert mail(edge, letter("edge"), "taro@example.jp", "hanako@example.jp").startswith("451 4.7.1")


def test_dovecot_away_is_told_before_the_octets_travel(scanner: Rspamd) -> None:
    with HomeDoor(f"lmtp://127.0.0.1:{free_port()}", rspamd=scanner.url) as door:
        wait_until(lambda: b"mxgw_home_up 0.0" in door.get("/metrics")[1], seconds=30, what="home is down")
        with hop(door.lmtp) as session:
            wait_until(
                lambda: (
                    session.command("MAIL FROM:<a@bank.example>").startswith("451 4.4.1")
                    or not session.command("RSET")
                ),
                seconds=60,
                what="the breaker is open",
            )
