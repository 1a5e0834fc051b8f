"""One message's share of the DNS: so many questions, until then; beyond, every answer is TEMPORARY."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any, TypeVar

from mxgw.resolver.answers import CROWDED, Answer, Lookup, MailExchanger, Status

MAX_QUESTIONS = 250
"""RFC 7208 section 4.6.4 alone lets a record cause more than 100; DKIM, ARC and DMARC ask a few each."""

DEADLINE_SECONDS = 20.0
"""RFC 7208 section 4.6.4 wants at least 20 seconds for SPF."""

_TEMPORARY: Answer[Any] = Answer(Status.TEMPORARY)
_Asked = TypeVar("_Asked", str, IPv4Address | IPv6Address)


def _nothing(_kind: str, _name: str) -> None:
    return None


class BudgetedLookup:
    """Implements Lookup on top of another. ``deadline`` is in the time of the event loop.

    Remembered answers count as questions too: what a check finds must not depend on what others asked before.
    """

    def __init__(self, lookup: Lookup, *, deadline: float, max_questions: int = MAX_QUESTIONS) -> None:
        self._lookup = lookup
        self._deadline = deadline
        self._max_questions = max_questions
        self._now = asyncio.get_running_loop().time
        # A timer per question costs more than a remembered answer: hence the look before. Not isinstance():
        # with a Protocol it costs as much as half of an SPF check.
        self._remembered: Callable[[str, str], Answer[Any] | None] = getattr(lookup, "remembered", _nothing)
        self.questions = 0
        self.refused = 0
        self.crowded = 0
        """Questions that found no place among those on their way."""

    async def txt(self, name: str) -> Answer[bytes]:
        """Text records."""
        return await self._named("TXT", self._lookup.txt, name)

    async def a(self, name: str) -> Answer[IPv4Address]:
        """IPv4 addresses."""
        return await self._named("A", self._lookup.a, name)

    async def aaaa(self, name: str) -> Answer[IPv6Address]:
        """IPv6 addresses."""
        return await self._named("AAAA", self._lookup.aaaa, name)

    async def mx(self, name: str) -> Answer[MailExchanger]:
        """Mail exchangers."""
        return await self._named("MX", self._lookup.mx, name)

    async def ptr(self, address: IPv4Address | IPv6Address) -> Answer[str]:
        """Names of an address."""
        return await self._timed(self._lookup.ptr, address) if self._allowed() else _TEMPORARY

    def remembered(self, kind: str, name: str) -> Answer[Any] | None:
        """What need not be waited for; it counts as a question. None, and no question, where a server has to
        be asked."""
        answer = self._remembered(kind, name)
        return answer if answer is None or self._allowed() else _TEMPORARY

    async def _named(self, kind: str, ask: Callable[[str], Awaitable[Answer[Any]]], name: str) -> Answer[Any]:
        if not self._allowed():
            return _TEMPORARY
        return self._remembered(kind, name) or await self._timed(ask, name)

    def _allowed(self) -> bool:
        if self.questions >= self._max_questions or self._now() >= self._deadline:
            self.refused += 1
            return False
        self.questions += 1
        return True

    async def _timed(self, ask: Callable[[_Asked], Awaitable[Answer[Any]]], asked: _Asked) -> Answer[Any]:
        try:
            async with asyncio.timeout_at(self._deadline):
                answer = await ask(asked)
        except TimeoutError:
            self.refused += 1
            return _TEMPORARY
        self.crowded += answer is CROWDED
        return answer
