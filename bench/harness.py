"""The two ends: a load is sent, Postfix's ``smtp-sink`` takes and counts."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from bench.accounting import Account
from bench.loads import Load, LoadResult
from bench.processes import Program, Reach, find_program, free_port

_COUNTER = re.compile(rb"mesg=(\d+)")
SETTLE_SECONDS = 3.0
RUN_SECONDS = 180.0
"""No single load runs longer: a gateway that hangs must not hang the bench."""


def send(load: Load, *, port: int, account: Account, prefix: Sequence[str] = ()) -> LoadResult:
    """Run the sender against a port of this machine. ``prefix`` is a command that runs it elsewhere on it."""
    argv = account.wrap([*prefix, *load.command(f"127.0.0.1:{port}")])
    started = time.perf_counter()
    try:
        run = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=RUN_SECONDS
        )
    except subprocess.TimeoutExpired:
        return LoadResult(time.perf_counter() - started, f"not finished after {RUN_SECONDS:.0f} s")
    return load.read(run, time.perf_counter() - started)


class Speaks(StrEnum):
    """The protocol of the next hop."""

    LMTP = "lmtp"
    SMTP = "smtp"


class Sink:
    """smtp-sink with its message counter. ``kept``: a directory that gets a file for each message."""

    def __init__(
        self,
        speaks: Speaks,
        *,
        account: Account,
        directory: Path,
        kept: Path | None = None,
        address: str = "127.0.0.1",
        prefix: Sequence[str] = (),
        reach: Reach | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self.port = free_port()
        argv = sink_argv(speaks, f"{address}:{self.port}")
        argv[0] = find_program(argv[0])
        argv[1:1] = options
        if kept is not None:
            argv[1:1] = ["-d", f"{kept}/message-"]
        if os.geteuid() == 0:
            argv[1:1] = ["-u", "nobody"]
        argv = [*prefix, *argv]
        self._program = Program(argv, account=account, output=directory / "sink.out")
        self._program.wait_for_door(self.port, reach=reach)

    def delivered(self) -> int:
        """Messages taken since the start."""
        counters = _COUNTER.findall(self._program.output.read_bytes()[-200:])
        return int(counters[-1]) if counters else 0

    def settle(self, expected: int, *, patience: float = SETTLE_SECONDS) -> int:
        """The count, after waiting for the last ones for so many seconds at most."""
        deadline = time.monotonic() + patience
        while self.delivered() < expected and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.delivered()

    def stop(self) -> None:
        self._program.stop()


def sink_argv(speaks: Speaks, address: str) -> list[str]:
    return ["smtp-sink", "-c", *(["-L"] if speaks is Speaks.LMTP else []), address, "512"]
