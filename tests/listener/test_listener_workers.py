"""Several workers behind one port: all serve, counts add up, a drain ends them all."""

from __future__ import annotations

import asyncio
import smtplib
import urllib.request

import pytest

from tests.rig.gateway import Gateway
from tests.rig.homeserver import HomeServer

MESSAGES = 60


def metrics(gateway: Gateway) -> dict[str, float]:
    host, port = gateway.http
    with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))
    }


def send(address: tuple[str, int], number: int) -> None:
    with smtplib.SMTP(*address, timeout=30) as client:
        client.sendmail("a@sender.example", ["taro@example.jp"], f"Subject: {number}\r\n\r\nHello\r\n")


@pytest.mark.parametrize("workers", [1, 2])
async def test_each_message_is_counted_once_whoever_took_it(workers: int) -> None:
    async with HomeServer() as home:
        gateway = Gateway(f"lmtp://127.0.0.1:{home.port}", workers=str(workers))
        try:
            await asyncio.to_thread(gateway.start)
            await asyncio.gather(
                *(asyncio.to_thread(send, gateway.smtp, number) for number in range(MESSAGES))
            )

            counted = await asyncio.to_thread(metrics, gateway)
            code = await asyncio.to_thread(gateway.terminate)
        finally:
            await asyncio.to_thread(gateway.close)

    assert len(home.messages) == MESSAGES
    assert counted['mxgw_transactions_total{decision="accept",reason="delivered"}'] == MESSAGES
    assert counted["mxgw_sessions_total"] == MESSAGES
    assert code == 0
