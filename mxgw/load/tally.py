"""What a load run counts: each worker for the time since its last word, the parent for all of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mxgw.load.histogram import Counts, rounded
from mxgw.load.ledger import Entry, State, state_of
from mxgw.load.letter import Letter
from mxgw.load.replies import Replies

INTERVAL_SECONDS = 0.5
"""The grain of what is shown over time."""


@dataclass(slots=True)
class Interval:
    """What ended in one stretch of INTERVAL_SECONDS."""

    acknowledged: int = 0
    octets: int = 0
    others: int = 0
    latencies: Counts = field(default_factory=dict)

    def add(self, other: Interval) -> None:
        """Take another worker's."""
        self.acknowledged += other.acknowledged
        self.octets += other.octets
        self.others += other.others
        merge(self.latencies, other.latencies)


@dataclass(slots=True)
class Tally:
    """Counts of messages; a message of several recipients is what the worst of them is, from acknowledged
    over refused and deferred to unknown.

    ``hung_up`` messages ended on purpose and are none of these. ``overdue``: due before the end of the run
    and never begun. ``octets`` are those of acknowledged messages. ``latencies`` are of acknowledged
    messages, and, as far as it is known, of overdue ones. ``late_seconds``: the most that a message began
    behind its time though a session was free. ``ended_at``: seconds from the start to the last end.
    """

    begun: int = 0
    acknowledged: int = 0
    refused: int = 0
    deferred: int = 0
    unknown: int = 0
    hung_up: int = 0
    overdue: int = 0
    retried: int = 0
    recipients: Counter[State] = field(default_factory=Counter)
    octets: int = 0
    connections: int = 0
    secured: int = 0
    late_seconds: float = 0.0
    ended_at: float = 0.0
    replies: Replies = field(default_factory=Replies)
    troubles: Counter[str] = field(default_factory=Counter)
    intervals: dict[int, Interval] = field(default_factory=dict)
    overdue_latencies: Counts = field(default_factory=dict)

    @property
    def ended(self) -> int:
        """Messages that are over, one way or another."""
        return self.acknowledged + self.hung_up + self.failed

    @property
    def failed(self) -> int:
        """Ended without an acknowledgement, and not on purpose."""
        return self.refused + self.deferred + self.unknown

    def record(self, letter: Letter, now: float) -> None:
        """A letter is over, ``now`` seconds after the start; ``letter.began`` has the same origin."""
        self.ended_at = now
        place = int(now / INTERVAL_SECONDS)
        interval = self.intervals.get(place)
        if interval is None:
            interval = self.intervals[place] = Interval()
        worst = worst_code(letter.codes)
        if worst // 100 == 2:
            self.acknowledged += 1
            self.recipients[State.ACKNOWLEDGED] += len(letter.codes)
            self.octets += letter.octets
            interval.acknowledged += 1
            interval.octets += letter.octets
            key = rounded(int((now - letter.began) * 1e6))
            interval.latencies[key] = interval.latencies.get(key, 0) + 1
            return
        if letter.hung_up:
            self.hung_up += 1
            return
        interval.others += 1
        for code in letter.codes:
            self.recipients[fate(code, letter)] += 1
        state = fate(worst, letter)
        if state is State.REFUSED:
            self.refused += 1
        elif state is State.DEFERRED:
            self.deferred += 1
        else:
            self.unknown += 1
        if letter.trouble:
            self.troubles[letter.trouble] += 1

    def add(self, other: Tally) -> None:
        """Take a worker's word."""
        self.begun += other.begun
        self.acknowledged += other.acknowledged
        self.refused += other.refused
        self.deferred += other.deferred
        self.unknown += other.unknown
        self.hung_up += other.hung_up
        self.overdue += other.overdue
        self.retried += other.retried
        self.recipients += other.recipients
        self.octets += other.octets
        self.connections += other.connections
        self.secured += other.secured
        self.late_seconds = max(self.late_seconds, other.late_seconds)
        self.ended_at = max(self.ended_at, other.ended_at)
        self.replies.counts += other.replies.counts
        self.replies.texts = other.replies.texts | self.replies.texts
        self.troubles += other.troubles
        merge(self.overdue_latencies, other.overdue_latencies)
        for place, interval in other.intervals.items():
            self.intervals.setdefault(place, Interval()).add(interval)


def merge(counts: Counts, others: Counts) -> None:
    """Add counts to counts."""
    for key, count in others.items():
        counts[key] = counts.get(key, 0) + count


def worst_code(codes: list[int]) -> int:
    """No reply is worse than 4xx, 4xx than 5xx, 5xx than 2xx: what is least certain decides."""
    if len(codes) == 1:
        return codes[0]
    return min(codes, key=lambda code: (0, 4, 5, 2).index(code // 100 if code else 0))


def fate(code: int, letter: Letter) -> State:
    """What is known of one recipient; without a reply the content is what matters."""
    if code:
        state = state_of(code)
        return state if state is not State.UNKNOWN or letter.content_sent else State.DEFERRED
    return State.UNKNOWN if letter.content_sent else State.DEFERRED


def entries(letter: Letter, at: float) -> list[Entry]:
    """The lines of the ledger for a letter that is over. ``at``: Unix time."""
    return [
        Entry(letter.identity, recipient, letter.hash, letter.body_octets, fate(code, letter), code, at)
        for recipient, code in zip(letter.recipients, letter.codes, strict=True)
    ]
