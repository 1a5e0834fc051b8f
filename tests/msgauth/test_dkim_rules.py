"""DKIM verification rule by rule: RFC 6376 sections 3.5, 3.6.1, 5.4 and 6.1, RFC 8301, RFC 8463, RFC 8616."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mxgw.header import parse_header
from mxgw.msgauth.author import author_of
from mxgw.msgauth.dkim import DkimPlan
from mxgw.msgauth.dkim_check import CLOCK_SLACK_SECONDS
from mxgw.msgauth.results import Result
from tests.msgauth.dkim_judge import KEY_NAME, NOW, dkim_verdict, dkim_verdicts, zone_of
from tests.msgauth.dkim_signer import (
    MESSAGE,
    TAGS,
    PrivateKey,
    canonical_body,
    ed25519_key,
    rsa_key,
    sign,
)
from tests.rig.zone import Zone

SECONDS = int(NOW.timestamp())
SIMPLE = TAGS.replace("relaxed/relaxed", "simple/simple")
RELAXED_OCTETS, SIMPLE_OCTETS = (
    len(canonical_body(MESSAGE.partition(b"\r\n\r\n")[2], relaxed=relaxed)) for relaxed in (True, False)
)


async def judged(tags: str, message: bytes = MESSAGE) -> tuple[Result, str]:
    """Sign with these tags, and judge."""
    verdict = await dkim_verdict(sign(message, rsa_key(), tags), zone_of(rsa_key()))
    assert verdict.counts_for_dmarc is (verdict.result is Result.PASS)
    return verdict.result, verdict.reason


async def test_an_unsigned_message_has_no_verdict() -> None:
    assert await dkim_verdicts(MESSAGE, Zone()) == ()


@pytest.mark.parametrize("header", ["simple", "relaxed"])
@pytest.mark.parametrize("body", ["simple", "relaxed"])
@pytest.mark.parametrize(
    "key", [rsa_key(1024), rsa_key(), rsa_key(4096), ed25519_key()], ids=["1024", "2048", "4096", "ed25519"]
)
async def test_every_canonicalisation_with_every_kind_of_key(header: str, body: str, key: PrivateKey) -> None:
    kind = "ed25519" if key is ed25519_key() else "rsa"
    tags = TAGS.replace("relaxed/relaxed", f"{header}/{body}").replace("rsa-", f"{kind}-")

    verdict = await dkim_verdict(sign(MESSAGE, key, tags), zone_of(key))

    assert (verdict.result, verdict.reason, verdict.counts_for_dmarc) == (Result.PASS, "", True)


@pytest.mark.parametrize("canonicalisation", ["simple/simple", "relaxed/relaxed"])
@pytest.mark.parametrize(
    ("tags", "before"),
    [
        (TAGS + " ; t=1", " "),
        (TAGS + "\r\n\t; t=1", " "),
        (TAGS + "; ", " "),
        (TAGS + "  ", " "),
        (TAGS + ";\r\n ", " "),
        (TAGS.replace("b=@B@", "b = \r\n @B@"), " "),
        (TAGS.replace("bh=@BH@", "bh =\r\n\t @BH@ "), " "),
        (TAGS.replace(" ", ""), ""),
        ("b=@B@; " + TAGS.removesuffix("; b=@B@"), ""),
        ("\r\n b=@B@;" + TAGS.removesuffix("; b=@B@"), " "),
        (TAGS.replace("h=from:to", "h = FROM :\r\n\tTo "), " "),
        (TAGS.replace("from:to", "from::to"), " "),
        (TAGS.replace("subject", "subject:from:subject:dkim-signature:x-none"), " "),
        (TAGS.replace("d=example.com", "d=Example.COM"), " "),
        (TAGS + "; q=other:dns/txt; x_unknown=\x0b(\xfe)=", " "),
        (TAGS + "; z=From:joe=40example.com|Subject:b=3D", " "),
        (TAGS + f"; t={SECONDS}; x={SECONDS + 60}", " "),
        (TAGS + "; i=@example.com", " "),
        (TAGS + "; i=any=20one\r\n @lists.example.com", " "),
        (TAGS + f"; l={RELAXED_OCTETS}", " "),
    ],
)
async def test_layouts_that_a_signer_may_choose(canonicalisation: str, tags: str, before: str) -> None:
    tags = tags.replace("relaxed/relaxed", canonicalisation)
    if canonicalisation == "simple/simple":
        tags = tags.replace(f"l={RELAXED_OCTETS}", f"l={SIMPLE_OCTETS}")

    verdict = await dkim_verdict(sign(MESSAGE, rsa_key(), tags, before=before), zone_of(rsa_key()))

    assert (verdict.result, verdict.reason) == (Result.PASS, "")


@pytest.mark.parametrize(
    ("old", "new", "result", "reason"),
    [
        ("v=1; ", "", Result.PERMERROR, "v= is missing"),
        ("v=1", "v=2", Result.NEUTRAL, "version is not known"),
        ("a=rsa-sha256; ", "", Result.PERMERROR, "a= is missing"),
        ("a=rsa-sha256", "a=rsa-sha1", Result.PERMERROR, "rsa-sha1 is not accepted (RFC 8301)"),
        ("a=rsa-sha256", "a=rsa-sha512", Result.NEUTRAL, "algorithm is not known"),
        ("a=rsa-sha256", "a=RSA-SHA256", Result.NEUTRAL, "algorithm is not known"),
        ("a=rsa-sha256", "a=ed25519-sha256", Result.PERMERROR, "key is of another algorithm"),
        ("c=relaxed/relaxed", "c=", Result.NEUTRAL, "canonicalisation is not known"),
        ("c=relaxed/relaxed", "c=relaxed/nofws", Result.NEUTRAL, "canonicalisation is not known"),
        ("c=relaxed/relaxed", "c=relaxed/", Result.NEUTRAL, "canonicalisation is not known"),
        ("d=example.com; ", "", Result.PERMERROR, "d= is missing"),
        ("d=example.com", "d=", Result.PERMERROR, "d= is not a domain name"),
        ("d=example.com", "d=com", Result.PERMERROR, "d= is not a domain name"),
        ("d=example.com", "d=example.com.", Result.PERMERROR, "d= is not a domain name"),
        ("d=example.com", "d=exam ple.com", Result.PERMERROR, "d= is not a domain name"),
        ("d=example.com", "d=-example.com", Result.PERMERROR, "d= is not a domain name"),
        ("d=example.com", "d=example.com\0.evil.net", Result.PERMERROR, "d= is not a domain name"),
        ("d=example.com", "d=example.com'a.evil.net", Result.PERMERROR, "d= is not a domain name"),
        ("d=example.com", f"d={'a' * 64}.com", Result.PERMERROR, "d= is not a domain name"),
        ("d=example.com", f"d={'abcdefg.' * 32}com", Result.PERMERROR, "d= is not a domain name"),
        ("s=sel; ", "", Result.PERMERROR, "s= is missing"),
        ("s=sel", "s=", Result.PERMERROR, "s= is not a selector"),
        ("s=sel", "s=sel/ector", Result.PERMERROR, "s= is not a selector"),
        ("s=sel", "s=a..b", Result.PERMERROR, "s= is not a selector"),
        ("s=sel", "s=other", Result.PERMERROR, "no key"),
        ("h=from:to:subject; ", "", Result.PERMERROR, "h= is missing"),
        ("h=from:to:subject", "h=", Result.PERMERROR, "From is not signed"),
        ("h=from:to:subject", "h=to:subject", Result.PERMERROR, "From is not signed"),
        ("h=from:to:subject", "h=fr om:to:subject", Result.PERMERROR, "From is not signed"),
        ("h=from", "h=from" + ":x" * 128, Result.PERMERROR, "too many names in h="),
        ("bh=@BH@; ", "", Result.PERMERROR, "bh= is missing"),
        ("bh=@BH@", "bh=", Result.PERMERROR, "bh= is not a SHA-256 hash"),
        ("bh=@BH@", "bh=AAAA", Result.PERMERROR, "bh= is not a SHA-256 hash"),
        ("bh=@BH@", "bh=*", Result.PERMERROR, "bh= is not base64"),
        ("bh=@BH@", f"bh={'A' * 43}=", Result.FAIL, "body hash differs"),
        ("b=@B@", "b", Result.PERMERROR, "not a list of tags"),
        ("b=@B@", "b=", Result.PERMERROR, "b= is empty"),
        ("b=@B@", "b=QUFB", Result.FAIL, "signature differs"),
        ("b=@B@", "b=QUF", Result.PERMERROR, "b= is not base64"),
        ("b=@B@", "b=@B@; b=@B@", Result.PERMERROR, "two tags b="),
        ("b=@B@", "b=@B@;;", Result.PERMERROR, "not a list of tags"),
        ("b=@B@", "b=@B@; l=", Result.PERMERROR, "l= is not a number"),
        ("b=@B@", "b=@B@; l=-1", Result.PERMERROR, "l= is not a number"),
        ("b=@B@", f"b=@B@; l={'9' * 77}", Result.PERMERROR, "l= is not a number"),
        ("b=@B@", "b=@B@; t=yesterday", Result.PERMERROR, "t= is not a number"),
        ("b=@B@", f"b=@B@; t={'9' * 5000}", Result.PERMERROR, "t= is not a number"),
        ("b=@B@", "b=@B@; x=1\u0661", Result.PERMERROR, "x= is not a number"),
        ("b=@B@", "b=@B@; t=100; x=100", Result.PERMERROR, "expires before it was signed"),
        (
            "b=@B@",
            "b=@B@; q=dns/other",
            Result.NEUTRAL,
            "q= has no way to ask for the key that is known",
        ),
        ("b=@B@", "b=@B@; i=", Result.PERMERROR, "i= is not an identity"),
        ("b=@B@", "b=@B@; i=example.com", Result.PERMERROR, "i= is not an identity"),
        ("b=@B@", "b=@B@; i=joe@", Result.PERMERROR, "i= is not an identity"),
        ("b=@B@", "b=@B@; i=@example.net", Result.PERMERROR, "i= is not within d="),
        ("b=@B@", "b=@B@; i=@badexample.com", Result.PERMERROR, "i= is not within d="),
        ("d=example.com", "d=www.example.com; i=@example.com", Result.PERMERROR, "i= is not within d="),
        ("b=@B@", f"b=@B@; z={'x' * 8192}", Result.PERMERROR, "field is too long"),
    ],
)
async def test_what_a_signature_may_not_say(old: str, new: str, result: Result, reason: str) -> None:
    assert old in TAGS

    # Written after signing where the signer needs the tag to do its work.
    assert await judged_field(TAGS.replace(old, new)) == (result, reason)


async def judged_field(tags: str) -> tuple[Result, str]:
    signed = sign(MESSAGE, rsa_key(), TAGS)
    value = signed.partition(b"; b=")[2].partition(b"\r\n")[0].decode()
    body_hash = signed.partition(b"bh=")[2].partition(b";")[0].decode()
    field = f"DKIM-Signature: {tags.replace('@BH@', body_hash).replace('@B@', value)}\r\n".encode()
    verdict = await dkim_verdict(field + MESSAGE, zone_of(rsa_key()))
    assert not verdict.counts_for_dmarc
    return verdict.result, verdict.reason


@pytest.mark.parametrize(
    ("age_seconds", "result", "reason"),
    [
        (-60, Result.PASS, ""),
        (CLOCK_SLACK_SECONDS - 1, Result.PASS, ""),
        (CLOCK_SLACK_SECONDS + 1, Result.POLICY, "signature has expired"),
        (3600, Result.POLICY, "signature has expired"),
    ],
)
async def test_x_is_honoured_with_minutes_of_slack(age_seconds: int, result: Result, reason: str) -> None:
    assert await judged(f"{TAGS}; t=1; x={SECONDS - age_seconds}") == (result, reason)


@pytest.mark.parametrize(
    ("ahead_seconds", "result", "reason"),
    [
        (CLOCK_SLACK_SECONDS - 1, Result.PASS, ""),
        (CLOCK_SLACK_SECONDS + 1, Result.POLICY, "signed in the future"),
        (10**11, Result.POLICY, "signed in the future"),
    ],
)
async def test_t_in_the_future_is_honoured_with_minutes_of_slack(
    ahead_seconds: int, result: Result, reason: str
) -> None:
    assert await judged(f"{TAGS}; t={SECONDS + ahead_seconds}") == (result, reason)


async def test_the_clock_is_the_callers() -> None:
    message = sign(MESSAGE, rsa_key(), f"{TAGS}; x={SECONDS}")

    verdict = await dkim_verdict(message, zone_of(rsa_key()), now=NOW + timedelta(days=1))

    assert verdict.result is Result.POLICY


@pytest.mark.parametrize("length", [0, 1, RELAXED_OCTETS - 1])
async def test_a_body_with_an_unsigned_tail_does_not_count(length: int) -> None:
    assert await judged(f"{TAGS}; l={length}") == (Result.POLICY, "the end of the body is not signed")


async def test_an_appended_tail_does_not_count() -> None:
    message = sign(MESSAGE, rsa_key(), f"{TAGS}; l={RELAXED_OCTETS}")

    verdict = await dkim_verdict(message + b"Buy!\r\n", zone_of(rsa_key()))

    assert (verdict.result, verdict.reason) == (Result.POLICY, "the end of the body is not signed")


async def test_empty_lines_and_blanks_appended_are_no_tail() -> None:
    message = sign(MESSAGE, rsa_key(), f"{TAGS}; l={RELAXED_OCTETS}")

    verdict = await dkim_verdict(message + b" \t\r\n\r\n", zone_of(rsa_key()))

    assert verdict.result is Result.PASS


async def test_l_larger_than_the_body_is_an_error() -> None:
    assert await judged(f"{TAGS}; l={RELAXED_OCTETS + 1}") == (
        Result.PERMERROR,
        "l= is larger than the body",
    )


async def test_a_second_from_field_does_not_ride_on_a_signature_of_one() -> None:
    message = sign(MESSAGE, rsa_key())

    verdict = await dkim_verdict(b"From: <boss@example.com>\r\n" + message, zone_of(rsa_key()))

    assert (verdict.result, verdict.reason) == (Result.POLICY, "a From field is not signed")
    assert not verdict.counts_for_dmarc


async def test_a_header_with_a_line_that_is_no_field_does_not_ride_on_a_signature() -> None:
    message = sign(MESSAGE, rsa_key()).replace(b"\r\nDate: ", b"\r\nno field\r\nDate: ")

    verdict = await dkim_verdict(message, zone_of(rsa_key()))

    assert (verdict.result, verdict.reason) == (Result.POLICY, "a line in the header is no field")
    assert not verdict.counts_for_dmarc


async def test_a_blank_before_the_colon_is_taken_out_by_relaxed_only() -> None:
    relaxed = sign(MESSAGE, rsa_key()).replace(b"\r\nSubject:", b"\r\nSubject\t :")
    simple = sign(MESSAGE, rsa_key(), SIMPLE).replace(b"\r\nSubject:", b"\r\nSubject\t :")

    verdicts = [await dkim_verdict(message, zone_of(rsa_key())) for message in (relaxed, simple)]

    assert [one.result for one in verdicts] == [Result.PASS, Result.FAIL]


async def test_fields_named_more_often_than_they_are_cannot_be_added() -> None:
    message = sign(MESSAGE, rsa_key(), TAGS.replace("subject", "subject:subject"))

    verdict = await dkim_verdict(b"Subject: other\r\n" + message, zone_of(rsa_key()))

    assert (verdict.result, verdict.reason) == (Result.FAIL, "signature differs")


async def test_of_fields_with_one_name_the_lowest_are_signed() -> None:
    message = b"Received: three\r\n" + sign(
        b"Received: two\r\nReceived: one\r\n" + MESSAGE,
        rsa_key(),
        TAGS.replace("subject", "subject:received:received"),
    )

    passed = await dkim_verdict(message, zone_of(rsa_key()))
    failed = await dkim_verdict(message.replace(b"two", b"2"), zone_of(rsa_key()))

    assert (passed.result, failed.result) == (Result.PASS, Result.FAIL)


async def test_an_older_signature_may_be_signed_by_a_newer_one() -> None:
    tags = TAGS.replace("subject", "subject:dkim-signature:dkim-signature")
    message = sign(sign(MESSAGE, rsa_key()), rsa_key(), tags)

    passed = await dkim_verdicts(message, zone_of(rsa_key()))
    altered = await dkim_verdicts(message.replace(b"h=from:to:subject; ", b"h=from; "), zone_of(rsa_key()))

    assert [one.result for one in passed] == [Result.PASS, Result.PASS]
    assert [one.result for one in altered] == [Result.FAIL, Result.FAIL]


async def test_names_with_u_labels_are_asked_for_as_a_labels() -> None:
    zone = zone_of(rsa_key(), name="wähl._domainkey.grün.example".encode("idna").decode())
    tags = TAGS.replace("example.com", "grün.example").replace("s=sel", "s=wähl") + "; i=jörg@grün.example"

    verdict = await dkim_verdict(sign(MESSAGE, rsa_key(), tags), zone)

    assert (verdict.result, verdict.reason) == (Result.PASS, "")
    assert verdict.claim.domain == "xn--grn-ioa.example"
    assert verdict.claim.identity == "jörg@xn--grn-ioa.example"


@pytest.mark.parametrize("domain", ["straße.example", "faß.de", "a\u200db.example", "BÜCHER.example"])
async def test_a_name_is_one_domain_for_the_signature_and_for_from(domain: str) -> None:
    """By the same rules (RFC 5891, UTS 46): IDNA 2003 makes another name of some."""
    message = MESSAGE.replace(b"football.example.com", domain.encode(), 1)
    (author,) = author_of(parse_header(message)).domains or ("",)

    (found,) = DkimPlan.of(
        parse_header(sign(message, rsa_key(), TAGS.replace("example.com", domain)))
    ).signatures

    assert found.claim.domain == author


async def test_a_message_without_body_or_blank_line_can_be_signed() -> None:
    header = MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n"

    verdicts = [
        (await dkim_verdict(sign(message, rsa_key(), tags), zone_of(rsa_key()))).result
        for message in (header, header + b"\r\n")
        for tags in (TAGS, SIMPLE)
    ]

    assert verdicts == [Result.PASS] * 4


async def test_a_verdict_explains_itself() -> None:
    verdict = await dkim_verdict(sign(MESSAGE, rsa_key()), zone_of(rsa_key()))

    assert verdict.steps == (
        "rsa-sha256 signature of example.com, selector sel",
        "signed fields: From, To, Subject",
        f"relaxed body hash over {RELAXED_OCTETS} octets: as signed",
        f"{KEY_NAME}: rsa-sha256, 2048 bits: signature verifies",
    )
