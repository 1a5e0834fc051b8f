"""One measurement: start sink and gateway, warm up, send, count, end."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench.accounting import Account, busy_seconds, open_account, proportional_megabytes
from bench.gateways import Gateway
from bench.harness import Load, Sink, send
from bench.processes import Program

SETTLE_SECONDS = 0.3
"""After the last delivery: closing connections and the last log lines belong to the work."""
MEMORY_SECONDS = 0.25
WARM_UP_OCTETS = 10_240


@dataclass(frozen=True, slots=True)
class Workload:
    """A load by its name, with the messages that go before it unmeasured."""

    name: str
    title: str
    load: Load
    warm_up: int

    def scaled(self, factor: float) -> Workload:
        whole = max(self.load.sessions, round(self.load.messages * factor))
        return replace(self, load=replace(self.load, messages=whole))

    def for_gateway(self, gateway: Gateway) -> Workload:
        return self.scaled(0.25) if gateway.slow else self


WORKLOADS = (
    Workload("a20", "10 KB, one message per connection, 20 sessions", Load(20, 10_240, False, 4000), 200),
    Workload("b20", "10 KB, kept connections, 20 sessions", Load(20, 10_240, True, 6000), 200),
    Workload("d4", "25 MiB, one message per connection, 4 sessions", Load(4, 26_214_400, False, 16), 40),
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

    @property
    def cpu_ms(self) -> float:
        return 1000 * self.cpu_seconds / self.sent

    @property
    def system_share(self) -> float:
        return self.system_seconds / self.cpu_seconds if self.cpu_seconds else 0.0

    @property
    def messages_per_second(self) -> float:
        return self.delivered / self.seconds

    @property
    def megabytes_per_second(self) -> float:
        return self.delivered * self.octets / self.seconds / 1e6

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {
            "cpu_ms_per_message": self.cpu_ms,
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
            sink = Sink(gateway.next_hop, account=harness, directory=directory)
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
    warm_up = replace(load, messages=workload.warm_up, octets=WARM_UP_OCTETS)
    warmed = send(warm_up, port=port, account=harness)
    before = sink.settle(warm_up.messages)
    if prepared is not None:
        prepared()
    watch = _MemoryWatch(subject)
    watch.start()
    companion = threading.Thread(target=beside) if beside is not None else None
    if companion is not None:
        companion.start()
    cpu, harness_cpu, busy, own = subject.cpu(), harness.cpu(), busy_seconds(), time.process_time()
    started = time.perf_counter()
    result = send(load, port=port, account=harness)
    delivered = sink.settle(before + load.messages) - before
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
    )
