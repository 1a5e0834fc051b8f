"""Short ways to say what SPF and DKIM found, and to ask DMARC for its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mxgw.msgauth.dkim import Claim, DkimVerdict
from mxgw.msgauth.dmarc import DmarcVerdict, discover, evaluate
from mxgw.msgauth.results import Result
from mxgw.msgauth.spf_result import Identity, SpfResult
from mxgw.resolver.answers import Lookup
from tests.rig.zone import Zone


def policies(
    records: Mapping[str, str], *, exist: tuple[str, ...] = (), failing: tuple[str, ...] = ()
) -> Zone:
    """DNS with these policy records, by domain; ``exist`` have an address, ``failing`` no answer."""
    zone = Zone({f"_dmarc.{domain}": {"TXT": [text]} for domain, text in records.items()}, failing=failing)
    for name in exist:
        zone.put(name, {"A": ["192.0.2.1"]})
    return zone


def spf(domain: str, result: Result = Result.PASS, identity: Identity = Identity.MAIL_FROM) -> SpfResult:
    return SpfResult(result, identity, domain)


def dkim(domain: str, result: Result = Result.PASS, *, counts: bool | None = None) -> DkimVerdict:
    claim = Claim(domain, "s", f"@{domain}", "ed25519-sha256", "abcdefgh")
    return DkimVerdict(result, "", claim, 256, (result is Result.PASS) if counts is None else counts, ())


async def judge(
    zone: Lookup | Mapping[str, Any],
    author: str,
    *,
    spf: SpfResult | None = None,
    dkim: tuple[DkimVerdict, ...] = (),
) -> DmarcVerdict:
    lookup = Zone(zone) if isinstance(zone, Mapping) else zone
    return await evaluate(lookup, await discover(lookup, author), spf=spf, dkim=dkim)
