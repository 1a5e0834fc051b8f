"""One whole run: rounds of loads of gateways in turn, then the result."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.compare import verdicts
from bench.gateways import Gateway
from bench.measure import Sample, Workload, measure
from bench.processes import BenchError
from bench.report import Result
from bench.scaling import measure_scaling, scaling_verdict


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured, and how often."""

    gateways: Sequence[Gateway]
    workloads: Sequence[Workload]
    rounds: int
    factor: float
    """How much of the usual number of messages."""
    scaling: bool
    accounting: str | None
    command: str


def carry_out(plan: Plan, tell: Callable[[Sample], None]) -> Result:
    """Measure it all. A gateway that cannot run is left out with the reason; the others go on."""
    started = time.perf_counter()
    absent: dict[str, str] = {}
    for gateway in plan.gateways:
        if why := gateway.missing():
            absent[gateway.title] = why
    samples: list[Sample] = []
    for number in range(plan.rounds):
        for workload in plan.workloads:
            for gateway in plan.gateways if number % 2 == 0 else tuple(reversed(plan.gateways)):
                if gateway.title in absent:
                    continue
                run = workload.scaled(plan.factor).for_gateway(gateway)
                try:
                    sample = measure(gateway, run, round_number=number, method=plan.accounting)
                except BenchError as error:
                    absent[gateway.title] = str(error)
                    continue
                samples.append(sample)
                tell(sample)
    pairs = _scaling_pairs(plan, tell, absent) if plan.scaling else []
    scaling = scaling_verdict(pairs)
    return Result(
        gateways=plan.gateways,
        workloads=plan.workloads,
        samples=[*samples, *(sample for pair in pairs for sample in pair)],
        verdicts=[*verdicts(samples), *([scaling] if scaling else [])],
        absent=absent,
        command=plan.command,
        rounds=plan.rounds,
        seconds=time.perf_counter() - started,
    )


def _scaling_pairs(
    plan: Plan, tell: Callable[[Sample], None], absent: dict[str, str]
) -> list[tuple[Sample, Sample]]:
    pairs: list[tuple[Sample, Sample]] = []
    for number in range(plan.rounds):
        try:
            pair = measure_scaling(factor=plan.factor, round_number=number, method=plan.accounting)
        except BenchError as error:
            absent["mxgw, two workers"] = str(error)
            break
        for sample in pair:
            tell(sample)
        pairs.append(pair)
    return pairs
