"""What the canary asks DNS: where its mail goes, and whether the record of its key is there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from mxgw.doctor.authority import Authority, Delegation
from mxgw.resolver.answers import Status
from mxgw.resolver.resolver import Resolver
from mxgw.resolver.upstream import Upstream
from mxgw.watch.canary import Broken, Part
from mxgw.watch.canary_record import KeyRecord, Standing, standing

RECORD_SECONDS: Final = 10.0
"""For the record, by whichever way; the watch has twenty for all that it asks of the canary."""

Servers = Sequence[tuple[str, int]]
"""None: those of the machine."""


def exchangers(domain: str, servers: Servers = ()) -> list[tuple[str, str]]:
    """Name and address of each MX of a domain, the preferred first (RFC 5321 section 5.1). Raises Broken."""
    return asyncio.run(_exchangers(domain, servers))


async def _exchangers(domain: str, servers: Servers) -> list[tuple[str, str]]:
    resolver = Resolver(Upstream(servers))
    answer = await resolver.mx(domain)
    if not answer.records:
        raise Broken(Part.DNS, f"MX of {domain}: {answer.status}")
    found: list[tuple[str, str]] = []
    said = []
    for host in [one.host for one in sorted(answer.records) if one.host]:
        v4 = await resolver.a(host)
        v6 = v4 if v4.records else await resolver.aaaa(host)
        found += [(host, str(address)) for address in v4.records or v6.records]
        said.append(f"{host}: {v4.status}")
    if not found:
        raise Broken(Part.DNS, f"MX of {domain}: {', '.join(said) or 'no mail is taken (RFC 7505)'}")
    return found


def published(record: KeyRecord, servers: Servers = ()) -> Standing:
    """Whether the record is there: at the servers of its own zone, so that no cache has a word in it, where
    no other is named."""
    return asyncio.run(_published(record, servers))


async def _published(record: KeyRecord, servers: Servers) -> Standing:
    upstream = Upstream(servers)
    resolver = Resolver(upstream)
    try:
        async with asyncio.timeout(RECORD_SECONDS):
            if not servers:
                own = Authority(Delegation(resolver, upstream.servers))
                answer = await own.txt(record.name)
                if answer.status is not Status.TEMPORARY:
                    return standing(record, answer)
                # Not every network lets DNS out to any server; the resolver's word is better than none.
            return standing(record, await resolver.txt(record.name))
    except TimeoutError:
        return Standing.UNKNOWN
