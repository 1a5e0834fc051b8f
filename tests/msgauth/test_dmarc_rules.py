"""Which policy applies, what aligns, and what DNS trouble does to a verdict."""

from __future__ import annotations

import asyncio
from itertools import permutations
from typing import Any

import pytest

from mxgw.msgauth.dmarc import DmarcVerdict, Policy, discover, evaluate, strictest
from mxgw.msgauth.dmarc_walk import PolicyRecords
from mxgw.msgauth.results import Result
from mxgw.msgauth.spf_result import Identity
from mxgw.resolver.budget import BudgetedLookup
from tests.msgauth.dmarc_cases import dkim, judge, policies, spf
from tests.rig.zone import Zone

# The policy table. Author is a.b.example.com unless the first column says otherwise; every message fails.
#
#  records: domain -> tags after v=DMARC1          exists  record of        published   policy
TABLE = [
    # the author's own record, whatever stands above
    ({"a.b.example.com": "p=reject"}, True, "a.b.example.com", "reject", "reject"),
    ({"a.b.example.com": "p=none", "example.com": "p=reject"}, True, "a.b.example.com", "none", "none"),
    ({"a.b.example.com": "p=none; sp=reject; np=reject"}, True, "a.b.example.com", "none", "none"),
    ({"a.b.example.com": "p=none; np=reject"}, False, "a.b.example.com", "none", "none"),
    ({"a.b.example.com": "p=none; psd=y", "com": "p=reject"}, True, "a.b.example.com", "none", "none"),
    # the organizational domain's: sp and np, else p
    ({"example.com": "p=reject"}, True, "example.com", "reject", "reject"),
    ({"example.com": "p=reject"}, False, "example.com", "reject", "reject"),
    ({"example.com": "p=reject; sp=none"}, True, "example.com", "none", "none"),
    ({"example.com": "p=reject; sp=none"}, False, "example.com", "none", "none"),
    ({"example.com": "p=none; sp=quarantine; np=reject"}, True, "example.com", "quarantine", "quarantine"),
    ({"example.com": "p=none; sp=quarantine; np=reject"}, False, "example.com", "reject", "reject"),
    ({"example.com": "p=reject; np=none"}, True, "example.com", "reject", "reject"),
    ({"example.com": "p=reject; np=none"}, False, "example.com", "none", "none"),
    ({"com": "p=reject; sp=none"}, True, "com", "none", "none"),
    # the fewest labels win, and psd cuts
    ({"b.example.com": "p=none", "example.com": "p=reject"}, True, "example.com", "reject", "reject"),
    ({"b.example.com": "p=none", "com": "p=reject"}, True, "com", "reject", "reject"),
    ({"b.example.com": "p=none; psd=n", "example.com": "p=reject"}, True, "b.example.com", "none", "none"),
    ({"b.example.com": "p=none; psd=u", "example.com": "p=reject"}, True, "example.com", "reject", "reject"),
    ({"com": "p=reject; psd=y", "example.com": "p=none"}, True, "example.com", "none", "none"),
    ({"com": "p=reject; psd=y"}, True, "com", "reject", "reject"),
    ({"com": "p=none; sp=quarantine; np=reject; psd=y"}, True, "com", "quarantine", "quarantine"),
    ({"com": "p=none; sp=quarantine; np=reject; psd=y"}, False, "com", "reject", "reject"),
    # a record between the author and an organizational domain without one speaks for nobody else
    ({"com": "p=reject; psd=y", "b.example.com": "p=none"}, True, "com", "reject", "reject"),
    ({"example.com": "p=reject; psd=y"}, True, "example.com", "reject", "reject"),
    ({"b.example.com": "p=reject; psd=y"}, True, "b.example.com", "reject", "reject"),
    # testing
    ({"a.b.example.com": "p=reject; t=y"}, True, "a.b.example.com", "reject", "quarantine"),
    ({"a.b.example.com": "p=quarantine; t=y"}, True, "a.b.example.com", "quarantine", "none"),
    ({"a.b.example.com": "p=none; t=y"}, True, "a.b.example.com", "none", "none"),
    ({"a.b.example.com": "p=reject; t=n"}, True, "a.b.example.com", "reject", "reject"),
    ({"example.com": "p=none; sp=quarantine; np=reject; t=y"}, False, "example.com", "reject", "quarantine"),
    ({"example.com": "p=none; sp=quarantine; np=reject; t=y"}, True, "example.com", "quarantine", "none"),
    # pct is gone
    ({"example.com": "p=reject; pct=0"}, True, "example.com", "reject", "reject"),
    # p=none for the sake of the reports
    ({"a.b.example.com": "p=x; rua=mailto:a@b.example"}, True, "a.b.example.com", "none", "none"),
    ({"a.b.example.com": "rua=mailto:a@b.example"}, True, "a.b.example.com", "none", "none"),
    ({"example.com": "p=reject; sp=x; rua=mailto:a@b.example"}, True, "example.com", "none", "none"),
    ({"example.com": "p=reject; np=x; rua=mailto:a@b.example"}, True, "example.com", "none", "none"),
]  # fmt: skip


