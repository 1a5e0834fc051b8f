"""``mxgw serve home``: the LMTP door, the content scanner, the relay to the mailbox server, the instruments.

One process: messages for a mailbox are delivered in turn, whichever connection they come on.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mxgw.aws import Poll
from mxgw.config import Address, Check, Config, DomainSource, Role
from mxgw.edgeseal import EdgeSealer
from mxgw.envelope import ForwardPath
from mxgw.gateway import Domains, Gateway, Rules
from mxgw.limits import SessionLimits
from mxgw.listener.server import Listener
from mxgw.listener.settings import DoorSettings, Protocol
from mxgw.mixtures import SplitMemory
from mxgw.observe import EventLog, Instruments, Readings, Snapshot
from mxgw.outcome import Outcome
from mxgw.policy import Reason
from mxgw.recipients import LiveRecipients
from mxgw.relay import Relay
from mxgw.scanner.client import Rspamd
from mxgw.scanner.edgeword import HomeSealer
from mxgw.scanner.inspector import ContentInspector, HomeStance
from mxgw.seal import forged_fields
from mxgw.service.edge import build_relay
from mxgw.service.http import open_http
from mxgw.service.polls import build_polls
from mxgw.service.process import (
    Counters,
    Lifetime,
    drain,
    home_reading,
    new_event_loop,
    settle,
    transaction_ids,
)
from mxgw.spool import SpoolBudget
from mxgw.turns import InTurn

TRACE_OCTETS = 64 * 1024
"""Room for the edge's fields on top of the largest message that it takes."""

_QUESTIONS = frozenset({Reason.CLIENT_LEFT.value, Reason.RECIPIENTS_REFUSED.value})
"""How transactions without content end. The edge asks for recipients in such: one a message, and no message
that went wrong."""

PEER_COMMANDS = 1_000_000_000
"""Commands and refusals that a session may have: the edge keeps its connections, and asks on them for every
recipient that strangers think of."""


@dataclass(frozen=True, slots=True)
class HomeDoor:
    """The parts of the process at home, built and wired, nothing running yet."""

    config: Config
    log: EventLog
    instruments: Instruments
    lifetime: Lifetime
    relay: Relay
    rspamd: Rspamd
    listener: Callable[[asyncio.TaskGroup], Listener]
    polls: tuple[Poll[Any], ...]


def build_home(config: Config, log: EventLog) -> HomeDoor:
    """Wire the parts by hand."""
    lifetime = Lifetime()
    relay = build_relay(config)
    budget = SpoolBudget(config.max_spool_octets)

    def read() -> Readings:
        return Readings(
            lifetime.state,
            home_reading(relay.status()),
            budget.used,
            log.lines_lost,
        )

    instruments = Instruments(clock=time.time, read=read)
    counters = Counters(log, instruments)
    rspamd = Rspamd(
        str(config.rspamd),
        hostname=config.hostname,
        seconds=config.scan_seconds,
        at_a_time=config.max_scans,
    )
    source = (
        DomainSource(config.domains, report=lambda text: log.event("config", problem=text))
        if config.domains.names
        else None
    )
    gateway = _gateway(config, log, relay, rspamd, budget, _record(counters), source)
    settings = DoorSettings(
        protocol=Protocol.LMTP,
        hostname=config.hostname,
        max_message_octets=config.max_message_octets + TRACE_OCTETS,
        max_recipients=config.max_recipients,
        max_messages_per_session=config.max_messages_per_session,
        max_commands=PEER_COMMANDS,
        max_errors=PEER_COMMANDS,
        pregreet_seconds=0.0,
        proxy_from=config.proxy_from,
        only_from=config.edge_from,
        xclient_from=config.edge_from,
    )

    def listener(tasks: asyncio.TaskGroup) -> Listener:
        return Listener(
            settings=settings,
            backend=gateway,
            # All clients are in one network, and ours.
            limits=SessionLimits(
                max_sessions=config.max_sessions, max_sessions_per_network=config.max_sessions
            ),
            certificates=None,
            counts=counters,
            tasks=tasks,
            clock=time.monotonic,
        )

    polls = build_polls(config, log, source, None)
    return HomeDoor(config, log, instruments, lifetime, relay, rspamd, listener, polls)


