"""One whole run: the chapters one after the other."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.agreement import agreement
from bench.authentication import authentication
from bench.curves import curves
from bench.day import day
from bench.document import Chapter
from bench.flames import flames
from bench.latency import latency
from bench.relay import relay
from bench.report import Result
from bench.run import Run
from bench.zone import ZoneServer

CHAPTERS = ("relay", "authentication", "latency", "curves", "day", "harness", "profile")


def carry_out(run: Run, wanted: frozenset[str], *, command: str, done: Callable[[Chapter], None]) -> Result:
    """Measure the wanted chapters. What cannot run is left out with the reason; the rest goes on."""
    started = time.perf_counter()
    chapters: list[Chapter] = []

    def add(name: str, make: Callable[[], Chapter]) -> None:
        if name in wanted:
            run.tell(f"--- {name}, {time.perf_counter() - started:.0f} s")
            chapters.append(make())
            done(chapters[-1])

    with ExitStack() as stack:
        zone = _zone(run, stack)
        add("relay", lambda: relay(run, zone))
        if zone is not None:
            add("authentication", lambda: authentication(run, zone))
        add("latency", lambda: latency(run, zone))
        add("curves", lambda: curves(run, zone))
        if zone is not None:
            add("day", lambda: day(run, zone))
        add("harness", lambda: agreement(run))
        add("profile", lambda: flames(run, zone))
    return Result(chapters, run, command, time.perf_counter() - started)


def _zone(run: Run, stack: ExitStack) -> ZoneServer | None:
    """The senders' DNS; without it, what needs it is left out, with a word."""
    if why := ZoneServer.missing():
        run.absent["everything with authentication"] = f"unbound answers for the senders' DNS; {why}"
        return None
    name = stack.enter_context(tempfile.TemporaryDirectory(prefix="mxgw-bench-", ignore_cleanup_errors=True))
    Path(name).chmod(0o755)
    return stack.enter_context(ZoneServer(Path(name), method=run.method))
