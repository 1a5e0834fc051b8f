"""A share of a core for some processes (CFS bandwidth), as a container's CPU limit is."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

CPU_V1 = Path("/sys/fs/cgroup/cpu")


class Quota:
    """``with Quota(0.25) as quota``, then ``quota.hold(pids)``: each call makes one group of its own.

    Only the v1 hierarchy: there the controller is apart from the one that counts, so that a process can be
    in both groups. ``works`` is False where it cannot be had: then nothing is held.
    """

    def __init__(self, share: float, *, period_microseconds: int) -> None:
        self.share = share
        self._period = period_microseconds
        self._paths: list[Path] = []

    @property
    def works(self) -> bool:
        """Whether a group with a limit can be made here."""
        probe = CPU_V1 / f"mxgw-bench-{os.getpid()}-probe"
        with contextlib.suppress(OSError):
            probe.mkdir()
            works = (probe / "cpu.cfs_quota_us").exists()
            probe.rmdir()
            return works
        return False

    def __enter__(self) -> Self:
        return self

    def hold(self, pids: Iterable[int]) -> None:
        """These processes have the share together."""
        path = CPU_V1 / f"mxgw-bench-{os.getpid()}-{len(self._paths)}"
        path.mkdir()
        self._paths.append(path)
        (path / "cpu.cfs_period_us").write_text(str(self._period))
        (path / "cpu.cfs_quota_us").write_text(str(int(self._period * self.share)))
        for pid in pids:
            (path / "cgroup.procs").write_text(str(pid))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for path in self._paths:
            with contextlib.suppress(OSError):
                path.rmdir()
