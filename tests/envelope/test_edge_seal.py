"""The seal under which home believes the edge's Authentication-Results."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.edgeseal import (
    MAX_AGE_SECONDS,
    MAX_AHEAD_SECONDS,
    MAX_RESULTS,
    MAX_RESULTS_OCTETS,
    MAX_SEALS,
    SEAL_FIELD,
    EdgeSealer,
    EdgeWord,
)
from mxgw.header import parse_header
from mxgw.msgauth.results import Result
from mxgw.msgauth.results_field import Finding, results_field
from mxgw.seal import Sealer, fingerprint_field, forged_fields, message_identity

KEY = b"sixteen octets!!"
NOW = 1_764_000_000.75
PRINT = "0123456789abcdef" * 4
OTHER_PRINT = PRINT[::-1]
RESULTS = results_field(
    "mx.example.jp",
    [
        Finding("spf", Result.FAIL, "no such luck", (("smtp", "mailfrom", "bounce.example.com"),)),
        Finding(
            "dmarc", Result.PASS, properties=(("header", "from", "example.com"), ("policy", "dmarc", "none"))
        ),
    ],
)
FOREIGN = b"Authentication-Results: elsewhere.example; dmarc=pass\r\n"
MESSAGE = b"From: hana@example.com\r\nSubject: hello\r\n\r\n"
BODY_DIGEST = hashlib.sha256(b"the body").digest()
IDENTITY = message_identity(parse_header(MESSAGE), BODY_DIGEST)


def seal(
    results: bytes = RESULTS,
    *,
    fingerprint: str = PRINT,
    junk: bool = False,
    now: float = NOW,
    key: bytes = KEY,
) -> bytes:
    return EdgeSealer(key).seal_field(
        results=results, identity=IDENTITY, fingerprint=fingerprint, junk=junk, now=now
    )


def opened(block: bytes, now: float = NOW) -> EdgeWord | None:
    header = parse_header(block)
    return EdgeSealer(KEY).open_seal(header, message_identity(header, BODY_DIGEST), now)


def sealed(
    *, results: bytes = RESULTS, seal_field: bytes | None = None, fingerprint: str = PRINT, below: bytes = b""
) -> bytes:
    field = seal() if seal_field is None else seal_field
    return fingerprint_field(fingerprint) + field + results + below + MESSAGE


@pytest.mark.parametrize("junk", [False, True])
def test_home_reads_what_the_edge_sealed(junk: bool) -> None:
    word = opened(sealed(seal_field=seal(junk=junk), below=FOREIGN))

    assert word is not None
    assert word.results.raw == RESULTS
    assert (word.results_at, word.fingerprint, word.junk, word.sealed_at) == (2, PRINT, junk, int(NOW))


def test_the_place_of_the_fields_does_not_count() -> None:
    word = opened(
        FOREIGN + RESULTS + b"Received: by home\r\n" + fingerprint_field(PRINT) + MESSAGE[:-2] + seal()
    )

    assert word is not None
    assert (word.results.raw, word.results_at) == (RESULTS, 1)


def test_the_seal_is_one_short_field() -> None:
    field = seal(junk=True)

    assert field.startswith(b"X-MXGW-Seal: t=1764000000; junk=yes;\r\n\th=")
    assert all(len(line) <= 78 for line in field.split(b"\r\n"))
    assert len(parse_header(field + b"\r\n").fields) == 1


def test_it_is_an_hmac_over_counted_parts_under_a_key_of_its_own() -> None:
    """Edge and home may run different versions: the octets that go into the HMAC are fixed."""
    relaxed = (
        b'authentication-results:mx.example.jp; spf=fail reason="no such luck" '
        b"smtp.mailfrom=bounce.example.com; dmarc=pass header.from=example.com policy.dmarc=none"
    )
    parts = [b"mxgw edge seal 1", b"1764000000", b"no", PRINT.encode(), IDENTITY, relaxed]
    message = b"".join(str(len(part)).encode() + b":" + part for part in parts)
    key = hmac.new(KEY, b"mxgw edge seal key 1", hashlib.sha256).digest()

    digest = hmac.new(key, message, hashlib.sha256).hexdigest()

    assert seal().endswith(f"h={digest}\r\n".encode())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"spf=fail", b"spf=pass"),
        (b"dmarc=pass", b"dmarc=fail"),
        (b"header.from=example.com", b"header.from=bank.example"),
        (b"mx.example.jp", b"mx.example.jq"),
        (b"Authentication-Results: mx", b"Authentication-Results: (x) mx"),
        (b"no such luck", b"no such\x0bluck"),
        (b"t=1764000000", b"t=1764000001"),
        (b"t=1764000000", b"t=01764000000"),
        (b"junk=no", b"junk=yes"),
        (b"junk=no", b"junk=maybe"),
        (b"t=1764000000; ", b""),
        (b"0123456789abcdef\r\n", b"0123456789abcdee\r\n"),
        (b"\th=", b"\th=0"),
        (b"\th=", b"\tx="),
        (b"X-MXGW-Seal", b"X-MXGW-Steal"),
        (b"X-MXGW-Fingerprint", b"X-MXGW-Fingertip"),
        (b"Authentication-Results", b"X-Results"),
    ],
)
def test_a_word_that_was_altered_is_no_word(old: bytes, new: bytes) -> None:
    block = sealed()
    assert block.count(old) == 1

    assert opened(block.replace(old, new)) is None


@given(st.integers(0, len(sealed()) - len(MESSAGE) - 1), st.integers(1, 255))
def test_no_octet_of_the_three_fields_can_be_altered_unseen(at: int, difference: int) -> None:
    block = bytearray(sealed())
    block[at] ^= difference

    word = opened(bytes(block))

    # Letters of field names may change their case, and a blank may become another: that alters nothing.
    if word is not None:
        assert word.results.body.split() == parse_header(RESULTS).fields[0].body.split()
        assert (word.fingerprint, word.junk, word.sealed_at) == (PRINT, False, int(NOW))


def test_another_key_opens_nothing() -> None:
    assert opened(sealed(seal_field=seal(key=KEY[::-1]))) is None


def test_the_word_on_one_message_is_no_word_on_another() -> None:
    """The fingerprint is made from the message, so the other message has another one."""
    assert opened(sealed(fingerprint=OTHER_PRINT)) is None
    assert opened(MESSAGE[:-2] + seal() + RESULTS) is None


@pytest.mark.parametrize("second", [PRINT, OTHER_PRINT])
def test_two_fingerprints_are_none(second: str) -> None:
    assert opened(fingerprint_field(second) + sealed()) is None
    assert opened(sealed(below=fingerprint_field(second))) is None


@pytest.mark.parametrize(
    ("seconds", "believed"),
    [
        (0, True),
        (MAX_AGE_SECONDS - 1, True),
        (MAX_AGE_SECONDS + 1, False),
        (-MAX_AHEAD_SECONDS + 1, True),
        (-MAX_AHEAD_SECONDS - 1, False),
        (10**9, False),
        (-(10**9), False),
    ],
)
def test_a_word_is_believed_while_it_is_fresh(seconds: int, believed: bool) -> None:
    assert (opened(sealed(), NOW + seconds) is not None) is believed


def test_of_several_seals_the_uppermost_genuine_and_fresh_one_counts() -> None:
    forged = seal(key=KEY[::-1])
    old = seal(now=NOW - MAX_AGE_SECONDS - 10)
    older, newer = seal(now=NOW - 60, junk=True), seal(now=NOW - 10)

    words = [
        opened(sealed(seal_field=b"".join(order))) for order in ((forged, old, newer, older), (older, newer))
    ]

    assert [word and (word.junk, word.sealed_at) for word in words] == [
        (False, int(NOW - 10)),
        (True, int(NOW - 60)),
    ]


def test_a_seal_of_other_results_does_not_speak_for_these() -> None:
    other = RESULTS.replace(b"spf=fail", b"spf=pass")

    word = opened(sealed(seal_field=seal(other), results=RESULTS + other))

    assert word is not None
    assert (word.results.raw, word.results_at) == (other, 3)
    assert opened(sealed(seal_field=seal(other))) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\r\n\t", b" "),
        (b"\r\n\t", b"\r\n    \t "),
        (b" ", b"\r\n "),
        (b"Authentication-Results: ", b"authentication-results:"),
        (b"Authentication-Results:", b"Authentication-Results :"),
        (b"none\r\n", b"none \r\n"),
        (b"X-MXGW-Seal: ", b"x-mxgw-seal:\t"),
    ],
)
def test_a_hop_may_fold_the_fields_anew(old: bytes, new: bytes) -> None:
    block = seal() + RESULTS
    assert old in block

    word = opened(fingerprint_field(PRINT) + block.replace(old, new) + MESSAGE)

    assert word is not None


def test_only_so_many_seals_and_results_are_looked_at() -> None:
    forged = seal(key=KEY[::-1])

    assert opened(sealed(seal_field=forged * (MAX_SEALS - 1) + seal())) is not None
    assert opened(sealed(seal_field=forged * MAX_SEALS + seal())) is None
    assert opened(sealed(results=FOREIGN * (MAX_RESULTS - 1) + RESULTS)) is not None
    assert opened(sealed(results=FOREIGN * MAX_RESULTS + RESULTS)) is None


def test_results_that_are_too_long_are_not_looked_at() -> None:
    long = RESULTS.removesuffix(b"\r\n") + b";\r\n\t" + b"x" * MAX_RESULTS_OCTETS + b"\r\n"

    assert opened(sealed(results=long)) is None
    assert opened(sealed(results=long + RESULTS)) is not None
    with pytest.raises(ValueError, match="16384"):
        seal(long)


def test_a_stranger_brings_no_seal() -> None:
    header = parse_header(sealed())

    assert header.without(forged_fields(header)) == RESULTS + MESSAGE


@given(st.binary(max_size=300))
def test_whatever_stands_in_the_field_is_a_seal_or_none(octets: bytes) -> None:
    block = sealed(seal_field=f"{SEAL_FIELD}: ".encode() + octets + b"\r\n")

    assert opened(block) is None


def test_seal_and_fingerprint_have_different_keys() -> None:
    assert EdgeSealer(KEY)._key != Sealer(KEY)._key


@pytest.mark.parametrize("wrong", ["", PRINT[1:], PRINT + "0", "g" + PRINT[1:], PRINT.upper(), PRINT + "\n"])
def test_a_fingerprint_that_is_none_is_a_bug(wrong: str) -> None:
    with pytest.raises(ValueError, match="64"):
        seal(fingerprint=wrong)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16"):
        EdgeSealer(b"x" * 15)


def test_a_seal_copied_onto_another_message_is_worth_nothing() -> None:
    """With results and fingerprint and all: the body and the fields that last are under it."""
    stolen = fingerprint_field(PRINT) + seal() + RESULTS
    header = parse_header(stolen + MESSAGE)
    sealer = EdgeSealer(KEY)

    assert sealer.open_seal(header, message_identity(header, BODY_DIGEST), NOW)
    assert not sealer.open_seal(header, message_identity(header, hashlib.sha256(b"other").digest()), NOW)
    other = parse_header(stolen + MESSAGE.replace(b"Subject: hello", b"Subject: pay"))
    assert not sealer.open_seal(other, message_identity(other, BODY_DIGEST), NOW)
