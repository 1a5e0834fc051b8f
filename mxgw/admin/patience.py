"""How long a service that was just started is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mxgw.admin.stack import Stack
from mxgw.admin.update.plan import well

HEALTH_SECONDS: Final = 900.0
"""ClamAV loads its signatures for minutes."""

LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for health; time is injected."""

    seconds: float = HEALTH_SECONDS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def comes_up(stack: Stack, service: str, patience: Patience) -> bool:
    """Whether it runs and is healthy in time. Raises Refused."""
    end = patience.clock() + patience.seconds
    while not well(stack.states().get(service)):
        if patience.clock() >= end:
            return False
        patience.sleep(LOOK_SECONDS)
    return True
