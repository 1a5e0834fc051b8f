"""A stored message as a person reads it: decoded fields, text, list of attachments. Total on any octets.

Sources: RFC 2047 (encoded words), RFC 2045 (transfer encodings), RFC 1468 (ISO-2022-JP).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from html.parser import HTMLParser

MAX_DECODED_OCTETS = 1024 * 1024
"""How much of a text part is shown; more is no letter."""

# RFC 1468, and JIS X 0201 katakana as mail programs add it.
_ESCAPE = re.compile(rb"\x1b(\$[@B]|\([BJIH])")
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Attachment:
    """One part that is not shown as text."""

    name: str
    content_type: str
    octets: int


@dataclass(frozen=True, slots=True)
class Letter:
    """What a person wants to know of a message."""

    delivered_to: str
    sender: str
    recipients: str
    subject: str
    date: str
    message_id: str
    fields: tuple[tuple[str, str], ...]
    text: str
    attachments: tuple[Attachment, ...]


def parse_letter(octets: bytes, *, headers_only: bool = False) -> Letter:
    """Decode a message. ``headers_only`` leaves text and attachments empty, for a list."""
    # compat32 keeps what it cannot read; the newer policies raise on some malformed fields.
    message = BytesParser(policy=policy.compat32).parsebytes(octets, headersonly=headers_only)
    fields = tuple((name, _decoded(value)) for name, value in message.raw_items())
    text, attachments = ("", ()) if headers_only else _body(message)
    return Letter(
        delivered_to=_first(fields, "delivered-to"),
        sender=_first(fields, "from"),
        recipients=_first(fields, "to"),
        subject=_first(fields, "subject"),
        date=_first(fields, "date"),
        message_id=_first(fields, "message-id"),
        fields=fields,
        text=text,
        attachments=attachments,
    )


def _first(fields: tuple[tuple[str, str], ...], name: str) -> str:
    return next((value for key, value in fields if key.lower() == name), "")


def _decoded(value: object) -> str:
    # Raw octets beyond ASCII come as surrogates; they go back to octets, and are read as UTF-8 or Japanese.
    text = " ".join(str(value).split())
    if _SURROGATES.search(text):
        return _text(text.encode(errors="surrogateescape"), "")
    if "=?" not in text:
        return text if "\x1b" not in text else _text(text.encode(), "iso-2022-jp")
    try:
        chunks = decode_header(text)
    except (MessageError, ValueError, LookupError):
        return text
    return "".join(
        chunk if isinstance(chunk, str) else _text(chunk, charset or "ascii") for chunk, charset in chunks
    )


def _text(octets: bytes, charset: str) -> str:
    """Octets in a charset, or in the one of those usual in Japan that fits; never raises."""
    if _ESCAPE.search(octets):
        return _iso_2022_jp(octets)
    # EUC is nearly always lawful Shift_JIS as well, and seldom the other way round: so it comes first.
    for candidate in (charset, "utf-8", "euc-jp", "cp932"):
        try:
            return _SURROGATES.sub("\ufffd", octets.decode(candidate))
        except (LookupError, ValueError):
            continue
    return octets.decode("utf-8", errors="replace")


def _iso_2022_jp(octets: bytes) -> str:
    """Python's codec refuses what mail programs add: circled digits, half-width katakana."""
    ascii_part, *rest = _ESCAPE.split(octets)
    texts = [ascii_part.decode("ascii", errors="replace")]
    for escape, segment in zip(rest[::2], rest[1::2], strict=True):
        high = bytes(octet | 0x80 if 0x21 <= octet <= 0x7E else octet for octet in segment)
        match escape:
            case b"$@" | b"$B":
                texts.append(high.decode("euc_jis_2004", errors="replace"))
            case b"(I":
                texts.append(high.decode("cp932", errors="replace"))
            case _:
                texts.append(segment.decode("ascii", errors="replace"))
    return "".join(texts)


def _body(message: Message) -> tuple[str, tuple[Attachment, ...]]:
    texts: list[str] = []
    htmls: list[str] = []
    attachments: list[Attachment] = []
    for part in _leaves(message):
        payload = part.get_payload(decode=True)
        octets = payload if isinstance(payload, bytes) else b""
        kind, name = part.get_content_type(), _filename(part)
        attached = "attachment" in str(part.get("Content-Disposition", "")).lower()
        if kind in ("text/plain", "text/html") and not attached:
            text = _text(octets[:MAX_DECODED_OCTETS], _charset(part))
            (texts if kind == "text/plain" else htmls).append(text)
        else:
            attachments.append(Attachment(name, kind, len(octets)))
    text = "\n".join(texts) if texts else "\n".join(map(_html_to_text, htmls))
    return text.replace("\r\n", "\n").replace("\r", "\n").strip("\n"), tuple(attachments)


def _leaves(message: Message) -> Iterator[Message]:
    for part in message.walk():
        if not part.is_multipart():
            yield part


def _filename(part: Message) -> str:
    try:
        return _decoded(part.get_filename() or "")
    except (MessageError, ValueError, LookupError, TypeError):
        return ""


def _charset(part: Message) -> str:
    try:
        return part.get_content_charset() or ""
    except (MessageError, ValueError, LookupError, TypeError):
        return ""


class _TextOnly(HTMLParser):
    """Keeps what a reader sees of HTML."""

    _BREAKS = frozenset({"p", "br", "div", "tr", "li", "h1", "h2", "h3", "table"})
    _HIDDEN = frozenset({"script", "style", "head", "title"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._HIDDEN:
            self._hidden += 1
        elif tag in self._BREAKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._HIDDEN and self._hidden:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def _html_to_text(html: str) -> str:
    parser = _TextOnly()
    try:
        parser.feed(html)
        parser.close()
    except (ValueError, AssertionError):
        return html
    lines = (" ".join(line.split()) for line in "".join(parser.pieces).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
