"""Home goes wrong at every stage: the client hears 4xx, and 5xx only where it is about the mail."""

from __future__ import annotations

import asyncio

import pytest

from tests.rig import specimen
from tests.rig.courier import Courier
from tests.rig.gateway import Gateway
from tests.rig.homeserver import Act, Close, Hang, HomeServer, Raw, Reset

TARO = "taro@example.jp"
ACTS: dict[str, Act] = {
    "closes": Close(),
    "resets": Reset(),
    "talks garbage": Raw(b"\xff\x00 this is no reply\r\n"),
    "goes (421)": "421 4.3.2 Shutting down at inner.example:24",
    "puts off (451)": "451 4.3.0 Temporary internal error",
    "refuses (550)": "550 5.1.1 <taro@inner.example> User doesn't exist at inner.example",
    "hangs": Hang(),
}
# Only an answer about the recipient, or about the message for that recipient, may end in a bounce.
ABOUT_THE_MAIL = {("default_rcpt", "refuses (550)"), ("default_final", "refuses (550)")}
# Before the content the gateway is patient for as long as Dovecot may need: over a minute, too long for here
# (tests/relay hangs at each stage, with less patience).
ENDS_AT_THE_DEADLINE = ("data", "default_final")


def _set(home: HomeServer, stage: str, act: Act) -> object:
    before = getattr(home, stage)
    setattr(home, stage, act)
    return before


async def _send(gateway: Gateway, octets: bytes) -> str:
    courier = await Courier.connect(gateway.smtp)
    try:
        return await courier.send(octets, sender="sender@example.org", recipients=[TARO])
    finally:
        await courier.close()


async def _send_until_accepted(gateway: Gateway) -> None:
    """The breaker may have opened; a sender tries again."""
    async with asyncio.timeout(60):
        while not (answer := await _send(gateway, specimen.ordinary().octets)).startswith("250"):
            assert answer.startswith("4"), answer
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("stage", ["greeting", "lhlo", "mail", "default_rcpt", "data", "default_final"])
async def test_a_fault_of_home_never_costs_a_message(stage: str) -> None:
    # DATA is said only to a home without CHUNKING.
    extensions = ("8BITMIME", "ENHANCEDSTATUSCODES", "PIPELINING", *([] if stage == "data" else ["CHUNKING"]))
    async with HomeServer(extensions) as home:
        limits = {"connect_seconds": "1", "relay_seconds": "2", "recipient_cache_seconds": "0"}
        gateway = Gateway(f"lmtp://127.0.0.1:{home.port}", **limits)
        try:
            await asyncio.to_thread(gateway.start)
            for name, act in ACTS.items():
                if isinstance(act, Hang) and stage not in ENDS_AT_THE_DEADLINE:
                    continue
                home.reset_connections()
                sound = _set(home, stage, act)

                answer = await _send(gateway, specimen.ordinary().octets)

                _set(home, stage, sound)
                print(f"{stage}, home {name}: {answer}")
                _judge(stage, name, answer)
                home.reset_connections()
                await _send_until_accepted(gateway)
            assert await asyncio.to_thread(gateway.terminate) == 0
            assert gateway.tracebacks() == []
        finally:
            await asyncio.to_thread(gateway.close)


def _judge(stage: str, name: str, answer: str) -> None:
    if (stage, name) in ABOUT_THE_MAIL:
        assert answer.startswith("550 5.1.1"), (name, answer)
    else:
        assert answer.startswith("451 4."), (name, answer)
    assert "inner.example" not in answer
