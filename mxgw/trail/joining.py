"""Which attempts belong to one message: the same fingerprint, or the same Message-ID from the same sender.

The home door names the edge's attempt by its id, so that these two are one attempt, with content or without.
Only where a log has no such id, time decides.

An attempt without content (refused at RCPT, or the client left) has neither. Such attempts are one story
where sender and recipients are the same; and where a message follows from that sender for those recipients,
it is taken for theirs, and marked as a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from mxgw.outcome import Decision
from mxgw.trail.attempt import Attempt, Door, folded

if TYPE_CHECKING:
    from mxgw.trail.filing import Filed

SKEW_SECONDS: Final = 5.0
"""How far the clocks of edge and home may be apart."""

GIVE_UP_SECONDS: Final = 5 * 86_400
"""When senders give up at the latest, as a rule: RFC 5321 section 4.5.4.1 says "at least 4-5 days"."""


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt, and what the home door says of the same attempt. ``guessed``: see the module.

    ``filed`` is what the mailbox server logged of it (mxgw.trail.filing).
    """

    attempt: Attempt
    behind: tuple[Attempt, ...] = ()
    guessed: bool = False
    filed: tuple[Filed, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """The attempts of one message in the order of time, at least one."""

    steps: tuple[Step, ...]

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """All of them, those at the home door among them."""
        return tuple(one for step in self.steps for one in (step.attempt, *step.behind))


def envelope_key(attempt: Attempt) -> tuple[str, frozenset[str]]:
    """Sender and recipients."""
    return folded(attempt.reverse_path), attempt.addresses


def content_keys(attempt: Attempt) -> list[tuple[str, str]]:
    """By what attempts with content are the same message."""
    keys = []
    if attempt.fingerprint:
        keys.append(("fingerprint", attempt.fingerprint))
    if attempt.message_id:
        keys.append((attempt.message_id, folded(attempt.reverse_path)))
    return keys


def joined(attempts: Iterable[Attempt]) -> list[Message]:
    """The messages, in the order of their last attempts. A line that was read twice counts once."""
    once = {replace(one, where=""): one for one in attempts}
    ordered = sorted(once.values(), key=lambda one: (one.ended_at, one.id))
    groups = _grouped(ordered)
    messages = [Message(_steps(group, guessed)) for group, guessed in _attached(groups)]
    return sorted(messages, key=lambda message: message.steps[-1].attempt.ended_at)


def _grouped(attempts: Sequence[Attempt]) -> list[list[Attempt]]:
    """Attempts with a key in common, directly or over others."""
    leader = list(range(len(attempts)))

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    first: dict[object, int] = {}
    for index, attempt in enumerate(attempts):
        keys: list[object] = [*content_keys(attempt)] or [(attempt.door, *envelope_key(attempt))]
        keys.append(edge_id(attempt))
        for key in keys:
            leader[find(index)] = find(first.setdefault(key, index))
    groups: dict[int, list[Attempt]] = {}
    for index, attempt in enumerate(attempts):
        groups.setdefault(find(index), []).append(attempt)
    return list(groups.values())


def _attached(groups: list[list[Attempt]]) -> list[tuple[list[Attempt], frozenset[str]]]:
    """Groups, and the ids of the attempts in them that are there by a guess."""
    by_sender: dict[str, list[tuple[Attempt, int]]] = {}
    for number, group in enumerate(groups):
        for attempt in group:
            if attempt.has_content:
                by_sender.setdefault(folded(attempt.reverse_path), []).append((attempt, number))
    guessed: dict[int, set[str]] = {}
    absorbed: set[int] = set()
    # Those of before: what is attached below comes behind the last one.
    for number, last in enumerate([group[-1] for group in groups]):
        if last.has_content or not _comes_again(last):
            continue
        later = [
            (attempt.ended_at, other)
            for attempt, other in by_sender.get(folded(last.reverse_path), ())
            if attempt.door is last.door
            and 0 <= attempt.ended_at - last.ended_at <= GIVE_UP_SECONDS
            and last.addresses <= attempt.addresses
        ]
        if later:
            _, other = min(later)
            groups[other].extend(groups[number])
            guessed.setdefault(other, set()).update(attempt.id for attempt in groups[number])
            absorbed.add(number)
    return [
        (group, frozenset(guessed.get(number, ())))
        for number, group in enumerate(groups)
        if number not in absorbed
    ]


def edge_id(attempt: Attempt) -> tuple[str, str]:
    """By what the two lines of one attempt are known; at home without a name its own."""
    at_home = attempt.door is Door.HOME
    return ("edge", attempt.session) if at_home and attempt.session else (attempt.door, attempt.id)


def _comes_again(attempt: Attempt) -> bool:
    """A failure report has no sender to tell it from others."""
    return bool(attempt.reverse_path) and attempt.decision in {Decision.DEFER, Decision.ABORTED}


def _steps(group: list[Attempt], guessed: frozenset[str]) -> tuple[Step, ...]:
    group.sort(key=lambda one: (one.ended_at, one.id))
    edge = [one for one in group if one.door is Door.EDGE]
    behind: dict[int, list[Attempt]] = {}
    alone: list[Attempt] = []
    for one in group:
        if one.door is Door.HOME:
            number = _before(edge, one)
            behind.setdefault(number, []).append(one) if number is not None else alone.append(one)
    steps = [
        Step(one, tuple(behind.get(number, ())), one.id in guessed) for number, one in enumerate(edge)
    ] + [Step(one, (), one.id in guessed) for one in alone]
    return tuple(sorted(steps, key=lambda step: step.attempt.ended_at))


def _before(edge: Sequence[Attempt], home: Attempt) -> int | None:
    """The attempt at the edge that this one names, or else in whose time it was made; the nearest, where
    clocks leave a choice."""
    if home.session:
        return next((number for number, one in enumerate(edge) if one.id == home.session), None)
    fitting = [
        (abs(one.ended_at - home.ended_at), number)
        for number, one in enumerate(edge)
        if one.began_at - SKEW_SECONDS <= home.ended_at <= one.ended_at + SKEW_SECONDS
    ]
    return min(fitting)[1] if fitting else None
