"""Looks for a message in logs, in two passes: which messages are meant, then every attempt of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from mxgw.loglines import LogCounts, LoggedObject
from mxgw.trail.attempt import Attempt, AttemptError, Door, folded, parse_attempt
from mxgw.trail.joining import Message, content_keys, edge_id, joined
from mxgw.trail.moments import Window
from mxgw.trail.query import Query, searchable

MAX_FOUND: Final = 2_000
"""Attempts that the first pass keeps: nobody reads more, and each may be 100 KB in memory."""

MAX_JOINED: Final = 5_000
"""Attempts that the second pass keeps."""

MAX_MESSAGES: Final = 200
"""Messages that are shown; the newest are."""

MAX_TERMS: Final = 60
"""Texts that a source is asked to look for at once; beyond, it is to look at everything."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One event of a log, and in which log it was: a file, or a stream of CloudWatch."""

    where: str
    place: str
    fields: LoggedObject


class Source(Protocol):
    """Logs that can be read more than once."""

    any_case: bool
    """Whether a term is found there in any capitals."""

    def events(self, terms: tuple[str, ...], counts: LogCounts) -> Iterator[Logged]:
        """The "transaction" events. Lines that have none of ``terms``, if there are any, may be left out."""


@dataclass(frozen=True, slots=True)
class Found:
    """The messages that were looked for, in the order of time. ``cut``: there are more than are here."""

    messages: tuple[Message, ...]
    counts: LogCounts
    cut: bool


class Search:
    """One search over several sources."""

    def __init__(self, query: Query, window: Window, sources: Sequence[Source]) -> None:
        self._query = query
        self._window = window
        self._sources = sources
        self._cut = False

    def run(self) -> Found:
        """Raises what the sources raise."""
        terms = self._query.terms
        wanted, counts = self._wanted(terms)
        if not wanted and terms and not all(source.any_case for source in self._sources):
            # The log may spell it in other capitals.
            wanted, counts = self._wanted(())
        if not wanted:
            return Found((), counts, cut=self._cut)
        keys = _Keys(wanted)
        again = LogCounts()
        related = self._kept(
            (one for one in self._attempts(keys.terms(terms), again) if keys.fit(one)), MAX_JOINED
        )
        messages = [
            message
            for message in joined(_with_doors([*wanted, *related]))
            if any(self._query.matches(one) for one in message.attempts)
        ]
        self._cut = self._cut or len(messages) > MAX_MESSAGES
        return Found(tuple(messages[-MAX_MESSAGES:]), counts, cut=self._cut)

    def _wanted(self, terms: tuple[str, ...]) -> tuple[list[Attempt], LogCounts]:
        counts = LogCounts()
        matching = (one for one in self._attempts(terms, counts) if self._query.matches(one))
        return self._kept(matching, MAX_FOUND), counts

    def _kept(self, attempts: Iterable[Attempt], most: int) -> list[Attempt]:
        """The last ones."""
        kept: dict[int, Attempt] = {}
        for number, attempt in enumerate(attempts):
            kept[number] = attempt
            if len(kept) > most:
                del kept[next(iter(kept))]
                self._cut = True
        return list(kept.values())

    def _attempts(self, terms: tuple[str, ...], counts: LogCounts) -> Iterator[Attempt]:
        for source in self._sources:
            for logged in source.events(terms, counts):
                try:
                    attempt = parse_attempt(logged.fields, logged.where)
                except AttemptError as error:
                    counts.bad(logged.place, str(error))
                    continue
                if self._window.holds(attempt.ended_at):
                    yield attempt


class _Keys:
    """By what the other attempts of some messages are known."""

    def __init__(self, attempts: Sequence[Attempt]) -> None:
        self._content = {key for one in attempts for key in content_keys(one)}
        self._ids = {edge_id(one) for one in attempts}
        self._with_content = _by_sender(one for one in attempts if one.has_content)
        self._without = _by_sender(one for one in attempts if not one.has_content)
        self._texts = {
            text
            for one in attempts
            for text in (one.fingerprint, one.message_id.strip("<>"), one.reverse_path, one.session)
            if text
        }

    def fit(self, attempt: Attempt) -> bool:
        """Whether it may belong to one of them; grouping decides."""
        if edge_id(attempt) in self._ids or any(key in self._content for key in content_keys(attempt)):
            return True
        return _shares(attempt, self._without) or (
            not attempt.has_content and _shares(attempt, self._with_content)
        )

    def terms(self, before: tuple[str, ...]) -> tuple[str, ...]:
        """Texts of which each line of theirs has one; () where that cannot be said."""
        terms = searchable(*before, *sorted(self._texts))
        return terms if before and len(terms) <= MAX_TERMS else ()


def _by_sender(attempts: Iterable[Attempt]) -> Mapping[str, set[frozenset[str]]]:
    senders: dict[str, set[frozenset[str]]] = {}
    for one in attempts:
        if one.reverse_path:
            senders.setdefault(folded(one.reverse_path), set()).add(one.addresses)
    return senders


def _shares(attempt: Attempt, senders: Mapping[str, set[frozenset[str]]]) -> bool:
    """The same sender for a recipient in common."""
    known = senders.get(folded(attempt.reverse_path), ())
    return any(not attempt.addresses.isdisjoint(addresses) for addresses in known)


def _with_doors(attempts: Sequence[Attempt]) -> list[Attempt]:
    """An attempt that nothing was found out about belongs to the door whose log it is in."""
    at_home = {one.where for one in attempts if one.door is Door.HOME}
    return [
        replace(one, door=Door.HOME) if one.where in at_home and not one.has_content else one
        for one in attempts
    ]