@pytest.mark.parametrize(("records", "exists", "record_domain", "published", "policy"), TABLE)
async def test_the_policy_that_applies(
    records: dict[str, str], exists: bool, record_domain: str, published: str, policy: str
) -> None:
    author = "a.b.example.com"
    texts = {domain: f"v=DMARC1; {tags}" for domain, tags in records.items()}
    zone = policies(texts, exist=(author,) if exists else ())

    verdict = await judge(zone, author)

    assert verdict.result is Result.FAIL
    assert (verdict.record_domain, verdict.published, verdict.policy) == (record_domain, published, policy)


@pytest.mark.parametrize(
    "tags", ["", "p=x", "p=reject; sp=x", "p=reject; np=x", "p=reject; sp=x; rua=x", "sp=reject"]
)
@pytest.mark.parametrize("domain", ["example.com", "mail.example.com"])
async def test_dmarc_does_not_apply_where_the_record_has_neither_policy_nor_destination(
    tags: str, domain: str
) -> None:
    verdict = await judge(
        policies({domain: f"v=DMARC1; {tags}"}), "mail.example.com", spf=spf("evil.example")
    )

    assert verdict.result is Result.PERMERROR
    assert (verdict.published, verdict.policy) == (Policy.NONE, Policy.NONE)


@pytest.mark.parametrize("texts", [[], ["v=spf1 -all"], ["v=DMARC1; p=reject", "v=DMARC1; p=reject"]])
async def test_without_a_record_there_is_no_policy(texts: list[str]) -> None:
    verdict = await judge(
        {"_dmarc.example.com": {"TXT": texts}}, "mail.example.com", spf=spf("mail.example.com")
    )

    assert verdict.result is Result.NONE
    assert verdict.record is None
    assert verdict.organizational_domain == "mail.example.com"


async def test_several_records_are_discarded_and_the_walk_goes_on() -> None:
    zone = policies({"example.com": "v=DMARC1; p=reject; sp=quarantine"})
    zone.put("_dmarc.mail.example.com", {"TXT": ["v=DMARC1; p=none", "v=DMARC1; p=none; psd=n"]})

    verdict = await judge(zone, "mail.example.com")

    assert (verdict.record_domain, verdict.policy) == ("example.com", Policy.QUARANTINE)


# np is for names that do not exist, and the question is asked only where the answer matters.


@pytest.mark.parametrize(
    ("records", "published"),
    [
        ({}, Policy.REJECT),
        ({"mail.example.com": {"A": ["192.0.2.1"]}}, Policy.QUARANTINE),
        ({"mail.example.com": {"MX": [(10, "mx.example.com")]}}, Policy.QUARANTINE),
        ({"mail.example.com": {"TXT": ["v=spf1 -all"]}}, Policy.QUARANTINE),
        ({"mail.example.com": {"CNAME": ["gone.example.net"]}}, Policy.QUARANTINE),
        ({"x.mail.example.com": {"A": ["192.0.2.1"]}}, Policy.QUARANTINE),
        ({"_dmarc.mail.example.com": {"TXT": ["no record"]}}, Policy.QUARANTINE),
        ({"_dmarc.mail.example.com": {"A": ["192.0.2.1"]}}, Policy.QUARANTINE),
    ],
)
async def test_np_is_for_names_of_which_nothing_exists(records: dict[str, Any], published: Policy) -> None:
    zone = Zone({"_dmarc.example.com": {"TXT": ["v=DMARC1; p=none; sp=quarantine; np=reject"]}, **records})

    assert (await judge(zone, "mail.example.com")).published is published


