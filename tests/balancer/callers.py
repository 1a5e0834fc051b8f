"""Senders who know which edge they speak to, and how far they were when a connection ended."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from tests.balancer.streets import PUBLIC_ADDRESS, WORLD, Streets, client_address
from tests.rig import specimen
from tests.rig.courier import Courier, Entry, Ledger, Left

MAILBOXES_PER_LANE = 2
RETRY_SECONDS = 0.3
PAUSE_SECONDS = 0.05
"""Between two messages of one sender: the load is there, and the machine's cores stay free for the rest."""

MAX_SECONDS = 120.0


class Stage(StrEnum):
    """How far an attempt came: from ENVELOPE on, a transaction is open."""

    CONNECT = "connect"
    GREETED = "greeted"
    ENVELOPE = "envelope"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one message: ``edge`` is the name in the banner, "" where there was none."""

    edge: str
    stage: Stage
    answer: str

    @property
    def code(self) -> str:
        return self.answer[:3] if self.answer[:3].isdigit() else "lost"


def mailboxes(lane: int) -> list[str]:
    return [f"lane{lane}-{place}@example.jp" for place in range(MAILBOXES_PER_LANE)]


def lane_of(mailbox: str) -> int:
    return int(mailbox.removeprefix("lane").partition("-")[0])


@dataclass(slots=True)
class Callers:
    """``lanes`` senders, each at an address and with mailboxes of its own, until ``stop`` is called.

    A sender repeats a message until it is acknowledged, and only then goes on to the next, or ends.
    """

    streets: Streets
    lanes: int
    ledger: Ledger = field(default_factory=Ledger)
    attempts: list[Attempt] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _failures: list[BaseException] = field(default_factory=list)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let each sender finish its message. Raises what a sender raised."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(MAX_SECONDS)
            if self._thread.is_alive():
                self._failures.append(TimeoutError("the senders do not come to an end"))
        if self._failures:
            raise self._failures[0]

    def table(self) -> str:
        """How often each edge gave each answer."""
        counted = Counter((attempt.edge or "(nobody)", attempt.code) for attempt in self.attempts)
        return ", ".join(f"{edge} {code}: {count}" for (edge, code), count in sorted(counted.items()))

    def _run(self) -> None:
        try:
            with self.streets.inside(WORLD):
                asyncio.run(self._all())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the test waits
            self._failures.append(error)

    async def _all(self) -> None:
        async with asyncio.timeout(MAX_SECONDS), asyncio.TaskGroup() as group:
            for lane in range(self.lanes):
                group.create_task(self._lane(lane))

    async def _lane(self, lane: int) -> None:
        caller = _Caller(client_address(lane))
        place = 0
        while not self._stopped.is_set():
            number = f"lane{lane}-{place}"
            users = mailboxes(lane)[: random.choice((1, 1, 1, 2))]
            octets = random.choices((500, 3_000, 30_000, 300_000), weights=(30, 50, 17, 3))[0]
            entry = self.ledger.add(number, specimen.numbered(number, octets=octets), users)
            while not entry.acknowledged:
                await self._try(caller, entry)
                await asyncio.sleep(PAUSE_SECONDS if entry.acknowledged else RETRY_SECONDS)
            place += 1
        await caller.hang_up()

    async def _try(self, caller: _Caller, entry: Entry) -> None:
        began = time.monotonic()
        try:
            answer = await caller.send(entry)
        except (Left, OSError, TimeoutError) as error:
            answer = repr(error)
        self.attempts.append(Attempt(caller.edge, caller.stage, answer))
        entry.attempts.append((began, time.monotonic(), answer))
        if not answer.startswith("250") or random.random() < 0.3:
            await caller.hang_up()


class _Caller:
    """One sender with at most one connection."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._courier: Courier | None = None
        self.edge = ""
        self.stage = Stage.CONNECT

    async def send(self, entry: Entry) -> str:
        """The reply that ended the attempt. Raises Left, OSError, TimeoutError."""
        if self._courier is None:
            self.edge, self.stage = "", Stage.CONNECT
            streams = await asyncio.wait_for(
                asyncio.open_connection(PUBLIC_ADDRESS, 25, local_addr=(self._address, 0)), 10
            )
            self._courier = Courier(*streams)
            banner = await self._courier.reply()
            if not banner.startswith("220"):
                return banner
            self.edge = banner.split()[1]
            await self._courier.command("EHLO client.example.org")
        self.stage = Stage.GREETED
        courier = self._courier
        answer = await courier.command("MAIL FROM:<sender@example.org>")
        if not answer.startswith("250"):
            return answer
        self.stage = Stage.ENVELOPE
        for path in entry.recipients:
            answer = await courier.command(f"RCPT TO:<{path}>")
            if not answer.startswith("250"):
                return answer
        self.stage = Stage.CONTENT
        await courier.content(b"BDAT %d LAST\r\n" % len(entry.octets) + entry.octets)
        return await courier.reply()

    async def hang_up(self) -> None:
        if self._courier is not None:
            with contextlib.suppress(OSError):
                await self._courier.close()
            self._courier = None
