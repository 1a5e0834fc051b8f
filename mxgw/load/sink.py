"""The sink: processes that share a port, and a parent that listens to what they count.

Each process has a loop, a part of the ledger and dice of its own. It tells its tally REPORT_SECONDS apart,
and a last time when it ends. A process whose parent is gone ends too.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import os
import random
import signal
import socket
import ssl
import time
from dataclasses import dataclass
from io import FileIO
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from traceback import format_exception
from types import TracebackType
from typing import Self, TypeAlias

from mxgw.listener.tls import SelfSigned
from mxgw.load.behaviour import Behaviour, Rule
from mxgw.load.ledger import Ledger
from mxgw.load.sink_session import Session
from mxgw.load.sink_tally import Tally, total
from mxgw.load.sink_wire import Door

REPORT_SECONDS = 1.0

STOP_SECONDS = 10.0
"""How long a process may take to end: it has a ledger to write, and nobody to wait for."""

BACKLOG = 1024
"""A load test connects a thousand times at once; the kernel's own bound is 4096."""

Lifeline: TypeAlias = tuple[FileIO, FileIO]
"""A pipe: the processes end when the writing end is closed."""


class SinkError(Exception):
    """The sink could not start, or a process of it died; the text says why."""


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """What the sink is to be. ``port`` 0 takes a free one. ``ledger`` None: nothing is recorded."""

    host: str
    port: int
    lmtp: bool = False
    processes: int = 1
    rules: tuple[Rule, ...] = ()
    seed: int = 0
    ledger: Path | None = None
    hashing: bool = True
    starttls: bool = True
    hostname: str = "sink.mxgw.test"


