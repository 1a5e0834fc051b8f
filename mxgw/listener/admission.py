"""Who may talk: the PROXY header of a balancer, and the test for clients that talk before the banner.

Sources: the PROXY protocol specification, versions 1 and 2 (parsed by aiosmtpd); RFC 5321 section 4.3.1 (a
client waits for the greeting).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from aiosmtpd.proxy_protocol import PROTO, V2_CMD, ProxyData, get_proxy

from mxgw.listener.settings import MAX_PROXY_HEADER_OCTETS

Address = IPv4Address | IPv6Address

PATIENT_SECONDS = 3600.0
"""How long a client that waited for the banner is believed to be patient again."""

MAX_PATIENT_CLIENTS = 10_000
"""Addresses remembered so; the oldest is forgotten first. About 150 octets each."""


_BEHIND_BALANCERS = tuple(
    ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
"""RFC 1918, RFC 6598: a client of the internet that comes from there came through something that hides it."""


def unmapped(address: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped IPv6 one: RFC 4291 section 2.5.5.2."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def comes_from(address: Address, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Whether a peer at this address is in one of the networks."""
    return any(address.version == network.version and address in network for network in networks)


def is_hidden(address: Address) -> bool:
    """Whether this cannot be the address of a client on the internet; loopback is a person who tries us."""
    return comes_from(address, _BEHIND_BALANCERS)


class _HeaderReader:
    """Gives a header's parser no more than MAX_PROXY_HEADER_OCTETS of the connection."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._left = MAX_PROXY_HEADER_OCTETS

    async def read(self, num_bytes: int | None = None) -> bytes:
        return await self._reader.read(
            self._take(MAX_PROXY_HEADER_OCTETS if num_bytes is None else num_bytes)
        )

    async def readexactly(self, n: int) -> bytes:
        return await self._reader.readexactly(self._take(n))

    async def readuntil(self, until_chars: bytes | None = None) -> bytes:
        return await self._reader.readuntil(until_chars or b"\n")

    def _take(self, octets: int) -> int:
        self._left -= octets
        if self._left < 0:
            raise ConnectionError("the header is longer than we read")
        return octets


async def proxied_peer(reader: asyncio.StreamReader, peer: tuple[Address, int]) -> tuple[Address, int] | None:
    """The client that the balancer ``peer`` speaks for, or None where the header is missing or wrong.

    LOCAL (a health check of the balancer; its address block, if any, is to be ignored) and UNKNOWN mean the
    connection itself: the specification asks to use its real endpoints.
    """
    try:
        header: ProxyData = await get_proxy(_HeaderReader(reader))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    if not header.valid:
        return None
    if header.version == 2 and header.command == V2_CMD.LOCAL:
        return peer
    if header.protocol == PROTO.UNSPEC:
        return peer
    if header.protocol != PROTO.STREAM or not isinstance(header.src_addr, IPv4Address | IPv6Address):
        return None
    return unmapped(header.src_addr), header.src_port or 0


class PatientClients:
    """Addresses that have waited for the banner lately: they are not made to wait again."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[Address, float] = {}

    def __contains__(self, address: object) -> bool:
        return isinstance(address, IPv4Address | IPv6Address) and (
            self._until.get(address, 0.0) > self._clock()
        )

    def add(self, address: Address) -> None:
        """This client has waited."""
        self._until.pop(address, None)
        self._until[address] = self._clock() + PATIENT_SECONDS
        if len(self._until) > MAX_PATIENT_CLIENTS:
            del self._until[next(iter(self._until))]

    def discard(self, address: Address) -> None:
        """This client has talked too early."""
        self._until.pop(address, None)
