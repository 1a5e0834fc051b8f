"""Authentication-Results as we write it (RFC 8601 section 2.2), read back with authres."""

from __future__ import annotations

import re

import authres
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.header import parse_header
from mxgw.msgauth.results import Result
from mxgw.msgauth.results_field import Finding, results_field

OURS = "mx.example.jp"

# Every property that there is, with the method it belongs to.
PROPERTIES = {
    "spf": [("smtp", "mailfrom"), ("smtp", "helo"), ("policy", "mx")],
    "dkim": [("header", "d"), ("header", "i"), ("header", "s"), ("header", "a"), ("header", "b")],
    "arc": [("header", "oldest-pass"), ("smtp", "remote-ip")],
    "dmarc": [("header", "from"), ("policy", "dmarc")],
    "iprev": [("policy", "iprev"), ("policy", "dnsbl")],
}
HOSTILE = [
    "a@b\r\nX-Evil: 1",
    '"x; dmarc=pass header.from=bank.example"@evil.example',
    "x) ; dmarc=pass (",
    "legit.example'a.attack.example",
    "evil.example; dmarc=pass",
    "evil.example\0.bank.example",
    "dmarc=pass@evil.example",
    "spf=pass",
    "=?utf-8?q?dmarc=3Dpass?=",
    "\\",
    '"',
    "(((",
    "a" * 10_000,
    "\u202e.example",
    "\udcff.example",
]


def parsed(field: bytes) -> authres.AuthenticationResultsHeader:
    header = parse_header(field + b"\r\n")
    assert [one.name for one in header.fields] == ["Authentication-Results"]
    return authres.all_features().parse(f"Authentication-Results: {header.fields[0].body.decode('ascii')}")


def properties(result: authres.AuthenticationResult) -> dict[str, str]:
    return {f"{one.type}.{one.name}": str(one.value) for one in result.properties}


def one(method: str, *values: tuple[str, str, str], result: Result = Result.PASS, reason: str = "") -> bytes:
    return results_field(OURS, [Finding(method, result, reason, values)])


def shown(method: str, ptype: str, name: str, value: str) -> str | None:
    (result,) = parsed(one(method, (ptype, name, value))).results
    return properties(result).get(f"{ptype}.{name}")


def test_nothing_checked_is_none() -> None:
    """RFC 8601 appendix B.2."""
    assert results_field(OURS, []) == b"Authentication-Results: mx.example.jp; none\r\n"


def test_a_field_with_one_result_of_each_method() -> None:
    field = results_field(
        OURS,
        [
            Finding("spf", Result.PASS, properties=(("smtp", "mailfrom", "bounce.example.com"),)),
            Finding(
                "dkim",
                Result.FAIL,
                "body hash differs",
                (
                    ("header", "d", "example.com"),
                    ("header", "s", "2025._dkim"),
                    ("header", "a", "rsa-sha256"),
                    ("header", "b", "ab/d+fgh"),
                    ("header", "i", "taro.yamada@news.example.com"),
                ),
            ),
            Finding(
                "arc",
                Result.PASS,
                properties=(("smtp", "remote-ip", "2001:db8::1"), ("header", "oldest-pass", "0")),
            ),
            Finding(
                "dmarc",
                Result.PASS,
                properties=(("header", "from", "example.com"), ("policy", "dmarc", "reject")),
            ),
            Finding("iprev", Result.FAIL, properties=(("policy", "iprev", "192.0.2.1"),)),
        ],
    )

    assert field == (
        b"Authentication-Results: mx.example.jp;\r\n"
        b"\tspf=pass smtp.mailfrom=bounce.example.com;\r\n"
        b'\tdkim=fail reason="body hash differs" header.d=example.com\r\n'
        b"\theader.s=2025._dkim header.a=rsa-sha256\r\n"
        b'\theader.i=taro.yamada@news.example.com header.b="ab/d+fgh";\r\n'
        b'\tarc=pass header.oldest-pass=0 smtp.remote-ip="2001:db8::1";\r\n'
        b"\tdmarc=pass header.from=example.com policy.dmarc=reject;\r\n"
        b"\tiprev=fail policy.iprev=192.0.2.1\r\n"
    )
    read = parsed(field)
    assert read.authserv_id == OURS
    assert [(result.method, result.result) for result in read.results] == [
        ("spf", "pass"),
        ("dkim", "fail"),
        ("arc", "pass"),
        ("dmarc", "pass"),
        ("iprev", "fail"),
    ]
    assert read.results[1].reason == "body hash differs"
    assert properties(read.results[1]) == {
        "header.d": "example.com",
        "header.s": "2025._dkim",
        "header.a": "rsa-sha256",
        "header.i": "taro.yamada@news.example.com",
        "header.b": "ab/d+fgh",
    }
    assert properties(read.results[2]) == {"header.oldest-pass": "0", "smtp.remote-ip": "2001:db8::1"}


