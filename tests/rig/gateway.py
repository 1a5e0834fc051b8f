"""The program under test: ``mxgw serve edge`` as a child process, driven by its environment alone."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.rig.process import ProgramError, Service, Workplace

Event = dict[str, Any]

PROGRAM = Path(sys.executable).with_name("mxgw")
START_SECONDS = 20.0
SEAL_KEY = "a key that the rig shares with home"

ENVIRONMENT = {
    "MXGW_LISTEN": "127.0.0.1:0",
    "MXGW_HTTP_LISTEN": "127.0.0.1:0",
    "MXGW_HOSTNAME": "mx.example.jp",
    "MXGW_DOMAINS": "example.jp",
    # What asks DNS or makes a client wait is off: these tests send from loopback.
    "MXGW_CHECKS": "recipient",
    "MXGW_SEAL_KEY": SEAL_KEY,
    "MXGW_LOG": "json",
    # Every client of these tests comes from the same address.
    "MXGW_MAX_SESSIONS_PER_CLIENT": "2000",
}


class Gateway(Service):
    """A running gateway. ``environ`` adds to ENVIRONMENT (names without MXGW_, in lower case).

    ``wrapper`` is put before the command: ``ip netns exec NAME`` for one.
    """

    def __init__(self, home: str, *, wrapper: Sequence[str] = (), **environ: str) -> None:
        self._place = Workplace()
        self._wrapper = list(wrapper)
        self._environ = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONUNBUFFERED": "1",
            **ENVIRONMENT,
            "MXGW_HOME": home,
            "MXGW_SPOOL_DIR": str(self._place.directory("spool")),
            **{f"MXGW_{name.upper()}": value for name, value in environ.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._changed = threading.Condition()
        self._events: list[Event] = []
        self._other_lines: list[str] = []
        self._ended = False
        self.start_seconds = 0.0
        self.smtp: tuple[str, int] = ("", 0)

    # -- life

    def start(self) -> None:
        began = time.monotonic()
        with self._errors_path.open("ab") as errors:
            self._process = subprocess.Popen(
                [*self._wrapper, str(PROGRAM), "serve", "edge"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self._environ,
                cwd=self._place.path,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.smtp = self._listening("smtp")
        self.start_seconds = time.monotonic() - began

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        os.kill(self.pid, number)

    def terminate(self, seconds: float = 120.0) -> int:
        """SIGTERM, and the exit code."""
        self.signal()
        return self.wait(seconds)

    def wait(self, seconds: float = 120.0) -> int:
        if self._process is None:
            raise ProgramError("the gateway is not started")
        code = self._process.wait(seconds)
        if self._reader is not None:
            self._reader.join(seconds)
        return code

    def kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def close(self) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                self._process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(20)
            self.kill()
            if self._reader is not None:
                self._reader.join(5)
            if self._process.stdout is not None:
                self._process.stdout.close()
        self._place.remove()

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ProgramError("the gateway is not started")
        return self._process.pid

    @property
    def http(self) -> tuple[str, int]:
        return self._listening("http")

    @property
    def address(self) -> str:
        return f"{self.smtp[0]}:{self.smtp[1]}"

    # -- what it says

    def events(self, name: str | None = None) -> list[Event]:
        with self._changed:
            return [event for event in self._events if name in (None, event.get("event"))]

    def transactions(self) -> list[Event]:
        return self.events("transaction")

    def wait_for(self, name: str, *, count: int = 1, seconds: float = 30.0) -> list[Event]:
        """The events of that name as soon as there are ``count``."""
        with self._changed:
            self._changed.wait_for(lambda: self._count(name) >= count or self._ended, seconds)
        found = self.events(name)
        if len(found) < count:
            raise ProgramError(f"{len(found)} of {count} events {name!r}; the gateway said:\n{self.words()}")
        return found

    def errors(self) -> str:
        """What it wrote to stderr: tracebacks of bugs, warnings of the interpreter."""
        return self._errors_path.read_text(errors="replace") if self._errors_path.exists() else ""

    def words(self) -> str:
        with self._changed:
            lines = [json.dumps(event) for event in self._events[-50:]] + self._other_lines[-50:]
        return "\n".join([*lines, self.errors()])

    def tracebacks(self) -> list[str]:
        """Signs of a bug in anything it wrote."""
        with self._changed:
            lines = [json.dumps(event) for event in self._events] + self._other_lines
        return [line for line in [*lines, *self.errors().splitlines()] if "Traceback" in line]

    def get(self, path: str) -> tuple[int, bytes]:
        """One page of its HTTP door: status and body."""
        host, port = self.http
        url = f"http://{host}:{port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    # -- what it costs

    def _processes(self) -> list[psutil.Process]:
        own = psutil.Process(self.pid)
        return [own, *own.children(recursive=True)]

    def rss_octets(self) -> int:
        """Resident memory of all its processes together."""
        return sum(process.memory_info().rss for process in self._processes())

    def pss_octets(self) -> int:
        """Its proportional share: pages that several processes share count once."""
        return sum(process.memory_full_info().pss for process in self._processes())

    def peak_rss_octets(self) -> int:
        """The highest resident memory so far (VmHWM) of the main process."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise ProgramError("no VmHWM in /proc")

    def cpu_seconds(self) -> float:
        """Processor time used so far, user and system, by all its processes."""
        return sum(sum(process.cpu_times()[:2]) for process in self._processes())

    # -- within

    @property
    def _errors_path(self) -> Path:
        return self._place.path / "stderr"

    def _count(self, name: str) -> int:
        return sum(1 for event in self._events if event.get("event") == name)

    def _listening(self, door: str) -> tuple[str, int]:
        def found() -> list[str]:
            return [
                event["address"]
                for event in self._events
                if event.get("event") == "listening" and event.get("door") == door
            ]

        with self._changed:
            self._changed.wait_for(lambda: bool(found()) or self._ended, START_SECONDS)
            addresses = found()
        if not addresses:
            raise ProgramError(f"the gateway opened no {door} door and said:\n{self.words()}")
        host, _, port = addresses[0].rpartition(":")
        return host.strip("[]"), int(port)

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                event = None
            with self._changed:
                if isinstance(event, dict):
                    self._events.append(event)
                else:
                    self._other_lines.append(line.decode(errors="replace").rstrip())
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
