"""Messages with something special in each, and the comparison of what was sent with what was stored."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_MESSAGE_OCTETS = 37_748_736
NUMBER = re.compile(rb"^X-Rig-Number: (\S+)\r$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Specimen:
    """A message as octets with CRLF line ends, and what is special about it."""

    name: str
    octets: bytes

    @property
    def body(self) -> bytes:
        return body(self.octets)


def header(subject: str, *, number: str = "", extra: Iterable[bytes] = ()) -> bytes:
    """A header block with its blank line. ``number`` makes a message findable among thousands."""
    token = number or f"{random.getrandbits(64):016x}"
    lines = [
        b"Date: Tue, 24 Nov 2026 12:00:00 +0900",
        b"From: Sender <sender@example.org>",
        b"To: Taro <taro@example.jp>",
        b"Subject: " + subject.encode(),
        b"Message-ID: <" + token.encode() + b"@example.org>",
        b"X-Rig-Number: " + token.encode(),
        *extra,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def text_body(octets: int) -> bytes:
    """Lines of 76 characters, as base64 has them."""
    line = bytes(random.choices(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", k=76))
    count, rest = divmod(octets, len(line) + 2)
    tail = line[: rest - 2] + b"\r\n" if rest >= 2 else b""
    return (line + b"\r\n") * count + tail


def numbered(number: str, *, octets: int = 2000) -> bytes:
    """A message whose header carries ``number`` and whose body is its own."""
    return header(f"number {number}", number=number) + text_body(octets)


def ordinary() -> Specimen:
    return Specimen("ordinary", header("ordinary") + text_body(10_000))


def eight_bit() -> Specimen:
    """Every octet above 127, and UTF-8, unencoded."""
    extra = (
        b"MIME-Version: 1.0",
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Transfer-Encoding: 8bit",
    )
    high = bytes(range(128, 256))
    return Specimen(
        "8-bit", header("8-bit", extra=extra) + "本文は日本語です。\r\n".encode() * 50 + (high + b"\r\n") * 20
    )


def utf8_header() -> Specimen:
    """Header fields in UTF-8 (RFC 6532): needs SMTPUTF8."""
    block = header("日本語の件名", extra=("X-Name: 山田太郎".encode(),))
    return Specimen("utf-8 header", block + "こんにちは\r\n".encode())


def long_lines() -> Specimen:
    """Lines far above the 998 octets of RFC 5322 section 2.1.1; real mail has them."""
    return Specimen(
        "long lines", header("long lines") + b"".join(b"x" * n + b"\r\n" for n in (999, 5_000, 200_000))
    )


def leading_dots() -> Specimen:
    lines = (b".", b"..", b"...", b".a", b"", b".", b"..b", b"end")
    return Specimen("leading dots", header("leading dots") + b"".join(line + b"\r\n" for line in lines * 20))


def empty_body() -> Specimen:
    return Specimen("empty body", header("empty body"))


def largest(*, number: str = "", octets: int = MAX_MESSAGE_OCTETS) -> Specimen:
    """Exactly as large as the gateway takes."""
    block = header("largest", number=number)
    return Specimen("largest", block + text_body(octets - len(block)))


def body(message: bytes) -> bytes:
    """What stands behind the first blank line."""
    return message.partition(b"\r\n\r\n")[2]


def digest(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


def number(message: bytes) -> str:
    """The number that ``header`` gave the message."""
    found = NUMBER.search(message)
    if found is None:
        raise ValueError("a message without number: " + repr(message[:500]))
    return found[1].decode()


def added(stored: bytes, sent: bytes) -> bytes:
    """The trace fields put before the sent octets. Fails where the rest is not octet for octet the same."""
    if not stored.endswith(sent):
        raise AssertionError(
            f"stored ({len(stored)} octets, body {digest(body(stored))[:16]}) does not end with "
            f"what was sent ({len(sent)} octets, body {digest(body(sent))[:16]}); it ends {stored[-200:]!r}"
        )
    return stored[: len(stored) - len(sent)]
