"""Does a second worker carry what it should?

Source and sink need the same cores as the gateway, so on a small machine two free-running workers starve
for load before they are busy. Each worker therefore gets the same small share of a core (a CFS quota on a
group of its own), for one worker as for two; what is compared is messages per second. Where quotas cannot
be had the workers run free, and the result says so.
"""

from __future__ import annotations

import contextlib
import os
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from bench.compare import Spread, Verdict
from bench.gateways import Mxgw
from bench.loads import SourceLoad
from bench.measure import Sample, Workload, measure
from bench.processes import Program

CPU_V1 = Path("/sys/fs/cgroup/cpu")
PERIOD_MICROSECONDS = 20_000
SHARE = 0.25
"""Of one core, for each worker: source and sink then have more than they need on two cores."""
AT_LEAST = 1.7
WORKLOAD = Workload(
    "a40", "10 KB, one message per connection, 40 sessions", SourceLoad(40, 10_240, False, 2000), 200
)


class Quota:
    """Groups that hold one process each to its share of a core."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self.works = CPU_V1.joinpath("cpu.cfs_quota_us").exists() or self._probe()

    @staticmethod
    def _probe() -> bool:
        probe = CPU_V1 / f"mxgw-bench-{os.getpid()}-probe"
        with contextlib.suppress(OSError):
            probe.mkdir()
            works = (probe / "cpu.cfs_quota_us").exists()
            probe.rmdir()
            return works
        return False

    def __enter__(self) -> Self:
        return self

    def hold(self, pid: int) -> None:
        path = CPU_V1 / f"mxgw-bench-{os.getpid()}-{pid}"
        path.mkdir()
        self._paths.append(path)
        (path / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
        (path / "cpu.cfs_quota_us").write_text(str(int(PERIOD_MICROSECONDS * SHARE)))
        (path / "cgroup.procs").write_text(str(pid))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for path in self._paths:
            with contextlib.suppress(OSError):
                path.rmdir()


def measure_scaling(*, factor: float, round_number: int, method: str | None) -> tuple[Sample, Sample]:
    """The same load on one worker and on two, in an order that changes with the round."""
    runs: dict[int, Sample] = {}
    for workers in (1, 2) if round_number % 2 else (2, 1):
        gateway = Mxgw(name=f"mxgw-{workers}w", title=f"mxgw, {workers} worker(s), held", workers=workers)
        with Quota() as quota:
            runs[workers] = measure(
                gateway,
                WORKLOAD.scaled(factor * workers),
                round_number=round_number,
                method=method,
                prepared=partial(_hold_workers, quota) if quota.works else None,
            )
    return runs[1], runs[2]


def scaling_verdict(pairs: list[tuple[Sample, Sample]]) -> Verdict | None:
    """Messages per second of two workers over one, where both runs lost nothing."""
    ratios = [
        two.messages_per_second / one.messages_per_second
        for one, two in pairs
        if one.delivered == one.sent and two.delivered == two.sent
    ]
    if not ratios:
        return None
    ratio = Spread.of(ratios)
    held = f"each held to {SHARE:.0%} of a core" if Quota().works else "running free"
    return Verdict(
        f"{WORKLOAD.name}: messages per second, 2 workers / 1, {held}",
        ratio,
        f"at least {AT_LEAST}",
        ratio.median >= AT_LEAST,
    )


def _hold_workers(quota: Quota, program: Program) -> None:
    """The workers are the leaves of the process tree: the program itself where it has no children."""
    root = psutil.Process(program.pid)
    for process in (root, *root.children(recursive=True)):
        if not process.children():
            quota.hold(process.pid)
