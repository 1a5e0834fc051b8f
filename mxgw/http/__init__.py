"""The HTTP door for operators: /livez, /readyz, /metrics, /status and the status page. GET and HEAD only.

It is reached from inside our own network, and bounded for strangers all the same: connections in number and
in time, one request each. aiohttp takes 0.2 s and 20 MB to load; open the mail door first.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import cast

from aiohttp import web

from mxgw.http.page import load_page
from mxgw.http.status import Facts, status
from mxgw.observe.exposition import CONTENT_TYPE, render
from mxgw.observe.snapshot import Snapshot, State

__all__ = ["Facts", "HttpDoor"]

MAX_CONNECTIONS = 64
"""A page, a scraper and the balancer's health checks need a handful."""

CONNECTION_SECONDS = 30.0
"""How long a connection may live. Answers take milliseconds; this ends who sends or reads in drops."""

SWEEP_SECONDS = 5.0
MAX_HEADER_LINE_OCTETS = 4096
CLOSE_SECONDS = 1.0
LINGER_SECONDS = 0.5


class HttpDoor:
    """Answers about the program. ``gather`` brings the counts of all workers; ``clock`` is Unix time."""

    def __init__(
        self,
        *,
        facts: Facts,
        state: Callable[[], State],
        gather: Callable[[], Awaitable[Snapshot]],
        clock: Callable[[], float],
    ) -> None:
        self._facts = facts
        self._state = state
        self._gather = gather
        self._clock = clock
        self._page = load_page()
        self._runner = web.AppRunner(
            self._application(),
            access_log=None,
            shutdown_timeout=CLOSE_SECONDS,
            keepalive_timeout=CONNECTION_SECONDS,
            lingering_time=LINGER_SECONDS,
            max_line_size=MAX_HEADER_LINE_OCTETS,
            max_field_size=MAX_HEADER_LINE_OCTETS,
        )
        self._listening: asyncio.Server | None = None
        self._sweeping: asyncio.TimerHandle | None = None
        self._seen: dict[object, float] = {}

    async def open(self, host: str, port: int) -> tuple[str, int]:
        """Listen; the address that was bound. Raises OSError where it cannot be."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._accept, host, port, backlog=MAX_CONNECTIONS)
        self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep)
        bound = self._listening.sockets[0].getsockname()
        return bound[0], bound[1]

    async def close(self) -> None:
        """Stop listening and end what is open."""
        if self._sweeping:
            self._sweeping.cancel()
        if self._listening:
            self._listening.close()
        await self._runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/", self._index)
        application.router.add_get("/livez", self._livez)
        application.router.add_get("/readyz", self._readyz)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/status", self._status)
        application.on_response_prepare.append(_harden)
        return application

    def _accept(self) -> asyncio.Protocol:
        server = self._runner.server
        if server is None or len(server.connections) >= MAX_CONNECTIONS:
            return _TurnedAway()
        return server()

    def _sweep(self) -> None:
        """End connections that have been open too long, whatever they are doing."""
        loop = asyncio.get_running_loop()
        server, now = self._runner.server, loop.time()
        connections = server.connections if server else []
        self._seen = {each: self._seen.get(each, now) for each in connections}
        for each in connections:
            if now - self._seen[each] >= CONNECTION_SECONDS and each.transport:
                _cut(each.transport)
        self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep)

    async def _livez(self, _: web.Request) -> web.Response:
        # That we answer is the whole truth: the loop turns. A dead home must not get a healthy task killed.
        return web.Response(text="alive\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        state = self._state()
        return web.Response(text=f"{state}\n", status=200 if state is State.READY else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        body = render(await self._gather(), version=self._facts.version, state=self._state())
        return _compressed(web.Response(body=body, headers={"Content-Type": CONTENT_TYPE}))

    async def _status(self, _: web.Request) -> web.Response:
        facts = status(await self._gather(), facts=self._facts, state=self._state(), now=self._clock())
        return _compressed(web.json_response(facts, dumps=_dumps))

    async def _index(self, _: web.Request) -> web.Response:
        response = web.Response(body=self._page.body, content_type="text/html", charset="utf-8")
        response.headers["Content-Security-Policy"] = self._page.policy
        return _compressed(response)


class _TurnedAway(asyncio.Protocol):
    """What a connection gets that is one too many: its end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's.
        _cut(cast("asyncio.Transport", transport))


def _cut(transport: asyncio.Transport) -> None:
    """End a connection so that neither we nor the kernel hold on to what the client did not read."""
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _harden(_: web.Request, response: web.StreamResponse) -> None:
    response.force_close()
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    response.headers.update(
        {
            "Cache-Control": "no-store",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "Server": "mxgw",
            "X-Content-Type-Options": "nosniff",
        }
    )


def _compressed(response: web.Response) -> web.Response:
    # A phone asks every two seconds, and 200 transactions are 100 KB of JSON.
    response.enable_compression()
    return response


def _dumps(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
