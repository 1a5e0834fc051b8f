"""A program with workers, for tests to drive: each word sent to its door is one transaction, or a mischief.

Started as ``python -m tests.observe.worker_program '{"workers": 2}'``; logs to stdout as mxgw does.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop

from mxgw.http import Facts, HttpDoor
from mxgw.observe import EventLog, Instruments, Readings, Snapshot, State
from mxgw.workers import ChildLink, Supervisor
from tests.observe.samples import outcome

PLAN = json.loads(sys.argv[1])
LOG = EventLog.on_stdout("json", os.environ)


class Worker:
    """One worker: counts words, and drains when the last held connection is released."""

    def __init__(self, index: int) -> None:
        self.state = State.STARTING
        self.stopped = asyncio.Event()
        self.held: set[asyncio.Task[None]] = set()
        self.instruments = Instruments(clock=time.time, read=lambda: Readings(self.state), index=index)

    def stop(self) -> None:
        if not PLAN.get("deaf"):
            self.state = State.DRAINING
            self.stopped.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.instruments.session_opened()
        while word := (await reader.readline()).strip():
            if word == b"hold":
                writer.write(b"held\n")
                await reader.readline()
            self.instruments.record(outcome(ended_at=time.time(), transaction_id=word.decode()))
            writer.write(b"%d\n" % os.getpid())
        writer.close()
        self.instruments.session_closed()

    async def accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.held.add(task)
        try:
            await self.serve(reader, writer)
        finally:
            self.held.discard(task)


def child(link: ChildLink) -> int:
    """The life of one worker."""
    if failing := PLAN.get("fail"):
        return int(failing)
    once = Path(PLAN["crash_once"]) if "crash_once" in PLAN else None
    if once and once.exists():
        once.unlink()
        raise RuntimeError("mischief")
    # uvloop as in the product; the supervisor runs on asyncio.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(live(link))
    LOG.close()
    return 0


async def live(link: ChildLink) -> None:
    """Serve until told to stop, then finish what is in flight."""
    worker = Worker(link.index)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    async with link.serving(snapshot=worker.instruments.snapshot, stop=worker.stop):
        server = await asyncio.start_server(worker.accepted, *link.address, reuse_port=True)
        worker.state = State.READY
        link.ready()
        await worker.stopped.wait()
        server.close()
        while worker.held:
            await asyncio.wait(worker.held)
    LOG.event("worker-drained", worker=link.index, pid=os.getpid())


@asynccontextmanager
async def front(
    *, state: Callable[[], State], gather: Callable[[], Awaitable[Snapshot]]
) -> AsyncIterator[None]:
    """The operators' door."""
    door = HttpDoor(facts=Facts("1", "mx.example.jp", "edge"), state=state, gather=gather, clock=time.time)
    host, port = await door.open("127.0.0.1", 0)
    LOG.event("listening", door="http", address=f"{host}:{port}")
    try:
        yield
    finally:
        await door.close()


def main() -> int:
    """The supervisor's life."""
    LOG.capture_logging()
    supervisor = Supervisor(
        workers=PLAN["workers"],
        listen=("127.0.0.1", PLAN.get("port", 0)),
        door="smtp",
        drain_seconds=PLAN.get("drain_seconds", 60),
        child=child,
        front=front,
        log=LOG,
    )
    code = supervisor.run()
    LOG.event("stopped")
    LOG.close()
    return code


if __name__ == "__main__":
    sys.exit(main())
