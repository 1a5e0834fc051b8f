"""One connection to the sink below its commands: reading, waiting, writing behind the ledger, ending, TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import cast

from mxgw.load.behaviour import Act, Behaviour
from mxgw.load.ledger import Entry, Ledger
from mxgw.load.sink_tally import Tally

TLS_SECONDS = 30.0
"""How long a handshake may take."""

_NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Door:
    """What all sessions of a process share. ``clock`` gives Unix time; ``fail`` is told why the ledger cannot
    be written: nothing is promised from then on."""

    lmtp: bool
    hostname: str
    hashing: bool
    behaviour: Behaviour
    tally: Tally
    ledger: Ledger | None
    tls: ssl.SSLContext | None
    clock: Callable[[], float]
    loop: asyncio.AbstractEventLoop
    fail: Callable[[OSError], None]
    sessions: set[Wire] = field(default_factory=set)
    handshakes: set[asyncio.Task[None]] = field(default_factory=set)
    failed: bool = False

    def record(self, entries: Iterable[Entry]) -> None:
        """Put down what becomes of a message."""
        try:
            for entry in entries:
                if self.ledger:
                    self.ledger.append(entry)
        except OSError as error:
            self._give_up(error)

    def commit(self) -> bool:
        """Whether all that was recorded is safe from our end, and may be promised."""
        try:
            if self.ledger:
                self.ledger.flush()
        except OSError as error:
            self._give_up(error)
        return not self.failed

    def _give_up(self, error: OSError) -> None:
        # asyncio would take an OSError out of a protocol for a lost connection, and keep silent.
        self.failed = True
        self.fail(error)


class Wire(asyncio.Protocol):
    """Subclasses say what octets mean: ``consume`` and ``greet``."""

    transport: asyncio.Transport

    def __init__(self, door: Door) -> None:
        self.door = door
        self.encrypted = False
        self.held = False
        """Octets that come now wait until a delay or a handshake is over."""
        self.over = False
        """Nothing more is read or said."""
        self._out: list[bytes] = []
        self._buffer = b""
        self._pauses = 0
        self._timer: asyncio.TimerHandle | None = None

    def consume(self, octets: bytes) -> bytes:
        """Act on what came until ``held`` or ``over``; gives what is left."""
        raise NotImplementedError

    def greet(self) -> None:
        """A client has come."""
        raise NotImplementedError

    def secured(self) -> None:
        """The handshake is done: the session begins anew."""
        raise NotImplementedError

    # -- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the client and greet."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass of it
        self.door.sessions.add(self)
        self.door.tally.connections += 1
        self.door.tally.open_connections += 1
        self.greet()
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone, or we are."""
        self.over = True
        self._buffer = b""
        self._out.clear()
        if self._timer:
            self._timer.cancel()
        if self in self.door.sessions:
            self.door.sessions.discard(self)
            self.door.tally.open_connections -= 1

    def data_received(self, data: bytes) -> None:
        """Commands and content, in any pieces."""
        if self._buffer:
            data = self._buffer + data
        self._buffer = data if self.held else self.consume(data)
        self.flush()

    def pause_writing(self) -> None:
        """The client does not read its replies: read no more commands."""
        self.pause()

    def resume_writing(self) -> None:
        """It reads again."""
        self._resume()

    # -- for the session

    def write(self, octets: bytes) -> None:
        """Say it with the next flush."""
        self._out.append(octets)

    def take_back(self, words: Callable[[], None]) -> bytes:
        """What ``words`` would say: it is done, and not said."""
        before = len(self._out)
        words()
        octets = b"".join(self._out[before:])
        del self._out[before:]
        return octets

    def flush(self) -> None:
        """Put on record what was promised, then promise it."""
        if self._out:
            if self.door.commit():
                self.transport.write(b"".join(self._out))
            self._out.clear()

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Do it then, and nothing else before."""
        if not seconds:
            act()
            return
        self.held = True
        self.pause()
        self._timer = self.door.loop.call_later(seconds, self._wake, act)

    def pause(self) -> None:
        """Read nothing until as many ``_resume`` have come."""
        self._pauses += 1
        if self._pauses == 1 and not self.transport.is_closing():
            self.transport.pause_reading()

    def end(self, how: Act) -> None:
        """Say what is still to be said, then no more: close, reset, or (hang) keep the connection."""
        self.flush()
        self.door.commit()
        self.over = True
        if how is Act.RESET:
            connection = self.transport.get_extra_info("socket")
            if connection is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self.transport.abort()
        elif how is Act.CLOSE:
            self.transport.close()

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Negotiate; what the client sent in clear behind its command is dropped (RFC 3207 section 4.2)."""
        self.flush()
        self.held = True
        task = self.door.loop.create_task(self._handshake(context))
        self.door.handshakes.add(task)
        task.add_done_callback(self.door.handshakes.discard)

    # -- within

    def _resume(self) -> None:
        self._pauses -= 1
        if self._pauses == 0 and not self.transport.is_closing():
            self.transport.resume_reading()

    def _wake(self, act: Callable[[], None]) -> None:
        self._timer = None
        self.held = False
        self._resume()
        act()
        self._go_on()

    def _go_on(self) -> None:
        octets, self._buffer = self._buffer, b""
        if octets:
            self._buffer = octets if self.held else self.consume(octets)
        self.flush()

    async def _handshake(self, context: ssl.SSLContext) -> None:
        self._buffer = b""
        try:
            transport = await self.door.loop.start_tls(
                self.transport, self, context, server_side=True, ssl_handshake_timeout=TLS_SECONDS
            )
        except OSError:  # what ssl raises, time-outs and lost connections are all of this kind
            self.transport.abort()
            self.connection_lost(None)
            return
        if transport is None:
            return
        self.transport = transport
        self.encrypted = True
        self.door.tally.tls += 1
        self.secured()
        self.held = False
        self._go_on()
