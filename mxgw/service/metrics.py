"""Lines of metrics for CloudWatch while the program runs, and a last one when everything is counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from mxgw.config import Config
from mxgw.observe import EventLog, Snapshot, emf
from mxgw.observe.snapshot import Fields


@asynccontextmanager
async def metric_lines(
    config: Config, gather: Callable[[], Awaitable[Snapshot]], log: EventLog
) -> AsyncIterator[None]:
    """Lines are written while the block runs; none where the configuration asks for none.

    ``gather`` gives the counts of all workers; it must still do so when the block ends.
    """
    if config.emf_service is None:
        yield
        return
    lines = emf.MetricLines(config.emf_service)

    def write(fields: Fields) -> None:
        log.machine_event("metrics", **fields)

    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(
            emf.write_lines(
                lines,
                gather=gather,
                write=write,
                clock=time.time,
                seconds=emf.PERIOD_SECONDS,
            ),
            name="metrics",
        )
        yield
        writing.cancel()
    write(lines.next(await gather(), time.time()))
