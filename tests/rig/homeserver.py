"""HomeServer: an honest, scripted LMTP server on a real loopback socket.

    async with HomeServer(extensions=("PIPELINING", "CHUNKING")) as home:
        home.rcpt["nobody@example.jp"] = "550 5.1.1 No such user"
        home.final["full@example.jp"] = ["452 4.2.2 Mailbox full", "250 2.0.0 Stored"]
        home.mail = Delay(0.2, "250 2.1.0 OK")
        ...
        assert home.messages[0].content == content

Every stage has a plan: an act, or a list of acts of which each use takes one and the last one stays. An act
is a reply line (``"250 2.1.0 OK"``; several lines joined by newlines), or Hang, Stall, Reset, Close, Raw,
Delay, Until. A reply that begins with 421 is followed by closing the connection: RFC 5321 section 3.8.

What a client must not do is refused as a real server would and noted in ``violations``: parameters that
were not offered, commands in a burst without PIPELINING, BDAT without CHUNKING, a bare line end.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Self

from tests.rig.homeacts import Act, Close, Delay, Hang, Plan, Raw, Reset, Stall, Until
from tests.rig.homesession import Ended, Session, StoredMessage, reset_connection

__all__ = [
    "Act",
    "Close",
    "Delay",
    "Hang",
    "HomeServer",
    "Plan",
    "Raw",
    "Reset",
    "Stall",
    "StoredMessage",
    "Until",
]

PIPELINING_AND_CHUNKING = ("8BITMIME", "CHUNKING", "ENHANCEDSTATUSCODES", "PIPELINING")
"""What Dovecot 2.3 offers to a peer that it does not trust."""

DOVECOT_TRUSTING = (*PIPELINING_AND_CHUNKING, "XCLIENT ADDR PORT PROTO HELO LOGIN SESSION TTL TIMEOUT")
"""What Dovecot 2.3 offers to a peer out of login_trusted_networks."""


@dataclass(slots=True)
class HomeServer:
    """See the module. Plans may be changed at any time; ``port`` stays the same over stop and start."""

    extensions: tuple[str, ...] = PIPELINING_AND_CHUNKING
    greeting: Plan = "220 home.test LMTP ready"
    lhlo: Plan = ""
    """"" means: what the extensions say."""
    mail: Plan = "250 2.1.0 OK"
    default_rcpt: Plan = "250 2.1.5 OK"
    rcpt: dict[str, Plan] = field(default_factory=dict)
    data: Plan = "354 Go ahead"
    nobody: Plan = "503 5.5.0 No valid recipients"
    """To DATA and BDAT when no recipient was accepted."""
    during_content: Act | None = None
    during_content_after: int = 0
    """Once this many octets of content have come."""
    default_final: Plan = "250 2.0.0 Stored"
    final: dict[str, Plan] = field(default_factory=dict)
    rset: Plan = "250 2.0.0 OK"
    noop: Plan = "250 2.0.0 OK"
    xclient: Plan = "220 home.test LMTP ready"
    keep_content: bool = True
    port: int = 0

    messages: list[StoredMessage] = field(default_factory=list)
    transcript: list[str] = field(default_factory=list)
    """``C: ...`` and ``S: ...`` of all connections; content is one line ``C: [n octets]``."""
    writes: list[int] = field(default_factory=list)
    """Octets of each piece that arrived, to see what left in one write."""
    violations: list[str] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    most_open_connections: int = 0

    _server: asyncio.Server | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; again on the same port after ``stop``."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=2**16)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and reset every connection, as a killed server does."""
        if self._server:
            self._server.close()
        self.reset_connections()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._server:
            await self._server.wait_closed()
            self._server = None

    def reset_connections(self) -> None:
        """Reset every open connection and go on listening."""
        for writer in list(self._writers):
            reset_connection(writer)

    def say_to_all(self, octets: bytes) -> None:
        """Send octets that nobody asked for on every open connection."""
        for writer in self._writers:
            writer.write(octets)

    def note(self, line: str) -> None:
        """Add a line to the transcript."""
        self.transcript.append(line)
        self._news.set()
        self._news = asyncio.Event()

    async def heard(self, text: str) -> None:
        """Wait until a line of the transcript has this text in it."""
        while not any(text in line for line in self.transcript):
            await self._news.wait()

    def commands(self) -> list[str]:
        """What clients said, without the ``C: ``."""
        return [line[3:] for line in self.transcript if line.startswith("C: ")]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        self.open_connections += 1
        self.most_open_connections = max(self.most_open_connections, self.open_connections)
        try:
            with contextlib.suppress(Ended, OSError, asyncio.CancelledError):
                await Session(self, reader, writer, self.connections).run()
        finally:
            self.open_connections -= 1
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()
