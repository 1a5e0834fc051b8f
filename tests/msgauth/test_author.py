"""Whom From names; what can be read in two ways names nobody."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mxgw.header import parse_header
from mxgw.msgauth import author as told
from mxgw.msgauth.author import MAX_AUTHOR_DOMAINS, MAX_FROM_OCTETS, Author, author_of
from mxgw.resolver.names import canonical


def read(*values: str | bytes, name: str = "From") -> Author:
    """The author of a message with one From field per value."""
    octets = (value.encode() if isinstance(value, str) else value for value in values)
    block = b"".join(name.encode() + b": " + value + b"\r\n" for value in octets)
    return author_of(parse_header(b"To: all@example.org\r\n" + block + b"\r\n"))


# Who is named.


@pytest.mark.parametrize(
    "value",
    [
        "a@example.com",
        "<a@example.com>",
        "A Person <a@example.com>",
        "A <a@example.com>, B <b@EXAMPLE.com>",
        '"Person, A" <a@example.com>',
        'A "the" Person <a@example.com>',
        "John Q. Public <john.q.public@example.com>",
        "Example.com Shop <shop@example.com>",
        "a@example.com (A Person)",
        "(A (nested (deep))) a@example.com (\\) and \\()",
        "A (comment) <a@example.com (comment)> (comment)",
        "a (comment) @ (comment) example.com",
        "A Person\r\n <a@example.com>",
        "A Person\r\n\t<a@\r\n example.com>",
        '"a@b"@example.com',
        '"a\\"b\\\\"@example.com',
        '"<b@attack.example>" <a@example.com>',
        '"b@attack.example" <a@example.com>',
        '""@example.com',
        "!#$%&'*+-/=?^_`{|}~@example.com",
        "=?UTF-8?Q?J=C3=BCrgen_M=2E?= <a@example.com>",
        "=?utf-8?b?SsO8cmdlbg==?= =?utf-8?q?b=40attack.example?= <a@example.com>",
        '"=?utf-8?q?A?=" <a@example.com>',
        "=?utf-8?b?A?= <a@example.com>",
        "=?iso-2022-jp?B?GyRCRnxLXBsoQg==?= <a@example.com>",
        "Jürgen Müller <jürgen@example.com>",
        "山田　太郎 <a@example.com>",
        "Friends: A <a@example.com>, b@example.com;",
        '"The (Friends)": a@example.com;, None:;',
        "None:; , a@example.com",
    ],
)
def test_a_valid_field_names_its_domain(value: str) -> None:
    assert read(value) == Author(("example.com",), "")


@pytest.mark.parametrize(
    ("value", "domains"),
    [
        ("a@one.example, b@two.example", ("one.example", "two.example")),
        ("a@two.example, b@one.example, c@two.example", ("two.example", "one.example")),
        ("A: a@one.example;, b@two.example", ("one.example", "two.example")),
        ("a@Bücher.example", ("xn--bcher-kva.example",)),
        ("a@BÜCHER.example, b@xn--bcher-kva.example", ("xn--bcher-kva.example",)),
        ("a@\uff45xample\u3002com", ("example.com",)),
        ("a@exam\u00adple.com", ("example.com",)),
        ("a@пример.рф", ("xn--e1afmkfd.xn--p1ai",)),
        ("root@localhost", ("localhost",)),
        ("a@_x.mail-1.example", ("_x.mail-1.example",)),
        (f"a@{'a.' * 126}b", (f"{'a.' * 126}b",)),
    ],
)
def test_domains_are_named_as_dns_has_them_once_and_in_their_order(
    value: str, domains: tuple[str, ...]
) -> None:
    assert read(value) == Author(domains, "")


@pytest.mark.parametrize("name", ["From", "FROM", "fRoM", "From "])
def test_the_name_of_the_field_is_read_as_every_reader_does(name: str) -> None:
    assert read("a@example.com", name=name) == Author(("example.com",), "")


def test_as_many_domains_as_are_evaluated_are_named_and_not_one_more() -> None:
    addresses = [f"a@{number}.example" for number in range(MAX_AUTHOR_DOMAINS + 1)]

    assert len(read(", ".join(addresses[:-1])).domains) == MAX_AUTHOR_DOMAINS
    assert read(", ".join(addresses)) == Author((), told.TOO_MANY_DOMAINS)


@pytest.mark.parametrize(
    "value",
    [
        "Doe, John <a@example.com>",
        'Doe, "Jo" (x) <a@example.com>',
        "John [Sales] <a@example.com>",
        "Re: your order; soon <a@example.com>",
        "=?utf-8?q?Doe,_John?= <a@example.com>",
        "a@example.com <a@example.com>",
        "b@EXAMPLE.com<a@example.com>",
    ],
)
def test_a_field_that_breaks_the_grammar_around_its_only_domain_names_it(value: str) -> None:
    assert read(value) == Author(("example.com",), "")


@pytest.mark.parametrize(
    "value",
    [
        'John "Jo <a@example.com>',
        "John (Jo <a@example.com>",
        "DOMAIN\\john <a@example.com>",
        "5 > 3, <a@example.com>",
        "John <john> <a@example.com>",
        '"\\" <a@example.com>',
        "Doe, John <a@example.com> x",
        "Doe, John <a@example.com>, <b>",
        "Doe, John <a@example.com (x)>",
        "Doe, John <a@example.com(x).attack.example>",
        "Doe, John <a @example.com>",
        "Doe, John a@example.com",
        'Doe, John <"a"@example.com>',
        "a@example.com <a@www.example.com>",
        "a@example.com (x) <a@example.com>",
        "a@example.com .attack.example <a@example.com>",
        "a@example.com <a@example.com>, <a@example.com",
        "x a@example.com <a@example.com>",
    ],
)
def test_and_no_other_field_that_breaks_it_is_read(value: str) -> None:
    assert read(value) == Author((), told.UNREADABLE)


# Who is not named, and why.


def test_a_message_has_one_from_field() -> None:
    assert read() == Author((), "no From field")
    assert read("a@example.com", "a@example.com") == Author((), "2 From fields")
    assert read(*["a@example.com"] * 900) == Author((), "900 From fields")


@pytest.mark.parametrize(
    "value",
    [
        # two authors, one for each kind of reader
        "<any@attack.example>admin@legit.example",
        "<any@attack.example> admin@legit.example",
        "admin@legit.example <any@attack.example>",
        "admin@legit.example<any@attack.example>",
        "<admin@legit.example> <any@attack.example>",
        "A <admin@legit.example> B <any@attack.example>",
        "<admin@legit.example><any@attack.example>",
        "<<admin@legit.example>any@attack.example>",
        "<admin@legit.example,any@attack.example>",
        "admin@legit.example any@attack.example",
        "admin@legit.example@attack.example",
        "admin@legit.example\\,any@attack.example",
        "admin@legit.example;any@attack.example",
        "admin@legit.example:any@attack.example",
        "admin@legit.example: any@attack.example;",
        'admin@legit.example"any@attack.example',
        '"admin@legit.example" any@attack.example',
        "admin@legit.example(, any@attack.example",
        "(admin@legit.example)) <any@attack.example>",
        "admin@legit.example[any@attack.example]",
        "[admin@legit.example] <any@attack.example>",
        # source routes and other obsolete forms (RFC 5322 section 4.4)
        "<@attack.example:admin@legit.example>",
        "<@attack.example,@other.example:admin@legit.example>",
        "A <@attack.example,b@legit.example>",
        "a . b@legit.example",
        "a@legit . example",
        "a@legit(comment).example",
        '"a".b@legit.example',
        'a."b"@legit.example',
        "a@legit.example,",
        ",a@legit.example",
        "a@legit.example,,b@legit.example",
        "A: B: a@legit.example;;",
        "A: a@legit.example",
        ": a@legit.example;",
        "A: a@legit.example;;",
        "A: a@legit.example; b@legit.example",
        "A:;B:;",
        "A <a@legit.example>\r\n \r\n <b@attack.example>",
        "A\r\n \t\r\n <a@legit.example>",
        # no address, or half of one
        "A Person",
        "a@",
        "@legit.example",
        "<>",
        "<a>",
        "<a@>",
        "<a@legit.example",
        "a@legit.example>",
        "A <a@legit.example> B",
        "\\a@legit.example",
        '"a@legit.example',
        '"a" "b"@legit.example',
        "(a@legit.example",
    ],
)
def test_what_can_be_read_in_two_ways_is_not_read(value: str) -> None:
    assert read(value) == Author((), told.UNREADABLE)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", told.NO_ADDRESS),
        (" (nobody) ", told.NO_ADDRESS),
        ("Undisclosed:;", told.NO_ADDRESS),
        ("A:;, B:;", told.NO_ADDRESS),
        ("a@[192.0.2.1]", told.ADDRESS_LITERAL),
        ("A <a@[IPv6:2001:db8::1]>", told.ADDRESS_LITERAL),
        ("a@legit.example, b@[192.0.2.1]", told.ADDRESS_LITERAL),
        ("=?utf-8?q?admin=40legit.example?=@attack.example", told.ENCODED_ADDRESS),
        ("<=?utf-8?b?YWRtaW5AbGVnaXQuZXhhbXBsZQ==?=@attack.example>", told.ENCODED_ADDRESS),
        ('"=?utf-8?q?admin=40legit.example?="@attack.example', told.ENCODED_ADDRESS),
        ("=?utf-8?b?YWRtaW5A?==?utf-8?q?=00?=@attack.example", told.HIDDEN_CHARACTERS),
        ("=?utf-8?q?admin=40legit.example=00?= <a@attack.example>", told.HIDDEN_CHARACTERS),
        ("=?utf-8?q?admin=40legit.example=0d=0A?= <a@attack.example>", told.HIDDEN_CHARACTERS),
        ("=?utf-8?b?YWRtaW5AbGVnaXQuZXhhbXBsZQA=?= <a@attack.example>", told.HIDDEN_CHARACTERS),
        (".a@legit.example", told.BAD_ADDRESS),
        ("a.@legit.example", told.BAD_ADDRESS),
        ("a..b@legit.example", told.BAD_ADDRESS),
        ("A <a@.legit.example>", told.BAD_ADDRESS),
        ("a@legit..example", told.BAD_ADDRESS),
        ("a@legit.example.", told.BAD_ADDRESS),
        ("A, B <a@legit.example.>", told.BAD_ADDRESS),
        ("A, B <=?utf-8?q?b=40legit.example?=@attack.example>", told.ENCODED_ADDRESS),
        ("A, B <a@exa$mple.com>", told.BAD_DOMAIN),
        ("a@=?utf-8?q?legit.example?=", told.BAD_DOMAIN),
        ("a@exa$mple.com", told.BAD_DOMAIN),
        ("a@-example.com", told.BAD_DOMAIN),
        (f"a@{'a' * 64}.example", told.BAD_DOMAIN),
        (f"a@{'a.' * 127}b", told.BAD_DOMAIN),
        ("a@legit.example\u00a0.attack.example", told.BAD_DOMAIN),
        ("a@legit.example\uff20attack.example", told.BAD_DOMAIN),
        ("a@legit.example\uff0f.attack.example", told.BAD_DOMAIN),
        ("a@\u202eexample.com", told.BAD_DOMAIN),
        ("a@legit.example\0", told.CONTROL_CHARACTERS),
        ("a@legit.example\0@attack.example", told.CONTROL_CHARACTERS),
        ("A\0 <a@legit.example>", told.CONTROL_CHARACTERS),
        ('"A\x1b" <a@legit.example>', told.CONTROL_CHARACTERS),
        ("(\x7f) a@legit.example", told.CONTROL_CHARACTERS),
        ("A \x85 <a@legit.example>", told.CONTROL_CHARACTERS),
        ("A \u2028 <a@legit.example>", told.CONTROL_CHARACTERS),
        ("a@legit.example\n b@attack.example", told.CONTROL_CHARACTERS),
        ("a@legit.example\r b@attack.example", told.CONTROL_CHARACTERS),
        (b"J\xfcrgen <a@legit.example>", told.NOT_UTF8),
        (b"a@legit.example (\xc0\xae)", told.NOT_UTF8),
        (b"\xff\xfea@legit.example", told.NOT_UTF8),
        ("a" * MAX_FROM_OCTETS + "@legit.example", told.TOO_LONG),
    ],
)
def test_a_field_that_names_nobody_has_a_problem(value: str | bytes, problem: str) -> None:
    assert read(value) == Author((), problem)


def test_a_line_that_some_take_for_more_of_from_spoils_it() -> None:
    block = b"From: a@legit.example\r\n%sTo: b@example.net\r\n%s\r\n"
    stray = b", admin@attack.example\r\n"

    assert author_of(parse_header(block % (stray, b""))) == Author((), told.STRAY_LINE)
    assert author_of(parse_header(block % (b"", stray))) == Author(("legit.example",), "")
    assert author_of(parse_header(b"To: b@example.net\r\n" + stray + block % (b"", b""))).domains


def test_one_bad_address_spoils_the_list() -> None:
    for bad in ("admin@legit.example <b@attack.example>", "b@", "b@exa$mple.com", "b@[192.0.2.1]"):
        assert not read(f"a@legit.example, {bad}").domains
        assert not read(f"{bad}, a@legit.example").domains


# Whatever comes.

PIECES = ["a", "b.c", "x.example", "@", "<", ">", ",", ":", ";", "(", ")", '"', "\\", ".", " ", "\t"]
HARD = [
    "\r\n ",
    "\r\n",
    "[",
    "]",
    "=?utf-8?q?a?=",
    "=?",
    "?=",
    "ü",
    "\0",
    "\x7f",
    "\u2028",
    "\u3002",
    "\uff20",
    "\ud7ff",
]
FIELDS = st.one_of(
    st.binary(max_size=120),
    st.lists(st.sampled_from(PIECES + HARD), max_size=40).map(lambda parts: "".join(parts).encode()),
)


@given(FIELDS)
@settings(max_examples=500, deadline=None)
@example(b"<any@attack.example>admin@legit.example")
@example(b'"' + b"\\" * 500)
@example(b"a@" + "ß".encode() * 100)
def test_any_octets_name_domains_that_dns_could_have_or_are_a_problem(value: bytes) -> None:
    found = author_of(parse_header(b"From: " + value + b"\r\n\r\n"))

    assert bool(found.domains) != bool(found.problem)
    assert len(found.domains) <= MAX_AUTHOR_DOMAINS
    assert len(set(found.domains)) == len(found.domains)
    for domain in found.domains:
        assert canonical(domain) == domain
        assert domain.isascii()
        assert not set(domain) & set(' "()<>[]:;@\\,')
    assert found.problem.isascii()
    assert found.problem.isprintable()


LOCALS = st.sampled_from(["a", "a.b", '"a b"', '"a@b"', '"\\""', "ü", "a+b=c"])
DOMAINS = st.sampled_from(["one.example", "TWO.example", "three.example", "bücher.example"])
NAMES = st.sampled_from(["", "A", "A B.", '"A, B"', "(c) A", '"b@attack.example" A', "=?utf-8?q?A?="])
GAPS = st.sampled_from(["", " ", "\r\n ", "(x)", " (y (z)) "])


@st.composite
def mailboxes(draw: st.DrawFn) -> tuple[str, str]:
    """A mailbox of the grammar, and its domain as DNS has it."""
    gap = draw(GAPS)
    domain = draw(DOMAINS)
    address = f"{draw(LOCALS)}{draw(GAPS)}@{draw(GAPS)}{domain}"
    name = draw(NAMES)
    written = f"{name}{gap}<{address}>" if name or draw(st.booleans()) else f"{gap}{address}"
    return written + draw(GAPS), canonical(domain) or ""


@given(st.lists(st.lists(mailboxes(), min_size=1, max_size=3), min_size=1, max_size=3), st.data())
@settings(max_examples=300, deadline=None)
def test_whatever_the_grammar_makes_is_read_as_it_was_made(
    lists: list[list[tuple[str, str]]], data: st.DataObject
) -> None:
    parts = []
    for members in lists:
        listed = ",".join(text for text, _ in members)
        parts.append(f"Group:{listed};" if data.draw(st.booleans()) else listed)

    found = read(f"{','.join(parts)}(the end)")

    assert found == Author(tuple(dict.fromkeys(name for members in lists for _, name in members)), "")


@pytest.mark.parametrize(
    "value",
    [
        "a@b.example, " * 80_000,
        "(" * 1_000_000,
        "(" * 500_000 + ")" * 500_000,
        '"' + "\\" * 1_000_000,
        "=?x" * 350_000,
        "=?a?q?" * 170_000,
        "<" * 1_000_000,
        "a." * 500_000 + "@b.example",
        "a@" + "b." * 500_000 + "example",
        "a@" + "ß" * 500_000,
        "\r\n " * 330_000,
        "A:" * 500_000,
    ],
)
@pytest.mark.parametrize("octets", [MAX_FROM_OCTETS - 2, 1_000_000])
def test_a_huge_field_is_read_in_the_blink_of_an_eye(value: str, octets: int) -> None:
    """With any square in it, the suite would hang here."""
    field = value.encode()[:octets]

    found = author_of(parse_header(b"From: " + field + b"\r\n\r\n"))

    assert bool(found.domains) != bool(found.problem)
