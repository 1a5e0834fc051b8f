"""One message at a time for each mailbox, so that home's duplicate test remembers what it has stored.

Dovecot's Sieve keeps the fingerprints of a mailbox in one file, read at the start of a delivery and written
anew at its end: two deliveries that overlap lose one another's mark, and a later retry is stored again (146
of 200 messages, measured with eight at a time). Deliveries to different mailboxes still run side by side.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from mxgw.envelope import ForwardPath
from mxgw.outcome import HomeAnswer, Trouble
from mxgw.relay import Parcel


class Home(Protocol):
    """Where messages go."""

    def available(self) -> bool:
        """Whether it makes sense to try."""

    async def deliver(self, parcel: Parcel) -> tuple[HomeAnswer, ...]:
        """One answer per forward path."""


class Turns:
    """Who may deliver to which mailbox now. Turns are given in the order of asking."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, mailboxes: frozenset[str]) -> AsyncIterator[None]:
        """Holds a turn at each of these mailboxes; taken in one order, so that nobody waits in a circle."""
        held: list[str] = []
        try:
            for mailbox in sorted(mailboxes):
                lock, users = self._locks.get(mailbox) or (asyncio.Lock(), 0)
                self._locks[mailbox] = (lock, users + 1)
                try:
                    await lock.acquire()
                except BaseException:
                    self._leave(mailbox)
                    raise
                held.append(mailbox)
            yield
        finally:
            for mailbox in held:
                self._locks[mailbox][0].release()
                self._leave(mailbox)

    def __len__(self) -> int:
        return len(self._locks)

    def _leave(self, mailbox: str) -> None:
        lock, users = self._locks[mailbox]
        if users > 1:
            self._locks[mailbox] = (lock, users - 1)
        else:
            del self._locks[mailbox]


class InTurn:
    """A home that is given one message at a time for each mailbox. Waiting counts against ``seconds``."""

    def __init__(self, home: Home, *, seconds: float) -> None:
        self._home = home
        self._seconds = seconds
        self._turns = Turns()

    def available(self) -> bool:
        """Whether it makes sense to try."""
        return self._home.available()

    async def deliver(self, parcel: Parcel) -> tuple[HomeAnswer, ...]:
        """Deliver when it is this message's turn; never raises but CancelledError."""
        turn = self._turns.of(frozenset(_mailbox(path) for path in parcel.forward_paths))
        try:
            async with asyncio.timeout(self._seconds) as waiting, turn:
                # From here on the delivery has its own deadline.
                waiting.reschedule(None)
                return await self._home.deliver(parcel)
        except TimeoutError:
            return (HomeAnswer(trouble=Trouble.NO_SLOT),) * len(parcel.forward_paths)


def _mailbox(path: ForwardPath) -> str:
    # Dovecot folds case and cuts off a detail; to take two mailboxes for one costs a moment, not a message.
    local = path.local.strip('"').lower().partition("+")[0]
    return f"{local}@{path.domain.lower()}"
