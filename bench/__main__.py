"""``make bench``: measure mxgw beside its peers; ``python -m bench profile a20``: where the time goes."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from bench.accounting import METHODS
from bench.gateways import all_gateways
from bench.measure import WORKLOADS, Sample
from bench.processes import BenchError
from bench.profiling import profile as profile_gateway
from bench.report import Result, figure, machine, print_result, write_markdown
from bench.session import Plan, carry_out

ROUNDS = 4
QUICK_FACTOR = 0.4
WIDTH = 140
REPORT = Path("docs/benchmarks.md")

GATEWAYS = {gateway.name: gateway for gateway in all_gateways()}
LOADS = {workload.name: workload for workload in WORKLOADS}


@click.group(invoke_without_command=True)
@click.option("--quick", is_flag=True, help="One round of fewer messages, about a minute; writes no report.")
@click.option(
    "--rounds", type=click.IntRange(1), help=f"How often everything is repeated (default {ROUNDS})."
)
@click.option(
    "--only", "only", multiple=True, type=click.Choice(list(GATEWAYS)), help="Only this gateway (repeatable)."
)
@click.option(
    "--workload", "loads", multiple=True, type=click.Choice(list(LOADS)), help="Only this load (repeatable)."
)
@click.option("--scaling/--no-scaling", default=True, help="Compare two workers with one.")
@click.option(
    "--accounting", type=click.Choice(list(METHODS)), help="How CPU time is counted (default: the best)."
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write every single figure here.")
@click.option(
    "--report", type=click.Path(path_type=Path), help=f"Write the report here (whole run: {REPORT})."
)
@click.pass_context
def main(
    context: click.Context,
    *,
    quick: bool,
    rounds: int | None,
    only: tuple[str, ...],
    loads: tuple[str, ...],
    scaling: bool,
    accounting: str | None,
    json_file: Path | None,
    report: Path | None,
) -> None:
    """Measure mxgw beside its peers on this machine.

    The exit code is 0 whatever the figures are: the table says what is behind.
    """
    if context.invoked_subcommand is not None:
        return
    console = _console()
    whole = not (quick or only or loads) and scaling
    plan = Plan(
        gateways=[gateway for name, gateway in GATEWAYS.items() if not only or name in only],
        workloads=[workload for name, workload in LOADS.items() if not loads or name in loads],
        rounds=rounds or (1 if quick else ROUNDS),
        factor=QUICK_FACTOR if quick else 1.0,
        scaling=scaling and (not only or "mxgw" in only),
        accounting=accounting,
        command="make bench" if len(sys.argv) == 1 else f"python -m bench {' '.join(sys.argv[1:])}",
    )
    result = carry_out(plan, lambda sample: _tell(console, sample))
    print_result(console, result)
    if json_file is not None:
        json_file.write_text(json.dumps(_as_json(result), indent=1) + "\n")
        console.print(f"every figure: {json_file}")
    if (target := report or (REPORT if whole else None)) is not None and result.samples:
        write_markdown(target, result)
        console.print(f"report: {target}")


@main.command()
@click.argument("load", type=click.Choice(list(LOADS)))
@click.option(
    "--flame", type=click.Path(path_type=Path), help="Write a flame graph (SVG) here, in a second run."
)
@click.option("--gateway", "name", type=click.Choice(list(GATEWAYS)), default="mxgw", show_default=True)
@click.option("--top", type=click.IntRange(1), default=25, show_default=True)
@click.option(
    "--times", type=click.FloatRange(0.1, 20), default=3.0, show_default=True, help="How long a load."
)
def profile(*, load: str, flame: Path | None, name: str, top: int, times: float) -> None:
    """Show where a gateway spends its CPU time under a load."""
    workload = LOADS[load].scaled(times)
    profile_gateway(_console(), GATEWAYS[name], workload, flame=flame, top=top)


def _console() -> Console:
    """A log file or a pipe gets tables as wide as they need."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def _tell(console: Console, sample: Sample) -> None:
    run = f"round {sample.round + 1} {sample.workload:4} {sample.gateway:12}"
    figures = f"{figure(sample.cpu_ms):>8} CPU-ms/message {figure(sample.messages_per_second):>8} messages/s"
    counts = f"{sample.delivered}/{sample.sent} {sample.complaint}"
    console.print(f"{run} {figures}  {counts}", highlight=False, style="dim")


def _as_json(result: Result) -> dict[str, object]:
    return {
        "machine": dict(machine()),
        "rounds": result.rounds,
        "seconds": result.seconds,
        "summary": result.summary,
        "absent": dict(result.absent),
        "verdicts": [asdict(verdict) for verdict in result.verdicts],
        "samples": [sample.as_json() for sample in result.samples],
    }


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        click.echo(f"bench: {error}", err=True)
        sys.exit(1)
