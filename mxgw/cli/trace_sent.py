"""How ``mxgw trace`` shows mail that was sent: how it is now before how it came to that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from mxgw.cli.terminal import console, plain
from mxgw.cli.trace_show import MAX_SHOWN_RECIPIENTS, clock, filed_facts, filed_text, stamp
from mxgw.observe.text import octets
from mxgw.trail.sent import Report, SentMessage, SentTry
from mxgw.trail.sent_conclusion import answer, client_name, sent_advice, sent_conclusion
from mxgw.trail.sent_fate import SentFate, SentMessageFate, SentRecipientFate, sent_fate_of
from mxgw.trail.sent_search import SentFound
from mxgw.trail.words import Speech

MAX_SHOWN_TRIES: Final = 50
"""Attempts of one message that are shown to people, the last ones; JSON has more."""

_STYLES: Final = {
    SentFate.REFUSED: "red",
    SentFate.BOUNCED: "red",
    SentFate.EXPIRED: "red",
    SentFate.DELETED: "magenta",
    SentFate.PUT_OFF: "yellow",
    SentFate.LOST_SIGHT: "magenta",
    SentFate.WAITING: "yellow",
    SentFate.ACCEPTED: "cyan",
    SentFate.HANDED_OVER: "green",
    SentFate.DELIVERED: "green",
    SentFate.LOGIN_FAILED: "red",
    SentFate.MIXED: "yellow",
}
_OF_A_TRY: Final = {"sent": "green", "bounced": "red", "expired": "red", "force-expired": "red"}
_DOORS: Final = frozenset({"submission", "submissions", "internal"})

Judged = tuple[SentMessage, SentMessageFate]
Row = tuple[str, str | Text, str | Text]


def judged_sent(found: SentFound, *, now: float) -> list[Judged]:
    """The messages, each with what became of it."""
    return [(message, sent_fate_of(message, now=now)) for message in found.messages]


# -- for people


def show_sent_list(query: str, found: Sequence[Judged], speech: Speech, *, before: int) -> None:
    """One line for each message; ``before`` is the number of those that came before in the list."""
    title = Text(speech("title-sent", count=len(found), query=plain(query)), style="bold")
    table = Table(box=None, header_style="bold", title=title, title_justify="left")
    table.add_column(speech("column-number"), justify="right")
    table.add_column(speech("column-taken"), no_wrap=True)
    for name in ("from", "to"):
        table.add_column(speech(f"column-{name}"), overflow="fold")
    table.add_column(speech("column-attempts"), justify="right")
    table.add_column(speech("column-fate"), no_wrap=True)
    for number, (message, fate) in enumerate(found, before + 1):
        table.add_row(
            str(number),
            clock(message.last_at),
            message.sender or message.login or "<>",
            _names(message, speech),
            str(max((one.count for one in fate.recipients), default=0) or message.times),
            Text(speech(f"sent-short-{fate.fate.value}"), style=_STYLES[fate.fate]),
        )
    console().print(table)


def show_sent(number: int, message: SentMessage, fate: SentMessageFate, speech: Speech) -> None:
    """What became of it, what to do, and the attempts behind that, the last one first."""
    out = console()
    out.print()
    title = speech(
        "title-login" if message.login_failed else "title-sent-message",
        number=number,
        message_id=next(iter(message.message_ids), speech("no-message-id")),
        sender=message.sender or message.login or speech("null-sender"),
        recipients=_names(message, speech),
    )
    out.print(title, style="bold", soft_wrap=True)
    style = f"bold {_STYLES[fate.fate]}"
    out.print(Text(sent_conclusion(message, fate, speech, clock), style=style), soft_wrap=True)
    for text in sent_advice(fate, speech):
        out.print(speech("advice", advice=text), soft_wrap=True)
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for at, label, said in _rows(message, fate, speech):
        table.add_row(at, label, said)
    out.print(table)


def _rows(message: SentMessage, fate: SentMessageFate, speech: Speech) -> Iterable[Row]:
    for one in fate.recipients[:MAX_SHOWN_RECIPIENTS]:
        word = Text(speech(f"sent-short-{one.state.value}"), style=_STYLES[SentFate(one.state.value)])
        yield clock(one.at), speech("label-state"), Text.assemble(f"{one.address}  ", word)
    for filed in message.filed[:MAX_SHOWN_RECIPIENTS]:
        yield "", speech("label-mailbox"), filed_text(filed, speech)
    for report in message.reports[-MAX_SHOWN_TRIES:]:
        yield clock(report.at), speech("label-report"), _report(message, report, speech)
    tries = [(one.address, tried) for one in message.recipients for tried in one.tries]
    tries.sort(key=lambda pair: pair[1].at, reverse=True)
    for address, tried in tries[:MAX_SHOWN_TRIES]:
        style = _OF_A_TRY.get(tried.status, "yellow")
        said = Text.assemble(f"{address}  ", (answer(tried.said), style))
        yield clock(tried.at), speech("label-try"), said
    if len(tries) > MAX_SHOWN_TRIES or len(fate.recipients) > MAX_SHOWN_RECIPIENTS:
        more = max(len(tries) - MAX_SHOWN_TRIES, len(fate.recipients) - MAX_SHOWN_RECIPIENTS)
        yield "", "", speech("line-more", count=more)
    door = speech(f"door-{message.door if message.door in _DOORS else 'other'}")
    refused = bool(message.refusal) or message.login_failed
    taken = speech(
        "line-refused" if refused else "line-accepted",
        login=message.login or message.sender or speech("nobody-logged-in"),
        client=client_name(message.client) or "-",
        door=door,
        octets=octets(message.octets),
    )
    yield clock(message.began_at), speech("label-refused" if refused else "label-accepted"), taken
    yield "", speech("label-log"), f"{message.where}  id {message.id or '-'}"


def _report(message: SentMessage, report: Report, speech: Speech) -> str:
    brought = report.message is not None and any(_brought(report.message))
    state = speech("report-brought" if brought else "report-unknown")
    return speech(f"report-{report.kind.value}", sender=message.sender, state=state)


def _brought(message: SentMessage) -> Iterable[bool]:
    return (tried.status == "sent" for one in message.recipients for tried in one.tries)


def _names(message: SentMessage, speech: Speech) -> str:
    names = [one.address for one in message.recipients]
    first = ", ".join(names[:2]) or speech("sent-nobody")
    return first if len(names) <= 2 else f"{first} +{len(names) - 2}"


# -- for programs


def sent_facts(number: int, message: SentMessage, fate: SentMessageFate, speech: Speech) -> dict[str, object]:
    """Everything about one message; times in UTC."""
    return {
        "number": number,
        "queue_id": message.id,
        "message_ids": list(message.message_ids),
        "sender": message.sender,
        "login": message.login,
        "client": message.client,
        "door": message.door,
        "octets": message.octets,
        "log": message.where,
        "fate": fate.fate.value,
        "causes": [cause.value for cause in fate.causes],
        "conclusion": sent_conclusion(message, fate, speech, clock),
        "advice": sent_advice(fate, speech),
        "since": stamp(message.began_at),
        "last": stamp(message.last_at),
        "times": message.times,
        "refusal": message.refusal,
        "recipients": [
            {
                **_recipient_facts(one),
                "attempts": [_try_facts(tried) for tried in message.recipients[index].tries],
            }
            for index, one in enumerate(fate.recipients)
        ],
        "reports": [
            {
                "kind": one.kind.value,
                "queue_id": one.id,
                "time": stamp(one.at),
                "delivered": one.message is not None and any(_brought(one.message)),
            }
            for one in message.reports
        ],
        "mailboxes": [filed_facts(one) for one in message.filed],
    }


def _recipient_facts(one: SentRecipientFate) -> dict[str, object]:
    return {
        "address": one.address,
        "state": one.state.value,
        "at": stamp(one.at),
        "said": one.said,
        "relay": one.relay,
        "cause": None if one.cause is None else one.cause.value,
        "count": one.count,
    }


def _try_facts(one: SentTry) -> dict[str, object]:
    return {
        "time": stamp(one.at),
        "transport": one.transport,
        "relay": one.relay,
        "dsn": one.dsn,
        "status": one.status,
        "said": one.said,
    }
