"""The supervisor's view of one worker: asks for its counts, keeps the last ones, tells it to drain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mxgw.observe import Snapshot, State
from mxgw.workers import frames
from mxgw.workers.nursery import Newborn

MAX_OUTSTANDING = 8
"""Questions that may wait for an answer: a worker that is stopped must not fill our memory."""


class Worker:
    """One living worker. ``heard_at`` is the Unix time of its last counts."""

    def __init__(
        self,
        index: int,
        newborn: Newborn,
        *,
        clock: Callable[[], float],
        became_ready: Callable[[], None],
    ) -> None:
        self.index = index
        self.pid = newborn.pid
        self.started_at = self.heard_at = clock()
        self.last: Snapshot | None = None
        self._channel = newborn.channel
        self._clock = clock
        self._became_ready = became_ready
        self._opened = False
        self._writer: asyncio.StreamWriter | None = None
        self._asked: dict[int, asyncio.Future[Snapshot]] = {}
        self._serial = 0
        self._draining = False

    @property
    def ready(self) -> bool:
        """Its door is open, and it does not drain on its own account."""
        if self.last and any(worker.state is State.DRAINING for worker in self.last.workers):
            return False
        return self._opened

    async def listen(self) -> None:
        """Hear it out, until it closes the channel or says something that is no frame."""
        reader, self._writer = await asyncio.open_unix_connection(sock=self._channel)
        if self._draining:
            self.drain()
        try:
            while (frame := await frames.read(reader)) is not None:
                self._hear(frame)
        except (ValueError, KeyError, TypeError):
            return
        finally:
            self._writer.close()
            self._writer = None
            for asked in self._asked.values():
                asked.cancel()

    def drain(self) -> None:
        """Tell it to finish; at once, or as soon as the channel is open."""
        self._draining = True
        if self._writer:
            self._writer.write(frames.encode({"drain": True}))

    async def ask(self, seconds: float) -> Snapshot | None:
        """Its counts now; None where it does not tell in time."""
        if self._writer is None or not self._opened or len(self._asked) >= MAX_OUTSTANDING:
            return None
        self._serial += 1
        serial = self._serial
        answer: asyncio.Future[Snapshot] = asyncio.get_running_loop().create_future()
        self._asked[serial] = answer
        self._writer.write(frames.encode({"ask": serial}))
        await asyncio.wait([answer], timeout=seconds)
        return answer.result() if answer.done() and not answer.cancelled() else None

    def _hear(self, frame: frames.Frame) -> None:
        if "snapshot" in frame:
            self.last = Snapshot.from_plain(frame["snapshot"])
            self.heard_at = self._clock()
        if "answer" in frame:
            answer = self._asked.pop(frame["answer"], None)
            if answer and not answer.done() and self.last:
                answer.set_result(self.last)
        if "ready" in frame:
            self._opened = True
            self._became_ready()
