"""The outage clock: which mails wait at their senders, out of the log of the edge. Pure but for reading it.

A mail is known by its content (fingerprint, Message-ID) where that came, else by sender and recipients, else
(refused at MAIL while home was known to be away) by its sender alone: then one stands for all of that sender.
Two passes, so that the order of lines does not matter: who was put off, then what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from mxgw.outcome import Decision
from mxgw.trail.attempt import Attempt, Door, folded
from mxgw.trail.fate import Cause, RecipientFate, State, cause_of, fate_of
from mxgw.trail.joining import GIVE_UP_SECONDS, Message, Step, content_keys

FIRST_GIVE_UP_SECONDS: Final = 4 * 86_400
"""When the least patient sender gives up: RFC 5321 section 4.5.4.1 asks for at least 4-5 days."""

MARGIN_SECONDS: Final = 6 * 3_600
"""A sender's last try may be hours before it gives up, as its pauses grow."""

LOOK_BACK_SECONDS: Final = 10 * 86_400
"""Log that is read: nobody tries for longer, and what was given up is told for some days."""

MAX_MAILS: Final = 20_000
"""Kept at once, some 20 MB: more than a household is sent in a month."""

MAX_RECIPIENTS: Final = 100
"""Kept of one mail."""

OUR_SIDE: Final = frozenset(
    {
        Cause.HOME_AWAY,
        Cause.HOME_SAYS_LATER,
        Cause.NOT_SCANNED,
        Cause.BUSY,
        Cause.OUR_FAULT,
        Cause.SOME_HAVE_IT,
    }
)
"""Why a mail waits that is good as far as we know. Full mailboxes and a sender's DNS are not."""

Reader = Callable[[], Iterable[Attempt]]
"""Reads all attempts; called twice."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One that was put off. ``recipients`` still wait (none may be known), ``arrived`` have it, ``refused``
    were answered for good. Times are Unix time; ``attempts`` counts those that were put off."""

    sender: str
    client: str
    recipients: tuple[str, ...]
    arrived: tuple[str, ...]
    refused: tuple[str, ...]
    first_at: float
    last_at: float
    attempts: int
    said: str
    fingerprint: str = ""
    alone: bool = False
    """Known by its sender only: there may be more than one."""
    ended_at: float = 0.0
    """When the last recipient was answered for good; 0 while one waits."""

    @property
    def gives_up_at(self) -> float:
        """Before this time its sender should have been answered."""
        return self.first_at + FIRST_GIVE_UP_SECONDS - MARGIN_SECONDS


@dataclass(frozen=True, slots=True)
class Waiting:
    """The clock at ``now``. ``away_since`` is the first failure to reach home with no success after it.

    ``lost`` are the mails whose senders have given up by now. ``cut``: there were more than MAX_MAILS.
    """

    now: float
    mails: tuple[Mail, ...]
    lost: tuple[Mail, ...]
    arrived: tuple[Mail, ...]
    away_since: float | None
    cut: bool = False

    @property
    def senders(self) -> int:
        """Different senders of the mails that wait."""
        return len({mail.sender or mail.client for mail in self.mails})

    @property
    def first_gives_up_at(self) -> float | None:
        """When the first sender may give up, less a margin."""
        return min((mail.gives_up_at for mail in self.mails), default=None)


