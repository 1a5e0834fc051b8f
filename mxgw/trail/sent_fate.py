"""What became of a message that was sent, for each recipient and as a whole. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mxgw.trail.sent import SentMessage, SentRecipient, SentTry

QUEUE_LIFETIME_SECONDS: Final = 2 * 86_400
"""After which Postfix gives up (dell-stack/postfix/main.cf, maximal_queue_lifetime)."""

SILENT_SECONDS: Final = 86_400
"""Beyond that lifetime: when nothing was heard for so long, the log has not got the end."""

_LOCAL: Final = frozenset({"lmtp", "virtual", "local", "pipe"})
_CODE: Final = re.compile(r"(?:[245]\d\d )?([245])\.\d{1,3}\.\d{1,3}(?: |$)|([245])\d\d(?: |-|$)")


class SentState(StrEnum):
    """How far a message is for one recipient, the worst first."""

    REFUSED = "refused"
    """Never taken in, for good."""
    BOUNCED = "bounced"
    EXPIRED = "expired"
    DELETED = "deleted"
    """Thrown away by an administrator."""
    PUT_OFF = "put-off"
    """Not taken in for now: it is with the sender's program."""
    LOST_SIGHT = "lost-sight"
    """The log has not got the end."""
    WAITING = "waiting"
    ACCEPTED = "accepted"
    """Taken in; nothing else is known yet."""
    HANDED_OVER = "handed-over"
    """The relay has it. What it did with it is not in our log."""
    DELIVERED = "delivered"
    """It is in a mailbox of ours."""


class SentFate(StrEnum):
    """How far a message is for all of its recipients: a SentState, or one of these."""

    REFUSED = "refused"
    BOUNCED = "bounced"
    EXPIRED = "expired"
    DELETED = "deleted"
    PUT_OFF = "put-off"
    LOST_SIGHT = "lost-sight"
    WAITING = "waiting"
    ACCEPTED = "accepted"
    HANDED_OVER = "handed-over"
    DELIVERED = "delivered"
    LOGIN_FAILED = "login-failed"
    MIXED = "mixed"


class SentCause(StrEnum):
    """Why it is not on its way, as far as it decides what to do: the keys of the advice."""

    RELAY_KEY = "relay-key"
    RELAY_PLAN = "relay-plan"
    RELAY_SENDER = "relay-sender"
    RELAY_AWAY = "relay-away"
    RELAY_TLS = "relay-tls"
    RELAY_LATER = "relay-later"
    RELAY_NO = "relay-no"
    HANDED_OVER = "handed-over"
    NO_MAILBOX = "no-mailbox"
    MAILBOX_FULL = "mailbox-full"
    MAILBOX_AWAY = "mailbox-away"
    MAILBOX_NO = "mailbox-no"
    NOT_OWN_ADDRESS = "not-own-address"
    NOT_OWN_FROM = "not-own-from"
    NOT_LOGGED_IN = "not-logged-in"
    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - a word of the catalogue
    BAD_ADDRESS = "bad-address"
    SPAM_OR_VIRUS = "spam-or-virus"
    RATE = "rate"
    SCANNER_AWAY = "scanner-away"
    TOO_LARGE = "too-large"
    DATABASE_AWAY = "database-away"
    DISK = "disk"
    MANY_RECIPIENTS = "many-recipients"
    DELETED = "deleted"
    LOST_SIGHT = "lost-sight"
    IN_QUEUE = "in-queue"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SentRecipientFate:
    """One recipient. ``at`` is Unix time of what made it what it is; ``said`` what was answered then."""

    address: str
    state: SentState
    at: float
    said: str
    relay: str
    count: int
    cause: SentCause | None


@dataclass(frozen=True, slots=True)
class SentMessageFate:
    """The whole."""

    fate: SentFate
    recipients: tuple[SentRecipientFate, ...]
    causes: tuple[SentCause, ...]


def sent_fate_of(message: SentMessage, *, now: float) -> SentMessageFate:
    """Judge what the log has of a message. ``now`` is Unix time."""
    recipients = tuple(_recipient(message, one, now=now) for one in message.recipients)
    if message.login_failed:
        return SentMessageFate(SentFate.LOGIN_FAILED, recipients, (SentCause.WRONG_PASSWORD,))
    states = {one.state for one in recipients} or {_without_tries(message, now=now)}
    [state, *others] = sorted(states, key=list(SentState).index)
    found = [one.cause for one in recipients] if recipients else [_cause_of_state(message, state)]
    causes = tuple(dict.fromkeys(one for one in found if one is not None))
    return SentMessageFate(SentFate.MIXED if others else SentFate(state.value), recipients, causes)


def _recipient(message: SentMessage, recipient: SentRecipient, *, now: float) -> SentRecipientFate:
    state, at, said, last = _judged(message, recipient, now=now)
    if last is not None and state not in {SentState.DELETED, SentState.LOST_SIGHT}:
        cause = cause_of_try(last)
    else:
        cause = _cause_of_state(message, state, said)
    relay = last.relay if last else ""
    return SentRecipientFate(recipient.address, state, at, said, relay, recipient.count, cause)


