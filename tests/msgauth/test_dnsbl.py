"""DNS lists: what they say, and what happens when they are ill."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, ip_address
from typing import Any

import pytest

from mxgw.msgauth.dnsbl import DnsblResult, Listing, check_dnsbl, question
from mxgw.resolver.answers import Answer
from tests.rig.zone import Zone

CLIENT = ip_address("192.0.2.99")
NAME = "99.2.0.192.list.example"


@pytest.mark.parametrize(
    ("codes", "listing"),
    [
        (["127.0.0.2"], Listing.LISTED),
        (["127.0.0.10", "127.0.0.4"], Listing.LISTED),
        (["127.255.254.255"], Listing.LISTED),
        (["127.255.255.254"], Listing.BROKEN),
        (["127.0.0.2", "127.255.255.255"], Listing.BROKEN),
        (["203.0.113.80"], Listing.BROKEN),
        (["127.0.0.2", "203.0.113.80"], Listing.BROKEN),
        ([], Listing.NOT_LISTED),
    ],
)
async def test_only_127_8_without_the_error_codes_is_a_listing(codes: list[str], listing: Listing) -> None:
    zone = Zone({NAME: {"A": codes}})

    (found,) = await check_dnsbl(zone, ["list.example"], CLIENT)

    assert found == DnsblResult("list.example", listing, tuple(sorted(IPv4Address(code) for code in codes)))


async def test_a_name_that_a_list_does_not_have_is_not_listed() -> None:
    (found,) = await check_dnsbl(Zone(), ["list.example"], CLIENT)

    assert found.listing is Listing.NOT_LISTED


async def test_each_list_has_its_word_in_the_order_of_the_lists() -> None:
    zone = Zone({NAME: {"A": ["127.0.0.2"]}}, failing={"99.2.0.192.dead.example"})

    found = await check_dnsbl(zone, ["dead.example", "list.example", "other.example"], CLIENT)

    assert [(result.zone, result.listing) for result in found] == [
        ("dead.example", Listing.UNAVAILABLE),
        ("list.example", Listing.LISTED),
        ("other.example", Listing.NOT_LISTED),
    ]


async def test_a_list_that_says_nothing_delays_nobody_for_long() -> None:
    class Half(Zone):
        async def a(self, name: str) -> Answer[Any]:
            if name.endswith("silent.example"):
                await asyncio.Event().wait()
            return await super().a(name)

    found = await check_dnsbl(
        Half({NAME: {"A": ["127.0.0.2"]}}), ["silent.example", "list.example"], CLIENT, zone_seconds=0.05
    )

    assert [result.listing for result in found] == [Listing.UNAVAILABLE, Listing.LISTED]


async def test_without_lists_nothing_is_asked() -> None:
    zone = Zone()

    assert await check_dnsbl(zone, [], CLIENT) == ()
    assert zone.questions == 0


# The IPv6 example is that of RFC 5782 section 2.4.
@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.99", "99.2.0.192"),
        (
            "2001:db8:1:2:3:4:567:89ab",
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2",
        ),
    ],
)
async def test_an_address_is_asked_for_by_its_octets_or_nibbles_from_behind(address: str, name: str) -> None:
    zone = Zone({f"{name}.list.example": {"A": ["127.0.0.2"]}})

    (found,) = await check_dnsbl(zone, ["list.example"], ip_address(address))

    assert question(ip_address(address)) == name
    assert found.listing is Listing.LISTED


async def test_an_ipv4_mapped_client_is_asked_for_as_ipv4() -> None:
    (found,) = await check_dnsbl(
        Zone({NAME: {"A": ["127.0.0.2"]}}), ["list.example"], ip_address("::ffff:192.0.2.99")
    )

    assert found.listing is Listing.LISTED
