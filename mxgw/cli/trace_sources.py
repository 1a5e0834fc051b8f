"""The log files of ``mxgw trace``: read more than once, stdin from a copy."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from types import TracebackType
from typing import IO, Any, Final, Self, TypeVar, cast

from mxgw.cli.log_files import log_files, opened, progress
from mxgw.loglines import LogCounts, LogDamagedError, read_events, read_lines
from mxgw.trail.filing import MARK, MAX_FILINGS, Filed, parse_filing
from mxgw.trail.postfix_line import MARK as POSTFIX_MARK
from mxgw.trail.search import Logged
from mxgw.trail.sent_search import RawLine

MAX_LINES: Final = 50_000_000
"""Lines that are read in one pass: months of a busy server, and a quarter of an hour."""

MAX_COPY_OCTETS: Final = 8 * 1024**3
"""Of stdin, which can be read once only."""

COPY_OCTETS: Final = 1024 * 1024

Found = TypeVar("Found")


class Files:
    """A Source of received mail, and a PostfixSource of sent mail.

    ``complain(path, why)`` hears, once, of each file that breaks off. ``called`` are names of
    files for people, ``reading`` the word beside the bar.
    """

    any_case = True

    def __init__(
        self,
        names: Sequence[str],
        *,
        complain: Callable[[str, str], None],
        called: Mapping[str, str] | None = None,
        reading: str = "reading",
    ) -> None:
        self._names = names
        self._complain = complain
        self._called = called or {}
        self._reading = reading
        self._held = ExitStack()
        self._copy: IO[bytes] | None = None
        self._broken: set[str] = set()
        self.postfix_count = 0
        """Lines of Postfix's that there are."""

        self.cut = False
        """There was more than one of the bounds."""

    @property
    def whole(self) -> bool:
        """Whether no file broke off."""
        return not self._broken

    def missing(self) -> str | None:
        """The first name that is none of a file."""
        return next((name for name in self._names if name != "-" and not os.path.exists(name)), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def events(self, terms: tuple[str, ...], counts: LogCounts) -> Iterator[Logged]:
        """See mxgw.trail.search.Source. A file that cannot be read is complained about."""
        needles = [term.lower().encode() for term in terms]

        def read(file: io.BufferedReader[Any], name: str) -> Iterator[Logged]:
            found = read_events(
                file,
                name,
                counts,
                event="transaction",
                worth_reading=_holding(needles) if needles else None,
                max_lines=MAX_LINES,
            )
            for place, fields in found:
                yield Logged(name, place, fields)

        yield from self._each(read)
        self.cut = self.cut or counts.lines > MAX_LINES

    def filings(self, ids: frozenset[str]) -> list[Filed]:
        """What Dovecot's log, if it is among the files, says of these transactions."""

        def read(file: io.BufferedReader[Any], _name: str) -> Iterator[Filed]:
            for line in islice(read_lines(file), MAX_LINES):
                filed = parse_filing(line.decode("utf-8", "replace")) if MARK in line else None
                if filed is not None and filed.id in ids:
                    yield filed

        return list(islice(self._each(read), MAX_FILINGS))

    def postfix_lines(self, wanted: Callable[[bytes], bool]) -> Iterator[RawLine]:
        """See mxgw.trail.sent_search.PostfixSource."""
        now, counted = time.time(), self.postfix_count > 0

        def read(file: io.BufferedReader[Any], name: str) -> Iterator[RawLine]:
            # A line cannot be younger than its file, whose date may be of last year.
            latest = min(now, os.fstat(file.fileno()).st_mtime)
            for line in islice(read_lines(file), MAX_LINES):
                if POSTFIX_MARK not in line:
                    continue
                self.postfix_count += not counted
                if wanted(line):
                    yield RawLine(name, line.decode("utf-8", "replace"), latest)

        return self._each(read)

    def _each(self, read: Callable[[io.BufferedReader[Any], str], Iterator[Found]]) -> Iterator[Found]:
        paths = [path for name in self._names for path in log_files(name)]
        with progress(paths, word=self._reading) as advance:
            for path in paths:
                name = "stdin" if path == "-" else self._called.get(path, path)
                try:
                    with self._opened(path, advance) as file:
                        yield from read(file, name)
                except (OSError, LogDamagedError) as error:
                    self._broke(name, error)

    def _broke(self, name: str, error: OSError | LogDamagedError) -> None:
        if name not in self._broken:
            self._broken.add(name)
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._complain(name, why)

    @contextmanager
    def _opened(self, path: str, advance: Callable[[int], None]) -> Iterator[io.BufferedReader[Any]]:
        if path != "-":
            with opened(path, advance) as file:
                yield file
            return
        if self._copy is None:
            held = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed with the others
            self._copy = self._held.enter_context(held)
            self._fill(self._copy)
        self._copy.seek(0)
        # Another handle on the same file: the reader closes what it is given.
        with open(os.dup(self._copy.fileno()), "rb") as file:
            yield file

    def _fill(self, copy: IO[bytes]) -> None:
        stdin = cast("io.BufferedReader[Any]", sys.stdin.buffer)
        copied = 0
        while chunk := stdin.read1(COPY_OCTETS):
            copied += len(chunk)
            if copied > MAX_COPY_OCTETS:
                self.cut = True
                return
            copy.write(chunk)


def _holding(needles: Sequence[bytes]) -> Callable[[bytes], bool]:
    def holds(line: bytes) -> bool:
        lowered = line.lower()
        return any(needle in lowered for needle in needles)

    return holds
