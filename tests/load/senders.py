"""``mxgw load send`` as a user runs it, and Postfix's sink as the stranger that it talks to."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.rig.process import Child, Service, Workplace, answers, find_program, free_port

SECONDS = 120.0
PROGRAM = (sys.executable, "-c", "from mxgw.cli.load_send import command; command()")
VERIFY = (sys.executable, "-c", "from mxgw.cli.load_verify import command; command()")


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended: exit code, what --json said, what stood on stderr."""

    code: int
    values: dict[str, Any] = field(default_factory=dict)
    errors: str = ""

    @property
    def messages(self) -> dict[str, int]:
        """Counts by what became of them, without the zeros."""
        return {name: count for name, count in self.values["messages"].items() if count}


def send(
    address: tuple[str, int], *arguments: str, during: Callable[[subprocess.Popen[str]], None] | None = None
) -> Report:
    """One run with --json. ``during`` is called while it goes on."""
    command = [*PROGRAM, f"{address[0]}:{address[1]}", "--json", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        if during is not None:
            during(process)
        try:
            out, errors = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            raise
    return Report(process.returncode, json.loads(out) if out else {}, errors)


def verify(sent: Path, stored: Path) -> dict[str, Any]:
    """What ``mxgw load verify`` says of two ledgers."""
    done = subprocess.run(
        [*VERIFY, str(sent), "--sink", str(stored)],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    values: dict[str, Any] = json.loads(done.stdout)
    return values


class SmtpSink(Service):
    """Postfix's smtp-sink with its counters: sessions, and messages by what it printed last."""

    def __init__(self, *arguments: str) -> None:
        self._place = Workplace()
        self.address = ("127.0.0.1", free_port())
        program = find_program("smtp-sink", package="postfix")
        self._child = Child(
            [program, "-u", "nobody", "-c", *arguments, f"127.0.0.1:{self.address[1]}", "512"],
            words=self._place.path / "words",
        )

    @property
    def pid(self) -> int:
        return self._child.pid

    def start(self) -> None:
        self._child.start(lambda: answers(self.address[1]))

    def messages(self) -> int:
        """Taken so far."""
        counters = re.findall(r"mesg=(\d+)", self._child.said()[-200:])
        return int(counters[-1]) if counters else 0

    def close(self) -> None:
        self._child.stop()
        self._place.remove()
