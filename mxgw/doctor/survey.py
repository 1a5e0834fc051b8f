"""Asks several DNS servers for everything that a domain publishes about its mail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from mxgw.admin.dns_check import ServiceLookup
from mxgw.admin.dns_records import Exchanger
from mxgw.doctor.authority import Authority, Delegation, FixedServers
from mxgw.doctor.spf_tree import SpfTree, walk_spf
from mxgw.msgauth.results import Result
from mxgw.msgauth.spf import check_spf
from mxgw.resolver.answers import Answer, Lookup, MailExchanger, Status
from mxgw.resolver.budget import BudgetedLookup

MAX_AUTHORITIES = 2
"""Servers of the domain's zone that are asked; a zone has two to four, which copy from each other."""

SURVEY_SECONDS = 60.0
"""For one domain at one server."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a domain should publish: where mail comes in, who sends, which keys, who reads reports.

    ``outbound`` is the sender that SPF must allow: a domain that is included, or an address.
    """

    domain: str
    exchanger: Exchanger
    outbound: str | IPv4Address | IPv6Address
    selectors: tuple[str, ...]
    reports: str


class Source(NamedTuple):
    """Who is asked. ``name`` is for people."""

    name: str
    authoritative: bool
    lookup: ServiceLookup


@dataclass(frozen=True, slots=True)
class Published:
    """What one server says. ``spf_result`` is that of the outbound address, None where it is a domain."""

    mx: Answer[MailExchanger]
    texts: Answer[bytes]
    host_a: Answer[IPv4Address]
    host_aaaa: Answer[IPv6Address]
    dkim: dict[str, Answer[bytes]]
    dmarc: Answer[bytes]
    tls_rpt: Answer[bytes]
    mta_sts: Answer[bytes]
    sts_a: Answer[IPv4Address]
    sts_aaaa: Answer[IPv6Address]
    spf: SpfTree
    spf_result: Result | None = None

    @property
    def silent(self) -> bool:
        """Whether the server said nothing at all."""
        return self.mx.status is self.texts.status is self.dmarc.status is Status.TEMPORARY


@dataclass(frozen=True, slots=True)
class Survey:
    """A domain at every source, in their order; authoritative ones first."""

    wanted: Wanted
    told: tuple[tuple[Source, Published], ...]


async def authorities(
    delegation: Delegation | FixedServers, domain: str, *, lifetime_seconds: float
) -> list[Source]:
    """The servers that the domain's zone is delegated to."""
    found = (await delegation.servers(domain))[:MAX_AUTHORITIES]
    return [
        Source(server.name, True, Authority(delegation, turn=turn, lifetime_seconds=lifetime_seconds))
        for turn, server in enumerate(found)
    ]


async def survey(wanted: Wanted, sources: Sequence[Source]) -> Survey:
    """Ask all of them for all, at the same time."""
    told = await asyncio.gather(*[_ask(source.lookup, wanted) for source in sources])
    return Survey(wanted, tuple(zip(sources, told, strict=True)))


async def _ask(lookup: Lookup, wanted: Wanted) -> Published:
    deadline = asyncio.get_running_loop().time() + SURVEY_SECONDS
    ask = BudgetedLookup(lookup, deadline=deadline)
    domain, host = wanted.domain, wanted.exchanger.host
    async with asyncio.TaskGroup() as group:
        mx = group.create_task(ask.mx(domain))
        texts = group.create_task(ask.txt(domain))
        host_a = group.create_task(ask.a(host))
        host_aaaa = group.create_task(ask.aaaa(host))
        dkim = [group.create_task(ask.txt(f"{one}._domainkey.{domain}")) for one in wanted.selectors]
        dmarc = group.create_task(ask.txt(f"_dmarc.{domain}"))
        tls_rpt = group.create_task(ask.txt(f"_smtp._tls.{domain}"))
        mta_sts = group.create_task(ask.txt(f"_mta-sts.{domain}"))
        sts_a = group.create_task(ask.a(f"mta-sts.{domain}"))
        sts_aaaa = group.create_task(ask.aaaa(f"mta-sts.{domain}"))
        spf = group.create_task(walk_spf(ask, domain))
        result = group.create_task(_allowed(ask, wanted))
    return Published(
        mx.result(),
        texts.result(),
        host_a.result(),
        host_aaaa.result(),
        dict(zip(wanted.selectors, [task.result() for task in dkim], strict=True)),
        dmarc.result(),
        tls_rpt.result(),
        mta_sts.result(),
        sts_a.result(),
        sts_aaaa.result(),
        spf.result(),
        result.result(),
    )


async def _allowed(lookup: Lookup, wanted: Wanted) -> Result | None:
    if isinstance(wanted.outbound, str):
        return None
    sender = f"postmaster@{wanted.domain}"
    return (await check_spf(lookup, address=wanted.outbound, helo=wanted.domain, mail_from=sender)).result
