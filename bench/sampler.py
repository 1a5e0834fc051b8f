"""Runs a Python program and notes, every few milliseconds of its CPU time, where it is.

    python -m bench.sampler STACKS PROGRAM [ARGUMENT...]

A timer of CPU time (ITIMER_PROF) and not of wall time: a system call during which another process has the
core then weighs no more than it costs. The stacks are written when the program ends, one per line: frames
from the outermost, joined by ``;``, a blank, how often it was seen.
"""

from __future__ import annotations

import atexit
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

INTERVAL_SECONDS = 0.001
"""The kernel rounds it up to its tick, mostly 4 ms."""

Place = tuple[CodeType, int]


class Sampler:
    """Counts stacks in a signal handler; frames get their names at the end."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[Place, ...]] = Counter()

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._note)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)

    def _note(self, _number: int, frame: FrameType | None) -> None:
        places: list[Place] = []
        while frame is not None:
            places.append((frame.f_code, frame.f_lineno or 0))
            frame = frame.f_back
        self._seen[tuple(places)] += 1

    def write(self, target: Path) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        lines = (f"{';'.join(map(_words, reversed(stack)))} {count}\n" for stack, count in self._seen.items())
        target.write_text("".join(lines))


def _words(place: Place) -> str:
    code, line = place
    return f"{code.co_qualname} ({'/'.join(Path(code.co_filename).parts[-2:])}:{line})"


def main() -> None:
    target, program = Path(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[2:]
    sampler = Sampler()
    atexit.register(sampler.write, target)
    sampler.start()
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
