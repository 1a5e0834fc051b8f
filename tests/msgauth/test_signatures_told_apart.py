"""header.b tells the results of one message apart (RFC 6008 section 4), whatever a forger copies."""

from __future__ import annotations

import authres
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.edgeseal import MAX_RESULTS_OCTETS
from mxgw.header import parse_header
from mxgw.msgauth.dkim import MAX_SIGNATURES, DkimVerdict
from mxgw.msgauth.dkim_signature import Claim, read_signature
from mxgw.msgauth.findings import dkim_findings
from mxgw.msgauth.results import Result
from mxgw.msgauth.results_field import MAX_SIGNATURE_LETTERS, results_field
from tests.msgauth.dkim_judge import dkim_verdicts, zone_of
from tests.msgauth.dkim_signer import MESSAGE, TAGS, rsa_key, sign

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def starts(values: list[str], *, unread: int = 0) -> list[str]:
    """header.b of each signature, as authres reads it."""
    verdicts = [
        DkimVerdict(Result.PASS, "", Claim("a.example", "s", "@a.example", "rsa-sha256", value), 0, True, ())
        for value in values
    ]
    field = results_field("mx.example.jp", dkim_findings(verdicts, unread=unread))
    (one,) = parse_header(field + b"\r\n").fields
    read = authres.all_features().parse(f"Authentication-Results: {one.body.decode('ascii')}")
    return [result.header_b or "" for result in read.results]


async def test_a_forged_copy_with_the_same_beginning_is_told_apart() -> None:
    key = rsa_key()
    honest = sign(MESSAGE, key, TAGS)
    value = parse_header(honest).named("DKIM-Signature")[0].body.decode().rpartition("b=")[2]
    forged = value[:30] + ("A" if value[30] != "A" else "B") + value[31:]
    copy = honest.partition(b"\r\n")[0].decode().replace(value, forged)

    verdicts = await dkim_verdicts(f"{copy}\r\n".encode() + honest, zone_of(key))

    assert [one.result for one in verdicts] == [Result.FAIL, Result.PASS]
    told = [{name: text for _, name, text in one.properties}["b"] for one in dkim_findings(verdicts)]
    assert told == [forged[:31], value[:31]]


def test_eight_letters_do_where_they_differ() -> None:
    assert starts(["abcdefgh1234", "abcdefgX1234", "ABCDEFGH1234"]) == ["abcdefgh", "abcdefgX", "ABCDEFGH"]


def test_only_those_that_begin_alike_are_longer() -> None:
    assert starts(["x" * 40, "y" * 12 + "z" * 28, "y" * 40]) == ["x" * 8, "y" * 12 + "z", "y" * 13]


def test_what_is_cut_off_is_shown_whole_and_what_goes_on_a_letter_longer() -> None:
    assert starts(["abcdefghij", "abcdefghijkl", "abc", "abcd"]) == [
        "abcdefghij",
        "abcdefghijk",
        "abc",
        "abcd",
    ]


def test_equal_values_are_shown_whole() -> None:
    """RFC 6008 section 4: a reader that finds two results of one signature ignores them if they differ."""
    assert starts(["q" * 344, "q" * 344]) == ["q" * 344] * 2


def test_where_signatures_were_not_read_all_letters_are_shown() -> None:
    """One of those may begin like the one that passed, and is in no result that could be compared."""
    assert starts(["abcdefgh" * 43], unread=1) == ["abcdefgh" * 43]


def test_the_letters_are_bounded_and_the_field_keeps_what_home_looks_at() -> None:
    """As many signatures as are verified, with every name as long as it can be."""
    domain = ".".join(["a" * 61] * 4)
    claims = [
        Claim(
            domain, domain, f"{'i' * 64}@{domain}", "a" * 32, "b" * (MAX_SIGNATURE_LETTERS - 1) + LETTERS[n]
        )
        for n in range(MAX_SIGNATURES)
    ]
    verdicts = [DkimVerdict(Result.PERMERROR, "r" * 200, one, 0, False, ()) for one in claims]

    field = results_field("mx.example.jp", dkim_findings(verdicts))

    assert max(map(len, field.split(b"\r\n"))) <= 998
    assert field.count(b"b" * (MAX_SIGNATURE_LETTERS - 1)) == MAX_SIGNATURES
    assert len(field) <= MAX_RESULTS_OCTETS - 2048  # room for the other methods


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("abcd\r\n efgh\r\n\tijkl==", "abcdefghijkl"),
        ("abcdefghij(k)l", ""),
        ("a" * 700, "a" * MAX_SIGNATURE_LETTERS),
        (" " * 2000 + "abcdefgh", "abcdefgh"),
        ("==", ""),
        ("", ""),
        ("dmarc=pass", ""),
    ],
)
def test_of_the_value_the_letters_count(written: str, shown: str) -> None:
    (field,) = parse_header(f"DKIM-Signature: v=1; d=a.example; b={written}; s=x\r\n\r\n".encode()).fields

    assert read_signature(field).claim.value == shown


@given(st.lists(st.text("ab+/", max_size=20), min_size=1, max_size=8))
def test_results_are_alike_only_where_the_signatures_are(values: list[str]) -> None:
    told = starts(values)

    for value, start in zip(values, told, strict=True):
        assert value.startswith(start)
        assert len(start) >= min(8, len(value))
    assert len(set(told)) == len(set(values))
