"""The connections to home: how many, who may have one, which are kept.

At most ``connections`` deliveries at a time; RESERVED_FOR_ASKING more connections exist only for questions
about recipients, so that large deliveries do not keep clients waiting at RCPT. Idle connections are used
last in, first out: a quiet gateway shrinks to one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from mxgw import lmtp
from mxgw.breaker import Breaker
from mxgw.channel import Channel, Timing
from mxgw.dialer import Dialer, DialError
from mxgw.dialogue import Purpose
from mxgw.outcome import Trouble

RESERVED_FOR_ASKING = 2
"""A question takes one round trip: two connections answer a hundred a second over a 20 ms link."""

DIAL_TRIES = 2
"""The first dial after a quiet time may fail while the tunnel wakes up."""

_WORTH_A_SECOND_DIAL = frozenset({Trouble.CONNECT_FAILED, Trouble.CONNECT_TIMEOUT, Trouble.CLOSED})


class Unavailable(Exception):
    """No connection to be had; ``trouble`` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class Pool:
    """Hands out channels. Whoever acquires one releases it, whatever happened to it."""

    def __init__(
        self,
        *,
        dialer: Dialer,
        breaker: Breaker,
        hostname: str,
        connections: int,
        max_waiters: int,
        timing: Timing,
        on_failure: Callable[[DialError], None],
    ) -> None:
        self._dialer = dialer
        self._breaker = breaker
        self._hostname = hostname
        self._max_deliveries = connections
        self._max_leases = connections + RESERVED_FOR_ASKING
        self._max_waiters = max_waiters
        self._timing = timing
        self._on_failure = on_failure
        self.extensions: lmtp.Extensions | None = None
        """Of home's last LHLO."""
        self._idle: list[Channel] = []
        self._closed = False
        self._delivering = 0
        self._leases = 0
        self._waiters: dict[Purpose, deque[asyncio.Future[None]]] = {purpose: deque() for purpose in Purpose}
        self._turn = Purpose.ASK

    @property
    def idle(self) -> int:
        """Connections that wait for work."""
        return len(self._idle)

    @property
    def connections(self) -> int:
        """Connections in all, those being dialled included."""
        return self._leases + len(self._idle)

    @property
    def waiting(self) -> int:
        """Callers who wait for a connection."""
        return sum(map(len, self._waiters.values()))

    async def acquire(self, purpose: Purpose, deadline: float, *, fresh: bool = False) -> Channel:
        """A channel that is ready for a transaction; raises Unavailable. ``fresh``: newly dialled."""
        await self._admit(purpose, deadline)
        try:
            while self._idle and not fresh:
                channel = self._idle.pop()
                if channel.usable:
                    channel.reused = True
                    return channel
            return await self._dial(deadline)
        except BaseException:
            self._leave(purpose)
            raise

    def acquire_now(self, purpose: Purpose) -> Channel | None:
        """A pooled channel, if one is idle and nobody waits."""
        if self._idle and not self._waiters[purpose] and self._free(purpose) and self._idle[-1].usable:
            self._enter(purpose)
            channel = self._idle.pop()
            channel.reused = True
            return channel
        return None

    def release(self, channel: Channel, purpose: Purpose) -> None:
        """Take a channel back: kept if it is between two transactions, closed otherwise."""
        self.extensions = channel.extensions
        self._keep(channel)
        self._leave(purpose)

    async def probe(self, deadline: float) -> bool | None:
        """Whether home answers: on the connection that was idle longest, else on a new one.

        None: all connections are busy, so the traffic itself tells. An open breaker is always tried.
        """
        if self._leases >= self._max_leases and self._breaker.closed:
            return None
        self._leases += 1
        try:
            if self._idle:
                channel = self._idle.pop(0)
                channel.reused = True
                alive = channel.usable and await channel.noop(deadline)
                self._keep(channel)
                if alive:
                    return True
            self._keep(await self._dial_once(deadline))
        except DialError:
            return False
        finally:
            self._leave(Purpose.ASK)
        return True

    def retire(self, now: float) -> None:
        """Close what has been idle for long."""
        while self._idle and now - self._idle[0].idle_since >= self._timing.idle_seconds:
            self._idle.pop(0).quit()

    def close(self) -> None:
        """Close every idle connection now, and each busy one when it comes back."""
        self._closed = True
        while self._idle:
            self._idle.pop().quit()

    def turn_away(self, trouble: Trouble) -> None:
        """Tell everybody who waits that it is in vain."""
        for waiters in self._waiters.values():
            while waiters:
                if not (waiter := waiters.popleft()).done():
                    waiter.set_exception(Unavailable(trouble))

    def _keep(self, channel: Channel) -> None:
        if not channel.usable:
            channel.abort()
        elif self._closed:
            channel.quit()
        else:
            channel.idle_since = asyncio.get_running_loop().time()
            self._idle.append(channel)

    def _free(self, purpose: Purpose) -> bool:
        return self._leases < self._max_leases and (
            purpose is Purpose.ASK or self._delivering < self._max_deliveries
        )

    def _enter(self, purpose: Purpose) -> None:
        self._leases += 1
        self._delivering += purpose is Purpose.DELIVER

    async def _admit(self, purpose: Purpose, deadline: float) -> None:
        # First come, first served within a purpose; a newcomer does not overtake.
        if not self._waiters[purpose] and self._free(purpose):
            self._enter(purpose)
            return
        if self.waiting >= self._max_waiters:
            raise Unavailable(Trouble.NO_SLOT)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters[purpose].append(waiter)
        timer = waiter.get_loop().call_at(deadline, _too_late, waiter)
        try:
            await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                # The place came in the same moment as the deadline or the cancellation: pass it on.
                self._leave(purpose)
            elif waiter in self._waiters[purpose]:
                self._waiters[purpose].remove(waiter)
            if isinstance(error, TimeoutError):
                raise Unavailable(Trouble.NO_SLOT) from None
            raise
        finally:
            timer.cancel()

    def _leave(self, purpose: Purpose) -> None:
        self._leases -= 1
        self._delivering -= purpose is Purpose.DELIVER
        # Questions and deliveries in turn, so that neither starves the other.
        for candidate in (self._turn, Purpose.DELIVER if self._turn is Purpose.ASK else Purpose.ASK):
            waiters = self._waiters[candidate]
            while waiters and self._free(candidate):
                waiter = waiters.popleft()
                if not waiter.done():
                    self._enter(candidate)
                    self._turn = Purpose.DELIVER if candidate is Purpose.ASK else Purpose.ASK
                    waiter.set_result(None)
                    return

    async def _dial_once(self, deadline: float) -> Channel:
        channel = Channel(self._hostname, self._timing, self._lost)
        try:
            async with asyncio.timeout_at(deadline):
                await channel.open(self._dialer)
        except TimeoutError:
            error = DialError(Trouble.CONNECT_TIMEOUT, "no connection within the deadline")
            self._failed(error)
            raise error from None
        except DialError as error:
            self._failed(error)
            raise
        self._breaker.succeeded()
        self.extensions = channel.extensions
        return channel

    async def _dial(self, deadline: float) -> Channel:
        for left in reversed(range(DIAL_TRIES)):
            if not self._breaker.closed:
                raise Unavailable(Trouble.BREAKER_OPEN)
            try:
                return await self._dial_once(deadline)
            except DialError as error:
                if not left or error.trouble not in _WORTH_A_SECOND_DIAL:
                    raise Unavailable(error.trouble) from None
                if not self._breaker.closed:
                    raise Unavailable(error.trouble) from None
            await asyncio.sleep(self._timing.dial_pause_seconds)
        raise AssertionError("the loop above returns or raises")

    def _failed(self, error: DialError) -> None:
        self._breaker.failed()
        self._on_failure(error)
        if not self._breaker.closed:
            self.turn_away(Trouble.BREAKER_OPEN)

    def _lost(self, channel: Channel) -> None:
        if channel in self._idle:
            self._idle.remove(channel)


def _too_late(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())
