"""Ratios, spreads and who counts."""

from __future__ import annotations

import pytest

from bench.compare import Spread, per_round, select
from bench.document import figure, spread_words
from bench.relay import best_ratio, ratio
from tests.bench.samples import sample


def test_a_ratio_is_taken_within_a_round() -> None:
    samples = [
        sample("mxgw", round_number=0, cpu_ms=1.0),
        sample("proxy", round_number=0, cpu_ms=2.0),
        sample("mxgw", round_number=1, cpu_ms=10.0),
        sample("proxy", round_number=1, cpu_ms=10.0),
        sample("mxgw", round_number=2, cpu_ms=3.0),
    ]

    found = ratio(samples, "mxgw", "proxy", "a20")

    assert found == Spread(0.75, 0.5, 1.0)


def test_the_best_peer_is_the_best_of_the_same_round() -> None:
    samples = [
        sample("mxgw", round_number=0, cpu_ms=1.0),
        sample("proxy", round_number=0, cpu_ms=4.0),
        sample("exim", round_number=0, cpu_ms=2.0),
        sample("mxgw", round_number=1, cpu_ms=1.0),
        sample("proxy", round_number=1, cpu_ms=4.0),
    ]

    found = best_ratio(samples, "mxgw", ["proxy", "exim"], "a20")

    assert found == Spread(0.375, 0.25, 0.5)


@pytest.mark.parametrize(
    "odd", [sample("mxgw", delivered=99), sample("mxgw", complaint="1 deferred")], ids=["lost", "complaint"]
)
def test_a_run_that_lost_or_refused_a_message_does_not_count(odd: object) -> None:
    assert select([odd], "mxgw", "a20") == []  # type: ignore[list-item]
    assert per_round([odd], "mxgw", "a20") == {}  # type: ignore[list-item]


def test_a_ratio_without_its_other_side_is_none() -> None:
    assert ratio([sample("mxgw")], "mxgw", "proxy", "a20") is None


def test_a_queue_counts_until_it_is_empty() -> None:
    one = sample("postfix-tmpfs")

    assert one.messages_per_second == 100
    assert one.delivered_per_second == 50


@pytest.mark.parametrize(
    ("value", "words"),
    [(1234.5, "1,234"), (123.4, "123"), (12.34, "12.3"), (1.234, "1.23"), (0.1234, "0.123")],
)
def test_figures_have_three_digits(value: float, words: str) -> None:
    assert figure(value) == words


def test_a_spread_of_one_value_is_that_value() -> None:
    assert spread_words(Spread.of([2.0])) == "2.00"
    assert spread_words(Spread.of([1.0, 2.0, 4.0])) == "2.00 (1.00-4.00)"
    assert spread_words(None) == "-"
