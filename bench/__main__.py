"""``make bench``: measure mxgw beside its peers; ``python -m bench profile a20``: where the time goes."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from bench.accounting import METHODS
from bench.document import show, show_table
from bench.lineup import relays
from bench.measure import WORKLOADS
from bench.processes import BenchError
from bench.profiling import profile as profile_gateway
from bench.report import as_json, verdicts_of, write_markdown
from bench.run import Run
from bench.session import CHAPTERS, carry_out
from bench.unpacked import fetchers

ROUNDS = 3
QUICK_FACTOR = 0.15
QUICK_CHAPTERS = ("relay", "authentication")
QUICK_GATEWAYS = ("mxgw", "mxgw-debian", "proxy", "plain", "mxgw-auth", "postfix-milters")
WIDTH = 160
REPORT = Path("docs/benchmarks.md")

GATEWAYS = {gateway.name: gateway for gateway in relays()}
LOADS = {workload.name: workload for workload in WORKLOADS}


@click.group(invoke_without_command=True)
@click.option("--quick", is_flag=True, help="One round of a part, about a minute; writes no report.")
@click.option(
    "--rounds", type=click.IntRange(1), help=f"How often everything is repeated (default {ROUNDS})."
)
@click.option(
    "--chapter", "chapters", multiple=True, type=click.Choice(CHAPTERS), help="Only this one (repeatable)."
)
@click.option("--only", multiple=True, help="Only this gateway, by its short name (repeatable).")
@click.option(
    "--workload", "loads", multiple=True, type=click.Choice(list(LOADS)), help="Only this load (repeatable)."
)
@click.option("--factor", type=click.FloatRange(0.01, 10), help="How much of the usual number of messages.")
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
    chapters: tuple[str, ...],
    only: tuple[str, ...],
    loads: tuple[str, ...],
    factor: float | None,
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
    whole = not (quick or chapters or only or loads or factor)
    target = report or (REPORT if whole else None)
    started = time.perf_counter()

    def tell(words: str) -> None:
        console.print(
            f"{time.perf_counter() - started:4.0f} s  {words}", highlight=False, markup=False, style="dim"
        )

    if quick:
        chapters, only = chapters or QUICK_CHAPTERS, only or QUICK_GATEWAYS
    run = Run(
        rounds=rounds or (1 if quick else ROUNDS),
        factor=factor or (QUICK_FACTOR if quick else 1.0),
        method=accounting,
        tell=tell,
        pictures=target.with_suffix("") if target else None,
        only=frozenset(only),
        loads=frozenset(loads),
    )
    command = "make bench" if whole else f"python -m bench {' '.join(sys.argv[1:])}"
    result = carry_out(
        run, frozenset(chapters or CHAPTERS), command=command, done=lambda chapter: show(console, chapter)
    )
    show_table(console, verdicts_of(result))
    for complaint in result.complaints:
        console.print(complaint, style="red", markup=False)
    console.print(result.summary, style="bold", markup=False)
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(result), indent=1) + "\n")
        console.print(f"every figure: {json_file}")
    if target is not None and run.samples:
        write_markdown(target, result)
        console.print(f"report: {target}")


@main.command()
def fetch() -> None:
    """Get the peers that are not installed, under var/peers: Debian's packages, Haraka out of npm."""
    for name, get in fetchers():
        try:
            get()
        except BenchError as error:
            click.echo(f"{name}: {error}", err=True)
        else:
            click.echo(f"{name}: there")


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


if __name__ == "__main__":
    # A bench that is told to end still ends the programs that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except BenchError as error:
        click.echo(f"bench: {error}", err=True)
        sys.exit(1)
