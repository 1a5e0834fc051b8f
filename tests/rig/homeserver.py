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
import hashlib
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

PIPELINING_AND_CHUNKING = ("8BITMIME", "CHUNKING", "ENHANCEDSTATUSCODES", "PIPELINING")
"""What Dovecot 2.3 offers to a peer that it does not trust."""

DOVECOT_TRUSTING = (*PIPELINING_AND_CHUNKING, "XCLIENT ADDR PORT PROTO HELO LOGIN SESSION TTL TIMEOUT")
"""What Dovecot 2.3 offers to a peer out of login_trusted_networks."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Say nothing more until the client goes away."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Neither say nor read anything more."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection in good order, without a word."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Drop the connection with a TCP reset, as a killed process does."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Send these octets as they are, then act."""

    octets: bytes
    then: Act | None = None


@dataclass(frozen=True, slots=True)
class Delay:
    """Wait, then act."""

    seconds: float
    then: Act


@dataclass(frozen=True, slots=True)
class Until:
    """Wait for the test's event, then act."""

    event: asyncio.Event
    then: Act


Act = str | Hang | Stall | Close | Reset | Raw | Delay | Until
Plan = Act | list[Act]


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One copy for one recipient. ``content`` is b"" if the server was told not to keep it."""

    reverse_path: str
    forward_path: str
    mail_parameters: tuple[str, ...]
    content: bytes
    octets: int
    sha256: str
    xclient: Mapping[str, str]
    connection: int


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
            _reset(writer)

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
            with contextlib.suppress(_Ended, OSError, asyncio.CancelledError):
                await _Session(self, reader, writer, self.connections).run()
        finally:
            self.open_connections -= 1
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()


class _Ended(Exception):
    """This connection is over."""


class _Session:
    def __init__(
        self, home: HomeServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self._home = home
        self._reader = reader
        self._writer = writer
        self._number = number
        self._input = b""
        self._searched = 0
        self._out = b""
        self._xclient: dict[str, str] = {}
        self._greeted = False
        self._reset_transaction()

    def _reset_transaction(self) -> None:
        self._reverse_path: str | None = None
        self._mail_parameters: tuple[str, ...] = ()
        self._accepted: list[str] = []
        self._chunks = bytearray()
        self._digest = hashlib.sha256()
        self._octets = 0

    async def run(self) -> None:
        await self._act(self._home.greeting)
        while True:
            line = await self._line()
            self._home.note(f"C: {line.decode(errors='replace')}")
            verb, _, argument = line.decode("utf-8", "replace").partition(" ")
            if not self._offers("PIPELINING") and self._input and verb.upper() != "BDAT":
                self._violation(f"burst after {verb}")
            await self._command(verb.upper(), argument)

    async def _command(self, verb: str, argument: str) -> None:
        home = self._home
        match verb:
            case "LHLO":
                self._reset_transaction()
                self._greeted = True
                await self._act(home.lhlo or "\n".join(["250 home.test", *home.extensions]))
            case "MAIL":
                await self._mail(argument)
            case "RCPT":
                await self._rcpt(argument)
            case "DATA":
                await self._data()
            case "BDAT":
                await self._bdat(argument)
            case "RSET":
                self._reset_transaction()
                await self._act(home.rset)
            case "NOOP":
                await self._act(home.noop)
            case "XCLIENT":
                await self._xclient_command(argument)
            case "QUIT":
                await self._act("221 2.0.0 Bye")
                await self._flush()
                raise _Ended
            case _:
                self._violation(f"unknown command {verb}")
                await self._act("500 5.5.1 Unknown command")

    async def _mail(self, argument: str) -> None:
        if not self._greeted or self._reverse_path is not None:
            self._violation("MAIL out of order")
            await self._act("503 5.5.0 Bad sequence")
            return
        path, _, rest = argument.removeprefix("FROM:<").partition(">")
        words = tuple(rest.split())
        for word in words:
            if not self._offers({"BODY": "8BITMIME"}.get(word.split("=")[0], word.split("=")[0])):
                self._violation(f"MAIL parameter {word} was not offered")
                await self._act("555 5.5.4 Unsupported parameters")
                return
        if not path.isascii() and "SMTPUTF8" not in words:
            self._violation("non-ASCII reverse-path without SMTPUTF8")
        if (await self._act(self._home.mail)).startswith("2"):
            self._reverse_path = path
            self._mail_parameters = words

    async def _rcpt(self, argument: str) -> None:
        path = argument.removeprefix("TO:<").partition(">")[0]
        if self._reverse_path is None:
            await self._act("503 5.5.0 MAIL needed first")
            return
        if not path.isascii() and "SMTPUTF8" not in self._mail_parameters:
            self._violation("non-ASCII forward-path without SMTPUTF8")
        if (await self._act(self._home.rcpt.get(path, self._home.default_rcpt))).startswith("2"):
            self._accepted.append(path)

    async def _data(self) -> None:
        if not (await self._act(self._home.data if self._accepted else self._home.nobody)).startswith("354"):
            return
        await self._flush()
        content = await self._until_dot()
        self._home.note(f"C: [{len(content)} octets]")
        if self._accepted:
            await self._store()
        else:
            await self._act("554 5.5.1 No valid recipients")
            self._reset_transaction()

    async def _bdat(self, argument: str) -> None:
        if not self._offers("CHUNKING"):
            self._violation("BDAT without CHUNKING")
        size, _, last = argument.partition(" ")
        left = int(size)
        while left:
            piece = await self._piece(left)
            left -= len(piece)
            await self._content(piece)
        self._home.note(f"C: [{size} octets]")
        if not self._accepted:
            await self._act(self._home.nobody)
        elif last != "LAST":
            await self._act(f"250 2.0.0 Added {size} octets")
        else:
            await self._store()

    async def _content(self, piece: bytes) -> None:
        self._digest.update(piece)
        self._octets += len(piece)
        if self._home.keep_content:
            self._chunks += piece
        if act := self._home.during_content:
            if piece and self._octets < self._home.during_content_after:
                return
            self._home.during_content = None
            await self._act(act)
            await self._flush()

    async def _store(self) -> None:
        for path in self._accepted:
            said = await self._act(self._home.final.get(path, self._home.default_final))
            if said.startswith("2"):
                self._home.messages.append(
                    StoredMessage(
                        self._reverse_path or "",
                        path,
                        self._mail_parameters,
                        bytes(self._chunks),
                        self._octets,
                        self._digest.hexdigest(),
                        dict(self._xclient),
                        self._number,
                    )
                )
        self._reset_transaction()

    async def _xclient_command(self, argument: str) -> None:
        if self._reverse_path is not None:
            self._violation("XCLIENT inside a transaction")
            await self._act("503 5.5.0 XCLIENT not permitted during a mail transaction")
            return
        if (await self._act(self._home.xclient)).startswith("2"):
            self._xclient |= dict(word.split("=", 1) for word in argument.split())
            self._greeted = False

    def _offers(self, keyword: str) -> bool:
        return any(extension.split()[0] == keyword for extension in self._home.extensions)

    def _violation(self, text: str) -> None:
        self._home.violations.append(text)

    # Input and output

    async def _act(self, plan: Plan) -> str:
        """Carry out one act; returns the reply that was given, "" if it was none."""
        if isinstance(plan, list):
            plan = plan.pop(0) if len(plan) > 1 else plan[0]
        match plan:
            case str():
                self._say(plan)
                if plan.startswith("421"):
                    await self._flush()
                    raise _Ended
                return plan
            case Raw(octets, then):
                self._out += octets
                self._home.note(f"S: {octets!r}")
                return await self._act(then) if then else ""
            case Delay(seconds, then):
                await self._flush()
                await asyncio.sleep(seconds)
                return await self._act(then)
            case Until(event, then):
                await self._flush()
                await event.wait()
                return await self._act(then)
            case Hang():
                await self._flush()
                while await self._reader.read(2**16):
                    pass
                raise _Ended
            case Stall():
                await self._flush()
                await asyncio.get_running_loop().create_future()
                raise _Ended
            case Reset():
                await self._flush()
                _reset(self._writer)
                raise _Ended
            case Close():
                await self._flush()
                raise _Ended

    def _say(self, text: str) -> None:
        first, *more = text.split("\n")
        lines = [first[:3] + "-" + first[4:], *(f"{first[:3]}-{line}" for line in more)]
        lines[-1] = lines[-1][:3] + " " + lines[-1][4:]
        for line in lines:
            self._home.note(f"S: {line}")
        self._out += "".join(f"{line}\r\n" for line in lines).encode()

    async def _flush(self) -> None:
        out, self._out = self._out, b""
        if out:
            self._writer.write(out)
            await self._writer.drain()

    async def _more(self) -> None:
        # As Dovecot: replies leave together when there is nothing more to read.
        await self._flush()
        piece = await self._reader.read(2**16)
        if not piece:
            raise _Ended
        self._home.writes.append(len(piece))
        self._input += piece

    async def _line(self) -> bytes:
        while (end := self._input.find(b"\n")) < 0:
            await self._more()
        line, self._input = self._input[:end], self._input[end + 1 :]
        if not line.endswith(b"\r") or b"\r" in line[:-1]:
            self._violation(f"bare line end in {line!r}")
        return line.removesuffix(b"\r")

    async def _piece(self, at_most: int) -> bytes:
        if not self._input:
            await self._more()
        piece, self._input = self._input[:at_most], self._input[at_most:]
        return piece

    async def _until_dot(self) -> bytes:
        data = bytearray(b"\r\n")
        while (end := data.find(b"\r\n.\r\n", max(0, self._searched - 4))) < 0:
            self._searched = len(data)
            data += await self._piece(2**16)
            if self._home.during_content and len(data) >= self._home.during_content_after:
                await self._content(b"")
        self._searched = 0
        self._input = bytes(data[end + 5 :]) + self._input
        content = bytes(data[: end + 2]).replace(b"\r\n..", b"\r\n.")[2:]
        await self._content(content)
        return content


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
