"""mailauth and we agree on SPF in thousands of random zones, or the disagreement has one of four reasons.

Each is tried, not guessed: with the rule of one side changed to that of the other, both must agree. The first
three are about the limits of RFC 7208 section 4.6.4.

- One evaluation asks for the names of the client's address once, and we count that question once however many
  terms want them; mailauth counts it with every such term. What is counted is left open. Whether a client has
  a reverse name is not the domain's fault, so we count less.
- A macro may leave a name of one label (%{p} without a confirmed name is "unknown"). We ask for it and count
  that it does not exist, as pyspf does; mailauth takes such a term for one that does not match.
- An MX with more than ten hosts is a permerror for us, wherever the matching one stands; mailauth looks at
  ten and stops at a match. Where hosts have one preference their order is random, and with ours the result
  does not depend on it. pyspf does as we do.
- A sender domain with a final dot is a domain for us: RFC 7208 section 4.3 finds fault with an empty label
  only where it is not at the end. mailauth finds no domain there.

Explanations are compared without case: we leave the letters of the sender as they came, mailauth does not,
and RFC 7208 section 7.3 prints an IPv6 address in either.
"""

from __future__ import annotations

import copy
import random
from collections import Counter
from dataclasses import dataclass, replace

import pytest

from mxgw.msgauth.results import Result
from mxgw.msgauth.spf import MAX_MX_HOSTS, check_spf
from mxgw.msgauth.spf_result import MAX_EXPLANATION_CHARACTERS, SpfResult, SpfStep
from tests.msgauth.spf_worlds import World, make_world
from tests.opinions.mailauth import Answer, Mailauth, spf_question
from tests.rig.zone import Zone

FIRST = 100_000
"""Behind the worlds of test_spf_beside_pyspf.py."""

WORLDS = 3000
BATCH = 750
UNBOUNDED = 10**9

