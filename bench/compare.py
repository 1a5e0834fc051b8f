"""Figures side by side: medians over rounds, ratios within a round, limits."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
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
class Verdict:
    """One ratio beside its limit."""

    subject: str
    ratio: Spread
    wording: str
    holds: bool


def select(samples: Iterable[Sample], gateway: str, workload: str) -> list[Sample]:
    """The runs that count: those in which every message arrived."""
    return [one for one in samples if (one.gateway, one.workload) == (gateway, workload) and one.whole]


def spread(samples: Iterable[Sample], figure: Callable[[Sample], float]) -> Spread | None:
    values = [figure(sample) for sample in samples]
    return Spread.of(values) if values else None


def per_round(samples: Iterable[Sample], gateway: str, workload: str) -> dict[int, Sample]:
    """The runs that count, by their round."""
    return {sample.round: sample for sample in select(samples, gateway, workload)}
