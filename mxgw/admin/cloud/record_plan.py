"""What has to change in a zone so that a domain has its records, and what of it is somebody else's. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mxgw.admin.cloud.cloudflare import Held, Put
from mxgw.admin.dns_records import SENDGRID, Kind, Purpose, Record, full_name


class Step(StrEnum):
    """What becomes of one record."""

    CREATE = "create"
    """There is nothing of the kind."""

    CHANGE = "change"
    """What is there is ours, or loses nothing."""

    REPLACE = "replace"
    """What is there is somebody else's, and would be lost."""

    KEEP = "keep"
    """It is there, or there is one that serves as well."""

    BY_HAND = "by-hand"
    """Only a person can tell what is meant."""


@dataclass(frozen=True, slots=True)
class Change:
    """One wanted record against what is there. ``put`` is the record to be; ``change`` is the held one that
    becomes it (None: a new one), ``drop`` those that go. ``why`` is a key of the catalogue."""

    step: Step
    purpose: Purpose
    put: Put
    why: str
    change: Held | None = None
    drop: tuple[Held, ...] = ()

    @property
    def lost(self) -> tuple[Held, ...]:
        """What is not there any more afterwards."""
        return (*((self.change,) if self.change else ()), *self.drop)


def plan(domain: str, wanted: Sequence[Record], held: Sequence[Held]) -> list[Change]:
    """Each wanted record in order."""
    by_name: dict[str, list[Held]] = {}
    for one in held:
        by_name.setdefault(one.name, []).append(one)
    policy_host = bool(by_name.get(f"mta-sts.{domain}"))
    addresses = {record.content for record in wanted if record.purpose is Purpose.MX_ADDRESS}
    taken: set[str] = set()
    changes = []
    for record in wanted:
        put = Put(record.kind.value, full_name(record, domain), record.content, record.preference)
        there = [one for one in by_name.get(put.name, []) if one.id not in taken]
        change = _planned(record, put, there, policy_host=policy_host, addresses=addresses)
        # Two addresses of one name take the place of two others, not of the same one.
        taken.update(one.id for one in change.lost)
        if change.step is Step.KEEP:
            taken.update(one.id for one in there if _same(one, put))
        changes.append(change)
    return changes


def _planned(
    record: Record, put: Put, there: list[Held], *, policy_host: bool, addresses: set[str]
) -> Change:
    purpose = record.purpose
    if purpose is Purpose.MTA_STS_HOST and there:
        return Change(Step.KEEP, purpose, put, "plan-there")
    if not record.exact:
        return Change(Step.BY_HAND, purpose, put, "plan-unknown")
    if purpose is Purpose.MTA_STS and not policy_host:
        return Change(Step.BY_HAND, purpose, put, "plan-policy-host-first")
    # A name with an alias has nothing else (RFC 1034 section 3.6.2).
    if put.kind == Kind.CNAME:
        return _alias(purpose, put, there)
    aliases = [one for one in there if one.kind == Kind.CNAME]
    if aliases:
        return _replaced(purpose, put, aliases, "plan-alias-in-the-way")
    same_kind = [one for one in there if one.kind == put.kind]
    match purpose:
        case Purpose.MX:
            return _only(purpose, put, same_kind, "plan-other-exchanger")
        case Purpose.OUTLOOK | Purpose.THUNDERBIRD:
            return _only(purpose, put, same_kind, "plan-other")
        case Purpose.MX_ADDRESS:
            return _address(put, same_kind, addresses)
        case Purpose.SPF:
            return _spf(put, same_kind)
        case _:
            return _text(purpose, put, same_kind)


def _alias(purpose: Purpose, put: Put, there: list[Held]) -> Change:
    if any(_same(one, put) for one in there):
        return _unproxied(purpose, put, next(one for one in there if _same(one, put)))
    if not there:
        return Change(Step.CREATE, purpose, put, "plan-missing")
    return _replaced(purpose, put, there, "plan-other")


