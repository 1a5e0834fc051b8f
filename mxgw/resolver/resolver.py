"""The Lookup of the running gateway: a cache, equal questions asked once, few questions at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Protocol

from mxgw.resolver.answers import CROWDED, Answer, MailExchanger, ServiceHost, Status
from mxgw.resolver.cache import Cache, Key
from mxgw.resolver.names import canonical
from mxgw.resolver.upstream import LIFETIME_SECONDS, Told

MAX_IN_FLIGHT = 400
"""Each question is a socket. Names that nobody answers for hold their places for LIFETIME_SECONDS: with 100
places, a sender of one message a second that names twenty such keys kept everybody's questions out."""

_NO_NAME: Answer[Any] = Answer(Status.NO_NAME)


class Asker(Protocol):
    """What stands behind the cache: mxgw.resolver.upstream.Upstream."""

    async def ask(self, kind: str, name: str) -> Told:
        """One question to the world."""


@dataclass(slots=True)
class ResolverCounts:
    """What became of the questions, since the start."""

    remembered: int = 0
    """Answered from the cache."""

    joined: int = 0
    """Waited for an equal question that was on its way."""

    asked: int = 0
    """Put to a server."""

    failed: int = 0
    """Put to a server, without an answer."""


class Resolver:
    """Implements Lookup. Use it from one event loop; nothing to close."""

    def __init__(
        self,
        upstream: Asker,
        *,
        clock: Callable[[], float] = time.monotonic,
        cache: Cache | None = None,
        max_in_flight: int = MAX_IN_FLIGHT,
        wait_seconds: float = LIFETIME_SECONDS,
    ) -> None:
        self._upstream = upstream
        self._cache = cache or Cache(clock)
        self._in_flight = asyncio.Semaphore(max_in_flight)
        self._wait_seconds = wait_seconds
        self._flights: dict[Key, asyncio.Future[Answer[Any] | None]] = {}
        self.counts = ResolverCounts()

    async def txt(self, name: str) -> Answer[bytes]:
        """Text records."""
        return self.remembered("TXT", name) or await self._find("TXT", name)

    async def a(self, name: str) -> Answer[IPv4Address]:
        """IPv4 addresses."""
        return self.remembered("A", name) or await self._find("A", name)

    async def aaaa(self, name: str) -> Answer[IPv6Address]:
        """IPv6 addresses."""
        return self.remembered("AAAA", name) or await self._find("AAAA", name)

    async def mx(self, name: str) -> Answer[MailExchanger]:
        """Mail exchangers."""
        return self.remembered("MX", name) or await self._find("MX", name)

    async def srv(self, name: str) -> Answer[ServiceHost]:
        """Servers of a service, which no check of a message asks for."""
        return self.remembered("SRV", name) or await self._find("SRV", name)

    async def ptr(self, address: IPv4Address | IPv6Address) -> Answer[str]:
        """Names of an address."""
        known = self._known(("PTR", address))
        return known or await self._shared(("PTR", address), address.reverse_pointer)

    def remembered(self, kind: str, name: str) -> Answer[Any] | None:
        """What the cache knows, without waiting; None where a server has to be asked."""
        return self._known((kind, name.lower().removesuffix(".")))

    def _known(self, key: Key) -> Answer[Any] | None:
        answer = self._cache.get(key)
        if answer is not None:
            self.counts.remembered += 1
        return answer

    async def _find(self, kind: str, name: str) -> Answer[Any]:
        asked = canonical(name)
        if asked is None:
            return _NO_NAME
        # A U-label is known under its A-label only.
        known = None if name.isascii() else self._known((kind, asked))
        return known or await self._shared((kind, asked), asked)

    async def _shared(self, key: Key, name: str) -> Answer[Any]:
        """Join an equal question, or ask. Who asks and is cancelled leaves the question to the next."""
        while (flight := self._flights.get(key)) is not None:
            self.counts.joined += 1
            answer = await asyncio.shield(flight)
            if answer is not None:
                return answer
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        answer = None
        try:
            answer = await self._ask(key, name)
        finally:
            del self._flights[key]
            flight.set_result(answer)
        return answer

    async def _ask(self, key: Key, name: str) -> Answer[Any]:
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._in_flight.acquire()
        except TimeoutError:
            # Our own jam says nothing of this name: not to be remembered.
            return CROWDED
        try:
            told = await self._upstream.ask(key[0], name)
        finally:
            self._in_flight.release()
        self.counts.asked += 1
        self.counts.failed += told.answer.status is Status.TEMPORARY
        self._cache.put(key, told.answer, told.ttl_seconds)
        return told.answer
