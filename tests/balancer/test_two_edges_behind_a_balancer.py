"""The whole path under load, while one edge drains and another dies: nothing is lost, nothing comes twice.

In front stands HAProxy with PROXY headers, or a route that keeps the client's address as the network load
balancer of ecs/service.yaml does. Who sends sees real addresses, and each edge must have seen them, too.
"""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable, Iterator

import pytest

from tests.balancer.balancers import Balancer, HaProxy, PlainRoute
from tests.balancer.callers import Callers, Stage, lane_of, mailboxes
from tests.balancer.streets import PUBLIC_ADDRESS, WORLD, Streets, client_address
from tests.balancer.town import Town
from tests.rig import specimen
from tests.rig.process import wait_until
from tests.rig.wire import Wire

LANES = 12
SLOW_LANE = LANES
"""The address and the mailbox of the one who is in the middle of a message when its edge is told to end."""

USERS = [user for lane in range(LANES + 1) for user in mailboxes(lane)]

Record = Callable[[str, object], None]


@pytest.fixture
def streets() -> Iterator[Streets]:
    with Streets() as made:
        yield made


def _wait_until_serving(balancer: Balancer, edges: set[str]) -> None:
    wait_until(lambda: balancer.serving() == edges, seconds=20, what=f"new connections go to {edges}")


def _in_the_middle(streets: Streets, name: str) -> tuple[Wire, bytes]:
    """Somebody who has sent half a message to the edge of that name, and the other half."""
    octets = specimen.numbered("in-the-middle", octets=20_000)
    for _ in range(40):
        wire = Wire((PUBLIC_ADDRESS, 25), make_socket=functools.partial(_slow_socket, streets))
        banner = wire.reply()
        if banner.split()[1] == name:
            wire.command("EHLO client.example.org")
            replies = wire.envelope("sender@example.org", [mailboxes(SLOW_LANE)[0]])
            assert [reply[:3] for reply in replies] == ["250", "250"]
            assert wire.command("DATA").startswith("354")
            wire.send(octets[:10_000])
            return wire, octets
        wire.close()
    raise AssertionError(f"none of 40 connections led to {name}")


def _slow_socket(streets: Streets) -> socket.socket:
    made = streets.socket(WORLD)
    made.bind((client_address(SLOW_LANE), 0))
    return made


@pytest.mark.parametrize("kind", [HaProxy, PlainRoute])
def test_an_edge_drains_and_another_dies_while_mail_flows(
    kind: type[HaProxy | PlainRoute], streets: Streets, record_property: Record
) -> None:
    proxy = kind is HaProxy
    with Town(streets, USERS, proxy=proxy) as town, kind(streets) as balancer:
        draining, dying = town.tasks
        callers = Callers(streets, LANES)
        callers.start()
        for task in town.tasks:
            task.wait_for_mail(40)

        # One is told to end while a message is on its way.
        slow, octets = _in_the_middle(streets, draining.name)
        draining.gateway.signal()
        wait_until(lambda: draining.readiness() == 503, seconds=10, what="/readyz says 503")
        _wait_until_serving(balancer, {"b"})
        slow.send(octets[10_000:] + b".\r\n")
        last_word = slow.reply()
        slow.close()
        drained = draining.gateway.wait(30)
        draining.close()

        # Another takes its place, and the other one dies in the middle of its work.
        third = town.new_task("a")
        _wait_until_serving(balancer, {"a", "b"})
        third.wait_for_mail(20)
        dying.kill()
        _wait_until_serving(balancer, {"a"})
        fourth = town.new_task("b")
        _wait_until_serving(balancer, {"a", "b"})
        fourth.wait_for_mail(20)
        callers.stop()

        account = callers.ledger.check(town.store.messages)
        figures = f"{kind.__name__}: {account}; {callers.table()}"
        print(f"\n{figures}")
        record_property("figures", figures)
        assert last_word.startswith("250")
        assert drained == 0
        (kept,) = town.store.messages(mailboxes(SLOW_LANE)[0])
        assert kept.endswith(octets)

        assert account.sent == account.acknowledged
        assert (account.absent, account.duplicated, account.damaged) == ([], [], [])

        lost = [attempt for attempt in callers.attempts if attempt.code == "lost"]
        open_ends = {attempt.edge for attempt in lost if attempt.stage in (Stage.ENVELOPE, Stage.CONTENT)}
        assert open_ends <= {dying.name}, lost
        assert {attempt.code[0] for attempt in callers.attempts} <= {"2", "4", "l"}

        for task in town.tasks:
            assert task.gateway.tracebacks() == []
        at_the_edges = [event for task in town.tasks for event in task.accepted()]
        at_home = town.door.transactions()
        assert len(at_home) >= len(at_the_edges) >= account.sent
        for event in [*at_the_edges, *at_home]:
            lane = lane_of(event["recipients"][0]["forward_path"])
            assert event["client"] == client_address(lane)