def test_several_signatures_are_several_results_in_their_order() -> None:
    findings = [
        Finding("dkim", Result.PASS, properties=(("header", "d", f"{name}.example"), ("header", "b", name)))
        for name in ("aaaaaaaa", "bbbbbbbb", "cccccccc")
    ]

    read = parsed(results_field(OURS, findings))

    assert [result.header_b for result in read.results] == ["aaaaaaaa", "bbbbbbbb", "cccccccc"]


@pytest.mark.parametrize(
    ("method", "ptype", "name", "value", "expected"),
    [
        ("spf", "smtp", "mailfrom", "Example.COM", "example.com"),
        ("spf", "smtp", "mailfrom", "例え.jp", "xn--r8jz45g.jp"),
        ("spf", "smtp", "mailfrom", "a@example.com", None),
        ("spf", "smtp", "helo", "mail.example.com.", "mail.example.com"),
        ("spf", "smtp", "helo", "[192.0.2.1]", None),
        ("spf", "smtp", "helo", "a..b", None),
        ("spf", "smtp", "helo", "", None),
        ("dkim", "header", "d", "_spf.example.com", "_spf.example.com"),
        ("dkim", "header", "i", "@例え.jp", "@xn--r8jz45g.jp"),
        ("dkim", "header", "i", "太郎@例え.jp", "@xn--r8jz45g.jp"),
        ("dkim", "header", "i", "bounce+a.b-c_d@example.com", "bounce+a.b-c_d@example.com"),
        ("dkim", "header", "i", "bounce+a=b@example.com", "@example.com"),
        ("dkim", "header", "i", '"a b"@example.com', "@example.com"),
        ("dkim", "header", "i", "a..b@example.com", "@example.com"),
        ("dkim", "header", "i", "a" * 65 + "@example.com", "@example.com"),
        ("dkim", "header", "i", "a@b@example.com", "@example.com"),
        ("dkim", "header", "i", "example.com", "example.com"),
        ("dkim", "header", "i", "a@", None),
        ("dkim", "header", "a", "ed25519-sha256", "ed25519-sha256"),
        ("dkim", "header", "a", "rsa sha", None),
        ("dkim", "header", "b", "ab+/cdef", "ab+/cdef"),
        ("dkim", "header", "b", "spf=pass", None),
        ("arc", "header", "oldest-pass", "12", "12"),
        ("arc", "header", "oldest-pass", "-1", None),
        ("arc", "smtp", "remote-ip", "192.0.2.1", "192.0.2.1"),
        ("arc", "smtp", "remote-ip", "2001:DB8:0::1", "2001:db8::1"),
        ("arc", "smtp", "remote-ip", "fe80::1%eth0", None),
        ("arc", "smtp", "remote-ip", "192.0.2.1 x", None),
        ("dmarc", "policy", "dmarc", "quarantine", "quarantine"),
        ("iprev", "policy", "dnsbl", "zen.spamhaus.org", "zen.spamhaus.org"),
    ],
)
def test_a_value_is_shown_in_its_form_or_left_out(
    method: str, ptype: str, name: str, value: str, expected: str | None
) -> None:
    assert shown(method, ptype, name, value) == expected


