"""What happened: the facts of one transaction, from which its log line, its metrics and the status page come.

``Trouble`` names why an answer of home is unknown; ``HomeAnswer`` is what home said for one recipient.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from mxgw.reply import Reply


class Trouble(StrEnum):
    """Why home's answer is not known. Always answered 4xx: a retry cures it, a bounce would not."""

    BREAKER_OPEN = "breaker-open"
    NO_SLOT = "no-slot"
    CONNECT_FAILED = "connect-failed"
    CONNECT_TIMEOUT = "connect-timeout"
    GREETING_REFUSED = "greeting-refused"
    MAIL_REFUSED = "mail-refused"
    DATA_REFUSED = "data-refused"
    GARBAGE = "garbage"
    CLOSED = "closed"
    TIMEOUT = "timeout"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class HomeAnswer:
    """What home said about one recipient: its reply, or the trouble that kept it from us.

    Exactly one of the two is set. A reply here is *about the recipient or the content* (to RCPT, or after
    the final dot); a refusal of the session or of MAIL is trouble, whatever its code (design: nothing of
    ours makes a sender bounce).
    """

    reply: Reply | None = None
    trouble: Trouble | None = None

    def __post_init__(self) -> None:
        if (self.reply is None) == (self.trouble is None):
            raise ValueError("a HomeAnswer is either a reply or a trouble")

    @property
    def stored(self) -> bool:
        """Home took responsibility: 2xx."""
        return self.reply is not None and 200 <= self.reply.code < 300

    @property
    def refused(self) -> bool:
        """Home will never take it: 5xx."""
        return self.reply is not None and self.reply.permanent


class Decision(StrEnum):
    """How a transaction ended, seen from the client."""

    ACCEPT = "accept"
    DEFER = "defer"
    REJECT = "reject"
    ABORTED = "aborted"


class RecipientOutcome(NamedTuple):
    """One recipient of a transaction: its address, and the reply it got from home ("" while unknown)."""

    forward_path: str
    home: str


class Outcome(NamedTuple):
    """One transaction that reached DATA or BDAT, or was refused at MAIL or RCPT.

    Times are seconds; ``ended_at`` is Unix time. ``reason`` is a label out of a closed set (policy.Reason).
    """

    id: str
    ended_at: float
    client: str
    helo: str
    tls: str
    reverse_path: str
    recipients: tuple[RecipientOutcome, ...]
    octets: int
    decision: Decision
    reason: str
    reply: str
    message_id: str
    receive_seconds: float
    relay_seconds: float
    fingerprint: str = ""
    detail: str = ""
    """What the reason does not say, for the operator: which limit, which error of the system."""
    checks: tuple[tuple[str, str], ...] = ()
    """Name and result of each check that was made of the message, out of closed sets."""
    session: str = ""
    """At home: what the edge calls this transaction, which is its id in the edge's own log."""