@pytest.mark.parametrize(
    "tags", ["p=reject", "p=reject; sp=none", "p=reject; sp=none; np=none", "p=none; np=none"]
)
async def test_whether_a_name_exists_is_not_asked_where_it_changes_nothing(tags: str) -> None:
    zone = policies({"example.com": f"v=DMARC1; {tags}"})

    await discover(zone, "mail.example.com")

    assert "TXT mail.example.com" not in zone.asked


# Alignment.

REJECT = "v=DMARC1; p=reject"
STRICT = f"{REJECT}; adkim=s; aspf=s"
CUT = f"{REJECT}; psd=n"


@pytest.mark.parametrize(
    ("records", "author", "identifier", "aligned"),
    [
        ({"example.com": REJECT}, "example.com", "example.com", True),
        ({"example.com": REJECT}, "example.com", "EXAMPLE.com.", True),
        ({"example.com": REJECT}, "example.com", "a.b.example.com", True),
        ({"example.com": REJECT}, "a.example.com", "b.example.com", True),
        ({"example.com": REJECT}, "example.com", "xexample.com", False),
        ({"example.com": REJECT}, "example.com", "com", False),
        ({"example.com": REJECT}, "example.com", "example.com.attack.example", False),
        ({"example.com": REJECT}, "example.com", "", False),
        ({"example.com": REJECT}, "example.com", "..", False),
        ({"a.example.com": REJECT}, "a.example.com", "example.com", False),
        ({"a.example.com": REJECT}, "a.example.com", "b.example.com", False),
        ({"a.example.com": REJECT}, "a.example.com", "x.a.example.com", True),
        ({"com": REJECT}, "one.com", "two.com", True),
        ({"com": f"{REJECT}; psd=y"}, "one.com", "two.com", False),
        ({"com": f"{REJECT}; psd=y"}, "one.com", "mail.one.com", True),
        ({"com": REJECT, "one.com": f"{REJECT}; psd=n"}, "one.com", "two.com", False),
        ({"com": f"{REJECT}; psd=y"}, "com", "one.com", False),
        ({"com": f"{REJECT}; psd=y"}, "com", "com", True),
        ({"example.com": REJECT, "b.example.com": CUT}, "example.com", "b.example.com", False),
        ({"example.com": REJECT, "b.example.com": CUT}, "b.example.com", "example.com", False),
        ({"example.com": REJECT, "b.example.com": CUT}, "b.example.com", "c.b.example.com", True),
        ({"example.com": REJECT, "b.example.com": REJECT}, "b.example.com", "a.example.com", True),
        ({"example.com": STRICT}, "example.com", "a.example.com", False),
        ({"example.com": STRICT}, "example.com", "Example.COM", True),
        # the record that applies sets the mode, not the one above
        ({"example.com": STRICT, "a.example.com": REJECT}, "a.example.com", "example.com", True),
    ],
)  # fmt: skip
async def test_what_aligns(records: dict[str, str], author: str, identifier: str, aligned: bool) -> None:
    by_spf = await judge(policies(records), author, spf=spf(identifier))
    by_dkim = await judge(policies(records), author, dkim=(dkim("other.example"), dkim(identifier)))

    assert by_spf.aligned_spf is aligned
    assert by_dkim.aligned_dkim == ((identifier,) if aligned else ())
    assert by_spf.result is by_dkim.result is (Result.PASS if aligned else Result.FAIL)


async def test_spf_and_dkim_have_modes_of_their_own() -> None:
    zone = policies({"example.com": f"{REJECT}; adkim=s"})

    verdict = await judge(zone, "example.com", spf=spf("a.example.com"), dkim=(dkim("a.example.com"),))

    assert (verdict.aligned_spf, verdict.aligned_dkim) == (True, ())


@pytest.mark.parametrize("result", [one for one in Result if one not in {Result.PASS, Result.TEMPERROR}])
async def test_only_a_pass_vouches(result: Result) -> None:
    zone = policies({"example.com": REJECT})

    verdict = await judge(
        zone, "example.com", spf=spf("example.com", result), dkim=(dkim("example.com", result),)
    )

    assert verdict.result is Result.FAIL


