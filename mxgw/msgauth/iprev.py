"""iprev: does the client have a name that has the client's address? (RFC 8601 section 3)"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from mxgw.msgauth.results import Result
from mxgw.resolver.answers import Answer, Lookup, Status

MAX_NAMES = 10
"""RFC 8601 section 3 warns of addresses with many names; the number is that of RFC 7208 section 4.6.4."""


@dataclass(frozen=True, slots=True)
class IprevResult:
    """``name`` is the first that was confirmed; ``names`` are all that were looked at, in lower case.

    Words of RFC 8601 section 2.7.3: pass; fail (names, none with this address); permerror (no name);
    temperror (DNS did not say).
    """

    result: Result
    name: str = ""
    names: tuple[str, ...] = ()


async def check_iprev(lookup: Lookup, address: IPv4Address | IPv6Address) -> IprevResult:
    """Look up the names, then their addresses until one is the client's."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    reverse = await lookup.ptr(address)
    if reverse.status is Status.TEMPORARY:
        return IprevResult(Result.TEMPERROR)
    if reverse.void:
        return IprevResult(Result.PERMERROR)
    names = tuple(name.lower().removesuffix(".") for name in reverse.records[:MAX_NAMES])
    result = Result.FAIL
    for name in names:
        forward: Answer[IPv4Address] | Answer[IPv6Address]
        forward = await (lookup.a(name) if isinstance(address, IPv4Address) else lookup.aaaa(name))
        if address in forward.records:
            return IprevResult(Result.PASS, name, names)
        if forward.status is Status.TEMPORARY:
            # The name that we could not ask for may be the right one.
            result = Result.TEMPERROR
    return IprevResult(result, "", names)
