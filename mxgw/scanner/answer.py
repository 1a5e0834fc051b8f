"""What Rspamd said of a message, as values. Pure and total: any octets give an answer or a fault.

Source: Rspamd's protocol (the reply to POST /checkv2 is a JSON object with "action", "score",
"required_score" and "symbols"), read with Rspamd 3.4 and in the documentation of 3.8.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

MAX_SYMBOLS = 10_000
"""Rules that one message may set off. Rspamd ships about 1,500."""

MAX_NESTING = 20
"""Brackets within brackets. The answer has four levels; a parser that recurses must not see a thousand."""

_VIRUS = "_VIRUS"
_VIRUS_FAIL = "_VIRUS_FAIL"


class Action(StrEnum):
    """Rspamd's own words for what should be done with a message."""

    NO_ACTION = "no action"
    GREYLIST = "greylist"
    ADD_HEADER = "add header"
    REWRITE_SUBJECT = "rewrite subject"
    QUARANTINE = "quarantine"
    SOFT_REJECT = "soft reject"
    REJECT = "reject"
    DISCARD = "discard"


class Fault(StrEnum):
    """Why there is no verdict."""

    UNREACHABLE = "unreachable"
    BUSY = "busy"
    """All scans that may run at a time ran until the time was up."""
    TIMEOUT = "timeout"
    BROKEN_OFF = "broken-off"
    """It went away in the middle."""
    REFUSED = "refused"
    """It answered with another HTTP status than 200."""
    GARBAGE = "garbage"
    """What it said cannot be understood, an action that we do not know included."""
    NO_VIRUS_SCAN = "no-virus-scan"
    """It answered, and its virus scanner did not answer it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict. ``virus``: a virus scanner found something; ``virus_scan_failed``: one gave no answer."""

    action: Action
    score: float = 0.0
    required_score: float = 0.0
    virus: bool = False
    virus_scan_failed: bool = False


def parse_answer(octets: bytes) -> Answer | Fault:
    """The answer in the body of a reply to /checkv2.

    The antivirus module of Rspamd names its symbols for the scanner: CLAM_VIRUS where it found something,
    CLAM_VIRUS_FAIL where it could not be asked, and so on for others. Without a look at the latter a message
    goes through unseen while the virus scanner is down: Rspamd gives it 0 points.
    """
    if _nesting(octets) > MAX_NESTING:
        return Fault.GARBAGE
    try:
        said = json.loads(octets)
    except ValueError:
        return Fault.GARBAGE
    if not isinstance(said, dict):
        return Fault.GARBAGE
    try:
        action = Action(str(said.get("action")))
    except ValueError:
        return Fault.GARBAGE
    symbols = said.get("symbols", {})
    if not isinstance(symbols, dict) or len(symbols) > MAX_SYMBOLS:
        return Fault.GARBAGE
    return Answer(
        action,
        _number(said.get("score")),
        _number(said.get("required_score")),
        virus=any(name.endswith(_VIRUS) for name in symbols),
        virus_scan_failed=any(name.endswith(_VIRUS_FAIL) for name in symbols),
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e9 else 0.0


def _nesting(octets: bytes) -> int:
    # Brackets inside of strings count too: an upper bound is what is wanted.
    deepest = depth = 0
    for octet in octets.translate(None, _NOT_BRACKETS):
        depth = depth + 1 if octet in b"[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


_NOT_BRACKETS = bytes(octet for octet in range(256) if octet not in b"[]{}")
