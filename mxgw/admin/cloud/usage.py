"""How much of SendGrid's allowance is used, and whether that is near its end. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mxgw.admin.cloud.sendgrid import Allowance, DaySent
from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused

WARNING_PERCENT = 80
"""Early enough to change the plan before mail stays behind."""


class Period(StrEnum):
    """In which an allowance is counted."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Limit:
    """What the plan lets us send in a period, and what of it is sent."""

    total: int
    used: int
    period: Period

    @property
    def percent(self) -> int:
        """Of the whole, cut to a whole number."""
        return self.used * 100 // self.total

    @property
    def near(self) -> bool:
        """Whether somebody should look."""
        return self.percent >= WARNING_PERCENT


@dataclass(frozen=True, slots=True)
class Usage:
    """What was handed to SendGrid, today and since the first of the month (its days are UTC)."""

    today: int
    month: int
    delivered: int
    bounced: int
    reported_as_spam: int


_LIMIT = re.compile(r"([1-9][0-9]{0,8})/(day|month)")


def limit_setting(text: str) -> tuple[int, Period] | None:
    """``100/day``, ``50000/month``; None for "". Raises Refused."""
    if not text:
        return None
    found = _LIMIT.fullmatch(text.replace(" ", "").lower())
    if found is None:
        raise Refused("bad-limit-setting", variable="SENDGRID_LIMIT", text=shown(text))
    return int(found[1]), Period(found[2])


def usage(days: Sequence[DaySent], today: date) -> Usage:
    """The sums of a month's days."""
    return Usage(
        today=sum(day.requests for day in days if day.day == today),
        month=sum(day.requests for day in days),
        delivered=sum(day.delivered for day in days),
        bounced=sum(day.bounced for day in days),
        reported_as_spam=sum(day.reported_as_spam for day in days),
    )


def limit(
    allowance: Allowance | None, setting: tuple[int, Period] | None, sent: Usage | None
) -> Limit | None:
    """SendGrid's own count, else what .env says the plan is; None where nobody says."""
    if allowance is not None:
        period = Period.DAY if allowance.period == "daily" else Period.MONTH
        return Limit(allowance.total, allowance.used, period)
    if setting is None or sent is None:
        return None
    total, period = setting
    return Limit(total, sent.today if period is Period.DAY else sent.month, period)
