"""One measurement from end to end: senders, gateway, next hop, all as in a run of the bench."""

from __future__ import annotations

import pytest

from bench.accounting import METHODS
from bench.gateways import Gateway, Mxgw, Plain, debian_mxgw
from bench.loads import Load, MxgwLoad, SourceLoad
from bench.measure import Workload, measure
from bench.peers import OpenSmtpd
from bench.postfix import PostfixProxy, PostfixQueue
from bench.run import Run
from tests.rig.process import need_root

MESSAGES = 30
SOURCE = SourceLoad(3, 2048, False, MESSAGES)
OURS = MxgwLoad(3, 2048, True, MESSAGES)


@pytest.mark.parametrize("load", [SOURCE, OURS], ids=["smtp-source", "mxgw load"])
def test_every_message_is_counted_at_the_next_hop(load: Load) -> None:
    one = measure(Mxgw(), Workload("w", "", load, 6))

    assert (one.sent, one.delivered, one.complaint) == (MESSAGES, MESSAGES, "")
    assert one.cpu_seconds > 0
    assert one.seconds > 0
    assert bool(one.latency_ms) == (load is OURS)


@pytest.mark.parametrize(
    "gateway", [PostfixProxy(), PostfixQueue(in_memory=True), Plain()], ids=lambda one: one.name
)
def test_peers_relay_what_they_are_sent(gateway: Gateway) -> None:
    need_root("Postfix's master")

    one = measure(gateway, Workload("w", "", SOURCE, 6))

    assert (one.delivered, one.complaint) == (MESSAGES, "")


def test_cpu_time_is_counted_without_control_groups_too() -> None:
    one = measure(Mxgw(), Workload("w", "", SOURCE, 6), method="tree")

    assert one.accounting == METHODS["tree"]("").method
    assert one.cpu_seconds > 0


def test_a_gateway_takes_its_own_part_of_a_load() -> None:
    workload = Workload("w", "", SourceLoad(20, 2048, False, 1000), 200)

    own = workload.for_gateway(OpenSmtpd())

    assert own.load.messages == 1000 * OpenSmtpd.share
    assert own.load.sessions == OpenSmtpd.max_sessions
    assert own.warm_up < 200


def test_who_cannot_run_is_named_with_the_reason() -> None:
    class Absent(Plain):
        title = "Nobody"

        def missing(self) -> str:
            return "not there"

    run = Run(rounds=1, factor=1.0, method=None, tell=lambda _: None)

    assert run.present([Absent()]) == []
    assert run.absent == {"Nobody": "not there"}


def test_an_interpreter_that_is_not_there_is_said_to_be_missing() -> None:
    assert debian_mxgw(interpreter="/nowhere/python3").missing() == "there is no /nowhere/python3"


def test_gateways_take_turns_the_order_reversed_in_every_other_round() -> None:
    run = Run(rounds=2, factor=1.0, method=None, tell=lambda _: None)
    one, two = Mxgw(name="one", title="one"), Mxgw(name="two", title="two")

    assert [(number, gateway.name) for number, gateway in run.turns([one, two])] == [
        (0, "one"),
        (0, "two"),
        (1, "two"),
        (1, "one"),
    ]
