"""Looks at a value again and again in a thread beside the event loop; the last good one stays in use."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Poll(Generic[_T]):
    """One value that is watched. ``run`` does it until it is cancelled, and never raises anything else.

    ``read`` blocks, and runs in a thread; ``take`` puts the value to use on the loop and says what changed
    ("" where nothing did). Both raise ValueError with a reason, and the old value stays. The reason is told
    to ``complain`` when it is a new one; ``tell`` hears of changes, and that reading works again.
    """

    def __init__(
        self,
        name: str,
        *,
        read: Callable[[], _T],
        take: Callable[[_T], str],
        tell: Callable[[str], None],
        complain: Callable[[str], None],
        seconds: float,
        retry_seconds: float,
        first_seconds: float,
    ) -> None:
        self.name = name
        self._read = read
        self._take = take
        self._tell = tell
        self._complain = complain
        self._seconds = seconds
        self._retry_seconds = retry_seconds
        self._first_seconds = first_seconds
        self._complaint = ""

    async def run(self) -> None:
        """Look again after each pause."""
        await asyncio.sleep(self._first_seconds)
        while True:
            good = await self.look()
            await asyncio.sleep(self._seconds if good else self._retry_seconds)

    async def look(self) -> bool:
        """Look once; whether there is a good value."""
        try:
            changed = self._take(await _in_thread(self._read, name=self.name))
        except ValueError as error:
            self._failed(str(error))
            return False
        except Exception as error:  # noqa: BLE001 - a bug in a look-up must not end a server that has a good value
            self._failed(f"{type(error).__name__}: {error}")
            return False
        if self._complaint:
            self._complaint = ""
            self._tell(f"{self.name}: it can be read again")
        if changed:
            self._tell(f"{self.name}: {changed}")
        return True

    def _failed(self, reason: str) -> None:
        if reason != self._complaint:
            self._complaint = reason
            self._complain(f"{self.name}: {reason}; what was read before stays in use")


async def _in_thread(read: Callable[[], _T], *, name: str) -> _T:
    """Its result, from a thread of its own that the end of the program does not wait for.

    asyncio.to_thread would be waited for: a connection to AWS that hangs must not hold up a drained task.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[_T] = loop.create_future()

    def hand_over(set_outcome: Callable[[], None]) -> None:
        def set_unless_cancelled() -> None:
            if not answer.done():
                set_outcome()

        # The loop is closed where the program has ended meanwhile.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(set_unless_cancelled)

    def work() -> None:
        try:
            value = read()
        except Exception as error:  # noqa: BLE001 - it is raised again where it is awaited
            failure = error
            hand_over(lambda: answer.set_exception(failure))
        else:
            hand_over(lambda: answer.set_result(value))

    threading.Thread(target=work, name=name, daemon=True).start()
    return await answer
