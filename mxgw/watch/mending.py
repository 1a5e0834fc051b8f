"""Carries out repairs of containers and of the queue, and waits to see how they end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mxgw.admin.patience import Patience
from mxgw.admin.queue import Queue
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import ServiceState, Stack
from mxgw.admin.update.plan import well
from mxgw.watch.judge import SERVICES
from mxgw.watch.repair import Act, Repair

COMMAND_SECONDS: Final = 1_800.0
"""``up`` waits for who is needed and may fetch an image; ``restart`` lets mail in hand be finished."""

FLUSH_SECONDS: Final = 30.0
"""Postfix has tried a household's queue by then."""

LOOK_SECONDS: Final = 2.0

ENDED_LOOKS: Final = 3
"""A container that does not run at so many looks does not stay up: what runs a moment later was one look."""

LOG_LINES: Final = "5"

RELAY_SECONDS: Final = 10
_RELAY: Final = (
    'exec 3<>"/dev/tcp/$0/$1" && IFS= read -r -t 8 line <&3 && printf "QUIT\\r\\n" >&3 && printf %s "$line"'
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a repair ended. ``why`` is empty where it did what it was to do."""

    why: str = ""
    evidence: tuple[str, ...] = ()


def bring_up(
    stack: Stack, repair: Repair, patience: Patience, waits: Callable[[Sequence[str]], None]
) -> Ended:
    """Start what does not run, and wait until it is healthy; ``waits`` hears for whom. Raises Refused."""
    names = [repair.service] if repair.service else []
    words = {Act.UP: ("up", "-d"), Act.START: ("start",), Act.RESTART: ("restart",)}[repair.act]
    answer = stack.compose(*words, *names, timeout=COMMAND_SECONDS)
    if answer.code:
        return Ended("failed", tuple(answer.errors.strip().splitlines()[-5:]))
    end = patience.clock() + patience.seconds
    ended = 0
    while True:
        states = stack.states()
        ill = [name for name in names or SERVICES if not well(states.get(name))]
        if not ill:
            return Ended()
        ended = ended + 1 if any(not _runs(states.get(name)) for name in ill) else 0
        over = patience.clock() >= end
        if over or ended >= ENDED_LOOKS or any(_unhealthy(states.get(name)) for name in ill):
            return Ended("ill" if not over else "slow", _said(stack, ill, states.get))
        waits(ill)
        patience.sleep(LOOK_SECONDS)


def _runs(state: ServiceState | None) -> bool:
    return state is not None and state.state == "running"


def _unhealthy(state: ServiceState | None) -> bool:
    # Docker says "starting" until its checks have failed as often as compose.yaml lets them.
    return state is not None and state.health == "unhealthy"


def _said(stack: Stack, ill: Sequence[str], state: Callable[[str], ServiceState | None]) -> tuple[str, ...]:
    """The state of each, and the last words of the first."""
    lines = []
    for name in ill:
        one = state(name)
        lines.append(f"{name}: {one.state} {one.health}".rstrip() if one else f"{name}: -")
    answer = stack.compose("logs", "--no-color", "--no-log-prefix", "--tail", LOG_LINES, ill[0])
    return (*lines, *answer.output.decode("utf-8", "replace").splitlines()[-int(LOG_LINES) :])


def relay_says(stack: Stack) -> str:
    """The greeting of a relay that Postfix hands mail to, asked from Postfix' own container; "" for none."""
    try:
        told = stack.run("postfix", ["postconf", "-h", "relayhost", "smtp_fallback_relay"])
        for place in told.output.decode("utf-8", "replace").split():
            host, _, port = place.rpartition(":")
            ask = ["timeout", str(RELAY_SECONDS), "bash", "-c", _RELAY, host.strip("[]"), port]
            greeting = stack.run("postfix", ask).output.decode("utf-8", "replace").strip()
            if greeting.startswith("220"):
                return greeting
    except Refused:
        return ""
    return ""


def flush(stack: Stack, patience: Patience) -> Ended:
    """Have Postfix try all of it now, and see what is left. Raises Refused."""
    queue = Queue(stack)
    queue.flush()
    end = patience.clock() + min(patience.seconds, FLUSH_SECONDS)
    while waiting := queue.waiting():
        if patience.clock() >= end:
            reasons = (f"{', '.join(one.recipients)}: {'; '.join(one.reasons) or '-'}" for one in waiting)
            return Ended("left", tuple(reasons)[:5])
        patience.sleep(LOOK_SECONDS)
    return Ended()
