"""The DNS records of a zone at Cloudflare (API v4)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mxgw.admin.cloud.api import ApiRefused, JsonApi, Service, Trouble
from mxgw.admin.refusal import Refused
from mxgw.resolver.names import canonical

BASE = "https://api.cloudflare.com/client/v4"
SERVICE = Service("Cloudflare", "CLOUDFLARE_API_TOKEN", "https://dash.cloudflare.com/profile/api-tokens")
PERMISSION = "Zone > DNS > Edit"

PAGE_RECORDS = 100
MAX_PAGES = 50
"""5,000 records: more than any zone of a household has."""

MAX_PARENTS = 5
"""Labels that are taken off a domain to find its zone; each costs a request."""

AUTOMATIC_TTL = 1
"""What Cloudflare calls automatic."""

COMMENT = "mxgw"
"""Stands beside what we made, so that the owner knows who it was."""

MAX_STRING_OCTETS = 255
"""RFC 1035 section 3.3: of one character-string."""

_MALFORMED_TOKEN = "6003"  # noqa: S105 - a code of Cloudflare's
_NO_SUCH_TOKEN = "9109"  # noqa: S105 - a code of Cloudflare's


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone that the token may see."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Held:
    """A record that is there: ``name`` and host names in lower case, a text without its quotes.

    ``preference`` is the priority of MX and SRV; the ``content`` of SRV is weight, port and host.
    """

    id: str
    kind: str
    name: str
    content: str
    preference: int | None = None
    proxied: bool = False
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Put:
    """A record as it shall be; ``name`` is a full name, ``preference`` and ``content`` are as in Held."""

    kind: str
    name: str
    content: str
    preference: int | None = None
    ttl: int = AUTOMATIC_TTL


class Cloudflare:
    """The account behind a token. Raises Refused."""

    def __init__(self, token: str, *, base: str = BASE, sleep: Callable[[float], None] = time.sleep) -> None:
        self._api = JsonApi(SERVICE, token, base=base, sleep=sleep)

    def zone(self, domain: str) -> Zone:
        """The zone that a domain is in: its own, or that of the nearest name above it."""
        labels = domain.split(".")
        for cut in range(min(MAX_PARENTS, len(labels) - 1)):
            name = ".".join(labels[cut:])
            for one in self._call("GET", "/zones", query={"name": name})["result"]:
                return Zone(str(one["id"]), str(one["name"]).lower())
        raise Refused("cloudflare-no-zone", failure=True, domain=domain)

    def records(self, zone: Zone) -> list[Held]:
        """All of them, page by page."""
        found: list[Held] = []
        for page in range(1, MAX_PAGES + 1):
            query = {"page": page, "per_page": PAGE_RECORDS}
            answer = self._call("GET", f"/zones/{zone.id}/dns_records", query=query)
            found += [_held(one) for one in answer["result"]]
            if page >= int((answer.get("result_info") or {}).get("total_pages", 1)):
                return found
        raise Refused("cloudflare-many-records", failure=True, zone=zone.name, most=MAX_PAGES * PAGE_RECORDS)

    def create(self, zone: Zone, record: Put) -> str:
        """One more; its id."""
        answer = self._call("POST", f"/zones/{zone.id}/dns_records", body=_body(record))
        return str(answer["result"]["id"])

    def change(self, zone: Zone, held: Held, record: Put) -> None:
        """Put another in the place of one; the comment of its owner stays."""
        body = {name: value for name, value in _body(record).items() if name != "comment"}
        self._call("PATCH", f"/zones/{zone.id}/dns_records/{held.id}", body=body)

    def delete(self, zone: Zone, record_id: str) -> None:
        """One less; it may be gone already."""
        try:
            self._call("DELETE", f"/zones/{zone.id}/dns_records/{record_id}")
        except ApiRefused as why:
            if why.trouble is not Trouble.NOT_FOUND:
                raise

    def _call(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        try:
            answer = self._api.call(method, path, permission=PERMISSION, **given)
        except ApiRefused as why:
            # Cloudflare says 400 or 403 of a token that is none; 403 of a record is a missing permission.
            codes = str(why.facts.get("why", ""))
            if f"({_MALFORMED_TOKEN})" in codes or f"({_NO_SUCH_TOKEN})" in codes:
                raise ApiRefused(Trouble.UNAUTHORISED, **why.facts) from None
            raise
        match answer:
            case {"success": True, "result": _, **_rest}:
                return dict(answer)
            case _:
                raise ApiRefused(Trouble.BROKEN, service=SERVICE.name, why="unexpected JSON")


def _held(one: dict[str, Any]) -> Held:
    kind, content, priority = str(one["type"]), str(one.get("content", "")), one.get("priority")
    if kind == "SRV":
        data = one.get("data") or {}
        content = " ".join(str(data.get(part, "")) for part in ("weight", "port", "target"))
        priority = data.get("priority", priority)
    return Held(
        id=str(one["id"]),
        kind=kind,
        name=canonical(str(one["name"])) or "",
        content=unquoted(content) if kind == "TXT" else content.lower().removesuffix("."),
        preference=int(priority) if priority is not None else None,
        proxied=bool(one.get("proxied", False)),
        ours=str(one.get("comment") or "").startswith(COMMENT),
    )


def _body(record: Put) -> dict[str, object]:
    body: dict[str, object] = {
        "type": record.kind,
        "name": record.name,
        "ttl": record.ttl,
        "comment": COMMENT,
    }
    if record.kind == "SRV":
        weight, port, target = record.content.split()
        priority = record.preference or 0
        body["data"] = {"priority": priority, "weight": int(weight), "port": int(port), "target": target}
        return body
    body["content"] = quoted(record.content) if record.kind == "TXT" else record.content
    if record.kind in {"A", "AAAA", "CNAME"}:
        # A name of mail behind Cloudflare's proxy is a name that nobody can deliver to.
        body["proxied"] = False
    if record.preference is not None:
        body["priority"] = record.preference
    return body


def quoted(text: str) -> str:
    """A text as Cloudflare wants it: character-strings in quotes (RFC 1035 section 5.1)."""
    parts = [text[cut : cut + MAX_STRING_OCTETS] for cut in range(0, len(text), MAX_STRING_OCTETS)]
    return " ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in parts or [""])


def unquoted(text: str) -> str:
    """The octets of a text that stands in one or more pairs of quotes, or in none."""
    if not text.startswith('"'):
        return text
    octets: list[str] = []
    inside = escaped = False
    for character in text:
        if escaped:
            octets.append(character)
            escaped = False
        elif character == "\\" and inside:
            escaped = True
        elif character == '"':
            inside = not inside
        elif inside:
            octets.append(character)
    return "".join(octets)
