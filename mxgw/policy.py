"""What we answer, and why: the only module that says yes or no. Pure: values in, a verdict out.

The table of ``answer`` is design law (docs/decisions.md, "One reply for many recipients"):

* 2xx only where home said 2xx for that recipient; whatever is our own trouble is 4xx.
* 5xx only where it is about the recipient or the content, and never after DATA in a transaction in which
  a RCPT got 4xx: Exim 4.96 then gives up the deferred recipients as well, and bounces good ones.
* Where some recipients have the message and others were refused for good, 451 is answered although RFC
  5321 section 4.4 asks for OK and a failure report: we have not taken responsibility for the message, so
  the sender's own queue keeps telling the truth. Who benefits: the sender gets true bounces from its own
  MTA, and we never send backscatter. Retrying is safe, since home drops what it already has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from mxgw.content import ContentFault
from mxgw.envelope import ForwardPath
from mxgw.outcome import Decision, HomeAnswer, Trouble
from mxgw.reply import Reply

MIXED_VALVE_SECONDS = 24 * 3600
"""Age of a message at which a mixed result ends in a 5xx that names who has it, so that a sender which
never splits its recipients does not run into a false failure report after four or five days."""

MAX_PASSED_TEXT = 160
"""Characters of home's own words that we pass on: enough for a sentence."""

MAX_NAMED_RECIPIENTS = 20
"""Recipients named in a multi-line reply: RFC 5321 section 4.5.3.1.5 bounds a line, nothing bounds lines."""


class Reason(StrEnum):
    """Why a transaction ended as it did: the label in logs and metrics, a closed set."""

    DELIVERED = "delivered"
    PARTLY_STORED = "partly-stored"
    MIXED = "mixed"
    HOME_REFUSED = "home-refused"
    HOME_DEFERRED = "home-deferred"
    HOME_UNREACHABLE = "home-unreachable"
    BARE_CR_LF = "bare-cr-lf"
    LINE_TOO_LONG = "line-too-long"
    TOO_LARGE = "too-large"
    HEADER_TOO_LARGE = "header-too-large"
    SPOOL_FULL = "spool-full"
    LOOP = "loop"
    AUTHENTICATION = "authentication"
    CONTENT = "content"
    """What the scanner at home said, or that it said nothing: the checks tell which."""

    RECIPIENTS_REFUSED = "recipients-refused"
    CLIENT_LEFT = "client-left"
    INTERNAL = "internal"


class Verdict(NamedTuple):
    """What to answer and what to call it. ``replies`` leave in this order, in one write."""

    replies: tuple[Reply, ...]
    decision: Decision
    reason: Reason


TROUBLE_OF_OURS = Reply.of(451, "4.3.0", "Something went wrong on our side; please try again later #M71")
HOME_AWAY = Reply.of(
    451, "4.4.1", "The mailbox server cannot be reached just now; please try again later #M70"
)
SPOOL_IS_FULL = Reply.of(452, "4.3.1", "Too much mail is arriving at once; please try again later #M72")
RELAY_DENIED = Reply.of(550, "5.7.1", "We do not take mail for this domain #M33")
RECIPIENT_OK = Reply.of(250, "2.1.5", "Recipient OK")
TOO_MANY_RECIPIENTS = Reply.of(
    452, "4.5.3", "Too many recipients; send the others in another transaction #M36"
)
ONE_RECIPIENT_FOR_NULL_SENDER = Reply.of(
    452, "4.5.3", "A message from <> has one recipient; send the others in another transaction #M37"
)
LATER_FOR_SPLIT = Reply.of(452, "4.5.3", "Send this recipient in another transaction, after the others #M38")
PRDR_FOLLOWS = Reply.of(353, "", "One reply for each recipient follows")

_FAULT_REPLIES = {
    ContentFault.BARE_CR_LF: Reply.of(
        554,
        "5.6.0",
        "A bare CR or LF is in the message; lines must end with CRLF (RFC 5321 section 2.3.8) #M40",
    ),
    ContentFault.LINE_TOO_LONG: Reply.of(554, "5.6.0", "A line of the message is longer than 1 MiB #M41"),
    ContentFault.TOO_LARGE: Reply.of(552, "5.3.4", "The message is larger than we accept (see SIZE) #M42"),
    ContentFault.HEADER_TOO_LARGE: Reply.of(552, "5.3.4", "The header section is larger than we accept #M43"),
    ContentFault.SPOOL_FULL: SPOOL_IS_FULL,
}
_FAULT_REASONS = {
    ContentFault.BARE_CR_LF: Reason.BARE_CR_LF,
    ContentFault.LINE_TOO_LONG: Reason.LINE_TOO_LONG,
    ContentFault.TOO_LARGE: Reason.TOO_LARGE,
    ContentFault.HEADER_TOO_LARGE: Reason.HEADER_TOO_LARGE,
    ContentFault.SPOOL_FULL: Reason.SPOOL_FULL,
}

