"""One LMTP connection to home: moves octets between a socket and a conversation.

An ``asyncio.Protocol``, not a stream: the envelope and a small message leave in one write, the replies
wake the caller once. Deadlines are one timer per conversation that looks, when it fires, whether anything
has moved in between.

A channel that saw anything odd is closed and says so by ``usable``; it is never reused, and a connection is
never half-closed (a SOCKS proxy closes both ways).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Protocol, cast

from mxgw import lmtp
from mxgw.conversation import Conversation, Handshake, Noop
from mxgw.dialer import Dialer, DialError
from mxgw.dialogue import Dialogue
from mxgw.outcome import Trouble
from mxgw.reply import Reply


@dataclass(frozen=True, slots=True)
class Timing:
    """How long we wait for home, in one place. All of it lies inside the deadline of the delivery."""

    banner_seconds: float = 15.0
    """For greeting and LHLO. Dovecot with all its processes busy takes the connection and stays silent."""
    reply_seconds: float = 75.0
    """For a reply to the envelope, and for home to take more content. Dovecot whose database is dead answers
    RCPT with 451 after 60 s: that answer is better than our own."""
    stale_seconds: float = 20.0
    """For the first reply on a connection that was idle: the tunnel may have forgotten it without a word."""
    ask_seconds: float = 80.0
    """For a question about recipients, waiting for a connection included; the client at RCPT waits 5 minutes
    (RFC 5321 section 4.5.3.2.3). More than reply_seconds."""
    dial_pause_seconds: float = 0.2
    """Between two dials of one message: a home that only restarts needs a moment."""
    idle_seconds: float = 30.0
    """An idle connection is closed after this: the tunnel may forget it. Dovecot waits 5 minutes."""
    probe_seconds: float = 60.0
    """How often home is asked whether it is there: keeps the tunnel warm and the status true."""


DEFAULT_TIMING = Timing()

HIGH_WATER_OCTETS = 256 * 1024
"""Content waiting in one connection's write buffer; times ten connections it still fits the task."""

SMALL_CONTENT_OCTETS = 128 * 1024
"""Content up to this leaves with its envelope in a single write."""

YIELD_OCTETS = 1024 * 1024
"""A fast home takes content without ever pausing us: others get their turn after this much."""


class Content(Protocol):
    """What is delivered (relay.Parcel): its size and its octets, as often as asked for."""

    @property
    def octets(self) -> int:
        """How many octets ``chunks`` gives in all."""

    @property
    def chunks(self) -> Callable[[], Iterator[bytes]]:
        """The octets, bounded pieces in order."""


