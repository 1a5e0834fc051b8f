"""Many senders at once: an asyncio SMTP client that keeps a ledger of what was promised for each message."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tests.rig import specimen
from tests.rig.wire import stuffed

SECONDS = 120.0
PIECE_OCTETS = 65536


class Left(Exception):
    """The server closed the connection instead of answering."""


class Courier:
    """One SMTP session. Every wait is under a deadline; a reply is (code, text)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, address: tuple[str, int], *, seconds: float = SECONDS) -> Courier:
        """Connect, read the banner, say EHLO."""
        async with asyncio.timeout(seconds):
            courier = cls(*await asyncio.open_connection(*address))
        try:
            banner = await courier.reply()
            if not banner.startswith("220"):
                raise Left(banner)
            await courier.command("EHLO client.example.org")
        except BaseException:
            await courier.close()
            raise
        return courier

    async def command(self, *lines: str) -> str:
        """Send commands in one write; the reply to the last."""
        self.write("".join(line + "\r\n" for line in lines).encode())
        replies = [await self.reply() for _ in lines]
        return replies[-1]

    def write(self, octets: bytes) -> None:
        self._writer.write(octets)

    async def drain(self) -> None:
        async with asyncio.timeout(SECONDS):
            await self._writer.drain()

    async def reply(self) -> str:
        lines = []
        async with asyncio.timeout(SECONDS):
            while not lines or lines[-1][3:4] == "-":
                try:
                    line = await self._reader.readline()
                except OSError as error:
                    raise Left(str(error)) from error
                if not line:
                    raise Left("closed")
                lines.append(line.decode(errors="replace").rstrip())
        return "\n".join(lines)

    async def send(
        self, octets: bytes, *, sender: str, recipients: Sequence[str], chunking: bool = False
    ) -> str:
        """One message; the reply that ended it."""
        lines = [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{path}>" for path in recipients)]
        self.write("".join(line + "\r\n" for line in lines).encode())
        replies = [await self.reply() for _ in lines]
        refused = [reply for reply in replies if not reply.startswith("250")]
        if refused:
            with contextlib.suppress(Left):
                await self.command("RSET")
            return refused[0]
        if chunking:
            await self.content(b"BDAT %d LAST\r\n" % len(octets) + octets)
            return await self.reply()
        answer = await self.command("DATA")
        if not answer.startswith("354"):
            return answer
        await self.content(stuffed(octets) + b".\r\n")
        return await self.reply()

    async def content(self, octets: bytes) -> None:
        """Send much, at the pace at which it is taken."""
        try:
            for place in range(0, len(octets), PIECE_OCTETS):
                self.write(octets[place : place + PIECE_OCTETS])
                await self.drain()
        except OSError as error:
            raise Left(str(error)) from error

    async def quit(self) -> None:
        with contextlib.suppress(Left, OSError):
            await self.command("QUIT")
        await self.close()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


@dataclass(slots=True)
class Entry:
    """One message in the ledger: every answer it got, and when the attempt began and ended."""

    number: str
    octets: bytes
    recipients: tuple[str, ...]
    attempts: list[tuple[float, float, str]] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        return any(answer.startswith("250") for _, _, answer in self.attempts)


@dataclass(slots=True)
class Ledger:
    """What was sent and what was promised. ``check`` compares it with the mailboxes."""

    entries: dict[str, Entry] = field(default_factory=dict)

    def add(self, number: str, octets: bytes, recipients: Iterable[str]) -> Entry:
        entry = Entry(number, octets, tuple(recipients))
        self.entries[number] = entry
        return entry

    def answers(self) -> Counter[str]:
        """How often each code and status was answered; "none" where the connection was lost."""
        return Counter(
            answer[:9] if answer[:1].isdigit() else "none"
            for entry in self.entries.values()
            for _, _, answer in entry.attempts
        )

    def check(self, messages: Callable[[str], list[bytes]]) -> Account:
        """Count, over all mailboxes, what is missing and what is there twice; hashes must agree."""
        copies: Counter[tuple[str, str]] = Counter()
        damaged: list[str] = []
        for user in sorted({path for entry in self.entries.values() for path in entry.recipients}):
            for message in messages(user):
                number = specimen.number(message)
                copies[number, user] += 1
                sent = self.entries[number]
                if user not in sent.recipients or not message.endswith(sent.octets):
                    damaged.append(number)
        promised = [
            (entry.number, user)
            for entry in self.entries.values()
            for user in entry.recipients
            if entry.acknowledged
        ]
        return Account(
            sent=len(self.entries),
            acknowledged=sum(entry.acknowledged for entry in self.entries.values()),
            absent=[key for key in promised if not copies[key]],
            duplicated=[key for key, count in copies.items() if count > 1],
            damaged=damaged,
        )


@dataclass(frozen=True, slots=True)
class Account:
    """The result of a check: all three lists should be empty."""

    sent: int
    acknowledged: int
    absent: list[tuple[str, str]]
    duplicated: list[tuple[str, str]]
    damaged: list[str]

    def __str__(self) -> str:
        return (
            f"sent {self.sent}, acknowledged {self.acknowledged}, of these absent {len(self.absent)}, "
            f"duplicated {len(self.duplicated)}, damaged {len(self.damaged)}"
        )


class Senders:
    """One sender for each lane of messages; it sends them in turn, each again until it is acknowledged.

    A sender keeps its connection for a random number of messages, speaks DATA or BDAT as the dice fall, and
    waits a little after each failure, as a queue does.
    """

    def __init__(
        self, address: tuple[str, int], lanes: Sequence[Sequence[Entry]], *, pause_seconds: float
    ) -> None:
        self._address = address
        self._lanes = lanes
        self._pause = pause_seconds

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(self._sender(lane))

    async def _sender(self, lane: Sequence[Entry]) -> None:
        courier: Courier | None = None
        for entry in lane:
            while not entry.acknowledged:
                began = time.monotonic()
                try:
                    courier = courier or await Courier.connect(self._address)
                    answer = await courier.send(
                        entry.octets,
                        sender="sender@example.org",
                        recipients=entry.recipients,
                        chunking=random.random() < 0.5,
                    )
                except (Left, OSError, TimeoutError) as error:
                    answer = repr(error)
                entry.attempts.append((began, time.monotonic(), answer))
                if courier and (not answer.startswith("250") or random.random() < 0.2):
                    await courier.close()
                    courier = None
                if not entry.acknowledged:
                    await asyncio.sleep(self._pause * random.uniform(0.5, 1.5))
        if courier:
            await courier.quit()
