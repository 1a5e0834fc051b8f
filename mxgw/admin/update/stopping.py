"""Ctrl-C and SIGTERM: heeded at once where nothing has changed yet, else when the service in hand is well."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Whether somebody wants an end. Without ``heard`` nothing ever does."""

    def __init__(self) -> None:
        self.asked = False
        self._later = False

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Signals come here. Raises KeyboardInterrupt for each, unless it is kept for later."""
        before = {number: signal.signal(number, self._take) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def later(self) -> Iterator[None]:
        """What must not be left half done: ``asked`` tells instead."""
        self._later = True
        try:
            yield
        finally:
            self._later = False

    def _take(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.asked = True
        if not self._later:
            raise KeyboardInterrupt
