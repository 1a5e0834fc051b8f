"""The sans-IO words of LMTP: replies, extensions, commands, dot-stuffing."""

from __future__ import annotations

import itertools
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw import lmtp
from mxgw.envelope import Body, Client, ForwardPath, MailParameters, ReversePath
from mxgw.lmtp import DotStuffer, Extensions, Garbage, ReplyReader
from mxgw.reply import Reply

NONE = Extensions(frozenset())
ALL = Extensions(frozenset({"PIPELINING", "CHUNKING", "SIZE", "8BITMIME", "SMTPUTF8"}))


def read_in_pieces(octets: bytes, cuts: list[int]) -> tuple[list[Reply], bool]:
    """The replies, and whether garbage ended them."""
    reader = ReplyReader()
    replies: list[Reply] = []
    edges = [0, *sorted(cut % (len(octets) + 1) for cut in cuts), len(octets)]
    for start, end in itertools.pairwise(edges):
        try:
            replies += reader.feed(octets[start:end])
        except Garbage as garbage:
            return replies + garbage.replies, True
    return replies, False


ALMOST_REPLIES = st.lists(
    st.sampled_from(
        [
            b"250",
            b"-",
            b" ",
            b"2.1.5 OK",
            b"\r\n",
            b"\n",
            b"\r",
            b"354",
            b"550 5.1.1 no",
            b"\x00",
            b"\xff",
            b"9",
        ]
    ),
    max_size=40,
).map(b"".join)


@given(st.one_of(st.binary(max_size=300), ALMOST_REPLIES), st.lists(st.integers(0, 400), max_size=6))
def test_the_reader_takes_any_octets_and_cuts_make_no_difference(octets: bytes, cuts: list[int]) -> None:
    whole, garbage_whole = read_in_pieces(octets, [])

    pieces, garbage_pieces = read_in_pieces(octets, cuts)

    assert pieces == whole
    assert garbage_pieces == garbage_whole


def test_a_reply_is_given_when_its_last_line_is_complete() -> None:
    reader = ReplyReader()

    assert reader.feed(b"250-home.test\r\n250-PIPE") == []
    assert not reader.empty
    [reply] = reader.feed(b"LINING\r\n250 SIZE 1000\r\n")
    assert reply.code == 250
    assert reply.lines == ("home.test", "PIPELINING", "SIZE 1000")
    assert reader.empty


def test_several_replies_come_in_one_piece() -> None:
    replies = ReplyReader().feed(b"250 2.1.0 OK\r\n550 5.1.1 no\r\n354\r\n")

    assert [(reply.code, reply.status) for reply in replies] == [(250, "2.1.0"), (550, "5.1.1"), (354, "")]


@pytest.mark.parametrize(
    "octets",
    [
        b"hello\r\n",
        b"25 OK\r\n",
        b"150 1.0.0 preliminary\r\n",
        b"650 what\r\n",
        b"250_OK\r\n",
        b"250-one\r\n251 other code\r\n",
        b"250 bare line feed\n",
        b"250 line feed\ninside\r\n",
        b"\r\n",
        b"250 " + b"x" * 3000 + b"\r\n",
        b"250 " + b"x" * 3000,
        b"250-more\r\n" * 65,
    ],
)
def test_what_is_no_reply_is_garbage(octets: bytes) -> None:
    reader = ReplyReader()

    with pytest.raises(Garbage):
        reader.feed(octets)


def test_replies_before_garbage_are_not_lost() -> None:
    with pytest.raises(Garbage) as caught:
        ReplyReader().feed(b"250 2.1.0 OK\r\nrubbish\r\n")

    assert [reply.code for reply in caught.value.replies] == [250]


def test_a_reply_of_the_longest_allowed_size_is_read() -> None:
    octets = b"".join(b"250-%04d\r\n" % number for number in range(63)) + b"250 end\r\n"

    [reply] = ReplyReader().feed(octets)

    assert len(reply.lines) == 64


def test_lhlo_tells_extensions_and_the_attributes_of_xclient() -> None:
    [reply] = ReplyReader().feed(b"250-home\r\n250-pipelining\r\n250-XCLIENT addr PORT\r\n250 SIZE 99\r\n")

    extensions = Extensions.parse(reply)

    assert extensions.pipelining
    assert not extensions.chunking
    assert extensions.keywords == {"PIPELINING", "XCLIENT", "SIZE"}
    assert extensions.xclient == {"ADDR", "PORT"}


