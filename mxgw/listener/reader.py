"""The octets of a client that were received and not yet taken.

An asyncio.StreamReader that lets the door look at what is there, and takes lines and content from it without
its generic search. Private names of StreamReader (``_buffer``, ``_transport``, ``_wait_for_data`` and others)
are used in this file only.
"""

from __future__ import annotations

import asyncio

from mxgw.listener.settings import MAX_BUFFERED_OCTETS, MAX_COMMAND_OCTETS


class ClientLeft(Exception):
    """The client closed the connection, or we gave up waiting for it."""


class EndlessLine(Exception):
    """MAX_BUFFERED_OCTETS are here and no line end is among them."""


class ClientReader(asyncio.StreamReader):
    """Pauses the connection when twice MAX_BUFFERED_OCTETS wait to be taken."""

    _buffer: bytearray
    _transport: asyncio.Transport
    _paused: bool
    _eof: bool
    _exception: Exception | None
    _loop: asyncio.AbstractEventLoop
    _waiter: asyncio.Future[None] | None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=MAX_BUFFERED_OCTETS, loop=loop)
        self._seen = 0

    def has_octets(self) -> bool:
        """Whether anything is here."""
        return bool(self._buffer)

    def line(self) -> bytes | None:
        """The next line with its line end; None while it is not here. Raises EndlessLine."""
        buffer = self._buffer
        end = buffer.find(b"\n", self._seen) + 1
        if not end:
            self._seen = len(buffer)
            if self._seen > MAX_BUFFERED_OCTETS:
                raise EndlessLine
            return None
        self._seen = 0
        line = bytes(buffer[:end])
        del buffer[:end]
        if self._paused:
            self._maybe_resume_transport()  # type: ignore[attr-defined]
        return line

    async def octets(self) -> bytes:
        """All that is here, at least one octet. Raises ClientLeft."""
        buffer = self._buffer
        while not buffer:
            await self.more()
        octets = bytes(buffer)
        buffer.clear()
        self._seen = 0
        if self._paused:
            self._maybe_resume_transport()  # type: ignore[attr-defined]
        return octets

    def feed_data(self, data: bytes) -> None:  # type: ignore[override]  # whatever a transport gives
        """The client sent something: whoever waits is told."""
        self.append(data)
        self.awaken()

    def append(self, data: bytes) -> None:
        """The client sent something; it is held when it is too much."""
        buffer = self._buffer
        buffer += data
        if len(buffer) > 2 * MAX_BUFFERED_OCTETS and not self._paused:
            self._transport.pause_reading()
            self._paused = True

    def awaken(self) -> None:
        """Tell whoever waits to look again."""
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def set_exception(self, error: Exception) -> None:
        """The connection broke: whoever waits finds out by asking for more."""
        self._exception = error
        self._eof = True
        self.feed_data(b"")

    def more(self) -> asyncio.Future[None]:
        """To be awaited: until something has come, or nothing will. Raises ClientLeft."""
        if self._eof:
            raise ClientLeft
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        self._waiter = waiter = self._loop.create_future()
        return waiter

    def _resume(self) -> None:
        if self._paused:
            self._maybe_resume_transport()  # type: ignore[attr-defined]

    def take_line(self, prefix: bytes) -> bytes | None:
        """The next line without its CRLF, if it is here, sound, and starts so in any case of letters."""
        buffer = self._buffer
        end = buffer.find(b"\n")
        if end < 0 or end > MAX_COMMAND_OCTETS or bytes(buffer[: len(prefix)]).upper() != prefix:
            return None
        line = bytes(buffer[: end + 1])
        if not line.endswith(b"\r\n") or line.count(b"\r") != 1:
            return None
        del buffer[: end + 1]
        self._seen = 0
        self._resume()
        return line[:-2]

    def put_back(self, octets: bytes) -> None:
        """These octets were taken too far: they come first again."""
        self._buffer[:0] = octets
        self._seen = 0

    def forget(self) -> None:
        """Drop what is here."""
        self._buffer.clear()
        self._seen = 0

    def move_to(self, transport: asyncio.Transport) -> None:
        """Octets come from this transport now (TLS over the one before)."""
        self._transport = transport
