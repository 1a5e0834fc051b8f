"""One content on its way into the sink: its end, its id, the hash of its body. No socket, nothing kept.

Sources: RFC 5321 sections 4.1.1.4 (end of data) and 4.5.2 (transparency), RFC 3030 section 2 (BDAT).
The sink is lenient where a gateway must not be: it counts what comes, bare line ends included.
"""

from __future__ import annotations

import hashlib
import re

from mxgw.load.ledger import HASH_FIELD, ID_FIELD

MAX_HEADER_OCTETS = 256 * 1024
"""What comes without a blank line for so long is counted as body from there on: it must not fill memory."""

MAX_ID_OCTETS = 200
"""Of what a field says, this much is taken: an id of ours has about 30 octets, a hash 64."""

_END = b"\r\n.\r\n"
_DOT_LINE = b"\r\n."
_LINE_END = b"\r\n"
# A pattern without any choice in it is searched for faster than bytes.find does it.
_find_end = re.compile(re.escape(_END)).search
_find_dot_line = re.compile(re.escape(_DOT_LINE)).search
_BLANK_LINE = b"\r\n\r\n"
_ID = re.compile(rb"\r\n%b:[ \t]*([!-~]{1,%d})" % (ID_FIELD.encode(), MAX_ID_OCTETS), re.IGNORECASE)
_HASH = re.compile(rb"\r\n%b:[ \t]*([!-~]{1,%d})" % (HASH_FIELD.encode(), MAX_ID_OCTETS), re.IGNORECASE)


class Content:
    """Feed ``data`` (DATA) or ``take`` (BDAT); read the fields when the content is over.

    ``octets`` counts all of the content, ``body_octets`` what follows the blank line.
    """

    __slots__ = ("_begin", "_carry", "_digest", "_head", "_in_body", "body_octets", "octets")

    def __init__(self, *, hashing: bool) -> None:
        self._digest = hashlib.sha256() if hashing else None
        # The line end before the first line: with it, first and later lines look alike to every search.
        self._carry = self._head = b"\r\n"
        self._begin = 2
        self._in_body = False
        self.octets = 0
        self.body_octets = 0

    def data(self, piece: bytes) -> bytes | None:
        """Take octets of DATA; gives what follows the end of data, None while that has not come."""
        wire = self._carry + piece
        dot_line = _find_dot_line(wire) if b"." in wire else None
        end = _find_end(wire, dot_line.start()) if dot_line else None
        final = end.start() + 2 if end else len(wire) - _unsure_octets(wire)
        if final:
            certain = wire[:final]
            if dot_line and dot_line.end() <= final:
                certain = certain.replace(_DOT_LINE, _LINE_END)
            self.take(certain[self._begin :])
            self._begin = 0
        self._carry = wire[final:]
        return wire[end.end() :] if end else None

    def take(self, piece: bytes) -> None:
        """Take octets of the content as they are."""
        self.octets += len(piece)
        if self._in_body:
            self._body(piece)
            return
        searched = len(self._head)
        self._head += piece
        blank = self._head.find(_BLANK_LINE, max(0, searched - 3))
        if blank >= 0 or len(self._head) > MAX_HEADER_OCTETS:
            self._in_body = True
            self._body(memoryview(self._head)[blank + 4 if blank >= 0 else searched :])
            self._head = self._head[: blank + 2 if blank >= 0 else searched]

    @property
    def identity(self) -> str:
        """What the message says it is: "" where it says nothing."""
        return self._field(_ID)

    @property
    def stated_hash(self) -> str:
        """The hash of the body that the message names: "" where it names none."""
        return self._field(_HASH)

    @property
    def hash(self) -> str:
        """SHA-256 of the body, hexadecimal; "" without hashing."""
        return self._digest.hexdigest() if self._digest else ""

    def _body(self, piece: bytes | memoryview) -> None:
        self.body_octets += len(piece)
        if self._digest:
            self._digest.update(piece)

    def _field(self, pattern: re.Pattern[bytes]) -> str:
        found = pattern.search(self._head)
        return found[1].decode("ascii") if found else ""


def _unsure_octets(wire: bytes) -> int:
    """How many octets at the end may be the beginning of the end of data."""
    if wire[-1] not in _END:
        return 0
    return next((octets for octets in (4, 3, 2, 1) if wire.endswith(_END[:octets])), 0)
