"""Where the reports of a domain go: its "rua", and whether destinations elsewhere have agreed.

Anybody may publish a policy that names a victim's address. So a destination outside the policy domain is
used only where its own domain says in DNS that it takes these reports (RFC 9990 section 4).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

from mxgw.msgauth.dmarc_walk import PolicyRecords
from mxgw.reports.events import MAX_DESTINATIONS, hostname
from mxgw.resolver import Lookup, Status

# RFC 6068 allows more; an address with anything else in it is quoted differently by every program behind us.
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_OLD_SIZE: Final = re.compile(r"![0-9]+[kmgt]?$", re.IGNORECASE)
_VERSION: Final = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(;|$)")
_RUA: Final = re.compile(r"(?:^|;)[ \t]*rua[ \t]*=([^;]*)")
MAX_LOCAL_PART: Final = 255
"""Octets; as the gateway takes them (RFC 5321 section 4.5.3.1.1 asks for 64)."""

MAX_CHECKS_AT_ONCE: Final = 20
"""Domains whose destinations are asked for in DNS at a time."""


class Standing(StrEnum):
    """Whether a destination may be used."""

    OWN = "own"
    """In the policy domain itself."""

    AGREED = "agreed"
    """Elsewhere, and the domain there says that it takes the reports."""

    UNCHECKED = "unchecked"
    """Elsewhere, and DNS was not asked."""

    REFUSED = "not-agreed"
    """Elsewhere, and the domain there says nothing, or names a third."""

    TEMPORARY = "temporary-failure"
    """Elsewhere, and DNS could not tell now."""

    UNUSABLE = "unusable"
    """No mail address."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One URI of a "rua". ``address`` is the mail address, "" where there is none."""

    uri: str
    address: str
    standing: Standing

    @property
    def usable(self) -> bool:
        """Whether a report may be sent there."""
        return self.standing in {Standing.OWN, Standing.AGREED}

    @property
    def host(self) -> str:
        """The domain of the address."""
        return self.address.rpartition("@")[2]


def destinations(policy_domain: str, rua: Sequence[str]) -> tuple[Destination, ...]:
    """What can be said without DNS: a destination at the policy domain or below it is the domain's own."""
    found: list[Destination] = []
    for uri in rua[:MAX_DESTINATIONS]:
        address = mail_address(uri)
        if not address:
            found.append(Destination(uri, "", Standing.UNUSABLE))
            continue
        own = f".{address.rpartition('@')[2]}".endswith(f".{policy_domain}")
        found.append(Destination(uri, address, Standing.OWN if own else Standing.UNCHECKED))
    return tuple(found)


def mail_address(uri: str) -> str:
    """The address of a mailto URI, its domain as A-labels; "" for anything else.

    A size limit behind "!" is dropped and ignored: RFC 9989 has it as obsolete syntax.
    """
    scheme, _, rest = uri.strip().partition(":")
    rest = _OLD_SIZE.sub("", rest)
    if scheme.lower() != "mailto" or "?" in rest:
        return ""
    local, _, domain = unquote(rest, errors="replace").rpartition("@")
    host = hostname(domain)
    if host is None or len(local) > MAX_LOCAL_PART or not _LOCAL.fullmatch(local):
        return ""
    return f"{local}@{host}"


async def checked(lookup: Lookup, policy_domain: str, rua: Sequence[str]) -> tuple[Destination, ...]:
    """The same with DNS: destinations elsewhere are agreed to, refused, or not known now.

    A domain that agrees may name another address of its own, which then takes the place of the first.
    """
    found: list[Destination] = []
    for destination in destinations(policy_domain, rua):
        if destination.standing is not Standing.UNCHECKED:
            found.append(destination)
        else:
            found.extend(await _elsewhere(lookup, policy_domain, destination))
    return tuple({destination.address or destination.uri: destination for destination in found}.values())


async def check_all(
    lookup: Lookup, wanted: Sequence[tuple[str, Sequence[str]]]
) -> list[tuple[Destination, ...]]:
    """``checked`` for many pairs of policy domain and rua, some at a time."""
    places = asyncio.Semaphore(MAX_CHECKS_AT_ONCE)

    async def one(policy_domain: str, rua: Sequence[str]) -> tuple[Destination, ...]:
        async with places:
            return await checked(lookup, policy_domain, rua)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(domain, rua)) for domain, rua in wanted]
    return [task.result() for task in tasks]


async def _elsewhere(lookup: Lookup, policy_domain: str, destination: Destination) -> Sequence[Destination]:
    policies = PolicyRecords(lookup)
    ours = (await policies.walk(policy_domain)).organizational_domain
    theirs = (await policies.walk(destination.host)).organizational_domain
    if ours and ours == theirs:
        return [_with(destination, Standing.OWN)]
    # A name that is too long for DNS is NO_NAME to the resolver, as RFC 9990 section 4 step 4 wants it.
    answer = await lookup.txt(f"{policy_domain}._report._dmarc.{destination.host}")
    if answer.status is Status.TEMPORARY:
        return [_with(destination, Standing.TEMPORARY)]
    records = [
        text
        for text in (octets.decode("ascii", "replace") for octets in answer.records)
        if _VERSION.match(text)
    ]
    if not records:
        # Where DNS hides an organization, both may be one, and nobody has to agree.
        return [_with(destination, Standing.REFUSED if ours and theirs else Standing.TEMPORARY)]
    uris = [uri for text in records for named in _RUA.findall(text) for uri in named.split(",")]
    if not uris:
        return [_with(destination, Standing.AGREED)]
    addresses = [mail_address(uri) for uri in uris[:MAX_DESTINATIONS]]
    if any(address.rpartition("@")[2] != destination.host for address in addresses):
        # RFC 9990 section 4: then neither the one nor the other gets anything.
        return [_with(destination, Standing.REFUSED)]
    return [Destination(destination.uri, address, Standing.AGREED) for address in addresses]


def _with(destination: Destination, standing: Standing) -> Destination:
    return Destination(destination.uri, destination.address, standing)
