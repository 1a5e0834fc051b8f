"""How ``mxgw trace`` shows mail that came in: a timeline for people, facts for programs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.table import Table
from rich.text import Text

from mxgw.cli.terminal import console, plain
from mxgw.observe.text import octets
from mxgw.outcome import Decision, RecipientOutcome
from mxgw.trail.attempt import Attempt
from mxgw.trail.conclusion import advice, causes, checks_text, conclusion
from mxgw.trail.fate import Fate, MessageFate, fate_of
from mxgw.trail.filing import Filed, Filing
from mxgw.trail.joining import Message, Step
from mxgw.trail.search import Found
from mxgw.trail.words import Speech

MAX_SHOWN_RECIPIENTS: Final = 50
WIDE: Final = 120
"""Columns of a terminal that has room for Message-IDs in a list."""

MAX_SHOWN_STEPS: Final = 50
"""Attempts of one message that are shown to people, the first and the last of them; JSON has all."""

_DECISIONS: Final = {
    Decision.ACCEPT: "green",
    Decision.DEFER: "yellow",
    Decision.REJECT: "red",
    Decision.ABORTED: "magenta",
}
_FATES: Final = {
    Fate.STORED: "green",
    Fate.STORED_AFTER_RETRY: "green",
    Fate.STORED_ONCE: "green",
    Fate.REFUSED: "red",
    Fate.PUT_OFF: "yellow",
    Fate.GIVEN_UP: "red",
    Fate.LEFT: "magenta",
    Fate.MIXED: "yellow",
}


def clock(moment: float) -> str:
    """Local time to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def zone_name(now: float) -> str:
    """The local zone and its distance: ``JST (+09:00)``."""
    local = datetime.fromtimestamp(now).astimezone()
    distance = local.strftime("%z")
    return f"{local.strftime('%Z')} ({distance[:3]}:{distance[3:5]})"


# -- for people


def judged(found: Found, *, now: float) -> list[tuple[Message, MessageFate]]:
    """The messages, each with what became of it."""
    return [(message, fate_of(message, now=now)) for message in found.messages]


def show_list(query: str, found: Sequence[tuple[Message, MessageFate]], speech: Speech) -> None:
    """One line for each message."""
    title = Text(speech("title-found", count=len(found), query=plain(query)), style="bold")
    table = Table(box=None, header_style="bold", title=title, title_justify="left")
    table.add_column(speech("column-number"), justify="right")
    table.add_column(speech("column-last"), no_wrap=True)
    # On a narrow terminal it would be five lines high; the number stands for it.
    wide = console().width >= WIDE
    for name in ("from", "to", "message-id") if wide else ("from", "to"):
        table.add_column(speech(f"column-{name}"), overflow="fold")
    table.add_column(speech("column-attempts"), justify="right")
    table.add_column(speech("column-fate"), no_wrap=True)
    for index, (message, fate) in enumerate(found, 1):
        table.add_row(
            str(index),
            clock(fate.last_at),
            message.steps[0].attempt.reverse_path or "<>",
            _names(fate),
            *((message_id(message),) if wide else ()),
            str(len(message.steps)),
            Text(speech(f"short-{fate.fate.value}"), style=_FATES[fate.fate]),
        )
    console().print(table)


