"""Memory of mixed results: which recipients are put off, and until when."""

import pytest

from mxgw import mixtures
from mxgw.envelope import NULL_REVERSE_PATH, ForwardPath, ReversePath
from mxgw.mixtures import HOLD_SECONDS, SplitMemory

SENDER = ReversePath("sender", "example.net")
TARO, HANAKO, JIRO = (ForwardPath(name, "example.jp") for name in ("taro", "hanako", "jiro"))


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def memory(clock):
    return SplitMemory(clock)


def test_nothing_is_put_off_without_a_mixture(memory):
    assert not memory.puts_off(SENDER, TARO)


def test_the_refused_are_put_off_and_the_stored_are_not(memory):
    memory.remember(SENDER, stored=[TARO], refused=[HANAKO])

    assert memory.puts_off(SENDER, HANAKO)
    assert not memory.puts_off(SENDER, TARO)
    assert not memory.puts_off(SENDER, JIRO)


def test_another_sender_is_not_concerned(memory):
    memory.remember(SENDER, stored=[TARO], refused=[HANAKO])

    assert not memory.puts_off(ReversePath("other", "example.net"), HANAKO)
    assert not memory.puts_off(NULL_REVERSE_PATH, HANAKO)


def test_domains_compare_without_case_and_local_parts_with(memory):
    memory.remember(SENDER, stored=[TARO], refused=[HANAKO])

    assert memory.puts_off(ReversePath("sender", "EXAMPLE.net"), ForwardPath("hanako", "Example.JP"))
    assert not memory.puts_off(SENDER, ForwardPath("HANAKO", "example.jp"))


def test_the_refused_may_come_when_all_stored_ones_are_acknowledged(memory):
    memory.remember(SENDER, stored=[TARO, JIRO], refused=[HANAKO])

    memory.acknowledge(SENDER, [TARO])
    assert memory.puts_off(SENDER, HANAKO)

    memory.acknowledge(SENDER, [JIRO])
    assert not memory.puts_off(SENDER, HANAKO)
    assert len(memory) == 0


def test_a_mixture_is_forgotten_after_its_time(memory, clock):
    memory.remember(SENDER, stored=[TARO], refused=[HANAKO])

    clock.now = HOLD_SECONDS

    assert not memory.puts_off(SENDER, HANAKO)
    assert len(memory) == 0


def test_a_newer_mixture_takes_the_place_of_an_older_one(memory):
    memory.remember(SENDER, stored=[TARO], refused=[HANAKO])
    memory.remember(SENDER, stored=[HANAKO], refused=[TARO])

    assert memory.puts_off(SENDER, TARO)
    assert not memory.puts_off(SENDER, HANAKO)
    assert len(memory) == 1


def test_the_memory_is_bounded(memory, monkeypatch):
    monkeypatch.setattr(mixtures, "MAX_GROUPS", 3)
    for number in range(10):
        memory.remember(
            SENDER, stored=[ForwardPath(f"s{number}", "a")], refused=[ForwardPath(f"r{number}", "a")]
        )

    assert len(memory) == 3
    assert not memory.puts_off(SENDER, ForwardPath("r0", "a"))
    assert memory.puts_off(SENDER, ForwardPath("r9", "a"))
