"""A forger may choose a subdomain whose DNS is dead: the policy of the domain above is presumed then."""

from __future__ import annotations

import asyncio

import pytest

from mxgw.config import DmarcPolicy
from mxgw.msgauth.author import Author
from mxgw.msgauth.disposition import Handling, dispose
from mxgw.msgauth.dkim import DkimVerdict
from mxgw.msgauth.dmarc import DmarcVerdict, Policy, discover, strictest
from mxgw.msgauth.results import Result
from mxgw.msgauth.spf_result import SpfResult
from mxgw.resolver.answers import Answer, Status
from tests.msgauth.dmarc_cases import dkim, judge, policies, spf
from tests.rig.zone import Zone

REJECT = "v=DMARC1; p=reject"
LAME = ("_dmarc.lame.bank.example", "_dmarc.x.lame.bank.example", "lame.bank.example")


def handling(verdict: DmarcVerdict, mode: DmarcPolicy = DmarcPolicy.QUARANTINE) -> Handling:
    author = Author((verdict.author_domain,), "")
    return dispose(mode=mode, author=author, dmarc=verdict, arc=None, trusted_sealers=frozenset()).handling


@pytest.mark.parametrize(
    ("record", "author", "presumed"),
    [
        (REJECT, "lame.bank.example", Policy.REJECT),
        (REJECT, "x.lame.bank.example", Policy.REJECT),
        (REJECT, "y.x.lame.bank.example", Policy.REJECT),
        ("v=DMARC1; p=quarantine", "lame.bank.example", Policy.QUARANTINE),
        ("v=DMARC1; p=none; sp=reject", "lame.bank.example", Policy.REJECT),
        ("v=DMARC1; p=reject; sp=none", "lame.bank.example", Policy.NONE),
        ("v=DMARC1; p=reject; np=none", "lame.bank.example", Policy.NONE),
        ("v=DMARC1; p=quarantine; t=y", "lame.bank.example", Policy.NONE),
        ("v=DMARC1; p=reject; t=y", "lame.bank.example", Policy.QUARANTINE),
        ("v=DMARC1; sp=reject", "lame.bank.example", Policy.NONE),
        ("v=spf1 -all", "lame.bank.example", Policy.NONE),
    ],
)
async def test_the_policy_of_the_domain_above_is_presumed_and_the_result_stays_open(
    record: str, author: str, presumed: Policy
) -> None:
    verdict = await judge(policies({"bank.example": record}, failing=LAME), author)

    assert (verdict.result, verdict.record, verdict.policy) == (Result.TEMPERROR, None, Policy.NONE)
    assert verdict.presumed is presumed
    assert handling(verdict) is (Handling.DELIVER if presumed is Policy.NONE else Handling.JUNK)
    assert handling(verdict, DmarcPolicy.REPORT) is Handling.DELIVER
    assert handling(verdict, DmarcPolicy.REJECT) is Handling.DEFER
    assert any("presumed" in step for step in verdict.steps) == (presumed is not Policy.NONE)


@pytest.mark.parametrize(
    ("found_spf", "found_dkim"),
    [
        (spf("lame.bank.example"), ()),
        (spf("bank.example"), ()),
        (None, (dkim("bank.example"),)),
        (None, (dkim("evil.example"), dkim("mail.bank.example"))),
    ],
)
async def test_what_the_domain_stands_for_is_delivered(
    found_spf: SpfResult | None, found_dkim: tuple[DkimVerdict, ...]
) -> None:
    zone = policies({"bank.example": REJECT}, failing=LAME)

    verdict = await judge(zone, "lame.bank.example", spf=found_spf, dkim=found_dkim)

    assert (verdict.result, verdict.presumed) == (Result.TEMPERROR, Policy.NONE)
    assert handling(verdict) is Handling.DELIVER


@pytest.mark.parametrize(
    ("found_spf", "found_dkim"),
    [
        (spf("evil.example"), (dkim("evil.example"),)),
        (spf("bank.example", Result.FAIL), (dkim("bank.example", Result.FAIL),)),
        (spf("notbank.example"), (dkim("bank.example", counts=False),)),
    ],
)
async def test_what_strangers_stand_for_is_not(
    found_spf: SpfResult, found_dkim: tuple[DkimVerdict, ...]
) -> None:
    zone = policies({"bank.example": REJECT}, failing=LAME)

    verdict = await judge(zone, "lame.bank.example", spf=found_spf, dkim=found_dkim)

    assert handling(verdict) is Handling.JUNK


async def test_where_nobody_above_answers_nothing_is_presumed() -> None:
    zone = policies({"bank.example": REJECT}, failing=(*LAME, "_dmarc.bank.example"))

    verdict = await judge(zone, "lame.bank.example")

    assert (verdict.presumed, handling(verdict)) == (Policy.NONE, Handling.DELIVER)


async def test_a_top_level_that_does_not_answer_hides_no_policy_below_it() -> None:
    zone = policies({"bank.example": REJECT}, failing=("_dmarc.example",))

    verdict = await judge(zone, "mail.bank.example")

    assert (verdict.result, verdict.presumed) == (Result.TEMPERROR, Policy.REJECT)


class Away(Zone):
    """No name has an answer; after the first, whoever asks waits for ever."""

    async def txt(self, name: str) -> Answer[bytes]:
        self.asked.append(f"TXT {name}")
        if len(self.asked) > 1:
            await asyncio.Event().wait()
        return Answer(Status.TEMPORARY)


async def test_where_all_of_dns_is_away_no_message_waits_twice() -> None:
    zone = Away()

    async with asyncio.timeout(60):
        found = await discover(zone, "mail.bank.example", above_seconds=0.01)

    assert (found.unanswered, found.above) == ("_dmarc.mail.bank.example", None)
    assert len(zone.asked) == 2


async def test_dead_names_are_asked_last_and_each_once() -> None:
    """Each costs seconds: what is above must be known before the time is over."""
    dead = tuple(f"_dmarc.{'x.' * depth}bank.example" for depth in range(1, 7))
    zone = policies({"bank.example": REJECT}, failing=dead)

    verdict = await judge(zone, "x.x.x.x.x.x.bank.example")

    assert verdict.presumed is Policy.REJECT
    asked = [name for name in zone.asked if name.startswith("TXT _dmarc.")]
    assert len(asked) == len(set(asked))
    assert asked[0] == "TXT _dmarc.x.x.x.x.x.x.bank.example"
    assert asked.index("TXT _dmarc.bank.example") == 2


def test_of_several_open_verdicts_the_one_with_the_strictest_policy_speaks() -> None:
    unknown = DmarcVerdict(Result.TEMPERROR, "evil.example")
    known = DmarcVerdict(Result.TEMPERROR, "bank.example", policy=Policy.REJECT)
    presumed = DmarcVerdict(Result.TEMPERROR, "lame.bank.example", presumed=Policy.QUARANTINE)

    assert strictest([unknown, presumed]) is presumed
    assert strictest([unknown, presumed, known]) is known
    assert strictest([known, unknown]) is known
