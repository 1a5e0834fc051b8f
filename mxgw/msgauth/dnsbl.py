"""DNS lists of addresses (RFC 5782): is the client on one? A list that is ill costs nobody a message."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from mxgw.resolver.answers import Lookup, Status

ZONE_SECONDS = 2.0
"""A client waits for this before its first reply."""

LISTING = IPv4Network("127.0.0.0/8")
"""RFC 5782 section 2.1: anything else is not an answer of a list, but of whoever has its domain now."""

ERRORS = IPv4Network("127.255.255.0/24")
"""Large lists say here that a question was malformed, came over a public resolver, or came too often."""


class Listing(StrEnum):
    """What a list says of an address."""

    LISTED = "listed"
    NOT_LISTED = "not-listed"
    BROKEN = "broken"
    """It answered with what is no listing: an error code, or an address outside 127.0.0.0/8. Worth an alarm:
    such a list lists nobody, or one day everybody."""

    UNAVAILABLE = "unavailable"
    """It did not answer in time."""


@dataclass(frozen=True, slots=True)
class DnsblResult:
    """One list's word; ``codes`` are the addresses it answered with, in order."""

    zone: str
    listing: Listing
    codes: tuple[IPv4Address, ...] = ()


async def check_dnsbl(
    lookup: Lookup,
    zones: Sequence[str],
    address: IPv4Address | IPv6Address,
    *,
    zone_seconds: float = ZONE_SECONDS,
) -> tuple[DnsblResult, ...]:
    """Ask all lists at the same time; one result per zone, in their order."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    name = question(address)
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(_ask(lookup, name, zone, zone_seconds)) for zone in zones]
    return tuple(task.result() for task in asked)


def question(address: IPv4Address | IPv6Address) -> str:
    """The address as a list has it: octets from behind, or nibbles (RFC 5782 sections 2.1 and 2.4)."""
    return address.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")


async def _ask(lookup: Lookup, name: str, zone: str, seconds: float) -> DnsblResult:
    try:
        async with asyncio.timeout(seconds):
            answer = await lookup.a(f"{name}.{zone}")
    except TimeoutError:
        return DnsblResult(zone, Listing.UNAVAILABLE)
    match answer.status:
        case Status.TEMPORARY:
            return DnsblResult(zone, Listing.UNAVAILABLE)
        case Status.NO_NAME | Status.NO_DATA:
            return DnsblResult(zone, Listing.NOT_LISTED)
        case Status.FOUND:
            codes = tuple(sorted(answer.records))
            sound = all(code in LISTING and code not in ERRORS for code in codes)
            return DnsblResult(zone, Listing.LISTED if sound else Listing.BROKEN, codes)
