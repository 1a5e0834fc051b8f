"""The result as a table on the terminal and as docs/benchmarks.md."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench.compare import Spread, Verdict, select, spread
from bench.gateways import Gateway
from bench.harness import sink_argv
from bench.measure import Sample, Workload
from bench.processes import BenchError, find_program

HEADINGS = (
    "gateway",
    "CPU-ms/message",
    "kernel",
    "messages/s",
    "MB/s",
    "PSS MB",
    "delivered/sent",
)


@dataclass(frozen=True, slots=True)
class Result:
    """All of one run of the bench."""

    gateways: Sequence[Gateway]
    workloads: Sequence[Workload]
    samples: Sequence[Sample]
    verdicts: Sequence[Verdict]
    absent: Mapping[str, str]
    """Gateways that could not run here, and why."""
    command: str
    rounds: int
    seconds: float

    @property
    def summary(self) -> str:
        holding = sum(verdict.holds for verdict in self.verdicts)
        lost = sum(sample.sent - sample.delivered for sample in self.samples)
        behind = [verdict.subject for verdict in self.verdicts if not verdict.holds]
        words = f"{holding} of {len(self.verdicts)} limits hold; {lost} messages lost"
        return words + (f"; behind: {'; '.join(behind)}" if behind else "")


def figure(value: float) -> str:
    """Three significant digits, no exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def spread_words(value: Spread | None) -> str:
    if value is None:
        return "-"
    if value.low == value.high:
        return figure(value.median)
    return f"{figure(value.median)} ({figure(value.low)}-{figure(value.high)})"


def rows(result: Result, workload: Workload) -> list[tuple[str, ...]]:
    """One row per gateway that was measured with the workload."""
    found: list[tuple[str, ...]] = []
    for gateway in result.gateways:
        tried = [s for s in result.samples if (s.gateway, s.workload) == (gateway.name, workload.name)]
        if not tried:
            continue
        good = select(tried, gateway.name, workload.name)
        figures: tuple[Callable[[Sample], float], ...] = (
            lambda sample: sample.cpu_ms,
            lambda sample: 100 * sample.system_share,
            lambda sample: sample.messages_per_second,
            lambda sample: sample.megabytes_per_second,
            lambda sample: sample.peak_pss_megabytes,
        )
        cpu, kernel, rate, volume, memory = (spread(good, how) for how in figures)
        kernel_words = "-" if kernel is None else f"{kernel.median:.0f} %"
        counts = f"{sum(s.delivered for s in tried)}/{sum(s.sent for s in tried)}"
        plain_words = (figure(value.median) if value else "-" for value in (rate, volume, memory))
        found.append((gateway.title, spread_words(cpu), kernel_words, *plain_words, counts))
    return found


def verdict_rows(result: Result) -> list[tuple[str, str, str, str]]:
    return [
        (
            verdict.subject,
            spread_words(verdict.ratio),
            verdict.wording,
            "holds" if verdict.holds else "BEHIND",
        )
        for verdict in result.verdicts
    ]


def print_result(console: Console, result: Result) -> None:
    for workload in result.workloads:
        table = Table(title=f"{workload.name}: {workload.title}", title_justify="left")
        for index, heading in enumerate(HEADINGS):
            table.add_column(heading, justify="right" if index else "left")
        for row in rows(result, workload):
            table.add_row(*row)
        console.print(table)
    table = Table(title="Limits (median of the rounds, lowest-highest)", title_justify="left")
    for heading in ("ratio", "measured", "limit", ""):
        table.add_column(heading)
    for line in verdict_rows(result):
        table.add_row(*line, style="" if line[-1] == "holds" else "bold red")
    console.print(table)
    for complaint in complaints(result):
        console.print(complaint, style="red")
    console.print(result.summary, style="bold")


def complaints(result: Result) -> list[str]:
    """What did not go as it should, one line each."""
    absent = [f"{name} not measured: {why}" for name, why in result.absent.items()]
    failed = [
        f"{run.gateway} {run.workload} round {run.round + 1}: "
        f"{run.delivered} of {run.sent} delivered. {run.complaint}"
        for run in result.samples
        if run.delivered != run.sent or run.complaint
    ]
    return absent + failed


