"""Where mxgw spends its time under a load: py-spy's samples, summed by function."""

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

SAMPLES_PER_SECOND = 500


@dataclass(frozen=True, slots=True)
class Spent:
    """Samples in which a function ran (own) or was on the stack (cumulative)."""

    own: Counter[str]
    cumulative: Counter[str]
    lines: Counter[str]
    total: int


def profile(
    console: Console, gateway: Gateway, workload: Workload, *, flame: Path | None, native: bool, top: int
) -> None:
    """Run the load under py-spy, print the tables, write the flame graph."""
    with tempfile.TemporaryDirectory(prefix="mxgw-profile-") as name:
        raw = Path(name) / "stacks.txt"
        sample = _recorded(gateway, workload, output=raw, form="raw", native=native)
        by_function = sum_up(raw.read_text())
    title = f"{gateway.title}, {workload.name}: {sample.cpu_ms:.3f} CPU-ms per message while being watched"
    console.print(title, style="bold")
    per_message = sample.cpu_ms * 1000 / max(1, by_function.total)
    _print(console, "own time, by function", by_function.own, by_function, per_message, top)
    _print(console, "own time, by line", by_function.lines, by_function, per_message, top)
    _print(console, "cumulative time", by_function.cumulative, by_function, per_message, 2 * top)
    if flame is not None:
        _recorded(gateway, workload, output=flame, form="flamegraph", native=native)
        console.print(f"flame graph: {flame}")


def sum_up(stacks: str) -> Spent:
    """py-spy's raw form: frames from the outermost, joined by ``;``, a blank, the number of samples."""
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
    head, colon, tail = frame.rpartition(":")
    return f"{head})" if colon and tail.rstrip(")").isdigit() else frame


def _recorded(gateway: Gateway, workload: Workload, *, output: Path, form: str, native: bool) -> Sample:
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if spy is None:
        raise BenchError("py-spy is missing: pip install py-spy")
    watchers: list[subprocess.Popen[bytes]] = []

    def watch(program: Program) -> None:
        rate = str(SAMPLES_PER_SECOND)
        options = ["--format", form, "--rate", rate, "--output", str(output), "--duration", "unlimited"]
        options += ["--native"] if native else []
        argv = [spy, "record", "--pid", str(program.pid), "--nonblocking", *options]
        watchers.append(
            subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        )

    sample = measure(gateway, workload, prepared=watch)
    (watcher,) = watchers
    said, _ = watcher.communicate(timeout=60)  # py-spy writes its file when the process has gone
    if not output.exists():
        raise BenchError(f"py-spy wrote nothing: {said.decode(errors='replace').strip()[-500:]}")
    return sample


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
