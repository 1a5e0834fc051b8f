"""Mail that our users send, put together from the lines of Postfix's log. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mxgw.trail.attempt import folded
from mxgw.trail.filing import Filed
from mxgw.trail.postfix_line import (
    Accepted,
    Expired,
    LoginFailed,
    Named,
    PostfixLine,
    Queued,
    Refused,
    Removed,
    Reported,
    ReportKind,
    Tried,
)
from mxgw.trail.query import Query

MAX_TRIES: Final = 100
"""Attempts for one recipient that are kept, the last ones: two days have some fifty."""

MAX_SENT_RECIPIENTS: Final = 1_000
"""Recipients of one message that are kept: Postfix takes 200 (main.cf)."""

MAX_MESSAGE_IDS: Final = 5
"""Of one message: more than one is a mistake of the program that wrote it."""

# Dovecot's answer names its own session, by which its log line is found.
_SESSION: Final = re.compile(r"250 2\.\d{1,3}\.\d{1,3} <[^>]*> ([^\s:]{1,64})\S* Saved")
_PROBES: Final = frozenset({"deliverable", "undeliverable"})
"""Questions whether there is such an address: no message is behind them."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A line, and the log that it is in."""

    where: str
    line: PostfixLine


@dataclass(frozen=True, slots=True)
class SentTry:
    """One attempt for one recipient. ``transport`` is smtp, lmtp, error ...; ``status`` is Postfix's word."""

    at: float
    transport: str
    relay: str
    dsn: str
    status: str
    said: str

    @property
    def session(self) -> str:
        """By what Dovecot's log knows the delivery; "" where it is none to Dovecot."""
        found = _SESSION.fullmatch(self.said) if self.transport == "lmtp" else None
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class SentRecipient:
    """One recipient. ``refused`` is the reply where it was not taken in at all; ``count`` are all attempts,
    of which ``tries`` are the last."""

    address: str
    original: str = ""
    tries: tuple[SentTry, ...] = ()
    count: int = 0
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The report that the sender gets. ``message`` is it, where the log has it."""

    kind: ReportKind
    id: str
    at: float
    message: SentMessage | None = None


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that a user sent, or tried to. Times are Unix time.

    ``id`` is the queue id, "" where none was given: it was refused before. ``refusal`` is the reply by which
    it was not taken in; ``times`` counts refusals that are alike, or failed logins.
    """

    where: str
    id: str
    door: str
    client: str
    login: str
    sender: str
    message_ids: tuple[str, ...]
    octets: int
    began_at: float
    last_at: float
    recipients: tuple[SentRecipient, ...]
    refusal: str = ""
    by_scanner: bool = False
    login_failed: bool = False
    times: int = 1
    expired_at: float | None = None
    removed_at: float | None = None
    deleted: bool = False
    reports: tuple[Report, ...] = ()
    filed: tuple[Filed, ...] = ()

    @property
    def sessions(self) -> tuple[str, ...]:
        """By what Dovecot's log knows its deliveries."""
        found = [one.session for recipient in self.recipients for one in recipient.tries if one.session]
        return tuple(dict.fromkeys(found))

    def matches(self, query: Query) -> bool:
        """Whether it is one that was looked for."""
        names = {folded(self.sender), folded(self.login), self.id.lower()}
        names.update(folded(one) for one in self.message_ids)
        for recipient in self.recipients:
            names.update((folded(recipient.address), folded(recipient.original)))
        return bool(query.wanted) and query.wanted in names

    def showing_first(self, query: Query) -> SentMessage:
        """The same, with the recipient that was looked for before the others."""
        wanted = query.wanted

        def others(one: SentRecipient) -> bool:
            return wanted not in {folded(one.address), folded(one.original)}

        return replace(self, recipients=tuple(sorted(self.recipients, key=others)))


def line_matches(line: PostfixLine, query: Query) -> bool:
    """Whether this line alone has what is looked for."""
    names: tuple[str, ...]
    match line.event:
        case Accepted(login=login, sender=sender):
            names = (login, sender)
        case Named(message_id=name):
            names = (name,)
        case Queued(sender=sender) | Expired(sender=sender):
            names = (sender,)
        case Tried(recipient=recipient, original=original):
            names = (recipient, original)
        case Refused(sender=sender, recipient=recipient, login=login):
            names = (sender, recipient, login)
        case LoginFailed(login=login):
            names = (login,)
        case _:
            names = ()
    return bool(query.wanted) and query.wanted in {line.id.lower(), *(folded(name) for name in names)}


def refused_message(where: str, line: PostfixLine) -> SentMessage | None:
    """The message behind a line that has no queue id; None where the line has one."""
    event = line.event
    if line.id or not isinstance(event, Refused | LoginFailed):
        return None
    found = SentMessage(
        where=where,
        id="",
        door=line.door,
        client=event.client,
        login=event.login,
        sender="",
        message_ids=(),
        octets=0,
        began_at=line.time,
        last_at=line.time,
        recipients=(),
        login_failed=isinstance(event, LoginFailed),
    )
    if isinstance(event, LoginFailed):
        return found
    return replace(
        found,
        sender=event.sender,
        recipients=(SentRecipient(event.recipient, refused=event.reply),) if event.recipient else (),
        refusal=event.reply,
        by_scanner=event.by_scanner,
    )


