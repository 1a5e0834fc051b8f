"""An SMTP or LMTP reply: code, enhanced status code, text.

Sources: RFC 5321 section 4.2 (replies), RFC 2034 (enhanced status codes in replies), RFC 3463 (their
meaning). Nothing here knows a socket; doors encode replies, LMTP channels parse them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Self

MAX_TEXT_OCTETS = 500
"""RFC 5321 section 4.5.3.1.5: a reply line has at most 512 octets with code and CRLF."""

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_STATUS_PREFIX = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?: +|$)")


class ReplyClass(IntEnum):
    """The first digit of a reply code: RFC 5321 section 4.2.1."""

    POSITIVE = 2
    INTERMEDIATE = 3
    TRANSIENT = 4
    PERMANENT = 5


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: a code, an enhanced status code where it has one, one text per line.

    ``status`` is "" for replies that carry none (greeting, EHLO, intermediate replies).
    Raises ValueError where class of code and class of status disagree (RFC 2034 section 4) or a text
    holds anything but printable characters: a reply never carries a stranger's line break.
    """

    code: int
    status: str
    lines: tuple[str, ...]
    _wire: bytes = field(default=b"", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 200 <= self.code <= 599:
            raise ValueError(f"reply code {self.code} is not 2xx..5xx")
        if not self.lines:
            raise ValueError("a reply has at least one line")
        if self.status and not _go_together(self.code, self.status):
            raise ValueError(f"enhanced status code {self.status!r} does not go with {self.code}")
        for line in self.lines:
            if not line.isprintable():
                raise ValueError("a reply line holds a control character")

    @classmethod
    def of(cls, code: int, status: str, *lines: str) -> Self:
        """A reply of our own: ``Reply.of(250, "2.1.5", "Recipient OK")``."""
        return cls(code, status, lines)

    @classmethod
    def parse(cls, code: int, lines: Sequence[str]) -> Self:
        """A reply that a peer sent: takes the enhanced status code out of each text where it is there.

        Control characters become "?": what a peer wrote may end up in a log or in another reply.
        """
        status = ""
        texts: list[str] = []
        for line in lines or ("",):
            text = line
            if (match := _STATUS_PREFIX.match(line)) and match[1][0] == str(code)[0]:
                status = status or match[1]
                text = line[match.end() :]
            texts.append(text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text))
        return cls(code, status, tuple(texts))

    @property
    def reply_class(self) -> ReplyClass:
        """Positive, intermediate, transient or permanent."""
        return ReplyClass(self.code // 100)

    @property
    def positive(self) -> bool:
        """2xx."""
        return self.code // 100 == 2

    @property
    def transient(self) -> bool:
        """4xx: the sender keeps the mail and tries again."""
        return self.code // 100 == 4

    @property
    def permanent(self) -> bool:
        """5xx: the sender gives up and tells its user."""
        return self.code // 100 == 5

    def encode(self) -> bytes:
        """The octets on the wire, each line at most 512 octets with its CRLF.

        Always ASCII (RFC 6531 section 3.7.4.2): a non-ASCII address shows as question marks.
        """
        if not self._wire:
            # Most replies are constants: made once, said a million times.
            object.__setattr__(self, "_wire", self._encoded())
        return self._wire

    def _encoded(self) -> bytes:
        prefix = f"{self.status} " if self.status else ""
        if len(self.lines) == 1:
            text = f"{prefix}{self.lines[0]}".encode("ascii", "replace")[:MAX_TEXT_OCTETS]
            return b"%d %b\r\n" % (self.code, text)
        last = len(self.lines) - 1
        return b"".join(
            b"%d%b%b\r\n"
            % (
                self.code,
                b" " if index == last else b"-",
                f"{prefix}{line}".encode("ascii", "replace")[:MAX_TEXT_OCTETS],
            )
            for index, line in enumerate(self.lines)
        )

    def __str__(self) -> str:
        prefix = f"{self.code} {self.status}".rstrip()
        return f"{prefix} {' / '.join(self.lines)}".rstrip()


@lru_cache(maxsize=256)
def _go_together(code: int, status: str) -> bool:
    """Class of code and class of status agree: RFC 2034 section 4."""
    return bool(_STATUS.fullmatch(status)) and status[0] == str(code)[0]
