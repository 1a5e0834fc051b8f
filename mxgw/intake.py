"""Takes one message in: everything to the spool, the header block parsed as soon as it is complete.

The door feeds decoded content; the gateway reads header, digests and spool. Nothing here waits.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

from mxgw.content import ContentFault
from mxgw.header import (
    MAX_FIELDS,
    MAX_HEADER_OCTETS,
    NO_HEADER,
    Header,
    count_fields,
    parse_header,
    starts_with_field,
)
from mxgw.spool import MEMORY_OCTETS, Spool, SpoolBudget, SpoolFull

_BLANK_LINE = b"\r\n\r\n"

_FIELD_OVERHEAD_OCTETS = 256
"""What Python takes for a parsed field beside its octets, about."""


class Observer(Protocol):
    """Looks at a message while it arrives (mxgw.msgauth.checks.Examination)."""

    def header(self, header: Header) -> None:
        """The header block is complete; called once, before any ``body``."""

    def body(self, octets: bytes) -> None:
        """The next octets behind the header block."""


class Intake:
    """One message on its way in. Whoever makes it closes it.

    ``fault`` is the first thing that went wrong here; from then on content is dropped, and the spool is
    closed at once, so that a refused message takes no room while its octets still arrive.
    """

    __slots__ = (
        "_body",
        "_budget",
        "_first_line_seen",
        "_observer",
        "_reserved_octets",
        "_tail",
        "fault",
        "fault_detail",
        "header",
        "header_complete",
        "octets",
        "spool",
    )

    def __init__(
        self,
        budget: SpoolBudget,
        *,
        directory: Path | None = None,
        memory_octets: int = MEMORY_OCTETS,
        hash_body: bool = False,
        observer: Observer | None = None,
    ) -> None:
        self.spool = Spool(budget, directory=directory, memory_octets=memory_octets)
        self.octets = 0
        self.fault: ContentFault | None = None
        self.fault_detail = ""
        self.header: Header = NO_HEADER
        self.header_complete = False
        self._budget = budget
        self._reserved_octets = 0
        self._body = hashlib.sha256() if hash_body else None
        self._observer = observer
        # Content that starts with CRLF has its blank line there: this CRLF makes the search see it.
        self._tail = b"\r\n"
        self._first_line_seen = False

    def write(self, content: bytes) -> None:
        """Take the next content octets; look at ``fault`` and ``header_complete`` afterwards."""
        self.octets += len(content)
        if self.fault is not None or not content:
            return
        try:
            self.spool.write(content)
            if not self.header_complete:
                self._look_for_header(content)
            else:
                self._take_body(content)
        except SpoolFull as full:
            self._fail(ContentFault.SPOOL_FULL, str(full))
        except OSError as error:
            self._fail(ContentFault.SPOOL_FULL, f"the spool file cannot be read: {error.strerror}")

    def finish(self) -> None:
        """The content is complete: a header block without a blank line ends here."""
        if self.fault is None and not self.header_complete:
            try:
                self._header_ends_at(self.octets)
            except OSError as error:
                self._fail(ContentFault.SPOOL_FULL, f"the spool file cannot be read: {error.strerror}")

    def body_digest(self) -> bytes:
        """SHA-256 of what follows the header block. Only with ``hash_body``, after ``finish``."""
        if self._body is None:
            raise ValueError("the body was not hashed")
        return self._body.digest()

    def content_digest(self) -> bytes:
        """A digest that stands for the whole content: SHA-256 over the digests of its two parts.

        Built that way because the body is then hashed once, while it arrives. Same conditions.
        """
        block = hashlib.sha256(self.header.without(frozenset())).digest()
        return hashlib.sha256(block + self.body_digest()).digest()

    def close(self) -> None:
        """Drop the message and give back what it took from the budget. Closing again does nothing."""
        self.spool.close()
        self._budget.headers.release(self._reserved_octets)
        self._reserved_octets = 0

    def _look_for_header(self, content: bytes) -> None:
        window = self._tail + content
        offset = self.octets - len(window)  # of the window in the content; -2 at first
        blank_line = window.find(_BLANK_LINE)
        if blank_line >= 0:
            self._header_ends_at(offset + blank_line + len(_BLANK_LINE), content)
            return
        if not self._first_line_seen:
            line_end = window.find(b"\r\n", max(-offset, 0))
            if line_end >= 0 or self.octets > MAX_HEADER_OCTETS:
                self._first_line_seen = True
                if not starts_with_field(self._head(self.octets if line_end < 0 else offset + line_end)):
                    self._header_ends_at(0)
                    return
        if self.octets > MAX_HEADER_OCTETS:
            self._fail(ContentFault.HEADER_TOO_LARGE, "the header block does not end")
            return
        self._tail = window[1 - len(_BLANK_LINE) :]

    def _header_ends_at(self, end: int, newest: bytes = b"") -> None:
        wanted = min(end, MAX_HEADER_OCTETS + 1)
        # A small message comes in one piece, which is at hand.
        block = newest[:wanted] if len(newest) == self.octets else self._head(wanted)
        if not block.startswith(b"\r\n") and not starts_with_field(block):
            block = b""
        fields = count_fields(block)
        if len(block) > MAX_HEADER_OCTETS or fields > MAX_FIELDS:
            self._fail(ContentFault.HEADER_TOO_LARGE, "the header block has too many octets or fields")
            return
        reserve = len(block) + fields * _FIELD_OVERHEAD_OCTETS
        if not self._budget.headers.reserve(reserve):
            self._fail(ContentFault.SPOOL_FULL, "the header blocks of all messages take too much memory")
            return
        self._reserved_octets = reserve
        self.header = parse_header(block)
        self.header_complete = True
        if self._observer is not None:
            self._observer.header(self.header)
        if self._body is not None or self._observer is not None:
            for chunk in self.spool.chunks(self.header.octets):
                self._take_body(chunk)

    def _take_body(self, octets: bytes) -> None:
        if self._body is not None:
            self._body.update(octets)
        if self._observer is not None:
            self._observer.body(octets)

    def _head(self, octets: int) -> bytes:
        """The first octets of the content, out of the spool: they need not be held twice meanwhile."""
        pieces: list[bytes] = []
        missing = octets
        for chunk in self.spool.chunks():
            if missing <= 0:
                break
            pieces.append(chunk[:missing])
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def _fail(self, fault: ContentFault, detail: str) -> None:
        self.fault, self.fault_detail = fault, detail
        self.close()
