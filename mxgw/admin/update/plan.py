"""When services are updated, which, and in what order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from mxgw.admin.stack import ServiceState

ZONE = ZoneInfo("Asia/Tokyo")
WINDOW = (time(2), time(4))
"""When few write (requirement F-403)."""

ORDER = ("redis", "clamav", "mariadb", "rspamd", "dovecot", "postfix", "roundcube", "nginx", "home")
"""Who is needed comes before who needs it."""

BUILT = frozenset({"postfix", "home"})
"""Those whose image is made on this machine: there is none to fetch."""


class Outcome(StrEnum):
    """What came of one service."""

    UPDATED = "updated"
    ROLLED_BACK = "rolled-back"
    BROKEN = "broken"
    """Neither the new image nor the old one is healthy."""
    LEFT = "left"
    """It was not healthy before: an update would hide why."""
    HELD = "held"
    """The newest image is one that was not healthy; the service waits for another."""
    POSTPONED = "postponed"
    """Something before it went wrong, or the window has closed."""
    STOPPED = "stopped"
    """Ctrl-C in the middle: it runs on the old image."""


@dataclass(frozen=True, slots=True)
class Image:
    """What a service's container runs, and what its name stands for since the pull; both are ids."""

    name: str
    running: str
    pulled: str

    @property
    def new(self) -> bool:
        """Whether there is something to change to."""
        return self.running != self.pulled != ""


def in_window(now: datetime) -> bool:
    """``now`` with its time zone."""
    return WINDOW[0] <= now.astimezone(ZONE).time() < WINDOW[1]


def well(state: ServiceState | None) -> bool:
    """Running, and healthy where there is a check."""
    return state is not None and state.state == "running" and state.health in {"healthy", ""}


def changed(images: Mapping[str, Image]) -> list[str]:
    """Services with another image than they run, in the order in which they are restarted."""
    return [name for name in ORDER if name in images and images[name].new]
