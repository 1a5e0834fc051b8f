"""SIGTERM: idle clients are told 421, messages in flight finish, probes say so, the exit code is 0."""

from __future__ import annotations

import asyncio
import signal
import urllib.error
import urllib.request

from tests.rig.gateway import Gateway
from tests.rig.homeserver import HomeServer


class Talk:
    """A client that says and hears whole lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def with_(cls, address: tuple[str, int]) -> Talk:
        return cls(*await asyncio.open_connection(*address))

    async def hears(self) -> str:
        async with asyncio.timeout(20):
            line = (await self._reader.readline()).decode()
            while line[3:4] == "-":
                line = (await self._reader.readline()).decode()
        return line.rstrip()

    async def says(self, words: str) -> str:
        self._writer.write(words.encode() + b"\r\n")
        return await self.hears()

    async def close(self) -> None:
        self._writer.close()


def readiness(gateway: Gateway) -> int:
    host, port = gateway.http
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/readyz", timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


async def test_a_drain_finishes_what_is_in_flight_and_turns_the_rest_away() -> None:
    async with HomeServer() as home:
        gateway = Gateway(f"lmtp://127.0.0.1:{home.port}")
        try:
            await asyncio.to_thread(gateway.start)
            assert await asyncio.to_thread(readiness, gateway) == 200
            idle, busy = await Talk.with_(gateway.smtp), await Talk.with_(gateway.smtp)
            assert (await idle.hears()).startswith("220 ")
            assert (await busy.hears()).startswith("220 ")
            await busy.says("EHLO client.example")
            await busy.says("MAIL FROM:<a@sender.example>")
            await busy.says("RCPT TO:<taro@example.jp>")
            assert (await busy.says("DATA")).startswith("354 ")

            gateway.signal(signal.SIGTERM)

            assert (await idle.hears()).startswith("421 4.3.2")
            assert await asyncio.to_thread(readiness, gateway) == 503
            late = await Talk.with_(gateway.smtp)
            assert (await late.hears()).startswith("421 4.3.2")
            assert (await busy.says("Subject: in flight\r\n\r\nHello\r\n.")).startswith("250 2.0.0")
            assert (await busy.hears()).startswith("421 4.3.2")
            for client in (idle, busy, late):
                await client.close()
            assert await asyncio.to_thread(gateway.wait, 30.0) == 0
        finally:
            await asyncio.to_thread(gateway.close)

    assert len(home.messages) == 1


async def test_a_drain_that_takes_too_long_ends_all_the_same() -> None:
    async with HomeServer() as home:
        gateway = Gateway(f"lmtp://127.0.0.1:{home.port}", drain_seconds="0.5")
        try:
            await asyncio.to_thread(gateway.start)
            stuck = await Talk.with_(gateway.smtp)
            await stuck.hears()
            await stuck.says("EHLO client.example")
            await stuck.says("MAIL FROM:<a@sender.example>")

            gateway.signal(signal.SIGTERM)

            assert await asyncio.to_thread(gateway.wait, 30.0) == 0
            assert gateway.events("drain-timeout")
            await stuck.close()
        finally:
            await asyncio.to_thread(gateway.close)
