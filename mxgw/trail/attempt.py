"""One "transaction" line of the log as a value: an attempt to bring a message, at the edge or at home.

The log may be cut, old or written by somebody else: ``parse_attempt`` takes any object, and says what is
wrong with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mxgw.outcome import Decision, RecipientOutcome

MAX_TEXT: Final = 1_000
"""Characters of a text that are kept: a reply that names twenty recipients has as many."""

MAX_RECIPIENTS: Final = 1_000
"""Recipients of one attempt that are kept: more than a line of the log has room for."""

MAX_CHECKS: Final = 20
"""Checks of one attempt that are kept: three times as many as there are."""

LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999, behind which dates cannot be written."""

_OF_HOME: Final = frozenset({"seal", "rspamd"})


class Door(StrEnum):
    """Where an attempt was made."""

    EDGE = "edge"
    HOME = "home"


class AttemptError(ValueError):
    """Why an object is no transaction that can be shown, in a few words."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one line says. ``where`` names the log it was found in; times are Unix time and seconds.

    ``home`` of a recipient is a reply (``250 2.0.0 Stored``), a word for why there is none
    (``connect-failed``), or "" where home was not asked about the content.
    """

    where: str
    door: Door
    id: str
    ended_at: float
    client: str
    helo: str
    tls: str
    reverse_path: str
    recipients: tuple[RecipientOutcome, ...]
    octets: int
    decision: Decision
    reason: str
    reply: str
    message_id: str
    fingerprint: str
    detail: str
    checks: tuple[tuple[str, str], ...]
    receive_seconds: float
    relay_seconds: float
    session: str = ""
    """At home: the id of the edge's attempt behind which this one was made; "" in the logs of before."""

    @property
    def began_at(self) -> float:
        """Unix time of MAIL."""
        return self.ended_at - self.receive_seconds - self.relay_seconds

    @property
    def has_content(self) -> bool:
        """Whether the message itself came, so that it can be recognised."""
        return bool(self.message_id or self.fingerprint)

    @property
    def handling(self) -> str:
        """What the checks led to: ``deliver``, ``junk``, ``reject``, ``defer``; "" where none were made."""
        return dict(self.checks).get("handling", "")

    @property
    def addresses(self) -> frozenset[str]:
        """The recipients, as they are compared."""
        return frozenset(folded(recipient.forward_path) for recipient in self.recipients)


def folded(address: str) -> str:
    """An address as it is compared: nobody's mailboxes differ in the case of a letter alone."""
    return address.strip().strip("<>").lower()


def parse_attempt(fields: Mapping[str, object], where: str) -> Attempt:
    """The attempt in an object of the log; AttemptError where it is none."""
    decision = _text(fields, "decision")
    if decision not in set(Decision):
        raise AttemptError(f"decision is {decision!r}")
    checks = _checks(fields)
    session = _text(fields, "session")
    return Attempt(
        where=where,
        door=Door.HOME if session or _OF_HOME & {name for name, _ in checks} else Door.EDGE,
        id=_text(fields, "id"),
        ended_at=_number(fields, "ended_at", LAST_SECOND),
        client=_text(fields, "client"),
        helo=_text(fields, "helo"),
        tls=_text(fields, "tls"),
        reverse_path=_text(fields, "reverse_path"),
        recipients=_recipients(fields),
        octets=int(_number(fields, "octets", 2**62)),
        decision=Decision(decision),
        reason=_text(fields, "reason"),
        reply=_text(fields, "reply"),
        message_id=_text(fields, "message_id"),
        fingerprint=_text(fields, "fingerprint"),
        detail=_text(fields, "detail"),
        checks=checks,
        receive_seconds=_number(fields, "receive_seconds", LAST_SECOND),
        relay_seconds=_number(fields, "relay_seconds", LAST_SECOND),
        session=session,
    )


def printable(text: str) -> str:
    """One line without control characters, lone surrogates and marks that turn the direction of writing."""
    text = text[:MAX_TEXT]
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c in "\r\n\t" else "\ufffd" for c in text)


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise AttemptError(f"{name} is no text")
    return printable(value)


def _number(fields: Mapping[str, object], name: str, most: float) -> float:
    value = fields.get(name)
    # True is an int to Python, and no number here.
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise AttemptError(f"{name} is no number")
    # Compared before it is converted: JSON knows integers that no float can hold.
    if not 0 <= value <= most or (isinstance(value, float) and not math.isfinite(value)):
        raise AttemptError(f"{name} is out of range")
    return float(value)


def _recipients(fields: Mapping[str, object]) -> tuple[RecipientOutcome, ...]:
    value = fields.get("recipients")
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise AttemptError("recipients is no list of objects")
    return tuple(
        RecipientOutcome(_text(item, "forward_path"), _text(item, "home")) for item in value[:MAX_RECIPIENTS]
    )


def _checks(fields: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    value = fields.get("checks")
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise AttemptError("checks is no object")
    return tuple((printable(str(name)), _text(value, name)) for name in list(value)[:MAX_CHECKS])
