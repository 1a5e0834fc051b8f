"""Every message of the period is counted once, in a row or as left out, whatever strangers send."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.reports.aggregate import MAX_POLICIES, Aggregate, Collector
from mxgw.reports.events import Disposition, parse_event
from mxgw.reports.period import DAY_SECONDS, Period, moment, period
from tests.reports.events import DAY, aggregated, event, parsed, records, xml

DOMAINS = ("example.com", "example.net", "example.org", "")
changes = st.fixed_dictionaries(
    {
        "source_ip": st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1"]),
        "count": st.integers(1, 5),
        "policy_domain": st.sampled_from(DOMAINS),
        "p": st.sampled_from(["none", "quarantine", "reject"]),
        "disposition": st.sampled_from(Disposition),
        "dkim_aligned": st.sampled_from(["pass", "fail"]),
        "envelope_to": st.lists(st.sampled_from(["example.org", "example.com"]), max_size=3),
    }
)


@given(
    st.lists(changes, max_size=60),
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(1, 12),
)
def test_the_sum_of_all_counts_is_the_number_of_messages(
    several: list[dict[str, Any]], max_rows: int, max_domains: int, max_weight: int
) -> None:
    events = [parse_event(event(**change)) for change in several]

    aggregate = aggregated(*events, max_rows=max_rows, max_domains=max_domains, max_weight=max_weight)

    in_domains = sum(counts.messages for counts in aggregate.domains.values())
    assert aggregate.messages == sum(one.count for one in events)
    assert aggregate.messages == in_domains + aggregate.without_policy + aggregate.in_no_report
    assert len(aggregate.domains) <= max_domains
    assert all(len(counts.rows) <= max_rows for counts in aggregate.domains.values())
    for counts in aggregate.domains.values():
        if counts.rows:
            listed = [int(record.findtext("row/count")) for record in records(xml(aggregate, counts.domain))]
            assert sum(listed) == counts.listed
            assert listed == sorted(listed, reverse=True)


@given(st.lists(changes, min_size=1, max_size=40), st.randoms())
def test_the_order_of_events_changes_no_count(several: list[dict[str, Any]], dice: Any) -> None:
    events = [parse_event(event(**change)) for change in several]
    shuffled = list(events)
    dice.shuffle(shuffled)

    one, other = aggregated(*events), aggregated(*shuffled)

    assert {name: it.rows for name, it in one.domains.items()} == {
        name: it.rows for name, it in other.domains.items()
    }


def test_messages_that_are_alike_are_one_row() -> None:
    aggregate = aggregated(parsed(id="a"), parsed(id="b", time="2026-11-23T23:59:59Z"), parsed(count=3))

    counts = aggregate.domains["example.com"]
    assert list(counts.rows.values()) == [5]
    assert counts.passed() == 5
    assert counts.disposed(Disposition.PASS) == 5


def test_domains_below_a_policy_are_rows_of_its_report() -> None:
    """RFC 9990 section 3.1.2: one report per policy domain, one record per author domain."""
    aggregate = aggregated(
        parsed(),
        parsed(header_from="foo.example.com"),
        parsed(header_from="bar.example.com", policy_domain="bar.example.com"),
    )

    assert {name: len(it.rows) for name, it in aggregate.domains.items()} == {
        "example.com": 2,
        "bar.example.com": 1,
    }


def test_a_flood_of_rows_leaves_the_counts_of_the_rows_before_it_right() -> None:
    flood = [parsed(source_ip=f"2001:db8::{number:x}") for number in range(500)]

    aggregate = aggregated(parsed(), *flood, parsed(), max_rows=100)

    counts = aggregate.domains["example.com"]
    assert max(counts.rows.values()) == 2
    assert (len(counts.rows), counts.left_out, counts.messages) == (100, 401, 502)


def test_a_policy_that_changes_all_the_time_costs_no_memory() -> None:
    words = ("none", "quarantine", "reject")
    many = [
        parsed(p=p, sp=sp, np=np, adkim=adkim)
        for p in words
        for sp in words
        for np in words
        for adkim in "rs"
    ]

    assert len(aggregated(*many).domains["example.com"].policies) == MAX_POLICIES


def collected(*times: str, now: str = "2026-11-24T10:00:00Z", asked: Period | None = None) -> Collector:
    collector = Collector(float(moment(now)), asked)
    for time in times:
        collector.add(parsed(time=time))
    return collector


def test_without_a_period_it_is_the_last_day_that_is_over() -> None:
    times = (
        "2026-11-22T23:59:59Z",
        "2026-11-23T00:00:00Z",
        "2026-11-23T23:59:59.999Z",
        "2026-11-24T00:00:00Z",
    )

    collector = collected(*times)

    assert collector.aggregate is not None
    assert str(collector.aggregate.period) == "2026-11-23 UTC"
    assert collector.aggregate.messages == 2
    assert (collector.outside, collector.not_over) == (2, 1)


@pytest.mark.parametrize("turn", range(3))
def test_the_day_is_found_in_whatever_order_the_files_come(turn: int) -> None:
    times = ["2026-11-21T10:00:00Z", "2026-11-23T10:00:00+09:00", "2026-11-22T10:00:00Z"]

    collector = collected(*times[turn:], *times[:turn])

    assert collector.aggregate is not None
    assert str(collector.aggregate.period) == "2026-11-23 UTC"
    assert (collector.aggregate.messages, collector.outside) == (1, 2)


def test_a_day_that_is_not_over_is_not_reported_unless_it_is_asked_for() -> None:
    today = "2026-11-24T09:00:00Z"

    assert collected(today).aggregate is None
    assert collected(today).not_over == 1
    asked = collected(today, asked=Period.day_of(moment(today))).aggregate
    assert asked is not None
    assert asked.messages == 1


def test_a_period_has_its_begin_and_not_its_end() -> None:
    asked = period(moment("2026-11-23T01:00"), moment("2026-11-23T02:00"))

    collector = collected(
        "2026-11-23T00:59:59.999Z",
        "2026-11-23T01:00:00Z",
        "2026-11-23T01:59:59.999Z",
        "2026-11-23T02:00:00Z",
        asked=asked,
    )

    assert collector.aggregate is not None
    assert (collector.aggregate.messages, collector.outside) == (2, 2)
    assert str(asked) == "2026-11-23T01:00:00Z until 2026-11-23T02:00:00Z"


def test_one_side_of_a_period_means_a_day() -> None:
    assert period(DAY.begin, None) == DAY
    assert period(None, DAY.until) == DAY
    assert period(None, None) is None
    assert DAY.until - DAY.begin == DAY_SECONDS
    with pytest.raises(ValueError, match="before it ends"):
        period(DAY.until, DAY.begin)


def test_domains_with_most_messages_come_first() -> None:
    aggregate: Aggregate = aggregated(
        parsed(policy_domain="b.example"),
        parsed(policy_domain="a.example"),
        parsed(policy_domain="c.example", count=9),
    )

    assert [counts.domain for counts in aggregate.by_size()] == ["c.example", "a.example", "b.example"]
