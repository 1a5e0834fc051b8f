"""What the last update came to, for whoever asks and watches: update.json in the directory of states."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mxgw.admin.backup.result import write_state
from mxgw.admin.refusal import Refused
from mxgw.admin.update.plan import Outcome

FILE = "update.json"
LOCK = "update.lock"
MAX_OCTETS = 64 * 1024
"""Nine services, and a reason of some lines."""


@dataclass(frozen=True, slots=True)
class Record:
    """``why`` is a sentence where something is not as it should be, else "". ``refused`` are ids of images
    that were not healthy, by service."""

    finished: datetime
    services: Mapping[str, Outcome]
    why: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Nothing to look after."""
        return not self.why


def read(state: Path) -> Record | None:
    """None before the first update. Raises Refused where it cannot be read."""
    try:
        with (state / FILE).open("rb") as file:
            told = json.loads(file.read(MAX_OCTETS))
        return Record(
            finished=datetime.fromisoformat(told["finished"]),
            services={str(name): Outcome(outcome) for name, outcome in told["services"].items()},
            why=str(told["why"]),
            refused={str(name): str(image) for name, image in told.get("refused", {}).items()},
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Refused("update-state-damaged", failure=True, path=str(state / FILE)) from None


def as_json(record: Record) -> dict[str, object]:
    """As it is written."""
    return {
        "finished": record.finished.isoformat(timespec="seconds"),
        "ok": record.ok,
        "services": dict(record.services),
        "why": record.why,
        "refused": dict(record.refused),
    }


def write(state: Path, record: Record) -> None:
    """Replaced by one rename. Raises OSError."""
    write_state(state, FILE, as_json(record))


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Raises Refused where another update is at it, or nothing can be written there."""
    try:
        state.mkdir(mode=0o755, parents=True, exist_ok=True)
        lock = (state / LOCK).open("w")
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise Refused("update-unwritable", failure=True, path=str(state), why=why) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("update-running", failure=True) from None
        yield
