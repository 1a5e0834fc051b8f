"""Received-SPF (RFC 7208 section 9.1) as we write it, read back with pyspf."""

from __future__ import annotations

import re
from ipaddress import ip_address

import pytest
import spf
from hypothesis import example, given
from hypothesis import strategies as st

from mxgw.envelope import ReversePath
from mxgw.header import parse_header
from mxgw.msgauth.received_spf import received_spf_field
from mxgw.msgauth.results import Result
from mxgw.msgauth.spf import check_spf
from mxgw.msgauth.spf_result import Identity, SpfResult
from tests.rig.zone import Zone

# RFC 7208 section 9.1, with what we use of it: dot-atom / quoted-string, no comments.
PAIR = r'[a-z-]+=(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|"[^"\\=;()<>\r\n]*")'
FORM = re.compile(
    r"Received-SPF: (?:Pass|Fail|SoftFail|Neutral|None|TempError|PermError)"
    rf"\r\n\t{PAIR}(?:;\r\n\t{PAIR})*\r\n"
)


def written(
    found: SpfResult,
    *,
    address: str = "192.0.2.1",
    helo: str = "mx.example.com",
    sender: str = "joe@example.com",
) -> bytes:
    local, _, domain = sender.rpartition("@")
    return received_spf_field(
        found,
        address=ip_address(address),
        helo=helo,
        reverse_path=ReversePath(local, domain),
        receiver="mx.example.jp",
    )


def read(field: bytes) -> spf.query:
    """As pyspf understands it."""
    (one,) = parse_header(field + b"\r\n").fields
    assert one.name == "Received-SPF"
    query = spf.query("0.0.0.0", "", "")
    query.mech = ""
    query.parse_header_spf(one.body.decode("ascii"))
    return query


async def test_a_result_with_all_that_it_takes_to_verify_it() -> None:
    zone = Zone({"example.com": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]}})
    found = await check_spf(
        zone, address=ip_address("192.0.2.1"), helo="mx.example.com", mail_from="joe@example.com"
    )

    field = written(found)

    assert field == (
        b"Received-SPF: Pass\r\n"
        b"\tclient-ip=192.0.2.1;\r\n"
        b'\tenvelope-from="joe@example.com";\r\n'
        b"\thelo=mx.example.com;\r\n"
        b"\treceiver=mx.example.jp;\r\n"
        b"\tidentity=mailfrom;\r\n"
        b'\tmechanism="ip4:192.0.2.0/24"\r\n'
    )
    seen = read(field)
    assert (seen.result, seen.c, seen.s, seen.h, seen.r, seen.ident, seen.mechanism) == (
        "pass",
        "192.0.2.1",
        "joe@example.com",
        "mx.example.com",
        "mx.example.jp",
        "mailfrom",
        "ip4:192.0.2.0/24",
    )


async def test_an_address_of_ipv6_and_the_null_sender() -> None:
    zone = Zone({"mx.example.com": {"TXT": ["v=spf1 a -all"], "AAAA": ["2001:db8::2"]}})
    found = await check_spf(zone, address=ip_address("2001:db8::1"), helo="mx.example.com", mail_from="")

    seen = read(written(found, address="2001:db8::1", sender=""))

    assert (seen.result, seen.c, seen.o) == ("fail", "2001:db8::1", "mx.example.com")
    assert seen.mechanism == "-all"


@pytest.mark.parametrize(
    ("sender", "helo", "shown"),
    [
        ("太郎@例え.jp", "例え.jp", ("@xn--r8jz45g.jp", "xn--r8jz45g.jp")),
        ("SRS0=a=b=c.example=joe@fwd.example", "mx", ("@fwd.example", "mx")),
        ('"a; receiver=evil\\"x"@example.com', "mx.example.com", ("@example.com", "mx.example.com")),
        ("a@[192.0.2.1]", "[192.0.2.1]", ("", "")),
        ("a@b", "x;y=z", ("a@b", "")),
    ],
)
def test_what_may_mislead_a_reader_is_left_out(sender: str, helo: str, shown: tuple[str, str]) -> None:
    seen = read(
        written(
            SpfResult(Result.NONE, Identity.MAIL_FROM, "", problem="no SPF record"), sender=sender, helo=helo
        )
    )

    assert (seen.s, seen.h) == shown


@pytest.mark.parametrize(
    ("term", "shown"),
    [
        ("-all", "-all"),
        ("include:_spf.example.com", "include:_spf.example.com"),
        ("a//64", "a//64"),
        ("ip6:2001:db8::/32", "ip6:2001:db8::/32"),
        ("exists:%{i}.example.com", "exists"),
        ('~a:x"; receiver=evil', "~a"),
        ("", "default"),
    ],
)
def test_the_term_that_matched_is_named_as_far_as_it_is_plain(term: str, shown: str) -> None:
    field = written(SpfResult(Result.SOFTFAIL, Identity.MAIL_FROM, "example.com", term))

    assert read(field).mechanism == shown


ANYTHING = st.text(max_size=300) | st.binary(max_size=300).map(lambda octets: octets.decode("latin-1"))


@given(
    result=st.sampled_from(Result).filter(lambda one: one is not Result.POLICY),
    texts=st.tuples(*[ANYTHING] * 6),
    address=st.ip_addresses(),
)
@example(Result.FAIL, ('"@x', "a\r\nX: 1", "x;y", "(", "\\", "dmarc=pass"), ip_address("192.0.2.1"))
def test_whatever_strangers_wrote_it_is_one_field_of_this_form(
    result: Result, texts: tuple[str, ...], address: object
) -> None:
    local, domain, helo, term, explanation, problem = texts

    field = received_spf_field(
        SpfResult(result, Identity.MAIL_FROM, domain, term, explanation, problem),
        address=ip_address(str(address)),
        helo=helo,
        reverse_path=ReversePath(local, domain),
        receiver="mx.example.jp",
    )

    assert FORM.fullmatch(field.decode("ascii"))
    assert max(map(len, field.split(b"\r\n"))) < 998
    seen = read(field)
    assert (seen.result, seen.r, seen.ident) == (str(result), "mx.example.jp", "mailfrom")
    assert ip_address(seen.c) == (getattr(address, "ipv4_mapped", None) or address)
