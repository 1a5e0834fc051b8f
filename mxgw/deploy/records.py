"""The DNS records that lead mail to the edge. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """One record to be set; ``why`` is a key of the catalogue."""

    name: str
    kind: str
    value: str
    why: str


def records(host: str, addresses: Sequence[str], domains: Sequence[str]) -> list[Record]:
    """In the order in which they are set: the name of the edge first, mail last.

    No AAAA: over dual stack an IPv6 client would reach the edge with the balancer's address. SPF, DKIM and
    DMARC are about mail that is sent, which never leaves by the edge: `mxgw admin domain` has them.
    """
    return [
        *[Record(host, "A", address, "why-address") for address in addresses],
        *[Record(domain, "MX", f"10 {host}.", "why-mx") for domain in domains],
    ]
