"""Replies: their form on the wire, and what is made of those that a peer sent."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mxgw.reply import Reply, ReplyClass

codes = st.integers(200, 599)
texts = st.lists(st.text(max_size=700), max_size=5)


def test_one_line() -> None:
    assert Reply.of(250, "2.1.5", "Recipient OK").encode() == b"250 2.1.5 Recipient OK\r\n"


def test_several_lines_all_have_code_and_status() -> None:
    # RFC 5321 section 4.2.1: the same code on each line. RFC 2034 section 4: the same status too.
    reply = Reply.of(554, "5.0.0", "<a@b> No", "<c@d> No")

    assert reply.encode() == b"554-5.0.0 <a@b> No\r\n554 5.0.0 <c@d> No\r\n"


def test_a_reply_without_status() -> None:
    assert Reply(354, "", ("Go on",)).encode() == b"354 Go on\r\n"


@pytest.mark.parametrize(
    ("code", "status", "lines"),
    [
        (199, "", ("x",)),
        (600, "", ("x",)),
        (250, "5.0.0", ("x",)),  # RFC 2034 section 4: the classes agree
        (550, "4.0.0", ("x",)),
        (250, "2.0", ("x",)),
        (250, "2.0.1000", ("x",)),
        (250, "2.0.0", ()),
        (250, "2.0.0", ("a\r\n250 b",)),
        (250, "2.0.0", ("a\nb",)),
        (250, "2.0.0", ("a\0b",)),
        (250, "2.0.0", ("a\x1b[31mb",)),
    ],
)
def test_what_is_no_reply(code: int, status: str, lines: tuple[str, ...]) -> None:
    with pytest.raises(ValueError):
        Reply(code, status, lines)


@pytest.mark.parametrize(
    ("lines", "status", "texts"),
    [
        (["2.1.5 OK"], "2.1.5", ("OK",)),
        (["OK"], "", ("OK",)),
        ([], "", ("",)),
        (["2.1.5"], "2.1.5", ("",)),
        (["5.1.1 of another class"], "", ("5.1.1 of another class",)),
        (["2.1.5 one", "2.1.5 two"], "2.1.5", ("one", "two")),
        (["one", "2.1.5 two"], "2.1.5", ("one", "two")),
        (["2.1.5.6 no status"], "", ("2.1.5.6 no status",)),
        (["2.0.0 a\x1b[31mb"], "2.0.0", ("a?[31mb",)),
    ],
)
def test_a_reply_of_a_peer(lines: list[str], status: str, texts: tuple[str, ...]) -> None:
    assert Reply.parse(250, lines) == Reply(250, status, texts)


@given(codes, texts)
@example(550, ["5.1.1 Benutzer unbekannt: j\u00fcrgen"])
@example(250, ["x" * 600, "\U0001f600" * 200])
@example(550, ["\r\n250 injected", "\u2028", "\x85"])
def test_whatever_a_peer_says_leaves_as_sound_reply_lines(code: int, lines: list[str]) -> None:
    reply = Reply.parse(code, lines)

    wire = reply.encode()
    assert wire.endswith(b"\r\n")
    parts = wire[:-2].split(b"\r\n")
    assert len(parts) == max(1, len(lines))
    for part in parts:
        # RFC 5321 section 4.5.3.1.5: 512 octets with CRLF. Section 4.2: HT, SP and printable ASCII; RFC 6531
        # section 3.7.4.2 keeps it so.
        assert len(part) <= 510
        assert all(octet == 9 or 32 <= octet <= 126 for octet in part)
        assert part.startswith(b"%d" % code)
    assert [part[3:4] for part in parts] == [b"-"] * (len(parts) - 1) + [b" "]


@given(codes, texts)
def test_what_is_written_is_read_as_the_same(code: int, lines: list[str]) -> None:
    reply = Reply.parse(code, [line[:400] for line in lines if line.isascii()])

    wire = [line[4:].decode() for line in reply.encode().removesuffix(b"\r\n").split(b"\r\n")]

    assert Reply.parse(code, wire) == reply


@given(codes)
def test_the_class_is_the_first_digit(code: int) -> None:
    reply = Reply(code, "", ("x",))

    assert reply.reply_class == ReplyClass(code // 100)
    assert [reply.positive, reply.transient, reply.permanent] == [code // 100 == n for n in (2, 4, 5)]
