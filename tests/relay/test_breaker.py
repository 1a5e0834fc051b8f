"""The breaker, with a clock that the test turns."""

from __future__ import annotations

from mxgw.breaker import FAILURES_TO_OPEN, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Breaker, BreakerState


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed()
    return breaker


def test_one_unlucky_message_with_its_two_dials_does_not_open_it() -> None:
    breaker = Breaker(Clock())

    breaker.failed()
    breaker.failed()

    assert breaker.closed


def test_the_third_failure_in_a_row_opens_it() -> None:
    breaker = opened(Clock())

    assert breaker.state is BreakerState.OPEN
    assert breaker.wait_seconds == FIRST_PAUSE_SECONDS


def test_a_success_in_between_starts_the_count_anew() -> None:
    breaker = Breaker(Clock())

    for _ in range(10):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()

    assert breaker.closed


def test_the_pause_grows_with_each_failed_attempt_up_to_its_bound() -> None:
    clock = Clock()
    breaker = opened(clock)
    pauses = []

    for _ in range(8):
        pauses.append(breaker.wait_seconds)
        clock.now += breaker.wait_seconds
        assert breaker.wait_seconds == 0
        breaker.begin_attempt()
        assert breaker.state is BreakerState.HALF_OPEN
        assert not breaker.closed
        breaker.failed()

    assert pauses == [0.5, 1, 2, 4, 8, 15, 15, 15]
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


def test_a_success_closes_it_and_the_next_outage_starts_with_the_short_pause() -> None:
    clock = Clock()
    breaker = opened(clock)
    for _ in range(4):
        breaker.begin_attempt()
        breaker.failed()

    breaker.begin_attempt()
    breaker.succeeded()

    assert breaker.closed
    assert breaker.wait_seconds == 0
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed()
    assert breaker.wait_seconds == FIRST_PAUSE_SECONDS


def test_a_straggler_that_fails_while_it_is_open_changes_nothing() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 0.4

    breaker.failed()

    assert round(breaker.wait_seconds, 3) == 0.1


def test_an_answer_to_a_message_still_under_way_closes_it() -> None:
    breaker = opened(Clock())

    breaker.succeeded()

    assert breaker.closed


def test_since_tells_when_it_last_opened_or_closed() -> None:
    clock = Clock()
    breaker = opened(clock)
    assert breaker.since == 1000

    clock.now = 2000
    breaker.begin_attempt()
    breaker.failed()
    assert breaker.since == 1000
    breaker.succeeded()

    assert breaker.since == 2000
