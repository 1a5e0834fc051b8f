"""One connection: command lines in, replies out in one write, a deadline for every wait, STARTTLS.

Nothing here knows what a verb means.
"""

from __future__ import annotations

import asyncio
import ssl
from asyncio import StreamReader, StreamReaderProtocol
from collections.abc import Awaitable, Callable, Coroutine
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, cast

from aiosmtpd.smtp import SMTP

from mxgw.envelope import Tls
from mxgw.listener.admission import Address, unmapped
from mxgw.listener.reader import ClientLeft, ClientReader, EndlessLine
from mxgw.listener.settings import (
    COALESCE_SECONDS,
    LINGER_OCTETS,
    LINGER_SECONDS,
    MAX_UNFLUSHED_OCTETS,
    SMALL_CHUNK_OCTETS,
    SMALL_CHUNKS_IN_A_ROW,
    Deadline,
)
from mxgw.reply import Reply

Work = Coroutine[Any, Any, None]
"""What a command leaves to be awaited."""

TIMED_OUT = Reply.of(421, "4.4.2", "Timeout: closing the connection #M16")


class LineFault(Exception):
    """A command line that cannot be read on from: holds the reply to give before closing."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


BARE_CR_OR_LF = Reply.of(500, "5.5.2", "A command line ends with CRLF, and holds no bare CR or LF #M20")
ENDLESS_LINE = Reply.of(500, "5.5.2", "Command line too long #M20")


class Wire(SMTP):
    """An aiosmtpd protocol whose reading, writing and timing are ours.

    aiosmtpd's own constructor is passed by: it inspects handler and protocol by reflection for every
    connection, which costs more than receiving a message; what it would set up (AUTH, hooks, its command
    loop) is not used. A session is never cancelled by a hang-up, only told of it at its next read.
    """

    transport: asyncio.Transport

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._received = ClientReader(loop)
        StreamReaderProtocol.__init__(self, self._received, loop=loop)
        self._time = loop.time
        self._out: list[bytes] = []
        self._waits_for_command = False
        self._work: Work | None = None
        self._error: Exception | None = None
        self._ends = False
        self._content_due = False
        self._expires_at = float("inf")
        self._watchdog: asyncio.TimerHandle | None = None
        self._small_chunks = 0
        self._content_until = float("inf")
        self.tls: Tls | None = None

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The peer is there."""
        StreamReaderProtocol.connection_made(self, transport)
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """The peer sent something."""
        if not self._waits_for_command:
            self._received.feed_data(data)
            return
        self._received.append(data)
        self._carry_out()
        if self._work is not None or self._ends or self._error is not None:
            self._waits_for_command = False
            if not self._content_due:
                self._received.awaken()

    def connection_lost(self, error: Exception | None) -> None:
        """The peer is gone: the reader says so to whoever waits; a delivery in flight goes on."""
        StreamReaderProtocol.connection_lost(self, error)
        if self._watchdog:
            self._watchdog.cancel()
            self._watchdog = None

    def eof_received(self) -> bool:
        """A half-close is no hang-up: what the client has sent is answered first (not possible under TLS)."""
        self._received.feed_eof()
        return self.tls is None

    def peer(self) -> tuple[Address, int]:
        """Address and port at the other end of the connection itself."""
        name = self.transport.get_extra_info("peername") or ("0.0.0.0", 0)
        return _address(name[0]), name[1]

    async def turn_away(self, reply: Reply) -> None:
        """Say this in place of a greeting, and close."""
        self._say(reply)
        await self._hang_up()

    async def talks_within(self, seconds: float) -> bool:
        """Whether the client sends anything within so many seconds. Raises ClientLeft."""
        if not self._received.has_octets():
            try:
                async with asyncio.timeout(seconds):
                    self._received.put_back(await self._received.octets())
            except TimeoutError:
                return False
        return True

    async def read_header(
        self, read: Callable[[StreamReader], Awaitable[tuple[Address, int] | None]]
    ) -> tuple[Address, int] | None:
        """What ``read`` makes of the first octets, under the deadline of a PROXY header."""
        try:
            async with asyncio.timeout(Deadline.PROXY_HEADER.value):
                return await read(self._received)
        except TimeoutError:
            return None

    # deadlines: one timer per connection, moved without touching it

    def _arm(self, deadline: Deadline, *, at_most: float = float("inf")) -> None:
        """From now on the client has so many seconds, and at most until then, to bring the next octet."""
        expires_at = self._time() + deadline._value_
        if expires_at > at_most:
            expires_at = at_most
        self._expires_at = expires_at
        if self._watchdog is None:
            self._watchdog = self.loop.call_at(expires_at, self._watch)
            self._rings_at = expires_at
        elif expires_at < self._rings_at:
            self._rings_at = expires_at
            self._watchdog.cancel()
            self._watchdog = self.loop.call_at(expires_at, self._watch)

    def _disarm(self) -> None:
        """The client waits for us now."""
        self._expires_at = float("inf")

    def _watch(self) -> None:
        self._watchdog = None
        if self._expires_at == float("inf"):
            return
        if self._expires_at > self.loop.time():
            self._watchdog = self.loop.call_at(self._expires_at, self._watch)
            self._rings_at = self._expires_at
        else:
            self._dismiss(TIMED_OUT)

    def _dismiss(self, reply: Reply) -> None:
        """Say a last word from outside the session and close; its next read tells the session."""
        if not self.transport.is_closing():
            self.transport.write(b"".join(self._out) + reply.encode())
            self._out.clear()
            self.transport.close()
            # A client that does not read must not keep the connection: what is unsent then is given up.
            self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    # lines in

    def _command(self, line: bytes) -> Work | None:
        """Carry out one command line, given without its CRLF; what is left to be awaited, if anything."""
        raise NotImplementedError

    async def _next_work(self) -> Work | None:
        """Wait until a command leaves something to be awaited; None: the session ends.

        Commands that need no waiting are carried out where they arrive, in ``data_received``: waking the
        session for each costs more than they do. Raises ClientLeft, LineFault, and what a command raised.
        """
        self._carry_out()
        while self._work is None and self._error is None and not self._ends:
            self._waits_for_command = True
            try:
                await self._received.more()
            finally:
                self._waits_for_command = False
        if self._error is not None:
            raise self._error
        work, self._work = self._work, None
        return work

    def _carry_out(self) -> None:
        """Carry out the commands that are here, up to one that must be awaited.

        Replies leave in one write, only when no complete command is waiting (RFC 2920 section 3.2).
        """
        try:
            while self._work is None and not self._ends:
                line = self._received.line()
                if line is None:
                    if self._out and self._send():
                        self._work = self._drain()
                    else:
                        self._arm(Deadline.COMMAND)
                    return
                if not line.endswith(b"\r\n") or line.count(b"\r") != 1:
                    raise LineFault(BARE_CR_OR_LF)
                self._work = self._command(line[:-2])
        except EndlessLine:
            self._error = LineFault(ENDLESS_LINE)
        except Exception as error:  # noqa: BLE001 - raised again where the session waits
            self._error = error

    def _forget_work(self) -> None:
        """The session ends: what was left to be awaited will not be."""
        if self._work is not None:
            self._work.close()
            self._work = None

    # content in

    def _ask_for_content(self, reply: Reply) -> None:
        """Say this at once; the session is woken by the content, not before (or by the hang-up)."""
        self._say(reply)
        self._send()
        self._content_due = True
        self._arm(Deadline.CONTENT_BLOCK)

    def _begin_content(self) -> None:
        """A message begins: from now on it has its time in all."""
        self._content_due = False
        self._content_until = self._time() + Deadline.CONTENT_WHOLE._value_

    async def _next_content(self) -> bytes:
        """Whatever content octets are here, at least one. Raises ClientLeft."""
        self._arm(Deadline.CONTENT_BLOCK, at_most=self._content_until)
        if self._small_chunks > SMALL_CHUNKS_IN_A_ROW and not self.transport.is_closing():
            self._small_chunks = 0
            self.transport.pause_reading()
            await asyncio.sleep(COALESCE_SECONDS)
            if not self.transport.is_closing():
                self.transport.resume_reading()
        chunk = await self._received.octets()
        self._small_chunks = self._small_chunks + 1 if len(chunk) < SMALL_CHUNK_OCTETS else 0
        return chunk

    # replies out

    def _say(self, reply: Reply) -> None:
        self._out.append(reply.encode())

    async def _flush(self) -> None:
        """Everything said so far leaves in one write. Raises ClientLeft where the peer is gone."""
        if self._out and self._send():
            await self._drain()

    def _send(self) -> bool:
        """Hand over what was said; whether the client has to read before it is told more."""
        octets = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        if self.transport.is_closing():
            raise ClientLeft
        self.transport.write(octets)
        return self.transport.get_write_buffer_size() > MAX_UNFLUSHED_OCTETS

    async def _drain(self) -> None:
        self._arm(Deadline.COMMAND)
        try:
            await self._drain_helper()  # type: ignore[attr-defined]  # asyncio.streams.FlowControlMixin
        except ConnectionError:
            raise ClientLeft from None

    async def _hang_up(self) -> None:
        """Close after what was said has left; read and drop what still comes, so that it arrives."""
        try:
            await self._flush()
        except ClientLeft:
            return
        if self.tls is None and self._received.has_octets() and not self.transport.is_closing():
            self.transport.write_eof()
            dropped = 0
            try:
                async with asyncio.timeout(LINGER_SECONDS):
                    while dropped < LINGER_OCTETS:
                        dropped += len(await self._received.octets())
            except (TimeoutError, ClientLeft):
                pass
        self.transport.close()

    # TLS

    async def _start_tls(self, context: ssl.SSLContext) -> None:
        """Turn the connection into TLS. Octets sent in clear are gone (RFC 3207 section 4.2).

        The event loop's own ``start_tls`` is used in place of aiosmtpd's SSLProtocol: on uvloop an idle
        connection then needs 45 KB, not 270 KB. Raises ClientLeft where the handshake fails.
        """
        self._disarm()
        self.transport.pause_reading()
        self._received.forget()
        try:
            transport = await self.loop.start_tls(
                self.transport,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=Deadline.TLS_HANDSHAKE.value,
                ssl_shutdown_timeout=LINGER_SECONDS,
            )
        except (OSError, ssl.SSLError):
            raise ClientLeft from None
        if transport is None:
            raise ClientLeft
        self.transport = transport
        self._over_ssl = True
        self._transport = transport
        self._received.move_to(transport)
        ssl_object = transport.get_extra_info("ssl_object")
        self.tls = Tls(ssl_object.version() or "TLS", (ssl_object.cipher() or ("",))[0])


@lru_cache(maxsize=4096)
def _address(text: str) -> Address:
    """An address as the socket writes it. Cached: clients come back, and parsing it is dear."""
    return unmapped(ip_address(text.partition("%")[0]))
