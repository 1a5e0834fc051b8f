"""When messages are due, what is counted, and how latencies are kept."""

from __future__ import annotations

from collections import Counter

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from mxgw.load.client import Habits
from mxgw.load.course import Course
from mxgw.load.histogram import DIGITS, MAX_MICROSECONDS, Histogram, percentile_of, rounded
from mxgw.load.ledger import State
from mxgw.load.letter import Letter
from mxgw.load.messages import parse_sizes
from mxgw.load.plan import OVERTIME_SECONDS, Plan, Schedule
from mxgw.load.replies import Replies, Stage
from mxgw.load.tally import INTERVAL_SECONDS, Interval, Tally, entries, worst_code


def plan(**values: object) -> Plan:
    return Plan(
        host="127.0.0.1",
        port=25,
        run="run",
        habits=Habits("client.example.org", "a@example.org"),
        sizes=parse_sizes("1K"),
        recipients=("taro@example.jp",),
        **values,  # type: ignore[arg-type]
    )


def letter(*codes: int, began: float = 0.0, content_sent: bool = True, hung_up: bool = False) -> Letter:
    names = [f"u{number}@example.jp" for number in range(len(codes))]
    one = Letter("run-0-0", names, [b""] * len(codes), (), 1000, 1000, "aa", 900, began=began)
    one.codes = list(codes)
    one.content_sent = content_sent
    one.hung_up = hung_up
    return one


@given(st.integers(1, 8), st.integers(1, 300), st.floats(0.5, 500))
def test_all_workers_together_keep_the_rate(processes: int, messages: int, rate: float) -> None:
    whole = plan(messages=messages, rate=rate, processes=processes, sessions=processes)
    dues = []

    for index in range(processes):
        schedule = Schedule(whole, index)
        while (due := schedule.next_due(0.0)) is not None:
            dues.append(due)
            schedule.take()

    assert sorted(dues) == pytest.approx([number / rate for number in range(messages)])


@given(st.integers(1, 64), st.integers(0, 1000))
def test_the_shares_of_workers_are_the_whole(processes: int, total: int) -> None:
    shares = [plan(processes=processes).share(total, index) for index in range(processes)]

    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1


def test_without_a_rate_a_message_is_always_due_until_there_are_enough_or_time_is_up() -> None:
    schedule = Schedule(plan(messages=2, seconds=10.0), 0)

    assert schedule.next_due(9.0) == 0.0
    assert schedule.next_due(10.0) is None
    schedule.take()
    schedule.take()
    assert schedule.next_due(1.0) is None
    assert list(schedule.overdue()) == []


def test_what_was_due_and_never_began_has_waited_until_the_end() -> None:
    schedule = Schedule(plan(rate=10.0, seconds=1.0), 0)
    for _ in range(7):
        schedule.take()

    end = 1.0 + OVERTIME_SECONDS
    assert schedule.next_due(end - 0.01) == 0.7
    assert schedule.next_due(end) is None
    assert list(schedule.overdue()) == pytest.approx([end - 0.7, end - 0.8, end - 0.9])


def test_a_run_that_is_stopped_owes_only_what_was_due_by_then() -> None:
    schedule = Schedule(plan(rate=10.0, messages=1000), 0)
    schedule.take()

    schedule.stop(0.35)

    assert schedule.next_due(0.35) is None
    assert list(schedule.overdue()) == pytest.approx([0.25, 0.15, 0.05])


@given(st.integers(0, MAX_MICROSECONDS))
def test_rounding_is_that_of_the_histogram(microseconds: int) -> None:
    hdr = HdrHistogram(1, MAX_MICROSECONDS, DIGITS)

    assert hdr.get_lowest_equivalent_value(microseconds) == rounded(microseconds)


