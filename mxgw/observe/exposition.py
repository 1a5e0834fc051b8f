"""Renders a snapshot in the text format of Prometheus. The only module that knows prometheus_client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from mxgw.observe import catalogue
from mxgw.observe.catalogue import BUCKETS_SECONDS, CATALOGUE, Kind, Metric
from mxgw.observe.snapshot import Histogram, Sample, Snapshot, State

CONTENT_TYPE = CONTENT_TYPE_LATEST


def render(
    snapshot: Snapshot, *, version: str, state: State, clock: Callable[[], float] = time.time
) -> bytes:
    """The body of /metrics. ``state`` is that of the whole program, ``clock`` gives Unix time."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_SnapshotCollector(snapshot, _derived(snapshot, version, state, clock())))
    return generate_latest(registry)


class _SnapshotCollector(Collector):
    def __init__(self, snapshot: Snapshot, derived: Mapping[Sample, float]) -> None:
        self._snapshot = snapshot
        self._derived = derived

    def collect(self) -> Iterator[Family]:
        rows: dict[str, list[tuple[Sample, float]]] = {}
        for source in (self._snapshot.samples, self._derived):
            for (name, *labels), value in source.items():
                rows.setdefault(name, []).append((tuple(labels), value))
        for metric in CATALOGUE:
            if metric.kind is Kind.HISTOGRAM:
                yield _histogram(metric, self._snapshot.histograms.get(metric.name, Histogram()))
            else:
                yield _family(metric, rows.get(metric.name, ()))


def _derived(snapshot: Snapshot, version: str, state: State, now: float) -> Mapping[Sample, float]:
    homes = [worker.home for worker in snapshot.workers if worker.home is not None]
    samples: dict[Sample, float] = {
        (catalogue.HOME_CONNECTIONS.name,): sum(home.connections for home in homes),
        (catalogue.HOME_WAITING.name,): sum(home.waiting for home in homes),
        (catalogue.DRAINING.name,): state is State.DRAINING,
        (catalogue.BUILD_INFO.name, version): 1,
        (catalogue.START_TIME.name,): snapshot.started_at,
    }
    if (up := snapshot.home_up) is not None:
        samples[(catalogue.HOME_UP.name,)] = up
    if (days := snapshot.certificate_days(now)) is not None:
        samples[(catalogue.CERTIFICATE_DAYS.name,)] = round(days, 3)
    for each in State:
        samples[(catalogue.WORKERS.name, each)] = sum(worker.state is each for worker in snapshot.workers)
    return samples


def _family(metric: Metric, rows: Iterable[tuple[Sample, float]]) -> Family:
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=metric.labels)
    for labels, value in sorted(rows):
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, histogram: Histogram) -> Family:
    bounds = (*(str(bound) for bound in BUCKETS_SECONDS), "+Inf")
    family = HistogramMetricFamily(metric.name, metric.help)
    family.add_metric([], [*zip(bounds, accumulate(histogram.counts), strict=True)], sum_value=histogram.sum)
    return family
