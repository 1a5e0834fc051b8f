"""What waited in Postfix when a backup was made: written down, never put back.

Most of it has been sent since: queued again, it would arrive twice. Its senders have it in their folder Sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mxgw.admin.queue import SERVICE, Queue
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Stack

MAX_NOTED = 1000
"""Messages of a queue that are written down: who has more has seen an alarm."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """A message that may or may not have left since."""

    since: str
    sender: str
    recipients: tuple[str, ...]


def queue_of(stack: Stack) -> list[dict[str, Any]] | None:
    """For the manifest; None where Postfix could not be asked."""
    try:
        if SERVICE not in stack.states():
            return None
        waiting = Queue(stack).waiting()
    except (Refused, ValueError, KeyError):
        return None
    return [
        {
            "since": datetime.fromtimestamp(one.since, UTC).isoformat(timespec="seconds"),
            "sender": one.sender,
            "recipients": list(one.recipients),
        }
        for one in waiting[:MAX_NOTED]
    ]


def unsent(manifest: Mapping[str, Any]) -> Sequence[Unsent]:
    """Of the manifest; bounces, which have no sender here, are left out."""
    found = manifest.get("queue")
    return [
        Unsent(str(one.get("since", "")), str(one["sender"]), tuple(map(str, one.get("recipients", []))))
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict) and one.get("sender")
    ]
