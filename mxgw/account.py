"""The account of a transaction: what is logged and counted of it, as one ``Outcome``."""

from __future__ import annotations

from collections.abc import Sequence

from mxgw.envelope import Transaction
from mxgw.outcome import Decision, HomeAnswer, Outcome, RecipientOutcome
from mxgw.policy import Reason, Verdict

MAX_LOGGED_MESSAGE_ID = 200
"""Characters of a Message-ID in the log: a stranger wrote it."""


def of_delivery(
    transaction: Transaction,
    verdict: Verdict,
    answers: Sequence[HomeAnswer],
    *,
    octets: int,
    message_id: str,
    fingerprint: str,
    detail: str,
    checks: tuple[tuple[str, str], ...],
    received_at: float,
    now: float,
) -> Outcome:
    """Of a transaction whose content came. ``answers`` are empty where home was not asked. Unix times."""
    return _account(
        transaction,
        [str(item.reply or item.trouble) for item in answers],
        decision=verdict.decision,
        reason=verdict.reason,
        reply=str(verdict.replies[-1]),
        octets=octets,
        message_id=message_id[:MAX_LOGGED_MESSAGE_ID],
        fingerprint=fingerprint,
        detail=detail,
        checks=checks,
        received_at=received_at,
        now=now,
    )


def of_abandoned(transaction: Transaction, *, octets: int, now: float) -> Outcome | None:
    """Of one that ended without its content; None where nothing was said that is worth a line."""
    if not transaction.forward_paths and not transaction.refused:
        return None
    decision, reason, reply = Decision.ABORTED, Reason.CLIENT_LEFT, ""
    if not transaction.forward_paths:
        reason, reply = Reason.RECIPIENTS_REFUSED, str(transaction.refused[-1][1])
        decision = Decision.DEFER if transaction.deferred else Decision.REJECT
    return _account(
        transaction,
        [],
        decision=decision,
        reason=reason,
        reply=reply,
        octets=octets,
        message_id="",
        fingerprint="",
        detail="",
        checks=(),
        received_at=now,
        now=now,
    )


def _account(
    transaction: Transaction,
    said: Sequence[str],
    *,
    decision: Decision,
    reason: Reason,
    reply: str,
    octets: int,
    message_id: str,
    fingerprint: str,
    detail: str,
    checks: tuple[tuple[str, str], ...],
    received_at: float,
    now: float,
) -> Outcome:
    client = transaction.client
    homes = said or [""] * len(transaction.forward_paths)
    recipients = [
        RecipientOutcome(str(path), home) for path, home in zip(transaction.forward_paths, homes, strict=True)
    ]
    if transaction.refused:
        recipients += [RecipientOutcome(str(path), str(refusal)) for path, refusal in transaction.refused]
    return Outcome(
        id=transaction.id,
        ended_at=now,
        client=client.address_text,
        helo=client.helo,
        tls=f"{client.tls.version} {client.tls.cipher}" if client.tls else "",
        reverse_path=str(transaction.reverse_path),
        recipients=tuple(recipients),
        octets=octets,
        decision=decision,
        reason=reason.value,
        reply=reply,
        message_id=message_id,
        receive_seconds=max(0.0, received_at - transaction.started_at),
        relay_seconds=max(0.0, now - received_at),
        fingerprint=fingerprint,
        detail=detail,
        checks=checks,
        session=client.session,
    )
