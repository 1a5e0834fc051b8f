"""One whole run: the chapters one after the other."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.authentication import authentication
from bench.document import Chapter
from bench.relay import relay
from bench.report import Result
from bench.run import Run
from bench.zone import ZoneServer

CHAPTERS = ("relay", "authentication")


def carry_out(run: Run, wanted: frozenset[str], *, command: str, done: Callable[[Chapter], None]) -> Result:
    """Measure the wanted chapters. What cannot run is left out with the reason; the rest goes on."""
    started = time.perf_counter()
    chapters: list[Chapter] = []

    def add(name: str, make: Callable[[], Chapter]) -> None:
        if name in wanted:
            run.tell(f"--- {name}, {time.perf_counter() - started:.0f} s")
            chapters.append(make())
            done(chapters[-1])

    add("relay", lambda: relay(run))
    if why := ZoneServer.missing():
        run.absent["everything with authentication"] = f"no unbound for its DNS: {why}"
    elif wanted & {"authentication"}:
        with tempfile.TemporaryDirectory(prefix="mxgw-bench-", ignore_cleanup_errors=True) as name:
            Path(name).chmod(0o755)
            with ZoneServer(Path(name), method=run.method) as zone:
                add("authentication", lambda: authentication(run, zone))
    return Result(chapters, run, command, time.perf_counter() - started)