def show_message(index: int, message: Message, fate: MessageFate, speech: Speech) -> None:
    """Each attempt, what became of it, and what to do."""
    out = console()
    out.print()
    title = speech(
        "title-message",
        number=index,
        message_id=message_id(message) or speech("no-message-id"),
        sender=message.steps[0].attempt.reverse_path or speech("null-sender"),
        recipients=_names(fate),
    )
    out.print(title, style="bold", soft_wrap=True)
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    steps = message.steps
    if len(steps) > MAX_SHOWN_STEPS:
        steps = (*steps[: MAX_SHOWN_STEPS // 2], *steps[-MAX_SHOWN_STEPS // 2 :])
    for step in steps:
        for row in _step_rows(step, speech):
            table.add_row(*row)
    out.print(table)
    out.print(Text(conclusion(fate, speech, clock), style=f"bold {_FATES[fate.fate]}"), soft_wrap=True)
    for text in advice(fate, speech):
        out.print(speech("advice", advice=text), soft_wrap=True)


Row = tuple[str | Text, str, str | Text]


def _step_rows(step: Step, speech: Speech) -> Iterable[Row]:
    one = step.attempt
    style = _DECISIONS[one.decision]
    client = speech(
        "line-client",
        client=one.client,
        helo=one.helo or speech("no-helo"),
        tls=one.tls or speech("no-tls"),
        octets=octets(one.octets),
    )
    yield clock(one.ended_at), speech("label-client"), client
    rows: list[tuple[str, str | Text]] = [
        ("label-checks", checks_text(one.checks) or speech("no-checks")),
        *(("label-home", _home(recipient, speech)) for recipient in one.recipients[:MAX_SHOWN_RECIPIENTS]),
        *(("label-door", _door(behind, speech)) for behind in step.behind),
        *(("label-mailbox", filed_text(filed, speech)) for filed in step.filed[:MAX_SHOWN_RECIPIENTS]),
        ("label-told", Text(one.reply or speech("told-nothing"), style=style)),
        (
            "label-took",
            speech("line-took", receive=f"{one.receive_seconds:.3f}", relay=f"{one.relay_seconds:.3f}"),
        ),
        ("label-log", f"{one.where}  id {one.id}"),
    ]
    if one.detail:
        rows.append(("label-detail", one.detail))
    if step.guessed:
        rows.append(("label-log", speech("guessed")))
    decision: str | Text = Text(speech(f"decision-{one.decision.value}"), style=f"bold {style}")
    for label, text in rows:
        yield decision, speech(label), text
        decision = ""


def _home(recipient: RecipientOutcome, speech: Speech) -> Text:
    said, style = recipient.home, {"2": "green", "4": "yellow", "5": "red"}.get(recipient.home[:1], "yellow")
    if not said:
        said, style = speech("line-home-silent"), "dim"
    elif not said[:1].isdigit():
        said = speech("line-trouble", word=said)
    return Text.assemble(f"{recipient.forward_path}  ", (said, style))


def _door(behind: Attempt, speech: Speech) -> str:
    return speech(
        "line-door",
        checks=checks_text(behind.checks) or speech("no-checks"),
        reply=behind.reply,
        seconds=f"{behind.receive_seconds + behind.relay_seconds:.3f}",
        id=behind.id,
    )


def filed_text(filed: Filed, speech: Speech) -> Text:
    """Into which folder of whom."""
    style = {Filing.STORED: "green", Filing.FAILED: "red", Filing.DISCARDED: "dim"}[filed.filing]
    said = speech(f"filing-{filed.filing.value}", mailbox=filed.mailbox, why=filed.why)
    return Text.assemble(f"{filed.user}  ", (said, style))


def _names(fate: MessageFate) -> str:
    first = ", ".join(one.address for one in fate.recipients[:2])
    return first if len(fate.recipients) <= 2 else f"{first} +{len(fate.recipients) - 2}"


def message_id(message: Message) -> str:
    """The Message-ID; "" where no attempt has one."""
    return next((one.message_id for one in message.attempts if one.message_id), "")


# -- for programs


def message_facts(index: int, message: Message, fate: MessageFate, speech: Speech) -> dict[str, object]:
    """Everything about one message; times in UTC."""
    return {
        "number": index,
        "message_id": message_id(message),
        "fingerprints": list(dict.fromkeys(one.fingerprint for one in message.attempts if one.fingerprint)),
        "reverse_path": message.steps[0].attempt.reverse_path,
        "fate": fate.fate.value,
        "junk": fate.junk is not None,
        "causes": [cause.value for cause in causes(fate)],
        "conclusion": conclusion(fate, speech, clock),
        "advice": advice(fate, speech),
        "since": stamp(fate.since),
        "last": stamp(fate.last_at),
        "recipients": [
            {
                "address": one.address,
                "state": one.state.value,
                "at": stamp(one.at),
                "said": one.said,
                "cause": None if one.cause is None else one.cause.value,
                "times_stored": one.times_stored,
                "put_off": one.put_off,
            }
            for one in fate.recipients
        ],
        "attempts": [
            {
                **_attempt_facts(step.attempt),
                "guessed": step.guessed,
                "home_door": [_attempt_facts(behind) for behind in step.behind],
                "mailboxes": [filed_facts(filed) for filed in step.filed],
            }
            for step in message.steps
        ],
    }


def filed_facts(filed: Filed) -> dict[str, object]:
    """Into which folder of whom."""
    return {
        "user": filed.user,
        "filing": filed.filing.value,
        "mailbox": filed.mailbox,
        "why": filed.why,
    }


def _attempt_facts(one: Attempt) -> dict[str, object]:
    return {
        "time": stamp(one.ended_at),
        "door": one.door.value,
        "log": one.where,
        "id": one.id,
        "client": one.client,
        "helo": one.helo,
        "tls": one.tls,
        "octets": one.octets,
        "decision": one.decision.value,
        "reason": one.reason,
        "reply": one.reply,
        "checks": dict(one.checks),
        "recipients": [
            {"forward_path": recipient.forward_path, "home": recipient.home} for recipient in one.recipients
        ],
        "fingerprint": one.fingerprint,
        "detail": one.detail,
        "receive_seconds": one.receive_seconds,
        "relay_seconds": one.relay_seconds,
    }


def stamp(moment: float) -> str:
    """A moment as programs read it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
