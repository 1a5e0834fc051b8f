"""``mxgw serve edge``: the SMTP door, the gateway, the relay to home, the instruments."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import Protocol as ProtocolType

from mxgw.authentication import Authentication, Stance
from mxgw.aws import Poll
from mxgw.config import AUTHENTICATION_CHECKS, Address, Check, Config, DomainSource, NullMxPolicy, OnOff, Pem
from mxgw.dialer import DirectDialer, Socks5Dialer
from mxgw.edgeseal import EdgeSealer
from mxgw.envelope import ForwardPath
from mxgw.gateway import Gateway, Rules
from mxgw.limits import SessionLimits
from mxgw.listener.server import Listener
from mxgw.listener.settings import DoorSettings, Protocol
from mxgw.listener.tls import CertificateFiles, Certificates, HeldCertificate, SelfSigned
from mxgw.mixtures import SplitMemory
from mxgw.msgauth.checks import Examiner
from mxgw.observe import EventLog, Instruments, Readings, Snapshot, State
from mxgw.recipients import LiveRecipients
from mxgw.relay import Relay
from mxgw.resolver.resolver import Resolver
from mxgw.resolver.upstream import Upstream
from mxgw.seal import Sealer, forged_fields
from mxgw.service.http import open_http
from mxgw.service.metrics import metric_lines
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
from mxgw.workers import ChildLink, Supervisor


class Frame(ProtocolType):
    """Opens what goes round an open door: the operators' door, or the link to a supervisor."""

    def __call__(self, bound: Address) -> AbstractAsyncContextManager[None]:
        """``bound`` is where the mail door listens."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The parts of an edge process, built and wired, nothing running yet."""

    config: Config
    log: EventLog
    instruments: Instruments
    lifetime: Lifetime
    relay: Relay
    listener: Callable[[asyncio.TaskGroup], Listener]
    polls: tuple[Poll[Any], ...]


def build_edge(config: Config, log: EventLog, *, index: int) -> Edge:
    """Wire the parts by hand. Raises OSError or ssl.SSLError where a certificate cannot be read."""
    certificates = build_certificates(config, log)
    lifetime = Lifetime()
    relay = build_relay(config)
    budget = SpoolBudget(config.max_spool_octets)

    def read() -> Readings:
        return Readings(
            lifetime.state,
            home_reading(relay.status()),
            budget.used,
            log.lines_lost,
            certificates.ends_at,
        )

    instruments = Instruments(clock=time.time, read=read, index=index)
    counters = Counters(log, instruments)
    domains = DomainSource(config.domains, report=lambda text: log.event("config", problem=text))
    asker = (
        LiveRecipients(relay, cache_seconds=config.recipient_cache_seconds, clock=time.monotonic)
        if Check.RECIPIENT in config.checks
        else None
    )
    gateway = Gateway(
        Rules(
            hostname=config.hostname,
            postmaster=config.postmaster or ForwardPath("postmaster", domains.first),
            max_message_octets=config.max_message_octets,
            max_recipients=config.max_recipients,
            max_received=config.max_received,
            spool_dir=config.spool_dir,
            spool_memory_octets=config.spool_memory_octets,
            one_reply_each=False,
        ),
        # Without fingerprints home drops nothing, and nothing is to be kept apart.
        home=InTurn(relay, seconds=config.relay_seconds) if config.seal_key else relay,
        asker=asker,
        domains=domains,
        budget=budget,
        mixtures=SplitMemory(time.monotonic),
        sealer=Sealer(config.seal_key) if config.seal_key else None,
        inspector=build_inspector(config, log),
        forged=forged_fields,
        record=counters.record,
        clock=time.time,
        new_id=transaction_ids(time.time, secrets.randbits(20)),
    )
    settings = DoorSettings(
        protocol=Protocol.SMTP,
        hostname=config.hostname,
        max_message_octets=config.max_message_octets,
        max_recipients=config.max_recipients,
        max_messages_per_session=config.max_messages_per_session,
        max_commands=config.max_commands,
        max_errors=config.max_errors,
        pregreet_seconds=config.pregreet_seconds if Check.PREGREET in config.checks else 0.0,
        proxy_from=config.proxy_from,
    )

    def listener(tasks: asyncio.TaskGroup) -> Listener:
        return Listener(
            settings=settings,
            backend=gateway,
            limits=SessionLimits(
                max_sessions=config.max_sessions, max_sessions_per_network=config.max_sessions_per_client
            ),
            certificates=certificates,
            counts=counters,
            tasks=tasks,
            clock=time.monotonic,
        )

    held = certificates if isinstance(certificates, HeldCertificate) else None
    # A worker that replaces a dead one was forked from what was read at the start, perhaps weeks ago.
    polls = build_polls(config, log, domains, held, first_at_once=config.workers > 1, silent=index > 0)
    return Edge(config, log, instruments, lifetime, relay, listener, polls)