@given(
    st.lists(st.integers(1, 10**8), min_size=1, max_size=200),
    st.sampled_from([50.0, 90.0, 99.0, 99.9, 100.0]),
)
def test_percentiles_are_right_within_a_thousandth(latencies: list[int], percentile: float) -> None:
    counts = Counter(map(rounded, latencies))
    histogram = Histogram()
    histogram.add(counts)
    exact = sorted(latencies)[max(0, -int(-len(latencies) * percentile // 100) - 1)] / 1e6

    (value,) = histogram.percentiles([percentile]).values()

    # HdrHistogram itself rounds the rank to the nearest: between two neighbours either may be named.
    near = sorted(latencies)
    assert any(value == pytest.approx(one / 1e6, rel=2e-3, abs=2e-6) for one in near)
    assert percentile_of(counts, percentile) == pytest.approx(exact, rel=2e-3, abs=2e-6)
    assert histogram.count == len(latencies)
    assert histogram.bounds[1] == pytest.approx(max(latencies) / 1e6, rel=2e-3)


def test_a_histogram_of_nothing_says_nothing() -> None:
    empty = Histogram()

    assert (empty.count, empty.percentiles(), empty.bounds, empty.mean, empty.deviation) == (
        0,
        {},
        (0, 0),
        0,
        0,
    )


def test_the_encoded_histogram_can_be_read_by_others() -> None:
    histogram = Histogram()
    histogram.add({1000: 3, 2_000_000: 1})

    read = HdrHistogram.decode(histogram.encoded())

    assert (read.get_total_count(), read.get_value_at_percentile(50)) == (4, 1000)


@pytest.mark.parametrize(
    ("one", "field"),
    [
        (letter(250), "acknowledged"),
        (letter(250, 250), "acknowledged"),
        (letter(550), "refused"),
        (letter(250, 550), "refused"),
        (letter(550, 451), "deferred"),
        (letter(250, 0), "unknown"),
        (letter(0, content_sent=False), "deferred"),
        (letter(0, hung_up=True), "hung_up"),
    ],
)
def test_a_message_is_what_the_worst_of_its_recipients_is(one: Letter, field: str) -> None:
    tally = Tally()

    tally.record(one, 1.0)

    assert getattr(tally, field) == 1
    assert tally.ended == 1
    assert tally.failed == (field in ("refused", "deferred", "unknown"))


def test_only_acknowledged_messages_have_a_latency_and_octets() -> None:
    tally = Tally()

    tally.record(letter(250, began=0.2), 0.45)
    tally.record(letter(550, began=0.2), 0.9)

    assert tally.octets == 1000
    assert tally.intervals == {
        0: Interval(acknowledged=1, octets=1000, latencies={rounded(250_000): 1}),
        1: Interval(others=1),
    }


def test_the_ledger_has_a_line_for_each_recipient() -> None:
    lines = entries(letter(250, 550, 451, 0), 12.5)

    assert [(line.recipient, line.state, line.code) for line in lines] == [
        ("u0@example.jp", State.ACKNOWLEDGED, 250),
        ("u1@example.jp", State.REFUSED, 550),
        ("u2@example.jp", State.DEFERRED, 451),
        ("u3@example.jp", State.UNKNOWN, 0),
    ]
    assert {(line.id, line.hash, line.octets, line.at) for line in lines} == {("run-0-0", "aa", 900, 12.5)}
    assert worst_code([250, 550, 451]) == 451


def test_a_content_that_never_went_out_whole_is_deferred_for_sure() -> None:
    (line,) = entries(letter(0, content_sent=False), 1.0)

    assert (line.state, line.code) == (State.DEFERRED, 0)


def test_tallies_of_workers_add_up() -> None:
    tallies = [Tally(), Tally()]
    for tally in tallies:
        tally.begun = 2
        tally.record(letter(250), 0.3)
        tally.record(letter(550), 0.6)
        tally.replies = Replies(Counter({(Stage.MAIL, 250): 2}), {(Stage.RCPT, 550): "no"})

    whole = Tally()
    for tally in tallies:
        whole.add(tally)

    assert (whole.begun, whole.acknowledged, whole.refused, whole.octets) == (4, 2, 2, 2000)
    assert whole.intervals[0].acknowledged == 2
    assert whole.replies.counts == {(Stage.MAIL, 250): 4}
    assert whole.recipients == {State.ACKNOWLEDGED: 2, State.REFUSED: 2}
    assert whole.ended_at == 0.6


def test_the_course_has_every_interval_once_and_the_last_for_what_there_is_of_it() -> None:
    tally, course = Tally(), Course()
    for tenth in range(47):
        tally.record(letter(250, began=tenth / 10), tenth / 10 + 0.05)
        course.follow(tally, tenth / 10)

    course.finish(tally)

    assert [point.at for point in course.points[:-1]] == [INTERVAL_SECONDS * one for one in range(1, 10)]
    assert course.points[-1].at == pytest.approx(4.65)
    assert [point.messages for point in course.points] == pytest.approx([10] * 9 + [2 / 0.15])
    assert course.histogram.count == 47
