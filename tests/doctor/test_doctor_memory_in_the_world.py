"""``domain check`` without an option, in a world of its own: servers of the zone, 1.1.1.1 and 8.8.8.8."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import PROGRAM, environment
from tests.dell.cells import entered
from tests.doctor.doctor_rig import DOMAIN, EDGE, NameServer
from tests.doctor.test_doctor_domain import ADDRESS, GOOD, KEY
from tests.doctor.test_doctor_memory import Broken
from tests.rig.process import find_program, need_root, new_mark
from tests.rig.zone import Zone

OWN, HOUSE = "10.53.0.1", "10.53.0.2"
"""The domain's name server, and the resolver of the house, which finds it."""

ALL = {**GOOD, "ns1.dns.example": {"A": [OWN]}, "s2._domainkey.example.jp": {"TXT": [KEY]}}


@pytest.fixture
def world() -> Iterator[str]:
    """A network namespace whose only way leads to itself, where these addresses are."""
    need_root("Namespaces belong to root")
    ip, name = find_program("ip", package="iproute2"), f"world{new_mark()}"

    def do(*arguments: str) -> None:
        subprocess.run([ip, *arguments], check=True, capture_output=True)

    do("netns", "add", name)
    try:
        do("-n", name, "link", "set", "lo", "up")
        for address in (OWN, HOUSE, "1.1.1.1", "8.8.8.8"):
            do("-n", name, "addr", "add", f"{address}/32", "dev", "lo")
        yield name
    finally:
        do("netns", "del", name)


async def checked(world: str, place: Path, servers: dict[str, Zone]) -> dict[str, Any]:
    """What the command says where each address answers for its zone."""
    (place / "resolv.conf").write_text(f"nameserver {HOUSE}\n")
    ip = find_program("ip", package="iproute2")
    there = (
        f"mount --bind {place / 'resolv.conf'} /etc/resolv.conf && exec {PROGRAM} admin domain check {DOMAIN}"
    )
    settings = {
        "MXGW_DNS": "",
        "MXGW_ADMIN_DB": "",
        "MXGW_ADMIN_MX": EDGE,
        "MXGW_ADMIN_MX_ADDRESSES": ADDRESS,
    }
    async with AsyncExitStack() as running:
        with entered(world):
            for address, zone in servers.items():
                await running.enter_async_context(NameServer(zone, host=address, port=53))
        ended = await asyncio.to_thread(
            subprocess.run,
            [ip, "netns", "exec", world, "sh", "-c", there],
            env=environment(settings),
            capture_output=True,
        )
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


async def test_the_zone_has_the_word_and_public_resolvers_are_compared(world: str, tmp_path: Path) -> None:
    stale = Zone(ALL)
    stale.put(DOMAIN, {"MX": [(1, "aspmx.l.google.com")]})

    # The resolver of the house lags, too, and is not asked about the records.
    told = await checked(
        world, tmp_path, {OWN: Zone(ALL), HOUSE: stale, "1.1.1.1": Zone(ALL), "8.8.8.8": stale}
    )

    assert {it["level"] for it in told["findings"]} == {"ok"}
    cloudflare, google = told["resolvers"]
    assert (cloudflare["resolver"], cloudflare["state"]) == ("1.1.1.1", "current")
    assert (google["resolver"], google["state"]) == ("8.8.8.8", "old")
    assert [(it["type"], it["seen"]) for it in google["old"]] == [("MX", ["1 aspmx.l.google.com"])]


async def test_where_the_zone_cannot_be_asked_nobody_is_called_old(world: str, tmp_path: Path) -> None:
    stale = Zone(ALL)
    stale.put(DOMAIN, {"MX": [(1, "aspmx.l.google.com")]})

    told = await checked(
        world, tmp_path, {OWN: Broken(), HOUSE: Zone(ALL), "1.1.1.1": Zone(ALL), "8.8.8.8": stale}
    )

    assert {it["level"] for it in told["findings"]} == {"ok"}
    assert told["resolvers"] == []
