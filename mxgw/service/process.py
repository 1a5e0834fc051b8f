"""One process with a door in it: opens the door, waits for the word to stop, drains, ends.

``Station`` holds what is running; who tells it to stop (a signal, a supervisor) is not its business.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import time
import traceback
from collections.abc import Callable

from mxgw.listener.server import Listener
from mxgw.observe import EventLog, HomeReading, Instruments, State
from mxgw.outcome import Outcome
from mxgw.relay import HomeStatus


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed: half the cost per message, a sixth of the memory per TLS session."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


class Counters:
    """What doors and gateways report: into the instruments, and into the log where it is worth a line."""

    def __init__(self, log: EventLog, instruments: Instruments) -> None:
        self._log = log
        self._instruments = instruments
        self.session_opened = instruments.session_opened
        self.session_closed = instruments.session_closed
        self.session_hidden = instruments.session_hidden
        self.early_talker = instruments.early_talker
        self.command_error = instruments.command_error
        self.session_refused = instruments.session_refused

    def record(self, outcome: Outcome) -> None:
        """One transaction is over."""
        self._instruments.record(outcome)
        self._log.transaction(outcome)

    def crashed(self, error: Exception) -> None:
        """A bug of ours; the client was told 4xx, the log gets everything."""
        self._log.event(
            "crash",
            error=type(error).__name__,
            traceback="".join(traceback.format_exception(error))[-8000:],
        )


def home_reading(status: HomeStatus) -> HomeReading:
    """The relay's view of home as the instruments show it."""
    return HomeReading(
        up=status.up,
        since=status.since,
        last_error=status.last_error,
        connections=status.connections,
        idle=status.idle,
        waiting=status.waiting,
        breaker=status.breaker,
    )


class Lifetime:
    """Starting, ready, draining: read by /readyz and by the instruments, written by the process."""

    def __init__(self) -> None:
        self.state = State.STARTING
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Begin to drain; may be called more than once."""
        self.state = State.DRAINING
        self._stop.set()

    def stop_on_signals(self) -> None:
        """SIGTERM and SIGINT mean: drain. Call it inside the running loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)

    def ready(self) -> None:
        """The door is open."""
        if self.state is State.STARTING:
            self.state = State.READY

    async def wait_for_stop(self) -> None:
        """Returns when it is time to drain."""
        await self._stop.wait()


async def drain(listener: Listener, log: EventLog, *, drain_seconds: float) -> None:
    """Finish what is in flight, at most so long; what is not finished then is broken off, and retried."""
    log.event("drain", seconds=drain_seconds, sessions=listener.sessions)
    started_at = time.monotonic()
    try:
        async with asyncio.timeout(drain_seconds):
            await listener.drain()
    except TimeoutError:
        log.event("drain-timeout", sessions=listener.sessions)
        return
    finally:
        listener.close()
    log.event("drained", seconds=round(time.monotonic() - started_at, 3))


def transaction_ids(clock: Callable[[], float], salt: int) -> Callable[[], str]:
    """Identifiers that sort by time and differ across processes: milliseconds, salt, a counter; in hex."""
    count = 0

    def new_id() -> str:
        nonlocal count
        count = (count + 1) & 0xFFFF
        return f"{int(clock() * 1000):011x}{salt:05x}{count:04x}"

    return new_id


def settle() -> None:
    """What is loaded by now stays for good: the garbage collector need not look at it again and again.

    Messages make no circles to speak of, so it may come less often too: about 5 % of a message's CPU time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
