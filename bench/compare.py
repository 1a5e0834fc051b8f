"""The figures side by side: medians over rounds, ratios within a round, limits."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench.measure import Sample


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, lowest, highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        known = list(values)
        return cls(statistics.median(known), min(known), max(known))


@dataclass(frozen=True, slots=True)
class Limit:
    """mxgw's CPU-ms per message over that of a peer, and what it may be at most."""

    workload: str
    peer: str
    at_most: float
    wording: str


LIMITS = (
    Limit("a20", "proxy", 0.55, "0.55"),
    Limit("a20", "plain", 1 / 3, "1/3"),
    Limit("b20", "proxy", 0.5, "0.5"),
    Limit("b20", "plain", 1 / 6, "1/6"),
    Limit("d4", "proxy", 0.4, "0.4"),
    Limit("d4", "plain", 1 / 15, "1/15"),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One ratio beside its limit."""

    subject: str
    ratio: Spread
    wording: str
    holds: bool


def select(samples: Iterable[Sample], gateway: str, workload: str) -> list[Sample]:
    """The runs that count: those in which every message arrived."""
    return [
        sample
        for sample in samples
        if (sample.gateway, sample.workload) == (gateway, workload) and sample.delivered == sample.sent
    ]


def spread(samples: Iterable[Sample], figure: Callable[[Sample], float]) -> Spread | None:
    values = [figure(sample) for sample in samples]
    return Spread.of(values) if values else None


def verdicts(samples: Sequence[Sample]) -> list[Verdict]:
    """Each limit whose two sides were measured; the median of the rounds decides."""
    found: list[Verdict] = []
    for limit in LIMITS:
        peers = {sample.round: sample for sample in select(samples, limit.peer, limit.workload)}
        ratios = [
            sample.cpu_ms / peers[sample.round].cpu_ms
            for sample in select(samples, "mxgw", limit.workload)
            if sample.round in peers
        ]
        if ratios:
            ratio = Spread.of(ratios)
            subject = f"{limit.workload}: CPU per message, mxgw / {limit.peer}"
            found.append(Verdict(subject, ratio, f"at most {limit.wording}", ratio.median <= limit.at_most))
    return found