def _gateway(
    config: Config,
    log: EventLog,
    relay: Relay,
    rspamd: Rspamd,
    budget: SpoolBudget,
    record: Callable[[Outcome], None],
    source: DomainSource | None,
) -> Gateway:
    domains: Domains = _AllDomains()
    postmaster = config.postmaster
    if source:
        domains, postmaster = source, postmaster or ForwardPath("postmaster", source.first)
    if config.seal_key is None:
        problem = "MXGW_SEAL_KEY is not set: nothing that the edge says is believed, and repeats are kept"
        log.event("config", problem=problem)
    inspector = ContentInspector(
        rspamd,
        HomeStance(
            unscanned=config.unscanned,
            authserv_ids=frozenset({config.authserv_id or config.hostname, config.hostname}),
            own=config.edge_from,
        ),
        sealer=EdgeSealer(config.seal_key) if config.seal_key else None,
        clock=time.time,
    )
    asker = LiveRecipients(relay, cache_seconds=config.recipient_cache_seconds, clock=time.monotonic)
    return Gateway(
        Rules(
            hostname=config.hostname,
            postmaster=postmaster or ForwardPath("postmaster", config.hostname),
            max_message_octets=config.max_message_octets + TRACE_OCTETS,
            max_recipients=config.max_recipients,
            max_received=config.max_received,
            spool_dir=config.spool_dir,
            spool_memory_octets=config.spool_memory_octets,
            one_reply_each=True,
        ),
        home=InTurn(relay, seconds=config.relay_seconds),
        asker=asker if Check.RECIPIENT in config.checks else None,
        domains=domains,
        budget=budget,
        mixtures=SplitMemory(time.monotonic),
        sealer=HomeSealer(config.seal_key) if config.seal_key else None,
        inspector=inspector,
        forged=forged_fields,
        record=record,
        clock=time.time,
        new_id=transaction_ids(time.time, secrets.randbits(20)),
    )


def _record(counters: Counters) -> Callable[[Outcome], None]:
    def record(outcome: Outcome) -> None:
        if outcome.octets or outcome.reason not in _QUESTIONS:
            counters.record(outcome)

    return record


class _AllDomains(Domains):
    """Every domain: which ones there are is the mailbox server's business."""

    def current(self) -> frozenset[str]:
        """A set that holds them all."""
        return _EVERYTHING


class _Everything(frozenset[str]):
    def __contains__(self, name: object) -> bool:
        return True


_EVERYTHING = _Everything()


def run_home(config: Config) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    log = EventLog.on_stdout(config.log, os.environ)
    log.capture_logging()
    home = build_home(config, log)

    async def main() -> None:
        home.lifetime.stop_on_signals()
        async with home.rspamd:
            await _attend(home)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
    log.event("stopped")
    log.close()
    return 0


async def _attend(home: HomeDoor) -> None:
    """Run the parts until told to stop, then drain."""
    config, log, lifetime = home.config, home.log, home.lifetime

    async def gather() -> Snapshot:
        return home.instruments.snapshot()

    async with asyncio.TaskGroup() as tasks:
        relaying = tasks.create_task(home.relay.run(), name="relay")
        polling = [tasks.create_task(poll.run(), name=poll.name) for poll in home.polls]
        listener = home.listener(tasks)
        bound = Address(*await listener.open(config.listen.host, config.listen.port, share_port=False))
        lifetime.ready()
        log.event("listening", door="lmtp", address=str(bound))
        async with open_http(config, lambda: lifetime.state, gather, log, role=Role.HOME):
            settle()
            await lifetime.wait_for_stop()
            await drain(listener, log, drain_seconds=config.drain_seconds)
            for task in (relaying, *polling):
                task.cancel()
