"""Remembers answers until their time to live is over, within a bound of entries and of octets.

Pure: the clock is given to it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple

from mxgw.resolver.answers import Answer, Status

Key = tuple[str, str | IPv4Address | IPv6Address]
"""Type and canonical name; for PTR the address itself, so that a hit need not write its reverse name."""

MAX_ENTRIES = 20_000

MAX_OCTETS = 16 * 1024 * 1024
"""Of records with their overhead: a stranger's zone may hold 64 KiB in one name, and many names."""

LONGEST_SECONDS = 3600.0
"""A mistake in somebody's zone is mended here after an hour at most, as it is in the zone."""

LONGEST_NEGATIVE_SECONDS = 300.0
"""RFC 2308 section 5 allows hours; a record published a moment ago should be found."""

SHORTEST_SECONDS = 5.0
"""Also for a TTL of 0: one message asks for the same record several times over a few seconds, and must not
see two different worlds. RFC 1035 section 3.2.1 wants such a record for "the transaction in progress" only;
the message is the transaction."""

FAILURE_SECONDS = 5.0
"""RFC 2308 section 7 allows five minutes. Long enough to shield a dead server from a burst, short enough
that the sender's next try asks anew."""

ENTRY_OCTETS = 400
RECORD_OCTETS = 120

_ANY = ""


class _Entry(NamedTuple):
    answer: Answer[Any]
    until: float
    octets: int


class Cache:
    """Answers by question; the least recently used go first."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        max_entries: int = MAX_ENTRIES,
        max_octets: int = MAX_OCTETS,
    ) -> None:
        self._clock = clock
        self._max_entries = max_entries
        self._max_octets = max_octets
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self.octets = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Answer[Any] | None:
        """What is known, and still is true."""
        entry = self._entries.get(key)
        if entry is None:
            # RFC 8020: a name that does not exist has no records of any type.
            key = (_ANY, key[1])
            entry = self._entries.get(key)
            if entry is None:
                return None
        if entry.until <= self._clock():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry.answer

    def put(self, key: Key, answer: Answer[Any], ttl_seconds: float) -> None:
        """Remember an answer for its time to live, within our bounds."""
        if answer.status is Status.NO_NAME:
            key = (_ANY, key[1])
        self._drop(key)
        octets = ENTRY_OCTETS + sum(
            RECORD_OCTETS + (len(record) if isinstance(record, bytes) else 0) for record in answer.records
        )
        self._entries[key] = _Entry(answer, self._clock() + _bounded(answer.status, ttl_seconds), octets)
        self.octets += octets
        while len(self._entries) > self._max_entries or self.octets > self._max_octets:
            _, oldest = self._entries.popitem(last=False)
            self.octets -= oldest.octets

    def _drop(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.octets -= entry.octets


def _bounded(status: Status, ttl_seconds: float) -> float:
    match status:
        case Status.FOUND:
            return min(max(ttl_seconds, SHORTEST_SECONDS), LONGEST_SECONDS)
        case Status.NO_NAME | Status.NO_DATA:
            return min(max(ttl_seconds, SHORTEST_SECONDS), LONGEST_NEGATIVE_SECONDS)
        case Status.TEMPORARY:
            return FAILURE_SECONDS
