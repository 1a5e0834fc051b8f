"""Authentication-Results that strangers wrote in our name (RFC 8601 section 5)."""

from __future__ import annotations

import authres
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.header import parse_header
from mxgw.msgauth.forged_results import MAX_CLAIM_CHARACTERS, forged_results
from mxgw.msgauth.results import Result
from mxgw.msgauth.results_field import Finding, results_field

OURS = "mx.example.jp"
IDS = frozenset({OURS})
FULL_WIDTH = "\uff4d\uff58"
"""What IDNA takes for "mx"."""


def forged(
    value: str | bytes, ids: frozenset[str] = IDS, *, name: bytes = b"Authentication-Results:"
) -> bool:
    octets = value if isinstance(value, bytes) else value.encode()
    header = parse_header(b"Received: x\r\n" + name + octets + b"\r\n\r\n")
    assert len(header.fields) == 2
    return forged_results(header, ids) == {1}


CLAIMS = [
    " mx.example.jp; dmarc=pass",
    "mx.example.jp;dmarc=pass",
    " MX.Example.JP; dmarc=pass",
    " mx.example.jp.; dmarc=pass",
    " mx.example.jp",
    " mx.example.jp ;",
    " mx.example.jp dmarc=pass",
    " mx.example.jp 1; dmarc=pass",
    " mx.example.jp 2; dmarc=pass",
    " mx.example.jp (x) 1 (y); dmarc=pass",
    ' "mx.example.jp"; dmarc=pass',
    ' "mx.example.jp" 1; dmarc=pass',
    ' " mx.example.jp "; dmarc=pass',
    ' "mx\\.example\\.jp"; dmarc=pass',
    ' "mx.exa" mple.jp; dmarc=pass',
    ' "MX.EXAMPLE.JP."; dmarc=pass',
    " (a comment) mx.example.jp; dmarc=pass",
    " (a (nested (one))) mx.example.jp(;); dmarc=pass",
    " (a \\) ;) mx.example.jp; dmarc=pass",
    " mx.(x)example.jp; dmarc=pass",
    " mx . example . jp; dmarc=pass",
    "\r\n\tmx.example.jp;\r\n\tdmarc=pass",
    "\r\n (x\r\n y)\r\n \tmx.example.jp\r\n ; dmarc=pass",
    "\tmx.example.jp\t;",
    # Fields in which no reader should find a name, and some reader may find ours.
    " (mx.example.jp; dmarc=pass",
    ' "mx.example.jp; dmarc=pass',
    " (mx.example.jp) other.example; dmarc=pass",
    " (x\\) mx.example.jp; dmarc=pass () ) other.example; none",
    ' "(" mx.example.jp; dmarc=pass',
    " <mx.example.jp>; dmarc=pass",
    " mx\\.example.jp; dmarc=pass",
    " mx.example.jp/1; dmarc=pass",
    " mx.example.jp=1; dmarc=pass",
    " =mx.exa\r\n mple.jp; dmarc=pass",
    " mx.example.jp\0; dmarc=pass",
    " mx.example\u200b.jp]; dmarc=pass",
    " spf=pass (mx.example.jp) smtp.mailfrom=example.com",
    " =?us-ascii?q?mx=2Eexample=2Ejp?=; dmarc=pass",
    f" {FULL_WIDTH}.example\uff0ejp; dmarc=pass",
    f" [{FULL_WIDTH}.example.jp; dmarc=pass",
    "(" * 3000 + "mx.example.jp" + ")" * 3000 + "x; dmarc=pass",
    "(" * 200_000 + "mx.example.jp",
    " x" * MAX_CLAIM_CHARACTERS + " mx.example.jp; dmarc=pass",
]


@pytest.mark.parametrize(
    "value",
    [
        " mx.example.jp..; dmarc=pass",
        " mx.example.jp ...\r\n\t; dmarc=pass",
        ' "mx.example.jp @" ; dmarc=pass',
        ' "mx.example.jp, x"; dmarc=pass',
    ],
)
def test_what_a_reader_may_cut_off_does_not_hide_our_name(value: str) -> None:
    assert forged(value)


@pytest.mark.parametrize("value", CLAIMS, ids=lambda value: repr(value[:60]))
def test_a_field_that_may_be_read_as_ours_goes(value: str) -> None:
    assert forged(value)


@pytest.mark.parametrize(
    "value",
    [
        " other.example; dmarc=pass",
        " other.example; spf=pass smtp.mailfrom=taro@mx.example.jp",
        " other.example; dmarc=pass (checked by mx.example.jp)",
        " other.example (with care); none",
        " notmx.example.jp; dmarc=pass",
        " example.jp; dmarc=pass",
        " relay.mx.example.jp; dmarc=pass",
        " mx.example.jp.other.example; dmarc=pass",
        ' "other.example" 1; dmarc=pass',
        " (unfinished; dmarc=pass",
        ' "unfinished; dmarc=pass',
        " spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=example.com; dkim=none",
        "",
        " ",
        ";",
    ],
)
def test_what_others_wrote_in_their_own_names_stays(value: str) -> None:
    assert not forged(value)


