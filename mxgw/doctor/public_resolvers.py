"""Resolvers of the internet: whom we ask, and what they are called."""

from __future__ import annotations

from mxgw.resolver.upstream import DNS_PORT

Server = tuple[str, int]
"""Address and port."""

PUBLIC_RESOLVERS: tuple[Server, ...] = (("1.1.1.1", DNS_PORT), ("8.8.8.8", DNS_PORT))
"""Two that many senders use, run by different people."""


def resolver_name(server: Server) -> str:
    """For people: the port where it is not the usual one."""
    address, port = server
    return address if port == DNS_PORT else f"{address}:{port}"
