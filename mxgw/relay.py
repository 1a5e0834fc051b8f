"""Delivers to home at once, under one deadline, and brings back one answer per recipient.

Nothing is kept and nothing is repeated by itself, with one exception: a pooled connection that turns out to
be dead before home showed any sign of having seen the transaction is replaced once by a fresh one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mxgw import lmtp
from mxgw.breaker import FIRST_PAUSE_SECONDS, Breaker, BreakerState
from mxgw.channel import DEFAULT_TIMING, Channel, Timing
from mxgw.dialer import Dialer, DialError
from mxgw.dialogue import NO_PRELUDE, Dialogue, Prelude, Purpose
from mxgw.envelope import Client, ForwardPath, MailParameters, ReversePath
from mxgw.outcome import HomeAnswer, Trouble
from mxgw.pool import Pool, Unavailable

HOUSEKEEPING_SECONDS = 5.0
"""How often idle connections are looked at."""

logger = logging.getLogger(__name__)
_PLAIN = MailParameters()
_SMTPUTF8 = MailParameters(smtputf8=True)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message on its way home. ``chunks`` may be called again for a second try.

    ``octets`` is what ``chunks`` gives in all.
    """

    id: str
    client: Client
    reverse_path: ReversePath
    forward_paths: tuple[ForwardPath, ...]
    parameters: MailParameters
    octets: int
    chunks: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class HomeStatus:
    """Home as seen from here. ``since`` is the Unix time of the last change of ``up``."""

    up: bool
    since: float
    last_error: str
    connections: int
    idle: int
    waiting: int
    breaker: BreakerState


