"""One service after the other onto its new image; back onto the old one where it does not get healthy."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mxgw.admin.patience import Patience
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Answer, Stack
from mxgw.admin.update.plan import BUILT, ORDER, Image, Outcome, changed, well
from mxgw.admin.update.stopping import Stopping

PULL_SECONDS = 3600.0
"""Two gigabytes on a slow line."""

UP_SECONDS = 300.0
"""Postfix and the door finish what they have in hand first."""

LOOK_SECONDS = 3.0

CRASHES = 3
"""So often a new container may end by itself; then it is not waited for any longer."""

KEPT = "mxgw-before"
"""The image that a service ran before, under this name and the service's as its tag: nothing that tidies up
takes it away, and a person finds it."""


@dataclass(frozen=True, slots=True)
class Told:
    """Who hears of it: a service is taken in hand; this has come of it."""

    begun: Callable[[str], None]
    done: Callable[[str, Outcome], None]


@dataclass
class Update:
    """One update of the stack. ``outcomes`` grow as it goes, and stand whatever happens; ``refused`` are
    images that were not healthy, by service: ids, of earlier updates and of this one. They are not tried
    again, unless ``retry`` says so."""

    stack: Stack
    told: Told
    patience: Patience = field(default_factory=Patience)
    stopping: Stopping = field(default_factory=Stopping)
    refused: dict[str, str] = field(default_factory=dict)
    retry: bool = False
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def run(self, backup: Callable[[], None], may_begin: Callable[[], bool]) -> None:
        """Pull; where something is new, a backup first, then the services one by one. It ends at the first
        that had to go back, and where ``may_begin`` says no: the others stay as they are. Raises Refused, and
        KeyboardInterrupt while nothing has been changed yet."""
        images: Mapping[str, Image] | None = None
        try:
            self._pull()
            images = images_of(self.stack)
            waiting = self._waiting(images)
            if waiting:
                backup()
            for service in waiting:
                if not may_begin() or self.stopping.asked or not self._next(service, images[service]):
                    break
            for service in waiting:
                if service not in self.outcomes:
                    self._done(service, Outcome.POSTPONED)
        finally:
            with self.stopping.later(), contextlib.suppress(Refused):
                self._lead_back(images_of(self.stack) if images is None else images)

    def _pull(self) -> None:
        fetched = [service for service in self.stack.states() if service in ORDER and service not in BUILT]
        answer = self.stack.compose("pull", "--quiet", *fetched, timeout=PULL_SECONDS)
        if answer.code:
            why = " ".join(answer.errors.split())[-300:] or f"docker compose: {answer.code}"
            raise Refused("update-pull-failed", failure=True, why=why)

    def _waiting(self, images: Mapping[str, Image]) -> list[str]:
        waiting = []
        for service in changed(images):
            if self.refused.get(service) == images[service].pulled and not self.retry:
                self._done(service, Outcome.HELD)
            else:
                waiting.append(service)
        return waiting

    def _next(self, service: str, image: Image) -> bool:
        """Whether to go on behind it."""
        if not well(self.stack.states().get(service)):
            self._done(service, Outcome.LEFT)
            return True
        self.told.begun(service)
        with self.stopping.later():
            outcome = self._one(service, image)
        former = self.refused.get(service, "")
        if outcome is Outcome.UPDATED:
            self.refused.pop(service, None)
        elif outcome is not Outcome.STOPPED:
            self.refused[service] = image.pulled
        if former not in {"", image.pulled}:
            self.stack.call("image", "rm", former)
        self._done(service, outcome)
        return outcome is Outcome.UPDATED

    def _one(self, service: str, image: Image) -> Outcome:
        kept = f"{KEPT}:{service}"
        oldest = self._id(kept)
        self.stack.call("tag", image.running, kept)
        if self._up(service, stoppable=True):
            if oldest not in {"", image.running, image.pulled}:
                # Where a container still has it, it stays: docker says no.
                self.stack.call("image", "rm", oldest)
            return Outcome.UPDATED
        stopped = self.stopping.asked
        tagged = self.stack.call("tag", image.running, image.name)
        healthy = not tagged.code and self._up(service, stoppable=False)
        self.stack.call(*(("tag", oldest, kept) if oldest else ("image", "rm", kept)))
        if not healthy:
            return Outcome.BROKEN
        return Outcome.STOPPED if stopped else Outcome.ROLLED_BACK

    def _up(self, service: str, *, stoppable: bool) -> bool:
        """Whether it gets healthy on what its name leads to now."""
        try:
            up = ("up", "--detach", "--no-deps", "--no-build", service)
            if self.stack.compose(*up, timeout=UP_SECONDS).code:
                return False
            end = self.patience.clock() + self.patience.seconds
            while True:
                state = self.stack.states().get(service)
                if well(state):
                    return True
                if state is None or state.health == "unhealthy" or (stoppable and self.stopping.asked):
                    return False
                if self.patience.clock() >= end or self._restarts(state.container) >= CRASHES:
                    return False
                self.patience.sleep(LOOK_SECONDS)
        except Refused:
            # A docker that hangs on the new image may yet take the old one.
            return False

    def _restarts(self, container: str) -> int:
        said = _line(self.stack.call("inspect", "--format", "{{.RestartCount}}", container))
        return int(said) if said.isdecimal() else 0

    def _id(self, name: str) -> str:
        return _line(self.stack.call("image", "inspect", "--format", "{{.Id}}", name))

    def _lead_back(self, images: Mapping[str, Image]) -> None:
        """A name leads to what its service runs: whoever calls docker compose up gets no image that was not
        healthy, or not tried yet. What is made on this machine keeps its name, unless it was refused."""
        for service, image in images.items():
            left = image.new and self.outcomes.get(service) is not Outcome.UPDATED
            if left and (service not in BUILT or self.refused.get(service) == image.pulled):
                self.stack.call("tag", image.running, image.name)

    def _done(self, service: str, outcome: Outcome) -> None:
        self.outcomes[service] = outcome
        self.told.done(service, outcome)


def images_of(stack: Stack) -> dict[str, Image]:
    """Of every service that has a container."""
    found = {}
    for service, state in stack.states().items():
        if service in ORDER and state.container:
            # The name it was made from, which Compose's own list has not, once it leads elsewhere.
            form = "{{.Config.Image}} {{.Image}}"
            name, _, running = _line(stack.call("inspect", "--format", form, state.container)).partition(" ")
            if running:
                pulled = _line(stack.call("image", "inspect", "--format", "{{.Id}}", name))
                found[service] = Image(name, running, pulled)
    return found


def _line(answer: Answer) -> str:
    return "" if answer.code else answer.output.decode(errors="replace").strip().split("\n")[0]
