"""Counting, on the hot path: a few dictionary and list operations per transaction, nothing that waits."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from mxgw.observe import catalogue
from mxgw.observe.catalogue import BUCKETS_SECONDS, Answer, Metric
from mxgw.observe.process import Usage, usage
from mxgw.observe.snapshot import (
    DECISIONS,
    MAX_RECENT,
    MAX_SLICES,
    SLICE_SECONDS,
    Fields,
    Histogram,
    HomeReading,
    Sample,
    Snapshot,
    State,
    WorkerReading,
    outcome_fields,
)
from mxgw.outcome import Outcome

MAX_SHOWN_RECIPIENTS = 8
"""Recipients kept per recent transaction: the ring is bounded in octets, whatever strangers send."""

MAX_SHOWN_TEXT = 500
"""Characters kept of what home said about one recipient: a reply line has at most 512 octets."""

_ANSWERS = {"2": Answer.STORED, "4": Answer.DEFERRED, "5": Answer.REFUSED}
_SLOT_OF = {decision: index for index, decision in enumerate(DECISIONS, 1)}
_RECIPIENT_KEYS: dict[str, Sample] = {
    digit: (catalogue.RECIPIENTS.name, answer) for digit, answer in _ANSWERS.items()
}
_UNKNOWN_RECIPIENT: Sample = (catalogue.RECIPIENTS.name, Answer.UNKNOWN)
_OCTETS: Sample = (catalogue.OCTETS.name,)


@dataclass(frozen=True, slots=True)
class Readings:
    """What others measure: read when a snapshot is taken, never on the hot path."""

    state: State = State.STARTING
    home: HomeReading | None = None
    spool_octets: int = 0
    log_lines_lost: int = 0
    certificate_ends: float | None = None


class Instruments:
    """The counters of one process. ``read`` gives what others measure; ``clock`` is Unix time."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        read: Callable[[], Readings] = Readings,
        usage: Callable[[], Usage] = usage,
        index: int = 0,
    ) -> None:
        self._clock = clock
        self._read = read
        self._usage = usage
        self._index = index
        self._started_at = clock()
        self._sessions_open = 0
        # Counters exist from the start, so that their first increase is seen as one.
        self._counts: dict[Sample, float] = {
            (metric.name,): 0
            for metric in catalogue.CATALOGUE
            if metric.kind is catalogue.Kind.COUNTER and not metric.labels
        } | {(catalogue.RECIPIENTS.name, answer): 0 for answer in Answer}
        self._receive = [0] * (len(BUCKETS_SECONDS) + 1)
        self._receive_sum = 0.0
        self._relay = [0] * (len(BUCKETS_SECONDS) + 1)
        self._relay_sum = 0.0
        self._slices: deque[list[int]] = deque([[0, 0, 0, 0, 0]], maxlen=MAX_SLICES)
        self._recent: deque[tuple[Outcome, int]] = deque(maxlen=MAX_RECENT)

    def record(self, outcome: Outcome) -> None:
        """Count one transaction; called once for each."""
        counts = self._counts
        key: Sample = ("mxgw_transactions_total", outcome.decision, outcome.reason)
        counts[key] = counts.get(key, 0) + 1
        counts[_OCTETS] += outcome.octets
        wordy = len(outcome.recipients) > MAX_SHOWN_RECIPIENTS
        for recipient in outcome.recipients:
            counts[_RECIPIENT_KEYS.get(recipient.home[:1], _UNKNOWN_RECIPIENT)] += 1
            wordy = wordy or len(recipient.home) > MAX_SHOWN_TEXT
        for check in outcome.checks:
            sample: Sample = ("mxgw_checks_total", *check)
            counts[sample] = counts.get(sample, 0) + 1
        # A transaction refused at MAIL or RCPT has no content, and one refused at its content no relay.
        if (seconds := outcome.receive_seconds) > 0:
            self._receive[bisect_left(BUCKETS_SECONDS, seconds)] += 1
            self._receive_sum += seconds
        if (seconds := outcome.relay_seconds) > 0:
            self._relay[bisect_left(BUCKETS_SECONDS, seconds)] += 1
            self._relay_sum += seconds
        slot = int(outcome.ended_at) // SLICE_SECONDS
        newest = self._slices[-1]
        if newest[0] != slot:
            newest = [slot, 0, 0, 0, 0]
            self._slices.append(newest)
        newest[_SLOT_OF[outcome.decision]] += 1
        self._recent.append(_shortened(outcome) if wordy else (outcome, 0))

    def session_opened(self) -> None:
        """A client was let in."""
        self._counts[("mxgw_sessions_total",)] += 1
        self._sessions_open += 1

    def session_closed(self) -> None:
        """A session that was let in is over."""
        self._sessions_open -= 1

    def session_refused(self, reason: str) -> None:
        """A client was turned away before a session; ``reason`` comes out of a closed set."""
        self.count(catalogue.SESSIONS_REFUSED, reason)

    def session_hidden(self) -> None:
        """A client was let in whose own address we do not see."""
        self._counts[("mxgw_sessions_hidden_total",)] += 1

    def early_talker(self) -> None:
        """A client talked before the banner."""
        self._counts[("mxgw_early_talkers_total",)] += 1

    def command_error(self) -> None:
        """A command was refused for its syntax, its order or a limit."""
        self._counts[("mxgw_command_errors_total",)] += 1

    def count(self, metric: Metric, *labels: str, by: float = 1) -> None:
        """Increase any counter of the catalogue; one label value for each label."""
        if len(labels) != len(metric.labels):
            raise ValueError(f"{metric.name} has the labels {metric.labels}, not {labels}")
        key = (metric.name, *labels)
        self._counts[key] = self._counts.get(key, 0) + by

    @property
    def sessions_open(self) -> int:
        """Sessions open now."""
        return self._sessions_open

    def snapshot(self) -> Snapshot:
        """Everything up to now. Costs milliseconds: for scrapes and pages, not per message."""
        readings, used = self._read(), self._usage()
        worker = WorkerReading(
            index=self._index,
            pid=os.getpid(),
            state=readings.state,
            started_at=self._started_at,
            sessions_open=self._sessions_open,
            resident_octets=used.resident_octets,
            home=readings.home,
            certificate_ends=readings.certificate_ends,
        )
        return Snapshot(
            self._started_at,
            self._counts
            | process_samples(used)
            | {
                (catalogue.SESSIONS_OPEN.name,): self._sessions_open,
                (catalogue.SPOOL_OCTETS.name,): readings.spool_octets,
                (catalogue.LOG_LINES_LOST.name,): readings.log_lines_lost,
            },
            {
                catalogue.RECEIVE_SECONDS.name: Histogram(tuple(self._receive), self._receive_sum),
                catalogue.RELAY_SECONDS.name: Histogram(tuple(self._relay), self._relay_sum),
            },
            self._sum_slices(),
            tuple(self._shown(outcome, omitted) for outcome, omitted in self._recent),
            (worker,),
        )

    def _sum_slices(self) -> dict[int, tuple[int, int, int, int]]:
        # Transactions may end in another order than their times say, so a slot can be there twice.
        sums: dict[int, tuple[int, int, int, int]] = {}
        for slot, *counts in self._slices:
            a, b, c, d = sums.get(slot, (0, 0, 0, 0))
            if any(counts):
                sums[slot] = (a + counts[0], b + counts[1], c + counts[2], d + counts[3])
        return sums

    @staticmethod
    def _shown(outcome: Outcome, omitted: int) -> Fields:
        shown = outcome_fields(outcome)
        if omitted:
            shown["more_recipients"] = omitted
        return shown


def _shortened(outcome: Outcome) -> tuple[Outcome, int]:
    """What the ring keeps of an outcome that says more than fits, and how many recipients it leaves out."""
    kept = tuple(
        recipient._replace(home=recipient.home[:MAX_SHOWN_TEXT])
        for recipient in outcome.recipients[:MAX_SHOWN_RECIPIENTS]
    )
    return outcome._replace(recipients=kept), len(outcome.recipients) - len(kept)


def process_samples(used: Usage) -> dict[Sample, float]:
    """The samples of one process; they add up over a process tree."""
    return {
        (catalogue.RESIDENT_OCTETS.name,): used.resident_octets,
        (catalogue.CPU_SECONDS.name,): used.cpu_seconds,
        (catalogue.OPEN_FILES.name,): used.open_files,
    }
