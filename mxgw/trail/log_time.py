"""When a line of a log was written, though syslog's dates name no year.

Postfix writes ``Nov 24 20:38:23``, in the zone of its container. ``docker compose logs --timestamps`` puts a
whole time before it, which then counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from mxgw.trail.attempt import LAST_SECOND

AHEAD: Final = timedelta(days=1)
"""A line may be that much later than the clock that it is read by: clocks and zones differ."""

MAX_YEARS_BACK: Final = 8
"""Between two 29ths of February there are at most eight years."""

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

SYSLOG: Final = r"(?:" + "|".join(_MONTHS) + r") [ \d]\d \d\d:\d\d:\d\d"
"""RFC 3164 section 4.1.2: no year, no zone."""

RFC_3339: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"
"""As Docker and newer syslogs write it."""


def whole_time(text: str) -> float | None:
    """Unix time of what RFC_3339 matched; None where there is no such moment."""
    try:
        found = datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return found if 0 <= found <= LAST_SECOND else None


def syslog_time(text: str, *, latest: float) -> float | None:
    """Unix time of what SYSLOG matched, in the local zone; None where there is no such moment.

    The year is the last one in which it was not after ``latest``, Unix time at which the log was at an end.
    """
    month = _MONTHS.index(text[:3]) + 1
    day, hour, minute, second = (int(text[at : at + 2]) for at in (4, 7, 10, 13))
    end = datetime.fromtimestamp(latest) + AHEAD  # noqa: DTZ006 - the local zone
    for year in range(end.year, max(end.year - MAX_YEARS_BACK - 1, 1970), -1):
        try:
            # A leap second is no moment to Python.
            found = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001 - the local zone
        except ValueError:
            continue
        if found <= end:
            return max(found.timestamp(), 0.0)
    return None
