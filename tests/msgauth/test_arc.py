"""ARC chains: RFC 8617 sections 4 and 5.2, and ValiMail's validation suite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mxgw.header import parse_header
from mxgw.msgauth.arc import MAX_KEYS, ArcVerdict
from mxgw.msgauth.dkim import DkimPlan
from mxgw.msgauth.results import Result
from tests.msgauth.arc_sealer import seal, seal_field
from tests.msgauth.dkim_judge import KEY_NAME, NOW, arc_verdict, zone_of, zone_with
from tests.msgauth.dkim_signer import MESSAGE, ed25519_key, key_record, rsa_key
from tests.rig.zone import Zone

SUITE = Path(__file__).parents[3] / "shared/testdata/arc/arc-draft-validation-tests.yml"
ZONE = {KEY_NAME: key_record(ed25519_key())}


def suite_cases() -> list[Any]:
    if not SUITE.exists():
        absent = pytest.mark.skip(
            reason=f"ValiMail's ARC suite is not there: {SUITE.name} beside the checkout"
        )
        return [pytest.param("", "", {}, marks=absent)]
    return [
        pytest.param(test["message"], test["cv"], part["txt-records"], id=name)
        for part in yaml.safe_load_all(SUITE.read_text())
        for name, test in part["tests"].items()
    ]


@pytest.mark.parametrize(("message", "expected", "records"), suite_cases())
async def test_the_validation_suite(message: str, expected: str, records: dict[str, str]) -> None:
    # Empty where the newest seal says cv=fail: nothing more is to be found out, the chain has failed.
    result = Result(expected.strip().lower() or "fail")

    verdict = await arc_verdict(message.replace("\n", "\r\n").encode(), zone_with(records))

    assert verdict.result is result, verdict


async def judged(message: bytes, zone: Zone | None = None) -> ArcVerdict:
    return await arc_verdict(message, zone or zone_with(ZONE))


async def test_no_chain_is_none() -> None:
    verdict = await judged(MESSAGE)

    assert (verdict.result, verdict.reason, verdict.sealers) == (Result.NONE, "", ())


@pytest.mark.parametrize(
    ("names", "more_fields", "sealed"),
    [
        ("from:to:subject", b"", True),
        ("to:subject", b"", False),
        ("from:to:subject", b"From: joe@bank.example\r\n", False),
    ],
)
async def test_a_chain_says_whether_it_covers_the_author(
    names: str, more_fields: bytes, sealed: bool
) -> None:
    """It may pass all the same: RFC 8617 section 4.1.2 asks for no field in particular."""
    verdict = await judged(more_fields + seal(MESSAGE, 1, names=names))

    assert (verdict.result, verdict.author_sealed) == (Result.PASS, sealed)


async def test_a_chain_of_three_tells_its_sealers_and_the_newest_results() -> None:
    records = {f"sel._domainkey.{name}.example": key_record(ed25519_key()) for name in "abc"}
    message = MESSAGE
    for instance, name in enumerate("abc", 1):
        message = seal(
            message, instance, domain=f"{name}.example", results=f"{name}.example;\r\n\tdmarc=pass (x)"
        )

    verdict = await judged(message, zone_with(records))

    assert (verdict.result, verdict.reason, verdict.temporary) == (Result.PASS, "", False)
    assert verdict.sealers == ("c.example", "b.example", "a.example")
    assert verdict.oldest_pass == 0
    assert verdict.results == "c.example; dmarc=pass (x)"


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
async def test_both_kinds_of_key_may_seal(kind: str) -> None:
    key = rsa_key() if kind == "rsa" else ed25519_key()

    verdict = await judged(seal(MESSAGE, 1, key=key), zone_of(key))

    assert verdict.result is Result.PASS


async def test_oldest_pass_is_where_the_message_was_altered_last() -> None:
    first = seal(MESSAGE, 1).replace(b"Subject: Is", b"Subject: [list] Is")

    verdict = await judged(seal(seal(first, 2), 3))

    assert (verdict.result, verdict.oldest_pass) == (Result.PASS, 2)


async def test_a_message_altered_after_the_newest_set_fails() -> None:
    verdict = await judged(seal(seal(MESSAGE, 1), 2).replace(b"Joe.", b"Jim."))

    assert (verdict.result, verdict.reason) == (Result.FAIL, "message signature 2: body hash differs")
    assert verdict.oldest_pass is None


async def test_results_altered_after_they_were_sealed_fail() -> None:
    first = seal(MESSAGE, 1, results="one.example; spf=fail", names="from")

    verdict = await judged(seal(first, 2, names="from").replace(b"spf=fail", b"spf=pass"))

    assert (verdict.result, verdict.reason) == (Result.FAIL, "seal 2: signature differs")


async def test_an_older_message_signature_that_cannot_be_read_is_no_fault_of_the_chain() -> None:
    """RFC 8617 section 5.2 asks only for the newest one to validate."""
    first = seal(MESSAGE, 1, more="l=; ")

    verdict = await judged(seal(first, 2))

    assert (verdict.result, verdict.oldest_pass) == (Result.PASS, 2)


async def test_older_message_signatures_get_only_the_questions_that_are_left() -> None:
    message = MESSAGE
    records: dict[str, str] = {}
    for instance in range(1, 10):
        domain, signer = f"seal{instance}.example", f"sign{instance}.example"
        message = seal(message, instance, domain=domain, signer=signer)
        records |= {f"sel._domainkey.{name}": key_record(ed25519_key()) for name in (domain, signer)}
    zone = zone_with(records)

    verdict = await judged(message, zone)

    assert (verdict.result, zone.questions) == (Result.PASS, MAX_KEYS)
    assert verdict.oldest_pass == 7
    assert "message signature 6 of sign6.example: too many different keys" in verdict.steps


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"ARC-Seal: i=2", b"X-Seal: i=2", "set 2 has no ARC-Seal"),
        (b"ARC-Seal: i=1", b"ARC-Seal: i=3", "set 1 has no ARC-Seal"),
        (b"ARC-Seal: i=1", b"ARC-Seal: i=2", "two ARC-Seal fields of set 2"),
        (b"ARC-Seal: i=2", b"ARC-Seal: i=51", "ARC-Seal has no valid instance"),
        (b"ARC-Seal: i=2", b"ARC-Seal: i=0", "ARC-Seal has no valid instance"),
        (b"ARC-Seal: i=2", b"ARC-Seal: I=2", "ARC-Seal has no valid instance"),
        (b"Results: i=2; mx", b"Results: mx", "ARC-Authentication-Results has no valid instance"),
        (b"cv=pass", b"cv=none", "seal 2 says cv=none"),
        (b"cv=pass", b"cv=fail", "seal 2 says that the chain failed before it"),
        (b"cv=none", b"cv=fail", "seal 1 says that the chain failed before it"),
        (b"cv=none", b"cv=pass", "seal 1 says cv=pass"),
        (b"cv=none", b"cv=none; h=from", "seal 1: h= is not allowed"),
        (b"cv=none", b"cv=NONE", "seal 1: cv= is not a word of the RFC"),
    ],
)
async def test_fields_that_are_no_chain(old: bytes, new: bytes, reason: str) -> None:
    message = seal(seal(MESSAGE, 1), 2)
    assert old in message

    verdict = await judged(message.replace(old, new, 1))

    assert (verdict.result, verdict.reason) == (Result.FAIL, reason)


@pytest.mark.parametrize(
    "start",
    [
        "i=1;",
        " i = 1 ;",
        "(a comment) i=1;",
        "i=01;",
        "\r\n\t(a (nested) \\) one)\r\n i (b) = (c) 1 (d) ;",
    ],
)
async def test_comments_and_folds_around_the_instance_of_the_results(start: str) -> None:
    message = MESSAGE
    unsealed = f"ARC-Authentication-Results: {start} mx.example.com; none\r\n".encode() + message
    sealed = seal(message, 1)
    plan = DkimPlan.of(parse_header(sealed.partition(b"ARC-Auth")[0] + unsealed))

    assert plan.chain.fault == ""


async def test_instances_are_told_with_and_without_a_blank_before_them() -> None:
    tags = "i=1;a=ed25519-sha256;d=example.com;s=sel;cv=none;b=@B@"
    message = seal(MESSAGE, 1).partition(b"\r\n")[2]
    sealed = seal_field(message, tags, ed25519_key()).replace(b"Seal: i", b"Seal:i")

    assert (await judged(sealed + message)).result is Result.PASS


async def test_trouble_with_dns_is_told_apart_from_a_broken_chain() -> None:
    message = seal(seal(MESSAGE, 1), 2)
    no_answer = Zone(failing={KEY_NAME})

    temporary = await judged(message, no_answer)
    broken = await judged(message.replace(b"Joe.", b"Jim."), no_answer)

    assert (temporary.result, temporary.temporary) == (Result.FAIL, True)
    assert temporary.reason == "message signature 2: no answer from DNS for the key"
    assert (broken.result, broken.temporary) == (Result.FAIL, False)


async def test_a_message_signature_that_has_expired_or_leaves_a_tail_does_not_hold() -> None:
    now = int(NOW.timestamp())

    expired = await judged(seal(MESSAGE, 1, more=f"t=1; x={now - 3600}; "))
    tail = await judged(seal(MESSAGE, 1, more="l=3; "))

    assert expired.reason == "message signature 1: signature has expired"
    assert tail.reason == "message signature 1: the end of the body is not signed"
    assert (expired.result, tail.result) == (Result.FAIL, Result.FAIL)


async def test_the_newest_results_are_shown_without_control_characters() -> None:
    verdict = await judged(seal(MESSAGE, 1, results="mx; spf=pass smtp.mailfrom=\x1b[31m\x7f\0 \u202e"))

    assert verdict.result is Result.PASS
    assert verdict.results == "mx; spf=pass smtp.mailfrom=?[31m?? ?"


async def test_the_keys_of_a_chain_are_known_before_the_body() -> None:
    plan = DkimPlan.of(parse_header(seal(seal(MESSAGE, 1, domain="a.example"), 2)))

    assert plan.key_names == ()
    assert plan.chain.key_names == (KEY_NAME, "sel._domainkey.a.example")
    assert [form.canonicalisation for form in plan.body_forms] == ["relaxed"]


async def test_a_verdict_explains_itself() -> None:
    verdict = await judged(seal(MESSAGE, 1))

    assert verdict.steps[0] == "message signature 1 of example.com: pass"
    assert verdict.steps[-2:] == (
        "seal 1 of example.com: pass",
        f"{KEY_NAME}: ed25519-sha256, 256 bits: signature verifies",
    )
