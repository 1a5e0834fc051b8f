"""Looks for mail that our users sent: which queue ids of Postfix are meant, then all lines of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol, TypeVar

from mxgw.trail.filing import Filed
from mxgw.trail.moments import Window
from mxgw.trail.postfix_line import LINE_ID, parse_postfix
from mxgw.trail.query import Query
from mxgw.trail.sent import (
    Logged,
    SentMessage,
    line_matches,
    refused_message,
    sent_messages,
    with_reports,
)

MAX_IDS: Final = 2_000
"""Queue ids that are looked after, the last ones: nobody reads more messages."""

MAX_KEPT_LINES: Final = 50_000
"""Lines that are kept, the last ones: of 1 KB each in memory, at the most."""

MAX_REFUSALS: Final = 500
"""Refusals of different kinds that are kept: whoever guesses passwords makes many lines, of few kinds."""

MAX_SENT: Final = 200
"""Messages that are shown; the newest are."""

MAX_LOOKS: Final = 3
"""Times that lines are fetched by their ids: again for a report whose id was not known before."""

Key = TypeVar("Key")
Value = TypeVar("Value")


class RawLine(NamedTuple):
    """A line of Postfix's; ``latest`` is the Unix time at which its log was at an end."""

    where: str
    text: str
    latest: float


class PostfixSource(Protocol):
    """Logs that can be read more than once."""

    def postfix_lines(self, wanted: Callable[[bytes], bool]) -> Iterator[RawLine]:
        """The lines of Postfix's of which ``wanted`` says yes."""


@dataclass(frozen=True, slots=True)
class SentFound:
    """The messages that were looked for, in the order of time. ``cut``: there are more than are here."""

    messages: tuple[SentMessage, ...] = ()
    cut: bool = False


class SentSearch:
    """One search."""

    def __init__(self, query: Query, window: Window, source: PostfixSource) -> None:
        self._query = query
        self._window = window
        self._source = source
        self._cut = False
        self._ids: dict[str, None] = {}
        self._refused: dict[tuple[str, ...], SentMessage] = {}

    def run(self) -> SentFound:
        """Raises what the source raises."""
        self._look()
        messages = self._messages() if self._ids else []
        messages = [
            one
            for one in (*messages, *self._refused.values())
            if one.last_at >= self._window.since and one.began_at < self._window.until
        ]
        messages.sort(key=lambda one: one.last_at)
        self._cut = self._cut or len(messages) > MAX_SENT
        return SentFound(tuple(messages[-MAX_SENT:]), self._cut)

    def _look(self) -> None:
        """Which ids are meant, and the refusals that have none."""
        needle = self._query.wanted.encode()
        for raw in self._source.postfix_lines(lambda line: needle in line.lower()):
            line = parse_postfix(raw.text, latest=raw.latest)
            if line is None or not line_matches(line, self._query):
                continue
            if line.id:
                self._ids.pop(line.id, None)
                self._ids[line.id] = None
                self._bound(self._ids, MAX_IDS)
            elif (refused := refused_message(raw.where, line)) is not None:
                self._refuse(refused)

    def _refuse(self, found: SentMessage) -> None:
        """Those that are alike are one."""
        recipients = [one.address for one in found.recipients]
        key = (found.door, found.client, found.login, found.sender, found.refusal, *recipients)
        if (known := self._refused.pop(key, None)) is not None:
            found = replace(
                found,
                began_at=min(known.began_at, found.began_at),
                last_at=max(known.last_at, found.last_at),
                times=known.times + 1,
            )
        self._refused[key] = found
        self._bound(self._refused, MAX_REFUSALS)

    def _bound(self, kept: dict[Key, Value], most: int) -> None:
        if len(kept) > most:
            del kept[next(iter(kept))]
            self._cut = True

    def _messages(self) -> list[SentMessage]:
        ids = dict(self._ids)
        found: list[SentMessage] = []
        for _ in range(MAX_LOOKS):
            found = sent_messages(self._lines(frozenset(ids)))
            meant = [one for one in found if one.matches(self._query)]
            reports = {report.id for one in meant for report in one.reports} - ids.keys()
            if not reports:
                break
            ids.update(dict.fromkeys(reports))
        return [one.showing_first(self._query) for one in with_reports(found) if one.matches(self._query)]

    def _lines(self, ids: frozenset[str]) -> list[Logged]:
        raw_ids = {id_.encode() for id_ in ids}

        def wanted(line: bytes) -> bool:
            found = LINE_ID.search(line)
            return found is not None and found[1] in raw_ids

        kept: dict[int, Logged] = {}
        for number, raw in enumerate(self._source.postfix_lines(wanted)):
            line = parse_postfix(raw.text, latest=raw.latest)
            if line is None or line.id not in ids:
                continue
            kept[number] = Logged(raw.where, line)
            self._bound(kept, MAX_KEPT_LINES)
        return list(kept.values())


def with_sent_filings(messages: Sequence[SentMessage], filings: Sequence[Filed]) -> tuple[SentMessage, ...]:
    """The messages with what Dovecot did with each."""
    by_session: dict[str, dict[Filed, None]] = {}
    for one in filings:
        by_session.setdefault(one.id, {})[one] = None
    return tuple(_with(message, by_session) for message in messages)


def _with(message: SentMessage, by_session: Mapping[str, Mapping[Filed, None]]) -> SentMessage:
    filed = tuple(one for session in message.sessions for one in by_session.get(session, ()))
    return replace(message, filed=filed)
