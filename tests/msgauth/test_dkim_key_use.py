"""What the key record, or its lack, makes of a signature (RFC 6376 sections 3.6.1 and 6.1.2, RFC 8301)."""

from __future__ import annotations

import pytest

from mxgw.msgauth.results import Result
from tests.msgauth.dkim_judge import KEY_NAME, dkim_verdict, zone_of
from tests.msgauth.dkim_keymaker import rsa_record
from tests.msgauth.dkim_signer import MESSAGE, TAGS, ed25519_key, key_record, rsa_key, sign
from tests.rig.zone import Zone


@pytest.mark.parametrize(
    ("bits", "reason"), [(512, "key of 512 bits is too short"), (768, "key of 768 bits is too short")]
)
async def test_a_signature_with_a_short_key_never_passes(bits: int, reason: str) -> None:
    short = rsa_key(1024)  # cryptography makes none shorter; the record decides
    modulus = 2 ** (bits - 1) + 1
    record = Zone({KEY_NAME: {"TXT": [rsa_record(modulus, 65_537)]}})

    verdict = await dkim_verdict(sign(MESSAGE, short), record)

    assert (verdict.result, verdict.reason, verdict.key_bits) == (Result.POLICY, reason, bits)


async def test_a_signature_with_a_huge_key_is_not_worked_out() -> None:
    record = Zone({KEY_NAME: {"TXT": [rsa_record(2**20_000 + 1, 3)]}})

    verdict = await dkim_verdict(sign(MESSAGE, rsa_key()), record)

    assert (verdict.result, verdict.reason) == (Result.POLICY, "key of 20001 bits is too long")


@pytest.mark.parametrize(
    ("more", "result", "reason"),
    [
        ("s=email; ", Result.PASS, ""),
        ("s=tlsrpt; ", Result.PERMERROR, "key is not for e-mail"),
        ("h=sha256:sha1; ", Result.PASS, ""),
        ("h=sha1; ", Result.PERMERROR, "key is not for SHA-256"),
        ("t=s; ", Result.PASS, ""),
        ("n=a note; x_unknown=1; ", Result.PASS, ""),
    ],
)
async def test_the_key_record_has_a_say(more: str, result: Result, reason: str) -> None:
    verdict = await dkim_verdict(sign(MESSAGE, rsa_key()), zone_of(rsa_key(), more=more))

    assert (verdict.result, verdict.reason) == (result, reason)


async def test_a_key_may_forbid_subdomains_in_the_identity() -> None:
    message = sign(MESSAGE, rsa_key(), f"{TAGS}; i=joe@lists.example.com")

    free = await dkim_verdict(message, zone_of(rsa_key()))
    strict = await dkim_verdict(message, zone_of(rsa_key(), more="t=s; "))

    assert (free.result, strict.result) == (Result.PASS, Result.PERMERROR)
    assert strict.reason == "key forbids a subdomain in i="


async def test_a_key_in_test_mode_makes_no_difference_from_unsigned() -> None:
    zone = zone_of(rsa_key(), more="t=y; ")
    message = sign(MESSAGE, rsa_key())

    passed = await dkim_verdict(message, zone)
    failed = await dkim_verdict(message.replace(b"Joe.", b"Jim."), zone)

    assert (passed.result, passed.counts_for_dmarc) == (Result.PASS, False)
    assert passed.reason == "key is in test mode"
    assert (failed.result, failed.counts_for_dmarc) == (Result.NEUTRAL, False)
    assert failed.reason == "body hash differs; key is in test mode"


async def test_a_revoked_key_is_an_error_that_stays() -> None:
    verdict = await dkim_verdict(sign(MESSAGE, rsa_key()), Zone({KEY_NAME: {"TXT": ["v=DKIM1; p="]}}))

    assert (verdict.result, verdict.reason) == (Result.PERMERROR, "key is revoked")


async def test_a_name_without_a_key_is_an_error_that_stays() -> None:
    message = sign(MESSAGE, rsa_key())

    no_name = await dkim_verdict(message, Zone())
    no_data = await dkim_verdict(message, Zone({KEY_NAME: {"A": ["192.0.2.1"]}}))

    assert (no_name.result, no_name.reason) == (Result.PERMERROR, "no key")
    assert (no_data.result, no_data.reason) == (Result.PERMERROR, "no key")


async def test_trouble_with_dns_is_temporary() -> None:
    verdict = await dkim_verdict(sign(MESSAGE, rsa_key()), Zone(failing={KEY_NAME}))

    assert (verdict.result, verdict.reason) == (Result.TEMPERROR, "no answer from DNS for the key")


async def test_a_body_that_differs_is_known_without_dns() -> None:
    message = sign(MESSAGE, rsa_key()).replace(b"Joe.", b"Jim.")

    verdict = await dkim_verdict(message, Zone(failing={KEY_NAME}))

    assert (verdict.result, verdict.reason) == (Result.FAIL, "body hash differs")


async def test_of_several_key_records_each_is_tried() -> None:
    records = ["some note", key_record(rsa_key(1024)), key_record(rsa_key())]

    verdict = await dkim_verdict(sign(MESSAGE, rsa_key()), Zone({KEY_NAME: {"TXT": records}}))

    assert (verdict.result, verdict.key_bits) == (Result.PASS, 2048)


async def test_of_several_key_records_that_fail_the_closest_is_told() -> None:
    records = ["some note", key_record(ed25519_key()), key_record(rsa_key(1024)), "v=DKIM1; p="]

    verdict = await dkim_verdict(sign(MESSAGE, rsa_key()), Zone({KEY_NAME: {"TXT": records}}))

    assert (verdict.result, verdict.reason, verdict.key_bits) == (Result.FAIL, "signature differs", 1024)


async def test_no_more_than_a_few_key_records_are_tried() -> None:
    records = [*["v=DKIM1; p="] * 4, key_record(rsa_key())]

    verdict = await dkim_verdict(sign(MESSAGE, rsa_key()), Zone({KEY_NAME: {"TXT": records}}))

    assert verdict.result is Result.PERMERROR
