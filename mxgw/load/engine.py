"""One worker's part of a load run: gives letters to sessions when they are due, counts what comes of it."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Sequence

from mxgw.load.histogram import rounded
from mxgw.load.ledger import Ledger
from mxgw.load.letter import Letter
from mxgw.load.messages import Body, Letters
from mxgw.load.plan import Plan, Schedule
from mxgw.load.proxy_header import proxy_headers
from mxgw.load.replies import Replies
from mxgw.load.session import Route, Session
from mxgw.load.tally import Tally, entries, merge

EARLY_SECONDS = 0.001
"""Timers of event loops have milliseconds. A message begins up to so much early rather than late, and its
time is then taken from when it began: no latency is of the harness's making."""

CHECK_SECONDS = 0.5
"""How often the silent are looked for."""

GRACE_SECONDS = 5.0
"""How long messages that are under way may take when the run is stopped."""


class RunError(Exception):
    """The run makes no sense as it was asked for; the text says why."""


class Engine:
    """Runs one worker's part. ``address`` is the host's, in numbers."""

    def __init__(
        self,
        plan: Plan,
        index: int,
        bodies: Sequence[Body],
        *,
        address: str,
        tls: ssl.SSLContext | None,
        ledger: Ledger | None,
    ) -> None:
        dice = random.Random(f"{plan.seed} {index}")  # noqa: S311 - the same run for the same seed
        self._tally = Tally()
        self._replies = Replies()
        self._plan = plan
        self._ledger = ledger
        self._tls = tls
        self._address = address
        self._dice = dice
        self._letters = Letters(
            bodies,
            prefix=f"{plan.run}-{index}-",
            recipients=plan.recipients,
            recipients_each=plan.recipients_each,
            dice=dice,
            hang_ups=plan.hang_ups,
            slow=plan.slow,
        )
        self._schedule = Schedule(plan, index)
        self._session_count = plan.share(plan.sessions, index)
        self._sessions: list[Session] = []
        self._free: list[Session] = []
        self._timer: asyncio.TimerHandle | None = None
        self._filling = False
        self._ever_connected = False
        self._complaint = ""
        self._stopping = False

    async def run(self, start: float) -> None:
        """From ``start`` (time.monotonic) to the end. Raises RunError where it cannot go on at all."""
        self._loop = loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = loop.create_future()
        self._start = start
        try:
            async with asyncio.TaskGroup() as group:
                route = self._route(group)
                self._sessions = [Session(self, route, loop) for _ in range(self._session_count)]
                self._free = list(reversed(self._sessions))
                self._set_timer(0.0)
                checking = group.create_task(self._check())
                await self._done
                checking.cancel()
        finally:
            self._cancel_timer()
            for wait in self._schedule.overdue():
                self._tally.overdue += 1
                merge(self._tally.overdue_latencies, {rounded(int(wait * 1e6)): 1})
        if self._complaint:
            raise RunError(self._complaint)

    def take_tally(self) -> Tally:
        """What was counted since the last time."""
        tally, self._tally = self._tally, Tally()
        tally.replies = self._replies.take()
        return tally

    def stop(self) -> None:
        """Begin no more messages, let those under way come to their end, within GRACE_SECONDS."""
        if self._stopping:
            return
        self._stopping = True
        self._schedule.stop(self._now())
        self._wind_up()
        self._loop.call_later(GRACE_SECONDS, self.abort)

    def abort(self) -> None:
        """End everything now."""
        self._schedule.stop(self._now())
        for session in self._sessions:
            session.give_up("interrupted")
        self._wind_up()

    # -- what sessions tell

    def connected(self) -> Replies:
        """A connection was made."""
        self._ever_connected = True
        self._tally.connections += 1
        return self._replies

    def secured(self) -> None:
        """A TLS handshake was done."""
        self._tally.secured += 1

    def complain(self, complaint: str) -> None:
        """The server lacks what the run is about."""
        self._give_up(complaint)

    def over(self, letter: Letter) -> None:
        """A letter has come to its end."""
        self._tally.record(letter, self._now())
        self._tally.retried += letter.retried
        if self._ledger is not None:
            at = time.time()
            for entry in entries(letter, at):
                self._ledger.append(entry)
        if letter.trouble.startswith("cannot connect") and not self._ever_connected:
            self._give_up(letter.trouble)

    def free(self, session: Session) -> None:
        """The session can take the next letter."""
        self._free.append(session)
        if not self._filling:
            self._fill()

    def gone(self) -> None:
        """A session that was free has lost its connection."""
        self._wind_up()

    # -- within

    def _now(self) -> float:
        return time.monotonic() - self._start

    def _fill(self) -> None:
        """Give letters that are due to sessions that are free."""
        # A session may be free again at once: round, not deeper.
        self._filling = True
        try:
            while self._free:
                now = self._now()
                due = self._schedule.next_due(now)
                if due is None:
                    break
                if due > now + EARLY_SECONDS:
                    self._set_timer(due)
                    return
                self._send(due, now)
        finally:
            self._filling = False
        self._wind_up()

    def _send(self, due: float, now: float) -> None:
        session = self._free.pop()
        letter = self._letters.letter(self._schedule.take())
        self._tally.begun += 1
        letter.began = now
        if self._plan.rate is not None and due < now:
            letter.began = due
        session.send(letter)

    def _wind_up(self) -> None:
        """When nothing is left to begin: close what is free, and see whether all are."""
        if self._done.done() or self._schedule.next_due(self._now()) is not None:
            return
        for session in self._free:
            session.leave()
        if not any(session.busy or session.connected for session in self._sessions):
            self._done.set_result(None)

    def _give_up(self, why: str) -> None:
        if not self._complaint:
            self._complaint = why
            self._loop.call_soon(self.abort)

    def _set_timer(self, due: float) -> None:
        self._cancel_timer()
        delay = due - EARLY_SECONDS / 2 - self._now()
        self._timer = self._loop.call_later(max(0.0, delay), self._on_timer)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self._timer = None
        due = self._schedule.next_due(self._now())
        if due is not None and self._plan.rate is not None:
            self._tally.late_seconds = max(self._tally.late_seconds, self._now() - due)
        self._fill()

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            now = self._loop.time()
            for session in self._sessions:
                session.check(now)
            self._fill()

    def _route(self, group: asyncio.TaskGroup) -> Route:
        plan = self._plan
        proxy = None
        if plan.proxy is not None:
            proxy = proxy_headers(plan.proxy, server=self._address, port=plan.port, dice=self._dice)
        return Route(
            address=(self._address, plan.port),
            habits=plan.habits,
            per_connection=plan.per_connection,
            proxy=proxy,
            tls=self._tls,
            reset=plan.reset,
            patience_seconds=plan.patience_seconds,
            spawn=group.create_task,
        )
