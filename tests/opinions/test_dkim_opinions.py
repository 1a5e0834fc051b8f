"""mailauth and we agree on thousands of signatures: does it hold, does it not, or did DNS not answer?

Every disagreement is one of REASONS. Which word a side has for a signature that is no good is its own affair
(RFC 8601 section 2.7.1 defines fail, policy, neutral and permerror loosely) and not compared.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from mxgw.header import parse_header
from mxgw.msgauth.dkim import DkimVerdict
from tests.msgauth.dkim_judge import KEY_NAME, NOW, dkim_verdicts
from tests.msgauth.test_dkim_differential import altered
from tests.opinions.dkim_layouts import Case, make_case
from tests.opinions.mailauth import Answer, Mailauth, message_question
from tests.opinions.reasons import Reason, Right, explanation, said
from tests.rig.zone import Zone

LAYOUTS = 4000
ALTERED_MESSAGES = 4000
ALTERED_RECORDS = 2000

HOLDS = r"pass(: key is in test mode)?"
REASONS = (
    Reason(
        "the end of the body is not signed (l=)",
        "RFC 6376 section 8.2",
        Right.OPEN,
        ours=r"policy: the end of the body is not signed.*",
        theirs=r"pass",
    ),
    Reason(
        "l= is larger than the body",
        "RFC 6376 section 3.5, l=",
        Right.WE,
        ours=r"permerror: l= is larger than the body.*",
        theirs=r"pass|temperror.*",
    ),
    Reason(
        "signed in the future (t=)",
        "RFC 6376 section 3.5, t=",
        Right.OPEN,
        ours=r"policy: signed in the future.*",
        theirs=r"pass",
    ),
    Reason(
        "expired less than five minutes ago (x=)",
        "RFC 6376 section 3.5, x=",
        Right.OPEN,
        ours=HOLDS,
        theirs=r"neutral: expired",
    ),
    Reason(
        "a second From that is not signed",
        "RFC 6376 section 8.15",
        Right.OPEN,
        ours=r"policy: a From field is not signed.*",
        theirs=r"pass",
    ),
    Reason(
        "a line in the header that is no field",
        "RFC 6376 section 8.15, RFC 5322 section 2.2",
        Right.WE,
        ours=r"(policy: a line in the header is no field|fail: signature differs|permerror: .= is empty"
        r"|permerror: .+ is missing).*",
        theirs=r"pass",
        about=r".*a line is no field.*",
    ),
    Reason(
        "content whose first line is no field has no header",
        "RFC 5322 section 2.2",
        Right.WE,
        ours=r"0 signatures",
        theirs=r"1 signatures",
        about=r".*no header.*",
    ),
    Reason(
        "white space or control characters within a word of a key record",
        "RFC 6376 section 3.2",
        Right.WE,
        ours=r"permerror: (not a list of tags|key is of a kind not known here"
        r"|key record is of another version).*",
        theirs=r"pass",
        about=r"record b.*",
    ),
    Reason(
        "parameters of an RSA key that are not NULL",
        "RFC 3279 section 2.3.1",
        Right.WE,
        ours=r"permerror: p= is not an RSA key",
        theirs=r"pass",
        about=r"record b.*",
    ),
    Reason(
        "a local part in i= that is none",
        "RFC 6376 section 3.5, i=",
        Right.THEY,
        ours=rf"{HOLDS}|temperror.*",
        theirs=r"neutral: signature syntax error",
        about=r".*\bi=\S*[=@]\S*@.*",
    ),
    Reason(
        "several records at the name of the key",
        "RFC 6376 sections 3.6.2.2 and 6.1.2",
        Right.OPEN,
        ours=HOLDS,
        theirs=r"neutral: (invalid public key|inappropriate key algorithm)|fail: bad signature",
        about=r".*(a text before the record|two keys).*",
    ),
    Reason(
        "case of the values of a=, c= and k=",
        "RFC 6376 section 3.2",
        Right.WE,
        ours=r"(permerror: key is of a kind not known here"
        r"|neutral: (algorithm|canonicalisation) is not known).*",
        theirs=r"pass|temperror.*",
        about=r".*\b(a=RSA|c=Relaxed|k=RSA).*",
    ),
    Reason(
        "c= with an empty part or a third one",
        "RFC 6376 section 3.5, c=",
        Right.WE,
        ours=r"neutral: canonicalisation is not known",
        theirs=r"pass|temperror.*|broken: Error: Unknown header canonicalization.*",
    ),
    Reason(
        "mailauth stops with an error at c=",
        "RFC 6376 section 3.5, c=",
        Right.WE,
        ours=r"(neutral|permerror): .*",
        theirs=r"broken: Error: Unknown header canonicalization.*",
    ),
    Reason(
        "letters in base64 that are none",
        "RFC 4648 section 3.3",
        Right.WE,
        ours=r"permerror: (b|bh|p)= is not base64.*",
        theirs=r"pass",
    ),
)


def kind_of(result: str) -> str:
    return result if result in {"pass", "temperror"} else "no"


def ours_said(verdict: DkimVerdict) -> str:
    return said(verdict.result, verdict.reason)


def theirs_said(signature: Answer) -> str:
    return said(signature["result"], signature["comment"], signature["rules"])


def about(case: Case) -> str:
    odd = list(case.oddities)
    header = parse_header(case.message)
    if header.count(""):
        odd.append("a line is no field")
    if not header.fields:
        odd.append("no header")
    return ", ".join(odd)


def unlike(case: Case, ours: Sequence[DkimVerdict], theirs: Answer) -> tuple[str, str] | None:
    """What both said where they disagree."""
    if "broken" in theirs:
        return (ours_said(ours[0]) if ours else "none"), said("broken", theirs["broken"])
    found = [one for one in theirs["signatures"] if one["result"] != "none"]
    if len(found) != len(ours):
        return f"{len(ours)} signatures", f"{len(found)} signatures"
    for verdict, signature in zip(ours, found, strict=True):
        mine, other = kind_of(verdict.result), kind_of(signature["result"])
        if mine != other:
            return ours_said(verdict), theirs_said(signature)
        if mine == "pass" and verdict.claim.domain != signature["domain"].lower():
            return f"pass of {verdict.claim.domain}", f"pass of {signature['domain']}"
    return None


async def compare(cases: Sequence[Case], mailauth: Mailauth) -> tuple[Counter[str], Counter[str]]:
    """How often each kind of result came up, and each reason."""
    asked = mailauth.ask([message_question(case.message, case.zone, NOW) for case in cases])
    opinions = [await dkim_verdicts(case.message, case.zone, now=NOW) for case in cases]
    results: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for case, ours, theirs in zip(cases, opinions, asked.answers(len(cases)), strict=True):
        results.update(kind_of(one.result) for one in ours)
        if words := unlike(case, ours, theirs):
            reason = explanation(REASONS, *words, about(case))
            assert reason, (words, about(case), case.message)
            reasons[reason.name] += 1
    return results, reasons


def altered_record(case: Case, choice: random.Random) -> bytes | None:
    """The key record, altered as often in its tags as in the key itself."""
    (record,) = case.zone.find("TXT", KEY_NAME)[2]
    tags, key = record[: record.index("p=")], record[record.index("p=") :]
    if choice.random() < 0.5:
        other = altered(tags.encode(), choice)
        return None if other is None else other + key.encode()
    other = altered(key.encode(), choice)
    return None if other is None else tags.encode() + other


async def test_signatures_of_every_layout(mailauth: Mailauth) -> None:
    cases = [make_case(number) for number in range(LAYOUTS)]

    results, reasons = await compare(cases, mailauth)

    assert results["pass"] > LAYOUTS // 4
    assert results["no"] > LAYOUTS // 3
    assert results["temperror"] > 5
    assert reasons.total() < 0.12 * LAYOUTS


async def test_one_octet_altered_in_messages_of_every_layout(mailauth: Mailauth) -> None:
    choice = random.Random(6376)
    cases: list[Case] = []
    number = LAYOUTS
    while len(cases) < ALTERED_MESSAGES:
        number += 1
        case = make_case(number, plain=True)
        other = altered(case.message, choice)
        if other is not None:
            cases.append(Case(other, case.zone, case.oddities))

    results, reasons = await compare(cases, mailauth)

    assert results["pass"] > ALTERED_MESSAGES // 8
    assert results["no"] > ALTERED_MESSAGES // 2
    assert reasons.total() < 0.1 * ALTERED_MESSAGES


async def test_one_octet_altered_in_the_key_record(mailauth: Mailauth) -> None:
    choice = random.Random(3110)
    cases: list[Case] = []
    number = LAYOUTS + 2 * ALTERED_MESSAGES
    while len(cases) < ALTERED_RECORDS:
        number += 1
        case = make_case(number, plain=True)
        record = altered_record(case, choice)
        if record is not None:
            zone = Zone({KEY_NAME: {"TXT": [record]}})
            cases.append(Case(case.message, zone, (f"record {record!r}",)))

    results, reasons = await compare(cases, mailauth)

    assert results["pass"] > ALTERED_RECORDS // 40
    assert results["no"] > ALTERED_RECORDS // 2
    assert reasons.total() < 0.1 * ALTERED_RECORDS
