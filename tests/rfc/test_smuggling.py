"""SMTP smuggling: nothing that only looks like the end of a message ends it, however it is cut into segments.

RFC 5321 sections 2.3.8 and 4.1.1.4. A second message that home gets out of the content of a first is the
failure; so is a message whose line ends we have mended, for the next hop may see more in it than we did.
"""

from __future__ import annotations

import time

import pytest

from tests.rfc.edge import Edge
from tests.rfc.wire import StrictWire

BEHIND = (
    b"MAIL FROM:<evil@evil.example>\r\nRCPT TO:<taro@example.org>\r\nDATA\r\n"
    b"Subject: smuggled\r\n\r\nBy nobody.\r\n"
)
"""What would be a message of its own, did the octets before it end the first one."""

FALSE_ENDS = {
    "LF . LF": b"\n.\n",
    "LF . CRLF": b"\n.\r\n",
    "LF . CR": b"\n.\r",
    "CR . CR": b"\r.\r",
    "CR . LF": b"\r.\n",
    "CR . CRLF": b"\r.\r\n",
    "CRLF . LF": b"\r\n.\n",
    "CRLF . CR": b"\r\n.\r",
    "CRLF . CR CRLF": b"\r\n.\r\r\n",
    "CR CRLF . CRLF": b"\r\r\n..\r\n",
    "LF CRLF . LF": b"\n\r\n.\n",
    "CRLF . LF CR": b"\r\n.\n\r",
}
"""Octet sequences that some server somewhere takes for the end of data."""

HARMLESS_ENDS = {
    "CRLF NUL . CRLF": b"\r\n\0.\r\n",
    "CRLF . NUL CRLF": b"\r\n.\0\r\n",
    "CRLF SP . CRLF": b"\r\n .\r\n",
    "CRLF . SP CRLF": b"\r\n. \r\n",
    "CRLF . VT CRLF": b"\r\n.\x0b\r\n",
    "CRLF .. CRLF": b"\r\n..\r\n",
}
"""Sound lines that are not the end of data; the message goes through as one."""

BREATH_SECONDS = 0.001
"""Between two segments, so that the first is usually read alone; a longer wait proves nothing more."""


def open_transaction(wire: StrictWire) -> None:
    wire.group("MAIL FROM:<alice@sender.example>", "RCPT TO:<taro@example.org>")
    assert wire.reply().startswith("250 2.1.0")
    assert wire.reply().startswith("250 2.1.5")


def send_in_two(wire: StrictWire, octets: bytes, cut: int) -> None:
    wire.send(octets[:cut])
    time.sleep(BREATH_SECONDS)
    wire.send(octets[cut:])


def one_reply(wire: StrictWire) -> str:
    """The reply to all that was sent; another one would be the answer to a smuggled command."""
    said = wire.reply()
    assert wire.command("NOOP") == "250 2.0.0 OK"
    assert not wire.unread
    return said


@pytest.mark.parametrize("end", FALSE_ENDS.values(), ids=FALSE_ENDS)
def test_a_false_end_of_data_is_refused_and_starts_nothing(edge: Edge, end: bytes) -> None:
    head = b"Subject: outer\r\n\r\nHello"
    content = head + end + BEHIND
    cuts = range(len(head), len(head) + len(end) + 1)

    for cut in cuts:
        with edge.session() as wire:
            open_transaction(wire)
            assert wire.command("DATA").startswith("354")
            send_in_two(wire, content + b"\r\n.\r\n", cut)

            assert one_reply(wire).startswith("554 5.6.0")
    assert edge.home.messages == []


@pytest.mark.parametrize("end", FALSE_ENDS.values(), ids=FALSE_ENDS)
def test_a_false_end_of_data_octet_by_octet(edge: Edge, end: bytes) -> None:
    with edge.session() as wire:
        open_transaction(wire)
        assert wire.command("DATA").startswith("354")
        wire.octet_by_octet = True
        wire.send(b"Subject: outer\r\n\r\nHello" + end + BEHIND + b"\r\n.\r\n")

        assert one_reply(wire).startswith("554 5.6.0")
    assert edge.home.messages == []


@pytest.mark.parametrize("start", [b".\n", b".\r", b".\r\r\n", b"\n.\r\n", b"\r.\r\n", b"\n.\n", b".\n\r\n"])
def test_a_false_end_of_data_as_the_first_octets_of_content(edge: Edge, start: bytes) -> None:
    # The CRLF of the DATA command itself serves as the line end before a first dot: RFC 5321 section 4.1.1.4.
    with edge.session() as wire:
        open_transaction(wire)
        assert wire.command("DATA").startswith("354")
        wire.send(start + BEHIND + b"\r\n.\r\n")

        assert one_reply(wire).startswith("554 5.6.0")
    assert edge.home.messages == []


