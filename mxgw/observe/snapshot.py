"""What was counted up to a moment, as a value that travels as JSON and adds up across processes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Self, TypeAlias

from mxgw.observe.catalogue import BUCKETS_SECONDS, CATALOGUE, Kind
from mxgw.outcome import Decision, Outcome

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Fields: TypeAlias = dict[str, Json]

Sample: TypeAlias = tuple[str, ...]
"""A metric's name and the values of its labels, in the catalogue's order."""

Slice: TypeAlias = tuple[int, int, int, int]
"""Transactions in ten seconds, in the order of ``DECISIONS``."""

DECISIONS = tuple(Decision)
SLICE_SECONDS = 10
MAX_SLICES = 3600 // SLICE_SECONDS
"""An hour of history: what the status page draws."""

MAX_RECENT = 200
"""Transactions that the status page shows; also the bound of what we remember about strangers."""

_COUNTERS = frozenset(metric.name for metric in CATALOGUE if metric.kind is Kind.COUNTER)


class State(StrEnum):
    """What a process is doing. ``SILENT`` is said by the parent of a worker that does not answer."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class HomeReading:
    """How one worker finds home. ``up`` is None before the first contact; times are Unix seconds."""

    up: bool | None
    since: float = 0.0
    last_error: str = ""
    connections: int = 0
    idle: int = 0
    waiting: int = 0
    breaker: str = ""


@dataclass(frozen=True, slots=True)
class WorkerReading:
    """One worker process. ``certificate_ends`` is the Unix time when its certificate does, if it may."""

    index: int
    pid: int
    state: State
    started_at: float
    sessions_open: int = 0
    resident_octets: int = 0
    home: HomeReading | None = None
    certificate_ends: float | None = None


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts per bucket of ``BUCKETS_SECONDS`` (the last one: longer), and the sum of what was observed."""

    counts: tuple[int, ...] = (0,) * (len(BUCKETS_SECONDS) + 1)
    sum: float = 0.0

    def __add__(self, other: Histogram) -> Histogram:
        return Histogram(
            tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)), self.sum + other.sum
        )

    def __sub__(self, other: Histogram) -> Histogram:
        """What was observed since ``other``, an earlier state of the same."""
        return Histogram(
            tuple(max(0, a - b) for a, b in zip(self.counts, other.counts, strict=True)),
            max(0.0, self.sum - other.sum),
        )

    def quantile(self, share: float) -> float | None:
        """The bound below which ``share`` of the observations lie; None without observations."""
        total = sum(self.counts)
        seen = 0
        for bound, count in zip((*BUCKETS_SECONDS, float("inf")), self.counts, strict=True):
            seen += count
            if total and seen >= share * total:
                return min(bound, BUCKETS_SECONDS[-1])
        return None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything counted, the gauges, an hour of slices, the last transactions, the workers."""

    started_at: float
    samples: Mapping[Sample, float] = field(default_factory=dict)
    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    slices: Mapping[int, Slice] = field(default_factory=dict)
    recent: tuple[Fields, ...] = ()
    workers: tuple[WorkerReading, ...] = ()

    def __add__(self, other: Snapshot) -> Snapshot:
        """Both together: counts add up, the newest transactions stay."""
        samples = dict(self.samples)
        for sample, value in other.samples.items():
            samples[sample] = samples.get(sample, 0) + value
        histograms = dict(self.histograms)
        for name, histogram in other.histograms.items():
            histograms[name] = histograms.get(name, Histogram()) + histogram
        slices = dict(self.slices)
        for slot, counts in other.slices.items():
            a, b, c, d = slices.get(slot, (0, 0, 0, 0))
            slices[slot] = (a + counts[0], b + counts[1], c + counts[2], d + counts[3])
        return Snapshot(
            min(self.started_at, other.started_at),
            samples,
            histograms,
            dict(sorted(slices.items())[-MAX_SLICES:]),
            tuple(sorted((*self.recent, *other.recent), key=_ended_at)[-MAX_RECENT:]),
            (*self.workers, *other.workers),
        )

    @classmethod
    def total(cls, snapshots: Iterable[Snapshot], *, started_at: float) -> Snapshot:
        """The sum of any number of snapshots."""
        return sum(snapshots, cls(started_at))

    def retired(self) -> Snapshot:
        """What stays true of a process that is gone: its counts and its history, none of its gauges."""
        counters = {sample: value for sample, value in self.samples.items() if sample[0] in _COUNTERS}
        return replace(self, samples=counters, workers=())

    def value(self, name: str, *labels: str) -> float:
        """One sample; without labels the sum over all of that name."""
        if labels:
            return self.samples.get((name, *labels), 0)
        return sum(value for sample, value in self.samples.items() if sample[0] == name)

    @property
    def home_up(self) -> bool | None:
        """Whether all workers reach home; None while none of them knows."""
        known = [worker.home.up for worker in self.workers if worker.home and worker.home.up is not None]
        return all(known) if known else None

    def certificate_days(self, now: float) -> float | None:
        """Days until the certificate that ends first does, negative when it has; None where none does."""
        ends = [worker.certificate_ends for worker in self.workers if worker.certificate_ends is not None]
        return (min(ends) - now) / 86400 if ends else None

    def to_plain(self) -> Fields:
        """A value that JSON can carry to ``from_plain`` in another process of the same version."""
        return {
            "started_at": self.started_at,
            "samples": [[*sample, value] for sample, value in self.samples.items()],
            "histograms": {name: [h.sum, *h.counts] for name, h in self.histograms.items()},
            "slices": [[slot, *counts] for slot, counts in self.slices.items()],
            "recent": self.recent,
            "workers": [asdict(worker) for worker in self.workers],
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The snapshot that ``to_plain`` described. Raises ValueError, KeyError or TypeError on others."""
        return cls(
            plain["started_at"],
            {tuple(row[:-1]): row[-1] for row in plain["samples"]},
            {name: Histogram(tuple(row[1:]), row[0]) for name, row in plain["histograms"].items()},
            {row[0]: (row[1], row[2], row[3], row[4]) for row in plain["slices"]},
            tuple(plain["recent"]),
            tuple(_worker(row) for row in plain["workers"]),
        )

    def to_json(self) -> str:
        """``to_plain`` as text."""
        return json.dumps(self.to_plain(), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The snapshot that ``to_json`` wrote."""
        return cls.from_plain(json.loads(text))


def outcome_fields(outcome: Outcome) -> Fields:
    """An Outcome as JSON: every field under its own name."""
    values: Fields = outcome._asdict()
    values["recipients"] = [
        {"forward_path": recipient.forward_path, "home": recipient.home} for recipient in outcome.recipients
    ]
    values["checks"] = dict(outcome.checks)
    values["receive_seconds"] = round(outcome.receive_seconds, 6)
    values["relay_seconds"] = round(outcome.relay_seconds, 6)
    return values


def _ended_at(row: Fields) -> float:
    value = row["ended_at"]
    return float(value) if isinstance(value, int | float) else 0.0


def _worker(row: Mapping[str, Any]) -> WorkerReading:
    home = row["home"]
    return WorkerReading(
        **{**row, "state": State(row["state"]), "home": None if home is None else HomeReading(**home)}
    )
