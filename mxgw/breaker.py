"""The breaker: remembers that home cannot be reached, so that no client waits to find out again.

Pure: the clock is given to it, nothing here sleeps. Someone else (Relay.run) makes the attempts that it
asks for and tells it how they went.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

FAILURES_TO_OPEN = 3
"""A message dials twice: one unlucky message must not shut the door, the next one may."""

FIRST_PAUSE_SECONDS = 0.5
"""A home that only restarts is back after about a second; its clients should not notice."""

LONGEST_PAUSE_SECONDS = 15.0
"""A home that was away for the night is found at most this long after its return."""


class BreakerState(StrEnum):
    """Closed lets traffic pass (as an electric breaker); open answers at once without asking home."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Counts failures to *reach* home: dial, greeting, LHLO. A message that home refuses is no failure.

    Any success closes it at once, whoever had it: home answers.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._pause = FIRST_PAUSE_SECONDS
        self._retry_at = 0.0
        self.state = BreakerState.CLOSED
        self.since = clock()

    @property
    def closed(self) -> bool:
        """Whether traffic may pass."""
        return self.state is BreakerState.CLOSED

    @property
    def wait_seconds(self) -> float:
        """How long until the next attempt is due; 0 while closed."""
        return 0.0 if self.closed else max(0.0, self._retry_at - self._clock())

    def begin_attempt(self) -> None:
        """An attempt to reach home starts while the breaker is open."""
        if self.state is BreakerState.OPEN:
            self.state = BreakerState.HALF_OPEN

    def succeeded(self) -> None:
        """Home was reached."""
        self._failures = 0
        self._pause = FIRST_PAUSE_SECONDS
        if self.state is not BreakerState.CLOSED:
            self.state = BreakerState.CLOSED
            self.since = self._clock()

    def failed(self) -> None:
        """Home was not reached."""
        self._failures += 1
        if self.state is BreakerState.HALF_OPEN:
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        elif self.state is BreakerState.OPEN or self._failures < FAILURES_TO_OPEN:
            # Open already: a straggler that dialled before; it says nothing new.
            return
        else:
            self.since = self._clock()
        self.state = BreakerState.OPEN
        self._retry_at = self._clock() + self._pause
