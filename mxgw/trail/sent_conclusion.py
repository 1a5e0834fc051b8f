"""One sentence about what became of a message that was sent, and what to do, in the user's language."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from mxgw.trail.conclusion import MAX_NAMES
from mxgw.trail.filing import Filing
from mxgw.trail.postfix_line import ReportKind
from mxgw.trail.sent import SentMessage, SentRecipient
from mxgw.trail.sent_fate import (
    QUEUE_LIFETIME_SECONDS,
    SentFate,
    SentMessageFate,
    SentRecipientFate,
    SentState,
)
from mxgw.trail.words import Speech

MAX_PARTS: Final = 6
"""Parts of a sentence."""

_WITH_A_REASON: Final = frozenset(
    {SentState.REFUSED, SentState.BOUNCED, SentState.EXPIRED, SentState.PUT_OFF, SentState.WAITING}
)

Clock = Callable[[float], str]
"""Unix time as people read it."""

_IN_REPLY: Final = re.compile(r" \(in reply to [^()]{1,60}\)$")
_HOST_SAID: Final = re.compile(r"^host \S+ (?:said|refused to talk to me): ")
_RELAY_HOST: Final = re.compile(r"^([^\[\]:]+)\[")
_UNNAMED: Final = re.compile(r"unknown\[([^\[\]]+)\]")


def sent_conclusion(message: SentMessage, fate: SentMessageFate, speech: Speech, clock: Clock) -> str:
    """The sentence."""
    if fate.fate is SentFate.MIXED:
        parts = [_part(message, group, speech, clock) for group in _alike(fate.recipients)]
        return speech("fate-mixed", parts=speech("part-join").join(parts))
    count = len(fate.recipients)
    return speech(
        f"sent-fate-{fate.fate.value}",
        whom=speech("whom-all", count=count) if count > 1 else "",
        login=message.login or speech("nobody-logged-in"),
        times=sent_times(message.times, speech),
        since=clock(message.began_at),
        last=clock(message.last_at),
        **_facts(message, fate.recipients, speech, clock),
    )


def sent_advice(fate: SentMessageFate, speech: Speech) -> list[str]:
    """What to do, one text for each cause."""
    return [speech(f"sent-cause-{cause.value}") for cause in fate.causes]


def answer(said: str) -> str:
    """What the other side said, without Postfix's words around it."""
    return _IN_REPLY.sub("", _HOST_SAID.sub("", said))


def relay_name(relay: str) -> str:
    """The relay as people know it."""
    found = _RELAY_HOST.match(relay)
    host = found[1] if found else relay
    return f"SendGrid ({host})" if host.lower().endswith("sendgrid.net") else host


def client_name(client: str) -> str:
    """The client without Postfix's word for an address that has no name."""
    found = _UNNAMED.fullmatch(client)
    return found[1] if found else client


def sent_times(count: int, speech: Speech) -> str:
    """``once``, ``3 times``."""
    return speech("times-one") if count == 1 else speech("times-many", count=count)


def _alike(recipients: Sequence[SentRecipientFate]) -> list[list[SentRecipientFate]]:
    """The worst first; refusals apart where their answers differ, but for what would be too many."""
    groups: dict[tuple[int, str], list[SentRecipientFate]] = {}
    order = list(SentState)
    for one in recipients:
        said = answer(one.said) if one.state in _WITH_A_REASON else ""
        groups.setdefault((order.index(one.state), said), []).append(one)
    if len(groups) > MAX_PARTS:
        groups = {}
        for one in recipients:
            groups.setdefault((order.index(one.state), ""), []).append(one)
    return [groups[key] for key in sorted(groups)]


def _part(message: SentMessage, recipients: Sequence[SentRecipientFate], speech: Speech, clock: Clock) -> str:
    names = ", ".join(one.address for one in recipients[:MAX_NAMES])
    if len(recipients) > MAX_NAMES:
        names = speech("names-more", names=names, count=len(recipients) - MAX_NAMES)
    state = recipients[0].state
    return speech(f"sent-part-{state.value}", names=names, **_facts(message, recipients, speech, clock))


def _facts(
    message: SentMessage, recipients: Sequence[SentRecipientFate], speech: Speech, clock: Clock
) -> dict[str, str]:
    said = next((answer(one.said) for one in recipients if one.said), answer(message.refusal))
    tries = max((one.count for one in recipients), default=0)
    waited = _first_try(message.recipients, recipients)
    return {
        "said": said or speech("nothing-said"),
        "at": clock(max((one.at for one in recipients), default=message.last_at)),
        "relay": relay_name(next((one.relay for one in recipients if one.relay), "")),
        "tries": sent_times(tries, speech),
        "after": speech("sent-after", tries=tries - 1) if tries > 1 else "",
        "waits": clock(message.began_at if waited is None else waited),
        "until": clock(message.began_at + QUEUE_LIFETIME_SECONDS),
        "place": _place(message, speech),
        "told": _told(message, speech),
    }


def _first_try(all_of_them: Sequence[SentRecipient], meant: Sequence[SentRecipientFate]) -> float | None:
    """When the first attempt failed, from when on it waits."""
    names = {one.address for one in meant}
    whole = [one for one in all_of_them if one.address in names and 0 < one.count <= len(one.tries)]
    return min((one.tries[0].at for one in whole), default=None)


def _place(message: SentMessage, speech: Speech) -> str:
    places = {one.mailbox for one in message.filed if one.filing is Filing.STORED}
    return speech("sent-place", mailbox=", ".join(sorted(places))) if places else ""


def _told(message: SentMessage, speech: Speech) -> str:
    """What became of the report to the sender."""
    report = next((one for one in reversed(message.reports) if one.kind is ReportKind.FAILURE), None)
    if report is None:
        return speech("sent-told-nobody")
    brought = report.message is not None and any(
        one.status == "sent" for recipient in report.message.recipients for one in recipient.tries
    )
    return speech("sent-told" if brought else "sent-told-perhaps", sender=message.sender)
