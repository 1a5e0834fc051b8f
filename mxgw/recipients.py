"""What home says about recipients, remembered for moments: shields home from dictionary attacks.

Only definite answers to RCPT (2xx, 5xx) are remembered, never longer than MAX_CACHE_SECONDS: a mailbox made
at home must work at once, and a full one must be seen as full. Questions about the same mailbox at the same
time become one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from mxgw.envelope import ForwardPath, ReversePath
from mxgw.outcome import HomeAnswer

MAX_CACHE_SECONDS = 30.0
"""Longer, and an administrator who adds a mailbox begins to wonder."""

MAX_CACHED_PATHS = 10_000
"""About 5 MB; a dictionary attack that asks for more names per half minute only empties the memory."""


class Asker(Protocol):
    """Who asks home (relay.Relay)."""

    async def ask(
        self, reverse_path: ReversePath, forward_paths: Sequence[ForwardPath]
    ) -> tuple[HomeAnswer, ...]:
        """One answer per path."""


class LiveRecipients:
    """Asks home about recipients. The sender makes no difference to the answer, so it is not in the key."""

    def __init__(self, asker: Asker, *, cache_seconds: float, clock: Callable[[], float]) -> None:
        self._asker = asker
        self._cache_seconds = min(cache_seconds, MAX_CACHE_SECONDS)
        self._clock = clock
        self._known: dict[ForwardPath, tuple[float, HomeAnswer]] = {}
        self._asking: dict[ForwardPath, asyncio.Future[HomeAnswer | None]] = {}

    async def ask(
        self, reverse_path: ReversePath, forward_paths: Sequence[ForwardPath]
    ) -> tuple[HomeAnswer, ...]:
        """One answer per path, in order."""
        answers: dict[ForwardPath, HomeAnswer] = {}
        wanted = {path: _key(path) for path in forward_paths}
        while missing := [path for path in wanted if path not in answers]:
            answers.update(self._remembered(missing, wanted))
            missing = [path for path in missing if path not in answers]
            mine = {wanted[path]: path for path in missing if wanted[path] not in self._asking}
            if mine:
                answers.update(await self._ask_home(reverse_path, mine))
            elif missing:
                # Somebody else asks already. None: he was cancelled, so the next round is ours.
                path = missing[0]
                if answer := await asyncio.shield(self._asking[wanted[path]]):
                    answers[path] = answer
        return tuple(answers[path] for path in forward_paths)

    def _remembered(
        self, paths: Sequence[ForwardPath], keys: dict[ForwardPath, ForwardPath]
    ) -> dict[ForwardPath, HomeAnswer]:
        now = self._clock()
        found = {}
        for path in paths:
            if known := self._known.get(keys[path]):
                until, answer = known
                if now < until:
                    found[path] = answer
                else:
                    del self._known[keys[path]]
        return found

    async def _ask_home(
        self, reverse_path: ReversePath, paths: dict[ForwardPath, ForwardPath]
    ) -> dict[ForwardPath, HomeAnswer]:
        loop = asyncio.get_running_loop()
        futures = {key: loop.create_future() for key in paths}
        self._asking.update(futures)
        answers: tuple[HomeAnswer, ...] = ()
        try:
            answers = await self._asker.ask(reverse_path, tuple(paths.values()))
        finally:
            for index, (key, future) in enumerate(futures.items()):
                del self._asking[key]
                future.set_result(answers[index] if answers else None)
        for key, answer in zip(paths, answers, strict=True):
            self._remember(key, answer)
        return dict(zip(paths.values(), answers, strict=True))

    def _remember(self, key: ForwardPath, answer: HomeAnswer) -> None:
        if not (answer.stored or answer.refused) or self._cache_seconds <= 0:
            return
        self._known.pop(key, None)
        while len(self._known) >= MAX_CACHED_PATHS:
            # The oldest: a dict keeps the order of insertion.
            del self._known[next(iter(self._known))]
        self._known[key] = (self._clock() + self._cache_seconds, answer)


def _key(path: ForwardPath) -> ForwardPath:
    # The domain is the same in any case of letters, the local part is home's affair: RFC 5321 section 2.4.
    return ForwardPath(path.local, path.domain.lower())
