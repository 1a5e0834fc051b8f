"""A sink as a user runs it: a program of its own, its lines, its ledger."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

from mxgw.load.ledger import Entry, read
from tests.rig.process import ProgramError, Service, Workplace

SECONDS = 60.0
PROGRAM = (sys.executable, "-c", "from mxgw.cli.load_sink import command; command()")


class RunningSink(Service):
    """``mxgw load sink`` at a free port. ``rules`` are given with --misbehave."""

    def __init__(
        self, *arguments: str, rules: Sequence[str] = (), lmtp: bool = False, ledger: bool = True
    ) -> None:
        self._place = Workplace()
        self.ledger = self._place.path / "stored.jsonl"
        own = [*(["--ledger", str(self.ledger)] if ledger else []), *(["--lmtp"] if lmtp else [])]
        self._arguments = [*own, *arguments, *(word for rule in rules for word in ("--misbehave", rule))]
        self._process: Popen[str] | None = None
        self.address = ("", 0)
        self.totals: dict[str, Any] = {}
        self.lines: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"lmtp://{self.address[0]}:{self.address[1]}"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ProgramError("the sink is not started")
        return self._process.pid

    def start(self) -> None:
        command = [*PROGRAM, "--listen", "127.0.0.1:0", *self._arguments]
        self._process = Popen(command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, text=True)
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        if not first:
            assert self._process.stderr is not None
            raise ProgramError(self._process.stderr.read())
        host, _, port = json.loads(first)["address"].rpartition(":")
        self.address = (host, int(port))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> dict[str, Any]:
        """End it; its totals."""
        assert self._process is not None
        watchdog = threading.Timer(SECONDS, self._process.kill)
        watchdog.start()
        self._process.send_signal(number)
        out, errors = self._process.communicate()
        watchdog.cancel()
        self.lines = [json.loads(line) for line in out.splitlines()]
        if self._process.returncode != 0 or errors:
            raise ProgramError(f"the sink ended with {self._process.returncode}: {errors}")
        self.totals = self.lines[-1]
        return self.totals

    def ended(self) -> tuple[int, str]:
        """Exit code and words of a sink that ends by itself."""
        assert self._process is not None
        _, errors = self._process.communicate(timeout=SECONDS)
        return self._process.returncode, errors

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def entries(self) -> list[Entry]:
        return list(read(self.ledger))

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self._place.remove()


def ledger_files(ledger: Path) -> list[str]:
    return sorted(path.name for path in ledger.parent.iterdir() if path.name.startswith(ledger.name))