@pytest.mark.parametrize("text", HOSTILE)
def test_what_attackers_write_adds_no_result_and_no_field(text: str) -> None:
    for method, names in PROPERTIES.items():
        field = one(method, *[(*name, text) for name in names], reason=text)

        assert re.findall(rb"\b(?:spf|dkim|arc|dmarc|iprev) ?= ?\w+", field) == [f"{method}=pass".encode()]
        (result,) = parsed(field).results
        assert (result.method, result.result) == (method, "pass")


values = st.text(max_size=300) | st.sampled_from(HOSTILE) | st.binary().map(lambda b: b.decode("latin-1"))


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    method = draw(st.sampled_from(sorted(PROPERTIES)))
    named = [(*name, draw(values)) for name in PROPERTIES[method]]
    return Finding(method, draw(st.sampled_from([Result.PASS, Result.FAIL])), draw(values), tuple(named))


@given(st.lists(findings(), max_size=4))
def test_whatever_the_values_hold_the_results_are_those_that_were_put_in(put_in: list[Finding]) -> None:
    field = results_field(OURS, put_in)

    assert field.isascii()
    assert field.endswith(b"\r\n")
    assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", field.replace(b"\r\n\t", b"").removesuffix(b"\r\n"))
    read = parsed(field)
    assert [(one.method, one.result) for one in read.results] == [(one.method, one.result) for one in put_in]
    for before, after in zip(put_in, read.results, strict=True):
        names = [f"{ptype}.{name}" for ptype, name, _ in before.properties]
        assert set(properties(after)) <= set(names)
        assert len(after.properties) == len(properties(after))
    # No equals sign but those of ours.
    assert field.count(b"=") == sum(1 + len(one.properties) + bool(one.reason) for one in read.results)


@given(values)
def test_a_reason_is_read_back_as_one_quoted_string(text: str) -> None:
    (result,) = parsed(one("dkim", ("header", "d", "example.com"), reason=f"x{text}")).results

    assert result.reason.startswith("x")
    assert len(result.reason) <= 64
    assert not set(result.reason) & set('"\\;=()')
    assert properties(result) == {"header.d": "example.com"}


@given(st.lists(findings(), max_size=4))
def test_a_line_is_short_unless_one_value_is_long(put_in: list[Finding]) -> None:
    lines = results_field(OURS, put_in).decode().split("\r\n")

    for line in lines:
        assert len(line) <= 78 or " " not in line.strip()
        assert len(line) <= 998


def test_the_longest_domain_stands_on_a_line_of_its_own() -> None:
    domain = ".".join(["a" * 61] * 4)

    field = one("dkim", ("header", "d", domain), ("header", "i", f"{'b' * 64}@{domain}"))

    assert max(map(len, field.split(b"\r\n"))) < 998
    assert properties(parsed(field).results[0])["header.d"] == domain


@pytest.mark.parametrize(
    "finding",
    [
        Finding("x-dnsbl", Result.PASS),
        Finding("SPF", Result.PASS),
        Finding("dkim", Result.SOFTFAIL),
        Finding("iprev", Result.NONE),
        Finding("arc", Result.TEMPERROR),
        Finding("spf", Result.PASS, properties=(("header", "d", "example.com"),)),
        Finding("dkim", Result.PASS, properties=(("header", "d=x; spf", "example.com"),)),
    ],
)
def test_a_word_outside_the_vocabulary_is_a_bug(finding: Finding) -> None:
    with pytest.raises(ValueError, match=r"is not (in the vocabulary|a property)"):
        results_field(OURS, [finding])


@pytest.mark.parametrize("name", ["", "a b", "mx.example.jp; none", "a\r\nb", "-", "mx..jp"])
def test_our_own_name_must_be_a_domain_name(name: str) -> None:
    with pytest.raises(ValueError, match="domain name"):
        results_field(name, [])


def test_our_own_name_is_written_as_a_labels() -> None:
    assert results_field("MX.例え.jp.", []) == b"Authentication-Results: mx.xn--r8jz45g.jp; none\r\n"