@pytest.mark.parametrize(
    "name",
    [
        b"Authentication-Results:",
        b"AUTHENTICATION-RESULTS:",
        b"authentication-results :",
        b"Authentication-Results\t \t:",
        b"Authentication-Results\r\n :",
        b"Authentication-Results\0:",
        b"Authentication-Results (x):",
        b"Authentication-Results",
        b"\xef\xbb\xbfAuthentication-Results:",
    ],
)
def test_the_name_of_the_field_in_all_its_forms(name: bytes) -> None:
    assert forged(" mx.example.jp; dmarc=pass", name=name)


@pytest.mark.parametrize(
    "name",
    [
        b"ARC-Authentication-Results:",
        b"Authentication-Results-Original:",
        b"X-Authentication-Results:",
        b"Subject: Authentication-Results:",
    ],
)
def test_other_fields_stay(name: bytes) -> None:
    assert not forged(" mx.example.jp; dmarc=pass", name=name)


def test_names_below_ours_count_where_that_is_configured() -> None:
    ids = frozenset({OURS, ".example.jp"})

    assert forged(" mx2.example.jp; dmarc=pass", ids)
    assert forged(" a.b.EXAMPLE.jp.; dmarc=pass", ids)
    assert forged(" (mx2.example.jp; dmarc=pass", ids)
    assert not forged(" example.jp; dmarc=pass", ids)
    assert not forged(" badexample.jp; dmarc=pass", ids)
    assert forged(" example.jp; dmarc=pass", ids | {"example.jp"})


@pytest.mark.parametrize("configured", ["mx.例え.jp", "mx.xn--r8jz45g.jp"])
@pytest.mark.parametrize(
    "written",
    [
        " mx.例え.jp; dmarc=pass",
        " MX.XN--R8JZ45G.JP; dmarc=pass",
        ' "mx.例え。jp"; dmarc=pass',
        " (mx.例え.jp; dmarc=pass",
        " (mx.xn--r8jz45g.jp; dmarc=pass",
    ],
)
def test_u_labels_and_a_labels_are_one_name(configured: str, written: str) -> None:
    """RFC 8601 section 5, on messages with internationalised fields."""
    assert forged(written, frozenset({configured}))


def test_the_places_of_several_are_told() -> None:
    header = parse_header(
        b"Received: x\r\n"
        b"Authentication-Results: mx.example.jp; dmarc=pass\r\n"
        b"Authentication-Results: other.example; dmarc=pass\r\n"
        b"ARC-Authentication-Results: i=1; mx.example.jp; dmarc=pass\r\n"
        b"authentication-results : MX.EXAMPLE.JP;\r\n none\r\n\r\n"
    )

    assert forged_results(header, IDS) == {1, 4}
    assert forged_results(header, frozenset()) == frozenset()


def test_our_own_field_is_known_again() -> None:
    field = results_field(OURS, [Finding("spf", Result.PASS)])

    assert forged_results(parse_header(field + b"\r\n"), IDS) == {0}


def test_a_name_of_ours_that_is_none_is_a_bug() -> None:
    with pytest.raises(ValueError, match="domain name"):
        forged(" x; none", frozenset({"a..b"}))


PIECES = [
    *("mx", "example", "jp", ".", "mx.example.jp", "other.example", "1", "2", "none", "dmarc=pass", "=", "/"),
    *(";", " ", "\t", "\r\n ", "(", ")", '"', "\\", "(x)", '"mx.example.jp"', "\0", "é", "@", "<", ">", "=?"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=20))
def test_what_an_independent_reader_takes_for_ours_goes(pieces: list[str]) -> None:
    value = "".join(pieces)
    try:
        read = authres.parse(f"Authentication-Results: {value}").authserv_id
    except authres.AuthResError:
        return

    if read.rstrip(".") == OURS:
        assert forged(f" {value}")


@given(st.binary(max_size=200))
def test_any_octets_are_forged_or_not(octets: bytes) -> None:
    header = parse_header(b"Authentication-Results: " + octets + b"\r\n\r\n")

    assert forged_results(header, IDS) <= set(range(len(header.fields)))


@pytest.mark.parametrize(
    "unit",
    [
        "(",
        "()",
        '"',
        '"" ',
        "\\",
        "a ",
        "a",
        ";",
        "(a",
        "\\(",
        "=?",
        ". ",
        "mx.example.j ",
        "mx.example.jp ",
        "é",
        " ",
    ],
)
def test_a_megabyte_is_read_in_one_go(unit: str) -> None:
    """Time that grew with the square of the size would be hours."""
    value = (unit * (1_000_000 // len(unit))).encode()

    assert forged(value) is (unit in {"=?", f"{OURS} "})
    assert forged(value + b" mx.example.jp; none")


def test_ten_thousand_short_fields_are_no_burden() -> None:
    fields = b"Authentication-Results: other.example; none\r\n" * 10_000

    header = parse_header(fields + b"Authentication-Results: mx.example.jp; none\r\n\r\n")

    assert forged_results(header, IDS) == {10_000}
