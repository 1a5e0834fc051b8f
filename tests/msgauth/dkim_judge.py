"""Lets the program judge a whole message as the gateway does: header first, body in chunks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from mxgw.header import parse_header
from mxgw.msgauth.arc import ArcVerdict, verify_chain
from mxgw.msgauth.dkim import DkimPlan, DkimVerdict, verify
from mxgw.msgauth.dkim_keys import KeyRing
from tests.msgauth.dkim_signer import PrivateKey, key_record
from tests.rig.zone import Zone

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY_NAME = "sel._domainkey.example.com"


def zone_of(key: PrivateKey, *, more: str = "", name: str = KEY_NAME) -> Zone:
    """DNS with one key record."""
    return Zone({name: {"TXT": [key_record(key, more=more)]}})


def zone_with(records: Mapping[str, str]) -> Zone:
    """DNS with one TXT record at each name."""
    return Zone({name: {"TXT": [text]} for name, text in records.items()})


async def dkim_verdicts(
    message: bytes,
    zone: Zone,
    *,
    now: datetime = NOW,
    prefer_domains: Iterable[str] = (),
    chunk_octets: int = 1024,
) -> tuple[DkimVerdict, ...]:
    header = parse_header(message)
    plan = DkimPlan.of(header, prefer_domains=prefer_domains)
    hashes = plan.body_hashes()
    for begin in range(header.octets, len(message), chunk_octets):
        hashes.feed(message[begin : begin + chunk_octets])
    return await verify(plan, hashes.finish(), KeyRing(zone), now)


async def dkim_verdict(message: bytes, zone: Zone, *, now: datetime = NOW) -> DkimVerdict:
    """The verdict on the only signature."""
    (verdict,) = await dkim_verdicts(message, zone, now=now)
    return verdict


async def arc_verdict(message: bytes, zone: Zone, *, now: datetime = NOW) -> ArcVerdict:
    header = parse_header(message)
    plan = DkimPlan.of(header)
    hashes = plan.body_hashes()
    hashes.feed(message[header.octets :])
    return await verify_chain(plan.chain, header, hashes.finish(), KeyRing(zone), now)
