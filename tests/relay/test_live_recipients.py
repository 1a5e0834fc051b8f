"""The short memory of home's answers about recipients."""

from __future__ import annotations

import asyncio
import functools
import operator
from collections.abc import Sequence

import pytest

from mxgw.envelope import NULL_REVERSE_PATH, ForwardPath, ReversePath
from mxgw.outcome import HomeAnswer, Trouble
from mxgw.recipients import MAX_CACHE_SECONDS, MAX_CACHED_PATHS, LiveRecipients
from mxgw.reply import Reply
from tests.relay.support import SENDER, mailbox, said

YES = HomeAnswer(Reply.of(250, "2.1.5", "OK"))
NO = HomeAnswer(Reply.of(550, "5.1.1", "unknown"))
LATER = HomeAnswer(Reply.of(451, "4.3.0", "later"))
AWAY = HomeAnswer(trouble=Trouble.CLOSED)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Home:
    """Answers by local part; writes down what it was asked; waits while ``gate`` is closed."""

    def __init__(self) -> None:
        self.answers = {"nobody": NO, "later": LATER, "away": AWAY}
        self.asked: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def ask(
        self, _reverse_path: ReversePath, forward_paths: Sequence[ForwardPath]
    ) -> tuple[HomeAnswer, ...]:
        self.asked.append([str(path) for path in forward_paths])
        await self.gate.wait()
        return tuple(self.answers.get(path.local, YES) for path in forward_paths)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def home() -> Home:
    return Home()


@pytest.fixture
def live(home: Home, clock: Clock) -> LiveRecipients:
    return LiveRecipients(home, cache_seconds=30, clock=clock)


async def test_answers_come_in_the_order_of_the_paths(live: LiveRecipients, home: Home) -> None:
    paths = [mailbox(name) for name in ("nobody", "taro", "nobody", "later", "taro")]

    answers = await live.ask(SENDER, paths)

    assert answers == (NO, YES, NO, LATER, YES)
    assert home.asked == [["nobody@example.jp", "taro@example.jp", "later@example.jp"]]


async def test_a_definite_answer_is_remembered_for_every_sender(live: LiveRecipients, home: Home) -> None:
    await live.ask(SENDER, [mailbox("taro"), mailbox("nobody")])

    answers = await live.ask(NULL_REVERSE_PATH, [mailbox("nobody"), mailbox("taro@EXAMPLE.jp")])

    assert answers == (NO, YES)
    assert len(home.asked) == 1


async def test_what_may_change_at_once_is_asked_again(live: LiveRecipients, home: Home) -> None:
    for _ in range(2):
        assert await live.ask(SENDER, [mailbox("later"), mailbox("away")]) == (LATER, AWAY)

    assert len(home.asked) == 2


async def test_the_local_part_is_homes_affair(live: LiveRecipients, home: Home) -> None:
    await live.ask(SENDER, [mailbox("taro")])
    await live.ask(SENDER, [mailbox("Taro")])

    assert len(home.asked) == 2


@pytest.mark.parametrize(("configured", "kept"), [(30, 30), (5, 5), (3600, MAX_CACHE_SECONDS)])
async def test_nothing_is_remembered_longer_than_configured_nor_than_half_a_minute(
    home: Home, clock: Clock, configured: float, kept: float
) -> None:
    live = LiveRecipients(home, cache_seconds=configured, clock=clock)
    await live.ask(SENDER, [mailbox("nobody")])
    home.answers["nobody"] = YES

    clock.now = kept - 0.1
    assert await live.ask(SENDER, [mailbox("nobody")]) == (NO,)
    clock.now = kept
    assert await live.ask(SENDER, [mailbox("nobody")]) == (YES,)


async def test_a_cache_of_no_seconds_asks_every_time(home: Home, clock: Clock) -> None:
    live = LiveRecipients(home, cache_seconds=0, clock=clock)

    for _ in range(3):
        await live.ask(SENDER, [mailbox("taro")])

    assert len(home.asked) == 3


async def test_the_memory_is_bounded(live: LiveRecipients, home: Home) -> None:
    for start in range(0, MAX_CACHED_PATHS + 500, 500):
        await live.ask(SENDER, [mailbox(f"guess{start + number}") for number in range(500)])
    home.asked.clear()

    await live.ask(SENDER, [mailbox("guess600"), mailbox(f"guess{MAX_CACHED_PATHS}")])
    await live.ask(SENDER, [mailbox("guess0")])

    assert home.asked == [["guess0@example.jp"]]
    assert len(live._known) == MAX_CACHED_PATHS


async def test_many_who_ask_at_once_are_one_question(live: LiveRecipients, home: Home) -> None:
    home.gate.clear()
    tasks = [asyncio.create_task(live.ask(SENDER, [mailbox("taro"), mailbox("away")])) for _ in range(20)]
    tasks.append(asyncio.create_task(live.ask(SENDER, [mailbox("hanako"), mailbox("taro")])))
    await asyncio.sleep(0)
    home.gate.set()

    answers = await asyncio.gather(*tasks)

    assert answers[:20] == [(YES, AWAY)] * 20
    assert answers[20] == (YES, YES)
    asked = functools.reduce(operator.iadd, home.asked, [])
    assert asked.count("taro@example.jp") == 1


async def test_if_the_one_who_asks_gives_up_another_asks_in_his_place(
    live: LiveRecipients, home: Home
) -> None:
    home.gate.clear()
    tasks = [asyncio.create_task(live.ask(SENDER, [mailbox("taro")])) for _ in range(5)]
    await asyncio.sleep(0)

    tasks[0].cancel()
    tasks[3].cancel()
    await asyncio.sleep(0)
    home.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [isinstance(result, asyncio.CancelledError) for result in results] == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert results[1] == results[2] == results[4] == (YES,)
    assert len(home.asked) == 2
    assert live._asking == {}


async def test_two_spellings_of_one_domain_in_one_question(live: LiveRecipients) -> None:
    answers = await live.ask(
        SENDER, [mailbox("taro@example.jp"), mailbox("taro@EXAMPLE.JP"), mailbox("nobody")]
    )

    assert said(answers) == ["250 2.1.5 OK", "250 2.1.5 OK", "550 5.1.1 unknown"]
