"""The two ends: Postfix's ``smtp-source`` sends, ``smtp-sink`` takes and counts."""

from __future__ import annotations

import os
import re
import subprocess
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bench.accounting import Account
from bench.processes import Program, find_program, free_port

_COUNTER = re.compile(rb"mesg=(\d+)")
RUN_SECONDS = 180.0
"""No single load runs longer: a gateway that hangs must not hang the bench."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one smtp-source run sends."""

    sessions: int
    octets: int
    keep_connections: bool
    messages: int

    def argv(self, address: str) -> list[str]:
        options = ["-s", str(self.sessions), "-l", str(self.octets), "-m", str(self.messages)]
        options += ["-d"] if self.keep_connections else []
        envelope = ["-M", "client.example.org", "-f", "sender@example.org", "-t", "user@example.com"]
        return ["smtp-source", *options, *envelope, address]


@dataclass(frozen=True, slots=True)
class LoadResult:
    """How long it took, and what smtp-source complained about ("" = nothing)."""

    seconds: float
    complaint: str


def send(load: Load, *, port: int, account: Account) -> LoadResult:
    argv = load.argv(f"127.0.0.1:{port}")
    argv[0] = find_program(argv[0])
    started = time.perf_counter()
    try:
        run = subprocess.run(
            account.wrap(argv),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=RUN_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return LoadResult(time.perf_counter() - started, f"not finished after {RUN_SECONDS:.0f} s")
    seconds = time.perf_counter() - started
    last = (run.stderr.decode(errors="replace").strip().splitlines() or [""])[-1]
    return LoadResult(seconds, last if run.returncode else "")


class Speaks(StrEnum):
    """The protocol of the next hop."""

    LMTP = "lmtp"
    SMTP = "smtp"


class Sink:
    """smtp-sink with its message counter."""

    def __init__(self, speaks: Speaks, *, account: Account, directory: Path) -> None:
        self.port = free_port()
        argv = sink_argv(speaks, f"127.0.0.1:{self.port}")
        argv[0] = find_program(argv[0])
        if os.geteuid() == 0:
            argv[1:1] = ["-u", "nobody"]
        self._program = Program(argv, account=account, output=directory / "sink.out")
        self._program.wait_for_door(self.port)

    def delivered(self) -> int:
        """Messages taken since the start."""
        counters = _COUNTER.findall(self._program.output.read_bytes()[-200:])
        return int(counters[-1]) if counters else 0

    def settle(self, expected: int) -> int:
        """The count, after waiting a moment for the last ones."""
        deadline = time.monotonic() + 3.0
        while self.delivered() < expected and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.delivered()

    def stop(self) -> None:
        self._program.stop()


def sink_argv(speaks: Speaks, address: str) -> list[str]:
    return ["smtp-sink", "-c", *(["-L"] if speaks is Speaks.LMTP else []), address, "512"]
