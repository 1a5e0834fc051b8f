"""The time that a report covers: whole seconds of UTC, normally a day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, NamedTuple, Self

DAY_SECONDS: Final = 86_400
LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999, behind which dates cannot be written."""


class Period(NamedTuple):
    """From ``begin`` until before ``until``, in seconds since the epoch."""

    begin: int
    until: int

    @classmethod
    def day_of(cls, time: float) -> Self:
        """The day of UTC that holds a moment."""
        begin = int(time // DAY_SECONDS) * DAY_SECONDS
        return cls(begin, begin + DAY_SECONDS)

    @property
    def end(self) -> int:
        """The last second in it, which is what reports and their file names state (RFC 9990 appendix B)."""
        return self.until - 1

    def holds(self, time: float) -> bool:
        """Whether a moment is in it."""
        return self.begin <= time < self.until

    def __str__(self) -> str:
        begin, until = (datetime.fromtimestamp(second, UTC) for second in self)
        if self == Period.day_of(self.begin):
            return f"{begin:%Y-%m-%d} UTC"
        return f"{begin:%Y-%m-%dT%H:%M:%SZ} until {until:%Y-%m-%dT%H:%M:%SZ}"


def moment(text: str) -> int:
    """A date, or a date with a time (ISO 8601), in seconds; UTC where no zone is given. Raises ValueError."""
    parsed = datetime.fromisoformat(text)
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())


def period(begin: int | None, until: int | None) -> Period | None:
    """What was asked for: a day where one side is missing, None where both are. Raises ValueError."""
    if begin is None and until is None:
        return None
    begin = until - DAY_SECONDS if begin is None and until is not None else begin or 0
    until = begin + DAY_SECONDS if until is None else until
    if not 0 <= begin < until <= LAST_SECOND:
        raise ValueError("the period must begin before it ends, between the years 1970 and 9999")
    return Period(begin, until)