# What home says in its own words may hold names of inner hosts; where the status says it all, ours do.
_TEXTS = {
    "1.1": "No such mailbox here #M34",
    "1.6": "This mailbox has moved #M34",
    "2.1": "This mailbox is closed #M34",
    "2.2": "The mailbox is full #M35",
    "2.3": "The message is too large for this mailbox #M42",
    "3.4": "The message is too large #M42",
    "6.7": "A non-ASCII address cannot be carried to the mailbox #M39",
}
# A mailbox that is busy (4.2.1) is not closed, and one that is not there just now (4.1.1) may be tomorrow.
_TEXTS_FOR_NOW = {
    "2.1": "This mailbox takes no mail just now; please try again later #M74",
    "2.2": _TEXTS["2.2"],
}
_INNER = re.compile(
    r"<[^>]*>|\([^)]*\)|\[[^\]]*\]|\S*@\S*|\S*/\S*|(?:[\w-]+\.)+[\w-]+(?::\d+)?|[0-9a-fA-F:]*::[0-9a-fA-F:]*"
)

CODE_CHARACTERS = len(" #M78")

_HAS_CODE = re.compile(r" #M[0-9]{2}$")
"""Ours, or that of our own door at home (mxgw.doctor.words.codes)."""

_DANGLING = re.compile(r"(?: +(?:by|from|at|to|in|on|via|for|of))+[ ,;:]*$", re.IGNORECASE)


def mail_reply(
    *, home_available: bool, declared_octets: int | None, max_octets: int, spool_free_octets: int
) -> Reply | None:
    """The refusal of a MAIL command, or None: refuse before the octets travel, where we know already.

    RFC 1870 section 6.1: a declared size over the limit is 552 at once. Home away is known from the breaker.
    """
    declared = declared_octets or 0
    if declared > max_octets:
        return _FAULT_REPLIES[ContentFault.TOO_LARGE]
    if not home_available:
        return HOME_AWAY
    if spool_free_octets <= 0 or declared > spool_free_octets:
        return SPOOL_IS_FULL
    return None


def recipient_reply(answer: HomeAnswer) -> Reply:
    """The answer to RCPT from home's live answer. Home unreachable: do not guess, let DATA decide."""
    if answer.reply is None or answer.reply.positive:
        return RECIPIENT_OK
    return passed_on(answer.reply)


def passed_on(reply: Reply) -> Reply:
    """Home's reply as a stranger may read it: same code and status, one short line, no inner names."""
    status = reply.status or f"{reply.code // 100}.0.0"
    text = (_TEXTS if reply.permanent else _TEXTS_FOR_NOW).get(status[2:])
    if text is None:
        text = " ".join(_INNER.sub(" ", reply.lines[0]).split())[:MAX_PASSED_TEXT]
        text = _DANGLING.sub("", text).strip(" ,;:")
    text = text or "Refused by the mailbox server"
    if not _HAS_CODE.search(text):
        text = f"{text[: MAX_PASSED_TEXT - CODE_CHARACTERS]} #{'M78' if reply.permanent else 'M74'}"
    return Reply(reply.code, status, (text,))


def content_verdict(fault: ContentFault | None, *, received_count: int, max_received: int) -> Verdict | None:
    """The refusal of the content, or None. RFC 5321 section 6.3 (loops) counts Received fields."""
    if fault is not None:
        reply = _FAULT_REPLIES[fault]
        decision = Decision.REJECT if reply.permanent else Decision.DEFER
        return Verdict((reply,), decision, _FAULT_REASONS[fault])
    if received_count > max_received:
        loop = Reply.of(
            554, "5.4.6", f"More than {max_received} Received fields: the message goes in a circle #M44"
        )
        return Verdict((loop,), Decision.REJECT, Reason.LOOP)
    return None


def lawful(verdict: Verdict, *, deferred: bool) -> Verdict:
    """Never 5xx after DATA in a transaction in which any RCPT got 4xx (see the module's first words)."""
    if not deferred or verdict.decision is not Decision.REJECT:
        return verdict
    reply = Reply.of(451, "4.3.0", "Not accepted for these recipients; please try again later #M75")
    return Verdict((reply,), Decision.DEFER, verdict.reason)


def answer(
    answers: Sequence[HomeAnswer],
    forward_paths: Sequence[ForwardPath],
    *,
    deferred: bool,
    age_seconds: Callable[[], float | None],
    transaction_id: str,
) -> Verdict:
    """One reply for all recipients, for a client that did not ask for more (RFC 5321 section 4.2.5).

    ``answers`` has one entry per accepted RCPT, at least one; ``deferred``: a RCPT of this transaction got
    4xx; ``age_seconds``: how old the message says it is, None where it does not say (asked only where it
    matters).
    """
    if not [item for item in answers if not item.stored]:
        text = f"OK, the mailbox has it; id {transaction_id}"
        return Verdict((Reply.of(250, "2.0.0", text),), Decision.ACCEPT, Reason.DELIVERED)
    stored = any(item.stored for item in answers)
    if all(item.stored or item.refused for item in answers):
        if not stored:
            refusal = Verdict(
                (_common_refusal(answers, forward_paths),), Decision.REJECT, Reason.HOME_REFUSED
            )
            return lawful(refusal, deferred=deferred)
        if not deferred and (age_seconds() or 0.0) > MIXED_VALVE_SECONDS:
            reply = _who_has_it(answers, forward_paths)
            return Verdict((reply,), Decision.REJECT, Reason.MIXED)
        text = "Stored for some recipients, refused for others; please try again, which is safe #M76"
        return Verdict((Reply.of(451, "4.3.0", text),), Decision.DEFER, Reason.MIXED)
    if stored:
        text = "Partly stored; retry is safe #M76"
        return Verdict((Reply.of(451, "4.3.0", text),), Decision.DEFER, Reason.PARTLY_STORED)
    return Verdict((_common_deferral(answers),), Decision.DEFER, _deferral_reason(answers))


