"""Asks the servers that a zone is delegated to, past every cache.

Servers of a zone do not look into other zones: aliases that lead out are followed from zone to zone here.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple, cast

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.NS import NS

from mxgw.resolver.answers import Answer, Lookup, MailExchanger, ServiceHost, Status
from mxgw.resolver.names import canonical
from mxgw.resolver.upstream import DNS_PORT, LIFETIME_SECONDS, QUERY_SECONDS, Upstream

MAX_LABELS = 10
"""Of a name whose zone is looked for; each costs a question."""

MAX_ALIASES = 5
"""SendGrid and Cloudflare need one or two."""

MAX_SERVERS = 4
"""Of one zone; it is asked of the first two."""


class NameServer(NamedTuple):
    """A server of a zone, by its name and one address."""

    name: str
    address: str
    port: int = DNS_PORT


class Delegation:
    """Finds the servers of zones, through a resolver. Remembers what it found; one event loop."""

    def __init__(
        self,
        lookup: Lookup,
        resolvers: Sequence[tuple[str, int]],
        *,
        port: int = DNS_PORT,
        lifetime_seconds: float = LIFETIME_SECONDS,
    ) -> None:
        """``lookup`` knows the servers' addresses; ``resolvers`` are asked for delegations. Servers listen
        at ``port``."""
        self._lookup = lookup
        self._names = _NameAsker(resolvers, lifetime_seconds)
        self._port = port
        self._known: dict[str, list[NameServer]] = {}

    async def servers(self, name: str) -> list[NameServer]:
        """Of the zone that ``name`` is in; none where nobody tells."""
        labels = name.split(".")
        for cut in range(max(0, len(labels) - MAX_LABELS), len(labels)):
            zone = ".".join(labels[cut:])
            if zone not in self._known:
                self._known[zone] = await self._servers_of(zone)
            if self._known[zone]:
                return self._known[zone]
        return []

    async def _servers_of(self, zone: str) -> list[NameServer]:
        found: list[NameServer] = []
        for host in sorted(await self._names.ask("NS", zone))[:MAX_SERVERS]:
            addresses = await self._lookup.a(host)
            found += [NameServer(host, str(address), self._port) for address in addresses.records[:1]]
        return found


class FixedServers:
    """A Delegation to servers that are named by hand, for whatever zone."""

    def __init__(self, servers: Sequence[tuple[str, int]]) -> None:
        self._servers = [NameServer(address, address, port) for address, port in servers]

    async def servers(self, name: str) -> list[NameServer]:
        """Always these."""
        del name
        return self._servers


class Authority:
    """Implements Lookup by asking the ``turn``-th server of each zone."""

    def __init__(
        self,
        delegation: Delegation | FixedServers,
        *,
        turn: int = 0,
        lifetime_seconds: float = LIFETIME_SECONDS,
    ) -> None:
        self._delegation = delegation
        self._turn = turn
        self._lifetime_seconds = lifetime_seconds

    async def txt(self, name: str) -> Answer[bytes]:
        """Text records."""
        return await self._find("TXT", name)

    async def a(self, name: str) -> Answer[IPv4Address]:
        """IPv4 addresses."""
        return await self._find("A", name)

    async def aaaa(self, name: str) -> Answer[IPv6Address]:
        """IPv6 addresses."""
        return await self._find("AAAA", name)

    async def mx(self, name: str) -> Answer[MailExchanger]:
        """Mail exchangers."""
        return await self._find("MX", name)

    async def srv(self, name: str) -> Answer[ServiceHost]:
        """Servers of a service."""
        return await self._find("SRV", name)

    async def ptr(self, address: IPv4Address | IPv6Address) -> Answer[str]:
        """Names of an address."""
        return await self._find("PTR", address.reverse_pointer)

    async def _find(self, kind: str, name: str) -> Answer[Any]:
        asked = canonical(name)
        for hop in range(MAX_ALIASES):
            if asked is None:
                return Answer(Status.NO_NAME)
            servers = await self._delegation.servers(asked)
            if not servers:
                return Answer(Status.TEMPORARY)
            server = servers[self._turn % len(servers)]
            where = (server.address, server.port)
            upstream = Upstream([where], lifetime_seconds=self._lifetime_seconds)
            answer = (await upstream.ask(kind, asked)).answer
            if answer.status is not Status.NO_DATA:
                # An alias to a name that is not there exists itself (RFC 2308 section 2.1).
                nowhere = hop > 0 and answer.status is Status.NO_NAME
                return Answer(Status.NO_DATA) if nowhere else answer
            aliases = await _NameAsker([where], self._lifetime_seconds).ask("CNAME", asked)
            if not aliases:
                return answer
            asked = canonical(aliases[0])
        return Answer(Status.TEMPORARY)


class _NameAsker:
    """Asks for records that are names: delegations and aliases, which no check of a message needs."""

    def __init__(self, servers: Sequence[tuple[str, int]], lifetime_seconds: float) -> None:
        self._resolver = dns.asyncresolver.Resolver(configure=False)
        self._resolver.nameservers = [
            dns.nameserver.Do53Nameserver(address, port) for address, port in servers
        ]
        self._resolver.timeout = min(QUERY_SECONDS, lifetime_seconds)
        self._resolver.lifetime = lifetime_seconds

    async def ask(self, kind: str, name: str) -> list[str]:
        """The names, lower case without final dots; none where there are none, or no answer."""
        question = dns.name.Name([*(label.encode() for label in name.split(".")), b""])
        try:
            answer = await self._resolver.resolve(
                question, dns.rdatatype.from_text(kind), raise_on_no_answer=False, search=False
            )
        except (dns.exception.DNSException, OSError):
            return []
        return [
            cast("NS | CNAME", record).target.to_text(omit_final_dot=True).lower()
            for record in answer.rrset or ()
        ]
