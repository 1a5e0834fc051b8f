"""The words of LMTP on the wire, without a socket: replies in, commands and dot-stuffed content out.

Sources: RFC 2033 (LMTP), RFC 5321 section 4.2 (replies), RFC 2920 (PIPELINING), RFC 3030 (CHUNKING),
RFC 1870 (SIZE), RFC 6152 (8BITMIME), RFC 6531 (SMTPUTF8), RFC 3461 section 4 (xtext) and Postfix'
XCLIENT_README as Dovecot speaks it (measured with Dovecot 2.3.19).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from mxgw.envelope import Body, Client, ForwardPath, MailParameters, ReversePath
from mxgw.reply import Reply

MAX_REPLY_LINE_OCTETS = 2048
"""RFC 5321 section 4.5.3.1.5 allows 512; some servers put long explanations into one line."""

MAX_REPLY_LINES = 64
"""The longest honest reply is an LHLO with two dozen extensions."""

_CACHEABLE_LINE_OCTETS = 40
"""``250 2.1.5 OK`` comes once per recipient; a line with a session id in it never comes again."""

# RFC 5321 section 4.2: Reply-code = %x32-35 %x30-35 %x30-39. Second digits 6 to 9 are taken as well:
# the first digit alone decides (section 4.2.1).
_REPLY_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)

# What would end a line or a path early, whoever sent it.
_FORBIDDEN_IN_PATH = re.compile("[\r\n\0<>]")
_NOT_XCHAR = re.compile(rb"[^!-*,-<>-~]")


class Garbage(Exception):
    """The peer sent something that is not a reply. ``replies`` are the whole ones that came before it."""

    def __init__(self, text: str, replies: list[Reply]) -> None:
        super().__init__(text)
        self.replies = replies


class ReplyReader:
    """Cuts octets into replies: RFC 5321 section 4.2.1 (multi-line replies).

    Bounded by MAX_REPLY_LINE_OCTETS and MAX_REPLY_LINES. A line end without CR, a line without a code,
    codes that differ inside one reply: Garbage. After Garbage the reader is not to be fed again.
    """

    __slots__ = ("_code", "_rest", "_texts")

    def __init__(self) -> None:
        self._rest = b""
        self._code = 0
        self._texts: list[str] = []

    @property
    def empty(self) -> bool:
        """Whether no part of a reply is pending."""
        return not self._rest and not self._texts

    def feed(self, octets: bytes) -> list[Reply]:
        """Every reply that is complete now; raises Garbage."""
        lines = (self._rest + octets).split(b"\r\n")
        self._rest = lines.pop()
        replies: list[Reply] = []
        for line in lines:
            if len(line) <= _CACHEABLE_LINE_OCTETS and not self._texts and (reply := _short_reply(line)):
                replies.append(reply)
            else:
                self._line(line, replies)
        if len(self._rest) > MAX_REPLY_LINE_OCTETS or b"\n" in self._rest:
            raise Garbage("a reply line that does not end with CRLF in time", replies)
        return replies

    def _line(self, line: bytes, replies: list[Reply]) -> None:
        if len(line) > MAX_REPLY_LINE_OCTETS or b"\n" in line or not (match := _REPLY_LINE.fullmatch(line)):
            raise Garbage(f"not a reply line: {line[:80]!r}", replies)
        code = int(match[1])
        if self._texts and code != self._code:
            raise Garbage(f"code {code} inside a reply {self._code}", replies)
        self._code = code
        self._texts.append((match[3] or b"").decode(errors="replace"))
        if match[2] != b"-":
            texts, self._texts = tuple(self._texts), []
            replies.append(_long_reply(code, texts) if len(texts) > 1 else Reply.parse(code, texts))
        elif len(self._texts) >= MAX_REPLY_LINES:
            raise Garbage(f"a reply of more than {MAX_REPLY_LINES} lines", replies)


@lru_cache(maxsize=128)
def _short_reply(line: bytes) -> Reply | None:
    # None: this line is not a whole reply by itself; the slow way says what it is.
    match = _REPLY_LINE.fullmatch(line)
    if not match or match[2] == b"-" or b"\n" in line:
        return None
    return Reply.parse(int(match[1]), ((match[3] or b"").decode(errors="replace"),))


@lru_cache(maxsize=16)
def _long_reply(code: int, texts: tuple[str, ...]) -> Reply:
    # Replies of several lines are LHLO's, and XCLIENT asks for the same one again for every message.
    return Reply.parse(code, texts)


@dataclass(frozen=True, slots=True)
class Extensions:
    """What home's LHLO offered. ``xclient`` are the attribute names that XCLIENT takes, upper case."""

    keywords: frozenset[str]
    xclient: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, reply: Reply) -> Self:
        """From the reply to LHLO: its first line is the greeting, each other line one extension."""
        words = [line.upper().split() for line in reply.lines[1:]]
        xclient = frozenset(name for line in words if line[:1] == ["XCLIENT"] for name in line[1:])
        return cls(frozenset(line[0] for line in words if line), xclient)

    @property
    def pipelining(self) -> bool:
        """RFC 2920; RFC 2033 section 5 makes it obligatory, and some servers lack it all the same."""
        return "PIPELINING" in self.keywords

    @property
    def chunking(self) -> bool:
        """RFC 3030: BDAT."""
        return "CHUNKING" in self.keywords