def answer_each(
    answers: Sequence[HomeAnswer],
    forward_paths: Sequence[ForwardPath],
    *,
    deferred: bool,
    transaction_id: str,
) -> Verdict:
    """One line per recipient and a final reply: PRDR (draft-hall-prdr-00 section 3).

    The final reply is 2xx where anybody has the message; else 4xx unless all are 5xx: a final reply that is
    not 2xx overrides the lines for Exim, so it must not be harder than the mildest of them.
    """
    lines = [
        Reply(line.code, line.status, (f"<{path}> {line.lines[0]}",))
        for path, line in zip(forward_paths, each_reply(answers), strict=True)
    ]
    whole = answer(
        answers, forward_paths, deferred=deferred, age_seconds=_unknown_age, transaction_id=transaction_id
    )
    if any(item.stored for item in answers):
        final = Reply.of(250, "2.0.0", f"OK, see the line of each recipient; id {transaction_id}")
        reason = Reason.DELIVERED if whole.decision is Decision.ACCEPT else Reason.MIXED
        return Verdict((PRDR_FOLLOWS, *lines, final), Decision.ACCEPT, reason)
    return Verdict((PRDR_FOLLOWS, *lines, *whole.replies), whole.decision, whole.reason)


def _unknown_age() -> None:
    return None


def each_reply(answers: Sequence[HomeAnswer]) -> tuple[Reply, ...]:
    """Home's answers one to one: PRDR's lines, and an LMTP door's replies (RFC 2033 section 4.2)."""
    return tuple(
        HOME_AWAY
        if item.reply is None
        else Reply.of(250, "2.0.0", "OK, the mailbox has it")
        if item.stored
        else passed_on(item.reply)
        for item in answers
    )


def _common_refusal(answers: Sequence[HomeAnswer], forward_paths: Sequence[ForwardPath]) -> Reply:
    replies = [passed_on(item.reply) for item in answers if item.reply is not None]
    if len(set(replies)) == 1:
        return replies[0]
    codes, statuses = {r.code for r in replies}, {r.status for r in replies}
    lines = tuple(f"<{p}> {r.lines[0]}" for p, r in zip(forward_paths, replies, strict=True))
    return Reply(
        codes.pop() if len(codes) == 1 else 554,
        statuses.pop() if len(statuses) == 1 and len(codes) <= 1 else "5.0.0",
        _bounded(lines),
    )


def _common_deferral(answers: Sequence[HomeAnswer]) -> Reply:
    deferrals = {passed_on(item.reply) for item in answers if item.reply is not None and item.reply.transient}
    if any(item.trouble is not None for item in answers):
        return Reply.of(
            451, "4.4.2", "The mailbox server did not answer for all; please try again later #M73"
        )
    if len(deferrals) == 1:
        only = deferrals.pop()
        return Reply(451, only.status, only.lines)
    return Reply.of(451, "4.3.0", "The mailbox server asks to try again later #M74")


def _deferral_reason(answers: Sequence[HomeAnswer]) -> Reason:
    troubles = {item.trouble for item in answers if item.trouble is not None}
    if Trouble.INTERNAL in troubles:
        return Reason.INTERNAL
    return Reason.HOME_UNREACHABLE if troubles else Reason.HOME_DEFERRED


def _who_has_it(answers: Sequence[HomeAnswer], forward_paths: Sequence[ForwardPath]) -> Reply:
    lines = ["The message is stored for some recipients only; do not send it again to those who have it #M77"]
    refused = [
        f"<{path}> {passed_on(item.reply).lines[0]}"
        for path, item in zip(forward_paths, answers, strict=True)
        if item.reply is not None and item.refused
    ]
    has_it = [f"<{path}> has it" for path, item in zip(forward_paths, answers, strict=True) if item.stored]
    return Reply(554, "5.0.0", _bounded((*lines, *refused, *has_it)))


def _bounded(lines: tuple[str, ...]) -> tuple[str, ...]:
    if len(lines) <= MAX_NAMED_RECIPIENTS:
        return lines
    return (*lines[:MAX_NAMED_RECIPIENTS], f"and {len(lines) - MAX_NAMED_RECIPIENTS} more")
