"""Lines of an edge's log, made up: attempts of senders that try again as Postfix does."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

from mxgw.outcome import Decision, Outcome, RecipientOutcome
from mxgw.trail.attempt import Attempt, parse_attempt

START = 1_795_500_000.0
STORED = "250 2.0.0 Stored"
AWAY = "451 4.4.1 Home cannot be reached; try again later"


def attempt(
    at: float,
    *,
    sender: str = "a@shop.example",
    home: Sequence[tuple[str, str]] = (("taro@example.jp", "connect-failed"),),
    decision: Decision = Decision.DEFER,
    reason: str = "home-unreachable",
    reply: str = AWAY,
    message: str = "one",
    helo: str = "mail.shop.example",
) -> Attempt:
    """One attempt; ``home`` is what home said for each recipient. ``message`` "" came without content."""
    outcome = Outcome(
        id=f"{random.Random(f'{at}{sender}{message}').getrandbits(64):x}",
        ended_at=at,
        client="203.0.113.5",
        helo=helo,
        tls="",
        reverse_path=sender,
        recipients=(),
        octets=100,
        decision=decision,
        reason=reason,
        reply=reply,
        message_id=f"<{message}@shop.example>" if message else "",
        receive_seconds=0.1,
        relay_seconds=0.1,
    )
    fields: dict[str, Any] = outcome._asdict()
    fields["recipients"] = [RecipientOutcome(*one)._asdict() for one in home]
    fields["checks"] = {}
    return parse_attempt(fields, "edge.log")


def stored(at: float, **more: Any) -> Attempt:
    """One that arrived."""
    given = {"home": (("taro@example.jp", STORED),), **more}
    return attempt(at, decision=Decision.ACCEPT, reason="delivered", reply="250 2.0.0 Ok", **given)


def refused_at_mail(at: float, **more: Any) -> Attempt:
    """One that was not let in, while home was known to be away."""
    return attempt(at, message="", home=(), **more)


def outage(
    mails: int, *, seconds: float, senders_that_never_return: Iterable[int] = (), seed: int = 1
) -> list[Attempt]:
    """``mails`` of as many senders, sent during an outage from START on, each retried with growing pauses
    until home is back; some of them are never tried again. In no order."""
    chance, gone = random.Random(seed), set(senders_that_never_return)
    lines = [stored(START - 60, sender="before@shop.example", message="before")]
    for number in range(mails):
        at, pause = START + chance.uniform(0, seconds - 10), 300.0
        who = {"sender": f"s{number}@shop.example", "message": f"m{number}"}
        lines.append(attempt(at, **who))
        while number not in gone:
            at += pause * chance.uniform(0.9, 1.1)
            pause = min(pause * 2, 4_000.0)
            if at > START + seconds:
                lines.append(stored(at, **who))
                break
            # While it is known to be away nothing but the sender is heard.
            lines.append(
                refused_at_mail(at, sender=who["sender"]) if chance.random() < 0.7 else attempt(at, **who)
            )
    chance.shuffle(lines)
    return lines
