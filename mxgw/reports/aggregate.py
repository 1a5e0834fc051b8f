"""Counts events into the rows of reports: pure, and bounded by the number of distinct rows.

Whoever sends mail chooses much of what is in a row. So each report holds so many rows, all together hold so
many, and messages beyond are counted as left out instead of listed; every message is counted exactly once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from mxgw.reports.events import Disposition, DmarcEvent, Published, Row
from mxgw.reports.period import Period

MAX_ROWS_PER_REPORT: Final = 10_000
"""Some 8 MB of XML, 160 KB compressed: a mail that every mailbox takes."""

MAX_DOMAINS: Final = 20_000
"""Policy domains in memory. Who invents domains with policies of their own fills these, not the memory."""

MAX_WEIGHT: Final = 200_000
"""Rows and signatures in memory over all domains: 0.5 KB each, 2 KB where every text is as long as it may be;
so 100 MB, and 400 MB at the worst."""


@dataclass(slots=True)
class DomainCounts:
    """One policy domain in one period."""

    published: Published
    rua: tuple[str, ...]
    seen: float
    """When that policy was seen: the last one in the period stands (RFC 9990 section 3.1)."""

    policies: set[Published] = field(default_factory=set)
    rows: dict[Row, int] = field(default_factory=dict)
    left_out: int = 0
    """Messages beyond the bound on rows."""

    @property
    def domain(self) -> str:
        """The policy domain, as A-labels."""
        return self.published.domain

    @property
    def listed(self) -> int:
        """Messages in the rows."""
        return sum(self.rows.values())

    @property
    def messages(self) -> int:
        """All messages."""
        return self.listed + self.left_out

    def passed(self) -> int:
        """Messages listed that passed DMARC."""
        return sum(count for row, count in self.rows.items() if "pass" in (row.dkim_aligned, row.spf_aligned))

    def disposed(self, disposition: Disposition) -> int:
        """Messages listed with which this was done."""
        return sum(count for row, count in self.rows.items() if row.disposition is disposition)


MAX_POLICIES: Final = 10
"""Different policies of one domain in one period that are told apart, for a remark in the report."""


@dataclass(slots=True)
class Aggregate:
    """The events of a period by policy domain.

    ``messages`` is the sum of those in ``domains``, of ``without_policy`` and of ``in_no_report``.
    """

    period: Period
    max_rows: int = MAX_ROWS_PER_REPORT
    max_domains: int = MAX_DOMAINS
    max_weight: int = MAX_WEIGHT
    domains: dict[str, DomainCounts] = field(default_factory=dict)
    messages: int = 0
    without_policy: int = 0
    """Messages whose author domain publishes nothing: nobody to report to."""

    in_no_report: int = 0
    """Messages of domains beyond the bound."""

    _weight: int = 0

    def add(self, event: DmarcEvent) -> None:
        """Count an event that is in the period."""
        self.messages += event.count
        if event.published is None:
            self.without_policy += event.count
            return
        counts = self._domain(event, event.published)
        if counts is None:
            self.in_no_report += event.count
        elif event.row in counts.rows:
            counts.rows[event.row] += event.count
        elif len(counts.rows) >= self.max_rows or self._weight >= self.max_weight:
            counts.left_out += event.count
        else:
            counts.rows[event.row] = event.count
            self._weight += 1 + len(event.row.dkim)

    def _domain(self, event: DmarcEvent, published: Published) -> DomainCounts | None:
        counts = self.domains.get(published.domain)
        if counts is None:
            if len(self.domains) >= self.max_domains:
                return None
            counts = self.domains[published.domain] = DomainCounts(published, event.rua, event.time)
        elif event.time >= counts.seen:
            counts.published, counts.rua, counts.seen = published, event.rua, event.time
        if len(counts.policies) < MAX_POLICIES:
            counts.policies.add(published)
        return counts

    def by_size(self) -> list[DomainCounts]:
        """The domains, those with most messages first."""
        return sorted(self.domains.values(), key=lambda counts: (-counts.messages, counts.domain))


@dataclass(slots=True)
class Collector:
    """Counts the events of one period: the one asked for, or the last day that is over.

    That day is not known before all is read. A later one that is over takes the place of the day so far, so
    one day is in memory at any time, in whatever order the events come.
    """

    now: float
    asked: Period | None = None
    max_rows: int = MAX_ROWS_PER_REPORT
    aggregate: Aggregate | None = None
    outside: int = 0
    """Messages of other times."""

    not_over: int = 0
    """Of these, messages of the day that is not over; counted only where no period was asked for."""

    def add(self, event: DmarcEvent) -> None:
        """Count one event."""
        if self.aggregate is not None and self.aggregate.period.holds(event.time):
            self.aggregate.add(event)
            return
        found = self.asked or Period.day_of(event.time)
        if not found.holds(event.time):
            self.outside += event.count
        elif self.asked is None and found.until > self.now:
            self.outside += event.count
            self.not_over += event.count
        elif self.aggregate is not None and found.begin < self.aggregate.period.begin:
            self.outside += event.count
        else:
            self.outside += self.aggregate.messages if self.aggregate else 0
            self.aggregate = Aggregate(found, max_rows=self.max_rows)
            self.aggregate.add(event)


def ordered(rows: dict[Row, int]) -> Iterator[tuple[Row, int]]:
    """The rows of a report in an order that depends on nothing but them: most messages first."""
    items: Iterable[tuple[Row, int]] = rows.items()
    yield from sorted(items, key=lambda item: (-item[1], _sortable(item[0])))


def _sortable(row: Row) -> tuple[str, ...]:
    return tuple("" if value is None else str(value) for value in row)
