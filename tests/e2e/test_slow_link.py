"""Home behind a link with 20 ms round-trip time: what a message costs by the clock, slow clients or none."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.rig import specimen
from tests.rig.dovecot import Dovecot
from tests.rig.gateway import Gateway
from tests.rig.link import Link
from tests.rig.wire import Wire

RTT_MS = 20.0
MESSAGES = 20
SLOW_CLIENTS = 50

Connect = Callable[[], Wire]
Record = Callable[[str, object], None]


@pytest.fixture
def link() -> Iterator[Link]:
    with Link(rtt_ms=RTT_MS) as slow_wire:
        yield slow_wire


@pytest.fixture
def home(link: Link) -> Iterator[Dovecot]:
    """At the far end, one mailbox for each message, trusting the near end with XCLIENT.

    It stores without waiting for the disk, whose time would be taken for a round trip.
    """
    with Dovecot(
        dict.fromkeys([f"u{n}" for n in range(MESSAGES)]),
        listen=Link.FAR,
        trusted=f"{Link.NEAR}/32",
        duplicate=False,
        fsync=False,
        wrapper=link.into(link.far),
        make_socket=functools.partial(link.socket, link.far),
    ) as dovecot:
        yield dovecot


@pytest.fixture
def connect(link: Link, home: Dovecot) -> Iterator[Connect]:
    """Connections to a gateway at the near end; its clients are beside it."""
    # Nothing remembered: each RCPT is asked of home.
    with Gateway(home.url, wrapper=link.into(link.near), recipient_cache_seconds="0") as gateway:
        yield lambda: Wire(gateway.smtp, make_socket=functools.partial(link.socket, link.near))
        assert gateway.terminate() == 0
        assert gateway.tracebacks() == []


def _costs(connect: Connect) -> list[tuple[float, float]]:
    """Seconds for the answer to RCPT and for the answer to the content, of one message for each user."""
    costs = []
    with connect() as wire:
        wire.greet()
        for user in range(MESSAGES):
            sent = specimen.ordinary().octets
            began = time.monotonic()
            replies = wire.envelope("sender@example.org", [f"u{user}@example.jp"])
            asked = time.monotonic()
            reply = wire.data(sent)
            costs.append((asked - began, time.monotonic() - asked))
            assert [*(line[:3] for line in replies), reply[:3]] == ["250", "250", "250"]
    return costs


def _median_round_trips(costs: list[tuple[float, float]], rtt: float) -> tuple[float, float]:
    rcpt, content = (statistics.median(column) / rtt for column in zip(*costs, strict=True))
    return rcpt, content


def test_a_message_takes_two_round_trips_to_home_and_slow_clients_change_nothing(
    link: Link, home: Dovecot, connect: Connect, record_property: Record
) -> None:
    rtt = link.rtt_seconds()
    _costs(connect)  # opens the connection to home, and makes the mailboxes

    alone = _costs(connect)
    with ExitStack() as clients:
        for _ in range(SLOW_CLIENTS):
            slow = clients.enter_context(connect())
            slow.greet()
            slow.envelope("slow@example.org", ["u0@example.jp"])
            assert slow.command("DATA").startswith("354")
            slow.send(specimen.header("slow"))
        beside = _costs(connect)

    print(f"\nround-trip time {rtt * 1000:.1f} ms; round trips a message, medians (RCPT, content):")
    for name, costs in (("alone", alone), (f"beside {SLOW_CLIENTS} slow clients", beside)):
        rcpt, content = _median_round_trips(costs, rtt)
        print(f"  {name:24} {rcpt:.2f} + {content:.2f} = {rcpt + content:.2f}")
        record_property(name, round(rcpt + content, 2))
        # A busy machine makes some messages slower, but a third round trip would be in every one of them.
        assert 1.9 < min(sum(cost) for cost in costs) / rtt < 2.9
    assert [len(home.messages(f"u{n}")) for n in range(MESSAGES)] == [3] * MESSAGES
