"""The spool holds one message while it is with us: in memory while small, else in a file without a name.

All spools of a process share one budget, of octets in all and of octets in memory, so that neither many
messages nor large ones can take more than the administrator allowed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

READ_OCTETS = 64 * 1024
"""The largest chunk that a spool gives back."""

WRITE_OCTETS = 64 * 1024
"""Pieces smaller than this are gathered before they go to the file: a slow client sends many."""

MEMORY_OCTETS = 256 * 1024
"""What a message may hold in memory before it goes to a file: nearly all mail without attachments."""

MAX_MEMORY_OCTETS = 64 * 1024 * 1024
"""What all spools of a process hold in memory; beyond, messages go to a file at once.

Without it 2,000 sessions of 256 KiB each would outgrow a task of 512 MB.
"""

MAX_HEADERS_OCTETS = 64 * 1024 * 1024
"""What the parsed header blocks of all messages take, for the same reason; beyond, messages are deferred.
It is apart from the memory of spools: these can do without, a header block cannot."""


class SpoolFull(Exception):
    """No room for the message: the budget is used up or the file cannot be written. Answer 452."""


class Allowance:
    """A number of octets that several may reserve from, never more than there are."""

    __slots__ = ("max_octets", "used")

    def __init__(self, max_octets: int) -> None:
        self.max_octets = max_octets
        self.used = 0

    def reserve(self, octets: int) -> bool:
        """Take octets; False, and nothing taken, where they are not there."""
        if self.used + octets > self.max_octets:
            return False
        self.used += octets
        return True

    def release(self, octets: int) -> None:
        """Give back what was reserved."""
        self.used -= octets


class SpoolBudget(Allowance):
    """What the messages of a process may take: all octets; those in memory; those of header blocks."""

    __slots__ = ("headers", "memory")

    def __init__(
        self,
        max_octets: int,
        *,
        max_memory_octets: int = MAX_MEMORY_OCTETS,
        max_headers_octets: int = MAX_HEADERS_OCTETS,
    ) -> None:
        super().__init__(max_octets)
        self.memory = Allowance(max_memory_octets)
        self.headers = Allowance(max_headers_octets)


class Spool:
    """One message's octets, written once, read as often as needed.

    The newest octets are held in memory; what no longer fits there is in the file, which has no name in
    the file system: it is gone with the process, however that ends. Whoever makes a spool closes it.
    """

    __slots__ = (
        "_budget",
        "_closed",
        "_directory",
        "_file",
        "_file_octets",
        "_held",
        "_memory_octets",
        "_octets",
    )

    def __init__(
        self, budget: SpoolBudget, *, directory: Path | None = None, memory_octets: int = MEMORY_OCTETS
    ) -> None:
        self._budget = budget
        self._directory = directory
        self._memory_octets = memory_octets
        self._held = bytearray()  # not a list: a million pieces of one octet stay a megabyte
        self._file: FileIO | None = None
        self._file_octets = 0
        self._octets = 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def octets(self) -> int:
        """How many octets were written; still known once closed."""
        return self._octets

    def write(self, chunk: bytes) -> None:
        """Append a chunk, or raise SpoolFull; the spool is closed then, for half a message is of no use.

        Raises ValueError where the spool is closed already.
        """
        self._open_or_raise()
        if not self._budget.reserve(len(chunk)):
            self.close()
            raise SpoolFull("the spool budget is used up")
        self._octets += len(chunk)
        limit = self._memory_octets if self._file is None else min(self._memory_octets, WRITE_OCTETS - 1)
        if len(self._held) + len(chunk) <= limit and self._budget.memory.reserve(len(chunk)):
            self._held += chunk
            return
        try:
            self._to_file(chunk)
        except OSError as error:
            self.close()
            raise SpoolFull(f"the spool file cannot be written: {error.strerror or error}") from error

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """The octets from ``start`` on, in chunks of at most 64 KiB.

        Every iteration has its own position, and sees what is written while it runs. Raises OSError where
        the file cannot be read, and ValueError once the spool is closed.
        """
        position = start
        while True:
            self._open_or_raise()
            if position >= self._octets:
                return
            chunk = self._read(position)
            yield chunk
            position += len(chunk)

    def close(self) -> None:
        """Drop the octets and give back the budget. Closing again does nothing."""
        if self._closed:
            return
        self._closed = True
        self._budget.release(self._octets)
        self._budget.memory.release(len(self._held))
        self._held = bytearray()
        if self._file is not None:
            self._file.close()

    def _open_or_raise(self) -> None:
        if self._closed:
            raise ValueError("the spool is closed")

    def _to_file(self, chunk: bytes) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0, dir=self._directory)  # noqa: SIM115 - close() closes it
        if self._held:
            _write_all(self._file, self._held)
            self._budget.memory.release(len(self._held))
            self._file_octets += len(self._held)
            self._held = bytearray()
        _write_all(self._file, chunk)
        self._file_octets += len(chunk)

    def _read(self, position: int) -> bytes:
        if self._file is not None and position < self._file_octets:
            # fileno() of a closed file raises: its number may by then be another message's file.
            octets = min(READ_OCTETS, self._file_octets - position)
            chunk = os.pread(self._file.fileno(), octets, position)
            if not chunk:
                raise OSError("the spool file ends too early")
            return chunk
        begin = position - self._file_octets
        return bytes(memoryview(self._held)[begin : begin + READ_OCTETS])


def _write_all(file: FileIO, octets: bytes | bytearray) -> None:
    written = file.write(octets)
    while written < len(octets):  # a nearly full disk takes a part, then says ENOSPC
        with memoryview(octets) as view:
            written += file.write(view[written:])
