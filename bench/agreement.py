"""Chapter: does ``mxgw load send`` see what ``smtp-source`` sees, and what does it cost?"""

from __future__ import annotations

from functools import partial

from bench.compare import Spread, Verdict, per_round, spread
from bench.document import Chapter, Table, Text, figure, spread_words
from bench.gateways import Gateway, Mxgw
from bench.loads import MxgwLoad, SourceLoad
from bench.measure import Sample, Workload
from bench.processes import Program
from bench.quota import Quota
from bench.run import Run

SESSIONS = 20
OCTETS = 10_240
TOLERANCE = 0.10
SHARE = 0.4
PERIOD_MICROSECONDS = 20_000

EXPLANATION = """\
The same load on the same gateway by both senders, in turn: 10 KB, {sessions} sessions, without PIPELINING,
which smtp-source does not have. {held}, so that the gateway and not the machine decides how much it carries.
The sender's CPU time is what `mxgw load send` says of itself for the time of the run, without the start of
its interpreter.\
"""


def agreement(run: Run) -> Chapter:
    """Both senders against mxgw and against the slow plain gateway, new and kept connections."""
    samples: list[Sample] = []
    gateways: list[Gateway] = [Mxgw(title="mxgw")]
    held = "No CPU quota could be set here"
    loads = [
        (sender, Workload(f"{sender}-{shape}", shape, load, 100))
        for shape, keep, messages in (("new", False, 1200), ("kept", True, 2000))
        for sender, load in (
            ("source", SourceLoad(SESSIONS, OCTETS, keep, messages)),
            ("mxgw", MxgwLoad(SESSIONS, OCTETS, keep, messages, pipelining=False)),
        )
    ]
    present = run.present(gateways)
    for number in range(run.rounds):
        for gateway in present:
            for _, workload in loads if number % 2 == 0 else reversed(loads):
                with Quota(SHARE, period_microseconds=PERIOD_MICROSECONDS) as quota:
                    if quota.works:
                        held = f"The gateway is held to {SHARE:g} of a core"
                    sample = run.measure(
                        gateway,
                        workload,
                        round_number=number,
                        prepared=partial(_hold, quota) if quota.works else None,
                    )
                if sample:
                    samples.append(sample)
    rows, verdicts = [], []
    for gateway in present:
        for shape in ("new", "kept"):
            source = per_round(samples, gateway.name, f"source-{shape}")
            ours = per_round(samples, gateway.name, f"mxgw-{shape}")
            numbers = [number for number in ours if number in source]
            if not numbers:
                continue
            speed = Spread.of(ours[n].messages_per_second / source[n].messages_per_second for n in numbers)
            cost = spread((ours[n] for n in numbers), lambda sample: sample.sender_cpu_ms)
            gateway_cost = spread((ours[n] for n in numbers), lambda sample: sample.cpu_ms)
            rows.append(
                (
                    f"{gateway.title}, {shape} connections",
                    figure(Spread.of(source[n].messages_per_second for n in numbers).median),
                    figure(Spread.of(ours[n].messages_per_second for n in numbers).median),
                    spread_words(speed),
                    spread_words(cost),
                    spread_words(gateway_cost),
                )
            )
            name = f"{gateway.title}, {shape} connections"
            verdicts.append(
                Verdict(
                    f"{name}: messages per second, mxgw load / smtp-source",
                    speed,
                    f"within {TOLERANCE:.0%}",
                    abs(speed.median - 1) <= TOLERANCE,
                )
            )
            share = Spread.of(ours[n].sender_cpu_ms / ours[n].cpu_ms for n in numbers)
            verdicts.append(
                Verdict(f"{name}: CPU per message, mxgw load / gateway", share, "below 1", share.median < 1)
            )
    headings = (
        "target",
        "smtp-source, messages/s",
        "mxgw load, messages/s",
        "ratio",
        "mxgw load, CPU-ms/message",
        "gateway, CPU-ms/message",
    )
    return Chapter(
        "The harness",
        [Text(EXPLANATION.format(sessions=SESSIONS, held=held)), Table("", headings, rows)],
        verdicts,
        data={"samples": [sample.as_json() for sample in samples]},
    )


def _hold(quota: Quota, program: Program) -> None:
    quota.hold([program.pid])
