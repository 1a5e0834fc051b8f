"""Opens the HTTP door for operators, after the mail door: loading aiohttp takes longer than all the rest."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from mxgw import __version__
from mxgw.config import Address, Config, Role
from mxgw.observe import EventLog, Snapshot, State

if TYPE_CHECKING:
    from mxgw.http import HttpDoor


@asynccontextmanager
async def open_http(
    config: Config,
    state: Callable[[], State],
    gather: Callable[[], Awaitable[Snapshot]],
    log: EventLog,
    *,
    role: Role = Role.EDGE,
) -> AsyncIterator[Address]:
    """Listen for probes, scrapers and people while the block runs. Raises OSError where it cannot be."""
    # In a thread, so that the mail door already answers while it loads.
    http = await asyncio.to_thread(importlib.import_module, "mxgw.http")
    door: HttpDoor = http.HttpDoor(
        facts=http.Facts(__version__, config.hostname, role, str(config.home)),
        state=state,
        gather=gather,
        clock=time.time,
    )
    address = Address(*await door.open(config.http_listen.host, config.http_listen.port))
    log.event("listening", door="http", address=str(address))
    try:
        yield address
    finally:
        await door.close()
