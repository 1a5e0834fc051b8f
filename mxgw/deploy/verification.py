"""The edge looked at from outside at its new addresses, by the doctor, before any DNS record leads to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from mxgw.admin.dns_check import Level
from mxgw.doctor.edge_facts import EdgeSeen, Visit
from mxgw.doctor.edge_judge import judge_edge
from mxgw.doctor.verdict import Verdict
from mxgw.doctor.visit import Manners, probes_for, see_edge
from mxgw.resolver.answers import Status
from mxgw.resolver.resolver import Resolver
from mxgw.resolver.upstream import LIFETIME_SECONDS, Upstream

Server = tuple[str, int]

TRIES, PAUSE_SECONDS = 12, 10.0
"""A balancer sends mail to a new task after two health checks; its addresses may need two minutes."""

REPLY_SECONDS = 20.0


def verify(
    host: str,
    places: Sequence[Server],
    domains: Sequence[str],
    *,
    visitor: str,
    resolvers: Sequence[Server],
    sleep: Callable[[float], None],
    tries: int = TRIES,
) -> list[Verdict]:
    """What the doctor says of these places as the edge named ``host``; asked again while nobody answers."""
    for left in range(tries - 1, -1, -1):
        seen = asyncio.run(_visit(host, places, domains, visitor, resolvers))
        if not left or not any(visit.broken for visit in seen.visits):
            return judge_edge(seen, datetime.now(UTC))
        sleep(PAUSE_SECONDS)
    return []


async def _visit(
    host: str, places: Sequence[Server], domains: Sequence[str], visitor: str, resolvers: Sequence[Server]
) -> EdgeSeen:
    lookup = Resolver(Upstream(tuple(resolvers), lifetime_seconds=min(LIFETIME_SECONDS, REPLY_SECONDS)))
    manners = Manners(visitor, REPLY_SECONDS)
    visits: list[Visit] = []
    for address, port in places:
        # One balancer is behind all of them: the transactions are tried once.
        probes = () if any(visit.probed for visit in visits) else probes_for(domains)
        seen = await see_edge(lookup, address, port, probes=probes, manners=manners)
        visits += seen.visits
    return EdgeSeen(host, places[0][1], Status.FOUND, tuple(visits))


def failing(verdicts: Sequence[Verdict]) -> int:
    """How many must be mended."""
    return sum(verdict.level is Level.FAILED for verdict in verdicts)
