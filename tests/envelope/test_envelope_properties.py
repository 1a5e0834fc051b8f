"""What holds for every argument of MAIL and RCPT, whoever sends it: the parsers meet strangers first."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from mxgw.envelope import (
    MAX_PATH_OCTETS,
    Body,
    ForwardPath,
    MailCommand,
    ReversePath,
    is_domain,
    parse_mail,
    parse_mailbox,
    parse_rcpt,
)
from mxgw.reply import Reply

FORBIDDEN = frozenset("\r\n\0<>")
"""What would end a path or a command at the next hop: an accepted path never holds it. Angle brackets are
lawful inside a quoted local part (RFC 5321 section 4.1.2); nobody has them, and careless parsers trip."""

# Pieces of nearly right arguments: plain random octets never come past the first bracket.
PIECES = [
    *[
        "FROM:",
        "from:",
        "TO:",
        "To:",
        "<",
        ">",
        "<>",
        "@",
        ".",
        ",",
        ":",
        ";",
        " ",
        "  ",
        '"',
        "\\",
        "[",
        "]",
    ],
    *["a", "alice", "sender.example", "x-1.example", "-", "_", "postmaster", "[192.0.2.1]", "[IPv6:::1]"],
    *["[IPv6:fe80::1%x]", "%", "%>", "SIZE=", "SIZE=12", "BODY=8BITMIME", "SMTPUTF8", "PRDR", "REQUIRETLS"],
    *["FOO", "=", "太郎", "é", "\u2028", "\u0085", "\x7f", "\t", "\r", "\n", "\0", "\x1b"],
]
nearly_right = st.lists(st.sampled_from(PIECES), max_size=14).map("".join).map(str.encode)
arguments = st.one_of(
    st.binary(max_size=80),
    nearly_right,
    nearly_right.map(lambda octets: b"FROM:<" + octets),
    nearly_right.map(lambda octets: b"TO:<" + octets),
)

atoms = st.text(st.sampled_from("abcXYZ019!#$%&'*+-/=?^_`{|}~太é"), min_size=1, max_size=8)
dot_strings = st.lists(atoms, min_size=1, max_size=4).map(".".join)
quoted_strings = st.lists(
    st.one_of(st.sampled_from([" ", "@", ".", ",", "(", ")", "a", "太", '\\"', "\\\\", "\\ ", "\\a"])),
    max_size=8,
).map(lambda parts: '"' + "".join(parts) + '"')
local_parts = st.one_of(dot_strings, quoted_strings)
labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
domains = st.lists(labels, min_size=1, max_size=4).map(".".join)
literals = st.one_of(
    st.ip_addresses(v=4).map(lambda address: f"[{address}]"),
    st.ip_addresses(v=6).map(lambda address: f"[IPv6:{address}]"),
)
routes = st.one_of(
    st.just(""), st.lists(domains, min_size=1, max_size=3).map(lambda d: ",".join("@" + x for x in d) + ":")
)


def check_path(path: ReversePath | ForwardPath) -> None:
    """An accepted path can be written between the brackets of a command again, and be read as the same."""
    text = str(path)
    assert not FORBIDDEN & set(text)
    assert text.isprintable()
    assert len(f"<{text}>".encode()) <= MAX_PATH_OCTETS


@given(arguments, st.booleans())
@example(b"FROM:<a@[IPv6:::1%>x]>", True)
@example(b"FROM:<a@[IPv6:fe80::1%eth0]>", True)
@example(b'FROM:<"a>b"@sender.example>', True)
@example(b"FROM:<" + b"@a," * 40_000 + b"x@y>", True)
@example(b"FROM:<" + b"a." * 40_000 + b"@y>", True)
@example(b'FROM:<"' + b"\\a" * 40_000, True)
def test_mail_gives_a_command_or_a_refusal_whatever_comes(argument: bytes, extended: bool) -> None:
    parsed = parse_mail(argument, extended=extended)

    if isinstance(parsed, Reply):
        assert parsed.permanent
        assert parsed.status.startswith("5.")
    else:
        check_path(parsed.reverse_path)
        assert parse_mail(f"FROM:<{parsed.reverse_path}> SMTPUTF8".encode(), extended=True) == MailCommand(
            parsed.reverse_path, parse_mail(b"FROM:<> SMTPUTF8", extended=True).parameters
        )
        assert parsed.reverse_path.ascii or parsed.parameters.smtputf8
        assert extended or parsed.parameters == parse_mail(b"FROM:<>", extended=True).parameters


@given(arguments, st.booleans())
@example(b"TO:<a@[IPv6:::1%>x]>", False)
@example(b'TO:<"a<b"@example.org>', False)
@example(b"TO:<" + b"@a," * 40_000 + b"x@y>", False)
def test_rcpt_gives_a_path_or_a_refusal_whatever_comes(argument: bytes, smtputf8: bool) -> None:
    parsed = parse_rcpt(argument, smtputf8=smtputf8)

    if isinstance(parsed, Reply):
        assert parsed.permanent
        assert parsed.status.startswith("5.")
    else:
        check_path(parsed)
        assert parse_rcpt(f"TO:<{parsed}>".encode(), smtputf8=True) == parsed
        assert parsed.ascii or smtputf8
        assert parsed.domain or parsed.postmaster


@given(st.text(max_size=60))
@example("a\u2028b@sender.example")
@example("a@[1.2.3.4]x]")
@example("a@[::1%<]")
@example('"<"@sender.example')
def test_a_typed_mailbox_is_as_clean_as_one_from_the_wire(text: str) -> None:
    parsed = parse_mailbox(text)

    if parsed is not None:
        check_path(parsed)
        assert str(parsed) == text


@given(st.text(max_size=60))
@example("a\u0085b.example")
@example("a\u2028b.example")
def test_a_domain_holds_no_control_character(text: str) -> None:
    if is_domain(text):
        assert text.isprintable()
        assert not FORBIDDEN & set(text)


@given(local_parts, st.one_of(domains, literals), routes)
def test_every_mailbox_of_the_grammar_is_taken_as_it_is_written(local: str, domain: str, route: str) -> None:
    mail = parse_mail(f"FROM:<{route}{local}@{domain}> SMTPUTF8".encode(), extended=True)
    rcpt = parse_rcpt(f"TO:<{route}{local}@{domain}>".encode(), smtputf8=True)

    assert isinstance(mail, MailCommand)
    assert mail.reverse_path == ReversePath(local, domain)
    assert rcpt == ForwardPath(local, domain)


@given(
    st.permutations(["SIZE=500", "BODY=8BITMIME", "SMTPUTF8", "REQUIRETLS", "PRDR"]),
    st.integers(0, 5),
    st.integers(1, 3),
    st.booleans(),
)
def test_parameters_are_taken_in_any_order_case_and_spacing(
    words: list[str], count: int, blanks: int, lower: bool
) -> None:
    chosen = words[:count]
    rest = "".join(" " * blanks + (word.lower() if lower else word) for word in chosen)

    parsed = parse_mail(f"FROM:<>{rest}".encode(), extended=True)

    assert isinstance(parsed, MailCommand)
    parameters = parsed.parameters
    assert parameters.size_octets == (500 if "SIZE=500" in chosen else None)
    assert parameters.body is (Body.EIGHT_BIT_MIME if "BODY=8BITMIME" in chosen else None)
    assert parameters.smtputf8 is ("SMTPUTF8" in chosen)
    assert parameters.requiretls is ("REQUIRETLS" in chosen)
    assert parameters.prdr is ("PRDR" in chosen)
