"""What the last backup came to, for whoever watches: backup.json in the directory of states."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

FILE = "backup.json"


def write_result(
    state: Path, *, finished: datetime, ok: bool, verified: bool, messages: int, octets: int, why: str
) -> None:
    """Replaced by one rename. Raises OSError."""
    told = {
        "finished": finished.isoformat(),
        "ok": ok,
        "verified": verified,
        "messages": messages,
        "octets": octets,
        "why": why,
    }
    write_state(state, FILE, told)


def write_state(state: Path, name: str, told: Mapping[str, object]) -> None:
    """A job's result as JSON, replaced by one rename. Raises OSError."""
    state.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = state / f".{name}.new"
    fresh.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n")
    fresh.replace(state / name)
