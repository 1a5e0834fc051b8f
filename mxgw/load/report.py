"""What a load run has shown, as values: for a table, for JSON, for the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mxgw.load.course import Point
from mxgw.load.histogram import Histogram
from mxgw.load.ledger import State
from mxgw.load.plan import Plan
from mxgw.load.tally import Tally


@dataclass(frozen=True, slots=True)
class Watched:
    """What a program under test used during the run: processor time, and the most memory that was seen."""

    pid: int
    cpu_seconds: float
    peak_rss_octets: int


@dataclass(frozen=True, slots=True)
class Result:
    """``seconds``: from the start to the end of the last message. ``cpu_seconds``: of the harness itself."""

    plan: Plan
    tally: Tally
    histogram: Histogram
    points: Sequence[Point]
    seconds: float
    cpu_seconds: float
    peak_rss_octets: int
    watched: Sequence[Watched] = ()
    interrupted: bool = False

    @property
    def as_expected(self) -> bool:
        """All messages were begun and acknowledged, but for those that hung up on purpose."""
        plan, tally = self.plan, self.tally
        short = plan.messages is not None and plan.seconds is None and tally.begun < plan.messages
        return not (tally.failed or tally.overdue or short or tally.ended < tally.begun)

    @property
    def messages_per_second(self) -> float:
        """Acknowledged ones."""
        return self.tally.acknowledged / self.seconds if self.seconds else 0.0

    @property
    def octets_per_second(self) -> float:
        """Of acknowledged messages, header sections included."""
        return self.tally.octets / self.seconds if self.seconds else 0.0

    def per_message(self, cpu_seconds: float) -> float:
        """Milliseconds of processor time for each message that ended."""
        return 1000 * cpu_seconds / self.tally.ended if self.tally.ended else 0.0


def values(result: Result) -> dict[str, object]:
    """For JSON. Times in seconds unless the name says otherwise."""
    plan, tally = result.plan, result.tally
    histogram = result.histogram
    replies: dict[str, dict[str, int]] = {}
    for (stage, code), count in sorted(tally.replies.counts.items()):
        replies.setdefault(stage.value, {})[str(code)] = count
    return {
        "target": f"{plan.host}:{plan.port}",
        "protocol": "lmtp" if plan.habits.lmtp else "smtp",
        "run": plan.run,
        "seed": plan.seed,
        "sizes": plan.sizes.words,
        "sessions": plan.sessions,
        "processes": plan.processes,
        "rate": plan.rate,
        "interrupted": result.interrupted,
        "as_expected": result.as_expected,
        "seconds": round(result.seconds, 6),
        "messages": {
            "begun": tally.begun,
            "acknowledged": tally.acknowledged,
            "refused": tally.refused,
            "deferred": tally.deferred,
            "unknown": tally.unknown,
            "hung_up": tally.hung_up,
            "overdue": tally.overdue,
            "retried": tally.retried,
        },
        "recipients": {state.value: tally.recipients[state] for state in State},
        "octets": tally.octets,
        "messages_per_second": round(result.messages_per_second, 3),
        "octets_per_second": round(result.octets_per_second),
        "connections": tally.connections,
        "tls": tally.secured,
        "replies": replies,
        "texts": {f"{stage} {code}": text for (stage, code), text in sorted(tally.replies.texts.items())},
        "troubles": dict(tally.troubles.most_common()),
        "latency_ms": {
            "count": histogram.count,
            "min": round(1000 * histogram.bounds[0], 3),
            "mean": round(1000 * histogram.mean, 3),
            "deviation": round(1000 * histogram.deviation, 3),
            **{f"p{one:g}": round(1000 * value, 3) for one, value in histogram.percentiles().items()},
            "max": round(1000 * histogram.bounds[1], 3),
        },
        "histogram": histogram.encoded(),
        "harness": {
            "cpu_seconds": round(result.cpu_seconds, 3),
            "cpu_ms_per_message": round(result.per_message(result.cpu_seconds), 4),
            "peak_rss_octets": result.peak_rss_octets,
            "late_ms": round(1000 * tally.late_seconds, 3),
        },
        "watched": [
            {
                "pid": one.pid,
                "cpu_seconds": round(one.cpu_seconds, 3),
                "cpu_ms_per_message": round(result.per_message(one.cpu_seconds), 4),
                "peak_rss_octets": one.peak_rss_octets,
            }
            for one in result.watched
        ],
        "timeline": [
            {
                "at": point.at,
                "messages_per_second": point.messages,
                "octets_per_second": point.octets,
                "not_acknowledged_per_second": point.others,
                "p50_ms": round(1000 * point.median, 3),
                "p99_ms": round(1000 * point.percentile_99, 3),
                "max_ms": round(1000 * point.longest, 3),
            }
            for point in result.points
        ],
    }
