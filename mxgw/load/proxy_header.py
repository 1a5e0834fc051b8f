"""PROXY protocol, version 2: the client that we pretend to be (haproxy, proxy-protocol.txt section 2.2)."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_VERSION_2_PROXY = 0x21
_TCP_OVER_IPV4, _TCP_OVER_IPV6 = 0x11, 0x21

# Where the server is, if its own address is of the other family: RFC 5737 and RFC 3849, for documentation.
_SERVERS = {4: ip_address("192.0.2.25"), 6: ip_address("2001:db8::25")}
_EPHEMERAL_PORTS = (32768, 60999)


def proxy_headers(
    network: IPv4Network | IPv6Network, *, server: str, port: int, dice: random.Random
) -> Iterator[bytes]:
    """Headers of clients at random addresses of the network, without end."""
    own = ip_address(server.partition("%")[0])
    destination = own if own.version == network.version else _SERVERS[network.version]
    family = _TCP_OVER_IPV4 if network.version == 4 else _TCP_OVER_IPV6
    # First and last are no hosts where there are others.
    least, most = (
        (1, network.num_addresses - 2) if network.num_addresses > 2 else (0, network.num_addresses - 1)
    )
    while True:
        source = network[dice.randint(least, most)]
        addresses = source.packed + destination.packed
        ports = struct.pack("!HH", dice.randint(*_EPHEMERAL_PORTS), port)
        head = struct.pack("!12sBBH", _SIGNATURE, _VERSION_2_PROXY, family, len(addresses) + len(ports))
        yield head + addresses + ports
