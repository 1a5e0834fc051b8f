"""What Dovecot did with a message: the lines of its LMTP service, which name our transaction as the session.

    lmtp(taro@example.jp)<8674><1a20d6fa4b1436700001:T2>: Info: sieve: msgid=<1@example.com>: stored mail ...

XCLIENT SESSION carries the id of the edge's attempt, or of the door's own that talks to Dovecot where nobody
named one; no clock is compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final, NamedTuple

from mxgw.trail.attempt import printable
from mxgw.trail.joining import Message, Step

MARK: Final = b": msgid="
"""What such a line has in it."""

MAX_LINE: Final = 4_096
"""Characters of a line that are looked at: a Message-ID, and less than that of Dovecot's own words."""

MAX_FILINGS: Final = 20_000
"""Lines that are kept; the ids they belong to are few."""

# Before it stand a time and the name of a container at most: such a line quoted in another is none.
_LINE: Final = re.compile(
    r"[^\"{}<>()]{0,200}lmtp\((?P<user>[^()\s]{1,512})\)<\d{1,10}>"
    r"<(?P<session>[^<>\s:]{1,64})[^<>\s]{0,64}>: (?:[A-Z][a-z]+: )?(?P<sieve>sieve: )?msgid="
)
# A stranger wrote the Message-ID that comes before. What Dovecot says is at the end of the line, and of that
# only the reason of a failure has no fixed end: hence it is looked for last.
_STORED: Final = re.compile(r".*: stored mail into mailbox '(?P<mailbox>.*)'\s*")
# A Dovecot without Sieve, in whose words there is no reason.
_SAVED: Final = re.compile(r".*: saved mail to (?P<mailbox>\S.*?)\s*")
_DISCARDED: Final = re.compile(
    r".*: (?:discard action: )?[Mm]arked message to be discarded if not explicitly delivered"
    r" \(discard action\)\s*"
)
_FAILED: Final = re.compile(r".*: failed to store into mailbox '(?P<mailbox>[^']*)': (?P<why>.*)")


class Filing(StrEnum):
    """What became of a copy."""

    STORED = "stored"
    FAILED = "failed"
    DISCARDED = "discarded"


class Filed(NamedTuple):
    """One copy, for one user. ``id`` is that of the transaction; ``mailbox`` and ``why`` may be ""."""

    id: str
    user: str
    filing: Filing
    mailbox: str = ""
    why: str = ""


def parse_filing(line: str) -> Filed | None:
    """What a line of Dovecot's log says; None where it is no such line."""
    line = line[:MAX_LINE]
    head = _LINE.match(line)
    if head is None:
        return None
    said, who = line[head.end() :], (head["session"], printable(head["user"]))
    if not head["sieve"]:
        found = _SAVED.fullmatch(said)
        return Filed(*who, Filing.STORED, mailbox=printable(found["mailbox"])) if found else None
    if found := _STORED.fullmatch(said):
        return Filed(*who, Filing.STORED, mailbox=printable(found["mailbox"]))
    if _DISCARDED.fullmatch(said):
        return Filed(*who, Filing.DISCARDED)
    if found := _FAILED.fullmatch(said):
        return Filed(*who, Filing.FAILED, printable(found["mailbox"]), printable(found["why"].strip()))
    return None


def with_filings(messages: Sequence[Message], filings: Iterable[Filed]) -> tuple[Message, ...]:
    """The messages with what was done with each attempt; filings of other transactions are left out."""
    by_id: dict[str, dict[Filed, None]] = {}
    for one in filings:
        by_id.setdefault(one.id, {})[one] = None

    def filed(step: Step) -> Step:
        ids = dict.fromkeys(id_ for one in (step.attempt, *step.behind) for id_ in (one.id, one.session))
        return replace(step, filed=tuple(one for id_ in ids for one in by_id.get(id_, ())))

    return tuple(Message(tuple(filed(step) for step in message.steps)) for message in messages)