def sent_messages(logged: Iterable[Logged]) -> list[SentMessage]:
    """The messages of these lines, in the order of time; lines that were read twice count once.

    A queue id is used again after a while: what comes after the end of a message is another.
    """
    by_id: dict[str, list[Logged]] = {}
    for one in {one.line: one for one in logged}.values():
        if one.line.id:
            by_id.setdefault(one.line.id, []).append(one)
    found = [
        _message(life)
        for lines in by_id.values()
        for life in _lives(sorted(lines, key=lambda one: one.line.time))
    ]
    return sorted(found, key=lambda message: message.last_at)


def with_reports(messages: Sequence[SentMessage]) -> list[SentMessage]:
    """The messages, each with the reports about it; these are then no messages of their own."""
    by_id: dict[str, list[SentMessage]] = {}
    for one in messages:
        by_id.setdefault(one.id, []).append(one)
    taken: set[int] = set()

    def found(report: Report) -> Report:
        near = [one for one in by_id.get(report.id, ()) if not one.sender]
        if not near:
            return report
        nearest = min(near, key=lambda one: abs(one.began_at - report.at))
        taken.add(id(nearest))
        return replace(report, message=nearest)

    whole = [replace(one, reports=tuple(found(report) for report in one.reports)) for one in messages]
    return [whole[number] for number, one in enumerate(messages) if id(one) not in taken]


def _lives(lines: Sequence[Logged]) -> list[list[Logged]]:
    lives: list[list[Logged]] = []
    ended = True
    for one in lines:
        if ended or isinstance(one.line.event, Accepted):
            lives.append([])
        lives[-1].append(one)
        event = one.line.event
        ended = isinstance(event, Removed) or (isinstance(event, Refused) and event.stage == "END-OF-MESSAGE")
    return lives


def _message(life: Sequence[Logged]) -> SentMessage:
    first = life[0]
    recipients: dict[str, SentRecipient] = {}
    made = SentMessage(
        where=first.where,
        id=first.line.id,
        door="",
        client="",
        login="",
        sender="",
        message_ids=(),
        octets=0,
        began_at=first.line.time,
        last_at=life[-1].line.time,
        recipients=(),
    )
    for one in life:
        made = _after(made, one.line, recipients)
    return replace(made, recipients=tuple(recipients.values()))


def _after(made: SentMessage, line: PostfixLine, recipients: dict[str, SentRecipient]) -> SentMessage:
    """What is known when one more line is; ``recipients`` are those of the message so far."""
    match line.event:
        case Accepted(client=client, login=login, sender=sender):
            return replace(made, client=client, login=login, sender=sender, door=line.door)
        case Named(message_id=name):
            return replace(made, message_ids=(*made.message_ids, name)[:MAX_MESSAGE_IDS])
        case Queued(sender=sender, octets=octets):
            return replace(made, sender=sender, octets=octets)
        case Expired(sender=sender):
            return replace(made, sender=sender, expired_at=line.time)
        case Tried() as tried:
            _add_try(recipients, line, tried)
        case Refused() as refused if refused.stage == "RCPT":
            # The others of the same message may have been taken.
            _known(recipients, SentRecipient(refused.recipient, refused=refused.reply))
        case Refused() as refused:
            if refused.recipient:
                _known(recipients, SentRecipient(refused.recipient, refused=refused.reply))
            return replace(
                made,
                sender=made.sender or refused.sender,
                refusal=refused.reply,
                by_scanner=refused.by_scanner,
            )
        case Reported(kind=kind, id=id_):
            return replace(made, reports=(*made.reports, Report(kind, id_, line.time))[-MAX_TRIES:])
        case Removed(by_hand=by_hand):
            return replace(made, removed_at=line.time, deleted=made.deleted or by_hand)
    return made


def _add_try(recipients: dict[str, SentRecipient], line: PostfixLine, tried: Tried) -> None:
    if tried.status in _PROBES:
        return
    one = SentTry(line.time, line.service, tried.relay, tried.dsn, tried.status, tried.said)
    known = _known(recipients, SentRecipient(tried.recipient, tried.original))
    if known is not None:
        recipients[folded(tried.recipient)] = replace(
            known, tries=(*known.tries, one)[-MAX_TRIES:], count=known.count + 1
        )


def _known(recipients: dict[str, SentRecipient], recipient: SentRecipient) -> SentRecipient | None:
    key = folded(recipient.address)
    if key not in recipients and len(recipients) >= MAX_SENT_RECIPIENTS:
        return None
    return recipients.setdefault(key, recipient)
