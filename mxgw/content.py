"""The octets of DATA and BDAT become content: sans-IO decoders that find the end and judge what may pass.

Sources: RFC 5321 section 4.1.1.4 (end of data), section 4.5.2 (transparency), section 2.3.8 (lines),
RFC 3030 (BDAT). The decoders keep a few octets between calls, whatever a client sends, and look at content
with searches over a whole chunk, never line by line.

What passes: octets, all 256 of them. NUL is not refused: RFC 5322 section 4.1 has it in the syntax that a
receiver must understand, the next hop carries it, and refusing it would bounce mail that others deliver.
What does not: a CR or LF that is not part of CRLF (RFC 5321 section 2.3.8). Another server may take such an
octet for a line end and see a second message where we saw text, so we neither pass it on nor mend it.
"""

from __future__ import annotations

import re
from enum import StrEnum
from io import IncrementalNewlineDecoder

MAX_LINE_OCTETS = 1024 * 1024
"""With CRLF. RFC 5321 section 4.5.3.1.6 asks for 1000; real mail is longer, a line like this is no mail."""

OVERRUN_FACTOR = 2
"""A client that sends this many times the size limit will not stop for a reply: the door closes."""

_END = b"\r\n.\r\n"
_DOT_LINE = b"\r\n."
# A pattern without any choice in it is searched for in one pass, two to eight times as fast as bytes.find,
# which steps octet by octet where the text has octets of what it looks for.
_find_end = re.compile(re.escape(_END)).search
_find_dot_line = re.compile(re.escape(_DOT_LINE)).search
_CR = 0x0D


class ContentFault(StrEnum):
    """Why content is refused whatever it says."""

    BARE_CR_LF = "bare-cr-lf"
    LINE_TOO_LONG = "line-too-long"
    TOO_LARGE = "too-large"
    HEADER_TOO_LARGE = "header-too-large"
    SPOOL_FULL = "spool-full"


class _Judge:
    """Counts content and finds its first fault, the same one however the content is cut into pieces."""

    __slots__ = ("_after_cr", "_line_octets", "_max_line_octets", "fault", "max_octets", "octets")

    def __init__(self, max_octets: int, max_line_octets: int) -> None:
        self.max_octets = max_octets
        self.octets = 0
        self.fault: ContentFault | None = None
        self._max_line_octets = max_line_octets
        self._line_octets = 0
        self._after_cr = False

    def take(self, content: bytes) -> bytes:
        """Judge the next piece, count it, give it back; b"" and nothing counted from the first fault on."""
        if self.fault is None:
            self.fault = self._first_fault(content)
        if self.fault is not None or not content:
            return b""
        self.octets += len(content)
        line_end = content.rfind(b"\n")
        self._line_octets = len(content) - line_end - 1 + (self._line_octets if line_end < 0 else 0)
        self._after_cr = content[-1] == _CR
        return content

    def drop(self, octets: int) -> None:
        """Count content of which nothing is kept."""
        self.octets += octets

    def end(self) -> None:
        """The content is complete: a CR at its end waits for an LF in vain."""
        if self.fault is None and self._after_cr:
            self.fault = ContentFault.BARE_CR_LF

    def _first_fault(self, content: bytes) -> ContentFault | None:
        found: list[tuple[int, ContentFault]] = []
        if self.octets + len(content) > self.max_octets:
            found.append((self.max_octets - self.octets, ContentFault.TOO_LARGE))
        if (
            self._line_octets + len(content) > self._max_line_octets
            and (at := _long_line_at(content, self._line_octets, self._max_line_octets)) is not None
        ):
            found.append((at, ContentFault.LINE_TOO_LONG))
        if _has_bare(content, after_cr=self._after_cr):
            found.append((_bare_at(content, after_cr=self._after_cr), ContentFault.BARE_CR_LF))
        return min(found)[1] if found else None


class DataDecoder:
    """Content of one DATA command (RFC 5321 sections 4.1.1.4 and 4.5.2).

    Only CRLF.CRLF ends it, or .CRLF as the very first line. ``feed`` keeps back at most four octets that
    may turn out to be the end. After a fault it goes on looking for the end, and drops content.
    """

    __slots__ = ("_carry", "_judge", "_started", "finished", "rest")

    def __init__(self, *, max_octets: int, max_line_octets: int = MAX_LINE_OCTETS) -> None:
        self._judge = _Judge(max_octets, max_line_octets)
        # The CRLF of the DATA command is the one before the first line: RFC 5321 section 4.1.1.4.
        self._carry = b"\r\n"
        self._started = False
        self.finished = False
        self.rest = b""

    @property
    def octets(self) -> int:
        """Content octets so far, those dropped after a fault among them."""
        return self._judge.octets

    @property
    def fault(self) -> ContentFault | None:
        """The first thing wrong with the content."""
        return self._judge.fault

    @property
    def overrun(self) -> bool:
        """The client went on far beyond the size limit: answer 552 and close, the end may never come."""
        return self._judge.octets > OVERRUN_FACTOR * self._judge.max_octets

    def refuse(self, fault: ContentFault) -> None:
        """Drop what is still to come, for a fault that somebody else found (a full spool, say)."""
        self._judge.fault = self._judge.fault or fault

    def feed(self, chunk: bytes) -> bytes:
        """Decode what the client sent; returns the content that is certain by now.

        Raises ValueError once finished: octets behind the end of data are commands, see ``rest``.
        """
        if self.finished:
            raise ValueError("octets after the end of data are not content")
        if not chunk:
            return b""
        buffer = self._carry + chunk
        # base64 has no dots, and looking for one octet runs at memory speed: most chunks stop here.
        dot_line = _find_dot_line(buffer) if b"." in buffer else None
        end = _find_end(buffer, dot_line.start()) if dot_line else None
        if end:
            self.finished = True
            self.rest = buffer[end.end() :]
            final = end.start() + 2
            self._carry = b""
        else:
            final = len(buffer) - _unsure_octets(buffer)
            self._carry = buffer[final:]
        wire = buffer[:final]
        begin = 0
        if not self._started and wire:
            self._started = True
            begin = 2
        stuffed = dot_line is not None and dot_line.end() <= final
        if self._judge.fault is None:
            # Two octets are replaced twice as fast as three. The result is the same up to the first bare LF,
            # where the judge finds a fault.
            content = self._judge.take((wire.replace(b"\n.", b"\n") if stuffed else wire)[begin:])
            if self._judge.fault is None:
                return content
        self._judge.drop(len(wire) - begin - (wire.count(_DOT_LINE) if stuffed else 0))
        return b""