def _judged(
    message: SentMessage, recipient: SentRecipient, *, now: float
) -> tuple[SentState, float, str, SentTry | None]:
    if not recipient.tries:
        said = recipient.refused
        state = _refused(said) if said else _without_tries(message, now=now)
        return state, message.last_at, said or message.refusal, None
    # What was brought away stays so.
    sent = next((one for one in recipient.tries if one.status == "sent"), None)
    last = sent or recipient.tries[-1]
    match last.status:
        case "sent":
            state = SentState.DELIVERED if last.transport in _LOCAL else SentState.HANDED_OVER
        case "bounced":
            state = SentState.BOUNCED
        case "expired" | "force-expired":
            state = SentState.EXPIRED
        case _ if message.expired_at is not None:
            return SentState.EXPIRED, message.expired_at, last.said, last
        case _ if message.deleted and message.removed_at is not None:
            return SentState.DELETED, message.removed_at, last.said, last
        case _:
            gone = message.removed_at is not None
            state = SentState.LOST_SIGHT if gone or _silent(message, now=now) else SentState.WAITING
    return state, last.at, last.said, last


def _without_tries(message: SentMessage, *, now: float) -> SentState:
    if message.refusal:
        return _refused(message.refusal)
    if message.deleted:
        return SentState.DELETED
    if message.expired_at is not None:
        return SentState.EXPIRED
    if message.removed_at is not None or _silent(message, now=now):
        return SentState.LOST_SIGHT
    return SentState.ACCEPTED


def _silent(message: SentMessage, *, now: float) -> bool:
    return now - message.last_at > QUEUE_LIFETIME_SECONDS + SILENT_SECONDS


def _refused(reply: str) -> SentState:
    return SentState.PUT_OFF if _class_of(reply) == "4" else SentState.REFUSED


def _class_of(reply: str) -> str:
    found = _CODE.match(reply)
    return (found[1] or found[2]) if found else ""


# -- why. The words are those of Postfix 3.7, of the stack's Rspamd, and of SendGrid.

_SUBMISSION: Final = (
    (re.compile(r"not owned by user"), SentCause.NOT_OWN_ADDRESS),
    (re.compile(r"not logged in|Relay access denied|Access denied"), SentCause.NOT_LOGGED_IN),
    (re.compile(r"must be your own address"), SentCause.NOT_OWN_FROM),
    (re.compile(r"Ratelimit|[Rr]ate limit"), SentCause.RATE),
    (re.compile(r"User unknown|mailbox unavailable"), SentCause.NO_MAILBOX),
    (re.compile(r"need fully-qualified|[Bb]ad (?:recipient|sender) address syntax"), SentCause.BAD_ADDRESS),
    (re.compile(r"(?:^|\d )5\.3\.4 |size (?:exceeds|limit)"), SentCause.TOO_LARGE),
    (re.compile(r"Temporary lookup failure|Temporary authentication failure"), SentCause.DATABASE_AWAY),
    (re.compile(r"(?:^|\d )4\.3\.1 "), SentCause.DISK),
    (re.compile(r"(?:^|\d )[45]\.5\.3 |[Tt]oo many recipients"), SentCause.MANY_RECIPIENTS),
)
_RELAY: Final = (
    (re.compile(r"credits exceeded|[Mm]essaging limits?"), SentCause.RELAY_PLAN),
    (re.compile(r"SASL authentication failed| said: 535 "), SentCause.RELAY_KEY),
    (re.compile(r"verified Sender|[Ss]ender [Ii]dentity|verified identity"), SentCause.RELAY_SENDER),
    (re.compile(r"[Cc]ertificate|TLS is required|Cannot start TLS"), SentCause.RELAY_TLS),
    (
        re.compile(
            r"^(?:delivery temporarily suspended: )?(?:connect to|lost connection with|conversation with) "
            r"|[Hh]ost or domain name not found|Name service error"
        ),
        SentCause.RELAY_AWAY,
    ),
)

_TO_DOVECOT: Final = re.compile(r"^delivery temporarily suspended: .*\]:24: ")
"""Said by another program than lmtp while Postfix spares a Dovecot that does not answer (LOCAL_LMTP)."""


def cause_of_refusal(reply: str, *, by_scanner: bool) -> SentCause:
    """Why a message was not taken in."""
    for words, cause in _SUBMISSION:
        if words.search(reply):
            return cause
    if not by_scanner:
        return SentCause.UNKNOWN
    return SentCause.SCANNER_AWAY if _class_of(reply) == "4" else SentCause.SPAM_OR_VIRUS


def cause_of_try(one: SentTry) -> SentCause | None:
    """Why an attempt came to what it did; None where it is in one of our mailboxes."""
    if one.transport in _LOCAL or _TO_DOVECOT.search(one.said):
        return _cause_at_home(one)
    if one.status == "sent":
        return SentCause.HANDED_OVER
    for words, cause in _RELAY:
        if words.search(one.said):
            return cause
    return SentCause.RELAY_NO if one.dsn.startswith("5") else SentCause.RELAY_LATER


def _cause_at_home(one: SentTry) -> SentCause | None:
    if one.status == "sent":
        return None
    if one.dsn in {"5.1.1", "5.1.0"}:
        return SentCause.NO_MAILBOX
    if one.dsn in {"4.2.2", "5.2.2"}:
        return SentCause.MAILBOX_FULL
    return SentCause.MAILBOX_NO if one.dsn.startswith("5") else SentCause.MAILBOX_AWAY


def _cause_of_state(message: SentMessage, state: SentState, said: str = "") -> SentCause | None:
    match state:
        case SentState.REFUSED | SentState.PUT_OFF:
            return cause_of_refusal(said or message.refusal, by_scanner=message.by_scanner)
        case SentState.DELETED:
            return SentCause.DELETED
        case SentState.LOST_SIGHT:
            return SentCause.LOST_SIGHT
        case SentState.ACCEPTED:
            return SentCause.IN_QUEUE
        case _:
            return SentCause.UNKNOWN
