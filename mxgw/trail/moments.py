"""Times as they are typed: a span back from now (``1d``, ``90m``), or a date with or without a time."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from mxgw.trail.attempt import LAST_SECOND

_SPAN: Final = re.compile(r"([1-9]\d{0,5})([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
# Python reads "20261124" and "2026-W48-2" as dates too; whoever types that has mistaken something.
_DATE: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII
)


class Window(NamedTuple):
    """From ``since`` until before ``until``: Unix time."""

    since: float
    until: float

    def holds(self, time: float) -> bool:
        """Whether a moment is in it."""
        return self.since <= time < self.until


ALWAYS: Final = Window(0, LAST_SECOND)


def moment(text: str, *, now: float, zone: tzinfo | None) -> float:
    """Unix time of what was typed; ``zone`` is that of dates that name none, None for the local one.

    Raises ValueError.
    """
    if span := _SPAN.fullmatch(text):
        found = now - int(span[1]) * _SECONDS[span[2]]
    elif _DATE.fullmatch(text):
        parsed = datetime.fromisoformat(text)
        try:
            found = (parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)).timestamp()
        except OverflowError:
            raise ValueError("out of range") from None
    else:
        raise ValueError("neither a span nor a date")
    if not 0 <= found <= LAST_SECOND:
        raise ValueError("out of range")
    return found
