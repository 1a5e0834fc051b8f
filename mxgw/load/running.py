"""A load run from its plan to its result: bodies, processes, what they tell, what they cost."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mxgw.load.course import Course
from mxgw.load.engine import RunError
from mxgw.load.messages import Signer, header_fields, make_bodies
from mxgw.load.plan import Plan
from mxgw.load.processor_time import own_cpu_seconds, tree_usage
from mxgw.load.report import Result, Watched
from mxgw.load.tally import Tally
from mxgw.load.worker import Crew

LOOK_SECONDS = 0.5
"""How often what came is shown, and watched processes are looked at."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """The run so far."""

    plan: Plan
    tally: Tally
    course: Course
    seconds: float
    cpu_seconds: float


class Running:
    """One run. ``stop`` may be called from a signal handler: first gently, then at once.

    Raises RunError where it cannot be done, MissingExtraError without HdrHistogram, OSError where the
    ledger cannot be written.
    """

    def __init__(self, plan: Plan, *, sign: Signer | None = None, watch: Sequence[int] = ()) -> None:
        self._plan = plan
        self._watch = watch
        self._sign = sign
        self._crew: Crew | None = None
        self._stopped = False

    def stop(self) -> None:
        """Begin no more messages; called again: end at once."""
        self._stopped = True
        if self._crew is not None:
            self._crew.ask_to_stop()

    def run(self, show: Callable[[Glimpse], None]) -> Result:
        """Do it; ``show`` is called LOOK_SECONDS apart."""
        plan = self._plan
        course = Course()
        address = _resolve(plan.host, plan.port)
        if plan.ledger is not None:
            plan.ledger.open("ab").close()  # where it cannot be written, better now
        utf8 = plan.habits.smtputf8
        bodies = make_bodies(
            plan.sizes,
            header_fields(plan.habits.sender, plan.recipients[0], utf8=utf8, now=time.time()),
            dot_stuffed=not plan.habits.bdat,
            seed=plan.seed,
            sign=self._sign,
        )
        peaks = [_Peak(pid) for pid in self._watch]
        with Crew(plan, bodies, address=address) as crew:
            self._crew = crew
            own = own_cpu_seconds()
            if self._stopped:
                crew.ask_to_stop()
            crew.start()
            while crew.listen(LOOK_SECONDS):
                seconds = time.monotonic() - crew.started_at
                course.follow(crew.tally, seconds)
                for peak in peaks:
                    peak.look()
                cpu = crew.cpu_seconds + own_cpu_seconds() - own
                show(Glimpse(plan, crew.tally, course, seconds, cpu))
            watched = [peak.watched() for peak in peaks]
            self._crew = None
        course.finish(crew.tally)
        return Result(
            plan=plan,
            tally=crew.tally,
            histogram=course.histogram,
            points=course.points,
            seconds=crew.tally.ended_at,
            cpu_seconds=crew.cpu_seconds + own_cpu_seconds() - own,
            peak_rss_octets=crew.peak_rss_octets,
            watched=watched,
            interrupted=self._stopped,
        )


class _Peak:
    """Processor time since now, and the most memory."""

    def __init__(self, pid: int) -> None:
        first = tree_usage(pid)
        if first is None:
            raise RunError(f"there is no process {pid} to watch")
        self._pid = pid
        self._first = self._last = first
        self._rss_octets = first.rss_octets

    def look(self) -> None:
        usage = tree_usage(self._pid)
        if usage is not None:
            self._last = usage
            self._rss_octets = max(self._rss_octets, usage.rss_octets)

    def watched(self) -> Watched:
        self.look()
        return Watched(self._pid, self._last.cpu_seconds - self._first.cpu_seconds, self._rss_octets)


def _resolve(host: str, port: int) -> str:
    """The first address of a host, in numbers: workers ask no DNS."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise RunError(f"{host} has no address: {error.strerror}") from error
    return str(found[0][4][0])
