"""Fetches the key records that the signatures of one message name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from mxgw.resolver.answers import Answer, Lookup

MAX_KEYS_AT_A_TIME = 4
"""That one message has DNS asked for. It may name twenty keys that nobody answers for, and all messages share
the questions that may be on their way (mxgw.resolver.resolver.MAX_IN_FLIGHT). Mail has one to three."""


class KeyRing:
    """Key records of one message, each asked for once, several at the same time.

    Call ``fetch`` as soon as the header block is complete, in a task of its own: DNS answers while the body
    arrives. Whoever verifies calls it again, which waits for a fetch in flight and asks for nothing twice.
    Deadlines and the number of questions are up to the ``lookup``.
    """

    __slots__ = ("_answers", "_at_a_time", "_fetching", "_lookup")

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._answers: dict[str, Answer[bytes]] = {}
        self._fetching = asyncio.Lock()
        self._at_a_time = asyncio.Semaphore(MAX_KEYS_AT_A_TIME)

    async def fetch(self, names: Iterable[str]) -> None:
        """Ask for the records of these names, where nobody has yet."""
        async with self._fetching:
            missing = [name for name in dict.fromkeys(names) if name not in self._answers]
            if len(missing) == 1:  # most mail: no task needed
                await self._ask(missing[0])
            elif missing:
                async with asyncio.TaskGroup() as group:
                    for name in missing:
                        group.create_task(self._ask(name))

    def __getitem__(self, name: str) -> Answer[bytes]:
        """What DNS said. Raises KeyError for a name that was not fetched."""
        return self._answers[name]

    async def _ask(self, name: str) -> None:
        async with self._at_a_time:
            self._answers[name] = await self._lookup.txt(name)
