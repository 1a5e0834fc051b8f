"""The reverse name of the client (RFC 8601 sections 2.7.3 and 3)."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from mxgw.msgauth.iprev import MAX_NAMES, IprevResult, check_iprev
from mxgw.msgauth.results import Result
from tests.rig.zone import Zone

ZONE = {
    "192.0.2.1": {"PTR": ["Mail.Example.COM."]},
    "192.0.2.2": {"PTR": ["liar.example.net"]},
    "192.0.2.3": {"PTR": ["liar.example.net", "dead.example.net"]},
    "192.0.2.4": {"PTR": ["dead.example.net", "mail.example.com"]},
    "192.0.2.5": {"PTR": ["nowhere.example.net"]},
    "192.0.2.7": {"A": ["192.0.2.7"]},
    "2001:db8::1": {"PTR": ["mail.example.com"]},
    "mail.example.com": {"A": ["192.0.2.1", "192.0.2.4"], "AAAA": ["2001:db8::1"]},
    "liar.example.net": {"A": ["198.51.100.1"]},
}
FAILING = {"dead.example.net", "PTR 192.0.2.6"}


@pytest.mark.parametrize(
    ("address", "result", "name"),
    [
        ("192.0.2.1", Result.PASS, "mail.example.com"),
        ("192.0.2.2", Result.FAIL, ""),
        ("192.0.2.3", Result.TEMPERROR, ""),
        ("192.0.2.4", Result.PASS, "mail.example.com"),
        ("192.0.2.5", Result.FAIL, ""),
        ("192.0.2.6", Result.TEMPERROR, ""),
        ("192.0.2.7", Result.PERMERROR, ""),
        ("192.0.2.8", Result.PERMERROR, ""),
        ("2001:db8::1", Result.PASS, "mail.example.com"),
        ("::ffff:192.0.2.1", Result.PASS, "mail.example.com"),
    ],
)
async def test_a_client_has_a_name_that_has_its_address_or_not(
    address: str, result: Result, name: str
) -> None:
    found = await check_iprev(Zone(ZONE, failing=FAILING), ip_address(address))

    assert (found.result, found.name) == (result, name)


@pytest.mark.parametrize(("place", "result"), [(MAX_NAMES - 1, Result.PASS), (MAX_NAMES, Result.FAIL)])
async def test_only_so_many_names_are_looked_at(place: int, result: Result) -> None:
    names = [f"n{number}.example.net" for number in range(MAX_NAMES + 5)]
    names[place] = "mail.example.com"
    zone = Zone({"192.0.2.1": {"PTR": names}, "mail.example.com": {"A": ["192.0.2.1"]}})

    found = await check_iprev(zone, ip_address("192.0.2.1"))

    assert found.result is result
    assert len(found.names) == MAX_NAMES
    assert zone.questions == 1 + MAX_NAMES


async def test_the_names_are_told_although_none_is_the_clients() -> None:
    found = await check_iprev(Zone(ZONE), ip_address("192.0.2.2"))

    assert found == IprevResult(Result.FAIL, "", ("liar.example.net",))
