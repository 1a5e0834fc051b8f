"""What the gateway adds to a message, and that it changes nothing else: RFC 5321 sections 3.7.2 and 4.4."""

from __future__ import annotations

import random
import re
from email.utils import parsedate_to_datetime

import pytest

from tests.rfc.edge import HOSTNAME, Edge
from tests.rfc.wire import StrictWire

FIELDS = b"""\
Return-Path: <old@sender.example>\r
Received: from a by b; Thu, 1 Jan 2026 00:00:00 +0000\r
received:   (odd spelling) nobody knows\r
\tfolded  \r
Received: from c by d; Thu, 1 Jan 2026 00:00:00 +0000\r
From : alice@sender.example\r
Subject: =?utf-8?q?caf=C3=A9?=\r
X-Empty:\r
"""

BODIES = {
    "a line": b"Hello\r\n",
    "no body": b"",
    "blank lines": b"\r\n\r\n\r\n",
    "dots": b".\r\n..\r\n...\r\n.dot\r\n",
    "eight bit": bytes(range(128, 256)) + b"\r\n",
    "controls": bytes(set(range(128)) - {10, 13}) + b"\r\n",
    "long line": b"x" * 30_000 + b"\r\n",
    "many lines": b"".join(b"%d\r\n" % number for number in range(20_000)),
    "trailing blanks": b"a  \t\r\n \r\nb\t\r\n",
}


def deliver(wire: StrictWire, content: bytes, recipients: list[str]) -> None:
    assert all(said.startswith("250") for said in wire.envelope("alice@sender.example", recipients))
    assert wire.data(content).startswith("250 2.0.0")


def received(edge: Edge) -> str:
    """Our Received field of the last copy, unfolded."""
    match = re.match(rb"Received: .*\r\n(?:[ \t].*\r\n)*", edge.home.messages[-1].content)
    assert match, "home's copy does not begin with our Received field"
    return " ".join(match[0].decode().split())


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_data_arrives_octet_for_octet_behind_our_fields(edge: Edge, body: bytes) -> None:
    content = FIELDS + b"\r\n" + body

    with edge.session() as wire:
        deliver(wire, content, ["taro@example.org"])

    assert edge.home.messages[-1].content.endswith(b"\r\n" + content)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_bdat_arrives_octet_for_octet_behind_our_fields(edge: Edge, body: bytes) -> None:
    content = FIELDS + b"\r\n" + body
    cuts = sorted(random.Random(len(body)).sample(range(1, len(content)), 5))
    chunks = [content[start:end] for start, end in zip([0, *cuts], [*cuts, None], strict=True)]

    with edge.session() as wire:
        wire.envelope("alice@sender.example", ["taro@example.org"])
        assert wire.bdat(*chunks).startswith("250 2.0.0")

    assert edge.home.messages[-1].content.endswith(b"\r\n" + content)


def test_the_first_field_says_from_whom_by_whom_how_and_when(edge: Edge) -> None:
    with edge.session("client.example") as wire:
        deliver(wire, b"Subject: x\r\n\r\n", ["taro@example.org"])

    said = received(edge)
    clauses = re.fullmatch(
        r"Received: from client\.example \((?:\S+ )?\[127\.0\.0\.1\]\) by (\S+)(?: \(.*?\))? with (\S+)"
        r"(?: \(.*?\))? id (\S+) for <(.*)>; (.*)",
        said,
    )
    assert clauses, said
    by, protocol, _, path, when = clauses.groups()
    assert (by, protocol, path) == (HOSTNAME, "ESMTP", "taro@example.org")
    assert re.match(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), ", when)
    assert parsedate_to_datetime(when).tzinfo is not None


def test_the_protocol_has_its_registered_name(edge: Edge) -> None:
    # RFC 3848 and RFC 6531 section 4.3.
    with edge.connect() as wire:
        wire.reply()
        wire.command("HELO client.example")
        deliver(wire, b"Subject: x\r\n\r\n", ["taro@example.org"])
        assert " with SMTP " in received(edge)
    with edge.session() as wire:
        assert wire.command("STARTTLS").startswith("220")
        wire.handshake()
        wire.command("EHLO client.example")
        deliver(wire, b"Subject: x\r\n\r\n", ["taro@example.org"])
        assert " with ESMTPS " in received(edge)
        assert wire.command("MAIL FROM:<アリス@sender.example> SMTPUTF8").startswith("250")
        assert wire.command("RCPT TO:<taro@example.org>").startswith("250")
        assert wire.data(b"Subject: x\r\n\r\n").startswith("250")
        assert " with UTF8SMTPS " in received(edge)


def test_several_recipients_are_not_told_of_each_other(edge: Edge) -> None:
    # RFC 5321 sections 4.4 and 7.2: at most one path in FOR; blind copies stay blind.
    with edge.session() as wire:
        deliver(wire, b"Subject: x\r\n\r\n", ["taro@example.org", "hanako@example.org"])

    for copy in edge.home.messages:
        assert b"taro@" not in copy.content
        assert b"hanako@" not in copy.content


def test_a_lying_client_cannot_write_into_the_field(edge: Edge) -> None:
    with edge.connect() as wire:
        wire.reply()
        assert wire.command("EHLO a(b);c<d>[e]").startswith("501")
        assert wire.command("EHLO [127.0.0.1]").startswith("250")
        deliver(wire, b"Subject: x\r\n\r\n", ["taro@example.org"])

    assert received(edge).startswith("Received: from [127.0.0.1] (")


def test_a_content_without_a_header_section_stays_body(edge: Edge) -> None:
    # RFC 5321 section 6.4: nothing is mended on the way through; our fields do not swallow the first line.
    with edge.session() as wire:
        deliver(wire, b"no field\r\nX-Looks-Like: one\r\n", ["taro@example.org"])

    header, _, body = edge.home.messages[-1].content.partition(b"\r\n\r\n")
    assert b"X-Looks-Like" not in header
    assert body == b"no field\r\nX-Looks-Like: one\r\n"
