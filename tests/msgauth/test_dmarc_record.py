"""What a DMARC record says, and what counts as not said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mxgw.msgauth.dmarc_record import (
    MAX_RECORD_OCTETS,
    MAX_TEXT_CHARACTERS,
    MAX_URI_CHARACTERS,
    MAX_URIS,
    Alignment,
    BadRecord,
    DmarcRecord,
    Policy,
    Psd,
    parse_record,
    select_record,
)


def read(text: str) -> DmarcRecord:
    return parse_record(text.encode())


def test_a_record_without_options_has_the_defaults_of_the_rfc() -> None:
    assert read("v=DMARC1; p=reject") == DmarcRecord(
        p=Policy.REJECT,
        sp=None,
        np=None,
        psd=Psd.UNKNOWN,
        t=False,
        adkim=Alignment.RELAXED,
        aspf=Alignment.RELAXED,
        rua=(),
        text="v=DMARC1; p=reject",
    )


def test_all_tags_are_read_wherever_they_stand() -> None:
    record = read(
        "v=DMARC1;t=y;aspf=s;adkim=s;psd=n;np=reject;sp=quarantine;rua=mailto:a@example.com,https://x.example/r;"
        "ruf=mailto:b@example.com;fo=1;p=none;"
    )

    assert (record.p, record.sp, record.np) == (Policy.NONE, Policy.QUARANTINE, Policy.REJECT)
    assert (record.psd, record.t) == (Psd.NO, True)
    assert (record.adkim, record.aspf) == (Alignment.STRICT, Alignment.STRICT)
    assert record.rua == ("mailto:a@example.com", "https://x.example/r")
    assert record.usable


@pytest.mark.parametrize(
    "text",
    [
        "v=DMARC1",
        "v=DMARC1;",
        "v=DMARC1 ; p=none",
        "v = DMARC1; p=none",
        "v\t=\tDMARC1\t; p=none",
        "V=DMARC1; p=none",
        " v=DMARC1; p=none",
        "v=DMARC1;p",
        "v=DMARC1;;;",
        "v=DMARC1; \x00\xff",
    ],
)
def test_a_record_is_what_begins_with_the_version(text: str) -> None:
    assert select_record([text.encode("latin-1")])[0] is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v",
        "v=",
        "v=DMARC",
        "v=DMARC2; p=reject",
        "v=DMARC10; p=reject",
        "v=DMARC1.; p=reject",
        "v=DMARC1 p=reject",
        "v=DMARC1, p=reject",
        "v=DMARC1\n; p=reject",
        "v=DMARC1\n",
        "v=dmarc1; p=reject",
        "v=Dmarc1; p=reject",
        '"v=DMARC1; p=reject"',
        "p=reject; v=DMARC1",
        "; v=DMARC1; p=reject",
        "x=y; v=DMARC1; p=reject",
        "v=spf1 -all",
        "xv=DMARC1; p=reject",
        "\ufeffv=DMARC1; p=reject",
    ],
)
def test_all_else_is_no_record(text: str) -> None:
    assert select_record([text.encode()]) == (None, "no DMARC record")
    with pytest.raises(BadRecord):
        read(text)


@pytest.mark.parametrize(
    ("tags", "p", "problem"),
    [
        ("p=none", "none", ""),
        ("p=Reject", "reject", ""),
        ("p = quarantine ", "quarantine", ""),
        ("p=reject; pct=0", "reject", ""),
        ("p=reject; pct=50; ri=1; rf=afrf", "reject", ""),
        ("p=reject; x=y; policy=none; pp=none", "reject", ""),
        ("p=reject; adkim=x; aspf=; psd=maybe; t=yes; fo=9", "reject", ""),
        ("p=reject; sp", "reject", ""),
        ("p=reject; =none", "reject", ""),
        ("", "none", "p= is missing"),
        ("P=reject", "none", "p= is missing"),
        ("p reject", "none", "p= is missing"),
        ("p=", "none", "p= is not valid"),
        ("p=deny", "none", "p= is not valid"),
        ("p=reject none", "none", "p= is not valid"),
        ("p=reject,", "none", "p= is not valid"),
        ("p=re\u00adject", "none", "p= is not valid"),
        ("p=r\u0435ject", "none", "p= is not valid"),
        ("p=reject\0", "none", "p= is not valid"),
        ("p=reject; sp=", "none", "sp= is not valid"),
        ("p=reject; sp=deny", "none", "sp= is not valid"),
        ("p=reject; sp=none; np=deny", "none", "np= is not valid"),
    ],
)
@pytest.mark.parametrize("rua", ["", "; rua=mailto:d@example.com"])
def test_without_valid_policies_a_record_asks_for_reports_at_most(
    tags: str, p: str, problem: str, rua: str
) -> None:
    """RFC 9989 section 4.10.1."""
    record = read(f"v=DMARC1; {tags}{rua}")

    assert record.p == p
    assert record.problem == problem
    assert record.usable is (not problem or bool(rua))
    assert not problem or (record.sp, record.np) == (None, None)


@pytest.mark.parametrize(
    ("value", "uris"),
    [
        ("mailto:a@example.com", ["mailto:a@example.com"]),
        ("mailto:a@example.com!10m", ["mailto:a@example.com"]),
        ("mailto:a@example.com!10m , https://b.example/?x=1&y=%41",
         ["mailto:a@example.com", "https://b.example/?x=1&y=%41"]),
        ("mailto:a%2Cb@example.com,", ["mailto:a%2Cb@example.com"]),
        ("mailto:", ["mailto:"]),
        ("a@example.com", []),
        ("mailto:a b@example.com", []),
        ("mailto:a!b@example.com", []),
        ("mailto:a@example.com!10x", []),
        ("mailto:%zz@example.com", []),
        ("mailto:ü@example.com", []),
        ("mailto:\0@example.com", []),
        ("1mailto:a@example.com", []),
        (":a@example.com", []),
        ("", []),
        (f"mailto:{'a' * MAX_URI_CHARACTERS}@example.com", []),
    ],
)  # fmt: skip
def test_destinations_are_the_valid_uris(value: str, uris: list[str]) -> None:
    record = read(f"v=DMARC1; p=deny; rua={value}")

    assert list(record.rua) == uris
    assert record.usable is bool(uris)


def test_so_many_destinations_are_kept_and_no_more() -> None:
    uris = [f"mailto:{number}@example.com" for number in range(3 * MAX_URIS)]

    assert list(read(f"v=DMARC1; p=none; rua={','.join(uris)}").rua) == uris[:MAX_URIS]


@pytest.mark.parametrize(
    "text",
    [
        "v=DMARC1; p=none; p=none",
        "v=DMARC1; p=none; x=1; x=2",
        "v=DMARC1; p=none; v=DMARC1",
        "v=DMARC1; rua=; rua=",
    ],
)
def test_a_tag_that_occurs_twice_makes_the_list_invalid(text: str) -> None:
    """RFC 6376 section 3.2, which RFC 9989 section 4.7 refers to."""
    record, note = select_record([text.encode()])

    assert record is None
    assert note.endswith("occurs twice")


@pytest.mark.parametrize("others", [[b"v=DMARC1; p=none"], [b"v=DMARC1"], [b"v=DMARC1; p=x; p=x"]])
def test_of_several_records_none_counts(others: list[bytes]) -> None:
    assert select_record([b"v=DMARC1; p=reject", *others]) == (None, "2 DMARC records, all discarded")


def test_other_texts_beside_a_record_do_not_matter() -> None:
    texts = [b"v=spf1 -all", b"", b"v=DMARC1; p=reject", b"v=dmarc1; p=none", b"\xff"]

    assert select_record(texts) == (parse_record(b"v=DMARC1; p=reject"), "")


# Whatever comes.


def test_a_record_of_64_kib_is_read_to_its_bound() -> None:
    start = b"v=DMARC1; p=reject; "

    assert parse_record(start + b";" * 65_000).p is Policy.REJECT
    assert parse_record(start + b"x" * 65_000).p is Policy.REJECT
    assert parse_record(start + b"rua=" + b"a:," * 21_000).rua == ()
    assert parse_record(start + b"x=" + b"y" * MAX_RECORD_OCTETS + b"; sp=none").sp is None
    assert parse_record(b"v=DMARC1;" + b" " * MAX_RECORD_OCTETS + b"p=reject").problem == "p= is missing"
    # A tag that the bound cuts is not read in half.
    filler = b"x=" + b"y" * (MAX_RECORD_OCTETS - len(start) - len(b"x=;sp=none")) + b";"
    assert parse_record(start + filler + b"sp=none").sp is Policy.NONE
    assert parse_record(start + filler + b"sp=none and more").problem == ""


PIECES = [
    "v=DMARC1",
    "p=",
    "sp=",
    "np=",
    "psd=",
    "t=",
    "rua=",
    "adkim=",
    "aspf=",
    "none",
    "reject",
    "y",
    "s",
    ";",
]
HARD = ["; ", " ", "=", ",", "mailto:a@b.example", "!1m", "%", "\0", "ü", "\x85", "\t", "\r\n", "pct=1"]
RECORDS = st.one_of(
    st.binary(max_size=200).map(lambda octets: b"v=DMARC1; " + octets),
    st.lists(st.sampled_from(PIECES + HARD), max_size=40).map(lambda parts: "".join(parts).encode()),
)


@given(st.lists(RECORDS, max_size=3))
@settings(max_examples=500, deadline=None)
def test_any_octets_are_a_record_with_harmless_words_or_none(texts: list[bytes]) -> None:
    record, note = select_record(texts)

    assert (record is None) == bool(note)
    assert note.isascii()
    assert note.isprintable()
    if record is not None:
        assert record.text.isascii()
        assert record.text.isprintable()
        assert len(record.text) <= MAX_TEXT_CHARACTERS
        assert len(record.rua) <= MAX_URIS
        assert all(uri.isascii() and uri.isprintable() and not set(uri) & set(' ,!"<>') for uri in record.rua)
