"""The log files that a command reads: directories, stdin, a bar while it takes long."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from mxgw.cli.terminal import console

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PROGRESS_FROM_OCTETS: Final = 16 * 1024 * 1024
"""What is smaller is read before a bar could be looked at."""

READ_OCTETS: Final = 256 * 1024


class _Metered(io.FileIO):
    """A file that says how much of it was read."""

    def __init__(self, path: str, read: Callable[[int], None]) -> None:
        super().__init__(path)
        self._read = read

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read, and tell."""
        count = super().readinto(buffer)
        self._read(count)
        return count


def log_files(name: str) -> list[str]:
    """A file, or all files in a directory in the order of their names."""
    if name == "-" or not os.path.isdir(name):
        return [name]
    return sorted(str(path) for path in Path(name).rglob("*") if path.is_file())


@contextmanager
def opened(path: str, advance: Callable[[int], None]) -> Iterator[io.BufferedReader[Any]]:
    """A log for reading; stdin for ``-``. ``advance`` hears how much was read."""
    if path == "-":
        yield cast("io.BufferedReader[Any]", sys.stdin.buffer)
        return
    with io.BufferedReader(_Metered(path, advance), READ_OCTETS) as file:
        yield file


@contextmanager
def progress(paths: list[str], *, word: str = "reading") -> Iterator[Callable[[int], None]]:
    """A bar on stderr where a person waits; what it gives is told how many octets were read.

    ``word`` says in the person's language what takes so long.
    """
    total = sum(os.path.getsize(path) for path in paths if path != "-")
    if total < PROGRESS_FROM_OCTETS or not sys.stderr.isatty():
        yield lambda _count: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = (word, BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=total)
        yield lambda count: bar.advance(task, count)
