"""Keeps N workers alive: starts and replaces them, adds up their counts, passes on the word to drain."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from mxgw.observe import EventLog, Snapshot, State, WorkerReading, catalogue
from mxgw.observe.instruments import process_samples
from mxgw.observe.process import usage
from mxgw.workers.link import Address
from mxgw.workers.nursery import Child, Nursery
from mxgw.workers.worker import Worker

ANSWER_SECONDS = 1.0
"""How long a worker may take to tell its counts; after that, its last ones are used."""

POLL_SECONDS = 5.0
"""How often counts are fetched unasked: at most so much is lost with a worker that is killed."""

FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A worker that lived so long is replaced at once; one that dies young waits twice as long each time."""

GOODBYE_SECONDS = 5.0
"""How long a worker may live after its end of the channel was closed, or said something senseless."""

DRAIN_MARGIN_SECONDS = 3.0
"""What a worker gets beyond its own deadline before it is killed."""


class Front(Protocol):
    """Opens the operators' door for as long as the block runs."""

    def __call__(
        self, *, state: Callable[[], State], gather: Callable[[], Awaitable[Snapshot]]
    ) -> AbstractAsyncContextManager[None]:
        """``state`` and ``gather`` tell about all workers together."""


def reserve(host: str, port: int) -> socket.socket:
    """A socket that holds the port for the workers and never listens. Raises OSError where it is taken."""
    family, kind, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    # With SO_REUSEPORT alone we would quietly share the port with another program of the same user.
    with socket.socket(family, kind) as probe:
        _prepare(probe)
        probe.bind(address)
    reserved = socket.socket(family, kind)
    try:
        _prepare(reserved)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(address)
    except OSError:
        reserved.close()
        raise
    return reserved


