"""How a run went over time, and all its latencies together. Fed by the parent while the run goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mxgw.load.histogram import Histogram, percentile_of
from mxgw.load.tally import INTERVAL_SECONDS, Interval, Tally

SETTLED_SECONDS = 1.5
"""No worker adds to what ended so long ago: they tell twice a second."""

MIN_INTERVAL_SECONDS = 0.1
"""A shorter end of a run is not shown by itself: a rate of so little says nothing."""


@dataclass(frozen=True, slots=True)
class Point:
    """One interval: ``at`` is its end, seconds after the start. Rates per second, latencies in seconds."""

    at: float
    messages: float
    octets: float
    others: float
    median: float
    percentile_99: float
    longest: float


class Course:
    """Takes intervals out of the tally as they settle. Raises MissingExtraError without HdrHistogram."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.histogram = Histogram()
        self._next_place = 0

    def follow(self, tally: Tally, now: float) -> None:
        """``now``: seconds after the start."""
        self._take(tally, int((now - SETTLED_SECONDS) / INTERVAL_SECONDS))

    def finish(self, tally: Tally) -> None:
        """The run is over: the rest, and the messages that never began."""
        self._take(tally, max(tally.intervals, default=-1) + 1)
        self._shorten_last(tally.ended_at)
        self.histogram.add(tally.overdue_latencies)

    def _shorten_last(self, ended_at: float) -> None:
        """The last interval is not full, and its rates are of what there is of it."""
        if not self.points:
            return
        last = self.points.pop()
        passed = ended_at - (last.at - INTERVAL_SECONDS)
        if not self.points or passed >= MIN_INTERVAL_SECONDS:
            factor = INTERVAL_SECONDS / passed
            self.points.append(
                replace(
                    last,
                    at=ended_at,
                    messages=last.messages * factor,
                    octets=last.octets * factor,
                    others=last.others * factor,
                )
            )

    def _take(self, tally: Tally, before: int) -> None:
        while self._next_place < before:
            interval = tally.intervals.pop(self._next_place, Interval())
            self._next_place += 1
            self.points.append(_point(self._next_place * INTERVAL_SECONDS, interval))
            self.histogram.add(interval.latencies)


def _point(at: float, interval: Interval) -> Point:
    latencies = interval.latencies
    return Point(
        at=at,
        messages=interval.acknowledged / INTERVAL_SECONDS,
        octets=interval.octets / INTERVAL_SECONDS,
        others=interval.others / INTERVAL_SECONDS,
        median=percentile_of(latencies, 50),
        percentile_99=percentile_of(latencies, 99),
        longest=max(latencies, default=0) / 1e6,
    )
