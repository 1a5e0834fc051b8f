"""One service after the other onto its new image; back onto the old one where it does not get healthy."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Stack
from mxgw.admin.update.plan import ORDER, Image, Outcome, changed, well

PULL_SECONDS = 3600.0
"""Two gigabytes on a slow line."""

UP_SECONDS = 300.0
"""Postfix and the door finish what they have in hand first."""

HEALTH_SECONDS = 900.0
"""ClamAV loads its signatures for minutes."""

LOOK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for health; time is injected."""

    seconds: float = HEALTH_SECONDS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def update(
    stack: Stack, backup: Callable[[], None], told: Callable[[str, Outcome], None], patience: Patience
) -> dict[str, Outcome]:
    """Pull; where something is new, a backup first, then the services one by one. It ends at the first that
    had to go back: what needs it stays as it is. ``told`` hears of each. Raises Refused."""
    answer = stack.compose("pull", "--quiet", "--ignore-buildable", timeout=PULL_SECONDS)
    if answer.code:
        raise Refused("update-pull-failed", failure=True, why=answer.errors.strip()[-300:])
    images = images_of(stack)
    waiting = changed(images)
    if waiting:
        backup()
    done: dict[str, Outcome] = {}
    for service in waiting:
        done[service] = _one(stack, service, images[service], patience)
        told(service, done[service])
        if done[service] in {Outcome.ROLLED_BACK, Outcome.BROKEN}:
            break
    return done


def images_of(stack: Stack) -> dict[str, Image]:
    """Of every service that has a container."""
    found = {}
    for service, state in stack.states().items():
        if service in ORDER and state.image:
            container = _line(
                stack, "compose", "--project-directory", str(stack.directory), "ps", "-aq", service
            )
            running = _line(stack, "inspect", "--format", "{{.Image}}", container) if container else ""
            pulled = _line(stack, "image", "inspect", "--format", "{{.Id}}", state.image)
            if running:
                found[service] = Image(state.image, running, pulled)
    return found


def _one(stack: Stack, service: str, image: Image, patience: Patience) -> Outcome:
    if not well(stack.states().get(service)):
        return Outcome.LEFT
    if _up(stack, service, patience):
        return Outcome.UPDATED
    # The name leads to the old image again, until the next pull.
    tagged = stack.call("tag", image.running, image.name)
    return Outcome.ROLLED_BACK if not tagged.code and _up(stack, service, patience) else Outcome.BROKEN


def _up(stack: Stack, service: str, patience: Patience) -> bool:
    if stack.compose("up", "-d", "--no-deps", "--pull", "never", service, timeout=UP_SECONDS).code:
        return False
    end = patience.clock() + patience.seconds
    while True:
        state = stack.states().get(service)
        if well(state):
            return True
        if patience.clock() >= end or (state is not None and state.health == "unhealthy"):
            return False
        patience.sleep(LOOK_SECONDS)


def _line(stack: Stack, *arguments: str) -> str:
    answer = stack.call(*arguments)
    return "" if answer.code else answer.output.decode(errors="replace").strip().split("\n")[0]
