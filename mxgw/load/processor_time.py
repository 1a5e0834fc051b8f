"""Processor time and memory of processes: our own, and those of a program under test, out of /proc."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_PARENT, _TIMES = 1, slice(11, 15)  # after the name: ppid; utime, stime, cutime, cstime (proc(5))


@dataclass(frozen=True, slots=True)
class Usage:
    """``cpu_seconds``: user and system, with children that have ended. ``rss_octets``: resident now."""

    cpu_seconds: float
    rss_octets: int


def own_cpu_seconds() -> float:
    """Of this process alone."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def tree_usage(pid: int) -> Usage | None:
    """Of a process and of all that descend from it; None where there is none, or no /proc."""
    stats = _stats()
    if pid not in stats:
        return None
    family = {pid}
    while more := {one for one, fields in stats.items() if int(fields[_PARENT]) in family} - family:
        family |= more
    ticks = sum(int(value) for one in family for value in stats[one][_TIMES])
    # Field 24 of proc(5) is resident pages; the list begins after the second.
    pages = sum(int(stats[one][21]) for one in family)
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE"))


def _stats() -> dict[int, list[str]]:
    found = {}
    for directory in _PROC.glob("[0-9]*"):
        try:
            text = (directory / "stat").read_text(errors="replace")
        except OSError:
            continue  # it ended between the two looks
        found[int(directory.name)] = text.rpartition(")")[2].split()
    return found
