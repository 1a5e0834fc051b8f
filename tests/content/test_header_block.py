"""The header block: every octet kept, every field found, nothing raised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mxgw.header import Field, count_fields, message_age_seconds, parse_header, starts_with_field

TRICKY = st.lists(
    st.sampled_from(
        [
            b"\r\n",
            b"\r\n\r\n",
            b"\r",
            b"\n",
            b":",
            b" ",
            b"\t",
            b"From",
            b"To:",
            b"a: b\r\n",
            b" x\r\n",
            b"\0\xe3",
        ]
    )
).map(b"".join)
BLOCKS = st.one_of(TRICKY, st.binary(max_size=200))

RFC_5322_A_5 = (  # RFC 5322 appendix A.5: comments and folds
    b"From: Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>\r\n"
    b"To:A Group(Some people)\r\n"
    b"     :Chris Jones <c@(Chris's host.)public.example>,\r\n"
    b"         joe@example.org,\r\n"
    b"  John <jdoe@one.test> (my dear friend); (the end of the group)\r\n"
    b"Cc:(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;\r\n"
    b"Date: Thu,\r\n"
    b"      13\r\n"
    b"        Feb\r\n"
    b"          1969\r\n"
    b"      23:32\r\n"
    b"               -0330 (Newfoundland Time)\r\n"
    b"Message-ID:              <testabcd.1234@silly.test>\r\n"
    b"\r\n"
    b"Testing.\r\n"
)
RFC_5322_A_6_3 = (  # appendix A.6.3: obsolete blanks
    b"From  : John Doe <jdoe@machine(comment).  example>\r\n"
    b"To    : Mary Smith\r\n"
    b"  \r\n"
    b"          <mary@example.net>\r\n"
    b"Subject     : Saying Hello\r\n"
    b"Date  : Fri, 21 Nov 1997 09(comment):   55  :  06 -0600\r\n"
    b"Message-ID  : <1234   @   local(blah)  .machine .example>\r\n"
    b"\r\n"
    b"This is a message just to say hello.\r\n"
)


@given(BLOCKS)
@settings(deadline=None, max_examples=1000)
def test_any_octets_give_a_header_that_is_the_beginning_of_them(block: bytes) -> None:
    header = parse_header(block)

    assert header.without(frozenset()) == block[: header.octets]
    assert 0 <= header.octets <= len(block)
    assert bool(header.fields) == starts_with_field(block)
    if header.octets == 0:
        assert header.fields == ()
    for name in {one.name for one in header.fields}:
        assert len(header.values(name)) == header.count(name.upper()) > 0
        assert all(value.isprintable() for value in header.values(name))
    assert message_age_seconds(header, datetime.now(UTC)) is None


@given(BLOCKS)
@settings(deadline=None, max_examples=500)
def test_fields_put_before_and_fields_taken_out_leave_every_other_octet_as_it_was(content: bytes) -> None:
    ours = b"X-Ours: one\r\n two\r\n"
    before = parse_header(content)
    rest = content[before.octets :]
    sent = ours + (before.without(frozenset()) if before.octets else b"\r\n") + rest

    after = parse_header(sent)

    assert after.fields[1:] == before.fields
    assert after.fields[0].raw == ours
    assert sent[after.octets :] == rest
    assert after.without(frozenset({"x-OURS"})) + rest in (content, b"\r\n" + content)


@given(
    st.lists(st.sampled_from([b"A: 1\r\n", b"a : 2\r\n\tf\r\n", b"B:\r\n", b"junk\r\n", b"A\t: \r\n \r\n"]))
)
@settings(deadline=None)
def test_removing_a_name_removes_just_its_fields(parts: list[bytes]) -> None:
    content = b"First: x\r\n" + b"".join(parts) + b"\r\nA: body\r\n"

    header = parse_header(content)

    assert header.count("a") == sum(part[:1] in b"Aa" for part in parts)
    kept = b"".join(part for part in parts if part[:1] not in b"Aa")
    assert header.without(frozenset({"A"})) == b"First: x\r\n" + kept + b"\r\n"
    for block in (content[: header.octets], content[: header.octets - 2]):
        assert count_fields(block) == len(header.fields)


def test_folded_fields_of_the_rfc_are_unfolded() -> None:
    header = parse_header(RFC_5322_A_5)

    assert header.octets == len(RFC_5322_A_5) - len(b"Testing.\r\n")
    assert [one.name for one in header.fields] == ["From", "To", "Cc", "Date", "Message-ID"]
    assert header.first("message-id") == "<testabcd.1234@silly.test>"
    assert header.first("To") == (
        "A Group(Some people)     :Chris Jones <c@(Chris's host.)public.example>,         joe@example.org,"
        "  John <jdoe@one.test> (my dear friend); (the end of the group)"
    )


def test_blanks_before_the_colon_belong_to_neither_name_nor_value() -> None:
    """RFC 5322 section 4.5; the line of blanks in To is a fold, not the end (section 4.2)."""
    header = parse_header(RFC_5322_A_6_3)

    assert [one.name for one in header.fields] == ["From", "To", "Subject", "Date", "Message-ID"]
    assert header.first("Subject") == "Saying Hello"
    assert b"Subject" not in header.without(frozenset({"subject"}))


def test_a_message_of_a_header_alone_needs_no_blank_line() -> None:
    for content in (b"A: 1\r\nB: 2\r\n 3\r\n", b"A: 1\r\nB: 2\r\n 3", b"A: 1\r\nB: 2\r\n\r"):
        header = parse_header(content)

        assert header.octets == len(content)
        assert header.without(frozenset()) == content
        assert header.count("B") == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r",
        b"hello\r\nFrom: a@b.example\r\n\r\n",
        b" From: a@b.example\r\n\r\n",
        b": x\r\n\r\n",
        b"From a@b.example Mon Nov 24 05:39:00 2025\r\nFrom: a@b.example\r\n\r\n",
        b"Fr\xc3\xb6m: x\r\n\r\n",
        b"Fr\0m: x\r\n\r\n",
    ],
)
def test_content_that_starts_with_no_field_is_all_body(content: bytes) -> None:
    header = parse_header(content)

    assert (header.fields, header.octets) == ((), 0)
    assert header.without(frozenset()) == b""


def test_content_that_starts_with_the_blank_line_has_an_empty_header() -> None:
    header = parse_header(b"\r\nFrom: a@b.example\r\n\r\n")

    assert (header.fields, header.octets) == ((), 2)
    assert header.without(frozenset()) == b"\r\n"


def test_fields_behind_a_line_that_is_none_are_seen_all_the_same() -> None:
    header = parse_header(b"Subject: x\r\nnot a field\r\n with a fold\r\nFrom: ceo@bank.example\r\n\r\nbody")

    assert header.first("From") == "ceo@bank.example"
    assert header.fields[1] == Field("", b"not a field\r\n with a fold\r\n")


def test_a_name_folded_before_its_colon_does_not_hide() -> None:
    header = parse_header(b"Subject: x\r\nX-Ours\r\n : forged\r\nX-Ours\r\n\r\nbody")

    assert header.count("x-ours") == 1
    assert header.without(frozenset({"x-ours"})) == b"Subject: x\r\nX-Ours\r\n\r\n"


def test_values_are_text_without_controls() -> None:
    header = parse_header(
        b"Subject: \x1b[31mred\x00 \xe3\x81\x82\xe3\x80\x80\xff\tend\xe2\x80\xae\r\nSubject:\r\n\r\n"
    )

    assert header.values("SUBJECT") == ["?[31mred? \u3042 \ufffd end?", ""]
    assert header.first("Nothing") is None
    assert header.values("Nothing") == []


def test_a_field_that_follows_a_bare_line_end_is_not_a_field_of_its_own() -> None:
    """Only CRLF ends a line; content with a bare CR or LF is refused elsewhere."""
    header = parse_header(b"Subject: a\nBcc: b\rCc: c\r\n\r\n")

    assert [one.name for one in header.fields] == ["Subject"]
    assert header.first("Subject") == "a Bcc: b Cc: c"


def test_names_and_counts_ignore_case() -> None:
    header = parse_header(b"RECEIVED: a\r\nreceived : b\r\nReceived-SPF: c\r\n\r\n")

    assert header.count("Received") == 2
    assert header.names() == frozenset({"received", "received-spf"})


def test_a_block_of_folds_or_of_equal_fields_takes_a_moment() -> None:
    for part in (b"A:\r\n", b" \r\n", b":\r\n", b"A: \r\n\t\r\n"):
        block = b"A: 1\r\n" + part * (256 * 1024 // len(part)) + b"\r\n"

        header = parse_header(block)

        assert header.octets == len(block)
        assert (
            header.without(frozenset({"A"}))
            == (part * (256 * 1024 // 3) if part == b":\r\n" else b"") + b"\r\n"
        )


NOW = datetime(1997, 11, 22, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "age"),
    [
        ("Fri, 21 Nov 1997 09:55:06 -0600", timedelta(days=1, minutes=4, seconds=54)),
        ("21 Nov 97 09:55:06 GMT", timedelta(days=1, hours=6, minutes=4, seconds=54)),
        ("Fri,21 Nov 1997 9:55 CST", timedelta(days=1, minutes=5)),
        ("Fri, 21 Nov 097 15:55 Z", timedelta(days=1, minutes=5)),
        ("Sat, 22 Nov 1997 17:00:60 +0000 (UTC)", timedelta(hours=-1, seconds=-59)),
        ("Sat, 22 Nov 1997 16:00:00", timedelta(0)),
        ("\tSat,\r\n 22 Nov\r\n 1997 16:00:00 -0000", timedelta(0)),
        ("Sun, 23 Nov 1997 01:00:00 +0900", timedelta(0)),
    ],
)
def test_the_age_of_a_message_is_what_its_date_says(date: str, age: timedelta) -> None:
    header = parse_header(f"Date: {date}\r\n\r\n".encode())

    assert message_age_seconds(header, NOW) == age.total_seconds()


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "Fri, 31 Feb 1997 09:55:06 -0600",
        "Fri, 21 Foo 1997 09:55:06 -0600",
        "Fri, 21 Nov 0000 09:55:06 -0600",
        "Fri, 21 Nov 1997 24:00:00 -0600",
        "Fri, 01 Jan 0001 00:00:00 +9999",
        "Fri, 31 Dec 9999 23:59:59 -9999",
        "Fri, 21 Nov 1997 \u0669\u0669:55:06 -0600",
    ],
)
def test_a_date_that_is_none_gives_no_age(date: str) -> None:
    header = parse_header(f"Date: {date}\r\n\r\n".encode())

    assert message_age_seconds(header, NOW) is None


@given(
    st.text(max_size=60), st.sampled_from(["", "Fri, 21 Nov 1997 09:55:06 ", "1 Jan ", "31 Dec 9999 23:59 "])
)
@settings(deadline=None, max_examples=500)
def test_any_date_gives_an_age_or_none(text: str, start: str) -> None:
    header = parse_header(f"Date: {start}{text}\r\n\r\n".encode(errors="replace"))

    assert isinstance(message_age_seconds(header, NOW), float | None)
