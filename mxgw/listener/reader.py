"""The octets of a client that were received and not yet taken.

An asyncio.StreamReader that lets the door look at what is there: private names of StreamReader (``_buffer``,
``_transport``, ``_maybe_resume_transport``) are used in this file only.
"""

from __future__ import annotations

import asyncio

from mxgw.listener.settings import MAX_BUFFERED_OCTETS, MAX_COMMAND_OCTETS


class ClientReader(asyncio.StreamReader):
    """Pauses the connection when twice MAX_BUFFERED_OCTETS wait to be taken."""

    _buffer: bytearray
    _transport: asyncio.BaseTransport

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=MAX_BUFFERED_OCTETS, loop=loop)

    def has_line(self) -> bool:
        """Whether a line end is here."""
        return b"\n" in self._buffer

    def has_octets(self) -> bool:
        """Whether anything is here."""
        return bool(self._buffer)

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
        self._maybe_resume_transport()  # type: ignore[attr-defined]
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
