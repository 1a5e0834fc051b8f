"""A worker's end of its channel: says when the door is open, answers for its counts, hears when to drain."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

from mxgw.observe import Snapshot
from mxgw.workers import frames

FAREWELL_SECONDS = 2.0
"""How long the last counts may take to leave; the supervisor reads all the time."""

Address: TypeAlias = tuple[str, int]


class ChildLink:
    """What a worker knows of its supervisor: its own number, the address to listen on, the channel."""

    def __init__(self, index: int, address: Address, channel: socket.socket) -> None:
        self.index = index
        self.address = address
        self._channel = channel
        self._writer: asyncio.StreamWriter | None = None

    @asynccontextmanager
    async def serving(
        self, *, snapshot: Callable[[], Snapshot], stop: Callable[[], None]
    ) -> AsyncIterator[None]:
        """Answer the supervisor while the block runs; at its end the last counts are sent.

        ``stop`` is called when the supervisor says drain, and when it is gone. It may be called twice.
        """
        reader, writer = await asyncio.open_unix_connection(sock=self._channel)
        self._writer = writer
        async with asyncio.TaskGroup() as tasks:
            answering = tasks.create_task(self._answer(reader, writer, snapshot, stop), name="link")
            try:
                yield
            finally:
                answering.cancel()
                writer.write(frames.encode({"snapshot": snapshot().to_plain()}))
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(FAREWELL_SECONDS):
                        await writer.drain()
                        writer.close()
                        await writer.wait_closed()

    def ready(self) -> None:
        """Say that the door is open; inside ``serving`` only."""
        if self._writer is None:
            raise RuntimeError("ready() belongs inside serving()")
        self._writer.write(frames.encode({"ready": True}))

    async def _answer(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        snapshot: Callable[[], Snapshot],
        stop: Callable[[], None],
    ) -> None:
        while (frame := await frames.read(reader)) is not None:
            if "drain" in frame:
                stop()
            elif "ask" in frame:
                answer = {"answer": frame["ask"], "snapshot": snapshot().to_plain()}
                writer.write(frames.encode(answer))
        # Nobody supervises us any more: finish what is in flight, and go.
        stop()
