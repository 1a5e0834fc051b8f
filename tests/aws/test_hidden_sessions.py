"""Sessions that come from a private address are counted and told: the balancer hides its clients."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator

import pytest

from tests.rig.gateway import Gateway
from tests.rig.link import Link
from tests.rig.process import ROOT
from tests.rig.wire import Wire


@pytest.fixture
def link() -> Iterator[Link]:
    with Link(rtt_ms=0.0) as namespaces:
        yield namespaces


@pytest.mark.parametrize(("proxy_from", "hidden"), [("", 2), (f"{Link.NEAR}/32", 0)])
def test_a_private_address_without_a_proxy_header_is_counted(
    link: Link, proxy_from: str, hidden: int
) -> None:
    with Gateway(
        "lmtp://127.0.0.1:1",
        wrapper=[*link.into(link.near), "env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "tests.aws.hasty"],
        listen=f"{Link.NEAR}:0",
        emf_service="mxgw-edge",
        proxy_from=proxy_from,
    ) as gateway:
        for _ in range(2):
            with Wire(gateway.smtp, make_socket=functools.partial(link.socket, link.near)) as wire:
                if proxy_from:
                    wire.send(b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\r\n")
                wire.greet()
                wire.command("QUIT")
        assert gateway.terminate() == 0
        told = sum(event["mxgw_sessions_hidden_total"] for event in gateway.events("metrics"))

    assert told == hidden