def _prepare(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sock.family == socket.AF_INET6:
        # As asyncio does for the sockets that listen.
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


class Supervisor:
    """Runs ``workers`` processes, each with ``child``, and ``front`` in this one.

    ``door`` is the name of the workers' door in the log. ``child`` makes its own loop, serves its link, and
    returns its exit code.
    """

    def __init__(
        self,
        *,
        workers: int,
        listen: Address,
        door: str,
        drain_seconds: float,
        child: Child,
        front: Front,
        log: EventLog,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._count = workers
        self._listen = listen
        self._door = door
        self._drain_seconds = drain_seconds
        self._child = child
        self._front = front
        self._log = log
        self._clock = clock
        self._started_at = clock()
        self._address = listen
        self._workers: dict[int, Worker] = {}
        self._gone = Snapshot(self._started_at)
        self._deaths = 0
        self._opened = False
        self._exit_code = 0
        self._stopping: asyncio.Event

    def run(self) -> int:
        """Run until told to stop; the exit code. Call it before any loop or thread exists.

        0: every worker ended well. 1: one failed, or had to be killed. Where a worker ends before all doors
        were open once, the rest is stopped too and its code is ours. Raises OSError where the address cannot
        be had.
        """
        with reserve(*self._listen) as reserved:
            host, port = reserved.getsockname()[:2]
            self._address = (host, port)
            nursery = Nursery.start(self._child, unwanted=[reserved])
            with asyncio.Runner() as runner:
                runner.run(self._main(nursery))
        return self._exit_code

    @property
    def state(self) -> State:
        """Of all together: ready as soon as all doors were open once, and while one is."""
        if self._stopping.is_set():
            return State.DRAINING
        ready = any(worker.ready for worker in self._workers.values())
        return State.READY if self._opened and ready else State.STARTING

    async def gather(self) -> Snapshot:
        """The counts of all workers, the dead ones included, and of this process."""
        # Both before the first await: a worker that dies meanwhile is counted once, as one of the living.
        gone, workers = self._gone, [self._workers.get(index) for index in range(self._count)]
        parts = await asyncio.gather(*(self._of(index, worker) for index, worker in enumerate(workers)))
        return Snapshot.total([gone, self._own(), *parts], started_at=self._started_at)

    async def _of(self, index: int, worker: Worker | None) -> Snapshot:
        if worker is None:
            reading = WorkerReading(index, 0, State.STARTING, self._clock())
            return Snapshot(self._started_at, workers=(reading,))
        if fresh := await worker.ask(ANSWER_SECONDS):
            return fresh
        # Its gauges are not known, but a counter must not go back: Prometheus would see a restart.
        state = State.SILENT if worker.ready else State.STARTING
        reading = WorkerReading(index, worker.pid, state, worker.started_at)
        silent = Snapshot(self._started_at, workers=(reading,))
        return silent + worker.last.retired() if worker.last else silent

    def _own(self) -> Snapshot:
        samples = process_samples(usage())
        samples[(catalogue.WORKER_DEATHS.name,)] = self._deaths
        samples[(catalogue.LOG_LINES_LOST.name,)] = self._log.lines_lost
        return Snapshot(self._started_at, samples)

    async def _main(self, nursery: Nursery) -> None:
        self._stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        nursery.attach()
        try:
            # The front comes first and goes last: /livez and /readyz answer all the while.
            front = self._front(state=lambda: self.state, gather=self.gather)
            async with front, asyncio.TaskGroup() as tasks:
                helpers = [
                    tasks.create_task(self._poll(), name="poll"),
                    tasks.create_task(self._watch(nursery), name="nursery"),
                ]
                keepers = [
                    tasks.create_task(self._keep(index, nursery), name=f"worker-{index}")
                    for index in range(self._count)
                ]
                await self._stopping.wait()
                await self._drain(nursery, keepers)
                for helper in helpers:
                    helper.cancel()
        finally:
            nursery.close()

    def _stop(self) -> None:
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._log.event("drain", seconds=self._drain_seconds, workers=len(self._workers))
        for worker in self._workers.values():
            worker.drain()

    async def _drain(self, nursery: Nursery, keepers: list[asyncio.Task[None]]) -> None:
        """Wait for the workers to end; end those that do not."""
        _, late = await asyncio.wait(keepers, timeout=self._drain_seconds + DRAIN_MARGIN_SECONDS)
        if not late:
            return
        self._exit_code = self._exit_code or 1
        for worker in self._workers.values():
            self._log.event("worker-killed", worker=worker.index, pid=worker.pid)
            nursery.kill(worker.pid)
        await asyncio.wait(late)

    async def _keep(self, index: int, nursery: Nursery) -> None:
        """Keep one worker alive until it is time to stop."""
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            newborn = await nursery.fork(index, self._address)
            if newborn is None:
                return
            worker = Worker(index, newborn, clock=self._clock, became_ready=self._became_ready)
            self._workers[index] = worker
            if self._stopping.is_set():
                worker.drain()
            await worker.listen()
            await asyncio.wait([newborn.died], timeout=GOODBYE_SECONDS)
            nursery.kill(worker.pid)
            code = await newborn.died
            del self._workers[index]
            if worker.last:
                self._gone += worker.last.retired()
            if self._stopping.is_set():
                self._exit_code = self._exit_code or int(code != 0)
                return
            if not self._opened:
                self._log.event("worker-failed", worker=index, pid=worker.pid, code=code)
                self._exit_code = code if code > 0 else 1
                self._stop()
                return
            if self._clock() - worker.started_at >= STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self._mourn(worker, code, pause)
            await self._pause(pause)
            pause = min(2 * pause, MAX_PAUSE_SECONDS)

    def _mourn(self, worker: Worker, code: int, pause: float) -> None:
        self._deaths += 1
        self._log.event(
            "worker-died",
            worker=worker.index,
            pid=worker.pid,
            code=code,
            restart_seconds=pause,
            # What it counted since then is not in the sums.
            counted_seconds_ago=round(self._clock() - worker.heard_at, 3),
        )

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    def _became_ready(self) -> None:
        ready = [worker for worker in self._workers.values() if worker.ready]
        if not self._opened and len(ready) == self._count:
            self._opened = True
            host, port = self._address
            shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            self._log.event("listening", door=self._door, address=shown, workers=self._count)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await self.gather()

    async def _watch(self, nursery: Nursery) -> None:
        """Without the nursery nobody can be replaced: drain, and let our own supervisor start us anew."""
        if nursery.lost is not None:
            await nursery.lost
            self._log.event("nursery-died", pid=nursery.pid)
            self._exit_code = 1
            self._stop()
