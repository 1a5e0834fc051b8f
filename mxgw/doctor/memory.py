"""What resolvers still remember that the servers of a zone do not say any more, and for how long.

A resolver keeps an answer for its TTL (RFC 1034 section 4.3.4), and that there was none for the TTL of the
zone's SOA (RFC 2308 section 5): nobody can make it forget.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from mxgw.admin.dns_check import MAX_SHOWN_RECORDS, ServiceLookup
from mxgw.admin.forms import shown
from mxgw.doctor.public_resolvers import Server, resolver_name
from mxgw.resolver.answers import Answer, MailExchanger, ServiceHost, Status
from mxgw.resolver.names import canonical
from mxgw.resolver.upstream import Upstream

ANSWER_SECONDS = 3.0
"""Until a resolver counts as silent: a person waits, and it is asked beside the check, not for it."""

Question = tuple[str, str]
"""Type and name."""

# These names are often served by a network for content, which tells everybody another address.
_CHANGING = ("mta-sts.", "autodiscover.")


@dataclass(frozen=True, slots=True)
class Old:
    """An answer that is not so any more: ``seen`` is empty where the resolver remembers that there is
    nothing. It is forgotten after ``seconds``."""

    kind: str
    name: str
    seen: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one resolver; one that is silent has not ``answered`` anything."""

    resolver: str
    answered: bool
    old: tuple[Old, ...] = ()

    @property
    def seconds(self) -> float:
        """Until all of it is forgotten."""
        return max((it.seconds for it in self.old), default=0.0)


class Noting:
    """A lookup that keeps what it was told in ``answers``."""

    def __init__(self, lookup: ServiceLookup) -> None:
        self._lookup = lookup
        self.answers: dict[Question, Answer[Any]] = {}

    async def txt(self, name: str) -> Answer[bytes]:
        """Text records."""
        return self._noted("TXT", name, await self._lookup.txt(name))

    async def a(self, name: str) -> Answer[IPv4Address]:
        """IPv4 addresses."""
        return self._noted("A", name, await self._lookup.a(name))

    async def aaaa(self, name: str) -> Answer[IPv6Address]:
        """IPv6 addresses."""
        return self._noted("AAAA", name, await self._lookup.aaaa(name))

    async def mx(self, name: str) -> Answer[MailExchanger]:
        """Mail exchangers."""
        return self._noted("MX", name, await self._lookup.mx(name))

    async def srv(self, name: str) -> Answer[ServiceHost]:
        """Servers of a service."""
        return self._noted("SRV", name, await self._lookup.srv(name))

    async def ptr(self, address: IPv4Address | IPv6Address) -> Answer[str]:
        """Names of an address, which are in no zone of ours: not kept."""
        return await self._lookup.ptr(address)

    def _noted(self, kind: str, name: str, answer: Answer[Any]) -> Answer[Any]:
        self.answers[kind, name] = answer
        return answer


async def memories(
    answers: Mapping[Question, Answer[Any]],
    resolvers: Sequence[Server],
    *,
    answer_seconds: float = ANSWER_SECONDS,
) -> list[Memory]:
    """Put every question to each resolver, all at once. ``answers`` is what the servers of the zone say;
    those that they did not give are not asked for."""
    known = {asked: answer for asked, answer in answers.items() if answer.status is not Status.TEMPORARY}
    return list(await asyncio.gather(*[_memory(known, server, answer_seconds) for server in resolvers]))


async def _memory(known: Mapping[Question, Answer[Any]], server: Server, seconds: float) -> Memory:
    upstream = Upstream([server], lifetime_seconds=seconds)
    askable = [(kind, name, asked) for kind, name in known if (asked := canonical(name))]
    told = await asyncio.gather(*[upstream.ask(kind, asked) for kind, _, asked in askable])
    found = [
        (kind, name, it)
        for (kind, name, _), it in zip(askable, told, strict=True)
        if it.answer.status is not Status.TEMPORARY
    ]
    old = tuple(
        Old(kind, name, _texts(it.answer)[:MAX_SHOWN_RECORDS], it.ttl_seconds)
        for kind, name, it in found
        if not _same(name, known[kind, name], it.answer)
    )
    return Memory(resolver_name(server), bool(found), old)


def _same(name: str, now: Answer[Any], told: Answer[Any]) -> bool:
    if now.void or told.void or name.startswith(_CHANGING):
        return now.void == told.void
    return set(map(_compared, now.records)) == set(map(_compared, told.records))


def _compared(record: object) -> object:
    # What is shown of a text is cut; names are the same in capitals.
    return record if isinstance(record, bytes) else _text(record)


def _texts(answer: Answer[Any]) -> tuple[str, ...]:
    return tuple(sorted(_text(record) for record in answer.records))


def _text(record: object) -> str:
    match record:
        case bytes():
            return shown(record.decode("utf-8", "replace"))
        case MailExchanger(preference, host):
            return shown(f"{preference} {host.lower() or '.'}")
        case ServiceHost(priority, weight, port, host):
            return shown(f"{priority} {weight} {port} {host.lower() or '.'}")
        case _:
            return str(record)
