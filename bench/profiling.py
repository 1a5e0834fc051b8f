"""Where a gateway in Python spends its time under a load: samples of its CPU time, summed by function."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.gateways import Gateway
from bench.measure import Sample, Workload, measure
from bench.processes import BenchError, Program

FLAME_SAMPLES_PER_SECOND = 250


@dataclass(frozen=True, slots=True)
class Spent:
    """Samples in which a function ran itself (own) or was on the stack (cumulative)."""

    own: Counter[str]
    cumulative: Counter[str]
    lines: Counter[str]
    total: int


def profile(console: Console, gateway: Gateway, workload: Workload, *, flame: Path | None, top: int) -> None:
    """Run the load under the sampler, print the tables; then once more under py-spy for the flame graph."""
    sample, spent = spend(gateway, workload)
    title = f"{gateway.title}, {workload.name}: {sample.cpu_ms:.3f} CPU-ms per message while being watched"
    console.print(f"{title}, {100 * sample.system_share:.0f} % of it in the kernel", style="bold")
    per_sample = sample.cpu_ms * 1000 / max(1, spent.total)
    _print(console, "own time, by function", spent.own, spent, per_sample, top)
    _print(console, "own time, by line", spent.lines, spent, per_sample, top)
    _print(console, "cumulative time", spent.cumulative, spent, per_sample, 2 * top)
    if flame is not None:
        draw_flames(gateway, workload, flame)
        console.print(f"flame graph (wall time): {flame}")


def spend(gateway: Gateway, workload: Workload) -> tuple[Sample, Spent]:
    """Run the load under the sampler. Raises BenchError where it wrote nothing."""
    with tempfile.TemporaryDirectory(prefix="mxgw-profile-") as name:
        stacks = Path(name) / "stacks.txt"
        sample = measure(gateway.sampled(stacks), workload)
        if not stacks.exists():
            raise BenchError("the program ended without writing its samples")
        return sample, sum_up(stacks.read_text())


def sum_up(stacks: str) -> Spent:
    """From the lines that ``bench.sampler`` writes."""
    own: Counter[str] = Counter()
    cumulative: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    total = 0
    for stack in stacks.splitlines():
        frames_text, _, count_text = stack.rpartition(" ")
        count = int(count_text)
        frames = frames_text.split(";")
        names = [_function(frame) for frame in frames]
        total += count
        own[names[-1]] += count
        lines[frames[-1]] += count
        for frame in set(names):
            cumulative[frame] += count
    return Spent(own, cumulative, lines, total)


def _function(frame: str) -> str:
    """``name (file:line)`` without the line, so that the lines of a function add up."""
    return f"{frame.rpartition(':')[0]})"


def draw_flames(gateway: Gateway, workload: Workload, target: Path) -> None:
    """Run the load once more under py-spy. Raises BenchError where it cannot."""
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if spy is None:
        raise BenchError("py-spy is missing: pip install py-spy")
    watchers: list[subprocess.Popen[bytes]] = []

    def watch(program: Program) -> None:
        options = ["--format", "flamegraph", "--rate", str(FLAME_SAMPLES_PER_SECOND)]
        argv = [spy, "record", "--pid", str(program.pid), *options, "--output", str(target)]
        watchers.append(
            subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        )

    measure(gateway, workload, prepared=watch)
    (watcher,) = watchers
    said, _ = watcher.communicate(timeout=60)  # py-spy writes its file when the process has gone
    if not target.exists():
        raise BenchError(f"py-spy wrote nothing: {said.decode(errors='replace').strip()[-500:]}")
    # It writes its own command line, with the paths of this machine, as a title.
    target.write_text(target.read_text().replace(spy, "py-spy").replace(f"--output {target}", ""))


def _print(
    console: Console, title: str, counts: Counter[str], spent: Spent, per_sample: float, top: int
) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("share", justify="right")
    table.add_column("µs/message", justify="right")
    table.add_column("where", overflow="fold")
    for name, count in counts.most_common(top):
        table.add_row(f"{100 * count / max(1, spent.total):.1f} %", f"{count * per_sample:.1f}", name)
    console.print(table)
