"""Does a second worker carry what it should?

Sender and sink need the same cores as the gateway, so on a small machine two free-running workers starve
for load before they are busy. Each worker therefore gets the same small share of a core, for one worker as
for two; what is compared is messages per second. Where quotas cannot be had the workers run free, and the
result says so.
"""

from __future__ import annotations

from functools import partial

import psutil

from bench.compare import Spread, Verdict
from bench.gateways import AUTHENTICATION, Mxgw
from bench.loads import MxgwLoad, SourceLoad
from bench.measure import Sample, Workload
from bench.processes import Program
from bench.quota import Quota
from bench.run import Run
from bench.zone import ZoneServer

PERIOD_MICROSECONDS = 20_000
SHARE = 0.25
"""Of one core, for each worker: sender and sink then have more than they need on two cores."""
AT_LEAST = 1.7
PLAIN = Workload(
    "a40", "10 KB, one message per connection, 40 sessions", SourceLoad(40, 10_240, False, 900), 200
)


def two_workers(run: Run, zone: ZoneServer | None) -> list[Verdict]:
    """The same load for one worker and for two, the order changing; checks off and on."""
    verdicts = [_verdict(run, PLAIN, Mxgw(title="mxgw"))]
    if zone is not None:
        load = MxgwLoad(40, 10_240, False, 400, signing_key=zone.signing_key, proxied=True)
        checked = Mxgw(title="mxgw", checks=AUTHENTICATION, proxied=True, dns=zone.address)
        verdicts.append(_verdict(run, Workload("auth-a40", f"{PLAIN.title}, signed", load, 200), checked))
    return [verdict for verdict in verdicts if verdict]


def _verdict(run: Run, workload: Workload, gateway: Mxgw) -> Verdict | None:
    ratios = []
    held = "running free"
    for number in range(run.rounds):
        runs: dict[int, Sample] = {}
        for workers in (1, 2) if number % 2 else (2, 1):
            with Quota(SHARE, period_microseconds=PERIOD_MICROSECONDS) as quota:
                if quota.works:
                    held = f"each held to {SHARE:.0%} of a core"
                sample = run.measure(
                    gateway.with_workers(workers),
                    workload.scaled(workers),
                    round_number=number,
                    prepared=partial(_hold_workers, quota) if quota.works else None,
                )
            if sample and sample.whole:
                runs[workers] = sample
        if len(runs) == 2:
            ratios.append(runs[2].messages_per_second / runs[1].messages_per_second)
    if not ratios:
        return None
    ratio = Spread.of(ratios)
    subject = f"{workload.name}: messages per second, 2 workers / 1, {held}"
    return Verdict(subject, ratio, f"at least {AT_LEAST}", ratio.median >= AT_LEAST)


def _hold_workers(quota: Quota, program: Program) -> None:
    """The workers are the leaves of the process tree: the program itself where it has no children."""
    root = psutil.Process(program.pid)
    for process in (root, *root.children(recursive=True)):
        if not process.children():
            quota.hold([process.pid])
