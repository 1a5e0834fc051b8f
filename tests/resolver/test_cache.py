"""How long an answer is remembered, and how much."""

from __future__ import annotations

import pytest

from mxgw.resolver.answers import Answer, Status
from mxgw.resolver.cache import (
    ENTRY_OCTETS,
    FAILURE_SECONDS,
    LONGEST_NEGATIVE_SECONDS,
    LONGEST_SECONDS,
    RECORD_OCTETS,
    SHORTEST_SECONDS,
    Cache,
)

FOUND = Answer(Status.FOUND, (b"v=spf1 -all",))
KEY = ("TXT", "example.com")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("answer", "ttl_seconds", "kept_seconds"),
    [
        (FOUND, 60, 60),
        (FOUND, 0, SHORTEST_SECONDS),
        (FOUND, 10**6, LONGEST_SECONDS),
        (Answer(Status.NO_DATA), 60, 60),
        (Answer(Status.NO_DATA), 0, SHORTEST_SECONDS),
        (Answer(Status.NO_NAME), 86400, LONGEST_NEGATIVE_SECONDS),
        (Answer(Status.TEMPORARY), 0, FAILURE_SECONDS),
        (Answer(Status.TEMPORARY), 3600, FAILURE_SECONDS),
    ],
)
def test_an_answer_is_kept_for_its_ttl_within_bounds(
    answer: Answer[bytes], ttl_seconds: float, kept_seconds: float
) -> None:
    clock = Clock()
    cache = Cache(clock)
    cache.put(KEY, answer, ttl_seconds)

    clock.now += kept_seconds - 0.001
    assert cache.get(KEY) == answer

    clock.now += 0.001
    assert cache.get(KEY) is None
    assert (len(cache), cache.octets) == (0, 0)


def test_a_name_that_does_not_exist_has_no_records_of_any_type() -> None:
    cache = Cache(Clock())

    cache.put(("A", "gone.example"), Answer(Status.NO_NAME), 60)
    cache.put(("A", "bare.example"), Answer(Status.NO_DATA), 60)

    assert cache.get(("TXT", "gone.example")) == Answer(Status.NO_NAME)
    assert cache.get(("TXT", "bare.example")) is None


def test_the_least_recently_used_answer_goes_first() -> None:
    cache = Cache(Clock(), max_entries=2)
    cache.put(("A", "one"), FOUND, 60)
    cache.put(("A", "two"), FOUND, 60)
    cache.get(("A", "one"))

    cache.put(("A", "three"), FOUND, 60)

    assert [cache.get(("A", name)) for name in ("one", "two", "three")] == [FOUND, None, FOUND]


def test_octets_are_bounded_whatever_strangers_publish() -> None:
    cache = Cache(Clock(), max_octets=100_000)

    for number in range(50):
        cache.put(("TXT", f"n{number}"), Answer(Status.FOUND, (b"x" * 20_000,)), 60)

    assert cache.octets <= 100_000
    assert len(cache) == 4
    assert cache.octets == 4 * (ENTRY_OCTETS + RECORD_OCTETS + 20_000)


def test_an_answer_larger_than_the_cache_is_not_kept() -> None:
    cache = Cache(Clock(), max_octets=1000)

    cache.put(KEY, Answer(Status.FOUND, (b"x" * 2000,)), 60)

    assert (cache.get(KEY), cache.octets) == (None, 0)


def test_a_newer_answer_replaces_the_older_one() -> None:
    cache = Cache(Clock())
    newer = Answer(Status.FOUND, (b"v=spf1 ~all",))
    cache.put(KEY, FOUND, 60)

    cache.put(KEY, newer, 60)

    assert cache.get(KEY) == newer
    assert cache.octets == ENTRY_OCTETS + RECORD_OCTETS + 11
