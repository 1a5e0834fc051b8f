"""One run of the bench: how much of everything, who could not take part, and who is told how it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.gateways import Gateway
from bench.measure import Sample, Workload, measure
from bench.processes import BenchError, Program


@dataclass(slots=True)
class Run:
    """``factor``: how much of the usual number of messages. ``pictures``: where they go; None: draw none."""

    rounds: int
    factor: float
    method: str | None
    tell: Callable[[str], None]
    pictures: Path | None = None
    only: frozenset[str] = frozenset()
    """Gateways by name; empty: all."""
    loads: frozenset[str] = frozenset()
    absent: dict[str, str] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)

    def present(self, gateways: Sequence[Gateway]) -> list[Gateway]:
        """Those that can run here and are wanted; why the others cannot is noted."""
        found = []
        for gateway in gateways:
            if self.only and gateway.name not in self.only:
                continue
            if why := gateway.missing():
                self.absent[gateway.title] = why
            else:
                found.append(gateway)
        return found

    def turns(
        self, gateways: Sequence[Gateway], *, rounds: int | None = None
    ) -> Iterator[tuple[int, Gateway]]:
        """Each gateway once in each round, the order reversed in every other one."""
        for number in range(rounds or self.rounds):
            for gateway in gateways if number % 2 == 0 else tuple(reversed(gateways)):
                if gateway.title not in self.absent:
                    yield number, gateway

    def measure(
        self,
        gateway: Gateway,
        workload: Workload,
        *,
        round_number: int = 0,
        prepared: Callable[[Program], None] | None = None,
        full: bool = False,
    ) -> Sample | None:
        """One measurement; None where the gateway did not come up, which is noted.

        ``full``: the load as it is, whatever part of it the gateway takes otherwise.
        """
        own = workload if full else workload.scaled(self.factor).for_gateway(gateway)
        try:
            sample = measure(gateway, own, round_number=round_number, method=self.method, prepared=prepared)
        except BenchError as error:
            self.absent[gateway.title] = str(error)
            self.tell(f"{gateway.title}: {error}")
            return None
        self.samples.append(sample)
        self.tell(sample.words)
        return sample
