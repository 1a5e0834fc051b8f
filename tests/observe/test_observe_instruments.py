"""Counting and adding up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.observe import HomeReading, Instruments, Readings, Snapshot, State, catalogue
from mxgw.observe.instruments import MAX_SHOWN_RECIPIENTS, MAX_SHOWN_TEXT
from mxgw.observe.process import Usage, usage
from mxgw.observe.snapshot import MAX_RECENT, MAX_SLICES, Histogram
from mxgw.outcome import Decision, Outcome
from tests.observe.samples import NOON, outcome

NOTHING = Readings()


def instruments(index: int = 0, read: Readings = NOTHING) -> Instruments:
    return Instruments(clock=lambda: NOON, read=lambda: read, usage=lambda: Usage(1000, 1.5, 7), index=index)


def test_a_transaction_is_counted_by_decision_and_reason_with_its_octets_and_recipients() -> None:
    meters = instruments()

    meters.record(outcome(recipients=[("a@x.jp", "250 2.0.0 ok"), ("b@x.jp", "452 4.2.2 full")], octets=10))
    meters.record(outcome(decision=Decision.REJECT, reason="loop", recipients=[("c@x.jp", "")], octets=5))
    meters.record(outcome(decision=Decision.DEFER, reason="timeout", recipients=[("d@x.jp", "timeout")]))
    meters.record(outcome(decision=Decision.REJECT, reason="unknown", recipients=[("e@x.jp", "550 5.1.1")]))

    counted = meters.snapshot()
    assert counted.value("mxgw_transactions_total", "accept", "delivered") == 1
    assert counted.value("mxgw_transactions_total", "reject", "loop") == 1
    assert counted.value("mxgw_transactions_total") == 4
    assert counted.value("mxgw_octets_total") == 10 + 5 + 10_240 * 2
    assert {answer.value: counted.value("mxgw_recipients_total", answer) for answer in catalogue.Answer} == {
        "stored": 1,
        "deferred": 1,
        "refused": 1,
        "unknown": 2,
    }


def test_each_check_of_a_message_is_counted_with_what_it_found() -> None:
    meters = instruments()

    meters.record(outcome(checks=(("spf", "pass"), ("handling", "junk"))))
    meters.record(outcome(checks=(("spf", "fail"), ("handling", "junk"))))

    counted = meters.snapshot()
    assert counted.value("mxgw_checks_total", "spf", "pass") == 1
    assert counted.value("mxgw_checks_total", "spf", "fail") == 1
    assert counted.value("mxgw_checks_total", "handling", "junk") == 2


def test_sessions_are_counted_and_the_open_ones_known() -> None:
    meters = instruments()

    meters.session_opened()
    meters.session_opened()
    meters.session_closed()
    meters.session_refused("too-many-sessions")
    meters.early_talker()
    meters.command_error()

    counted = meters.snapshot()
    assert counted.value("mxgw_sessions_total") == 2
    assert counted.value("mxgw_sessions_open") == meters.sessions_open == 1
    assert counted.value("mxgw_sessions_refused_total", "too-many-sessions") == 1
    assert counted.value("mxgw_early_talkers_total") == 1
    assert counted.value("mxgw_command_errors_total") == 1


def test_a_counter_is_increased_with_exactly_its_labels() -> None:
    meters = instruments()

    meters.count(catalogue.SESSIONS_REFUSED, "draining", by=3)

    assert meters.snapshot().value("mxgw_sessions_refused_total", "draining") == 3
    with pytest.raises(ValueError, match="labels"):
        meters.count(catalogue.SESSIONS_REFUSED)


def test_times_fall_into_buckets_and_a_transaction_without_content_into_none() -> None:
    meters = instruments()

    meters.record(outcome(receive_seconds=0.005, relay_seconds=700.0))
    meters.record(outcome(receive_seconds=0, relay_seconds=0))

    histograms = meters.snapshot().histograms
    assert histograms["mxgw_receive_seconds"].counts[0] == sum(histograms["mxgw_receive_seconds"].counts) == 1
    assert histograms["mxgw_relay_seconds"].counts[-1] == sum(histograms["mxgw_relay_seconds"].counts) == 1
    assert histograms["mxgw_relay_seconds"].sum == 700.0


def test_a_quantile_is_the_bound_of_its_bucket() -> None:
    meters = instruments()
    for seconds in (0.001, 0.02, 0.02, 9.0):
        meters.record(outcome(relay_seconds=seconds))

    relay = meters.snapshot().histograms["mxgw_relay_seconds"]

    assert relay.quantile(0.5) == 0.025
    assert relay.quantile(0.95) == 10.0
    assert Histogram().quantile(0.5) is None


def test_the_ring_of_recent_transactions_is_bounded_in_number_and_size() -> None:
    meters = instruments()

    for number in range(MAX_RECENT + 5):
        meters.record(
            outcome(
                transaction_id=str(number), recipients=[(f"{n}@x.jp", "250 " + "x" * 9000) for n in range(99)]
            )
        )

    recent = meters.snapshot().recent
    assert [row["id"] for row in recent] == [str(number) for number in range(5, MAX_RECENT + 5)]
    recipients = recent[0]["recipients"]
    assert isinstance(recipients, list)
    assert len(recipients) == MAX_SHOWN_RECIPIENTS
    assert recent[0]["more_recipients"] == 99 - MAX_SHOWN_RECIPIENTS
    assert all(len(recipient["home"]) == MAX_SHOWN_TEXT for recipient in recipients)


def test_history_is_kept_for_an_hour_in_slices_of_ten_seconds() -> None:
    meters = instruments()

    for second in range(2 * 3600):
        meters.record(outcome(ended_at=NOON + second))

    slices = meters.snapshot().slices
    assert len(slices) == MAX_SLICES
    assert set(slices.values()) == {(10, 0, 0, 0)}
    assert max(slices) == int(NOON + 2 * 3600 - 1) // 10


def test_a_transaction_that_ended_out_of_order_is_in_the_slice_of_its_time() -> None:
    meters = instruments()

    for ended_at in (NOON, NOON + 10, NOON, NOON + 10):
        meters.record(outcome(ended_at=ended_at, decision=Decision.DEFER))

    assert meters.snapshot().slices == {int(NOON) // 10: (0, 2, 0, 0), int(NOON) // 10 + 1: (0, 2, 0, 0)}


def test_snapshots_of_two_workers_add_up() -> None:
    home = HomeReading(up=True, connections=2)
    one = instruments(0, Readings(State.READY, home, spool_octets=100, log_lines_lost=1))
    two = instruments(1, Readings(State.READY, home, spool_octets=50))
    for number in range(150):
        one.record(outcome(transaction_id=f"a{number}", ended_at=NOON + number))
        two.record(outcome(transaction_id=f"b{number}", ended_at=NOON + number + 0.5))
    one.session_opened()
    two.session_opened()

    both = one.snapshot() + two.snapshot()

    assert both.value("mxgw_transactions_total", "accept", "delivered") == 300
    assert both.value("mxgw_sessions_open") == 2
    assert both.value("mxgw_spool_octets") == 150
    assert both.value("mxgw_log_lines_lost_total") == 1
    assert both.value("process_resident_memory_bytes") == 2000
    assert sum(both.histograms["mxgw_relay_seconds"].counts) == 300
    assert sum(sum(counts) for counts in both.slices.values()) == 300
    assert [row["id"] for row in both.recent[-2:]] == ["a149", "b149"]
    assert len(both.recent) == MAX_RECENT
    assert [worker.index for worker in both.workers] == [0, 1]


def test_a_total_of_none_is_empty_and_a_total_of_all_is_their_sum() -> None:
    snapshots = [instruments(index).snapshot() for index in range(3)]

    assert Snapshot.total([], started_at=5.0) == Snapshot(5.0)
    assert Snapshot.total(snapshots, started_at=NOON) == snapshots[0] + snapshots[1] + snapshots[2]


def test_of_a_dead_process_the_counts_stay_and_the_gauges_go() -> None:
    meters = instruments(0, Readings(State.READY, HomeReading(up=True), spool_octets=100))
    meters.session_opened()
    meters.record(outcome())

    left = meters.snapshot().retired()

    assert left.value("mxgw_transactions_total") == 1
    assert left.value("process_cpu_seconds_total") == 1.5
    assert left.value("mxgw_sessions_total") == 1
    assert left.value("mxgw_sessions_open") == left.value("mxgw_spool_octets") == 0
    assert left.value("process_resident_memory_bytes") == 0
    assert left.workers == ()
    assert len(left.recent) == len(left.slices) == 1


@given(
    st.lists(
        st.builds(
            outcome,
            decision=st.sampled_from(Decision),
            reverse_path=st.text(),
            recipients=st.lists(st.tuples(st.text(), st.text()), max_size=12),
            ended_at=st.floats(min_value=0, max_value=NOON),
            octets=st.integers(min_value=0, max_value=10**9),
        ),
        max_size=10,
    )
)
def test_a_snapshot_survives_the_way_through_json(outcomes: list[Outcome]) -> None:
    meters = instruments(3, Readings(State.DRAINING, HomeReading(up=False, last_error="\u2028 away")))
    for each in outcomes:
        meters.record(each)
    counted = meters.snapshot()

    assert Snapshot.from_json(counted.to_json()) == counted


def test_a_worker_without_home_survives_too() -> None:
    counted = instruments().snapshot()

    assert Snapshot.from_json(counted.to_json().encode()) == counted


def test_the_usage_of_this_process_is_known() -> None:
    used = usage()

    assert used.resident_octets > 1024 * 1024
    assert used.cpu_seconds > 0
    assert used.open_files >= 3


def test_later_changes_do_not_reach_into_an_earlier_snapshot() -> None:
    meters = instruments()
    meters.record(outcome())
    before = meters.snapshot()
    copy = replace(before, samples=dict(before.samples), slices=dict(before.slices))

    meters.record(outcome())

    assert before == copy
