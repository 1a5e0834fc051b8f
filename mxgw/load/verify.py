"""The comparison: what was acknowledged against what is stored. Pure; the sources are given.

Keyed by id and recipient. Some 20 octets are kept of each entry and of each copy, whatever their ids and
addresses look like, so that millions fit: they lie in PARTITIONS flat arrays, which are compared one after
another. Names are not kept: what has to be listed is looked up by reading the sources again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

from mxgw.load.ledger import Entry, State

PARTITIONS = 256
"""By the first octet of the key: a partition of ten million entries is a dict of forty thousand."""

MAX_REMEMBERED = 10_000
"""Keys kept for each finding: of more than that, those listed are some, not the first."""

MAX_OTHER_RUNS = 100
"""Runs that are counted by name; a mailbox of years may hold thousands."""

_KEY_OCTETS = 12  # among ten million, two keys are the same with a probability of 10**-15
_HASH_OCTETS = 8
_NO_HASH = bytes(_HASH_OCTETS)
_COPY_OCTETS = _KEY_OCTETS + _HASH_OCTETS
_ENTRY_OCTETS = _COPY_OCTETS + 1
_BITS = {State.ACKNOWLEDGED: 1, State.REFUSED: 2, State.DEFERRED: 4, State.UNKNOWN: 8}


class Copy(NamedTuple):
    """One stored copy. ``id`` is "" where the message has none of ours; ``hash`` "" where it is not known."""

    id: str
    recipient: str
    hash: str


class Finding(StrEnum):
    """What is told of a message and a recipient. Those of WRONG must not be."""

    LOST = "lost"
    ALTERED = "altered"
    DUPLICATED = "duplicated"
    STORED_THOUGH_UNKNOWN = "stored-though-unknown"
    STORED_THOUGH_DEFERRED = "stored-though-deferred"
    STORED_THOUGH_REFUSED = "stored-though-refused"
    NOT_IN_LEDGER = "not-in-ledger"


WRONG = (Finding.LOST, Finding.ALTERED, Finding.DUPLICATED)

MEANINGS = {
    Finding.LOST: "acknowledged, and not stored",
    Finding.ALTERED: "a stored body is not the one that was sent",
    Finding.DUPLICATED: "stored more than once",
    Finding.STORED_THOUGH_UNKNOWN: "no reply came; sending again settles it",
    Finding.STORED_THOUGH_DEFERRED: "4xx came; sending again settles it",
    Finding.STORED_THOUGH_REFUSED: "5xx came, and yet it is there",
    Finding.NOT_IN_LEDGER: "of a run in the ledgers, never put down: a sender was killed",
}

Listed: TypeAlias = tuple[str, str]
"""Id and recipient."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result. ``sent``, ``acknowledged`` and all counts are of pairs of message and recipient.

    ``twice_for_want_of_a_reply``: of the duplicated, those that were sent again because an attempt got no
    2xx. ``other_runs`` counts copies by the run that they belong to; "" stands for the runs beyond
    MAX_OTHER_RUNS. ``elsewhere`` are entries and copies for recipients that were not asked about.
    """

    sent: int
    acknowledged: int
    copies: int
    counts: Counter[Finding]
    twice_for_want_of_a_reply: int
    other_runs: Counter[str]
    without_id: int
    elsewhere: int
    listed: dict[Finding, list[Listed]]

    @property
    def wrong(self) -> list[Finding]:
        """What must not be and is; none means that all is well."""
        return [finding for finding in WRONG if self.counts[finding]]


def compare(
    sent: Callable[[], Iterable[Entry]],
    stored: Callable[[], Iterable[Copy]],
    *,
    recipients: frozenset[str] = frozenset(),
    listed: int = 10,
) -> Verdict:
    """Compare. ``sent`` and ``stored`` may be called twice: the second time for the names of findings.

    Only ``recipients`` are looked at, all where there are none. Up to ``listed`` of each finding are named,
    in the order of the sources.
    """
    index = _Index(frozenset(_same(one) for one in recipients))
    for entry in sent():
        index.add_entry(entry)
    for copy in stored():
        index.add_copy(copy)
    findings = _Findings()
    for partition in range(PARTITIONS):
        findings.look(index.entries[partition], index.copies[partition])
    names = _names(findings.keys, sent, stored, listed)
    return Verdict(
        sent=findings.sent,
        acknowledged=findings.acknowledged,
        copies=findings.copies,
        counts=findings.counts,
        twice_for_want_of_a_reply=findings.twice_for_want_of_a_reply,
        other_runs=index.other_runs,
        without_id=index.without_id,
        elsewhere=index.elsewhere,
        listed=names,
    )


class _Index:
    """The flat arrays."""

    def __init__(self, recipients: frozenset[str]) -> None:
        self._recipients = recipients
        self._runs: set[str] = set()
        self.entries = [bytearray() for _ in range(PARTITIONS)]
        self.copies = [bytearray() for _ in range(PARTITIONS)]
        self.other_runs: Counter[str] = Counter()
        self.without_id = 0
        self.elsewhere = 0

    def add_entry(self, entry: Entry) -> None:
        if self._recipients and _same(entry.recipient) not in self._recipients:
            self.elsewhere += 1
            return
        self._runs.add(_run(entry.id))
        key = _key(entry.id, entry.recipient)
        array = self.entries[key[0]]
        array += key
        array += _short(entry.hash)
        array.append(_BITS[entry.state])

    def add_copy(self, copy: Copy) -> None:
        if not copy.id:
            self.without_id += 1
        elif self._recipients and _same(copy.recipient) not in self._recipients:
            self.elsewhere += 1
        elif (run := _run(copy.id)) not in self._runs:
            known = run in self.other_runs or len(self.other_runs) < MAX_OTHER_RUNS
            self.other_runs[run if known else ""] += 1
        else:
            key = _key(copy.id, copy.recipient)
            array = self.copies[key[0]]
            array += key
            array += _short(copy.hash)


@dataclass(slots=True)
class _Findings:
    """Counts over the partitions so far."""

    sent: int = 0
    acknowledged: int = 0
    copies: int = 0
    twice_for_want_of_a_reply: int = 0
    counts: Counter[Finding] = field(default_factory=Counter)
    keys: dict[Finding, set[bytes]] = field(default_factory=lambda: {one: set() for one in Finding})

    def look(self, entries: bytearray, copies: bytearray) -> None:
        """Compare one partition."""
        states: dict[bytes, int] = {}
        hashes: dict[bytes, bytes] = {}
        for record in _records(entries, _ENTRY_OCTETS):
            key = record[:_KEY_OCTETS]
            states[key] = states.get(key, 0) | record[-1]
            if record[_KEY_OCTETS:-1] != _NO_HASH:
                hashes[key] = record[_KEY_OCTETS:-1]
        times: Counter[bytes] = Counter()
        altered: set[bytes] = set()
        for record in _records(copies, _COPY_OCTETS):
            self.copies += 1
            key, body = record[:_KEY_OCTETS], record[_KEY_OCTETS:]
            if key not in states:
                self._note(Finding.NOT_IN_LEDGER, key)
                continue
            times[key] += 1
            if body != _NO_HASH and hashes.get(key, body) != body:
                altered.add(key)
        for key in altered:
            self._note(Finding.ALTERED, key)
        for key, bits in states.items():
            self._judge(key, bits, times[key])

    def _judge(self, key: bytes, bits: int, times: int) -> None:
        self.sent += 1
        acknowledged = bool(bits & _BITS[State.ACKNOWLEDGED])
        self.acknowledged += acknowledged
        if acknowledged and not times:
            self._note(Finding.LOST, key)
        if times > 1:
            self._note(Finding.DUPLICATED, key)
            self.twice_for_want_of_a_reply += bits != _BITS[State.ACKNOWLEDGED]
        if times and not acknowledged:
            # Of several attempts, the one that says least counts: any of them may have stored it.
            if bits & _BITS[State.UNKNOWN]:
                self._note(Finding.STORED_THOUGH_UNKNOWN, key)
            elif bits & _BITS[State.DEFERRED]:
                self._note(Finding.STORED_THOUGH_DEFERRED, key)
            else:
                self._note(Finding.STORED_THOUGH_REFUSED, key)

    def _note(self, finding: Finding, key: bytes) -> None:
        self.counts[finding] += 1
        if len(self.keys[finding]) < MAX_REMEMBERED:
            self.keys[finding].add(key)


def _names(
    keys: dict[Finding, set[bytes]],
    sent: Callable[[], Iterable[Entry]],
    stored: Callable[[], Iterable[Copy]],
    most: int,
) -> dict[Finding, list[Listed]]:
    """Read the sources again, as far as there is anything to name."""
    wanted = {finding: set(found) for finding, found in keys.items() if found and most}
    names: dict[Finding, list[Listed]] = {finding: [] for finding in wanted}
    missing_in_ledger = wanted.pop(Finding.NOT_IN_LEDGER, None)
    if wanted:
        _look_up(wanted, names, sent(), most)
    if missing_in_ledger:
        _look_up({Finding.NOT_IN_LEDGER: missing_in_ledger}, names, stored(), most)
    return names


def _look_up(
    wanted: dict[Finding, set[bytes]],
    names: dict[Finding, list[Listed]],
    source: Iterable[Entry] | Iterable[Copy],
    most: int,
) -> None:
    for one in source:
        key = _key(one.id, one.recipient)
        for finding in [finding for finding, keys in wanted.items() if key in keys]:
            names[finding].append((one.id, one.recipient))
            wanted[finding].discard(key)
            if len(names[finding]) >= most or not wanted[finding]:
                del wanted[finding]
        if not wanted:
            return


def _records(array: bytearray, octets: int) -> Iterator[bytes]:
    for place in range(0, len(array), octets):
        yield bytes(array[place : place + octets])


def _key(identity: str, recipient: str) -> bytes:
    text = f"{identity}\0{_same(recipient)}"
    return blake2b(text.encode(errors="surrogatepass"), digest_size=_KEY_OCTETS).digest()


def _short(body_hash: str) -> bytes:
    if not body_hash:
        return _NO_HASH
    return blake2b(body_hash.encode(errors="surrogatepass"), digest_size=_HASH_OCTETS).digest()


def _same(recipient: str) -> str:
    """Mailbox servers fold the case of addresses, and say the folded form in what they add."""
    return recipient.lower()


def _run(identity: str) -> str:
    """``<run>-<worker>-<number>``."""
    return identity.rsplit("-", 2)[0]