class Sink:
    """Runs the processes while it is entered. ``address`` is (host, port)."""

    def __init__(self, settings: SinkSettings) -> None:
        self._settings = settings
        self._processes: list[ForkProcess] = []
        self._pipes: list[Connection] = []
        self._tallies = [Tally() for _ in range(settings.processes)]
        self.address = (settings.host, settings.port)

    def __enter__(self) -> Self:
        settings = self._settings
        try:
            # Somebody else who shares the port, another sink for one, would take half of the clients.
            _bound(settings.host, settings.port, shared=False).close()
            # Bound and never listening: it keeps the port for the processes, and takes no client from them.
            self._reserved = _bound(settings.host, settings.port, shared=True)
        except OSError as error:
            raise SinkError(f"cannot listen at {settings.host}:{settings.port}: {error.strerror}") from error
        self.address = (settings.host, self._reserved.getsockname()[1])
        context = SelfSigned(settings.hostname).context() if settings.starttls else None
        ends = os.pipe()
        self._lifeline: Lifeline = (FileIO(ends[0], "rb"), FileIO(ends[1], "wb"))
        fork = multiprocessing.get_context("fork")
        try:
            for index in range(settings.processes):
                ours, theirs = fork.Pipe(duplex=False)
                arguments = (settings, self.address[1], index, context, theirs, self._lifeline)
                process = fork.Process(target=_child, args=arguments, daemon=True)
                process.start()
                theirs.close()
                self._processes.append(process)
                self._pipes.append(ours)
            for pipe in list(self._pipes):
                self._hear(pipe)  # the first word: it listens
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def tally(self) -> Tally:
        """What all processes together have counted, as far as they have told."""
        return total(self._tallies)

    def listen(self, seconds: float) -> bool:
        """Hear what the processes tell for so long; False when all have ended. Raises SinkError when one
        died."""
        end = time.monotonic() + seconds
        while self._pipes and (left := end - time.monotonic()) > 0:
            for pipe in wait(self._pipes, left):
                if isinstance(pipe, Connection):
                    self._hear(pipe)
        return bool(self._pipes)

    def ask_to_stop(self) -> None:
        """Tell the processes to end; ``listen`` hears them out. May be called from a signal handler."""
        # Not by a signal: one more may come at any time, and asyncio has moments in which it takes none.
        self._lifeline[1].close()

    def stop(self) -> None:
        """End the processes and hear their last words."""
        self.ask_to_stop()
        end = time.monotonic() + STOP_SECONDS
        while self._pipes and time.monotonic() < end:
            with contextlib.suppress(SinkError):  # told already, or too late to matter
                self.listen(end - time.monotonic())
        for process in self._processes:
            process.join(max(0.0, end - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
        for pipe in self._pipes:
            pipe.close()
        self._processes.clear()
        self._pipes.clear()
        self._reserved.close()
        self._lifeline[0].close()

    def _hear(self, pipe: Connection) -> None:
        try:
            word = pipe.recv()
        except (EOFError, ConnectionError) as error:
            self._pipes.remove(pipe)
            pipe.close()
            raise SinkError("a process of the sink died") from error
        if not isinstance(word, _Word) or word.failure:
            raise SinkError(word.failure if isinstance(word, _Word) else repr(word))
        self._tallies[word.index] = word.tally
        if word.last:
            self._pipes.remove(pipe)
            pipe.close()


@dataclass(frozen=True, slots=True)
class _Word:
    """What a process tells its parent: the first when it listens, the ``last`` when it ends."""

    index: int
    tally: Tally
    last: bool = False
    failure: str = ""


def _child(
    settings: SinkSettings,
    port: int,
    index: int,
    tls: ssl.SSLContext | None,
    parent: Connection,
    lifeline: Lifeline,
) -> None:
    lifeline[1].close()  # so that the other end hears when the parent closes it, or is gone
    for number in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C and service managers send them to all processes
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()
    with asyncio.Runner(loop_factory=_new_event_loop) as runner, contextlib.suppress(BrokenPipeError):
        try:
            tally = runner.run(_serve(settings, port, index, tls, parent, lifeline[0].fileno()))
            parent.send(_Word(index, tally, last=True))
        except Exception as error:  # noqa: BLE001 - the parent tells it, whatever it is
            why = str(error) if isinstance(error, OSError) else "".join(format_exception(error))
            parent.send(_Word(index, Tally(), failure=f"the sink failed: {why}"))


async def _serve(
    settings: SinkSettings,
    port: int,
    index: int,
    tls: ssl.SSLContext | None,
    parent: Connection,
    lifeline: int,
) -> Tally:
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        if not stop.done():
            stop.set_result(None)

    def fail(error: BaseException) -> None:
        if not stop.done():
            stop.set_exception(error)

    def crashed(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """A bug of ours in a session must not look like a client that went away."""
        error = context.get("exception")
        fail(error if isinstance(error, Exception) else RuntimeError(str(context.get("message"))))

    loop.add_reader(lifeline, end)
    loop.set_exception_handler(crashed)
    part = index if settings.processes > 1 else None
    tally = Tally()
    dice = random.Random(f"{settings.seed} {index}")  # noqa: S311 - misbehaviour must be repeatable
    with contextlib.ExitStack() as stack:
        door = Door(
            lmtp=settings.lmtp,
            hostname=settings.hostname,
            hashing=settings.hashing,
            behaviour=Behaviour(settings.rules, dice),
            tally=tally,
            ledger=stack.enter_context(Ledger(settings.ledger, part=part)) if settings.ledger else None,
            tls=tls,
            clock=time.time,
            loop=loop,
            fail=fail,
        )
        door_socket = _bound(settings.host, port, shared=True)
        server = await loop.create_server(lambda: Session(door), sock=door_socket, backlog=BACKLOG)
        try:
            await _report_until(stop, tally, index, parent)
        finally:
            server.close()
            for handshake in door.handshakes:
                handshake.cancel()
            for session in list(door.sessions):
                session.transport.abort()
            await asyncio.sleep(0)  # they are told that they are lost, and let go
    tally.measure()
    return tally


async def _report_until(stop: asyncio.Future[None], tally: Tally, index: int, parent: Connection) -> None:
    while not stop.done():
        tally.measure()
        parent.send(_Word(index, tally))
        await asyncio.wait([stop], timeout=REPORT_SECONDS)
    stop.result()


def _new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed: it costs half."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _bound(host: str, port: int, *, shared: bool) -> socket.socket:
    """A socket at a port, which others may share."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
        door.bind((host, port))
    except OSError:
        door.close()
        raise
    return door
