"""Chapter: a thousand messages a day, on a quarter of a core."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil

from bench.accounting import open_account
from bench.compare import Spread, Verdict
from bench.document import Chapter, Listing, Table, Text, figure
from bench.gateways import Mxgw
from bench.loads import MxgwLoad
from bench.measure import Sample, Workload
from bench.processes import BenchError, Program
from bench.quota import Quota
from bench.run import Run
from bench.zone import ZoneServer

DAY_SECONDS = 86_400
DAILY = 1000
SHARE = 0.25
PERIOD_MICROSECONDS = 100_000
"""The kernel's own, and that of container runtimes: 25 ms of every 100."""

MULTIPLES = ((200, 30.0), (2000, 10.0))
"""How often the daily rate, and for how many seconds."""

SESSIONS = 200
IDLE_SECONDS = 6.0
MOST_SECONDS = 1.0
MEAN_OCTETS = 350_000
"""Of the sizes of ``mxgw load send --size real``, about."""

EXPLANATION = """\
mxgw with its default checks (SPF, DKIM, DMARC, ARC, iprev, the recipient asked at home, and the banner held
back for 0.3 s, which is in the figures), signed mail of sizes like real mail (median 75 KB, up to 25 MB), one
message per connection, at a constant rate: {multiple} times a thousand a day is {rate:.2f} a second. {held}.\
"""


def day(run: Run, zone: ZoneServer) -> Chapter:
    """Idle, then at multiples of the daily rate under the quota."""
    gateway = Mxgw(
        name="mxgw-default",
        title="mxgw, default checks",
        checks=None,
        proxied=True,
        dns=zone.address,
    )
    found: list[tuple[int, Sample]] = []
    held = "No CPU quota could be set here: it ran free"
    for multiple, seconds in MULTIPLES:
        with Quota(SHARE, period_microseconds=PERIOD_MICROSECONDS) as quota:
            if quota.works:
                held = f"All its processes together are held to {SHARE:g} of a core"
            sample = run.measure(
                gateway,
                _workload(zone, multiple, seconds),
                prepared=partial(_hold_all, quota) if quota.works else None,
                full=True,
            )
        if sample:
            found.append((multiple, sample))
    idle = _idle_cpu_seconds(gateway, run.method)
    rows = [
        (
            f"{multiple:,} times, {rate(multiple):.2f}/s",
            f"{sample.sent:,}",
            *(figure(sample.latency_ms[name]) for name in ("p50", "p99", "max")),
            figure(sample.cpu_ms),
            f"{100 * sample.cpu_seconds / sample.seconds:.1f} %",
        )
        for multiple, sample in found
        if sample.latency_ms
    ]
    daily = [sample for multiple, sample in found if multiple == MULTIPLES[0][0]]
    verdicts = []
    facts = [("CPU-seconds a day, idle", figure(idle * DAY_SECONDS))]
    for sample in daily:
        busy = DAILY * sample.cpu_ms / 1000
        facts += [
            (f"CPU-seconds for {DAILY:,} messages", figure(busy)),
            ("both", f"{figure(busy + idle * DAY_SECONDS)} of {DAY_SECONDS:,} s that a core has"),
        ]
    for multiple, sample in found:
        if sample.latency_ms:
            p99 = sample.latency_ms["p99"] / 1000
            subject = f"{multiple:,} times {DAILY:,} a day on {SHARE:g} of a core: 99th percentile, s"
            verdicts.append(
                Verdict(subject, Spread.of([p99]), f"under {MOST_SECONDS:g}", sample.whole and p99 < 1)
            )
    return Chapter(
        "A thousand messages a day",
        [
            Text(EXPLANATION.format(multiple=MULTIPLES[0][0], rate=rate(MULTIPLES[0][0]), held=held)),
            Table(
                "",
                ("rate", "messages", "p50 ms", "p99 ms", "max ms", "CPU-ms/message", "of a core"),
                rows,
            ),
            Table("", ("a day", ""), facts),
        ],
        verdicts,
        [Listing("Load of a day", [" ".join(_workload(None, *MULTIPLES[0]).load.argv("127.0.0.1:PORT"))])],
        {"idle": idle, "samples": [sample.as_json() for _, sample in found]},
    )


def rate(multiple: int) -> float:
    """Messages a second."""
    return multiple * DAILY / DAY_SECONDS


def _workload(zone: ZoneServer | None, multiple: int, seconds: float) -> Workload:
    load = MxgwLoad(
        SESSIONS,
        MEAN_OCTETS,
        False,
        round(rate(multiple) * seconds),
        rate=round(rate(multiple), 3),
        real_sizes=True,
        signing_key=zone.signing_key if zone else None,
        proxied=True,
    )
    return Workload(f"day-{multiple}", "sizes like real mail, at a constant rate", load, 10)


def _hold_all(quota: Quota, program: Program) -> None:
    root = psutil.Process(program.pid)
    quota.hold([process.pid for process in (root, *root.children(recursive=True))])


def _idle_cpu_seconds(gateway: Mxgw, method: str | None) -> float:
    """CPU-seconds per second of a gateway that has nothing to do."""
    with tempfile.TemporaryDirectory(prefix="mxgw-bench-", ignore_cleanup_errors=True) as name:
        account = open_account("idle", method=method)
        program = None
        try:
            program, _ = replace(gateway).start(sink_port=9, account=account, directory=Path(name))
            time.sleep(1.0)
            before, started = account.cpu().total, time.monotonic()
            time.sleep(IDLE_SECONDS)
            return (account.cpu().total - before) / (time.monotonic() - started)
        except BenchError:
            return 0.0
        finally:
            if program is not None:
                program.stop()
            account.close()
