"""Why two programs may judge the same thing otherwise: named, with the clause, and who keeps to it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Right(StrEnum):
    """Who does what the clause says; OPEN where it leaves the choice to a receiver."""

    WE = "we"
    THEY = "they"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Reason:
    """One way to disagree. The patterns must match the whole of what each side said, "result: why", and of
    what is known of the case, so that a reason explains nothing but what it was written for."""

    name: str
    clause: str
    right: Right
    ours: str
    theirs: str
    about: str = ".*"


def explanation(reasons: Iterable[Reason], ours: str, theirs: str, about: str) -> Reason | None:
    """The first reason that fits; None is a disagreement that nobody has explained."""
    for reason in reasons:
        pairs = ((reason.ours, ours), (reason.theirs, theirs), (reason.about, about))
        if all(re.fullmatch(pattern, text, re.DOTALL) for pattern, text in pairs):
            return reason
    return None


def said(result: str, *why: str) -> str:
    """What one side said, as the patterns take it."""
    return ": ".join([result, *(text for text in why if text)])
