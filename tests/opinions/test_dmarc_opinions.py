"""mailauth and we agree on thousands of trees of DMARC records: result, policy, whose record, organization,
and which of the domains align; or the disagreement is one of REASONS.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from mxgw.msgauth.dkim import DkimVerdict
from mxgw.msgauth.dkim_signature import Claim
from mxgw.msgauth.dmarc import DmarcVerdict, discover, evaluate
from mxgw.msgauth.results import Result
from mxgw.msgauth.spf_result import Identity, SpfResult
from tests.opinions.dmarc_worlds import World, make_world
from tests.opinions.mailauth import Answer, Mailauth, dmarc_question, zone_value
from tests.opinions.reasons import Reason, Right, explanation, said

WORLDS = 4000

REASONS = (
    Reason(
        "the word for a record without a policy that can be used",
        "RFC 9989 sections 4.10.1 and 9.2",
        Right.OPEN,
        ours=r"permerror: .* is (missing|not valid) in the record, and there is no rua=",
        theirs=r"none",
    ),
    Reason(
        "a signature that might have aligned, had DNS answered",
        "RFC 9989 section 5.3.6",
        Right.WE,
        ours=r"temperror: no answer: (DKIM of|_dmarc\.).*",
        theirs=r"fail",
        about=r"open: .+",
    ),
)


async def ask_us(world: World) -> DmarcVerdict:
    spf = [SpfResult(Result.PASS, Identity.MAIL_FROM, domain) for domain in world.spf]
    dkim = [_signature(domain, Result.PASS) for domain in world.dkim]
    dkim += [_signature(domain, Result.TEMPERROR) for domain in world.open]
    discovery = await discover(world.zone, world.author)
    return await evaluate(world.zone, discovery, spf=spf[0] if spf else None, dkim=dkim)


def _signature(domain: str, result: Result) -> DkimVerdict:
    claim = Claim(domain, "sel", f"@{domain}", "ed25519-sha256")
    return DkimVerdict(result, "", claim, 256, counts_for_dmarc=result is Result.PASS, steps=())


def details(ours: DmarcVerdict, theirs: Answer) -> tuple[dict[str, Any], dict[str, Any]]:
    """What both say besides the result, as far as both say it."""
    mine: dict[str, Any] = {}
    other: dict[str, Any] = {}
    if ours.organizational_domain:
        mine["organization"], other["organization"] = ours.organizational_domain, theirs["organization"]
    if ours.record and theirs["policyDomain"]:
        mine |= {"policy": str(ours.policy), "policyDomain": ours.record_domain}
        mine |= {"spf": ours.aligned_spf, "dkim": sorted(ours.aligned_dkim)}
        other |= {key: theirs[key] for key in ("policy", "policyDomain", "spf", "dkim")}
    return mine, other


async def test_trees_of_records(mailauth: Mailauth) -> None:
    worlds = [make_world(number) for number in range(WORLDS)]
    asked = mailauth.ask([dmarc_question(one.zone, one.author, one.spf, one.dkim) for one in worlds])
    results: Counter[str] = Counter()
    reasons: Counter[str] = Counter()

    opinions = [await ask_us(world) for world in worlds]

    for world, ours, theirs in zip(worlds, opinions, asked.answers(WORLDS), strict=True):
        assert "broken" not in theirs, theirs
        results[f"{ours.result} {ours.policy}"] += 1
        mine, other = details(ours, theirs)
        assert mine == other, (world, zone_value(world.zone), ours.steps)
        if ours.result != theirs["result"]:
            words = said(ours.result, ours.reason), said(theirs["result"], theirs["why"])
            reason = explanation(REASONS, *words, f"open: {''.join(world.open)}")
            assert reason, (words, world, zone_value(world.zone), ours.steps)
            reasons[reason.name] += 1
    # The worlds are worth the time.
    for result in (
        "fail none",
        "fail quarantine",
        "fail reject",
        "pass reject",
        "none none",
        "temperror none",
    ):
        assert results[result] > WORLDS // 100, results
    assert reasons.total() < 0.06 * WORLDS, reasons
