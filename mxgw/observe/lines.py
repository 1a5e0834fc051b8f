"""Writes lines to a descriptor and never waits for whoever reads them: a stalled log must not stall mail.

What does not fit is held back to a bound and written later; beyond the bound, lines are counted as lost.
"""

from __future__ import annotations

import asyncio
import os
import select
import stat
import time

MAX_BACKLOG_OCTETS = 1024 * 1024
"""About 2,000 transactions: a log shipper that restarts costs nothing, one that is gone costs no memory."""

RETRY_SECONDS = 0.2
"""How soon what was held back is tried again without waiting for the next line."""

CLOSE_SECONDS = 2.0
"""How long the end of the program waits for its last lines to leave."""

PIPE_BUF = select.PIPE_BUF


class LineWriter:
    """Writes to ``descriptor``, which stays open; lines must be whole and end with a line feed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._ready = _unblocked(descriptor)
        self._own = self._descriptor != descriptor
        self._backlog = bytearray()
        self._retrying = False
        self.lost = 0

    def write(self, line: bytes) -> None:
        """Write at once, hold back, or count as lost. Raises nothing."""
        if not self._backlog:
            try:
                written = self._write_some(line)
            except OSError:
                self.lost += 1
                return
            if written == len(line):
                return
            # A line that is begun is finished before any other, even beyond the bound.
            self._backlog += line[written:]
        elif len(self._backlog) + len(line) > MAX_BACKLOG_OCTETS:
            self.lost += 1
        else:
            self._backlog += line
            self.flush()
        self._retry_later()

    def flush(self) -> None:
        """Write what was held back, as far as the reader takes it."""
        while self._backlog:
            try:
                written = self._write_some(bytes(self._backlog[:PIPE_BUF]))
            except OSError:
                self.lost += self._backlog.count(b"\n")
                self._backlog.clear()
                return
            if not written:
                return
            del self._backlog[:written]

    def close(self) -> None:
        """Give the reader a moment to take what was held back; count the rest as lost."""
        deadline = time.monotonic() + CLOSE_SECONDS
        poll = select.poll()
        if self._backlog:
            poll.register(self._descriptor, select.POLLOUT)
        while self._backlog and (left := deadline - time.monotonic()) > 0:
            poll.poll(left * 1000)
            self.flush()
        self.lost += self._backlog.count(b"\n")
        self._backlog.clear()
        if self._own:
            os.close(self._descriptor)
            self._own, self._descriptor = False, -1

    def _write_some(self, octets: bytes) -> int:
        if self._ready is not None:
            # The descriptor may block. POLLOUT on a pipe promises room for PIPE_BUF octets, no more.
            sent = 0
            while sent < len(octets) and self._ready.poll(0):
                sent += os.write(self._descriptor, octets[sent : sent + PIPE_BUF])
            return sent
        try:
            return os.write(self._descriptor, octets)
        except BlockingIOError:
            return 0

    def _retry_later(self) -> None:
        if self._retrying or not self._backlog:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._retrying = True
        loop.call_later(RETRY_SECONDS, self._retry)

    def _retry(self) -> None:
        self._retrying = False
        self.flush()
        self._retry_later()


def _unblocked(descriptor: int) -> tuple[int, select.poll | None]:
    """A descriptor that does not block, or the same one with a poll object to ask before each write.

    O_NONBLOCK belongs to the open file, which the shell that started us shares: so the pipe or terminal is
    opened anew. Files never block, and a socket cannot be opened anew.
    """
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return descriptor, None
    if stat.S_ISREG(mode):
        return descriptor, None
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        try:
            return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY), None
        except OSError:
            pass
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return descriptor, poll
