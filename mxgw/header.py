"""The header block of a message: a total parser that keeps every octet, and the Received field we add.

Sources: RFC 5322 sections 2.2, 3.3, 3.6 and 4 (fields, folding, obsolete forms), RFC 5321 section 4.4
(trace), RFC 3848 and RFC 6531 section 4.3 ("with" types), RFC 6532 (UTF-8 in fields).

One parse serves all: what policy reads, what is signed for and what is sent on come from the same fields, so
that no two parts of the program see two different messages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple

from mxgw.envelope import Client

MAX_HEADER_OCTETS = 256 * 1024
"""No RFC bounds the header block; Postfix and Exim take 100 KiB to 1 MiB. Kept in memory, hence bounded."""

MAX_FIELDS = 1000
"""No RFC bounds this either; mail through many lists has 150."""

_MAX_LINE_OCTETS = 78
"""RFC 5322 section 2.1.1 asks for no more than this, without CRLF."""

_BLANKS = b" \t"
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
# RFC 5322 section 3.6.8, ftext: printable US-ASCII but the colon.
_FTEXT = bytes(octet for octet in range(33, 127) if octet != ord(":"))
# What HELO may say in a trace field of ours: a Domain or an address literal in US-ASCII, nothing that RFC
# 5322 gives a meaning in structured fields (blanks, parentheses, quotes, semicolon).
_HELO = re.compile(r"[A-Za-z0-9._-]{1,255}|\[[A-Za-z0-9.:-]{1,64}\]")
_WORD = re.compile(r"[A-Za-z0-9._-]{1,64}")
# What RCPT said may appear as it is where it has none of these characters; a quoted local part has.
_PATH = re.compile(r'[^\s()<>\[\]:;,@\\"]+(?:@[^\s()<>\[\]:;,@\\"]+)?')

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# RFC 5322 section 3.3 with the obsolete years and zones of section 4.3; a comment may follow the zone.
_DATE = re.compile(
    r"(?:[A-Za-z]{3}\s?,)?\s?(?P<day>\d{1,2})\s(?P<month>[A-Za-z]{3})\s(?P<year>\d{2,4})"
    r"\s(?P<hour>\d{1,2})\s?:\s?(?P<minute>\d{2})(?:\s?:\s?(?P<second>\d{2}))?"
    r"(?:\s(?P<zone>[+-]\d{4}|[A-Za-z]{1,5})\b)?",
    re.ASCII,
)
_ZONE_HOURS = {"EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8}


class Field(NamedTuple):
    """One header field. ``raw`` is all of it: name, colon, folds, final CRLF.

    ``name`` is as written, without the blanks that the obsolete syntax allows before the colon
    (RFC 5322 section 4.5). It is "" for a line inside the block that is no field; we keep such lines.
    """

    name: str
    raw: bytes

    @property
    def body(self) -> bytes:
        """What follows the colon, unfolded (RFC 5322 section 2.2.3), without blanks around it."""
        return self.raw.partition(b":")[2].replace(b"\r\n", b"").strip(_BLANKS)


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a message in their order.

    ``octets`` is the size of the block with the blank line behind it, where there is one. It is 0 where the
    content does not start with a field: all of it is body then, and whoever prepends fields must prepend
    a blank line too. Content that starts with the blank line has no fields and 2 octets of header.
    """

    fields: tuple[Field, ...]
    octets: int
    _index: dict[str, list[Field]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index: dict[str, list[Field]] = {}
        for one in self.fields:
            index.setdefault(one.name.lower(), []).append(one)
        object.__setattr__(self, "_index", index)

    def named(self, name: str) -> tuple[Field, ...]:
        """The fields of that name in their order, whatever the case of letters."""
        return tuple(self._index.get(name.lower(), ()))

    def names(self) -> frozenset[str]:
        """The names of all fields, in lower case."""
        return frozenset(self._index)

    def values(self, name: str) -> list[str]:
        """The values of the fields of that name: unfolded, no control characters, octets that are not
        UTF-8 replaced. Encoded words (RFC 2047) stay as they are."""
        return [_text(one.body) for one in self.named(name)]

    def first(self, name: str) -> str | None:
        """The value of the first field of that name, None where there is none."""
        found = self.named(name)
        return _text(found[0].body) if found else None

    def count(self, name: str) -> int:
        """How many fields have that name."""
        return len(self.named(name))

    def without(self, names: frozenset[str], indices: frozenset[int] = frozenset()) -> bytes:
        """The header block, with its blank line, minus the fields of these names and those with these
        indices in ``fields``; no other octet changes."""
        block = b"".join([one.raw for one in self.fields])
        blank_line = b"\r\n" if self.octets > len(block) else b""
        unwanted = {name.lower() for name in names}
        if not indices and unwanted.isdisjoint(self._index):
            return block + blank_line
        kept = [
            one.raw
            for index, one in enumerate(self.fields)
            if index not in indices and one.name.lower() not in unwanted
        ]
        return b"".join(kept) + blank_line


NO_HEADER = Header((), 0)


def starts_with_field(block: bytes) -> bool:
    """Whether the first line of ``block`` begins a header field (RFC 5322 sections 2.2 and 4.5)."""
    line_end = block.find(b"\r\n")
    return bool(_name(block if line_end < 0 else block[:line_end]))


def count_fields(block: bytes) -> int:
    """How many fields ``parse_header`` makes of a block whose lines have their CRLF, without making them."""
    ends = block.count(b"\r\n") - block.endswith(b"\r\n\r\n")
    return ends - block.count(b"\r\n ") - block.count(b"\r\n\t")


def parse_header(block: bytes) -> Header:
    """Parse content from its beginning up to its first blank line, or to its end if there is none.

    Total: any octets give a Header. A line that is neither field nor continuation stays in its place as a
    field without a name, and the block goes on: fields behind such a line must not escape our checks, since
    other programs may read them. Only CRLF ends a line.
    """
    if block.startswith(b"\r\n"):
        return Header((), 2)
    if not starts_with_field(block):
        return NO_HEADER
    end = block.find(b"\r\n\r\n")
    text = block if end < 0 else block[: end + 2]
    *whole, unended = _FIELD_END.split(text)  # b"" where the last line has its CRLF
    fields = [Field(_name(one), one + b"\r\n") for one in whole]
    if unended:
        fields.append(Field(_name(unended), unended))
    return Header(tuple(fields), len(block) if end < 0 else end + 4)


def received_field(
    *,
    client: Client,
    hostname: str,
    transaction_id: str,
    forward_path: str | None,
    smtputf8: bool,
    when: datetime,
    lmtp: bool = False,
) -> bytes:
    """The Received field that we prepend (RFC 5321 section 4.4).

    ``when`` is aware. ``forward_path`` is None where there are several: one recipient is not told of
    another. What the client wrote appears only in forms that cannot end the clause they stand in; else the
    address literal stands for the HELO domain, and the "for" clause is left out. Raises ValueError where
    our own hostname or id is not printable.
    """
    literal = f"[IPv6:{client.address_text}]" if client.address.version == 6 else f"[{client.address_text}]"
    helo = client.helo if _HELO.fullmatch(client.helo) else literal
    parts = [f"Received: from {helo}", f"({literal})"]
    if client.tls:
        parts += (f"(using {_word(client.tls.version)}", f"with cipher {_word(client.tls.cipher)})")
    parts += (f"by {hostname}", f"with {_with(client, smtputf8=smtputf8, lmtp=lmtp)}", f"id {transaction_id}")
    if forward_path and _may_show(forward_path, smtputf8=smtputf8):
        parts.append(f"for <{forward_path}>")
    parts[-1] += ";"
    parts.append(_date(int(when.timestamp())))
    return _fold(parts)


def message_age_seconds(header: Header, now: datetime) -> float | None:
    """How long ago the message was written, by its Date field; negative if its clock runs ahead of ours.

    None where there is no Date, or one that cannot be read. ``now`` is aware.
    """
    value = header.first("Date")
    match = _DATE.match(" ".join(value[:200].split())) if value else None
    if not match or match["month"].lower() not in _MONTHS:
        return None
    year = int(match["year"])
    if len(match["year"]) < 4:  # RFC 5322 section 4.3
        year += 2000 if len(match["year"]) == 2 and year < 50 else 1900
    try:
        local = datetime(
            year,
            _MONTHS.index(match["month"].lower()) + 1,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            min(int(match["second"] or 0), 59),  # a leap second is 60
            tzinfo=UTC,
        )
        return (now - (local - _offset(match["zone"] or ""))).total_seconds()
    except (ValueError, OverflowError):
        return None


def _name(octets: bytes) -> str:
    colon = octets.find(b":")
    # A fold before the colon is no field by the RFC; what some readers take for one, we take for one too.
    name = octets[:colon].rstrip(b" \t\r\n") if colon > 0 else b""
    return "" if name.translate(None, _FTEXT) else name.decode("ascii")


def _text(octets: bytes) -> str:
    text = octets.decode(errors="replace").replace("\t", " ")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def _with(client: Client, *, smtputf8: bool, lmtp: bool) -> str:
    """RFC 3848 section 2; RFC 6531 section 4.3 where the transaction asked for SMTPUTF8."""
    if not lmtp and not client.extended:
        return "SMTP"
    secure = "S" if client.tls else ""
    if smtputf8:
        return f"UTF8{'LMTP' if lmtp else 'SMTP'}{secure}"
    return f"{'LMTP' if lmtp else 'ESMTP'}{secure}"


def _word(text: str) -> str:
    """A name out of the TLS library, for a comment."""
    return text if _WORD.fullmatch(text) else "unknown"


def _may_show(forward_path: str, *, smtputf8: bool) -> bool:
    # UTF-8 in a trace field is for SMTPUTF8 transactions only: RFC 6531 section 3.7.3.
    return (
        bool(_PATH.fullmatch(forward_path))
        and forward_path.isprintable()
        and (smtputf8 or forward_path.isascii())
    )


@lru_cache(maxsize=4)
def _date(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC))


def _fold(parts: list[str]) -> bytes:
    """Lines of at most 78 octets where the parts allow it; the first part stays beside the field name."""
    text = ""
    room = _MAX_LINE_OCTETS + 1
    for part in parts:
        if not part.isprintable():
            raise ValueError("a trace field of ours holds a control character")
        room -= len(part) + 1
        if room < 0 and text:
            text += "\r\n"
            room = _MAX_LINE_OCTETS - len(part) - 1
        text += f" {part}" if text else part
    return (text + "\r\n").encode()


def _offset(zone: str) -> timedelta:
    if zone[:1] in ("+", "-"):
        minutes = int(zone[1:3]) * 60 + int(zone[3:])
        return timedelta(minutes=-minutes if zone[0] == "-" else minutes)
    # GMT, UT, military letters and what nobody knows count as UTC: RFC 5322 section 4.3.
    return timedelta(hours=_ZONE_HOURS.get(zone.upper(), 0))
