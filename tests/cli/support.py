"""Running the program as a user does: a real process, its exit code, its streams."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

PROGRAM = str(Path(sys.executable).with_name("mxgw"))
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Ours without any setting of the machine that the tests run on, and these."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("MXGW_")}
    return {**inherited, "PYTHONUTF8": "1", "COLUMNS": "120", **settings}


def mxgw(
    *arguments: str,
    settings: Mapping[str, str] | None = None,
    stdin: str = "",
    start: Sequence[str] = (PROGRAM,),
) -> Ended:
    """Run a command to its end."""
    done = subprocess.run(
        [*start, *arguments],
        env=environment(settings or {}),
        input=stdin.encode(),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


class Demo:
    """A running ``mxgw demo`` on free ports."""

    def __init__(self, mail_dir: Path) -> None:
        self.mail_dir = mail_dir
        self.doors: dict[str, str] = {}
        self.guide: dict[str, str] = {}
        self.errors = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [PROGRAM, "demo", "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--mail-dir", self.mail_dir],
            env=environment({"MXGW_LOG": "json", "MXGW_CHECKS": "recipient"}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        watchdog = threading.Timer(SECONDS, self._process.kill)
        watchdog.start()
        for line in self._process.stdout:
            event = json.loads(line)
            if event["event"] == "listening":
                self.doors[event["door"]] = event["address"]
            if self.doors.keys() >= {"smtp", "lmtp", "http"}:
                break
        self.guide = self._read_guide()
        watchdog.cancel()
        # What else it logs must not fill the pipe.
        self._drain = threading.Thread(target=self._process.stdout.read, daemon=True)
        self._drain.start()
        return self

    def _read_guide(self) -> dict[str, str]:
        """What it tells the user to type, by name; slow@ is the last line."""
        assert self._process.stderr is not None
        guide: dict[str, str] = {}
        for line in self._process.stderr:
            if line.startswith("  "):
                name, _, words = line.strip().partition(" ")
                guide[name] = words.strip()
            if "slow@" in guide:
                break
        return guide

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> int:
        """End it as the system does; the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        self._drain.join(SECONDS)
        if self._process.stderr and not self._process.stderr.closed:
            self.errors = self._process.stderr.read()
            self._process.stderr.close()
        code = self._process.wait(SECONDS)
        if self._process.stdout:
            self._process.stdout.close()
        return code