def machine() -> list[tuple[str, str]]:
    """Where it was measured, and with which versions."""
    name = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        name = models[0].split(":", 1)[1].strip() if models else name
    packages = ("mxgw", "uvloop", "aiosmtpd", "aiosmtplib")
    release = (
        platform.freedesktop_os_release().get("PRETTY_NAME", "") if Path("/etc/os-release").exists() else ""
    )
    return [
        ("measured", datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")),
        ("commit", _output("git", "rev-parse", "--short", "HEAD") or "unknown"),
        ("machine", f"{os.cpu_count()} x {name}, {psutil.virtual_memory().total / 2**30:.0f} GiB"),
        ("system", f"{release}, Linux {platform.release()}"),
        ("Python", platform.python_version()),
        *((package, importlib.metadata.version(package)) for package in packages),
        ("Postfix", _postfix_version()),
    ]


def write_markdown(path: Path, result: Result) -> None:
    """docs/benchmarks.md: what was measured, how, and what came out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join((*_introduction(result), *_figures(result), *_setups(result), "")))


INTRODUCTION = """\
# Benchmarks

Written by `{command}`; no figure is typed by hand. Run it
again on your machine: the ratios should hold, the absolute figures will not.

`smtp-source` -> gateway -> `smtp-sink`, all on 127.0.0.1. *CPU-ms per message* is user and system time of
the gateway's whole process tree, exited children included ({methods}), after a warm-up;
*kernel* is the system share of it. It is the figure to compare: messages/s also depend on source and sink,
which share the cores. *PSS* is the peak memory of all its processes, shared pages divided. Gateways run in
turn within each round (here {rounds}), the order reversed in every other one; shown is the median
(lowest-highest). A ratio is taken within a round.

mxgw adds its Received field, writes one JSON line per message to a file and keeps its metrics; Postfix adds
its Received field and logs to a file; the plain one does neither. None of them keeps a queue.

Neighbours used {elsewhere} % of the machine's CPU during the runs (at most {elsewhere_high} %). The whole
run took {seconds:.0f} s.
"""


def _introduction(result: Result) -> list[str]:
    elsewhere = Spread.of(100 * sample.elsewhere for sample in result.samples)
    text = INTRODUCTION.format(
        command=result.command,
        methods=", ".join(sorted({sample.accounting for sample in result.samples})),
        rounds=result.rounds,
        elsewhere=figure(elsewhere.median),
        elsewhere_high=figure(elsewhere.high),
        seconds=result.seconds,
    )
    return [text, *_table(("", ""), machine())]


def _figures(result: Result) -> list[str]:
    lines = ["", "## Limits", "", *_table(("ratio", "measured", "limit", ""), verdict_rows(result))]
    lines += ["", f"**{result.summary}.**"]
    lines += ["", *(f"* {complaint}" for complaint in complaints(result))] if complaints(result) else []
    for workload in result.workloads:
        lines += ["", f"## {workload.name}: {workload.title}", "", *_table(HEADINGS, rows(result, workload))]
    return lines


def _setups(result: Result) -> list[str]:
    lines = ["", "## How each was run", "", "Load, and the next hop:", "", "```"]
    lines += [
        f"{workload.name}: {' '.join(workload.load.argv('127.0.0.1:PORT'))}" for workload in result.workloads
    ]
    hops = sorted({gateway.next_hop for gateway in result.gateways})
    lines += [" ".join(sink_argv(hop, "127.0.0.1:SINK")) for hop in hops]
    lines += ["```"]
    if any(gateway.slow for gateway in result.gateways):
        slow = ", ".join(gateway.title for gateway in result.gateways if gateway.slow)
        lines += ["", f"A quarter of the messages for: {slow}."]
    for gateway in result.gateways:
        lines += [
            "",
            f"{gateway.title} (next hop speaks {gateway.next_hop.upper()}):",
            "",
            "```",
            *gateway.setup(),
            "```",
        ]
    return lines


def _table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    aligned = ["---", *("---:" if len(headings) > 4 else "---" for _ in headings[1:])]
    return [f"| {' | '.join(cells)} |" for cells in (headings, aligned, *lines)]


def _postfix_version() -> str:
    try:
        return _output(find_program("postconf"), "-hd", "mail_version") or "unknown"
    except BenchError:
        return "absent"


def _output(*argv: str) -> str:
    try:
        run = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return run.stdout.strip()
