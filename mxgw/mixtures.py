"""Memory of mixed results: who has the message already, and who was refused, per reverse-path.

A sender that retries after "stored for some, refused for others" is led, recipient by recipient, to one
truthful reply each: the stored ones are taken first (home drops the second copy), the refused ones are put
off with 452 until the stored ones are acknowledged; then they come back alone and get their true 5xx.

Pure but for the injected clock; losing it costs one more round of 451, never a message. With several
workers or tasks each has its own: a sender that meets another one starts over there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mxgw.envelope import ForwardPath, ReversePath

HOLD_SECONDS = 6 * 3600
"""Longer than the first retries of common MTAs (minutes to 4 h), shorter than their patience (days)."""

MAX_GROUPS = 10_000
"""Mixed results remembered at once; the oldest is forgotten first. About 1 KB each."""

_Key = tuple[str, str, str]


@dataclass(slots=True, eq=False)
class _Group:
    stored: set[_Key]
    refused: set[_Key]
    expires_at: float


class SplitMemory:
    """Who is to be put off at RCPT, after mixed results. ``clock`` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._groups: dict[_Group, None] = {}
        self._by_stored: dict[_Key, _Group] = {}
        self._by_refused: dict[_Key, _Group] = {}

    def __len__(self) -> int:
        return len(self._groups)

    def remember(
        self, reverse_path: ReversePath, *, stored: Iterable[ForwardPath], refused: Iterable[ForwardPath]
    ) -> None:
        """Home has stored the message for some and refused it for others."""
        group = _Group(
            {_key(reverse_path, path) for path in stored},
            {_key(reverse_path, path) for path in refused},
            self._clock() + HOLD_SECONDS,
        )
        for key in group.stored | group.refused:
            for table in (self._by_stored, self._by_refused):
                if older := table.get(key):
                    self._forget(older)
        self._groups[group] = None
        self._by_stored.update(dict.fromkeys(group.stored, group))
        self._by_refused.update(dict.fromkeys(group.refused, group))
        while len(self._groups) > MAX_GROUPS:
            self._forget(next(iter(self._groups)))

    def puts_off(self, reverse_path: ReversePath, forward_path: ForwardPath) -> bool:
        """Whether this recipient was refused and the stored ones of its group are not acknowledged yet."""
        if not self._groups:
            return False
        group = self._by_refused.get(_key(reverse_path, forward_path))
        if group is None:
            return False
        if group.expires_at <= self._clock():
            self._forget(group)
            return False
        return True

    def acknowledge(self, reverse_path: ReversePath, stored: Iterable[ForwardPath]) -> None:
        """The sender was told 250 for these: when all of a group are, its refused ones may come."""
        if not self._groups:
            return
        for path in stored:
            key = _key(reverse_path, path)
            if group := self._by_stored.get(key):
                group.stored.discard(key)
                del self._by_stored[key]
                if not group.stored:
                    self._forget(group)

    def _forget(self, group: _Group) -> None:
        self._groups.pop(group, None)
        for key in group.stored:
            self._by_stored.pop(key, None)
        for key in group.refused:
            self._by_refused.pop(key, None)


def _key(reverse_path: ReversePath, forward_path: ForwardPath) -> _Key:
    # Local parts are compared exactly, domains without case: RFC 5321 section 2.4.
    return (
        f"{reverse_path.local}@{reverse_path.domain.lower()}",
        forward_path.local,
        forward_path.domain.lower(),
    )
