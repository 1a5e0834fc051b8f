"""Memory and service stay bounded whatever arrives: large mail in parallel, idle clients, hostile content."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.rig import specimen
from tests.rig.courier import Courier
from tests.rig.dovecot import Dovecot
from tests.rig.gateway import Gateway
from tests.rig.homeserver import HomeServer
from tests.rig.wire import Wire

MIB = 1024 * 1024
MEMORY_BUDGET = 256 * MIB
LARGE_MESSAGES = 50
IDLE_SESSIONS = 1000
IN_FLIGHT = 100
HOSTILE_OCTETS = 30 * MIB

Record = Callable[[str, object], None]


def test_fifty_of_the_largest_messages_at_once_stay_within_the_memory_budget(
    record_property: Record,
) -> None:
    users = {f"user{n}": None for n in range(10)}
    with Dovecot(users) as home, Gateway(home.url) as gateway:
        sent = {f"large-{n}": specimen.largest(number=f"large-{n}") for n in range(LARGE_MESSAGES)}
        digests = {number: specimen.digest(one.octets) for number, one in sent.items()}

        def send(place: int) -> str:
            with Wire(gateway.smtp, seconds=300) as wire:
                wire.greet()
                recipient = f"user{place % len(users)}@example.jp"
                replies = wire.envelope("sender@example.org", [recipient])
                assert [reply[:3] for reply in replies] == ["250", "250"]
                return wire.data(sent[f"large-{place}"].octets)

        with ThreadPoolExecutor(LARGE_MESSAGES) as pool:
            answers = list(pool.map(send, range(LARGE_MESSAGES)))
        peak = gateway.peak_rss_octets()
        octets = {number: len(one.octets) for number, one in sent.items()}
        stored: dict[str, str] = {}
        for user in users:
            for path in home.message_files(user):
                number, digest = stored_digest(path, octets)
                stored[number] = digest

    print(f"\n50 x 36 MiB at once: peak resident memory {peak / MIB:.0f} MB")
    record_property("peak_rss_mb", round(peak / MIB))
    assert {answer[:3] for answer in answers} == {"250"}
    assert stored == digests
    assert peak < MEMORY_BUDGET


def stored_digest(path: Path, octets: dict[str, int]) -> tuple[str, str]:
    """The number of a stored message, and the digest of it without the fields put before it."""
    message = path.read_bytes()
    number = specimen.number(message[:20_000])
    return number, specimen.digest(message[-octets[number] :])


def test_a_thousand_idle_clients_leave_room_for_others(record_property: Record) -> None:
    with Dovecot({"taro": None}) as home, Gateway(home.url) as gateway, ExitStack() as clients:
        before = gateway.rss_octets()
        for _ in range(IDLE_SESSIONS):
            clients.enter_context(Wire(gateway.smtp)).greet()
        held = gateway.rss_octets() - before

        with Wire(gateway.smtp) as wire:
            wire.greet()
            wire.envelope("sender@example.org", ["taro@example.jp"])
            reply = wire.data(specimen.ordinary().octets)

        print(f"\n{IDLE_SESSIONS} idle sessions hold {held / IDLE_SESSIONS / 1024:.1f} KB each")
        record_property("idle_session_kb", round(held / IDLE_SESSIONS / 1024, 1))
        assert reply.startswith("250")
        assert len(home.messages("taro")) == 1
        assert gateway.rss_octets() < MEMORY_BUDGET


def test_sigterm_with_a_hundred_messages_in_flight_finishes_them_all() -> None:
    with Dovecot({f"user{n}": None for n in range(10)}) as home, Gateway(home.url) as gateway:
        with ExitStack() as clients:
            wires = [clients.enter_context(Wire(gateway.smtp)) for _ in range(IN_FLIGHT)]
            messages = [specimen.numbered(f"flight-{n}", octets=20_000) for n in range(IN_FLIGHT)]
            for place, wire in enumerate(wires):
                wire.greet()
                wire.envelope("sender@example.org", [f"user{place % 10}@example.jp"])
                assert wire.command("DATA").startswith("354")
                wire.send(messages[place][:10_000])

            gateway.signal(signal.SIGTERM)
            gateway.wait_for("drain")
            for wire, message in zip(wires, messages, strict=True):
                wire.send(message[10_000:] + b".\r\n")
            answers = [wire.reply() for wire in wires]
            farewells = [wire.reply() for wire in wires]

        assert gateway.wait(60.0) == 0
        stored = {specimen.number(m) for user in home.users for m in home.messages(user)}

    assert {answer[:3] for answer in answers} == {"250"}
    assert {farewell[:9] for farewell in farewells} == {"421 4.3.2"}
    assert stored == {f"flight-{n}" for n in range(IN_FLIGHT)}


HEADER = b"From: a@sender.example\r\nSubject: hostile\r\n\r\n"
SHAPES = {
    "ordinary": (b"The quick brown fox jumps over the lazy dog, and then does it all over again.\r\n", "250"),
    "empty lines": (b"\r\n", "250"),
    "single dots": (b"..\r\n", "250"),
    "one endless line": (b"x", "554"),
    "bare line feeds": (b"\n", "554"),
}


async def test_hostile_content_costs_no_memory_and_little_time(record_property: Record) -> None:
    async with HomeServer() as home:
        gateway = Gateway(f"lmtp://127.0.0.1:{home.port}")
        try:
            await asyncio.to_thread(gateway.start)
            costs: dict[str, float] = {}
            for name, (line, expected) in SHAPES.items():
                before_cpu, before_memory = gateway.cpu_seconds(), gateway.rss_octets()
                content = line * (HOSTILE_OCTETS // len(line))

                reply = await asyncio.to_thread(send_raw, gateway.smtp, content)

                costs[name] = gateway.cpu_seconds() - before_cpu
                assert reply.startswith(expected), name
                assert gateway.rss_octets() - before_memory < 16 * MIB, name
                home.messages.clear()
        finally:
            await asyncio.to_thread(gateway.close)

    print("\nCPU beside an ordinary message of 30 MiB:")
    for name, seconds in costs.items():
        print(f"  {name:18} {seconds:6.2f} s  x{seconds / costs['ordinary']:.1f}")
        record_property(name, round(seconds, 2))


def send_raw(address: tuple[str, int], content: bytes) -> str:
    with Wire(address) as wire:
        wire.greet()
        wire.envelope("a@sender.example", ["taro@example.jp"])
        assert wire.command("DATA").startswith("354")
        wire.send(HEADER + content + b"\r\n.\r\n")
        return wire.reply()


async def test_content_in_single_octets_is_taken_and_others_are_served_meanwhile() -> None:
    async with HomeServer() as home:
        gateway = Gateway(f"lmtp://127.0.0.1:{home.port}")
        try:
            await asyncio.to_thread(gateway.start)
            before = gateway.rss_octets()
            drip = asyncio.create_task(asyncio.to_thread(send_octet_by_octet, gateway.smtp, 300_000))

            replies = [await asyncio.to_thread(send_raw, gateway.smtp, b"Hello\r\n") for _ in range(20)]

            assert {reply[:3] for reply in replies} == {"250"}
            assert (await drip).startswith("250")
            assert gateway.rss_octets() - before < 16 * MIB
        finally:
            await asyncio.to_thread(gateway.close)


def send_octet_by_octet(address: tuple[str, int], octets: int) -> str:
    with Wire(address) as wire:
        wire.greet()
        wire.envelope("a@sender.example", ["taro@example.jp"])
        assert wire.command("DATA").startswith("354")
        wire.send(HEADER)
        for octet in SHAPES["ordinary"][0] * (octets // len(SHAPES["ordinary"][0])):
            wire.send(bytes((octet,)))
        wire.send(b".\r\n")
        return wire.reply()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_first_greeting_comes_soon_after_the_start(workers: str, record_property: Record) -> None:
    with SilentHome() as port, Gateway(f"lmtp://127.0.0.1:{port}", workers=workers) as gateway:
        with socket.create_connection(gateway.smtp, timeout=20) as client:
            assert client.recv(100).startswith(b"220 ")

        print(f"\n{workers} worker(s): door open {gateway.start_seconds:.2f} s after the start")
        record_property("start_seconds", round(gateway.start_seconds, 2))


class SilentHome:
    """A port where nobody answers: the door must not wait for home."""

    def __enter__(self) -> int:
        self._socket = socket.create_server(("127.0.0.1", 0))
        return int(self._socket.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._socket.close()


async def test_a_full_spool_puts_off_and_says_in_the_log_what_was_full(dovecot: Dovecot) -> None:
    """The client is told 452, the operator which bound it was."""
    octets = (b"x" * 70 + b"\r\n") * 1000  # two of them have no room
    with Gateway(dovecot.url, max_message_octets="100000", max_spool_octets="100000") as small:
        first, second = [await Courier.connect(small.smtp) for _ in range(2)]
        for courier in (first, second):
            await courier.command("MAIL FROM:<a@example.org>", "RCPT TO:<taro@example.jp>")
            assert (await courier.command("DATA")).startswith("354")
        first.write(octets)
        await first.drain()
        await asyncio.to_thread(wait_for_spool, small, 70_000)
        second.write(octets + b".\r\n")

        assert (await second.reply()).startswith("452 4.3.1")
        first.write(b".\r\n")
        assert (await first.reply()).startswith("250")
        full = [one for one in small.transactions() if one["reason"] == "spool-full"]
        assert "budget" in full[0]["detail"]
        for courier in (first, second):
            await courier.quit()


def wait_for_spool(gateway: Gateway, octets: float) -> None:
    for _ in range(500):
        _, page = gateway.get("/metrics")
        line = next(line for line in page.splitlines() if line.startswith(b"mxgw_spool_octets "))
        if float(line.split()[1]) >= octets:
            return
        time.sleep(0.02)
    raise AssertionError(f"the spool never held {octets} octets")
