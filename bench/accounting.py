"""CPU time and memory of a group of processes, those that came and went included.

Postfix answers each client from a pool of short-lived processes, so the sum must hold the dead too. A
control group counts them all (v1 ``cpuacct``, else v2 ``cpu.stat``); without one the process table has to
do: own time plus time of children waited for, over the tree.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

CGROUP_V1 = Path("/sys/fs/cgroup/cpuacct")
CGROUP_V2 = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))
STOP_SECONDS = 10.0
"""How long a group may take to leave after SIGTERM; then SIGKILL."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU time used so far, in seconds."""

    total: float
    system: float

    def __sub__(self, other: Cpu) -> Cpu:
        return Cpu(self.total - other.total, self.system - other.system)


class Account(Protocol):
    """A group of processes whose CPU time and memory are counted together."""

    method: str

    def wrap(self, argv: Sequence[str]) -> list[str]:
        """The command that starts ``argv`` inside the group."""

    def adopt(self, pid: int) -> None:
        """Tell the root of the tree, where the group cannot know it by itself."""

    def cpu(self) -> Cpu:
        """What all processes of the group have used, the exited ones included."""

    def pids(self) -> list[int]:
        """The processes of the group that live now."""

    def close(self) -> None:
        """Forget the group; its processes must have gone."""


class CgroupV1:
    """A group of the ``cpuacct`` hierarchy: exact, in nanoseconds."""

    method = "cgroup v1 cpuacct.usage"

    def __init__(self, name: str) -> None:
        self._path = CGROUP_V1 / name
        self._path.mkdir()

    def wrap(self, argv: Sequence[str]) -> list[str]:
        return _started_in(self._path, argv)

    def adopt(self, pid: int) -> None:
        pass

    def cpu(self) -> Cpu:
        total = int((self._path / "cpuacct.usage").read_text())
        system = int((self._path / "cpuacct.usage_sys").read_text())
        return Cpu(total / 1e9, system / 1e9)

    def pids(self) -> list[int]:
        return _pids_of(self._path)

    def close(self) -> None:
        _remove(self._path)


class CgroupV2:
    """A group of the unified hierarchy: ``cpu.stat`` is there without any controller, in microseconds."""

    method = "cgroup v2 cpu.stat"

    def __init__(self, name: str) -> None:
        root = next(root for root in CGROUP_V2 if (root / "cgroup.controllers").exists())
        self._path = root / name
        self._path.mkdir()
        self.cpu()

    def wrap(self, argv: Sequence[str]) -> list[str]:
        return _started_in(self._path, argv)

    def adopt(self, pid: int) -> None:
        pass

    def cpu(self) -> Cpu:
        pairs = (line.split() for line in (self._path / "cpu.stat").read_text().splitlines())
        stat = {name: int(value) for name, value in pairs}
        return Cpu(stat["usage_usec"] / 1e6, stat["system_usec"] / 1e6)

    def pids(self) -> list[int]:
        return _pids_of(self._path)

    def close(self) -> None:
        _remove(self._path)


class ProcessTree:
    """The process table: user and system time of the tree, in ticks of 10 ms.

    A child that is waited for counts in its parent, so nothing is lost while the parent lives. Whoever leaves
    the tree before it was seen once (a daemon's double fork) is not counted: the way out, not the way.
    """

    method = "process table (own and waited-for children)"

    def __init__(self, _name: str) -> None:
        self._known: set[psutil.Process] = set()

    def wrap(self, argv: Sequence[str]) -> list[str]:
        return list(argv)

    def adopt(self, pid: int) -> None:
        self._known.add(psutil.Process(pid))

    def cpu(self) -> Cpu:
        user = system = 0.0
        for process in self._alive():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                user += times.user + times.children_user
                system += times.system + times.children_system
        return Cpu(user + system, system)

    def pids(self) -> list[int]:
        return [process.pid for process in self._alive()]

    def close(self) -> None:
        self._known.clear()

    def _alive(self) -> set[psutil.Process]:
        for process in tuple(self._known):
            with contextlib.suppress(psutil.Error):
                self._known.update(process.children(recursive=True))
        for process in tuple(self._known):
            try:
                gone = not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
            except psutil.Error:
                gone = True
            if gone:
                self._known.discard(process)
        return self._known


METHODS: dict[str, Callable[[str], Account]] = {"v1": CgroupV1, "v2": CgroupV2, "tree": ProcessTree}


def open_account(label: str, *, method: str | None = None) -> Account:
    """The most exact account that can be had here, or the one asked for by name."""
    name = f"mxgw-bench-{os.getpid()}-{label}"
    if method is not None:
        return METHODS[method](name)
    for make in (CgroupV1, CgroupV2):
        with contextlib.suppress(OSError, StopIteration):
            return make(name)
    return ProcessTree(name)


def proportional_megabytes(pids: Sequence[int]) -> float:
    """Memory of the processes, each shared page divided by its users (PSS), in MB."""
    kilobytes = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    kilobytes += int(line.split()[1])
    return kilobytes / 1000


def end_group(account: Account, *, patience_seconds: float = STOP_SECONDS) -> None:
    """End what is left in the group, by PID, and see it gone."""
    for sign, patience in ((signal.SIGTERM, patience_seconds), (signal.SIGKILL, STOP_SECONDS)):
        for pid in account.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        deadline = time.monotonic() + patience
        while account.pids() and time.monotonic() < deadline:
            time.sleep(0.02)
        if not account.pids():
            return


def busy_seconds() -> float:
    """CPU time that all processes of the machine have used, by the same clock as the groups."""
    usage = CGROUP_V1 / "cpuacct.usage"
    with contextlib.suppress(OSError):
        return int(usage.read_text()) / 1e9
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


def _started_in(path: Path, argv: Sequence[str]) -> list[str]:
    join = 'echo $$ > "$0" && exec "$@"'
    return ["/bin/sh", "-c", join, str(path / "cgroup.procs"), *argv]


def _pids_of(path: Path) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        return [int(line) for line in (path / "cgroup.procs").read_text().split()]
    return []


def _remove(path: Path) -> None:
    for _ in range(50):
        try:
            path.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.02)  # the kernel still clears away a process that has just gone
        else:
            return
