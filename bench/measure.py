"""One measurement: start sink and gateway, warm up, send, count, end."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from bench.accounting import Account, busy_seconds, open_account, proportional_megabytes
from bench.gateways import Gateway
from bench.harness import SETTLE_SECONDS as SINK_SECONDS
from bench.harness import Sink, send
from bench.loads import Load, SourceLoad
from bench.processes import Program

SETTLE_SECONDS = 0.3
"""After the last delivery: closing connections and the last log lines belong to the work."""
MEMORY_SECONDS = 0.25
WARM_UP_OCTETS = 10_240
QUEUE_SECONDS = 90.0
"""How long a gateway with a queue may take to empty it."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A load by its name, with the messages that go before it unmeasured."""

    name: str
    title: str
    load: Load
    warm_up: int

    def scaled(self, factor: float) -> Workload:
        whole = max(self.load.sessions, round(self.load.messages * factor))
        warm_up = max(min(2 * self.load.sessions, self.warm_up), round(self.warm_up * min(1.0, factor)))
        return replace(self, load=self.load.with_messages(whole), warm_up=warm_up)

    def for_gateway(self, gateway: Gateway) -> Workload:
        own = self
        if gateway.max_sessions is not None and gateway.max_sessions < self.load.sessions:
            own = replace(self, load=self.load.with_sessions(gateway.max_sessions))
        return own.scaled(gateway.share)


