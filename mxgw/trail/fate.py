"""What became of a message, for each recipient and as a whole. Pure: attempts in, a fate out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from mxgw.msgauth.disposition import NULL_MX_REFUSED
from mxgw.outcome import Decision, RecipientOutcome, Trouble
from mxgw.policy import RELAY_DENIED, Reason
from mxgw.scanner.judgement import NOT_NOW, NOT_SCANNED, SPAM, VIRUS, Handling
from mxgw.trail.attempt import Attempt, folded
from mxgw.trail.joining import GIVE_UP_SECONDS, Message, Step

_REPLY: Final = re.compile(r"([245])\d\d(?: ([245])\.(\d{1,3})\.(\d{1,3}))?(?: |$)")


class State(StrEnum):
    """How far a message is for one recipient."""

    STORED = "stored"
    REFUSED = "refused"
    PUT_OFF = "put-off"
    LEFT = "left"
    """The client went away before it was answered."""


class Fate(StrEnum):
    """How far a message is for all of its recipients."""

    STORED = "stored"
    STORED_AFTER_RETRY = "stored-after-retry"
    STORED_ONCE = "stored-once"
    """It came again although it was stored."""

    REFUSED = "refused"
    PUT_OFF = "put-off"
    GIVEN_UP = "given-up"
    """Put off, and not seen again for longer than senders try."""

    LEFT = "left"
    MIXED = "mixed"


class Cause(StrEnum):
    """Why a message was not taken, as far as it decides what to do: the keys of the advice."""

    NO_MAILBOX = "no-mailbox"
    MAILBOX_FULL = "mailbox-full"
    MAILBOX_CLOSED = "mailbox-closed"
    TOO_LARGE = "too-large"
    NOT_OUR_DOMAIN = "not-our-domain"
    SPAM_OR_VIRUS = "spam-or-virus"
    NOT_SCANNED = "not-scanned"
    DMARC = "dmarc"
    NO_AUTHOR = "no-author"
    DNS_TROUBLE = "dns-trouble"
    LISTED = "listed"
    NULL_MX = "null-mx"
    HOME_AWAY = "home-away"
    HOME_SAYS_LATER = "home-says-later"
    HOME_SAYS_NO = "home-says-no"
    SOME_HAVE_IT = "some-have-it"
    FORM = "form"
    LOOP = "loop"
    BUSY = "busy"
    LIMIT = "limit"
    CLIENT_LEFT = "client-left"
    OUR_FAULT = "our-fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RecipientFate:
    """One recipient. Times are Unix time: of its first attempt, and of the one that made it what it is.

    ``said`` is what home said, or the sender was told, last; ``times_stored`` counts the answers of 2xx;
    ``put_off`` the attempts that failed for now.
    """

    address: str
    state: State
    first_at: float
    at: float
    said: str
    cause: Cause | None
    times_stored: int = 0
    put_off: int = 0
    again: int = 0
    """Attempts that brought it after it was stored."""


@dataclass(frozen=True, slots=True)
class MessageFate:
    """The whole. ``since`` is the first attempt, ``last_at`` the last."""

    fate: Fate
    recipients: tuple[RecipientFate, ...]
    since: float
    last_at: float
    junk: Attempt | None
    """The attempt whose checks asked for the Junk folder, where the message was stored."""
    perhaps_twice: bool
    """Home took it more than once, and could not tell a repeat from a new message: no fingerprint."""

    comes_again: bool
    """At its last attempt the sender was told to."""

    def in_state(self, state: State) -> tuple[RecipientFate, ...]:
        """The recipients for whom it is so."""
        return tuple(one for one in self.recipients if one.state is state)


def fate_of(message: Message, *, now: float) -> MessageFate:
    """Judge by the edge where its log is there, else by the home door. ``now`` is Unix time."""
    found: dict[str, RecipientFate] = {}
    for step in message.steps:
        for recipient in step.attempt.recipients:
            key = folded(recipient.forward_path)
            found[key] = _after(found.get(key), recipient, step.attempt, step.behind)
    recipients = tuple(found.values())
    last = message.steps[-1].attempt
    stored = [step for step in message.steps if _any_stored(step)]
    return MessageFate(
        fate=_whole(recipients, idle_seconds=now - last.ended_at),
        recipients=recipients,
        since=message.steps[0].attempt.ended_at,
        last_at=last.ended_at,
        junk=next(
            (
                one
                for step in stored[-1:]
                for one in (step.attempt, *step.behind)
                if one.handling == Handling.JUNK
            ),
            None,
        ),
        perhaps_twice=any(one.times_stored > 1 for one in recipients)
        and not all(step.attempt.fingerprint for step in stored),
        comes_again=last.decision is Decision.DEFER,
    )


def _any_stored(step: Step) -> bool:
    return any(
        _state(one, recipient.home)[0] is State.STORED
        for one in (step.attempt, *step.behind)
        for recipient in one.recipients
    )


def _after(
    before: RecipientFate | None, recipient: RecipientOutcome, attempt: Attempt, behind: Sequence[Attempt]
) -> RecipientFate:
    """The fate of a recipient when one more attempt is known. What is stored stays stored."""
    state, said = _state(attempt, recipient.home)
    if state is State.PUT_OFF and _stored_behind(recipient.forward_path, behind):
        # Home's answer was lost on the way, and its own log has it.
        state = State.STORED
    if before is not None and before.state is State.STORED:
        stored = before.times_stored + (state is State.STORED)
        return replace(before, times_stored=stored, again=before.again + 1)
    failed = state in {State.PUT_OFF, State.LEFT}
    return RecipientFate(
        address=recipient.forward_path if before is None else before.address,
        state=state,
        first_at=attempt.ended_at if before is None else before.first_at,
        at=attempt.ended_at,
        said=said,
        cause=None if state is State.STORED else cause_of(attempt, recipient.home, behind),
        times_stored=int(state is State.STORED),
        put_off=(before.put_off if before else 0) + failed,
    )


def _stored_behind(address: str, behind: Sequence[Attempt]) -> bool:
    return any(
        folded(recipient.forward_path) == folded(address) and _state(one, recipient.home)[0] is State.STORED
        for one in behind
        for recipient in one.recipients
    )


def _state(attempt: Attempt, home: str) -> tuple[State, str]:
    reply = _REPLY.match(home)
    if reply:
        return {"2": State.STORED, "4": State.PUT_OFF, "5": State.REFUSED}[reply[1]], home
    if home:
        return State.PUT_OFF, home
    match attempt.decision:
        case Decision.ACCEPT:
            return State.STORED, attempt.reply
        case Decision.REJECT:
            return State.REFUSED, attempt.reply
        case Decision.DEFER:
            return State.PUT_OFF, attempt.reply
        case Decision.ABORTED:
            return State.LEFT, ""


def _whole(recipients: Sequence[RecipientFate], *, idle_seconds: float) -> Fate:
    states = {one.state for one in recipients}
    if not states:
        return Fate.LEFT
    if states == {State.STORED}:
        if any(one.put_off for one in recipients):
            return Fate.STORED_AFTER_RETRY
        return Fate.STORED_ONCE if any(one.again for one in recipients) else Fate.STORED
    if states == {State.REFUSED}:
        return Fate.REFUSED
    if states <= {State.PUT_OFF, State.LEFT}:
        if idle_seconds > GIVE_UP_SECONDS:
            return Fate.GIVEN_UP
        return Fate.LEFT if states == {State.LEFT} else Fate.PUT_OFF
    return Fate.MIXED


# By the last two numbers of the enhanced status code (RFC 3463 section 3), which say more than the code.
_BY_STATUS: Final = {
    ("1", "1"): Cause.NO_MAILBOX,
    ("1", "2"): Cause.NOT_OUR_DOMAIN,
    ("1", "6"): Cause.NO_MAILBOX,
    ("2", "1"): Cause.MAILBOX_CLOSED,
    ("2", "2"): Cause.MAILBOX_FULL,
    ("2", "3"): Cause.TOO_LARGE,
    ("3", "4"): Cause.TOO_LARGE,
    ("4", "1"): Cause.HOME_AWAY,
    ("5", "3"): Cause.LIMIT,
}
# Our own words, where the status is one that others use for other things.
_BY_WORDS: Final = {
    str(SPAM): Cause.SPAM_OR_VIRUS,
    str(VIRUS): Cause.SPAM_OR_VIRUS,
    str(NOT_SCANNED): Cause.NOT_SCANNED,
    str(NOT_NOW): Cause.HOME_SAYS_LATER,
    str(RELAY_DENIED): Cause.NOT_OUR_DOMAIN,
    str(NULL_MX_REFUSED): Cause.NULL_MX,
}
_LISTED: Final = re.compile(r"550 5\.7\.1 Your address is on the DNS list ")
BY_REASON: Final = {
    Reason.DELIVERED: Cause.HOME_SAYS_LATER,
    Reason.PARTLY_STORED: Cause.SOME_HAVE_IT,
    Reason.MIXED: Cause.SOME_HAVE_IT,
    Reason.HOME_REFUSED: Cause.HOME_SAYS_NO,
    Reason.HOME_DEFERRED: Cause.HOME_SAYS_LATER,
    Reason.HOME_UNREACHABLE: Cause.HOME_AWAY,
    Reason.BARE_CR_LF: Cause.FORM,
    Reason.LINE_TOO_LONG: Cause.FORM,
    Reason.TOO_LARGE: Cause.TOO_LARGE,
    Reason.HEADER_TOO_LARGE: Cause.TOO_LARGE,
    Reason.SPOOL_FULL: Cause.BUSY,
    Reason.LOOP: Cause.LOOP,
    Reason.AUTHENTICATION: Cause.DMARC,
    Reason.CONTENT: Cause.SPAM_OR_VIRUS,
    Reason.RECIPIENTS_REFUSED: Cause.HOME_SAYS_NO,
    Reason.CLIENT_LEFT: Cause.CLIENT_LEFT,
    Reason.INTERNAL: Cause.OUR_FAULT,
}
BY_TROUBLE: Final = {
    Trouble.BREAKER_OPEN: Cause.HOME_AWAY,
    Trouble.NO_SLOT: Cause.BUSY,
    Trouble.CONNECT_FAILED: Cause.HOME_AWAY,
    Trouble.CONNECT_TIMEOUT: Cause.HOME_AWAY,
    Trouble.GREETING_REFUSED: Cause.HOME_AWAY,
    Trouble.MAIL_REFUSED: Cause.HOME_SAYS_LATER,
    Trouble.DATA_REFUSED: Cause.HOME_SAYS_LATER,
    Trouble.GARBAGE: Cause.OUR_FAULT,
    Trouble.CLOSED: Cause.HOME_AWAY,
    Trouble.TIMEOUT: Cause.HOME_AWAY,
    Trouble.INTERNAL: Cause.OUR_FAULT,
}


def cause_of(attempt: Attempt, home: str, behind: Sequence[Attempt] = ()) -> Cause:
    """Why this attempt failed for a recipient to whom home said ``home``."""
    if home in set(Trouble):
        return BY_TROUBLE[Trouble(home)]
    # Our own judgement of a message is in its reply with a status that says less than the reason does.
    for one in (*behind, attempt):
        if one.reason in {Reason.AUTHENTICATION, Reason.CONTENT}:
            return _judged(one)
    said = home or attempt.reply
    if said in _BY_WORDS:
        return _BY_WORDS[said]
    if _LISTED.match(said):
        return Cause.LISTED
    reply = _REPLY.match(said)
    if reply and reply[3] and (cause := _BY_STATUS.get((reply[3], reply[4]))):
        # A mailbox that is closed for now is one that home will open.
        return Cause.HOME_SAYS_LATER if (reply[1], cause) == ("4", Cause.MAILBOX_CLOSED) else cause
    if reply and home and reply[1] in "45":
        return Cause.HOME_SAYS_NO if reply[1] == "5" else Cause.HOME_SAYS_LATER
    return BY_REASON[Reason(attempt.reason)] if attempt.reason in set(Reason) else Cause.UNKNOWN


def _judged(attempt: Attempt) -> Cause:
    checks = dict(attempt.checks)
    if attempt.reason == Reason.CONTENT:
        return _BY_WORDS.get(attempt.reply, Cause.SPAM_OR_VIRUS)
    if checks.get("dnsbl") == "listed":
        return Cause.LISTED
    if attempt.reply == str(NULL_MX_REFUSED):
        return Cause.NULL_MX
    if attempt.decision is Decision.DEFER or checks.get("dmarc") == "temperror":
        return Cause.DNS_TROUBLE
    return Cause.NO_AUTHOR if checks.get("dmarc") == "permerror" else Cause.DMARC
