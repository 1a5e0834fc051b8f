"""One of the concurrent sessions of a load run: moves the octets between a client object and a socket."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

from mxgw.load.client import Client, Habits, Wish
from mxgw.load.letter import Letter, Piece
from mxgw.load.replies import Replies, Stage

ONE_WRITE_OCTETS = 256 * 1024
"""What is smaller leaves in one write. Larger contents leave in pieces of this size, when the peer reads."""

SLOW_SECONDS = 0.1
"""A slow sender writes so often: ten times a second looks like a stream."""

FAREWELL_SECONDS = 2.0
"""How long the answer to QUIT is waited for when there is no more to send."""

PAUSE_SECONDS = 0.2
"""After a connection that could not be made: a server that is gone is not asked as fast as it refuses."""

_LINGER_ZERO = struct.pack("ii", 1, 0)  # close() sends RST in place of FIN
_OWN_CONNECTION = (Stage.CONNECT, Stage.HELO)


class Owner(Protocol):
    """Who has the sessions."""

    def connected(self) -> Replies:
        """A connection was made; where its replies are to be counted."""

    def secured(self) -> None:
        """A TLS handshake was done."""

    def over(self, letter: Letter) -> None:
        """A letter has come to its end."""

    def free(self, session: Session) -> None:
        """The session can take the next letter."""

    def gone(self) -> None:
        """A session that was free has lost its connection."""

    def complain(self, complaint: str) -> None:
        """The server cannot be used as it was planned."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where all sessions of a worker connect to, and how."""

    address: tuple[str, int]
    habits: Habits
    per_connection: int
    proxy: Iterator[bytes] | None
    tls: ssl.SSLContext | None
    reset: bool
    patience_seconds: float
    spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Session(asyncio.Protocol):
    """Give it a letter with ``send`` when it is free; end it with ``leave``."""

    def __init__(self, owner: Owner, route: Route, loop: asyncio.AbstractEventLoop) -> None:
        self.busy = False
        self._owner = owner
        self._route = route
        self._loop = loop
        self._client: Client | None = None
        self._transport: asyncio.Transport | None = None
        self._waiting: Letter | None = None
        """Waits for a connection."""
        self._letter: Letter | None = None
        self._pending: deque[Piece] = deque()
        self._paused = False
        self._pace = 0
        """Octets a second; 0: as quickly as it goes."""
        self._pacing: asyncio.TimerHandle | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._leaving: Wish | None = None
        self._moved_at = 0.0

    @property
    def connected(self) -> bool:
        """There is a connection."""
        return self._client is not None

    def send(self, letter: Letter) -> None:
        """Bring this letter on its way."""
        self.busy = True
        self._moved_at = self._loop.time()
        client = self._client
        if client is not None and letter.hang_up not in _OWN_CONNECTION:
            self._begin(client, letter)
            self._act()
            return
        self._waiting = letter
        if client is None:
            self._connecting = self._route.spawn(self._connect())
        else:
            client.quit()
            self._act()

    def leave(self) -> None:
        """There is no more to send."""
        if self._client is not None and not self.busy:
            self._moved_at = self._loop.time() - max(0.0, self._route.patience_seconds - FAREWELL_SECONDS)
            self._client.quit()
            self._act()

    def check(self, now: float) -> None:
        """Has the peer been silent for too long? ``now`` in the time of the loop."""
        if self._client is not None and now - self._moved_at > self._route.patience_seconds:
            self.give_up(f"no reply within {self._route.patience_seconds:g} s")

    def give_up(self, trouble: str) -> None:
        """End the connection, or the attempt to get one, at once."""
        if self._connecting is not None:
            self._connecting.cancel()
        if self._client is None or self._transport is None:
            return
        self._client.fail(trouble)
        self._transport.abort()
        self._act()

    # -- what the loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Also called by the loop where a task of ours connects."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass of it
        self._client = client = Client(self._route.habits, self._owner.connected())
        self._paused = False
        self._leaving = None
        if self._route.proxy is not None:
            self._transport.write(next(self._route.proxy))
        letter, self._waiting = self._waiting, None
        if letter is not None:
            self._begin(client, letter)
            self._act()

    def data_received(self, octets: bytes) -> None:
        """Replies."""
        self._moved_at = self._loop.time()
        if self._client is not None and self._leaving is None:
            self._client.receive(octets)
            self._act()

    def pause_writing(self) -> None:
        """The peer does not read as quickly as we write."""
        self._paused = True

    def resume_writing(self) -> None:
        """It does again."""
        self._paused = False
        self._pump()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is over, whoever ended it."""
        client = self._client
        if client is None:
            return
        if self._pending and self._letter is not None:
            self._letter.content_sent = False
        self._drop_pending()
        if self._leaving is None:
            client.fail("connection reset by the server" if error else "connection closed by the server")
            self._take_finished(client)
        self._client = self._transport = None
        if self._waiting is not None:
            self._connecting = self._route.spawn(self._connect())
        elif self.busy:
            self._release()
        else:
            self._owner.gone()

    # -- within

    async def _connect(self) -> None:
        trouble = ""
        try:
            async with asyncio.timeout(self._route.patience_seconds):
                await self._loop.create_connection(lambda: self, *self._route.address)
        except TimeoutError:
            trouble = f"no connection within {self._route.patience_seconds:g} s"
        except OSError as error:
            trouble = os.strerror(error.errno) if error.errno else str(error)
        except asyncio.CancelledError:
            self._not_connected("interrupted")
            raise
        finally:
            self._connecting = None
        if trouble:
            self._not_connected(f"cannot connect: {trouble}")

    def _not_connected(self, trouble: str) -> None:
        letter, self._waiting = self._waiting, None
        if letter is not None:
            letter.trouble = trouble
            self._owner.over(letter)
            self._loop.call_later(PAUSE_SECONDS, self._release)

    def _release(self) -> None:
        self.busy = False
        self._owner.free(self)

    async def _secure(self) -> None:
        transport, context = self._transport, self._route.tls
        if transport is None or context is None:
            return
        try:
            secured = await self._loop.start_tls(
                transport,
                self,
                context,
                server_hostname=self._route.address[0],
                ssl_handshake_timeout=self._route.patience_seconds,
            )
        except OSError as error:  # ssl.SSLError is one
            if self._client is not None:
                self._client.fail(f"TLS handshake failed: {getattr(error, 'reason', None) or error}")
                self._leaving = Wish.CLOSE
                self._take_finished(self._client)
            transport.abort()
            self.connection_lost(error)
            return
        if self._client is not None and secured is not None:
            self._transport = secured
            self._owner.secured()
            self._client.secured()
            self._act()

    def _begin(self, client: Client, letter: Letter) -> None:
        self._letter = letter
        self._pace = letter.octets_per_second
        bound = self._route.per_connection
        last = letter.hang_up is not None or 0 < bound <= client.carried + 1
        client.begin(letter, last=last)

    def _act(self) -> None:
        """Do what the client object wants done."""
        client = self._client
        if client is None:
            return
        if client.out:
            self._write(client)
        self._take_finished(client)
        if client is not self._client or self._leaving is not None:
            return
        if client.wish is Wish.TLS:
            self._route.spawn(self._secure())
        elif client.wish is not Wish.NOTHING:
            self._leaving = client.wish
            if not self._pending:
                self._go()
        elif client.idle and self.busy and self._waiting is None:
            self._release()

    def _take_finished(self, client: Client) -> None:
        letter, client.finished = client.finished, None
        if letter is None:
            return
        self._letter = None
        if client.complaint:
            self._owner.complain(client.complaint)
        if self._pending and not letter.hung_up:
            # An answer before the end of the content: what comes next would be taken for content.
            letter.content_sent = False
            self._drop_pending()
            client.fail("")
        if _stale(client, letter):
            letter.start_again()
            self._waiting = letter
        else:
            self._owner.over(letter)

    def _write(self, client: Client) -> None:
        out, client.out = client.out, []
        if self._transport is None:
            return
        octets = 0
        for piece in out:
            octets += len(piece)
        if octets <= ONE_WRITE_OCTETS and not self._pending and not self._pace:
            self._transport.write(out[0] if len(out) == 1 else b"".join(out))
            return
        self._pending.extend(out)
        self._pump()

    def _pump(self) -> None:
        """Write what the peer can take."""
        pending = self._pending
        most = max(1, round(self._pace * SLOW_SECONDS)) if self._pace else ONE_WRITE_OCTETS
        transport = self._transport
        # Into a connection that is lost already everything can be written: what then is left was not sent.
        while (
            pending and transport is not None and not (self._paused or self._pacing or transport.is_closing())
        ):
            piece = pending.popleft()
            if len(piece) > most:
                pending.appendleft(memoryview(piece)[most:])
                piece = piece[:most]
            transport.write(piece)
            self._moved_at = self._loop.time()
            if self._pace and pending:
                self._pacing = self._loop.call_later(SLOW_SECONDS, self._next_pace)
        if not pending and self._leaving is not None:
            self._go()

    def _next_pace(self) -> None:
        self._pacing = None
        self._pump()

    def _drop_pending(self) -> None:
        self._pending.clear()
        if self._pacing is not None:
            self._pacing.cancel()
            self._pacing = None

    def _go(self) -> None:
        """Close the connection; what was written still goes out."""
        transport = self._transport
        if transport is None:
            return
        if self._leaving is Wish.HANG_UP and self._route.reset:
            connection = transport.get_extra_info("socket")
            if connection is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        transport.close()


def _stale(client: Client, letter: Letter) -> bool:
    """The server was done with this connection before it saw the letter: RFC 5321 section 3.8 lets it end a
    session with 421 after any number of messages. Such a letter goes out again, once."""
    unseen = letter.codes[0] == 421 or not (letter.content_sent or letter.codes[0])
    return client.carried > 1 and not (letter.answered or letter.retried or letter.hung_up) and unseen
