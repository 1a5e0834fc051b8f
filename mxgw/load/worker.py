"""The processes of a load run, and the parent that starts them together and adds up what they tell.

Each has a loop, a part of the ledger and dice of its own; the bodies are made before they are forked, and
shared. A process tells what it counted REPORT_SECONDS apart. One whose parent is gone ends too.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import os
import resource
import signal
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from traceback import format_exception
from types import TracebackType
from typing import Self

from mxgw.load.engine import GRACE_SECONDS, Engine, RunError
from mxgw.load.ledger import Ledger
from mxgw.load.messages import Body
from mxgw.load.plan import Plan
from mxgw.load.processor_time import own_cpu_seconds
from mxgw.load.tally import Tally

REPORT_SECONDS = 0.5

HEAD_START_SECONDS = 0.05
"""From the word that all are ready to the start: time to hear it."""

STOP_SECONDS = GRACE_SECONDS + 5.0


@dataclass(frozen=True, slots=True)
class Word:
    """What a process tells its parent: ``tally`` since its last word, the rest since its beginning."""

    index: int
    tally: Tally
    cpu_seconds: float = 0.0
    peak_rss_octets: int = 0
    ready: bool = False
    last: bool = False
    failure: str = ""


class Crew:
    """Starts the processes on entering. ``tally`` is what they have told; ``started_at`` (time.monotonic)
    when they began to send."""

    def __init__(self, plan: Plan, bodies: Sequence[Body], *, address: str) -> None:
        self.tally = Tally()
        self.started_at = 0.0
        self._plan = plan
        self._bodies = bodies
        self._address = address
        self._processes: list[ForkProcess] = []
        self._pipes: list[Connection] = []
        self._cpu_seconds = [0.0] * plan.processes
        self._peak_rss_octets = [0] * plan.processes

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all processes so far."""
        return sum(self._cpu_seconds)

    @property
    def peak_rss_octets(self) -> int:
        """Highest resident memory; what they share counts in each."""
        return sum(self._peak_rss_octets)

    def __enter__(self) -> Self:
        self._lifeline = os.pipe()
        fork = multiprocessing.get_context("fork")
        gc.freeze()  # pages that the collector does not touch stay shared
        try:
            for index in range(self._plan.processes):
                ours, theirs = fork.Pipe()
                arguments = (self._plan, index, self._bodies, self._address, theirs, self._lifeline)
                process = fork.Process(target=_child, args=arguments, daemon=True)
                process.start()
                theirs.close()
                self._processes.append(process)
                self._pipes.append(ours)
            for pipe in list(self._pipes):
                self._hear(pipe)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def start(self) -> None:
        """Let all begin at one time."""
        self.started_at = time.monotonic() + HEAD_START_SECONDS
        for pipe in self._pipes:
            pipe.send(self.started_at)

    def listen(self, seconds: float) -> bool:
        """Hear what the processes tell for so long; False when all have ended. Raises RunError where the
        run cannot go on."""
        end = time.monotonic() + seconds
        while self._pipes and (left := end - time.monotonic()) > 0:
            for pipe in wait(self._pipes, left):
                if isinstance(pipe, Connection):
                    self._hear(pipe)
        return bool(self._pipes)

    def ask_to_stop(self) -> None:
        """Begin no more messages; asked again: end at once. May be called from a signal handler."""
        for process in self._processes:
            process.terminate()

    def _end(self) -> None:
        self.ask_to_stop()
        self.ask_to_stop()
        end = time.monotonic() + STOP_SECONDS
        with contextlib.suppress(RunError):
            while self._pipes and time.monotonic() < end:
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
        for descriptor in self._lifeline:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _hear(self, pipe: Connection) -> None:
        try:
            word = pipe.recv()
        except (EOFError, ConnectionError) as error:
            self._pipes.remove(pipe)
            pipe.close()
            raise RunError("a process of the load run died") from error
        if not isinstance(word, Word):
            raise RunError(repr(word))
        self.tally.add(word.tally)
        self._cpu_seconds[word.index] = word.cpu_seconds
        self._peak_rss_octets[word.index] = word.peak_rss_octets
        if word.last:
            self._pipes.remove(pipe)
            pipe.close()
        if word.failure:
            raise RunError(word.failure)


def _child(
    plan: Plan,
    index: int,
    bodies: Sequence[Body],
    address: str,
    parent: Connection,
    lifeline: tuple[int, int],
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of them; the parent decides
    os.close(lifeline[1])  # so that the other end hears when the parent is gone
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a session is a file; common defaults are 1024
    with asyncio.Runner(loop_factory=_new_event_loop) as runner, contextlib.suppress(BrokenPipeError):
        tally, failure = Tally(), ""
        try:
            tally = runner.run(_work(plan, index, bodies, address, parent, lifeline[0]))
        except Exception as error:  # noqa: BLE001 - the parent tells it, whatever it is
            failure = (
                str(error) if isinstance(error, RunError | OSError) else "".join(format_exception(error))
            )
        parent.send(_word(index, tally, last=True, failure=failure))


async def _work(
    plan: Plan, index: int, bodies: Sequence[Body], address: str, parent: Connection, lifeline: int
) -> Tally:
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        ledger = None
        if plan.ledger is not None:
            part = index if plan.processes > 1 else None
            ledger = stack.enter_context(Ledger(plan.ledger, part=part))
        tls = _no_check() if plan.habits.starttls else None
        engine = Engine(plan, index, bodies, address=address, tls=tls, ledger=ledger)
        stopped = False

        def end() -> None:
            nonlocal stopped
            engine.abort() if stopped else engine.stop()
            stopped = True

        parent.send(_word(index, Tally(), ready=True))
        start = await loop.run_in_executor(None, parent.recv)
        loop.add_signal_handler(signal.SIGTERM, end)
        loop.add_reader(lifeline, _parent_gone)
        await asyncio.sleep(max(0.0, start - time.monotonic()))
        run = asyncio.ensure_future(engine.run(start))
        while not (await asyncio.wait([run], timeout=REPORT_SECONDS))[0]:
            parent.send(_word(index, engine.take_tally()))
        run.result()
        return engine.take_tally()


def _parent_gone() -> None:
    raise SystemExit(1)


def _word(index: int, tally: Tally, *, ready: bool = False, last: bool = False, failure: str = "") -> Word:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Word(index, tally, own_cpu_seconds(), peak, ready, last, failure)


def _no_check() -> ssl.SSLContext:
    """TLS as between mail servers: encrypted, the certificate not verified (RFC 7435)."""
    # Not the default context: with the certificates of all authorities, each handshake costs a fifth more,
    # for a verification whose outcome nobody looks at.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed: it costs half."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
