"""The DNS tree walk: which policy records stand above a domain, and which domain is its organization's.

Source: RFC 9989 sections 4.10 and 4.10.2. No list of public suffixes is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mxgw.msgauth.dmarc_record import DmarcRecord, Psd, select_record
from mxgw.resolver.answers import Lookup, Status

MAX_LABELS = 7
"""RFC 9989 section 4.10, step 4: a longer name is cut to this after the first question, hence 8 at most."""

_NOTES = {
    Status.TEMPORARY: "DNS did not answer",
    Status.NO_NAME: "no such name",
    Status.NO_DATA: "no text record",
}


@dataclass(frozen=True, slots=True)
class Published:
    """What stands at ``_dmarc.<domain>``; ``note`` says in words why there is no record."""

    domain: str
    status: Status
    record: DmarcRecord | None
    note: str = ""

    def __str__(self) -> str:
        return f"_dmarc.{self.domain}: {self.record.text if self.record else self.note}"


@dataclass(frozen=True, slots=True)
class Walk:
    """``found`` are the names with a record, longest first. ``unanswered`` is the name at which DNS trouble
    ended the walk, "" where nothing did."""

    start: str
    found: tuple[Published, ...]
    unanswered: str = ""

    @property
    def organizational_domain(self) -> str:
        """RFC 9989 section 4.10.2; "" where DNS trouble hides it."""
        return "" if self.unanswered else organizational_domain(self.start, self.found)


class PolicyRecords:
    """The policy records that one message asks for; each name is asked once."""

    def __init__(self, lookup: Lookup, known: Iterable[Published] = ()) -> None:
        self._lookup = lookup
        self._known = {one.domain: one for one in known}

    @property
    def known(self) -> tuple[Published, ...]:
        """All that were asked for."""
        return tuple(self._known.values())

    async def at(self, domain: str) -> Published:
        """What the domain itself publishes."""
        found = self._known.get(domain)
        if found is None:
            found = self._known[domain] = await self._ask(domain)
        return found

    async def walk(self, start: str) -> Walk:
        """RFC 9989 section 4.10. Ends early at psd=y, psd=n and a name that DNS does not answer for."""
        found: list[Published] = []
        for name in walk_targets(start):
            one = await self.at(name)
            if one.status is Status.TEMPORARY:
                return Walk(start, tuple(found), name)
            if one.record is not None:
                found.append(one)
                if one.record.psd is not Psd.UNKNOWN:
                    break
        return Walk(start, tuple(found))

    async def above(self, start: str) -> Walk:
        """What else stands on a walk that DNS trouble ended: from the shortest name down, to the next without
        an answer. So the names that cost seconds come last."""
        found: list[Published] = []
        for name in reversed(walk_targets(start)):
            asked_before = name in self._known
            one = await self.at(name)
            if one.status is Status.TEMPORARY and not asked_before:
                break
            if one.record is not None:
                found.insert(0, one)
        return Walk(start, tuple(found))

    async def _ask(self, domain: str) -> Published:
        answer = await self._lookup.txt(f"_dmarc.{domain}")
        if answer.status is not Status.FOUND:
            return Published(domain, answer.status, None, _NOTES[answer.status])
        record, note = select_record(answer.records)
        return Published(domain, answer.status, record, note)


def walk_targets(start: str) -> list[str]:
    """The names that a walk asks, in their order: 8 at most (RFC 9989 section 4.10, steps 3 to 7)."""
    labels = start.split(".")
    above = min(len(labels) - 1, MAX_LABELS)
    return [start, *(".".join(labels[-count:]) for count in range(above, 0, -1))]


def organizational_domain(start: str, found: Sequence[Published]) -> str:
    """The organizational domain out of a walk that met no trouble (RFC 9989 section 4.10.2)."""
    for one in found:
        psd = one.record and one.record.psd
        if psd is Psd.NO:
            return one.domain
        if psd is Psd.YES and one.domain != start:
            return ".".join(start.split(".")[-(one.domain.count(".") + 2) :])
    return found[-1].domain if found else start
