"""One run of the doctor: gathers all facts, then has them judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from mxgw.doctor.authority import Delegation, FixedServers
from mxgw.doctor.domain_judge import SPREADING, judge_domain, with_time
from mxgw.doctor.edge_judge import judge_edge
from mxgw.doctor.memory import Noting, memories
from mxgw.doctor.public_resolvers import Server, resolver_name
from mxgw.doctor.survey import Source, Wanted, authorities, survey
from mxgw.doctor.verdict import Verdict
from mxgw.doctor.visit import Manners, probes_for, see_edge
from mxgw.resolver.resolver import Resolver
from mxgw.resolver.upstream import DNS_PORT, LIFETIME_SECONDS, Upstream


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be looked at, and who is asked.

    ``edge`` is host and port, or None. ``own_servers`` stand in for the servers that the domains are
    delegated to; where there are none these are found, listening at ``own_port``. ``content`` is delivered
    to ``send_to`` where that is not "".
    """

    edge: Server | None
    domains: tuple[Wanted, ...]
    resolvers: tuple[Server, ...]
    manners: Manners
    own_servers: tuple[Server, ...] = ()
    own_port: int = DNS_PORT
    send_to: str = ""
    content: bytes = b""


async def examine(request: Request, now: datetime) -> list[Verdict]:
    """The edge first, then each domain."""
    seconds = min(LIFETIME_SECONDS, request.manners.reply_seconds)
    upstream = partial(Upstream, lifetime_seconds=seconds)
    lookup = Resolver(upstream(request.resolvers))
    verdicts: list[Verdict] = []
    if request.edge is not None:
        names = [wanted.domain for wanted in request.domains]
        probes = probes_for(names, send_to=request.send_to, content=request.content)
        seen = await see_edge(lookup, *request.edge, probes=probes, manners=request.manners)
        verdicts += judge_edge(seen, now)
    delegation = (
        FixedServers(request.own_servers)
        if request.own_servers
        else Delegation(lookup, request.resolvers, port=request.own_port, lifetime_seconds=seconds)
    )
    resolvers = [
        Source(resolver_name(server), False, Resolver(upstream([server]))) for server in request.resolvers
    ]
    for wanted in request.domains:
        own = await authorities(delegation, wanted.domain, lifetime_seconds=seconds)
        noted = [Noting(source.lookup) for source in own[:1]]
        first = [source._replace(lookup=noting) for source, noting in zip(own, noted, strict=False)]
        judged = judge_domain(await survey(wanted, [*first, *own[1:], *resolvers]))
        if noted and any(verdict.key == SPREADING for verdict in judged):
            remembered = await memories(noted[0].answers, request.resolvers, answer_seconds=seconds)
            judged = [with_time(verdict, remembered) for verdict in judged]
        verdicts += judged
    return verdicts
