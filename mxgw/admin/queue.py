"""What waits in Postfix to be sent: asked and told through the container (postqueue(1), postsuper(1))."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mxgw.admin.forms import shown, typed
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Answer, Stack

SERVICE = "postfix"

MAX_LISTED = 10_000
"""Messages that are read of the queue: a household that has more has another problem first."""

MAX_HEADER_OCTETS = 64 * 1024
"""What is shown of a message's header."""

_STOPPED = "is not running"
"""What Compose says of a service that nothing can be executed in."""

_ID = re.compile(r"[0-9A-F]{5,32}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,32}")
"""Postfix' short and long queue ids (postconf(5), enable_long_queue_ids)."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message in the queue. ``since`` in Unix seconds; ``reasons`` as each receiving server gave them."""

    id: str
    queue: str
    since: float
    octets: int
    sender: str
    recipients: tuple[str, ...]
    reasons: tuple[str, ...]


class Queue:
    """Postfix's queue. Raises Refused where Postfix cannot be asked, or says no."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def waiting(self) -> list[Waiting]:
        """All messages, the oldest first."""
        lines = self._do("postqueue", "-j").output.decode(errors="replace").splitlines()
        found = (_waiting(json.loads(line)) for line in lines[:MAX_LISTED])
        return sorted(found, key=lambda one: one.since)

    def message(self, queue_id: str) -> Waiting:
        """One of them, which there must be."""
        for one in self.waiting():
            if one.id == queue_id:
                return one
        raise Refused("queue-has-no-such", id=queue_id)

    def header(self, queue_id: str) -> str:
        """The header of a message; its text is nobody's business."""
        answer = self._do("postcat", "-h", "-q", queue_id)
        return answer.output[:MAX_HEADER_OCTETS].decode(errors="replace")

    def flush(self, queue_id: str = "") -> None:
        """Try to send one message, or all, now."""
        self._do("postqueue", *(["-i", queue_id] if queue_id else ["-f"]))

    def remove(self, queue_id: str) -> None:
        """The message is not sent, and nobody is told of it."""
        self._do("postsuper", "-d", queue_id)

    def _do(self, *command: str) -> Answer:
        answer = self._stack.run(SERVICE, command)
        if answer.code and _STOPPED in answer.errors:
            raise Refused("postfix-stopped", failure=True)
        if answer.code:
            raise Refused("queue-says-no", failure=True, why=shown(answer.errors.strip()[-300:] or "?"))
        return answer


def queue_id(text: str) -> str:
    """As the list shows it. It goes to Postfix as an argument, so it must not look like anything else."""
    given = typed(text)
    if not _ID.fullmatch(given):
        raise Refused("bad-queue-id", text=shown(text))
    return given


def age(seconds: float, word: Callable[..., str]) -> str:
    """For people: minutes, hours or days."""
    minutes = max(0, round(seconds / 60))
    if minutes < 60:
        return word("age-minutes", count=minutes)
    if minutes < 48 * 60:
        return word("age-hours", count=minutes // 60)
    return word("age-days", count=minutes // (24 * 60))


def _waiting(told: dict[str, Any]) -> Waiting:
    recipients = told.get("recipients", [])
    reasons = (str(one["delay_reason"]) for one in recipients if one.get("delay_reason"))
    return Waiting(
        id=str(told["queue_id"]),
        queue=str(told["queue_name"]),
        since=float(told["arrival_time"]),
        octets=int(told["message_size"]),
        sender=str(told.get("sender", "")),
        recipients=tuple(str(one["address"]) for one in recipients),
        reasons=tuple(dict.fromkeys(reasons)),
    )