ODD_SENDERS = (
    '"a@b"@one.example',
    '"two words"@two.example',
    "a%b@three.example",
    "a.b@ONE.Example",
    "a@four.example.",
    "a@sub.one.example",
    "a@localhost",
    "a@one..example",
    "a@.one.example",
    "a@[192.0.2.1]",
    "a@192.0.2.1",
    "a@one.example..",
    "a@-one.example",
    "a@_one.example",
    f"a@{'x' * 64}.example",
    f"a@{'x.' * 130}example",
    "grüße@one.example",
    "a@bücher.example",
    "a@",
)
ODD_HELOS = (
    "",
    "[192.0.2.1]",
    "[IPv6:2001:db8::1]",
    "localhost",
    "one.example.",
    "ONE.EXAMPLE",
    "one.example..",
    "a..b",
    "-",
    "x y",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What an evaluation of ours did that bears on the limits."""

    no_names: bool
    """The client's address has no name, or none that we got."""

    one_label: bool
    """A name of one label was asked for, and does not exist."""

    many_hosts: bool


async def ask_us(world: World) -> SpfResult:
    return await check_spf(world.zone, address=world.address, helo=world.helo, mail_from=world.mail_from)


async def ask_us_without(world: World, *limits: str) -> tuple[SpfResult, Facts]:
    """Our opinion if these limits of ours did not exist, and how it came about."""
    steps: list[SpfStep] = []
    with pytest.MonkeyPatch.context() as patch:
        for limit in limits:
            patch.setattr(f"mxgw.msgauth.spf.{limit}", UNBOUNDED)
        result = await check_spf(
            world.zone, address=world.address, helo=world.helo, mail_from=world.mail_from, steps=steps
        )
    questions = [(step.subject.partition(" "), step.outcome) for step in steps if step.kind == "question"]
    void = {"no-name", "no-data"}
    return result, Facts(
        no_names=any(kind == "PTR" and found in void for (kind, _, _), found in questions),
        one_label=any("." not in name and found in void for (_, _, name), found in questions),
        many_hosts=any(
            kind == "MX" and found.count(",") >= MAX_MX_HOSTS for (kind, _, _), found in questions
        ),
    )


def agree(ours: SpfResult, theirs: Answer) -> bool:
    # We cut an explanation to what fits a reply.
    words = theirs["explanation"][:MAX_EXPLANATION_CHARACTERS].lower()
    return (ours.result, ours.explanation.lower()) == (theirs["result"], words)


async def reason_of(world: World, mailauth: Mailauth) -> str:
    """Why mailauth ends otherwise; "unknown" if no reason that was tried explains it."""
    if (dotless := without_final_dot(world)) != world:
        (theirs,) = mailauth.ask([spf_question(dotless)]).answers(1)
        same = agree(await ask_us(world), theirs) or await reason_of(dotless, mailauth) != "unknown"
        return "a final dot" if same else "unknown"
    theirs, theirs_unlimited = mailauth.ask(
        [spf_question(world), spf_question(world, maxVoids=UNBOUNDED)]
    ).answers(2)
    ours, facts = await ask_us_without(world)
    if facts.no_names and agree(ours, theirs_unlimited):
        return "one question for the names of the client"
    unlimited, facts = await ask_us_without(world, "MAX_VOID_LOOKUPS")
    if facts.one_label and (agree(unlimited, theirs) or agree(unlimited, theirs_unlimited)):
        return "a name of one label"
    # Which host is asked first where several are preferred alike is anybody's choice: none may fail.
    calm = replace(world, zone=without_failures(world.zone))
    (theirs,) = mailauth.ask([spf_question(calm, maxVoids=UNBOUNDED)]).answers(1)
    ours, facts = await ask_us_without(calm, "MAX_VOID_LOOKUPS", "MAX_MX_HOSTS")
    if facts.many_hosts and agree(ours, theirs):
        return "a match among the first ten of more MX hosts"
    return "unknown"


def without_final_dot(world: World) -> World:
    if world.mail_from:
        return replace(world, mail_from=world.mail_from.removesuffix("."))
    return replace(world, helo=world.helo.removesuffix("."))


def without_failures(zone: Zone) -> Zone:
    calm = copy.copy(zone)
    calm.failing = set()
    return calm


async def compare(worlds: list[World], mailauth: Mailauth) -> tuple[Counter[str], Counter[str]]:
    """How often each result came up, and each reason."""
    asked = mailauth.ask([spf_question(world) for world in worlds])
    ours = [await ask_us(world) for world in worlds]
    results = Counter(str(one.result) for one in ours)
    reasons: Counter[str] = Counter()
    for world, mine, theirs in zip(worlds, ours, asked.answers(len(worlds)), strict=True):
        assert "broken" not in theirs, (world, theirs)
        if not agree(mine, theirs):
            reason = await reason_of(world, mailauth)
            assert reason != "unknown", (spf_question(world), mine, theirs)
            reasons[reason] += 1
    return results, reasons


@pytest.mark.parametrize("first", range(FIRST, FIRST + WORLDS, BATCH))
async def test_we_agree_with_mailauth_but_for_known_reasons(first: int, mailauth: Mailauth) -> None:
    worlds = [make_world(number) for number in range(first, first + BATCH)]

    results, reasons = await compare(worlds, mailauth)

    # The worlds are worth the time: every result comes up, and nearly all are agreed on.
    assert set(results) == set(Result) - {Result.POLICY}
    assert reasons.total() < 0.05 * BATCH


async def test_odd_senders_and_helo_names_are_taken_alike(mailauth: Mailauth) -> None:
    pick = random.Random(7208)
    worlds = []
    for number in range(FIRST + WORLDS, FIRST + WORLDS + BATCH):
        world = make_world(number)
        if pick.random() < 0.7:
            world = replace(world, mail_from=pick.choice(ODD_SENDERS))
        if pick.random() < 0.5:
            world = replace(world, helo=pick.choice(ODD_HELOS))
        worlds.append(world)

    results, reasons = await compare(worlds, mailauth)

    assert results[Result.NONE] < 0.6 * BATCH
    assert reasons.total() - reasons["a final dot"] < 0.05 * BATCH
