"""The trace field: RFC 5321 section 4.4, and nothing that a stranger wrote gets out of its place."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mxgw.envelope import Client, Tls
from mxgw.header import parse_header, received_field

WHEN = datetime(2025, 11, 24, 5, 39, 0, 999_999, tzinfo=UTC)
TLS = Tls("TLSv1.3", "TLS_AES_256_GCM_SHA384")
CLIENT = Client(ip_address("192.0.2.1"), 4321, "mail.example.com", extended=True)


def field(
    client: Client = CLIENT,
    *,
    forward_path: str | None = "taro@example.jp",
    smtputf8: bool = False,
    lmtp: bool = False,
    hostname: str = "mx.example.net",
    when: datetime = WHEN,
) -> str:
    return received_field(
        client=client,
        hostname=hostname,
        transaction_id="a1b2c3",
        forward_path=forward_path,
        smtputf8=smtputf8,
        when=when,
        lmtp=lmtp,
    ).decode()


def client(helo: str = "mail.example.com", *, extended: bool = True, tls: Tls | None = None) -> Client:
    return Client(ip_address("2001:db8::1"), 4321, helo, extended, tls)


def test_it_says_from_by_with_id_for_and_when() -> None:
    assert field() == (
        "Received: from mail.example.com ([192.0.2.1]) by mx.example.net with ESMTP\r\n"
        " id a1b2c3 for <taro@example.jp>; Mon, 24 Nov 2025 05:39:00 +0000\r\n"
    )


def test_it_tells_of_tls_and_of_an_ipv6_address() -> None:
    assert field(client(tls=TLS)) == (
        "Received: from mail.example.com ([IPv6:2001:db8::1]) (using TLSv1.3\r\n"
        " with cipher TLS_AES_256_GCM_SHA384) by mx.example.net with ESMTPS id a1b2c3\r\n"
        " for <taro@example.jp>; Mon, 24 Nov 2025 05:39:00 +0000\r\n"
    )


def test_several_recipients_are_not_told_of_each_other() -> None:
    assert " for " not in field(forward_path=None)
    assert " id a1b2c3; Mon, " in field(forward_path=None).replace("\r\n", "")


@pytest.mark.parametrize(
    ("word", "extended", "tls", "smtputf8", "lmtp"),
    [
        ("SMTP", False, None, False, False),
        ("SMTP", False, TLS, False, False),
        ("ESMTP", True, None, False, False),
        ("ESMTPS", True, TLS, False, False),
        ("UTF8SMTP", True, None, True, False),
        ("UTF8SMTPS", True, TLS, True, False),
        ("LMTP", True, None, False, True),
        ("LMTPS", True, TLS, False, True),
        ("UTF8LMTP", True, None, True, True),
        ("UTF8LMTPS", True, TLS, True, True),
    ],
)
def test_the_protocol_has_its_registered_name(
    word: str, extended: bool, tls: Tls | None, smtputf8: bool, lmtp: bool
) -> None:
    """RFC 3848 section 2, RFC 6531 section 4.3."""
    text = field(client(extended=extended, tls=tls), smtputf8=smtputf8, lmtp=lmtp)

    assert re.findall(r"\swith ([A-Z0-9]+)\s", text) == [word]


@pytest.mark.parametrize(
    "helo",
    ["", "a b", "x) by evil (y", "a;b", '"', "a\r\nX: y", "\u3042.example", "x" * 300, "[1.2.3.4", "a\0"],
)
def test_a_helo_that_is_no_name_gives_way_to_the_address(helo: str) -> None:
    assert field(client(helo)).startswith("Received: from [IPv6:2001:db8::1] ([IPv6:2001:db8::1])")


@pytest.mark.parametrize("helo", ["[192.0.2.7]", "[IPv6:2001:db8::9]", "WIN_PC-1.local", "localhost"])
def test_a_helo_that_is_a_name_or_a_literal_stays(helo: str) -> None:
    assert field(client(helo)).startswith(f"Received: from {helo} (")


@pytest.mark.parametrize(
    "path", ["a>@b", "a\r\n@b", "<a@b", "\u3042@example.jp", '"\\"@b', '";x@b', "a(b@c", '"a b"@c', "a@b@c"]
)
def test_a_forward_path_that_could_be_misread_is_left_out(path: str) -> None:
    assert " for " not in field(forward_path=path)


def test_utf_8_is_shown_where_the_transaction_asked_for_it() -> None:
    """RFC 6531 section 3.7.3."""
    assert " for <\u3042@example.jp>;" in field(forward_path="\u3042@example.jp", smtputf8=True)


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=40), st.booleans())
@settings(deadline=None, max_examples=500)
def test_whatever_the_client_calls_itself_it_stays_one_field_of_short_lines(
    helo: str, path: str, cipher: str, smtputf8: bool
) -> None:
    text = field(
        client(helo, tls=Tls("TLSv1.3", cipher)), forward_path=path.replace("\ud800", ""), smtputf8=smtputf8
    )

    header = parse_header(text.encode() + b"\r\n")
    assert [one.name for one in header.fields] == ["Received"]
    assert re.fullmatch(r"Received:(?: [^\r\n]+\r\n)+", text)
    value = header.first("Received") or ""
    assert value.endswith("; Mon, 24 Nov 2025 05:39:00 +0000")
    assert value.count(";") == 1
    assert value.count(" by mx.example.net with ") == 1
    assert all(len(line) <= 78 or " for <" in line or " from " in line for line in text.split("\r\n"))


def test_the_time_is_utc_wherever_the_clock_is() -> None:
    tokyo = WHEN.astimezone(timezone(timedelta(hours=9)))

    assert field(when=tokyo) == field()


def test_a_hostname_of_ours_with_a_control_character_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="control"):
        field(hostname="mx\r\nX: y")