WORKLOADS = (
    Workload(
        "a20", "10 KB, one message per connection, 20 sessions", SourceLoad(20, 10_240, False, 2500), 200
    ),
    Workload("b20", "10 KB, kept connections, 20 sessions", SourceLoad(20, 10_240, True, 4000), 200),
    Workload(
        "d4", "25 MiB, one message per connection, 4 sessions", SourceLoad(4, 26_214_400, False, 12), 40
    ),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run showed. ``complaint`` says what went wrong; "" if nothing did."""

    gateway: str
    workload: str
    round: int
    sent: int
    delivered: int
    octets: int
    seconds: float
    cpu_seconds: float
    system_seconds: float
    peak_pss_megabytes: float
    elsewhere: float
    """Share of the machine's CPU that neither gateway nor harness used: the neighbours."""
    accounting: str
    complaint: str
    delivered_seconds: float = 0.0
    """Until the last message was at the next hop."""
    harness_cpu_seconds: float = 0.0
    """Of the sender and the sink."""
    sender_cpu_seconds: float = 0.0
    latency_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def sender_cpu_ms(self) -> float:
        return 1000 * self.sender_cpu_seconds / self.sent

    @property
    def whole(self) -> bool:
        """Every message arrived, once."""
        return self.delivered == self.sent and not self.complaint

    @property
    def cpu_ms(self) -> float:
        return 1000 * self.cpu_seconds / self.sent

    @property
    def system_share(self) -> float:
        return self.system_seconds / self.cpu_seconds if self.cpu_seconds else 0.0

    @property
    def messages_per_second(self) -> float:
        """Accepted ones."""
        return self.sent / self.seconds

    @property
    def delivered_per_second(self) -> float:
        """Those that reached the next hop, until the last one did."""
        return self.delivered / (self.delivered_seconds or self.seconds)

    @property
    def megabytes_per_second(self) -> float:
        return self.delivered_per_second * self.octets / 1e6

    @property
    def words(self) -> str:
        """One line for who watches."""
        counts = f"{self.delivered}/{self.sent} {self.complaint}"
        return (
            f"round {self.round + 1} {self.workload:12} {self.gateway:16} {self.cpu_ms:8.3f} CPU-ms/message "
            f"{self.delivered_per_second:8.1f} messages/s  {counts}"
        )

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {
            "cpu_ms_per_message": self.cpu_ms,
            "delivered_per_second": self.delivered_per_second,
            "messages_per_second": self.messages_per_second,
        }


class _MemoryWatch(threading.Thread):
    """Looks at the group's memory while the load runs and keeps the highest figure."""

    def __init__(self, account: Account) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self._account = account
        self._stop_event = threading.Event()

    def run(self) -> None:
        while not self._stop_event.wait(MEMORY_SECONDS):
            self._look()

    def finish(self) -> float:
        self._stop_event.set()
        self.join()
        self._look()
        return self.peak

    def _look(self) -> None:
        self.peak = max(self.peak, proportional_megabytes(self._account.pids()))


def measure(
    gateway: Gateway,
    workload: Workload,
    *,
    round_number: int = 0,
    method: str | None = None,
    prepared: Callable[[Program], None] | None = None,
    beside: Callable[[Program], None] | None = None,
) -> Sample:
    """One run. ``prepared`` is called when the gateway is warm, ``beside`` while the load runs."""
    with tempfile.TemporaryDirectory(prefix="mxgw-bench-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)  # Postfix's own user walks through it
        harness = open_account("harness", method=method)
        subject = open_account("gateway", method=method)
        sink: Sink | None = None
        program: Program | None = None
        try:
            sink = gateway.sink(account=harness, directory=directory)
            program, port = gateway.start(sink_port=sink.port, account=subject, directory=directory)
            return _run(
                gateway,
                workload,
                round_number=round_number,
                sink=sink,
                port=port,
                harness=harness,
                subject=subject,
                prepared=(lambda: prepared(program)) if prepared else None,
                beside=(lambda: beside(program)) if beside else None,
            )
        finally:
            if program is not None:
                program.stop()
            if sink is not None:
                sink.stop()
            gateway.close()
            subject.close()
            harness.close()


def _run(
    gateway: Gateway,
    workload: Workload,
    *,
    round_number: int,
    sink: Sink,
    port: int,
    harness: Account,
    subject: Account,
    prepared: Callable[[], None] | None,
    beside: Callable[[], None] | None,
) -> Sample:
    load = workload.load
    patience = QUEUE_SECONDS if gateway.queues else SINK_SECONDS
    warm_up = load.with_messages(workload.warm_up, octets=min(load.octets, WARM_UP_OCTETS))
    warmed = send(warm_up, port=port, account=harness, prefix=gateway.load_prefix)
    before = sink.settle(warm_up.messages if warmed.accepted is None else warmed.accepted, patience=patience)
    if prepared is not None:
        prepared()
    watch = _MemoryWatch(subject)
    watch.start()
    companion = threading.Thread(target=beside) if beside is not None else None
    if companion is not None:
        companion.start()
    cpu, harness_cpu, busy, own = subject.cpu(), harness.cpu(), busy_seconds(), time.process_time()
    started = time.perf_counter()
    result = send(load, port=port, account=harness, prefix=gateway.load_prefix)
    sent_at = time.perf_counter()
    delivered = (
        sink.settle(
            before + (load.messages if result.accepted is None else result.accepted), patience=patience
        )
        - before
    )
    emptied = time.perf_counter() - sent_at
    time.sleep(SETTLE_SECONDS)
    passed = time.perf_counter() - started
    cpu, harness_cpu = subject.cpu() - cpu, harness.cpu() - harness_cpu
    others = busy_seconds() - busy - cpu.total - harness_cpu.total - (time.process_time() - own)
    if companion is not None:
        companion.join()
    return Sample(
        gateway=gateway.name,
        workload=workload.name,
        round=round_number,
        sent=load.messages,
        delivered=delivered,
        octets=load.octets,
        seconds=result.seconds,
        cpu_seconds=cpu.total,
        system_seconds=cpu.system,
        peak_pss_megabytes=watch.finish(),
        elsewhere=max(0.0, others / passed / (os.cpu_count() or 1)),
        accounting=subject.method,
        complaint=warmed.complaint or result.complaint,
        delivered_seconds=result.seconds + emptied,
        harness_cpu_seconds=harness_cpu.total,
        sender_cpu_seconds=result.cpu_seconds,
        latency_ms=result.latency_ms,
    )
