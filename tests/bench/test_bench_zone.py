"""The senders' DNS, as a zone file that dnspython reads, and as the checks of mxgw see it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import dns.rdatatype
import dns.zone

from bench.loads import CLIENTS, HELO, SENDER_DOMAIN
from bench.zone import records
from mxgw.load.signing import Algorithm, SigningKey
from mxgw.msgauth.results import Result
from mxgw.msgauth.spf import check_spf
from tests.rig.zone import Zone

KEY = SigningKey.made(SENDER_DOMAIN, Algorithm.RSA)


def zone() -> Zone:
    """The lines of bench.zone, by way of dnspython's reader of zone files."""
    soa = ". 3600 IN SOA ns.invalid. root.invalid. 1 3600 600 86400 3600\n. 3600 IN NS ns.invalid.\n"
    parsed = dns.zone.from_text(soa + "\n".join(records(KEY)), origin=".", relativize=False)
    found = Zone()
    for name, node in parsed.items():
        if str(name) == ".":
            continue
        for rdataset in node:
            kind = dns.rdatatype.to_text(rdataset.rdtype)
            found.put(str(name).removesuffix("."), {kind: [_value(kind, rdata) for rdata in rdataset]})
    return found


def _value(kind: str, rdata: object) -> object:
    match kind:
        case "TXT":
            return list(rdata.strings)  # type: ignore[attr-defined]
        case "MX":
            return (rdata.preference, str(rdata.exchange))  # type: ignore[attr-defined]
        case _:
            return str(rdata)


async def test_each_client_may_send_for_the_domain_and_has_a_name() -> None:
    lookup = zone()
    last = IPv4Network(CLIENTS)[-2]

    spf = await check_spf(lookup, address=last, helo=HELO, mail_from=f"sender@{SENDER_DOMAIN}")
    (name,) = (await lookup.ptr(last)).records
    addresses = (await lookup.a(name)).records

    assert spf.result is Result.PASS
    assert addresses == (last,)


async def test_nobody_else_may_send_for_the_domain() -> None:
    stranger = IPv4Address("192.168.7.7")

    spf = await check_spf(zone(), address=stranger, helo=HELO, mail_from=f"sender@{SENDER_DOMAIN}")

    assert spf.result is Result.FAIL


async def test_the_key_and_the_policy_are_published() -> None:
    lookup = zone()

    assert (await lookup.txt(KEY.record_name)).records == (KEY.record_text.encode(),)
    assert (await lookup.txt(f"_dmarc.{SENDER_DOMAIN}")).records[0].startswith(b"v=DMARC1; p=reject")
