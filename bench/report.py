"""The whole report: docs/benchmarks.md and the JSON of every figure."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from bench.compare import Spread, Verdict
from bench.document import Chapter, Table, figure, markdown, table_lines, verdict_table
from bench.gateways import debian_mxgw, interpreter_words
from bench.processes import BenchError, find_program
from bench.run import Run
from bench.unpacked import BUNDLES, HARAKA_PROGRAM

INTRODUCTION = """\
# Benchmarks

Written by `{command}`, the pictures too; no figure is typed by hand. Run it again on your machine: the
ratios should hold, the absolute figures will not. `python -m bench fetch` gets the peers that Debian and npm
have, under var/, without installing them.

*CPU-ms per message* is user and system time of the gateway's whole process tree, exited children included
({methods}), after a warm-up; *kernel* is the system share of it. It is the figure to compare: messages per
second also depend on sender and sink, which share the cores with the gateway. *PSS* is the peak memory of
all its processes, shared pages divided. Everything is on 127.0.0.1. Gateways run in turn within each round
(here {rounds}), the order reversed in every other one; shown is the median (lowest-highest). A ratio is
taken within a round. Runs in which a message was lost or refused do not count, and are listed.

Neighbours used {elsewhere} % of the machine's CPU during the runs (at most {elsewhere_high} %). The whole
run took {seconds:.0f} s.
"""


@dataclass(frozen=True, slots=True)
class Result:
    """All of one run of the bench."""

    chapters: Sequence[Chapter]
    run: Run
    command: str
    seconds: float

    @property
    def verdicts(self) -> list[Verdict]:
        return [verdict for chapter in self.chapters for verdict in chapter.verdicts]

    @property
    def summary(self) -> str:
        """One line: what holds, what was lost."""
        holding = sum(verdict.holds for verdict in self.verdicts)
        behind = [verdict.subject for verdict in self.verdicts if not verdict.holds]
        words = f"{holding} of {len(self.verdicts)} limits hold"
        return words + (f"; behind: {'; '.join(behind)}" if behind else "")

    @property
    def complaints(self) -> list[str]:
        """What did not go as it should, one line each."""
        absent = [f"{name} not measured: {why}" for name, why in self.run.absent.items()]
        failed = [
            f"{one.gateway}, {one.workload}, round {one.round + 1}: "
            f"{one.delivered} of {one.sent} delivered. {one.complaint}"
            for one in self.run.samples
            if not one.whole
        ]
        return absent + failed


def verdicts_of(result: Result) -> Table:
    """The limits of all chapters."""
    return verdict_table("Limits", result.verdicts)


def write_markdown(path: Path, result: Result) -> None:
    """docs/benchmarks.md: what was measured, how, and what came out."""
    samples = result.run.samples
    elsewhere = Spread.of([100 * sample.elsewhere for sample in samples])
    text = INTRODUCTION.format(
        command=result.command,
        methods=", ".join(sorted({sample.accounting for sample in samples})),
        rounds=result.run.rounds,
        elsewhere=figure(elsewhere.median),
        elsewhere_high=figure(elsewhere.high),
        seconds=result.seconds,
    )
    lines = [text, *table_lines(Table("", ("", ""), machine(), words=True)), "", "## Limits", ""]
    lines += [*table_lines(verdicts_of(result)), "", f"**{result.summary}.**"]
    lines += ["", *(f"* {complaint}" for complaint in result.complaints)] if result.complaints else []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, *markdown(result.chapters), ""]))


def as_json(result: Result) -> dict[str, object]:
    """Every single figure."""
    return {
        "machine": dict(machine()),
        "rounds": result.run.rounds,
        "seconds": result.seconds,
        "summary": result.summary,
        "complaints": result.complaints,
        "verdicts": [asdict(verdict) for verdict in result.verdicts],
        "chapters": {chapter.title: dict(chapter.data) for chapter in result.chapters},
        "samples": [sample.as_json() for sample in result.run.samples],
    }


def machine() -> list[tuple[str, str]]:
    """Where it was measured, and with which versions."""
    packages = ("mxgw", "uvloop", "cryptography", "aiosmtpd", "aiosmtplib")
    release = (
        platform.freedesktop_os_release().get("PRETTY_NAME", "") if Path("/etc/os-release").exists() else ""
    )
    debian = debian_mxgw()
    return [
        ("measured", datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")),
        ("commit", _commit()),
        ("machine", f"{os.cpu_count()} x {_processor()}, {psutil.virtual_memory().total / 2**30:.0f} GiB"),
        ("system", f"{release}, Linux {platform.release()}"),
        ("Python", interpreter_words()),
        *(
            []
            if debian.missing()
            else [("the other Python", f"{debian.title.rpartition(' ')[2]}, Debian's own build")]
        ),
        *((package, importlib.metadata.version(package)) for package in packages),
        ("Postfix", _postfix_version()),
        *dict.fromkeys(one for bundle in BUNDLES for one in bundle.versions()),
        *([("Haraka", _haraka_version())] if HARAKA_PROGRAM.exists() else []),
    ]


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return "unknown processor"
    models = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
    return models[0].split(":", 1)[1].strip() if models else "unknown processor"


def _commit() -> str:
    changed = _output("git", "status", "--porcelain", "--", "mxgw", "bench")
    return (_output("git", "rev-parse", "--short", "HEAD") or "unknown") + (", changed" if changed else "")


def _postfix_version() -> str:
    try:
        return _output(find_program("postconf"), "-hd", "mail_version") or "unknown"
    except BenchError:
        return "absent"


def _haraka_version() -> str:
    words = _output("node", str(HARAKA_PROGRAM), "--version").split()
    return words[-1] if words else "unknown"


def _output(*argv: str) -> str:
    try:
        run = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return run.stdout.strip()
