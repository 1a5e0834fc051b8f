"""``mxgw demo``: the edge in front of an embedded mailbox, all on loopback. No Dell, no AWS."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mxgw.config import Address, Config, HomeAddress
from mxgw.envelope import ForwardPath, ReversePath
from mxgw.gateway import Gateway, Rules
from mxgw.header import Header
from mxgw.limits import SessionLimits
from mxgw.listener.server import Listener
from mxgw.listener.settings import DoorSettings, Protocol
from mxgw.mailbox import Mailbox
from mxgw.mixtures import SplitMemory
from mxgw.observe import EventLog, Instruments, Snapshot
from mxgw.outcome import HomeAnswer, Outcome
from mxgw.relay import Parcel
from mxgw.service.edge import attend, build_edge
from mxgw.service.http import open_http
from mxgw.service.process import Counters, new_event_loop, transaction_ids
from mxgw.spool import SpoolBudget

DEMO_SEAL_KEY_OCTETS = 32


@dataclass(frozen=True, slots=True)
class DemoAddresses:
    """Where the demo listens, each as host:port."""

    smtp: str
    lmtp: str
    http: str


class MailboxHome:
    """The embedded mailbox as a home: it is always there, and answers for each recipient."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def available(self) -> bool:
        """It is in this process."""
        return True

    async def ask(
        self, reverse_path: ReversePath, forward_paths: Sequence[ForwardPath]
    ) -> tuple[HomeAnswer, ...]:
        """What the mailbox says to each recipient."""
        return tuple(HomeAnswer(self._mailbox.recipient(path)) for path in forward_paths)

    async def deliver(self, parcel: Parcel) -> tuple[HomeAnswer, ...]:
        """Store one copy per recipient."""
        return tuple(
            [
                HomeAnswer(await self._mailbox.store(parcel.reverse_path, path, parcel.chunks()))
                for path in parcel.forward_paths
            ]
        )


def run_demo(config: Config, *, mail_dir: Path, announce: Callable[[DemoAddresses], None]) -> int:
    """Run until SIGTERM or SIGINT; the exit code. ``announce`` is told when all doors are open."""
    log = EventLog.on_stdout(config.log, os.environ)
    log.capture_logging()
    if not config.seal_key:
        # With a key, sending a message again shows that the mailbox keeps one copy.
        config = replace(config, seal_key=secrets.token_bytes(DEMO_SEAL_KEY_OCTETS))

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            home = _mailbox_door(config, mail_dir, log, tasks)
            lmtp = Address(*await home.open("127.0.0.1", 0, share_port=False))
            log.event("listening", door="lmtp", address=str(lmtp))
            edge = build_edge(replace(config, home=HomeAddress(*lmtp)), log, index=0)
            edge.lifetime.stop_on_signals()

            async def gather() -> Snapshot:
                return edge.instruments.snapshot()

            @asynccontextmanager
            async def frame(bound: Address) -> AsyncIterator[None]:
                log.event("listening", door="smtp", address=str(bound))
                async with open_http(config, lambda: edge.lifetime.state, gather, log) as http:
                    announce(DemoAddresses(str(bound), str(lmtp), str(http)))
                    yield

            try:
                await attend(edge, listen=config.listen, share_port=False, frame=frame)
            finally:
                home.close()

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
    log.event("stopped")
    log.close()
    return 0


def _mailbox_door(config: Config, mail_dir: Path, log: EventLog, tasks: asyncio.TaskGroup) -> Listener:
    """An LMTP door with the mailbox behind it: the same engine as the edge, other parts plugged in."""
    home = MailboxHome(Mailbox(mail_dir))
    # The edge tells of each transaction; a second line from the mailbox's door would only confuse.
    counters = Counters(log, Instruments(clock=time.time))

    def silent(outcome: Outcome) -> None:
        pass

    def nothing(header: Header) -> frozenset[str]:
        return frozenset()

    gateway = Gateway(
        Rules(
            hostname=config.hostname,
            postmaster=ForwardPath("postmaster", config.domains.names[0]),
            max_message_octets=config.max_message_octets,
            max_recipients=config.max_recipients,
            max_received=config.max_received,
            spool_dir=config.spool_dir,
            spool_memory_octets=config.spool_memory_octets,
            one_reply_each=True,
        ),
        home=home,
        asker=home,
        domains=_AnyDomain(config.domains.names),
        budget=SpoolBudget(config.max_spool_octets),
        mixtures=SplitMemory(time.monotonic),
        sealer=None,
        inspector=None,
        forged=nothing,
        record=silent,
        clock=time.time,
        new_id=transaction_ids(time.time, secrets.randbits(20)),
    )
    settings = DoorSettings(
        protocol=Protocol.LMTP,
        hostname=config.hostname,
        # Room for the edge's trace fields on top of the largest message it takes.
        max_message_octets=config.max_message_octets + 64 * 1024,
        max_recipients=config.max_recipients,
        max_messages_per_session=config.max_messages_per_session,
        max_commands=config.max_commands,
        max_errors=config.max_errors,
        pregreet_seconds=0.0,
        proxy_from=(),
    )
    return Listener(
        settings=settings,
        backend=gateway,
        limits=SessionLimits(max_sessions=config.max_sessions, max_sessions_per_network=config.max_sessions),
        certificates=None,
        counts=counters,
        tasks=tasks,
        clock=time.monotonic,
    )


class _AnyDomain:
    """The domains of the demo, as the gateway asks for them."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def current(self) -> frozenset[str]:
        """They do not change."""
        return self._names
