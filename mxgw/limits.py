"""Sessions at once, in all and per client network. Pure bookkeeping: the listener asks, and says it back."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

IPV4_NETWORK_BITS = 24
"""One customer's or one bot farm's usual slice; single addresses are cheap to change."""

IPV6_NETWORK_BITS = 64
"""One subnet: RFC 4291 section 2.5.1; any host in it can use any of its addresses."""


class Excess(StrEnum):
    """Which limit a new session would break."""

    TOO_MANY_SESSIONS = "too-many-sessions"
    TOO_MANY_FROM_NETWORK = "too-many-from-network"


class SessionLimits:
    """Counts open sessions. ``enter`` admits or says which limit is full; ``leave`` gives the place back."""

    def __init__(self, *, max_sessions: int, max_sessions_per_network: int) -> None:
        self._max_sessions = max_sessions
        self._max_per_network = max_sessions_per_network
        self._open = 0
        self._per_network: Counter[int] = Counter()

    @property
    def open(self) -> int:
        """Sessions admitted and not left."""
        return self._open

    def enter(self, address: IPv4Address | IPv6Address) -> Excess | None:
        """Admit a session from this address, or say why not."""
        if self._open >= self._max_sessions:
            return Excess.TOO_MANY_SESSIONS
        network = _network(address)
        if self._per_network[network] >= self._max_per_network:
            return Excess.TOO_MANY_FROM_NETWORK
        self._open += 1
        self._per_network[network] += 1
        return None

    def leave(self, address: IPv4Address | IPv6Address) -> None:
        """A session that was admitted from this address is over."""
        network = _network(address)
        self._open -= 1
        self._per_network[network] -= 1
        if self._per_network[network] <= 0:
            del self._per_network[network]


def _network(address: IPv4Address | IPv6Address) -> int:
    # IPv6 networks are negative numbers, so that the two families never share a key.
    if isinstance(address, IPv4Address):
        return int(address) >> (address.max_prefixlen - IPV4_NETWORK_BITS)
    return ~(int(address) >> (address.max_prefixlen - IPV6_NETWORK_BITS))
