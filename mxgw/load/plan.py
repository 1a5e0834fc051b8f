"""What a load run is to be, who of its workers does what, and when a message is due. Values only."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from mxgw.load.client import Habits
from mxgw.load.messages import Sizes
from mxgw.load.replies import Stage

HANG_UP_STAGES = (
    Stage.CONNECT,
    Stage.HELO,
    Stage.MAIL,
    Stage.RCPT,
    Stage.DATA,
    Stage.MIDDLE,
    Stage.CONTENT,
    Stage.QUIT,
)

OVERTIME_SECONDS = 1.0
"""So long after the end of a run with a rate messages still begin that were due before it: a short delay in
the last moment, of the server or of ours, is no message that never began."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A run. ``messages`` or ``seconds`` end it, whichever is first.

    ``rate`` is in messages a second, all workers together; None: each session begins the next message when
    the last one is over. ``per_connection`` 0: a connection carries what there is. ``hang_ups`` are stages
    with the share of messages that end there; ``slow`` is octets a second with its share.
    """

    host: str
    port: int
    run: str
    habits: Habits
    sizes: Sizes
    recipients: tuple[str, ...]
    recipients_each: int = 1
    sessions: int = 1
    messages: int | None = None
    seconds: float | None = None
    rate: float | None = None
    per_connection: int = 1
    processes: int = 1
    seed: int = 0
    proxy: IPv4Network | IPv6Network | None = None
    hang_ups: tuple[tuple[Stage, float], ...] = ()
    reset: bool = False
    """Hang up with a TCP reset."""
    slow: tuple[int, float] = (0, 0.0)
    patience_seconds: float = 60.0
    """How long a reply, or a connection, may take."""
    ledger: Path | None = None

    def share(self, total: int, index: int) -> int:
        """How many out of ``total`` are the part of worker ``index``."""
        return total // self.processes + (index < total % self.processes)


class Schedule:
    """When the messages of one worker are due, in seconds since the start of the run.

    Message n of all is due at n / rate; worker i of p has the messages i, i + p, i + 2p and so on. Without
    a rate a message is due whenever a session is free.
    """

    def __init__(self, plan: Plan, index: int) -> None:
        self.begun = 0
        self._messages = math.inf if plan.messages is None else plan.share(plan.messages, index)
        self._seconds = math.inf if plan.seconds is None else plan.seconds
        """Nothing is due from here on, and nothing begins so long after:"""
        self._overtime = OVERTIME_SECONDS if plan.rate else 0.0
        self._rate = plan.rate
        self._index = index
        self._processes = plan.processes

    def due(self, number: int) -> float:
        """When this worker's message ``number`` is due, from 0."""
        return (self._index + number * self._processes) / self._rate if self._rate else 0.0

    def next_due(self, now: float) -> float | None:
        """When the next one is due; None where no more will begin."""
        if self.begun >= self._messages or now >= self._seconds + self._overtime:
            return None
        due = self.due(self.begun)
        return due if due < self._seconds else None

    def take(self) -> int:
        """Begin the next one; its number."""
        number = self.begun
        self.begun = number + 1
        return number

    def stop(self, now: float) -> None:
        """Nothing begins any more."""
        if now < self._seconds + self._overtime:
            self._seconds, self._overtime = min(self._seconds, now), 0.0

    def overdue(self) -> Iterator[float]:
        """For each message that was due and has not begun: how long it had waited at the end."""
        number = self.begun
        while (
            self._rate
            and math.isfinite(self._seconds)
            and number < self._messages
            and (due := self.due(number)) < self._seconds
        ):
            yield self._seconds + self._overtime - due
            number += 1