async def test_a_signature_that_does_not_count_vouches_for_nothing() -> None:
    zone = policies({"example.com": REJECT})

    verdict = await judge(zone, "example.com", dkim=(dkim("example.com", counts=False),))

    assert verdict.result is Result.FAIL


async def test_spf_of_helo_vouches_for_nothing() -> None:
    zone = policies({"example.com": REJECT})

    verdict = await judge(zone, "example.com", spf=spf("example.com", identity=Identity.HELO))

    assert verdict.result is Result.FAIL


async def test_a_domain_that_signs_twice_is_named_once() -> None:
    zone = policies({"example.com": REJECT})
    signatures = (dkim("b.example.com"), dkim("example.com"), dkim("b.example.com"), dkim("c.example"))

    verdict = await judge(zone, "example.com", dkim=signatures)

    assert verdict.aligned_dkim == ("b.example.com", "example.com")


# What it costs.


async def test_strict_alignment_needs_one_question() -> None:
    zone = policies({"example.com": f"{REJECT}; adkim=s; aspf=s"})

    await judge(zone, "example.com", spf=spf("a.example.com"), dkim=(dkim("b.example.com"),))

    assert zone.asked == ["TXT _dmarc.example.com"]


async def test_foreign_domains_cost_no_question() -> None:
    zone = policies({"example.com": REJECT})
    signatures = tuple(dkim(f"{number}.attack.com") for number in range(100))

    await judge(zone, "mail.example.com", spf=spf("attack.com"), dkim=signatures)

    assert zone.asked == ["TXT _dmarc.mail.example.com", "TXT _dmarc.example.com", "TXT _dmarc.com"]


async def test_no_name_is_asked_twice() -> None:
    zone = policies({"example.com": REJECT})
    signatures = (
        dkim("b.example.com"),
        dkim("c.b.example.com"),
        dkim("b.example.com"),
        dkim("mail.example.com"),
    )

    await judge(zone, "mail.example.com", spf=spf("b.example.com"), dkim=signatures)

    assert len(zone.asked) == len(set(zone.asked)) == 5


# DNS trouble: never none, never fail.


@pytest.mark.parametrize("failing", ["_dmarc.mail.example.com", "_dmarc.example.com", "_dmarc.com"])
@pytest.mark.parametrize("passes", [False, True])
async def test_without_an_answer_the_policy_is_unknown(failing: str, passes: bool) -> None:
    zone = policies({"example.com": REJECT}, failing=(failing,))

    verdict = await judge(zone, "mail.example.com", spf=spf("mail.example.com") if passes else None)

    assert verdict.result is Result.TEMPERROR
    assert verdict.record is None
    assert verdict.policy is Policy.NONE
    assert failing in verdict.reason


@pytest.mark.parametrize(
    ("identifier", "result"),
    [
        (None, Result.FAIL),
        ("example.net", Result.FAIL),
        ("mail.example.com", Result.PASS),
        ("example.com", Result.TEMPERROR),
        ("a.mail.example.com", Result.TEMPERROR),
    ],
)
async def test_trouble_above_the_authors_own_record_matters_only_where_alignment_hangs_on_it(
    identifier: str | None, result: Result
) -> None:
    zone = policies({"mail.example.com": REJECT}, failing=("_dmarc.example.com",))

    verdict = await judge(zone, "mail.example.com", spf=spf(identifier) if identifier else None)

    assert verdict.result is result
    assert (verdict.policy, verdict.record_domain) == (Policy.REJECT, "mail.example.com")


async def test_trouble_in_the_walk_of_an_identifier_leaves_the_verdict_open() -> None:
    zone = policies({"example.com": REJECT}, failing=("_dmarc.b.example.com",))

    alone = await judge(zone, "example.com", dkim=(dkim("b.example.com"),))
    with_another = await judge(zone, "example.com", dkim=(dkim("b.example.com"), dkim("example.com")))

    assert (alone.result, alone.reason) == (Result.TEMPERROR, "no answer: _dmarc.b.example.com")
    assert (with_another.result, with_another.aligned_dkim) == (Result.PASS, ("example.com",))


