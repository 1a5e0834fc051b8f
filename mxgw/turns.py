"""One message at a time for each mailbox, so that home's duplicate test remembers what it has stored.

Dovecot's Sieve keeps the fingerprints of a mailbox in one file, read at the start of a delivery and written
anew at its end: two deliveries that overlap lose one another's mark, and a later retry is stored again (146
of 200 messages, measured with eight at a time). Deliveries to different mailboxes still run side by side.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
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
        # A mailbox is in here while somebody has his turn at it, with those who wait for theirs.
        self._waiters: dict[str, deque[asyncio.Future[None]]] = {}

    def take_now(self, mailboxes: frozenset[str]) -> bool:
        """Take a turn at each, if nobody has one at any of them."""
        waiters = self._waiters
        for mailbox in mailboxes:
            if mailbox in waiters:
                return False
        for mailbox in mailboxes:
            waiters[mailbox] = deque()
        return True

    async def take(self, mailboxes: frozenset[str]) -> None:
        """Wait for a turn at each; taken in one order, so that nobody waits in a circle."""
        held: list[str] = []
        try:
            for mailbox in sorted(mailboxes):
                if mailbox in self._waiters:
                    await self._wait(mailbox)
                else:
                    self._waiters[mailbox] = deque()
                held.append(mailbox)
        except BaseException:
            self.give_back(held)
            raise

    def give_back(self, mailboxes: Iterable[str]) -> None:
        """End a turn at each of them."""
        for mailbox in mailboxes:
            waiters = self._waiters[mailbox]
            while waiters:
                waiter = waiters.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    break
            else:
                del self._waiters[mailbox]

    def __len__(self) -> int:
        return len(self._waiters)

    async def _wait(self, mailbox: str) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters[mailbox].append(waiter)
        try:
            await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():
                # The turn came in the same moment as the cancellation: pass it on.
                self.give_back((mailbox,))
            raise


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
        mailboxes = frozenset([_mailbox(path) for path in parcel.forward_paths])
        if not self._turns.take_now(mailboxes):
            try:
                async with asyncio.timeout(self._seconds):
                    await self._turns.take(mailboxes)
            except TimeoutError:
                return (HomeAnswer(trouble=Trouble.NO_SLOT),) * len(parcel.forward_paths)
        try:
            return await self._home.deliver(parcel)
        finally:
            self._turns.give_back(mailboxes)


def _mailbox(path: ForwardPath) -> str:
    # Dovecot folds case and cuts off a detail; to take two mailboxes for one costs a moment, not a message.
    local = path.local.strip('"').lower().partition("+")[0]
    return f"{local}@{path.domain.lower()}"
