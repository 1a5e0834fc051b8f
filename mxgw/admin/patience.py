"""How long a service that was just started is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

HEALTH_SECONDS: Final = 900.0
"""ClamAV loads its signatures for minutes."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for health; time is injected."""

    seconds: float = HEALTH_SECONDS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
