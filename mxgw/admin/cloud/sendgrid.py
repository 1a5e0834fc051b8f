"""SendGrid's account (API v3): what the key may do, which domains it signs for, how much was sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from mxgw.admin.cloud.api import ApiRefused, JsonApi, Service, Trouble

BASE = "https://api.sendgrid.com"
"""https://api.eu.sendgrid.com for an account that is kept in Europe."""

SERVICE = Service("SendGrid", "SENDGRID_ADMIN_KEY", "https://app.sendgrid.com/settings/api_keys")
AUTHENTICATION = "Sender Authentication > Full Access"
STATISTICS = "Stats > Read Access"
BILLING = "Billing > Read Access"

PAGE_DOMAINS = 50
MAX_PAGES = 20
"""1,000 domains: SendGrid's own bound is 3,000, and a household has a handful."""


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """A record that SendGrid asks for; ``part`` is its name for it: mail_cname, dkim1, dkim2 ..."""

    part: str
    kind: str
    host: str
    content: str
    valid: bool


@dataclass(frozen=True, slots=True)
class SignedDomain:
    """A domain that SendGrid signs for, once ``valid``."""

    id: int
    domain: str
    valid: bool
    records: tuple[SignedRecord, ...]


@dataclass(frozen=True, slots=True)
class Validation:
    """What SendGrid found in DNS; ``reasons`` by its name of the record."""

    valid: bool
    reasons: dict[str, str]


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much the plan lets us send in a period ("daily", "monthly"), and how much of it is used."""

    total: int
    used: int
    remaining: int
    period: str
    next_reset: str


@dataclass(frozen=True, slots=True)
class DaySent:
    """What was handed to SendGrid on one day, and what became of it."""

    day: date
    requests: int
    delivered: int
    bounced: int
    reported_as_spam: int


class SendGrid:
    """The account behind an API key. Raises Refused."""

    def __init__(self, key: str, *, base: str = BASE, sleep: Callable[[float], None] = time.sleep) -> None:
        self._api = JsonApi(SERVICE, key, base=base, sleep=sleep)

    def scopes(self) -> frozenset[str]:
        """What the key may do."""
        match self._api.call("GET", "/v3/scopes"):
            case {"scopes": [*scopes]}:
                return frozenset(map(str, scopes))
            case _:
                raise _unexpected()

    def domains(self) -> list[SignedDomain]:
        """All that it signs for, or shall."""
        found: list[SignedDomain] = []
        for page in range(MAX_PAGES):
            query = {"limit": PAGE_DOMAINS, "offset": page * PAGE_DOMAINS}
            answer = self._api.call("GET", "/v3/whitelabel/domains", query=query, permission=AUTHENTICATION)
            if not isinstance(answer, list):
                raise _unexpected()
            found += [_signed(one) for one in answer]
            if len(answer) < PAGE_DOMAINS:
                break
        return found

    def authenticate(self, domain: str) -> SignedDomain:
        """Have it sign for a domain, with keys that it changes by itself (automatic security)."""
        body = {"domain": domain, "automatic_security": True, "custom_spf": False, "default": False}
        return _signed(self._api.call("POST", "/v3/whitelabel/domains", body=body, permission=AUTHENTICATION))

    def validate(self, domain: SignedDomain) -> Validation:
        """Have it look at DNS now."""
        answer = self._api.call(
            "POST", f"/v3/whitelabel/domains/{domain.id}/validate", permission=AUTHENTICATION
        )
        match answer:
            case {"valid": bool(valid), "validation_results": {**results}}:
                reasons = {
                    str(part): str(one.get("reason") or "")
                    for part, one in results.items()
                    if isinstance(one, dict) and not one.get("valid")
                }
                return Validation(valid, reasons)
            case _:
                raise _unexpected()

    def allowance(self) -> Allowance | None:
        """The plan's; None where the plan has no such count, or the key may not see it."""
        try:
            answer = self._api.call("GET", "/v3/user/credits", permission=BILLING)
        except ApiRefused as why:
            if why.trouble in {Trouble.FORBIDDEN, Trouble.NOT_FOUND, Trouble.REFUSED}:
                return None
            raise
        match answer:
            case {"total": int(total), "used": int(used), "remain": int(remaining)} if total > 0:
                period, reset = str(answer.get("reset_frequency") or ""), str(answer.get("next_reset") or "")
                return Allowance(total, used, remaining, period, reset)
            case _:
                return None

    def sent(self, first: date, last: date) -> list[DaySent]:
        """Each day from ``first`` to ``last``."""
        query: dict[str, str | int] = {
            "start_date": first.isoformat(),
            "end_date": last.isoformat(),
            "aggregated_by": "day",
            "limit": (last - first).days + 1,
        }
        answer = self._api.call("GET", "/v3/stats", query=query, permission=STATISTICS)
        if not isinstance(answer, list):
            raise _unexpected()
        return [_day(one) for one in answer]


def _signed(one: Any) -> SignedDomain:
    match one:
        case {"id": int(number), "domain": str(domain), "dns": {**records}}:
            signed = tuple(
                SignedRecord(
                    part=str(part),
                    kind=str(record.get("type", "")).upper(),
                    host=str(record.get("host", "")).lower().removesuffix("."),
                    content=str(record.get("data", "")).removesuffix("."),
                    valid=bool(record.get("valid")),
                )
                for part, record in records.items()
                if isinstance(record, dict)
            )
            return SignedDomain(number, domain.lower(), bool(one.get("valid")), signed)
        case _:
            raise _unexpected()


def _day(one: Any) -> DaySent:
    match one:
        case {"date": str(day), "stats": [{"metrics": {**metrics}}, *_]}:
            counts = {name: _count(metrics.get(name)) for name in _METRICS}
            return DaySent(
                date.fromisoformat(day),
                counts["requests"],
                counts["delivered"],
                counts["bounces"] + counts["blocks"],
                counts["spam_reports"],
            )
        case {"date": str(day)}:
            return DaySent(date.fromisoformat(day), 0, 0, 0, 0)
        case _:
            raise _unexpected()


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


_METRICS = ("requests", "delivered", "bounces", "blocks", "spam_reports")


def _unexpected() -> ApiRefused:
    return ApiRefused(Trouble.BROKEN, service=SERVICE.name, why="unexpected JSON")
