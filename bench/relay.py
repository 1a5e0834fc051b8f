"""Chapter: relaying without checks, beside all peers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bench.compare import Spread, Verdict, per_round, select, spread
from bench.document import Block, Chapter, Listing, Picture, Table, Text, figure, spread_words
from bench.drawing import Bar, draw_bars
from bench.gateways import Gateway
from bench.harness import sink_argv
from bench.lineup import OURS, relays
from bench.measure import WORKLOADS, Sample, Workload
from bench.run import Run
from bench.zone import ZoneServer

HEADINGS = (
    "gateway",
    "CPU-ms/message",
    "messages per CPU-second",
    "kernel",
    "accepted/s",
    "delivered/s",
    "MB/s",
    "PSS MB",
    "delivered/sent",
)
TARGETS = (
    ("a20", "proxy", 0.55),
    ("a20", "plain", 1 / 3),
    ("b20", "proxy", 0.5),
    ("b20", "plain", 1 / 6),
    ("d4", "proxy", 0.4),
    ("d4", "plain", 1 / 15),
)
"""mxgw's CPU per message over a peer's that we set ourselves, beyond being ahead."""

EXPLANATION = """\
`smtp-source` -> gateway -> `smtp-sink`. mxgw adds its Received field, writes one JSON line per message to a
file and keeps its metrics; Postfix, Exim, OpenSMTPD and Haraka add their Received field and log to a file;
the plain one does neither. Gateways with a queue answer before the next hop has the message: their figures
count until the last one is delivered. Exim's cutthrough and Postfix's proxy speak SMTP only to the next hop,
the others LMTP. OpenSMTPD and Haraka always look up the client's name: the resolver that they
ask has all in memory.\
"""


def relay(run: Run, zone: ZoneServer | None) -> Chapter:
    """Measure all, in rounds."""
    gateways = run.present(relays(zone.address if zone else ""))
    workloads = [workload for workload in WORKLOADS if not run.loads or workload.name in run.loads]
    samples: list[Sample] = []
    for workload in workloads:
        for number, gateway in run.turns(gateways):
            if sample := run.measure(gateway, workload, round_number=number):
                samples.append(sample)
    return relay_chapter(gateways, workloads, samples, pictures=run.pictures)


def relay_chapter(
    gateways: Sequence[Gateway],
    workloads: Sequence[Workload],
    samples: Sequence[Sample],
    *,
    pictures: Path | None = None,
) -> Chapter:
    """What was measured, as a chapter."""
    tables: list[Block] = []
    for workload in workloads:
        title = f"{workload.name}: {workload.title}"
        tables.append(Table(title, HEADINGS, relay_rows(gateways, workload.name, samples)))
        bars = _bars(gateways, workload.name, samples)
        if drawn := draw_bars(pictures, f"relay-{workload.name}", "CPU-ms/message", bars):
            tables.append(Picture(drawn, f"CPU-ms per message, {title}"))
    peers = [gateway for gateway in gateways if gateway.name not in OURS]
    ratios = [
        Table(
            f"CPU per message, {ours.title} over each peer",
            ("peer", *(workload.name for workload in workloads)),
            [
                (
                    peer.title,
                    *(spread_words(ratio(samples, ours.name, peer.name, load.name)) for load in workloads),
                )
                for peer in peers
            ],
        )
        for ours in gateways
        if ours.name in OURS and peers
    ]
    reduced = [
        f"{gateway.title}: {gateway.share:g} of the messages"
        + (f", at most {gateway.max_sessions} sessions" if gateway.max_sessions else "")
        for gateway in gateways
        if gateway.share != 1
    ]
    return Chapter(
        "Relay without checks",
        [Text(EXPLANATION), *tables, *ratios],
        [verdict for ours in gateways if ours.name in OURS for verdict in _verdicts(ours, gateways, samples)],
        [
            Listing(
                "Loads", [f"{load.name}: {' '.join(load.load.argv('127.0.0.1:PORT'))}" for load in workloads]
            ),
            Listing("Fewer messages, so that a run stays within seconds", reduced),
            Listing(
                "Next hop",
                [
                    " ".join(sink_argv(hop, "127.0.0.1:SINK"))
                    for hop in sorted({g.next_hop for g in gateways})
                ],
            ),
            *(listing(gateway) for gateway in gateways),
        ],
        {"samples": [sample.as_json() for sample in samples]},
    )


def _bars(gateways: Sequence[Gateway], workload: str, samples: Sequence[Sample]) -> list[Bar]:
    bars = []
    for gateway in gateways:
        cost = spread(select(samples, gateway.name, workload), lambda one: one.cpu_ms)
        if cost is not None:
            bars.append(Bar(gateway.title, cost.median, cost.low, cost.high))
    return bars


def listing(gateway: Gateway) -> Listing:
    """How a gateway was set up."""
    return Listing(f"{gateway.title} (next hop speaks {gateway.next_hop.upper()})", list(gateway.setup()))


def relay_rows(
    gateways: Sequence[Gateway], workload: str, samples: Sequence[Sample]
) -> list[tuple[str, ...]]:
    """One row per gateway that was measured with the workload."""
    found: list[tuple[str, ...]] = []
    for gateway in gateways:
        tried = [one for one in samples if (one.gateway, one.workload) == (gateway.name, workload)]
        if not tried:
            continue
        good = select(tried, gateway.name, workload)
        figures: tuple[Callable[[Sample], float], ...] = (
            lambda one: one.cpu_ms,
            lambda one: 1000 / one.cpu_ms,
            lambda one: 100 * one.system_share,
            lambda one: one.messages_per_second,
            lambda one: one.delivered_per_second,
            lambda one: one.megabytes_per_second,
            lambda one: one.peak_pss_megabytes,
        )
        cpu, efficiency, kernel, *others = (spread(good, how) for how in figures)
        counts = f"{sum(s.delivered for s in tried)}/{sum(s.sent for s in tried)}"
        found.append(
            (
                gateway.title,
                spread_words(cpu),
                *(figure(one.median) if one else "-" for one in (efficiency,)),
                "-" if kernel is None else f"{kernel.median:.0f} %",
                *(figure(one.median) if one else "-" for one in others),
                counts,
            )
        )
    return found


def ratio(samples: Sequence[Sample], ours: str, peer: str, workload: str) -> Spread | None:
    """CPU per message, ours over the peer's, taken within each round."""
    mine, theirs = (per_round(samples, name, workload) for name in (ours, peer))
    ratios = [mine[number].cpu_ms / theirs[number].cpu_ms for number in mine if number in theirs]
    return Spread.of(ratios) if ratios else None


def best_ratio(samples: Sequence[Sample], ours: str, peers: Sequence[str], workload: str) -> Spread | None:
    """CPU per message, ours over that of the peer that was best in the same round."""
    theirs = [per_round(samples, name, workload) for name in peers]
    ratios = []
    for number, sample in per_round(samples, ours, workload).items():
        costs = [rounds[number].cpu_ms for rounds in theirs if number in rounds]
        if costs:
            ratios.append(sample.cpu_ms / min(costs))
    return Spread.of(ratios) if ratios else None


def _verdicts(ours: Gateway, gateways: Sequence[Gateway], samples: Sequence[Sample]) -> list[Verdict]:
    found = []
    peers = [gateway.name for gateway in gateways if gateway.name not in OURS]
    for workload in WORKLOADS:
        if best := best_ratio(samples, ours.name, peers, workload.name):
            subject = f"{workload.name}: CPU per message, {ours.title} / the best peer"
            found.append(Verdict(subject, best, "below 1", best.median < 1))
    for load, peer, at_most in TARGETS:
        if value := ratio(samples, ours.name, peer, load):
            subject = f"{load}: CPU per message, {ours.title} / {peer}"
            found.append(Verdict(subject, value, f"target {figure(at_most)}", value.median <= at_most))
    return found