@pytest.mark.parametrize("end", FALSE_ENDS.values(), ids=FALSE_ENDS)
def test_a_false_end_of_data_in_a_chunk_is_refused_and_starts_nothing(edge: Edge, end: bytes) -> None:
    head = b"Subject: outer\r\n\r\nHello"
    content = head + end + BEHIND + b"\r\n.\r\n"

    for cut in range(len(head), len(head) + len(end) + 1):
        with edge.session() as wire:
            open_transaction(wire)
            command = b"BDAT %d LAST\r\n" % len(content)
            send_in_two(wire, command + content, len(command) + cut)

            assert one_reply(wire).startswith("554 5.6.0")
    assert edge.home.messages == []


@pytest.mark.parametrize("end", FALSE_ENDS.values(), ids=FALSE_ENDS)
def test_a_false_end_of_data_across_two_chunks_is_refused(edge: Edge, end: bytes) -> None:
    head = b"Subject: outer\r\n\r\nHello"

    for cut in range(len(end) + 1):
        first, second = head + end[:cut], end[cut:] + BEHIND
        with edge.session() as wire:
            open_transaction(wire)
            wire.send(b"BDAT %d\r\n%bBDAT %d LAST\r\n%b" % (len(first), first, len(second), second))

            replies = [wire.reply(), wire.reply()]
            assert replies[-1][:3] in ("554", "503")
            assert any(reply.startswith("554 5.6.0") for reply in replies)
            assert wire.command("NOOP") == "250 2.0.0 OK"
    assert edge.home.messages == []


@pytest.mark.parametrize("end", HARMLESS_ENDS.values(), ids=HARMLESS_ENDS)
def test_a_line_that_resembles_the_end_of_data_is_content(edge: Edge, end: bytes) -> None:
    content = b"Subject: outer\r\n\r\nHello" + end + BEHIND

    with edge.session() as wire:
        open_transaction(wire)
        assert wire.command("DATA").startswith("354")
        wire.send(content + b".\r\n")

        assert one_reply(wire).startswith("250 2.0.0")
    (copy,) = edge.home.messages
    assert copy.reverse_path == "alice@sender.example"
    assert copy.content.endswith(content.replace(b"\r\n.", b"\r\n"))


def test_the_true_end_of_data_inside_a_chunk_is_content(edge: Edge) -> None:
    # RFC 3030 section 2: a chunk is counted, so CRLF.CRLF in it is text. Home sees it as text, too.
    content = b"Subject: outer\r\n\r\nHello\r\n.\r\n" + BEHIND + b".\r\nQUIT\r\n"

    with edge.session() as wire:
        open_transaction(wire)
        wire.send(b"BDAT %d LAST\r\n" % len(content) + content)

        assert one_reply(wire).startswith("250 2.0.0")
    (copy,) = edge.home.messages
    assert copy.reverse_path == "alice@sender.example"
    assert copy.content.endswith(content)


def test_the_true_end_of_data_cut_at_every_octet(edge: Edge) -> None:
    content = b"Subject: outer\r\n\r\nHello"
    end = b"\r\n.\r\n"

    for cut in range(len(end) + 1):
        with edge.session() as wire:
            open_transaction(wire)
            assert wire.command("DATA").startswith("354")
            send_in_two(wire, content + end + b"RSET\r\n", len(content) + cut)

            assert wire.reply().startswith("250 2.0.0")
            assert wire.reply().startswith("250 2.0.0")
    assert len(edge.home.messages) == len(end) + 1
    assert all(copy.content.endswith(b"\r\n\r\nHello\r\n") for copy in edge.home.messages)


@pytest.mark.parametrize(
    "command", ["NOOP\nRSET", "NOOP\rRSET", "NOOP\r\rRSET", "NOOP\n", "NOOP\r", "\nNOOP", "\rNOOP"]
)
def test_a_command_line_with_a_bare_cr_or_lf_is_no_command(edge: Edge, command: str) -> None:
    octets = f"{command}\r\nMAIL FROM:<evil@evil.example>\r\n".encode()

    for cut in range(1, len(command) + 2):
        with edge.session() as wire:
            send_in_two(wire, octets, cut)

            assert wire.reply().startswith("500 5.5.2")
            assert wire.rest() == b""