class Relay:
    """The way home. ``run`` must run beside: without it an open breaker never closes again."""

    def __init__(
        self,
        dialer: Dialer,
        *,
        hostname: str,
        connections: int = 8,
        max_waiters: int = 1000,
        relay_seconds: float = 240.0,
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        self._hostname = hostname
        self._lhlo = lmtp.lhlo(hostname)
        self._relay_seconds = relay_seconds
        self._timing = timing
        self._breaker = Breaker(time.monotonic)
        self._pool = Pool(
            dialer=dialer,
            breaker=self._breaker,
            hostname=hostname,
            connections=connections,
            max_waiters=max_waiters,
            timing=timing,
            on_failure=self._dial_failed,
        )
        self._last_error = ""
        self._up = False
        self._since = time.time()
        self._opened = asyncio.Event()

    def available(self) -> bool:
        """Whether it makes sense to try: the breaker is closed."""
        return self._breaker.closed

    def offers(self, extension: str) -> bool | None:
        """Whether home's last LHLO offered this; None while there was none."""
        extensions = self._pool.extensions
        return None if extensions is None else extension.upper() in extensions.keywords

    def status(self) -> HomeStatus:
        """Home as seen from here."""
        return HomeStatus(
            up=self._up,
            since=self._since,
            last_error=self._last_error,
            connections=self._pool.connections,
            idle=self._pool.idle,
            waiting=self._pool.waiting,
            breaker=self._breaker.state,
        )

    async def ask(
        self, reverse_path: ReversePath, forward_paths: Sequence[ForwardPath]
    ) -> tuple[HomeAnswer, ...]:
        """What home says to RCPT for each path, in one round trip; never raises but CancelledError."""
        # SMTPUTF8 belongs to MAIL also where only a recipient needs it: RFC 6531 section 3.4.
        ascii_only = reverse_path.ascii and all(path.ascii for path in forward_paths)
        parameters = _PLAIN if ascii_only else _SMTPUTF8

        def dialogue(channel: Channel) -> Dialogue:
            return Dialogue(
                Purpose.ASK,
                channel.extensions,
                reverse_path,
                forward_paths,
                parameters,
                prelude=Prelude(reset=True) if channel.left_open else NO_PRELUDE,
            )

        return await self._guarded(Purpose.ASK, dialogue, None, len(forward_paths), self._timing.ask_seconds)

    async def deliver(self, parcel: Parcel) -> tuple[HomeAnswer, ...]:
        """Put one message to home; never raises but CancelledError. One answer per forward path."""

        def dialogue(channel: Channel) -> Dialogue:
            return Dialogue(
                Purpose.DELIVER,
                channel.extensions,
                parcel.reverse_path,
                parcel.forward_paths,
                parcel.parameters,
                parcel.octets,
                self._prelude(channel, parcel),
            )

        recipients = len(parcel.forward_paths)
        return await self._guarded(Purpose.DELIVER, dialogue, parcel, recipients, self._relay_seconds)

    async def run(self) -> None:
        """Probe home, retire idle connections; until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._probe_forever(), name="probe home")
                tasks.create_task(self._retire_forever(), name="retire idle connections")
        finally:
            self.close()

    def close(self) -> None:
        """Close idle connections now and busy ones when their message is through."""
        self._pool.close()

    def _prelude(self, channel: Channel, parcel: Parcel) -> Prelude:
        xclient = b""
        if channel.extensions.xclient and not channel.xclient_refused:
            # The name that the edge gave it goes on to the last log: one id finds a message in all of them.
            session = parcel.client.session or parcel.id
            xclient = lmtp.xclient(parcel.client, session, channel.extensions.xclient)
        if xclient == channel.announced:
            xclient = b""
        if not xclient and not channel.left_open:
            return NO_PRELUDE
        return Prelude(channel.left_open, xclient, self._lhlo, another_client=bool(channel.announced))

    async def _guarded(
        self,
        purpose: Purpose,
        dialogue: Callable[[Channel], Dialogue],
        parcel: Parcel | None,
        recipients: int,
        seconds: float,
    ) -> tuple[HomeAnswer, ...]:
        try:
            return await self._attempt(purpose, dialogue, parcel, seconds)
        except Unavailable as unavailable:
            trouble = unavailable.trouble
        except Exception:
            # Whatever went wrong on our side (a spool that cannot be read, a bug) must cost nobody a
            # message: the sender keeps it and tries again.
            logger.exception("relay failed")
            trouble = Trouble.INTERNAL
        return (HomeAnswer(trouble=trouble),) * recipients

    async def _attempt(
        self,
        purpose: Purpose,
        make_dialogue: Callable[[Channel], Dialogue],
        parcel: Parcel | None,
        seconds: float,
    ) -> tuple[HomeAnswer, ...]:
        deadline = asyncio.get_running_loop().time() + seconds
        fresh = False
        while True:
            if not self._breaker.closed:
                raise Unavailable(Trouble.BREAKER_OPEN)
            channel = None if fresh else self._pool.acquire_now(purpose)
            if channel is None:
                channel = await self._pool.acquire(purpose, deadline, fresh=fresh)
            try:
                dialogue = make_dialogue(channel)
                await channel.transact(dialogue, parcel, deadline)
            finally:
                self._pool.release(channel, purpose)
            if dialogue.untouched and channel.reused and not fresh:
                fresh = True
                continue
            if dialogue.begun:
                self._reached()
            if dialogue.trouble:
                self._last_error = f"{dialogue.trouble}: {dialogue.detail}".rstrip(": ")
            return dialogue.answers()

    def _dial_failed(self, error: DialError) -> None:
        self._last_error = f"{error.trouble}: {error}"
        if not self._breaker.closed:
            self._opened.set()
            if self._up:
                self._up = False
                self._since = time.time()
                logger.warning("home is down: %s", self._last_error)

    def _reached(self) -> None:
        self._breaker.succeeded()
        if not self._up:
            self._up = True
            self._since = time.time()
            logger.info("home is up")

    async def _retire_forever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(HOUSEKEEPING_SECONDS)
            self._pool.retire(loop.time())

    async def _probe_forever(self) -> None:
        while True:
            reached = await self._probe()
            if not self._breaker.closed:
                await asyncio.sleep(self._breaker.wait_seconds)
                self._breaker.begin_attempt()
            elif not reached:
                # So that a home that is away is known as away soon, also when no message comes.
                await asyncio.sleep(FIRST_PAUSE_SECONDS)
            else:
                self._opened.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._timing.probe_seconds):
                        await self._opened.wait()
                await asyncio.sleep(self._breaker.wait_seconds)
                self._breaker.begin_attempt()

    async def _probe(self) -> bool:
        """Whether nothing is known against home."""
        try:
            alive = await self._pool.probe(asyncio.get_running_loop().time() + self._timing.ask_seconds)
        except Exception:
            logger.exception("probing home failed")
            return False
        if alive:
            self._reached()
        return alive is not False
