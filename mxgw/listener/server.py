"""Sockets, open sessions, drain: a door for every connection that may come in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol as Interface

from mxgw.limits import Excess, SessionLimits
from mxgw.listener.admission import (
    Address,
    PatientClients,
    comes_from,
    is_hidden,
    proxied_peer,
)
from mxgw.listener.door import Backend, Counts, Door
from mxgw.listener.reader import ClientLeft
from mxgw.listener.replies import DRAINING
from mxgw.listener.settings import DoorSettings, Protocol
from mxgw.listener.tls import Certificates
from mxgw.reply import Reply

BACKLOG = 1024
"""Connections that the kernel holds for us while we are busy; it may cut this to its own limit."""

TALKED_TOO_EARLY = Reply.of(554, "5.5.1", "You talked before the greeting: this is not how SMTP begins #M17")
NOT_OURS = Reply.of(554, "5.7.1", "This door is for our own servers; send mail to the MX of its domain #M18")
_EXCESS = {
    Excess.TOO_MANY_SESSIONS: Reply.of(
        421, "4.3.2", "Too many connections at once; please try again later #M11"
    ),
    Excess.TOO_MANY_FROM_NETWORK: Reply.of(
        421, "4.7.0", "Too many connections at once from your network; please try again later #M12"
    ),
}


class SessionCounts(Counts, Interface):
    """What the listener counts."""

    def session_opened(self) -> None:
        """A session was admitted."""

    def session_closed(self) -> None:
        """An admitted session is over."""

    def session_refused(self, reason: str) -> None:
        """A connection was not admitted: one of limits.Excess, "draining", "proxy-header", "not-ours"."""

    def session_hidden(self) -> None:
        """The client of an admitted session has an address that no stranger has, and sent no PROXY header."""

    def early_talker(self) -> None:
        """A client talked before the banner."""


class Listener:
    """Accepts connections and runs a session for each, in the task group of the service."""

    def __init__(
        self,
        *,
        settings: DoorSettings,
        backend: Backend,
        limits: SessionLimits,
        certificates: Certificates | None,
        counts: SessionCounts,
        tasks: asyncio.TaskGroup,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._backend = backend
        self._limits = limits
        self._certificates = certificates
        self._counts = counts
        self._tasks = tasks
        self._patient = PatientClients(clock)
        self._doors: set[Door] = set()
        self._draining = False
        self._empty = asyncio.Event()
        self._empty.set()
        self._running: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int, *, share_port: bool) -> tuple[str, int]:
        """Listen; the address that is really bound. ``share_port``: other workers listen on it too."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: self._make_door(loop), host, port, backlog=BACKLOG, reuse_port=share_port or None
        )
        bound = self._server.sockets[0].getsockname()
        return bound[0], bound[1]

    async def drain(self) -> None:
        """Idle sessions are told 421, new connections too; returns when all messages are through.

        The sockets stay open: a balancer may send connections for two minutes more, and a refusal in words
        is better than a reset.
        """
        self._draining = True
        for door in list(self._doors):
            door.drain()
        await self._empty.wait()

    @property
    def sessions(self) -> int:
        """Sessions open now."""
        return len(self._doors)

    def close(self) -> None:
        """Stop listening, and cancel what still runs: its clients see the connection break, and retry."""
        if self._server:
            self._server.close()
        for task in self._running:
            task.cancel()

    def _make_door(self, loop: asyncio.AbstractEventLoop) -> Door:
        return Door(
            loop,
            settings=self._settings,
            backend=self._backend,
            certificates=self._certificates,
            counts=self._counts,
            connected=self._connected,
        )

    def _connected(self, door: Door) -> None:
        task = self._tasks.create_task(self._run(door))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, door: Door) -> None:
        try:
            await self._attend(door)
        except ClientLeft:
            pass
        except Exception as error:  # noqa: BLE001 - one session's bug must not end the others
            self._counts.crashed(error)
        finally:
            door.transport.close()

    async def _attend(self, door: Door) -> None:
        if self._draining:
            self._counts.session_refused("draining")
            await door.turn_away(DRAINING)
            return
        peer = door.peer()
        # Who is in these networks has to send a PROXY header; all others may not.
        hidden = False
        if comes_from(peer[0], self._settings.proxy_from):
            proxied = await door.read_header(lambda reader: proxied_peer(reader, peer))
            if proxied is None:
                self._counts.session_refused("proxy-header")
                return
            peer = proxied
        elif self._settings.protocol is Protocol.SMTP:
            hidden = is_hidden(peer[0])
        address, port = peer
        if self._settings.only_from is not None and not comes_from(address, self._settings.only_from):
            self._counts.session_refused("not-ours")
            await door.turn_away(NOT_OURS)
            return
        excess = self._limits.enter(address)
        if excess:
            self._counts.session_refused(excess.value)
            await door.turn_away(_EXCESS[excess])
            return
        self._counts.session_opened()
        if hidden:
            self._counts.session_hidden()
        self._doors.add(door)
        self._empty.clear()
        try:
            if await self._is_patient(door, address):
                await door.converse(address, port)
            else:
                self._counts.early_talker()
                await door.turn_away(TALKED_TOO_EARLY)
        finally:
            self._doors.discard(door)
            self._limits.leave(address)
            self._counts.session_closed()
            if not self._doors:
                self._empty.set()

    async def _is_patient(self, door: Door, address: Address) -> bool:
        """Whether the client waits for the banner: one that talks first does not speak SMTP."""
        seconds = self._settings.pregreet_seconds
        if not seconds:
            return True
        if await door.talks_within(0.0 if address in self._patient else seconds):
            self._patient.discard(address)
            return False
        self._patient.add(address)
        return True
