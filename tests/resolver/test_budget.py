"""What one message may ask, and for how long."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address

from mxgw.resolver.answers import Answer, Status
from mxgw.resolver.budget import BudgetedLookup
from mxgw.resolver.resolver import Resolver
from mxgw.resolver.upstream import Told
from tests.rig.zone import Zone

ADDRESS = IPv4Address("192.0.2.1")


class Silence:
    """DNS that never answers."""

    def __init__(self) -> None:
        self.asked = 0

    async def ask(self, kind: str, name: str) -> Told:
        self.asked += 1
        await asyncio.Event().wait()
        raise AssertionError(f"{kind} {name}")


def zone() -> Zone:
    records = {"TXT": ["text"], "A": ["192.0.2.1"], "AAAA": ["2001:db8::1"], "MX": [(10, "mx.example.com")]}
    return Zone({"example.com": records, "192.0.2.1": {"PTR": ["example.com"]}})


async def test_every_type_is_passed_on_and_counted() -> None:
    lookup = BudgetedLookup(zone(), deadline=_in(60))

    answers = [
        await lookup.txt("example.com"),
        await lookup.a("example.com"),
        await lookup.aaaa("example.com"),
        await lookup.mx("example.com"),
        await lookup.ptr(ADDRESS),
    ]

    assert [answer.status for answer in answers] == [Status.FOUND] * 5
    assert (lookup.questions, lookup.refused) == (5, 0)


async def test_more_questions_than_allowed_have_no_answer_and_are_not_asked() -> None:
    world = zone()
    lookup = BudgetedLookup(world, deadline=_in(60), max_questions=2)

    answers = [await lookup.txt("example.com"), await lookup.a("none.example"), await lookup.ptr(ADDRESS)]

    assert [answer.status for answer in answers] == [Status.FOUND, Status.NO_NAME, Status.TEMPORARY]
    assert (world.questions, lookup.questions, lookup.refused) == (2, 2, 1)


async def test_after_the_deadline_nothing_is_asked() -> None:
    world = zone()
    lookup = BudgetedLookup(world, deadline=_in(0))

    assert await lookup.mx("example.com") == Answer(Status.TEMPORARY)
    assert world.questions == 0


async def test_the_deadline_ends_a_question_that_waits() -> None:
    silence = Silence()
    lookup = BudgetedLookup(Resolver(silence), deadline=_in(0.5))

    answers = await asyncio.gather(lookup.txt("example.com"), lookup.ptr(ADDRESS))

    assert answers == [Answer(Status.TEMPORARY)] * 2
    assert (silence.asked, lookup.refused) == (2, 2)


async def test_a_remembered_answer_counts_as_a_question() -> None:
    class World:
        async def ask(self, kind: str, name: str) -> Told:
            return Told(Answer(Status.FOUND, (b"text",)), 60)

    resolver = Resolver(World())
    lookup = BudgetedLookup(resolver, deadline=_in(60), max_questions=2)

    answers = [await lookup.txt("example.com") for _ in range(3)]

    assert [answer.status for answer in answers] == [Status.FOUND, Status.FOUND, Status.TEMPORARY]
    assert (resolver.counts.asked, resolver.counts.remembered) == (1, 1)


def _in(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds
