"""One sentence about what became of a message, and what to do about it, in the user's language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from mxgw.trail.attempt import Attempt, Door
from mxgw.trail.fate import Cause, Fate, MessageFate, RecipientFate, State
from mxgw.trail.joining import GIVE_UP_SECONDS
from mxgw.trail.words import Speech

EARLY_SECONDS: Final = 4 * 86_400
"""When senders give up at the earliest, as a rule: RFC 5321 section 4.5.4.1."""

MAX_NAMES: Final = 3
"""Recipients that a sentence names."""

Clock = Callable[[float], str]
"""Unix time as people read it."""


def conclusion(fate: MessageFate, speech: Speech, clock: Clock) -> str:
    """The sentence."""
    if fate.fate is Fate.MIXED:
        parts = [_part(fate, state, speech, clock) for state in State if fate.in_state(state)]
        if fate.comes_again:
            parts.append(speech("part-again"))
        return speech("fate-mixed", parts=speech("part-join").join(parts))
    count = len(fate.recipients)
    return speech(
        _key(fate),
        times=_times(max((one.put_off for one in fate.recipients), default=0), speech),
        whom=speech("whom-all", count=count) if count > 1 else "",
        place=_place(fate.junk, speech),
        said=_said(fate.recipients, speech),
        since=clock(fate.since),
        at=clock(max((one.at for one in fate.recipients), default=fate.last_at)),
        last=clock(fate.last_at),
        **_limits(fate, clock),
    )


def causes(fate: MessageFate) -> tuple[Cause, ...]:
    """Why it was not taken, for the recipients who do not have it: each cause once."""
    return tuple(dict.fromkeys(one.cause for one in fate.recipients if one.cause is not None))


def advice(fate: MessageFate, speech: Speech) -> list[str]:
    """What to do, one text for each cause."""
    return [speech(f"cause-{cause.value}") for cause in causes(fate)]


def checks_text(checks: Sequence[tuple[str, str]]) -> str:
    """``spf=pass dkim=none``."""
    return " ".join(f"{name}={result}" for name, result in checks)


def _key(fate: MessageFate) -> str:
    if fate.perhaps_twice:
        return "fate-stored-perhaps-twice"
    if fate.fate is Fate.REFUSED and fate.comes_again:
        return "fate-refused-again"
    if fate.fate is Fate.PUT_OFF and fate.since == fate.last_at:
        return "fate-put-off-now"
    return f"fate-{fate.fate.value}"


def _times(count: int, speech: Speech) -> str:
    return speech("times-one") if count == 1 else speech("times-many", count=count)


def _part(fate: MessageFate, state: State, speech: Speech, clock: Clock) -> str:
    recipients = fate.in_state(state)
    names = ", ".join(one.address for one in recipients[:MAX_NAMES])
    if len(recipients) > MAX_NAMES:
        names = speech("names-more", names=names, count=len(recipients) - MAX_NAMES)
    return speech(
        f"part-{state.value}",
        names=names,
        said=_said(recipients, speech),
        place=_place(fate.junk, speech),
        **_limits(fate, clock),
    )


def _said(recipients: Sequence[RecipientFate], speech: Speech) -> str:
    return next((one.said for one in recipients if one.said), "") or speech("nothing-said")


def _limits(fate: MessageFate, clock: Clock) -> dict[str, str]:
    """Senders count from their first try."""
    return {"early": clock(fate.since + EARLY_SECONDS), "late": clock(fate.since + GIVE_UP_SECONDS)}


def _place(junk: Attempt | None, speech: Speech) -> str:
    if junk is None:
        return ""
    checks = [(name, result) for name, result in junk.checks if name in {"dmarc", "rspamd"}]
    if junk.door is Door.EDGE:
        return speech("place-junk-edge", checks=checks_text(checks or junk.checks))
    return speech("place-junk-scanner", checks=checks_text(checks or junk.checks))
