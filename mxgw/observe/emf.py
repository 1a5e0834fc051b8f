"""Metrics for CloudWatch in its Embedded Metric Format: one JSON line a minute, which needs no agent.

Only what the alarms, the dashboard and the scaling of ecs/service.yaml use, under one dimension: each metric
and each combination of dimensions is billed. Source: Amazon CloudWatch User Guide, "Specification: Embedded
metric format".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mxgw.observe import catalogue
from mxgw.observe.catalogue import Answer, Metric
from mxgw.observe.snapshot import Fields, Histogram, Snapshot
from mxgw.outcome import Decision

NAMESPACE: Final = "mxgw"
DIMENSION: Final = "Service"

PERIOD_SECONDS: Final = 60.0
"""The finest that CloudWatch keeps without extra cost."""

PERCENTILE: Final = 0.99


class Unit(StrEnum):
    """CloudWatch's units, as far as we use them."""

    COUNT = "Count"
    SECONDS = "Seconds"
    NONE = "None"


@dataclass(frozen=True, slots=True)
class Counted:
    """A counter, or some of its samples: those whose first label is ``label`` ("": all)."""

    metric: Metric
    label: str = ""

    @property
    def name(self) -> str:
        """The name at CloudWatch: a label costs no dimension there."""
        return f"{self.metric.name}_{self.label}" if self.label else self.metric.name

    def total(self, snapshot: Snapshot) -> float:
        """What was counted since the program's start."""
        return sum(
            value
            for sample, value in snapshot.samples.items()
            if sample[0] == self.metric.name and (not self.label or sample[1] == self.label)
        )


COUNTERS: Final = (
    *(Counted(catalogue.TRANSACTIONS, each) for each in (Decision.ACCEPT, Decision.DEFER, Decision.REJECT)),
    Counted(catalogue.RECIPIENTS, Answer.UNKNOWN),
    Counted(catalogue.SESSIONS_HIDDEN),
    Counted(catalogue.LOG_LINES_LOST),
)

RELAY_P99: Final = f"{catalogue.RELAY_SECONDS.name}_p99"

GAUGE_UNITS: Final[Mapping[str, Unit]] = {
    catalogue.HOME_UP.name: Unit.NONE,
    catalogue.SESSIONS_OPEN.name: Unit.COUNT,
    RELAY_P99: Unit.SECONDS,
    catalogue.CERTIFICATE_DAYS.name: Unit.NONE,
}


class MetricLines:
    """Makes the lines. Counters are told as what came since the line before, so that the sum is the total."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._told = dict.fromkeys((counter.name for counter in COUNTERS), 0.0)
        self._relays = Histogram()

    def next(self, snapshot: Snapshot, now: float) -> Fields:
        """The line for this minute. Zeros are told, since an alarm on a sum needs data; what is not known is
        left out. ``now`` is Unix time."""
        values: dict[str, float] = {}
        metrics: list[Fields] = []

        def add(name: str, unit: Unit, value: float) -> None:
            metrics.append({"Name": name, "Unit": unit.value})
            values[name] = value

        for counter in COUNTERS:
            # A worker that is killed may take its last seconds with it: a delta is never below zero.
            total = max(counter.total(snapshot), self._told[counter.name])
            add(counter.name, Unit.COUNT, total - self._told[counter.name])
            self._told[counter.name] = total
        for name, value in self._gauges(snapshot, now).items():
            if value is not None:
                add(name, GAUGE_UNITS[name], value)
        directive: Fields = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics}
        return {
            "_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]},
            DIMENSION: self._service,
            **values,
        }

    def _gauges(self, snapshot: Snapshot, now: float) -> dict[str, float | None]:
        relays = snapshot.histograms.get(catalogue.RELAY_SECONDS.name, Histogram())
        fresh, self._relays = relays - self._relays, relays
        up, days = snapshot.home_up, snapshot.certificate_days(now)
        return {
            catalogue.HOME_UP.name: None if up is None else int(up),
            catalogue.SESSIONS_OPEN.name: snapshot.value(catalogue.SESSIONS_OPEN.name),
            RELAY_P99: fresh.quantile(PERCENTILE),
            catalogue.CERTIFICATE_DAYS.name: None if days is None else round(days, 3),
        }


async def write_lines(
    lines: MetricLines,
    *,
    gather: Callable[[], Awaitable[Snapshot]],
    write: Callable[[Fields], None],
    clock: Callable[[], float],
    seconds: float,
) -> None:
    """Write a line each period until cancelled."""
    loop = asyncio.get_running_loop()
    at = loop.time()
    while True:
        # From the beginning on, so that no minute goes without a line when one of them comes late.
        at += seconds
        await asyncio.sleep(at - loop.time())
        write(lines.next(await gather(), clock()))
