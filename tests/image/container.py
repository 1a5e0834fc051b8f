"""One container: what it says, what it costs, how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from tests.rig.process import ProgramError, wait_until

Event = dict[str, Any]
CGROUPS = Path("/sys/fs/cgroup")
START_SECONDS = 30.0


class Client(Protocol):
    """The client of the engine."""

    def client(self, *words: str, seconds: float = ...) -> str: ...

    def run_client(self, *words: str, seconds: float = ...) -> subprocess.CompletedProcess[str]: ...


class Container:
    """A container that was started; gone, with its volumes, at the end of the block."""

    def __init__(self, engine: Client, identity: str) -> None:
        self._engine = engine
        self.identity = identity
        self._pid = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            print(f"the container said:\n{self.words()}")
        self._engine.client("rm", "--force", "--volumes", self.identity)

    # -- what it says

    def words(self) -> str:
        """Everything on stdout and stderr."""
        done = self._engine.run_client("logs", self.identity)
        return done.stdout + done.stderr

    def events(self, name: str) -> list[Event]:
        """The lines of its log with that name."""
        lines = self._engine.client("logs", self.identity).splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{")]
        return [event for event in events if event.get("event") == name]

    def door(self, name: str) -> tuple[str, int]:
        """Where it listens, as soon as it does."""

        def found() -> list[str]:
            return [event["address"] for event in self.events("listening") if event["door"] == name]

        wait_until(
            lambda: bool(found()) or not self.running, seconds=START_SECONDS, what=f"the {name} door is open"
        )
        if not found():
            raise ProgramError(f"no {name} door; the container said:\n{self.words()}")
        host, _, port = found()[0].rpartition(":")
        return host, int(port)

    # -- what it is

    def state(self) -> dict[str, Any]:
        """docker inspect's State."""
        found: dict[str, Any] = json.loads(self._engine.client("inspect", self.identity))[0]["State"]
        return found

    @property
    def running(self) -> bool:
        return bool(self.state()["Running"])

    @property
    def pid(self) -> int:
        """Process 1 of the container, as this machine numbers it."""
        if not self._pid:
            self._pid = int(self.state()["Pid"])
        return self._pid

    def status(self) -> dict[str, str]:
        """/proc/PID/status of process 1."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def health(self) -> str:
        """starting, healthy, unhealthy."""
        return str(self.state()["Health"]["Status"])

    def wait_for_health(self, wanted: str, *, seconds: float = 60.0) -> None:
        wait_until(lambda: self.health() == wanted, seconds=seconds, what=f"the container is {wanted}")

    def execute(self, *command: str, user: str = "") -> subprocess.CompletedProcess[str]:
        """A command within, however it ends."""
        return self._engine.run_client("exec", *([f"--user={user}"] if user else []), self.identity, *command)

    # -- what it costs

    def cpu_seconds(self) -> float:
        """Processor time of everything in it, its making included."""
        path = self._cgroup("cpuacct")
        if (path / "cpuacct.usage").exists():
            return int((path / "cpuacct.usage").read_text()) / 1e9
        return int(_table(path / "cpu.stat")["usage_usec"]) / 1e6

    def program_octets(self) -> int:
        """Memory of programs: without the cache of files, which the kernel drops when it must."""
        table = _table(self._cgroup("memory") / "memory.stat")
        return int(table.get("total_rss", table.get("anon", "0")))

    def killed_for_memory(self) -> bool:
        """Whether the kernel ended a process in it for want of memory."""
        path = self._cgroup("memory")
        events = path / "memory.oom_control"
        table = _table(events if events.exists() else path / "memory.events")
        return int(table["oom_kill"]) > 0

    def _cgroup(self, controller: str) -> Path:
        for line in Path(f"/proc/{self.pid}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controller in controllers.split(","):
                return CGROUPS / controller / path.lstrip("/")
            if not controllers and (CGROUPS / path.lstrip("/") / "memory.stat").exists():
                return CGROUPS / path.lstrip("/")
        raise ProgramError(f"no {controller} group of process {self.pid}")

    # -- how it ends

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def stop(self, *, seconds: int = 115) -> int:
        """What an orchestrator does: the image's signal to stop, then SIGKILL; the exit code."""
        self._engine.client("stop", f"--time={seconds}", self.identity, seconds=seconds + 30.0)
        return int(self.state()["ExitCode"])

    def wait(self, *, seconds: float = 120.0) -> int:
        """The exit code, when it has ended."""
        end = time.monotonic() + seconds
        return int(self._engine.client("wait", self.identity, seconds=end - time.monotonic()).strip())


def _table(path: Path) -> dict[str, str]:
    lines: Sequence[str] = path.read_text().splitlines()
    return {name: value for name, _, value in (line.partition(" ") for line in lines)}