def _only(purpose: Purpose, put: Put, there: list[Held], other: str) -> Change:
    """Mail and programs go to one place; a preference of one's own is one's own business. ``other`` says
    why, where something else stands there."""
    others = tuple(one for one in there if one.content != put.content)
    right = [one for one in there if one.content == put.content]
    if right and others:
        return Change(Step.REPLACE, purpose, put, other, right[0], (*right[1:], *others))
    if right:
        return _unproxied(purpose, put, right[0])
    if others:
        return _replaced(purpose, put, list(others), other)
    return Change(Step.CREATE, purpose, put, "plan-missing")


def _address(put: Put, there: list[Held], addresses: set[str]) -> Change:
    right = [one for one in there if one.content == put.content]
    if right:
        return _unproxied(Purpose.MX_ADDRESS, put, right[0])
    strangers = [one for one in there if one.content not in addresses]
    if strangers:
        return Change(Step.REPLACE, Purpose.MX_ADDRESS, put, "plan-other", strangers[0])
    return Change(Step.CREATE, Purpose.MX_ADDRESS, put, "plan-missing")


def _unproxied(purpose: Purpose, put: Put, one: Held) -> Change:
    if one.proxied:
        return Change(Step.CHANGE, purpose, put, "plan-proxied", one)
    return Change(Step.KEEP, purpose, put, "plan-there")


_ALL = re.compile(r"(?:^|\s)([-~?+]?all)(?=\s|$)", re.IGNORECASE)
_INCLUDES_SENDGRID = re.compile(rf"(?:^|\s)\+?include:{re.escape(SENDGRID)}(?=\s|$)", re.IGNORECASE)


def _spf(put: Put, there: list[Held]) -> Change:
    """One record that lets SendGrid send, beside whoever else sends already (RFC 7208 section 3.2)."""
    records = [one for one in there if re.match(r"v=spf1(?:\s|$)", one.content, re.IGNORECASE)]
    if not records:
        return Change(Step.CREATE, Purpose.SPF, put, "plan-missing")
    if len(records) > 1:
        return Change(Step.BY_HAND, Purpose.SPF, put, "plan-several-spf")
    (one,) = records
    if _INCLUDES_SENDGRID.search(one.content):
        return Change(Step.KEEP, Purpose.SPF, put, "plan-there")
    merged = Put(put.kind, put.name, with_sendgrid(one.content))
    return Change(Step.CHANGE, Purpose.SPF, merged, "plan-spf-merged", one)


def with_sendgrid(spf: str) -> str:
    """An SPF record that lets SendGrid send, too: before "all", behind which nothing counts."""
    found = _ALL.search(spf)
    if found is None:
        return f"{spf.rstrip()} include:{SENDGRID}" + ("" if "redirect=" in spf.lower() else " ~all")
    return f"{spf[: found.start(1)]}include:{SENDGRID} {spf[found.start(1) :]}"


_VERSIONS = {
    Purpose.DMARC: "v=dmarc1",
    Purpose.TLS_RPT: "v=tlsrptv1",
    Purpose.MTA_STS: "v=stsv1",
    Purpose.DKIM: "p=",
}


def _text(purpose: Purpose, put: Put, there: list[Held]) -> Change:
    """A policy that somebody has written is a decision; whether it is a good one, the check says."""
    version = _VERSIONS.get(purpose, "")
    if any(_same(one, put) or (version and version in one.content.lower()) for one in there):
        return Change(Step.KEEP, purpose, put, "plan-there")
    return Change(Step.CREATE, purpose, put, "plan-missing")


def _replaced(purpose: Purpose, put: Put, there: list[Held], why: str) -> Change:
    """Our own mistake of yesterday is ours to mend; a stranger's record is not."""
    step = Step.CHANGE if all(one.ours for one in there) else Step.REPLACE
    same_kind = [one for one in there if one.kind == put.kind]
    first = same_kind[0] if same_kind else None
    return Change(step, purpose, put, why, first, tuple(one for one in there if one is not first))


def _same(one: Held, put: Put) -> bool:
    content = put.content if put.kind == Kind.TXT else put.content.lower()
    return one.kind == put.kind and one.content == content