def test_mail_says_only_what_was_offered() -> None:
    parameters = MailParameters(body=Body.EIGHT_BIT_MIME, smtputf8=True, size_octets=5)
    sender = ReversePath("jürgen", "example.org")

    assert lmtp.mail(sender, parameters, 10, ALL) == (
        "MAIL FROM:<jürgen@example.org> SIZE=10 BODY=8BITMIME SMTPUTF8\r\n".encode()
    )
    assert lmtp.mail(sender, parameters, 10, NONE) == b"MAIL FROM:<>\r\n"


def test_mail_says_only_what_was_asked_for() -> None:
    assert lmtp.mail(ReversePath("", ""), MailParameters(), None, ALL) == b"MAIL FROM:<>\r\n"


PATH_TEXT = st.text(st.sampled_from('ab."<>\r\n\0é@ \\'), max_size=12)


@given(PATH_TEXT, PATH_TEXT, st.sampled_from([NONE, ALL]))
def test_no_path_brings_a_line_end_or_an_angle_bracket(
    local: str, domain: str, extensions: Extensions
) -> None:
    path = ForwardPath(local, domain)
    command = lmtp.mail(ReversePath(local, domain), MailParameters(), 1, extensions)
    commands = [command, lmtp.rcpt(path)] if lmtp.carries(path, extensions) else [command]

    for octets in commands:
        assert octets.endswith(b">\r\n") or b"> " in octets
        assert octets.count(b"\r") == octets.count(b"\n") == octets.count(b"<") == octets.count(b">") == 1
        assert b"\0" not in octets
        assert octets.isascii() or "SMTPUTF8" in extensions.keywords


def test_xclient_names_the_client_in_the_attributes_that_home_takes() -> None:
    client = Client(IPv6Address("2001:db8::1"), 2525, "mail+x.example.org", extended=True)
    every = frozenset({"ADDR", "PORT", "PROTO", "HELO", "LOGIN", "SESSION", "TTL"})

    assert lmtp.xclient(client, "tx 1", every) == (
        b"XCLIENT ADDR=IPV6:2001:db8::1 PORT=2525 HELO=mail+2Bx.example.org PROTO=ESMTP SESSION=tx+201\r\n"
    )
    assert lmtp.xclient(client, "tx1", frozenset({"NAME"})) == b""


def test_xclient_leaves_no_attribute_of_an_earlier_client_standing() -> None:
    silent = Client(IPv4Address("192.0.2.7"), 25)

    command = lmtp.xclient(silent, "tx1", frozenset({"HELO", "PROTO"}))

    assert command == b"XCLIENT HELO=unknown PROTO=SMTP\r\n"


@given(st.text(max_size=50))
def test_xtext_is_one_word_of_printable_ascii(text: str) -> None:
    encoded = lmtp.xtext(text)

    assert all(33 <= octet <= 126 and octet != ord("=") for octet in encoded)
    parts = encoded.split(b"+")
    plain = parts[0] + b"".join(bytes([int(part[:2], 16)]) + part[2:] for part in parts[1:])
    assert plain.decode() == text


CONTENT = st.lists(st.sampled_from([b".", b"\r\n", b"\r", b"\n", b"a", b"\r\n.\r\n"]), max_size=30).map(
    b"".join
)


@given(CONTENT, st.lists(st.integers(0, 60), max_size=8))
def test_dot_stuffing_round_trips_across_any_chunk_borders(content: bytes, cuts: list[int]) -> None:
    stuffer = DotStuffer()
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]

    wire = b"".join(stuffer.feed(content[a:b]) for a, b in itertools.pairwise(edges)) + stuffer.finish()

    end = (b"\r\n" + wire).find(b"\r\n.\r\n")
    assert end + 5 == len(wire) + 2, "the end of data is where the content ends, not before"
    received = (b"\r\n" + wire)[: end + 2].replace(b"\r\n..", b"\r\n.")[2:]
    assert received == (content if content.endswith(b"\r\n") or not content else content + b"\r\n")
