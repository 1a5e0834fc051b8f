"""The body of /status: what a person or the status page wants to know, worked out of a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from mxgw.observe import catalogue
from mxgw.observe.snapshot import DECISIONS, SLICE_SECONDS, Fields, Histogram, HomeReading, Snapshot, State

MINUTES = 60
_SLICES_PER_MINUTE = 60 // SLICE_SECONDS


@dataclass(frozen=True, slots=True)
class Facts:
    """What does not change while the program runs. ``role`` is "edge" or "home"."""

    version: str
    hostname: str
    role: str
    home_address: str = ""


def status(snapshot: Snapshot, *, facts: Facts, state: State, now: float) -> Fields:
    """Everything, as JSON. ``now`` is Unix time."""
    relay = snapshot.histograms.get(catalogue.RELAY_SECONDS.name, Histogram())
    return {
        "version": facts.version,
        "hostname": facts.hostname,
        "role": facts.role,
        "state": state,
        "now": now,
        "started_at": snapshot.started_at,
        "uptime_seconds": round(now - snapshot.started_at, 1),
        "home": home_status(
            [worker.home for worker in snapshot.workers if worker.home is not None], facts.home_address
        ),
        "workers": [
            {
                "index": worker.index,
                "pid": worker.pid,
                "state": worker.state,
                "started_at": worker.started_at,
                "sessions_open": worker.sessions_open,
                "resident_octets": worker.resident_octets,
                "home_up": worker.home.up if worker.home else None,
            }
            for worker in snapshot.workers
        ],
        "rates": {
            "minute": _recent_counts(snapshot, now, minutes=1),
            "hour": _recent_counts(snapshot, now, minutes=60),
            "start": {
                decision: sum(
                    int(value)
                    for (name, *labels), value in snapshot.samples.items()
                    if name == catalogue.TRANSACTIONS.name and labels[0] == decision
                )
                for decision in DECISIONS
            },
        },
        "history": {"minute": int(now) // 60, "counts": _history(snapshot, now)},
        "relay_seconds": {"median": relay.quantile(0.5), "p95": relay.quantile(0.95)},
        "octets": snapshot.value(catalogue.OCTETS.name),
        "sessions": {
            "open": snapshot.value(catalogue.SESSIONS_OPEN.name),
            "total": snapshot.value(catalogue.SESSIONS.name),
            "refused": snapshot.value(catalogue.SESSIONS_REFUSED.name),
        },
        "spool_octets": snapshot.value(catalogue.SPOOL_OCTETS.name),
        "resident_octets": snapshot.value(catalogue.RESIDENT_OCTETS.name),
        "recent": snapshot.recent[::-1],
    }


def home_status(homes: Sequence[HomeReading], address: str) -> Fields | None:
    """Home as all workers see it together: down as soon as one of them does not reach it."""
    if not homes:
        return None
    known = [home for home in homes if home.up is not None]
    up = all(home.up for home in known) if known else None
    telling = max((home for home in homes if home.up is up), key=lambda home: home.since)
    return asdict(telling) | {
        "address": address,
        "connections": sum(home.connections for home in homes),
        "idle": sum(home.idle for home in homes),
        "waiting": sum(home.waiting for home in homes),
    }


def _recent_counts(snapshot: Snapshot, now: float, *, minutes: int) -> dict[str, int]:
    newest = int(now) // SLICE_SECONDS
    oldest = newest - minutes * _SLICES_PER_MINUTE
    rows = [counts for slot, counts in snapshot.slices.items() if oldest < slot <= newest]
    return {decision: sum(row[place] for row in rows) for place, decision in enumerate(DECISIONS)}


def _history(snapshot: Snapshot, now: float) -> list[list[int]]:
    """One row per minute, the current one last."""
    rows = [[0] * len(DECISIONS) for _ in range(MINUTES)]
    first = int(now) // 60 - MINUTES + 1
    for slot, counts in snapshot.slices.items():
        place = slot // _SLICES_PER_MINUTE - first
        if 0 <= place < MINUTES:
            rows[place] = [a + b for a, b in zip(rows[place], counts, strict=True)]
    return rows