def build_inspector(config: Config, log: EventLog) -> Authentication | None:
    """The checks of who sent a message; None where none of them is wanted."""
    if config.checks.isdisjoint(AUTHENTICATION_CHECKS):
        return None
    authserv_id = config.authserv_id or config.hostname
    return Authentication(
        Examiner(
            Resolver(Upstream(config.dns)),
            checks=config.checks,
            hostname=config.hostname,
            dnsbl_zones=config.dnsbl_zones,
            clock=time.time,
            null_mx=config.null_mx is not NullMxPolicy.OFF,
        ),
        Stance(
            authserv_id=authserv_id,
            own_ids=frozenset({authserv_id, config.hostname}),
            dmarc=config.dmarc,
            dnsbl=config.dnsbl,
            trusted_sealers=frozenset(config.arc_trusted),
            null_mx=config.null_mx,
            received_spf_by=config.hostname if config.received_spf is OnOff.ON else "",
        ),
        sealer=EdgeSealer(config.seal_key) if config.seal_key else None,
        report=lambda fields: log.event("dmarc", **fields),
        clock=time.time,
    )


def build_certificates(config: Config, log: EventLog) -> Certificates:
    """The files or texts that the configuration names, or a self-signed certificate made now."""
    match config.tls_cert, config.tls_key:
        case Path() as certificate, Path() as key:
            return CertificateFiles(
                certificate,
                key,
                clock=time.monotonic,
                complain=lambda text: log.event("tls", problem=text),
            )
        case (Path() | Pem()) as certificate, (Path() | Pem()) as key:
            return HeldCertificate(_text(certificate), _text(key))
        case _:
            return SelfSigned(config.hostname)


def _text(where: Path | Pem) -> str:
    return where.text if isinstance(where, Pem) else where.read_text(encoding="ascii", errors="replace")


def build_relay(config: Config) -> Relay:
    """The way home: direct, or through the SOCKS5 proxy, which then resolves home's name."""
    home, seconds = config.home, config.connect_seconds
    dialer = (
        Socks5Dialer(config.socks5.host, config.socks5.port, home.host, home.port, seconds)
        if config.socks5
        else DirectDialer(home.host, home.port, seconds)
    )
    return Relay(
        dialer,
        hostname=config.hostname,
        connections=config.home_connections,
        max_waiters=config.home_waiters,
        relay_seconds=config.relay_seconds,
    )


async def attend(edge: Edge, *, listen: Address, share_port: bool, frame: Frame) -> None:
    """Run the parts until told to stop, then drain. What ``frame`` opens stays open all the while."""
    config, log, lifetime = edge.config, edge.log, edge.lifetime
    async with asyncio.TaskGroup() as tasks:
        relaying = tasks.create_task(edge.relay.run(), name="relay")
        polling = [tasks.create_task(poll.run(), name=poll.name) for poll in edge.polls]
        listener = edge.listener(tasks)
        bound = Address(*await listener.open(listen.host, listen.port, share_port=share_port))
        lifetime.ready()
        async with frame(bound):
            await lifetime.wait_for_stop()
            await drain(listener, log, drain_seconds=config.drain_seconds)
            for task in (relaying, *polling):
                task.cancel()


def run_edge(config: Config) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    log = EventLog.on_stdout(config.log, os.environ)
    log.capture_logging()
    code = _run_workers(config, log) if config.workers > 1 else _run_alone(config, log)
    log.event("stopped")
    log.close()
    return code


def _run_alone(config: Config, log: EventLog) -> int:
    edge = build_edge(config, log, index=0)

    async def gather() -> Snapshot:
        return edge.instruments.snapshot()

    @asynccontextmanager
    async def frame(bound: Address) -> AsyncIterator[None]:
        # The door is open already; loading the rest may take its time.
        log.event("listening", door="smtp", address=str(bound))
        http = open_http(config, lambda: edge.lifetime.state, gather, log)
        async with http, metric_lines(config, gather, log):
            settle()
            yield

    async def main() -> None:
        edge.lifetime.stop_on_signals()
        await attend(edge, listen=config.listen, share_port=False, frame=frame)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
    return 0


def _run_workers(config: Config, log: EventLog) -> int:
    """Several processes on one port; probes, metrics and the page are answered by the one above them."""

    def child(link: ChildLink) -> int:
        edge = build_edge(config, log, index=link.index)

        @asynccontextmanager
        async def frame(bound: Address) -> AsyncIterator[None]:
            async with link.serving(snapshot=edge.instruments.snapshot, stop=edge.lifetime.stop):
                settle()
                link.ready()
                yield

        async def main() -> None:
            edge.lifetime.stop_on_signals()
            await attend(edge, listen=Address(*link.address), share_port=True, frame=frame)

        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(main())
        log.close()
        return 0

    def front(
        *, state: Callable[[], State], gather: Callable[[], Awaitable[Snapshot]]
    ) -> AbstractAsyncContextManager[None]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[None]:
            async with open_http(config, state, gather, log), metric_lines(config, gather, log):
                yield

        return opened()

    return Supervisor(
        workers=config.workers,
        listen=config.listen,
        door="smtp",
        drain_seconds=config.drain_seconds,
        child=child,
        front=front,
        log=log,
    ).run()
