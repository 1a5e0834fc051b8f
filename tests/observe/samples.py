"""Outcomes to count and to log."""

from __future__ import annotations

from collections.abc import Sequence

from mxgw.outcome import Decision, Outcome, RecipientOutcome

NOON = 1_795_521_600.0
"""24 November 2026, 12:00:00 UTC."""


def outcome(
    *,
    decision: Decision = Decision.ACCEPT,
    reason: str = "delivered",
    recipients: Sequence[tuple[str, str]] = (("taro@example.jp", "250 2.0.0 Saved"),),
    ended_at: float = NOON,
    octets: int = 10_240,
    reverse_path: str = "hanako@example.com",
    reply: str = "250 2.0.0 Delivered as 7f",
    transaction_id: str = "7f",
    helo: str = "mx.example.com",
    receive_seconds: float = 0.02,
    relay_seconds: float = 0.03,
    checks: tuple[tuple[str, str], ...] = (("spf", "pass"), ("dmarc", "fail")),
) -> Outcome:
    """An ordinary transaction, but for what is said."""
    return Outcome(
        id=transaction_id,
        ended_at=ended_at,
        client="192.0.2.7",
        helo=helo,
        tls="TLSv1.3",
        reverse_path=reverse_path,
        recipients=tuple(RecipientOutcome(path, home) for path, home in recipients),
        octets=octets,
        decision=decision,
        reason=reason,
        reply=reply,
        message_id="<1@example.com>",
        receive_seconds=receive_seconds,
        relay_seconds=relay_seconds,
        checks=checks,
    )