@dataclass(slots=True)
class _Entry:
    sender: str
    client: str
    first_at: float
    last_at: float
    said: str
    fingerprint: str
    keys: list[tuple[str, str]]
    ids: set[str] = field(default_factory=set)
    states: dict[str, tuple[State, float]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    answered_at: float = 0.0
    """Of an entry without recipients: when a mail of its sender was answered."""


def waiting(read: Reader, *, now: float) -> Waiting:
    """The clock, from what ``read`` reads. Attempts after ``now`` or before the look-back are left out."""
    clock = _Clock()

    def attempts() -> Iterable[Attempt]:
        return (
            one for one in read() if one.door is Door.EDGE and now - LOOK_BACK_SECONDS <= one.ended_at <= now
        )

    for attempt in attempts():
        clock.put_off(attempt)
    clock.join()
    for attempt in attempts():
        clock.answered(attempt)
    return clock.view(now)


class _Clock:
    def __init__(self) -> None:
        self._entries: dict[object, _Entry] = {}
        self._by_key: dict[object, _Entry] = {}
        self._by_sender: dict[str, list[_Entry]] = {}
        self._cut = False
        self._last_success = 0.0
        self._failed = False
        self._away_since: float | None = None

    # -- first pass: who was put off ------------------------------------------------------------------------

    def put_off(self, attempt: Attempt) -> None:
        """Take down who was told to come again."""
        causes = [one for one in _fates(attempt) if one.state is State.PUT_OFF and one.cause in OUR_SIDE]
        if attempt.decision is Decision.ACCEPT and not causes:
            self._last_success = max(self._last_success, attempt.ended_at)
        if not causes and not _refused_whole(attempt):
            return
        keys: list[object] = [*content_keys(attempt)]
        if not keys:
            keys = [("envelope", folded(attempt.reverse_path), attempt.helo, attempt.addresses)]
        entry = next((self._by_key[key] for key in keys if key in self._by_key), None)
        if entry is None:
            if len(self._entries) >= MAX_MAILS:
                self._cut = True
                return
            entry = _Entry(
                sender=attempt.reverse_path,
                client=attempt.helo or attempt.client,
                first_at=attempt.ended_at,
                last_at=attempt.ended_at,
                said=attempt.reply,
                fingerprint=attempt.fingerprint,
                keys=content_keys(attempt),
            )
            self._entries[id(entry)] = entry
            self._by_sender.setdefault(folded(attempt.reverse_path), []).append(entry)
        for key in keys:
            self._by_key.setdefault(key, entry)
        _more(entry, attempt)
        for one in causes[:MAX_RECIPIENTS]:
            entry.names.setdefault(folded(one.address), one.address)
            entry.states.setdefault(folded(one.address), (State.PUT_OFF, attempt.ended_at))

    def join(self) -> None:
        """What came without content belongs to a mail of that sender whose content is known."""
        for entries in self._by_sender.values():
            known = [one for one in entries if one.keys]
            for entry in [one for one in entries if not one.keys]:
                better = [one for one in known if set(entry.states) <= set(one.states)] or (
                    known if not entry.states else []
                )
                if better and entry.sender:
                    self._absorb(min(better, key=lambda one: abs(one.first_at - entry.first_at)), entry)
                    entries.remove(entry)
            named = [one for one in entries if one.states]
            for entry in [one for one in entries if not one.keys and not one.states]:
                if named and entry.sender:
                    self._absorb(min(named, key=lambda one: abs(one.first_at - entry.first_at)), entry)
                    entries.remove(entry)

    def _absorb(self, into: _Entry, entry: _Entry) -> None:
        into.first_at = min(into.first_at, entry.first_at)
        into.last_at = max(into.last_at, entry.last_at)
        into.ids |= entry.ids
        del self._entries[id(entry)]

    # -- second pass: what came of it -----------------------------------------------------------------------

    def answered(self, attempt: Attempt) -> None:
        """Tick off whoever is answered for good; call it when ``put_off`` has seen all."""
        if _home_away(attempt):
            self._failed = True
            if attempt.ended_at > self._last_success:
                self._away_since = min(self._away_since or attempt.ended_at, attempt.ended_at)
        final = [one for one in _fates(attempt) if one.state in {State.STORED, State.REFUSED}]
        if not final:
            return
        for entry in self._meant(attempt):
            if attempt.ended_at < entry.first_at:
                continue
            if not entry.states:
                entry.answered_at = max(entry.answered_at, attempt.ended_at)
            for one in final:
                name = folded(one.address)
                before = entry.states.get(name)
                # A recipient that was never put off may be answered in the same attempt; it is no news.
                if before is None or before[0] is State.STORED:
                    continue
                entry.states[name] = (one.state, attempt.ended_at)

    def _meant(self, attempt: Attempt) -> list[_Entry]:
        found = [entry for key in content_keys(attempt) if (entry := self._by_key.get(key)) is not None]
        if found:
            return found[:1]
        # No content was known: the oldest of this sender that fits.
        candidates = [
            one
            for one in self._by_sender.get(folded(attempt.reverse_path), ())
            if not one.keys
            and (not one.states or not attempt.addresses.isdisjoint(one.states))
            and (attempt.reverse_path or one.client == (attempt.helo or attempt.client))
            and not _done(one)
            and one.first_at <= attempt.ended_at
        ]
        return sorted(candidates, key=lambda one: one.first_at)[:1]

    # -- the view ------------------------------------------------------------------------------------------

    def view(self, now: float) -> Waiting:
        """What is known now."""
        mails = sorted((_mail(one) for one in self._entries.values()), key=lambda mail: mail.first_at)
        open_ones = [mail for mail in mails if not mail.ended_at]
        lost = [mail for mail in open_ones if now - mail.first_at > GIVE_UP_SECONDS]
        return Waiting(
            now=now,
            mails=tuple(mail for mail in open_ones if now - mail.first_at <= GIVE_UP_SECONDS),
            lost=tuple(lost),
            arrived=tuple(mail for mail in mails if mail.ended_at),
            away_since=self._away_since,
            cut=self._cut,
        )


def _fates(attempt: Attempt) -> tuple[RecipientFate, ...]:
    return fate_of(Message((Step(attempt),)), now=attempt.ended_at).recipients


def _refused_whole(attempt: Attempt) -> bool:
    """Refused before a recipient was named."""
    return not attempt.recipients and attempt.decision is Decision.DEFER and cause_of(attempt, "") in OUR_SIDE


def _home_away(attempt: Attempt) -> bool:
    if not attempt.recipients:
        return attempt.decision is Decision.DEFER and cause_of(attempt, "") is Cause.HOME_AWAY
    return any(one.cause is Cause.HOME_AWAY for one in _fates(attempt))


def _more(entry: _Entry, attempt: Attempt) -> None:
    entry.ids.add(attempt.id)
    if attempt.ended_at >= entry.last_at:
        entry.last_at, entry.said = attempt.ended_at, attempt.reply
    entry.first_at = min(entry.first_at, attempt.ended_at)


def _done(entry: _Entry) -> bool:
    if not entry.states:
        return bool(entry.answered_at)
    return all(state is not State.PUT_OFF for state, _ in entry.states.values())


def _mail(entry: _Entry) -> Mail:
    def named(state: State) -> tuple[str, ...]:
        return tuple(entry.names[name] for name, (what, _) in entry.states.items() if what is state)

    ended = max((at for _, at in entry.states.values()), default=entry.answered_at)
    return Mail(
        sender=entry.sender,
        client=entry.client,
        recipients=named(State.PUT_OFF),
        arrived=named(State.STORED),
        refused=named(State.REFUSED),
        first_at=entry.first_at,
        last_at=entry.last_at,
        attempts=len(entry.ids),
        said=entry.said,
        fingerprint=entry.fingerprint,
        alone=not entry.states,
        ended_at=ended if _done(entry) else 0.0,
    )
