"""A person at a terminal: reads what is on the screen, types answers."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

SECONDS = 60.0
PATIENCE_SECONDS = 5.0
ROWS, COLUMNS = 50, 140
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def wide(text: str) -> str:
    """ASCII as a Japanese keyboard writes it when nobody looks: every letter and sign twice as wide."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


class Person:
    """Runs a program on a pseudo-terminal of so many columns."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], *, columns: int = COLUMNS) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
        self._process = subprocess.Popen(command, env=environ, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.raw = ""
        # A read may end within a character.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(SECONDS)
        os.close(self._ours)

    @property
    def screen(self) -> str:
        """All that was shown so far, without colours."""
        return _COLOURS.sub("", self.raw).replace("\r\n", "\n")

    def sees(self, text: str) -> None:
        """Waits for a text after the last one that was seen."""
        end = time.monotonic() + SECONDS
        while (found := self.screen.find(text, self._read)) < 0:
            if time.monotonic() > end or not self._more(end):
                raise AssertionError(f"{text!r} is not on the screen:\n{self.screen}")
        self._read = found + len(text)

    def types(self, text: str) -> None:
        """An answer and the Enter key."""
        os.write(self._ours, f"{text}\n".encode())

    def presses(self, key: bytes, *, until: str) -> None:
        """A control key, once more where nothing comes of it.

        A signal between a question and the wait for its answer is not seen by Python until the next key.
        """
        end = time.monotonic() + SECONDS
        while self._process.poll() is None and time.monotonic() < end:
            os.write(self._ours, key)
            if self._more(time.monotonic() + PATIENCE_SECONDS) and self._soon(until):
                break
        self.sees(until)

    def _soon(self, text: str) -> bool:
        end = time.monotonic() + PATIENCE_SECONDS
        while text not in self.screen[self._read :]:
            if not self._more(end):
                return False
        return True

    def ends(self) -> int:
        """The exit code, once all is read."""
        end = time.monotonic() + SECONDS
        while self._more(end):
            pass
        return self._process.wait(SECONDS)

    def _more(self, end: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            return False
        try:
            octets = os.read(self._ours, 65536)
        except OSError:
            # EIO: nobody holds the other side any more.
            return False
        self.raw += self._decoder.decode(octets)
        return bool(octets)
