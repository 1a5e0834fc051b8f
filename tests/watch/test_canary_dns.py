"""Where the canary's mail goes, as DNS says."""

from __future__ import annotations

import asyncio

import pytest

from mxgw.watch.canary import Broken, Part
from mxgw.watch.canary_dns import exchangers
from tests.rig.zone import Records, Zone, ZoneServer


async def found(names: dict[str, Records]) -> list[tuple[str, str]]:
    async with ZoneServer(Zone(names)) as dns:
        return await asyncio.to_thread(exchangers, "example.jp", [("127.0.0.1", dns.port)])


async def test_the_preferred_one_comes_first() -> None:
    assert await found(
        {
            "example.jp": {"MX": [(20, "b.example.jp"), (10, "a.example.jp")]},
            "a.example.jp": {"A": ["192.0.2.1"]},
            "b.example.jp": {"AAAA": ["2001:db8::1"]},
        }
    ) == [("a.example.jp", "192.0.2.1"), ("b.example.jp", "2001:db8::1")]


async def test_one_that_has_no_address_does_not_hide_another() -> None:
    assert await found(
        {
            "example.jp": {"MX": [(10, "gone.example.jp"), (20, "b.example.jp")]},
            "b.example.jp": {"A": ["192.0.2.1"]},
        }
    ) == [("b.example.jp", "192.0.2.1")]


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ({"x.example": {"A": ["192.0.2.1"]}}, "no-name"),
        ({"example.jp": {"A": ["192.0.2.1"]}}, "no-data"),
        ({"example.jp": {"MX": [(0, ".")]}}, "no mail is taken"),
        ({"example.jp": {"MX": [(10, "gone.example.jp")]}}, "gone.example.jp: no-name"),
    ],
)
async def test_why_there_is_none_is_told(names: dict[str, Records], why: str) -> None:
    with pytest.raises(Broken) as broken:
        await found(names)

    assert broken.value.part is Part.DNS
    assert why in broken.value.why
