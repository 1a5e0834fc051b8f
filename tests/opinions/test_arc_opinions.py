"""mailauth and we agree on thousands of ARC chains, or the disagreement is one of REASONS."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from mxgw.msgauth.arc import ArcVerdict
from tests.msgauth.dkim_judge import NOW, arc_verdict
from tests.msgauth.test_dkim_differential import altered
from tests.opinions.arc_layouts import make_chain
from tests.opinions.dkim_layouts import SECONDS, Case
from tests.opinions.mailauth import Answer, Mailauth, message_question
from tests.opinions.reasons import Reason, Right, explanation, said
from tests.opinions.test_dkim_opinions import about

CHAINS = 3000
ALTERED_CHAINS = 2000

SIGNATURE = r"fail: message signature \d+: "
SEVERAL_RECORDS = (
    r"fail: (inappropriate key algorithm|invalid public key) for .*|fail: i=\d no valid signature"
)
REASONS = (
    Reason(
        "no c= in the message signature",
        "RFC 8617 section 4.1.2",
        Right.THEY,  # the validation suite of ValiMail wants what we do
        ours=SIGNATURE + r"(body hash|signature) differs",
        theirs=r"pass",
        about=r".*(signature without c=|drop: c).*",
    ),
    Reason(
        "the end of the body is not signed (l=)",
        "RFC 6376 section 8.2",
        Right.OPEN,
        ours=SIGNATURE + r"the end of the body is not signed",
        theirs=r"pass",
    ),
    Reason(
        "l= is larger than the body",
        "RFC 6376 section 3.5, l=",
        Right.WE,
        ours=SIGNATURE + r"l= is larger than the body",
        theirs=r"pass",
    ),
    Reason(
        "signed in the future (t=)",
        "RFC 6376 section 3.5, t=",
        Right.OPEN,
        ours=SIGNATURE + r"signed in the future",
        theirs=r"pass",
    ),
    Reason(
        "expired less than five minutes ago (x=)",
        "RFC 6376 section 3.5, x=",
        Right.OPEN,
        ours=r"pass",
        theirs=r"fail: i=\d no valid signature",
        about=rf".*signature x={SECONDS - 60}.*",
    ),
    Reason(
        "From is not in h= of the message signature",
        "RFC 8617 section 4.1.2",
        Right.OPEN,  # the validation suite of ValiMail wants what we do
        ours=r"pass",
        theirs=r"fail: i=\d no valid signature",
        about=r".*signature h=(to:subject|,|$).*",
    ),
    Reason(
        "ARC-Message-Signature in h= means the older ones",
        "RFC 6376 section 3.5, h=",
        Right.WE,
        ours=r"pass",
        theirs=r"fail: i=\d no valid signature",
        about=r".*signature h=from:arc-message-signature.*",
    ),
    Reason(
        "an older message signature that breaks a rule",
        "RFC 8617 section 5.2, step 4",
        Right.WE,
        ours=r"pass",
        theirs=r"fail|fail: i=\d invalid ams h",
        about=r".*(signature (a=|h=from:(arc-seal|ARC-Seal))|drop: a).*",
    ),
    Reason(
        "an older message signature that is no list of tags",
        "RFC 6376 section 3.2",
        Right.OPEN,
        ours=r"fail: ARC-Message-Signature: (not a list of tags|two tags .+=|a tag twice)",
        theirs=r"pass",
    ),
    Reason(
        "a comment within a comment before the instance",
        "RFC 5322 section 3.2.2",
        Right.WE,
        ours=r"pass",
        theirs=r"fail: invalid aar instance",
        about=r".*results '\(first \(and second\)\).*",
    ),
    Reason(
        "q= without a way to ask that is known",
        "RFC 6376 section 3.5, q=",
        Right.WE,
        ours=SIGNATURE + r"q= has no way to ask for the key that is known",
        theirs=r"pass",
    ),
    Reason(
        "case of the values of a=, c=, k= and cv=",
        "RFC 6376 section 3.2",
        Right.WE,
        ours=r"fail: (message signature|seal) \d+: (cv= is not a word of the RFC|algorithm is not known"
        r"|canonicalisation is not known|key is of a kind not known here)",
        theirs=r"pass",
        about=r".*(cv=NONE|cv=Pass|a=RSA|c=Relaxed|k=RSA).*",
    ),
    Reason(
        "c= with an empty part",
        "RFC 6376 section 3.5, c=",
        Right.WE,
        ours=SIGNATURE + r"canonicalisation is not known",
        theirs=r"pass",
        about=r".*signature c=relaxed/(,.*)?",
    ),
    Reason(
        "several records at the name of the key",
        "RFC 6376 sections 3.6.2.2 and 6.1.2",
        Right.OPEN,
        ours=r"pass",
        theirs=SEVERAL_RECORDS,
        about=r".*(a text before the record|two keys).*",
    ),
    Reason(
        "letters in base64 that are none",
        "RFC 4648 section 3.3",
        Right.WE,
        ours=r"fail: (message signature|seal) \d+: (b|bh|p)= is not base64",
        theirs=r"pass",
    ),
    Reason(
        "a line in the header that is no field",
        "RFC 6376 section 8.15, RFC 5322 section 2.2",
        Right.WE,
        ours=r"fail: .*",
        theirs=r"pass",
        about=r".*a line is no field.*",
    ),
    Reason(
        "content whose first line is no field has no header",
        "RFC 5322 section 2.2",
        Right.WE,
        ours=r"none",
        theirs=r"pass|fail: .*",
        about=r".*no header.*",
    ),
)


def ours_said(verdict: ArcVerdict) -> str:
    return said(verdict.result, verdict.reason)


def theirs_said(answer: Answer) -> str:
    if "broken" in answer:
        return said("broken", answer["broken"])
    chain = answer["chain"]
    # An error that it does not foresee has no comment.
    return said(chain["result"], chain["comment"] if chain["result"] == "fail" else "")


def unlike(ours: ArcVerdict, theirs: Answer) -> bool:
    return "broken" in theirs or theirs["chain"]["result"] != ours.result


async def compare(cases: Sequence[Case], mailauth: Mailauth) -> tuple[Counter[str], Counter[str]]:
    """How often each result came up, and each reason."""
    asked = mailauth.ask([message_question(case.message, case.zone, NOW) for case in cases])
    opinions = [await arc_verdict(case.message, case.zone, now=NOW) for case in cases]
    results = Counter(str(one.result) for one in opinions)
    reasons: Counter[str] = Counter()
    for case, ours, theirs in zip(cases, opinions, asked.answers(len(cases)), strict=True):
        if unlike(ours, theirs):
            words = ours_said(ours), theirs_said(theirs)
            reason = explanation(REASONS, *words, about(case))
            assert reason, (words, about(case), case.message)
            reasons[reason.name] += 1
    return results, reasons


async def test_chains_of_every_layout(mailauth: Mailauth) -> None:
    cases = [make_chain(number) for number in range(CHAINS)]

    results, reasons = await compare(cases, mailauth)

    assert results["pass"] > CHAINS // 4
    assert results["fail"] > CHAINS // 4
    assert reasons.total() < 0.1 * CHAINS


async def test_one_octet_altered_in_chains_of_every_layout(mailauth: Mailauth) -> None:
    choice = random.Random(8617)
    cases: list[Case] = []
    number = CHAINS
    while len(cases) < ALTERED_CHAINS:
        number += 1
        case = make_chain(number, plain=True)
        other = altered(case.message, choice)
        if other is not None:
            cases.append(Case(other, case.zone, case.oddities))

    results, reasons = await compare(cases, mailauth)

    assert results["pass"] > ALTERED_CHAINS // 10
    assert results["fail"] > ALTERED_CHAINS // 2
    assert reasons.total() < 0.1 * ALTERED_CHAINS