@pytest.mark.parametrize(
    ("domain", "result"),
    [("example.com", Result.TEMPERROR), ("b.example.com", Result.TEMPERROR), ("attack.com", Result.FAIL)],
)
async def test_a_check_that_is_open_leaves_the_verdict_open_where_its_domain_would_align(
    domain: str, result: Result
) -> None:
    zone = policies({"example.com": REJECT})

    by_spf = await judge(zone, "example.com", spf=spf(domain, Result.TEMPERROR))
    by_dkim = await judge(zone, "example.com", dkim=(dkim(domain, Result.TEMPERROR),))
    passing = await judge(zone, "example.com", spf=spf(domain, Result.TEMPERROR), dkim=(dkim("example.com"),))

    assert by_spf.result is by_dkim.result is result
    assert passing.result is Result.PASS


async def test_trouble_over_whether_a_name_exists_leaves_a_failure_open_but_not_a_pass() -> None:
    record = "v=DMARC1; p=quarantine; np=reject"
    zone = policies({"example.com": record}, failing=("mail.example.com",))

    failing = await judge(zone, "mail.example.com")
    passing = await judge(zone, "mail.example.com", spf=spf("example.com"))

    assert (failing.result, failing.policy) == (Result.TEMPERROR, Policy.QUARANTINE)
    assert passing.result is Result.PASS


async def test_a_message_that_may_ask_no_more_is_no_message_without_policy() -> None:
    zone = policies({"example.com": REJECT})
    lookup = BudgetedLookup(zone, deadline=asyncio.get_running_loop().time() + 60, max_questions=1)

    verdict = await evaluate(lookup, await discover(lookup, "mail.example.com"), spf=None, dkim=())

    assert verdict.result is Result.TEMPERROR


# Several author domains.


def found(result: Result, policy: Policy = Policy.NONE) -> DmarcVerdict:
    return DmarcVerdict(result, "example.com", policy=policy)


def test_the_strictest_failure_speaks_for_the_message_and_a_pass_only_where_all_pass() -> None:
    ranking = [
        found(Result.PASS, Policy.REJECT),
        found(Result.NONE),
        found(Result.PERMERROR),
        found(Result.FAIL),
        found(Result.TEMPERROR),
        found(Result.FAIL, Policy.QUARANTINE),
        found(Result.FAIL, Policy.REJECT),
    ]

    for at, one in enumerate(ranking):
        for order in permutations([one, *ranking[:at][-2:]]):
            assert strictest(order) is one
    with pytest.raises(ValueError, match="empty"):
        strictest([])


# What `mxgw verify` tells.


async def test_the_steps_tell_the_whole_way() -> None:
    zone = policies(
        {"example.com": "v=DMARC1; p=none; sp=reject; np=quarantine; t=y"}, exist=("mail.example.com",)
    )

    verdict = await judge(zone, "mail.example.com", spf=spf("attack.example"), dkim=(dkim("b.example.com"),))

    assert verdict.steps == (
        "_dmarc.mail.example.com: no such name",
        "_dmarc.example.com: v=DMARC1; p=none; sp=reject; np=quarantine; t=y",
        "_dmarc.com: no such name",
        "mail.example.com exists: sp or p applies",
        "organizational domain of mail.example.com: example.com",
        "SPF pass for attack.example: not aligned, outside of example.com",
        "_dmarc.b.example.com: no such name",
        "DKIM pass for b.example.com: aligned, its organizational domain is example.com",
        "policy of example.com for mail.example.com: reject, t=y lowers it to quarantine",
        "pass",
    )


async def test_the_steps_tell_why_a_record_does_not_count() -> None:
    zone = policies({"example.com": "v=DMARC1; p=reject; p=none"})
    zone.put("_dmarc.com", {"TXT": ["v=DMARC1; p=none", "v=DMARC1; p=none"]})

    assert (await judge(zone, "example.com")).steps == (
        "_dmarc.example.com: a DMARC record, discarded: tag p occurs twice",
        "_dmarc.com: 2 DMARC records, all discarded",
        "organizational domain of example.com: example.com",
        "none: no DMARC record",
    )


async def test_a_walk_remembers_what_is_known() -> None:
    zone = policies({"example.com": REJECT})
    records = PolicyRecords(zone)

    await records.walk("a.example.com")
    await PolicyRecords(zone, records.known).walk("a.example.com")

    assert len(zone.asked) == 3