NO_EXTENSIONS = Extensions(frozenset())


def lhlo(hostname: str) -> bytes:
    """RFC 2033 section 4.1. ``hostname`` comes from our configuration."""
    return b"LHLO %b\r\n" % hostname.encode()


def carries(path: ForwardPath | ReversePath, extensions: Extensions) -> bool:
    """Whether a hop with these extensions can be told this path.

    Angle brackets are lawful inside a quoted local part (RFC 5321 section 4.1.2) and still not sent:
    a careless parser at home would take what follows them for parameters.
    """
    text = path.local + path.domain
    return not _FORBIDDEN_IN_PATH.search(text) and (text.isascii() or "SMTPUTF8" in extensions.keywords)


def mail(path: ReversePath, parameters: MailParameters, octets: int | None, extensions: Extensions) -> bytes:
    """MAIL with the parameters that were offered. A reverse-path that home cannot carry goes as ``<>``.

    ``octets`` is None where no content will follow (asking about recipients).
    """
    text = str(path) if carries(path, extensions) else ""
    words = ""
    keywords = extensions.keywords
    if octets is not None and "SIZE" in keywords:
        words += f" SIZE={octets}"
    if parameters.body is Body.EIGHT_BIT_MIME and "8BITMIME" in keywords:
        words += " BODY=8BITMIME"
    if parameters.smtputf8 and "SMTPUTF8" in keywords:
        words += " SMTPUTF8"
    return f"MAIL FROM:<{text}>{words}\r\n".encode()


def rcpt(path: ForwardPath) -> bytes:
    """RCPT for a path that ``carries`` said yes to."""
    return f"RCPT TO:<{path}>\r\n".encode()


def bdat_last(octets: int) -> bytes:
    """RFC 3030 section 2: the whole content as the last chunk."""
    return b"BDAT %d LAST\r\n" % octets


def xclient(client: Client, session_id: str, attributes: frozenset[str]) -> bytes:
    """XCLIENT with those of our attributes that home takes; b"" where it takes none.

    Dovecot keeps the old value of an attribute that is missing or ``[UNAVAILABLE]``: so every one is
    always given, and a client that has not said its name is called ``unknown``.
    """
    words = b""
    if "ADDR" in attributes:
        prefix = "IPV6:" if client.address.version == 6 else ""
        words += b" ADDR=%b" % xtext(prefix + client.address_text)
    if "PORT" in attributes:
        words += b" PORT=%d" % client.port
    if "HELO" in attributes:
        words += b" HELO=%b" % xtext(client.helo or "unknown")
    if "PROTO" in attributes:
        words += b" PROTO=ESMTP" if client.extended else b" PROTO=SMTP"
    if "SESSION" in attributes:
        words += b" SESSION=%b" % xtext(session_id)
    return b"XCLIENT%b\r\n" % words if words else b""


def xtext(text: str) -> bytes:
    """RFC 3461 section 4: printable ASCII but "+" and "=", everything else as +XX."""
    return _NOT_XCHAR.sub(lambda match: b"+%02X" % match[0][0], text.encode())


_dot_line = re.compile(rb"\r\n\.").search


def stuffed(content: bytes) -> bytes:
    """Whole content for DATA, with the end of data: RFC 5321 section 4.5.2."""
    if _dot_line(content):
        content = content.replace(b"\r\n.", b"\r\n..")
    dot = b"." if content.startswith(b".") else b""
    end = b".\r\n" if content.endswith(b"\r\n") or not content else b"\r\n.\r\n"
    return b"%b%b%b" % (dot, content, end)


class DotStuffer:
    """Content for DATA, chunk by chunk: RFC 5321 section 4.5.2 (transparency) across chunk borders."""

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        # The last two octets so far. The content begins at the beginning of a line.
        self._tail = b"\r\n"

    def feed(self, chunk: bytes) -> bytes:
        """The octets to send for this chunk of content."""
        stuffed = chunk.replace(b"\r\n.", b"\r\n..") if b"." in chunk and _dot_line(chunk) else chunk
        if chunk.startswith(b".") and self._tail == b"\r\n":
            stuffed = b"." + stuffed
        elif chunk.startswith(b"\n.") and self._tail.endswith(b"\r"):
            stuffed = b"\n." + stuffed[1:]
        self._tail = (self._tail + chunk[-2:])[-2:]
        return stuffed

    def finish(self) -> bytes:
        """The end of data; content without a final CRLF gets one."""
        return b".\r\n" if self._tail == b"\r\n" else b"\r\n.\r\n"
