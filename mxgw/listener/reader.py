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
    _transport: asyncio.BaseTransport
    _paused: bool
    _eof: bool
    _exception: Exception | None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=MAX_BUFFERED_OCTETS, loop=loop)

    def has_line(self) -> bool:
        """Whether a line end is here."""
        return b"\n" in self._buffer

    def has_octets(self) -> bool:
        """Whether anything is here."""
        return bool(self._buffer)

    async def line(self) -> bytes:
        """The next line with its line end. Raises ClientLeft, EndlessLine."""
        buffer = self._buffer
        seen = 0
        while (end := buffer.find(b"\n", seen)) < 0:
            seen = len(buffer)
            if seen > MAX_BUFFERED_OCTETS:
                raise EndlessLine
            await self._more()
        line = bytes(buffer[: end + 1])
        del buffer[: end + 1]
        self._resume()
        return line

    async def octets(self) -> bytes:
        """All that is here, at least one octet. Raises ClientLeft."""
        buffer = self._buffer
        while not buffer:
            await self._more()
        octets = bytes(buffer)
        buffer.clear()
        self._resume()
        return octets

    async def _more(self) -> None:
        if self._eof or self._exception is not None:
            raise ClientLeft
        try:
            await self._wait_for_data("more")  # type: ignore[attr-defined]
        except OSError:
            raise ClientLeft from None

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
        self._resume()
        return line[:-2]

    def put_back(self, octets: bytes) -> None:
        """These octets were taken too far: they come first again."""
        self._buffer[:0] = octets

    def forget(self) -> None:
        """Drop what is here."""
        self._buffer.clear()

    def move_to(self, transport: asyncio.BaseTransport) -> None:
        """Octets come from this transport now (TLS over the one before)."""
        self._transport = transport