class ChunkDecoder:
    """Content of one message that comes in BDAT chunks (RFC 3030 section 2): taken as it is.

    Nothing in it is transparent or ends it but the octet count, and it need not end with CRLF.
    """

    __slots__ = ("_announced_octets", "_judge", "_last", "_remaining_octets", "chunk_finished", "finished")

    def __init__(self, *, max_octets: int, max_line_octets: int = MAX_LINE_OCTETS) -> None:
        self._judge = _Judge(max_octets, max_line_octets)
        self._announced_octets = 0
        self._remaining_octets = 0
        self._last = False
        self.chunk_finished = True
        self.finished = False

    @property
    def octets(self) -> int:
        """Content octets so far, over all chunks, those dropped after a fault among them."""
        return self._judge.octets

    @property
    def fault(self) -> ContentFault | None:
        """The first thing wrong with the content."""
        return self._judge.fault

    @property
    def overrun(self) -> bool:
        """What BDAT commands announced is far beyond the size limit: answer 552 and close, do not read it."""
        return self._announced_octets > OVERRUN_FACTOR * self._judge.max_octets

    def refuse(self, fault: ContentFault) -> None:
        """Drop what is still to come, for a fault that somebody else found (a full spool, say)."""
        self._judge.fault = self._judge.fault or fault

    def begin(self, octets: int, *, last: bool) -> None:
        """A ``BDAT octets [LAST]`` command came. A chunk of no octets is finished at once.

        Raises ValueError while a chunk is open, and after the last one.
        """
        if self.finished or not self.chunk_finished:
            raise ValueError("a BDAT chunk begins before the one before it ended, or after the last one")
        if octets < 0:
            raise ValueError("a BDAT chunk has no negative size")
        self._announced_octets += octets
        if self._announced_octets > self._judge.max_octets:
            # Known before the octets come: nothing of this chunk goes to the spool.
            self.refuse(ContentFault.TOO_LARGE)
        self._remaining_octets = octets
        self._last = last
        self.chunk_finished = False
        self._close_chunk()

    def feed(self, chunk: bytes) -> tuple[bytes, bytes]:
        """Take what the client sent; returns content, and the octets behind this chunk (commands)."""
        if len(chunk) <= self._remaining_octets:
            own, rest = chunk, b""
        else:
            own, rest = chunk[: self._remaining_octets], chunk[self._remaining_octets :]
        self._remaining_octets -= len(own)
        content = self._judge.take(own)
        if self._judge.fault is not None:
            self._judge.drop(len(own))
        self._close_chunk()
        return content, rest

    def _close_chunk(self) -> None:
        if self._remaining_octets == 0 and not self.chunk_finished:
            self.chunk_finished = True
            if self._last:
                self.finished = True
                self._judge.end()


def _unsure_octets(buffer: bytes) -> int:
    """How many octets at the end of the buffer may be the beginning of the end of data."""
    if buffer[-1] not in _END:
        return 0
    for octets in (4, 3, 2, 1):
        if buffer.endswith(_END[:octets]):
            return octets
    return 0


def _has_bare(content: bytes, *, after_cr: bool) -> bool:
    # Python's own newline scanner names the kinds of line end it saw, in one pass, four times faster than
    # comparing counts of CR, LF and CRLF; empty lines do not slow it down. A CR at the end stays undecided.
    scanner = IncrementalNewlineDecoder(None, translate=False)
    if after_cr:
        scanner.decode("\r")
    scanner.decode(content.decode("latin-1"))
    return scanner.newlines not in (None, "\r\n")


def _bare_at(content: bytes, *, after_cr: bool) -> int:
    """Where it becomes known that a CR or LF is bare, by halving: one more pass, once per message."""
    low, high = 0, len(content)
    while high - low > 1:
        middle = (low + high) // 2
        if _has_bare(content[low:middle], after_cr=after_cr):
            high = middle
        else:
            low = middle
            after_cr = content[middle - 1] == _CR
    return low


def _long_line_at(content: bytes, line_octets: int, max_line_octets: int) -> int | None:
    """Where a line exceeds the limit, if one does; ``line_octets`` of the first line came before.

    Looks for the last line end within the limit, so that short lines are not visited one by one.
    """
    line_begin = -line_octets
    while line_begin + max_line_octets < len(content):
        limit = line_begin + max_line_octets
        line_end = content.rfind(b"\n", max(line_begin, 0), limit)
        if line_end < 0:
            return limit
        line_begin = line_end + 1
    return None