class Channel(asyncio.Protocol):
    """One connection. At most one conversation at a time; ``on_lost`` is called once when it is gone."""

    def __init__(self, hostname: str, timing: Timing, on_lost: Callable[[Channel], None]) -> None:
        self.extensions = lmtp.NO_EXTENSIONS
        self.left_open = False
        """RSET is due before the next transaction."""
        self.announced = b""
        """The last XCLIENT that home accepted here."""
        self.xclient_refused = False
        self.idle_since = 0.0
        self.reused = False
        self._hostname = hostname
        self._timing = timing
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = lmtp.ReplyReader()
        self._conversation: Conversation | None = None
        self._wake: asyncio.Future[None] | None = None
        self._content_waits = False
        self._small: Content | None = None
        self._error: Exception | None = None
        self._writable = True
        self._moved_at = 0.0
        self._deadline = inf
        self._patience = timing.reply_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = inf
        self._lhlo_lines: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether another conversation may start.

        A connection that was announced as an earlier client's and takes no other name is used up.
        """
        return (
            self._transport is not None
            and self._conversation is None
            and self._reader.empty
            and (not self.announced or bool(self.extensions.xclient))
        )

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER_OCTETS)

    def data_received(self, data: bytes) -> None:
        """Replies, in whatever pieces."""
        conversation = self._conversation
        if conversation is None:
            # Nobody asked: a 421 before home closes, or something out of step. Either way the end.
            self.abort()
            return
        garbage = False
        try:
            replies = self._reader.feed(data)
        except lmtp.Garbage as error:
            replies, garbage = error.replies, True
        self._moved_at = self._loop.time()
        out = b""
        for reply in replies:
            if conversation.finished:
                conversation.odd = True
                break
            out += conversation.receive(reply)
        if garbage or not self._reader.empty:
            conversation.begun = True
        if garbage:
            conversation.fail(Trouble.GARBAGE)
            conversation.odd = True
        elif out and self._transport:
            self._transport.write(out)
        if self._small is not None and not conversation.finished:
            self._send_small(conversation, self._small)
        if conversation.finished or self._content_waits:
            self._awaken()

    def eof_received(self) -> bool:
        """Home closed its side: we close ours."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; what was not answered will not be."""
        del exc
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._conversation:
            self._conversation.fail(Trouble.CLOSED)
        self._awaken()
        self._on_lost(self)

    def pause_writing(self) -> None:
        """The write buffer is full: content waits."""
        self._writable = False

    def resume_writing(self) -> None:
        """Home takes more."""
        self._writable = True
        self._moved_at = self._loop.time()
        self._awaken()

    # What callers do

    async def open(self, dialer: Dialer) -> None:
        """Dial, greeting, LHLO; raises DialError. On any failure the connection is closed."""
        handshake = Handshake(self._hostname)
        self._conversation = handshake
        try:
            await dialer.dial(self)
            await self._converse(handshake, self._loop.time() + self._timing.banner_seconds)
        except BaseException:
            self._conversation = None
            self.abort()
            raise
        if handshake.lhlo_reply is None or self._transport is None:
            trouble = handshake.trouble or Trouble.GARBAGE
            if trouble is Trouble.TIMEOUT:
                trouble = Trouble.CONNECT_TIMEOUT
            raise DialError(trouble, handshake.detail or f"{trouble} before the reply to LHLO was there")
        self._learn(handshake.lhlo_reply)

    async def noop(self, deadline: float) -> bool:
        """Whether home still answers here."""
        noop = Noop()
        self._patience = self._timing.stale_seconds
        self._write(b"NOOP\r\n")
        await self._converse(noop, deadline)
        return not noop.odd

    async def transact(self, dialogue: Dialogue, content: Content | None, deadline: float) -> None:
        """Carry out ``dialogue`` until it is finished, whatever happens. Cancelled: the channel is closed."""
        opening = dialogue.opening()
        if dialogue.finished:
            return
        self._patience = self._timing.stale_seconds if self.reused else self._timing.reply_seconds
        self._conversation = dialogue
        try:
            if content and dialogue.content_due and content.octets <= SMALL_CONTENT_OCTETS:
                self._write_small(dialogue, opening, content)
                content = None
            else:
                self._write(opening)
            await self._converse(dialogue, deadline, content)
        except BaseException:
            self._conversation = None
            self.abort()
            raise
        self.left_open = dialogue.left_open
        if dialogue.xclient_accepted:
            self.announced = dialogue.prelude.xclient
        elif dialogue.xclient_accepted is False:
            self.xclient_refused = True
        if dialogue.lhlo_reply:
            self._learn(dialogue.lhlo_reply)

    def quit(self) -> None:
        """A polite end: QUIT, then close, without waiting for the reply."""
        if self._transport:
            self._transport.write(b"QUIT\r\n")
            self._transport.close()
            self._transport = None

    def abort(self) -> None:
        """Close now; what is still in the write buffer is dropped, so no half message looks whole."""
        if self._transport:
            self._transport.abort()
            self._transport = None

    # Inside

    async def _converse(
        self, conversation: Conversation, deadline: float, content: Content | None = None
    ) -> None:
        self._conversation = conversation
        self._deadline = deadline
        self._moved_at = now = self._loop.time()
        if self._transport is None:
            conversation.fail(Trouble.CLOSED)
        due = min(deadline, now + self._patience)
        if self._timer is None or due < self._rings_at:
            self._set_timer(due)
        try:
            if content and content.octets <= SMALL_CONTENT_OCTETS:
                # It leaves where home asks for it: waking the caller in between costs more than writing it.
                self._small = content
            elif content and isinstance(conversation, Dialogue):
                self._content_waits = True
                while not conversation.finished and not conversation.content_due:
                    await self._pause()
                if not conversation.finished:
                    await self._stream(conversation, content)
                self._content_waits = False
            while not conversation.finished:
                await self._pause()
            if self._error is not None:
                raise self._error
        finally:
            self._small = None
            self._conversation = None
            if conversation.odd or not conversation.finished:
                self.abort()

    async def _stream(self, dialogue: Dialogue, content: Content) -> None:
        octets = 0
        stuffer = lmtp.DotStuffer() if dialogue.stuffed else None
        for chunk in content.chunks():
            self._write(stuffer.feed(chunk) if stuffer else chunk)
            octets += len(chunk)
            if octets % YIELD_OCTETS < len(chunk):
                await asyncio.sleep(0)
            while not (self._writable or dialogue.finished or dialogue.hopeless):
                await self._pause()
            if dialogue.hopeless:
                dialogue.abandon()
            if dialogue.finished:
                return
        if stuffer:
            self._write(stuffer.finish())
        elif octets != content.octets:
            # BDAT has promised a number: home would wait for the rest, or take the rest for commands.
            dialogue.fail(Trouble.INTERNAL)
            return
        dialogue.content_was_sent()

    def _send_small(self, conversation: Conversation, content: Content) -> None:
        """After a 354, or BDAT in lock-step: the command has left already."""
        if not isinstance(conversation, Dialogue) or not conversation.content_due:
            return
        self._small = None
        try:
            self._write_small(conversation, b"", content)
        except Exception as error:  # noqa: BLE001 - raised again where the caller waits
            self._error = error
            conversation.fail(Trouble.INTERNAL)

    def _write_small(self, dialogue: Dialogue, opening: bytes, content: Content) -> None:
        octets = b"".join(content.chunks())
        if dialogue.stuffed:
            octets = lmtp.stuffed(octets)
        elif len(octets) != content.octets:
            dialogue.fail(Trouble.INTERNAL)
            return
        self._write(opening + octets if opening else octets)
        dialogue.content_was_sent()

    def _pause(self) -> asyncio.Future[None]:
        """To be awaited: until something has happened."""
        self._wake = wake = self._loop.create_future()
        return wake

    def _awaken(self) -> None:
        wake = self._wake
        if wake is not None:
            self._wake = None
            if not wake.done():
                wake.set_result(None)

    def _tick(self) -> None:
        self._timer = None
        conversation = self._conversation
        if conversation is None:
            return
        due = self._deadline
        if not conversation.awaits_storage:
            patience = self._timing.reply_seconds if conversation.begun else self._patience
            due = min(due, self._moved_at + patience)
        if self._loop.time() < due:
            self._set_timer(due)
            return
        conversation.fail(Trouble.TIMEOUT)
        self._awaken()

    def _set_timer(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = due
        self._timer = self._loop.call_at(due, self._tick)

    def _write(self, octets: bytes) -> None:
        if self._transport:
            self._transport.write(octets)

    def _learn(self, reply: Reply) -> None:
        # XCLIENT is followed by LHLO for each message: parse it only when it says something new.
        if reply.lines != self._lhlo_lines:
            self._lhlo_lines = reply.lines
            self.extensions = lmtp.Extensions.parse(reply)
