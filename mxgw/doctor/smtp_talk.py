"""One SMTP session as its client: commands and replies, one by one, each under a deadline.

Foreign exceptions (OSError, those of TLS) end here: what comes out is a reply or Broken.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from enum import StrEnum
from typing import Self

from mxgw.lmtp import Garbage, ReplyReader
from mxgw.reply import Reply

READ_OCTETS = 4096


class Trouble(StrEnum):
    """Why there is no reply."""

    REFUSED = "refused"
    """Nobody listens at the port."""

    UNREACHABLE = "unreachable"
    SILENT = "silent"
    """Nothing came in time."""

    CLOSED = "closed"
    GARBAGE = "garbage"
    """What came is no SMTP."""

    TLS = "tls"
    """The handshake failed."""


class Broken(Exception):
    """The session ended before its time. ``stage`` is what was waited for, ``text`` what was seen."""

    def __init__(self, trouble: Trouble, stage: str, text: str) -> None:
        super().__init__(f"{stage}: {text}")
        self.trouble = trouble
        self.stage = stage
        self.text = text


class Distrusted(Exception):
    """The certificate is none that the system trusts; in OpenSSL's words."""


class SmtpTalk:
    """An open session. ``close`` it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, reply_seconds: float
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._reply_seconds = reply_seconds
        self._replies = ReplyReader()
        self._ready: list[Reply] = []

    @classmethod
    async def open(cls, address: str, port: int, *, reply_seconds: float) -> tuple[Self, float]:
        """Connect; the session and the seconds that it took. Raises Broken."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(reply_seconds):
                reader, writer = await asyncio.open_connection(address, port)
        except TimeoutError:
            raise Broken(Trouble.SILENT, "connect", f"no answer in {reply_seconds:g} s") from None
        except ConnectionRefusedError as error:
            raise Broken(Trouble.REFUSED, "connect", _words(error)) from None
        except OSError as error:
            raise Broken(Trouble.UNREACHABLE, "connect", _words(error)) from None
        return cls(reader, writer, reply_seconds=reply_seconds), time.monotonic() - began

    async def reply(self, stage: str) -> Reply:
        """The next reply; raises Broken."""
        try:
            async with asyncio.timeout(self._reply_seconds):
                while not self._ready:
                    octets = await self._reader.read(READ_OCTETS)
                    if not octets:
                        raise Broken(Trouble.CLOSED, stage, "connection closed")
                    self._ready += self._replies.feed(octets)
        except TimeoutError:
            raise Broken(Trouble.SILENT, stage, f"no answer in {self._reply_seconds:g} s") from None
        except Garbage as garbage:
            raise Broken(Trouble.GARBAGE, stage, str(garbage)) from None
        except OSError as error:
            raise Broken(Trouble.CLOSED, stage, _words(error)) from None
        return self._ready.pop(0)

    async def ask(self, command: str) -> Reply:
        """Send a command and wait for its reply; raises Broken."""
        self._writer.write(command.encode() + b"\r\n")
        return await self.reply(command)

    async def content(self, octets: bytes) -> Reply:
        """Send the content behind a 354, dot-stuffed and ended; raises Broken."""
        stuffed = octets.replace(b"\r\n.", b"\r\n..")
        self._writer.write((b"." if octets.startswith(b".") else b"") + stuffed + b".\r\n")
        return await self.reply("content")

    async def start_tls(self, context: ssl.SSLContext, server_name: str | None) -> ssl.SSLObject:
        """Shake hands after a 220 to STARTTLS. Raises Broken, or Distrusted where ``context`` verifies."""
        try:
            async with asyncio.timeout(self._reply_seconds):
                await self._writer.start_tls(context, server_hostname=server_name)
        except TimeoutError:
            text = f"no handshake in {self._reply_seconds:g} s"
            raise Broken(Trouble.SILENT, "STARTTLS", text) from None
        except ssl.SSLCertVerificationError as error:
            raise Distrusted(error.verify_message) from None
        except (ssl.SSLError, OSError) as error:
            raise Broken(Trouble.TLS, "STARTTLS", getattr(error, "reason", "") or _words(error)) from None
        secured = self._writer.get_extra_info("ssl_object")
        if not isinstance(secured, ssl.SSLObject):
            raise Broken(Trouble.TLS, "STARTTLS", "no TLS")
        return secured

    def close(self) -> None:
        """End it, with what is unsaid left unsaid."""
        self._writer.transport.abort()


def _words(error: Exception) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return text[:200]
