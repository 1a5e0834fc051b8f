"""What this process takes of the machine: resident memory, CPU time, open files."""

from __future__ import annotations

import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_PAGE_OCTETS = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """Figures of one process at one moment."""

    resident_octets: int
    cpu_seconds: float
    open_files: int


def usage() -> Usage:
    """Of the calling process. Without /proc, memory is the peak and open files are not known (0)."""
    try:
        resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_OCTETS
        # One of them is the listing itself.
        open_files = len(os.listdir("/proc/self/fd")) - 1
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        # Kibibytes everywhere but on macOS: getrusage(2).
        resident, open_files = peak if sys.platform == "darwin" else peak * 1024, 0
    return Usage(resident, time.process_time(), open_files)
