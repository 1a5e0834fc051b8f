"""Chapter: does ``mxgw load send`` see what ``smtp-source`` sees, and what does it cost?"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench.accounting import open_account
from bench.compare import Spread, Verdict, per_round, spread
from bench.document import Chapter, Table, Text, figure, spread_words
from bench.gateways import Mxgw
from bench.harness import Sink, Speaks, send
from bench.loads import Load, MxgwLoad, SourceLoad
from bench.measure import Sample, Workload
from bench.run import Run

SESSIONS = 20
OCTETS = 10_240
TOLERANCE = 0.10
WAITING_SESSIONS = 200
WAITING_MESSAGES = 600
WAIT_SECONDS = 1

EXPLANATION = """\
The same load on the same target by both senders, in turn: 10 KB, without PIPELINING, which smtp-source does
not have. The first target has a known capacity: `smtp-sink -w {wait}` answers DATA after {wait} s, so that
{sessions} sessions carry at most {sessions} messages a second. The others are mxgw with {busy} sessions; how
much it carries depends on what it shares the machine with. The sender's CPU time is what `mxgw load send`
says of itself for the time of the run, without the start of its interpreter.\
"""
HEADINGS = (
    "target",
    "smtp-source, messages/s",
    "mxgw load, messages/s",
    "ratio",
    "mxgw load, CPU-ms/message",
    "gateway, CPU-ms/message",
)


def agreement(run: Run) -> Chapter:
    """Both senders against a target of known capacity and against mxgw, new and kept connections."""
    waiting = _against_waiting_sink(run)
    rows, verdicts = [], []
    if waiting is not None:
        source, ours = waiting
        speed = Spread.of(ours[number] / source[number] for number in ours)
        rates = (figure(Spread.of(one.values()).median) for one in (source, ours))
        name = f"smtp-sink -w {WAIT_SECONDS}, {WAITING_SESSIONS} sessions"
        rows.append((name, *rates, spread_words(speed), "-", "-"))
        verdicts.append(_agreement(name, speed))
    samples = _against_mxgw(run)
    for shape in ("new", "kept"):
        by_source = per_round(samples, "mxgw", f"source-{shape}")
        by_ours = per_round(samples, "mxgw", f"mxgw-{shape}")
        numbers = [number for number in by_ours if number in by_source]
        if not numbers:
            continue
        speed = Spread.of(by_ours[n].messages_per_second / by_source[n].messages_per_second for n in numbers)
        cost = spread((by_ours[n] for n in numbers), lambda sample: sample.sender_cpu_ms)
        gateway_cost = spread((by_ours[n] for n in numbers), lambda sample: sample.cpu_ms)
        name = f"mxgw, {shape} connections"
        rates = (
            figure(Spread.of(one[n].messages_per_second for n in numbers).median)
            for one in (by_source, by_ours)
        )
        rows.append((name, *rates, spread_words(speed), spread_words(cost), spread_words(gateway_cost)))
        verdicts.append(_agreement(name, speed))
        share = Spread.of(by_ours[n].sender_cpu_ms / by_ours[n].cpu_ms for n in numbers)
        verdicts.append(
            Verdict(f"{name}: CPU per message, mxgw load / gateway", share, "below 1", share.median < 1)
        )
    words = EXPLANATION.format(wait=WAIT_SECONDS, sessions=WAITING_SESSIONS, busy=SESSIONS)
    return Chapter(
        "The harness",
        [Text(words), Table("", HEADINGS, rows)],
        verdicts,
        data={"samples": [sample.as_json() for sample in samples]},
    )


def _agreement(name: str, speed: Spread) -> Verdict:
    return Verdict(
        f"{name}: messages per second, mxgw load / smtp-source",
        speed,
        f"within {TOLERANCE:.0%}",
        abs(speed.median - 1) <= TOLERANCE,
    )


def _against_mxgw(run: Run) -> list[Sample]:
    samples: list[Sample] = []
    loads = [
        Workload(f"{sender}-{shape}", shape, load, 200)
        for shape, keep, messages in (("new", False, 2000), ("kept", True, 3000))
        for sender, load in (
            ("source", SourceLoad(SESSIONS, OCTETS, keep, messages)),
            ("mxgw", MxgwLoad(SESSIONS, OCTETS, keep, messages, pipelining=False)),
        )
    ]
    for gateway in run.present([Mxgw()]):
        for number in range(run.rounds):
            turn = loads if number % 2 == 0 else tuple(reversed(loads))
            found = (run.measure(gateway, workload, round_number=number) for workload in turn)
            samples.extend(sample for sample in found if sample)
    return samples


def _against_waiting_sink(run: Run) -> tuple[Mapping[int, float], Mapping[int, float]] | None:
    """Messages per second by round, of smtp-source and of ``mxgw load send``; None where one failed."""
    senders: dict[str, Load] = {
        "source": SourceLoad(WAITING_SESSIONS, OCTETS, True, WAITING_MESSAGES),
        "mxgw": MxgwLoad(WAITING_SESSIONS, OCTETS, True, WAITING_MESSAGES, pipelining=False),
    }
    rates: dict[str, dict[int, float]] = {name: {} for name in senders}
    for number in range(min(run.rounds, 2)):
        for name in senders if number % 2 == 0 else reversed(senders):
            with tempfile.TemporaryDirectory(prefix="mxgw-bench-", ignore_cleanup_errors=True) as place:
                Path(place).chmod(0o755)
                account = open_account("agreement", method=run.method)
                sink = Sink(
                    Speaks.SMTP, account=account, directory=Path(place), options=("-w", str(WAIT_SECONDS))
                )
                try:
                    result = send(senders[name], port=sink.port, account=account)
                    delivered = sink.settle(WAITING_MESSAGES)
                finally:
                    sink.stop()
                    account.close()
            run.tell(f"round {number + 1} {name} on smtp-sink: {delivered / result.seconds:.1f} messages/s")
            if result.complaint or delivered != WAITING_MESSAGES:
                run.absent[f"{name} against a waiting smtp-sink"] = result.complaint or f"{delivered} arrived"
                return None
            rates[name][number] = delivered / result.seconds
    return rates["source"], rates["mxgw"]
