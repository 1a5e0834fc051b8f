"""Chapter: where mxgw's CPU time goes, as flame graphs and as tables."""

from __future__ import annotations

from collections import Counter

from bench.document import Block, Chapter, Picture, Table, Text
from bench.gateways import AUTHENTICATION, Mxgw
from bench.loads import MxgwLoad
from bench.measure import WORKLOADS, Workload
from bench.processes import BenchError
from bench.profiling import Spent, draw_flames, spend
from bench.run import Run
from bench.zone import ZoneServer

TOP = 20
WARM_UP = 200

EXPLANATION = """\
One message per connection, 10 KB, 20 sessions. The table counts CPU time by a timer of CPU time
(bench/sampler.py), which slows the program a little; *own* is the function itself, with the functions in C
that it calls, *in all* with those in Python too. The flame graphs are py-spy's, in another run: they count
wall time of the running thread; open the file for names and shares.\
"""


def flames(run: Run, zone: ZoneServer | None) -> Chapter:
    """Without checks, and with authentication."""
    cases = [("relay", Mxgw(title="mxgw, checks off"), WORKLOADS[0])]
    if zone is not None:
        checked = Mxgw(
            name="mxgw-auth",
            title="mxgw, authentication on",
            checks=AUTHENTICATION,
            proxied=True,
            dns=zone.address,
        )
        load = MxgwLoad(20, 10_240, False, 3000, signing_key=zone.signing_key, proxied=True)
        cases.append(("authentication", checked, Workload("auth-a20", "", load, WARM_UP)))
    blocks: list[Block] = [Text(EXPLANATION)]
    for name, gateway, workload in cases:
        own = workload.scaled(run.factor)
        try:
            sample, spent = spend(gateway, own)
            run.tell(f"profile {name}: {sample.words}")
            blocks.append(_table(f"{gateway.title}: {sample.cpu_ms:.3f} CPU-ms/message while watched", spent))
            if run.pictures is not None:
                run.pictures.mkdir(parents=True, exist_ok=True)
                draw_flames(gateway, own, run.pictures / f"profile-{name}.svg")
                blocks.append(
                    Picture(f"{run.pictures.name}/profile-{name}.svg", f"Flame graph: {gateway.title}")
                )
        except BenchError as error:
            run.absent[f"profile of {gateway.title}"] = str(error)
    return Chapter("Where the time goes", blocks)


def _table(title: str, spent: Spent) -> Table:
    def share(counts: Counter[str], name: str) -> str:
        return f"{100 * counts[name] / max(1, spent.total):.1f} %"

    rows = [
        (f"`{name}`", share(spent.own, name), share(spent.cumulative, name))
        for name, _ in spent.own.most_common(TOP)
    ]
    return Table(title, ("function", "own", "in all"), rows)
