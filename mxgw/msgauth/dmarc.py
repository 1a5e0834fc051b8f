"""DMARC (RFC 9989): which policy speaks for the author domain, and do SPF or DKIM vouch for it?

discovery = await discover(lookup, author_domain)       when the header block is complete
verdict = await evaluate(lookup, discovery, spf=spf, dkim=dkim)   when the message is
verdict = strictest(verdicts)                           where From names several domains
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mxgw.msgauth.dkim import DkimVerdict
from mxgw.msgauth.dmarc_record import Alignment, DmarcRecord, Policy
from mxgw.msgauth.dmarc_walk import PolicyRecords, Published, Walk
from mxgw.msgauth.results import Result
from mxgw.msgauth.spf_result import Identity, SpfResult
from mxgw.resolver.answers import Lookup, Status
from mxgw.resolver.names import canonical

__all__ = ["DmarcDiscovery", "DmarcRecord", "DmarcVerdict", "Policy", "discover", "evaluate", "strictest"]

MAX_IDENTIFIERS = 16
"""Distinct domains of a message that are compared, SPF's first. RFC 9989 bounds the questions of a walk, not
the walks; more signatures than mxgw.msgauth.dkim verifies do not come."""

ABOVE_SECONDS = 2.0
"""For what stands above a name without an answer. Where all of DNS is away no message is to wait twice."""

_STEP_DOWN = {
    Policy.NONE: Policy.NONE,
    Policy.QUARANTINE: Policy.NONE,
    Policy.REJECT: Policy.QUARANTINE,
}
_STRENGTH = {Policy.NONE: 0, Policy.QUARANTINE: 1, Policy.REJECT: 2}


@dataclass(frozen=True, slots=True)
class DmarcDiscovery:
    """What DNS says of an author domain.

    ``record`` is the one that applies and ``record_domain`` where it was found; None where there is none or
    DNS trouble hides it: ``unanswered`` then says what had no answer. ``policy`` is what the record asks for
    this very domain, t=y aside. With a record, ``unanswered`` is about the choice between sp and np, and
    ``policy`` is the milder one.

    ``organizational_domain`` is "" where no answer needs it (strict alignment, no record to apply), or where
    DNS trouble hides it (``walk_unanswered`` is the name).

    ``above`` is what would be found if the names that hide the record had none: a forger may choose a
    subdomain whose DNS is dead.
    """

    author_domain: str
    record: DmarcRecord | None = None
    record_domain: str = ""
    policy: Policy = Policy.NONE
    organizational_domain: str = ""
    unanswered: str = ""
    walk_unanswered: str = ""
    above: DmarcDiscovery | None = None
    asked: tuple[Published, ...] = ()
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DmarcVerdict:
    """What DMARC says of a message, for one author domain. All texts are printable ASCII.

    ``policy`` is the one that applies to this author domain (after sp, np, t), whatever the result;
    ``published`` is the same before t=y lowers it. ``record`` is None and both are none where no record was
    found or DNS trouble hides it: ``presumed`` is then what the domain above asks for, none where SPF or DKIM
    pass for a domain of its organization. ``aligned_dkim`` are the signing domains that align and pass.

    Words of RFC 9989 section 9.2: none (no record); pass; fail; permerror (the record has no policy that can
    be used, section 4.10.1: DMARC does not apply); temperror (DNS trouble: neither pass nor fail, section
    5.3.6, never a reason to refuse for good).
    """

    result: Result
    author_domain: str
    organizational_domain: str = ""
    policy: Policy = Policy.NONE
    published: Policy = Policy.NONE
    presumed: Policy = Policy.NONE
    organization_hidden: bool = False
    """DNS trouble hides the organizational domain."""

    record: DmarcRecord | None = None
    record_domain: str = ""
    aligned_spf: bool = False
    aligned_dkim: tuple[str, ...] = ()
    reason: str = ""
    steps: tuple[str, ...] = ()


async def discover(
    lookup: Lookup, author_domain: str, *, above_seconds: float = ABOVE_SECONDS
) -> DmarcDiscovery:
    """Policy discovery (RFC 9989 section 4.10.1), at most 9 questions, each name once.

    ``author_domain`` is in lower case, A-labels, as mxgw.msgauth.author gives it.
    """
    records = PolicyRecords(lookup)
    own = await records.at(author_domain)
    if own.status is Status.TEMPORARY:
        found = DmarcDiscovery(author_domain, unanswered=f"_dmarc.{author_domain}")
    elif own.record is not None:
        found = await _with_own_record(records, own.record, author_domain)
    else:
        found = await _with_inherited_record(lookup, records, own, author_domain)
    if found.unanswered and found.record is None:
        found = replace(found, above=await _above(records, author_domain, above_seconds))
    steps = [*map(str, records.known), *found.steps]
    if found.organizational_domain:
        steps.append(f"organizational domain of {author_domain}: {found.organizational_domain}")
    return replace(found, asked=records.known, steps=tuple(steps))


async def evaluate(
    lookup: Lookup,
    discovery: DmarcDiscovery,
    *,
    spf: SpfResult | None,
    dkim: Sequence[DkimVerdict],
) -> DmarcVerdict:
    """Alignment and verdict (RFC 9989 sections 4.10.2 and 5.3). Domains are walked only where relaxed
    alignment depends on it. ``spf`` counts where it is of the MAIL FROM identity (section 4.4.2)."""
    record = discovery.record
    if record is None:
        return await _without_record(lookup, discovery, spf, dkim)
    if not record.usable:
        return _verdict(discovery, Result.PERMERROR, f"{record.problem} in the record, and there is no rua=")
    judge = _Judge(PolicyRecords(lookup, discovery.asked), discovery, record)
    aligned_spf, aligned_dkim = await judge.aligned(spf, dkim)
    if not (aligned_spf or aligned_dkim):
        await judge.await_pending(spf, dkim)
    if aligned_spf or aligned_dkim:
        result, reason = Result.PASS, ""
    elif judge.unanswered or discovery.unanswered:
        result, reason = Result.TEMPERROR, f"no answer: {judge.unanswered or discovery.unanswered}"
    else:
        result, reason = Result.FAIL, "neither SPF nor DKIM pass for a domain that aligns"
    return _verdict(
        discovery,
        result,
        reason,
        aligned_spf=aligned_spf,
        aligned_dkim=aligned_dkim,
        steps=tuple(judge.steps),
    )


def strictest(verdicts: Sequence[DmarcVerdict]) -> DmarcVerdict:
    """The one that speaks for a message with several author domains (RFC 9989 section 11.5): the failing one
    with the strictest policy; a pass only where all pass. Raises ValueError without any."""
    return max(
        verdicts, key=lambda one: (_severity(one), max(_STRENGTH[one.policy], _STRENGTH[one.presumed]))
    )


def _severity(verdict: DmarcVerdict) -> int:
    """An unknown policy may be reject, so it comes before a failure that asks for nothing."""
    match verdict.result:
        case Result.FAIL:
            return {Policy.REJECT: 6, Policy.QUARANTINE: 5, Policy.NONE: 3}[verdict.policy]
        case Result.TEMPERROR:
            return 4
        case Result.PERMERROR:
            return 2
        case Result.PASS:
            return 0
        case _:
            return 1


async def _with_own_record(records: PolicyRecords, record: DmarcRecord, author_domain: str) -> DmarcDiscovery:
    found = DmarcDiscovery(author_domain, record, author_domain, record.p)
    if not record.usable or (record.adkim is Alignment.STRICT and record.aspf is Alignment.STRICT):
        return found
    walk = await records.walk(author_domain)
    return replace(found, organizational_domain=walk.organizational_domain, walk_unanswered=walk.unanswered)


async def _with_inherited_record(
    lookup: Lookup, records: PolicyRecords, own: Published, author_domain: str
) -> DmarcDiscovery:
    walk = await records.walk(author_domain)
    if walk.unanswered:
        return DmarcDiscovery(author_domain, unanswered=f"_dmarc.{walk.unanswered}")
    found = DmarcDiscovery(author_domain, organizational_domain=walk.organizational_domain)
    source = _policy_source(walk)
    if source is None or source.record is None:
        return found
    found = replace(found, record=source.record, record_domain=source.domain)
    record = source.record
    existing = record.sp or record.p
    if record.np is None or record.np is existing:
        return replace(found, policy=existing)
    # A name below it has an answer other than NXDOMAIN, then the name exists too (RFC 8020).
    status = own.status if own.status is not Status.NO_NAME else (await lookup.txt(author_domain)).status
    if status is Status.TEMPORARY:
        milder = min(existing, record.np, key=_STRENGTH.__getitem__)
        return replace(found, policy=milder, unanswered=f"whether {author_domain} exists")
    exists = status is not Status.NO_NAME
    step = f"{author_domain} {'exists: sp or p' if exists else 'does not exist: np'} applies"
    return replace(found, policy=existing if exists else record.np, steps=(step,))


async def _above(records: PolicyRecords, author_domain: str, seconds: float) -> DmarcDiscovery | None:
    """What would be found without the names of the walk that have no answer; None where nothing would."""
    try:
        async with asyncio.timeout(seconds):
            walk = await records.above(author_domain)
    except TimeoutError:
        return None
    source = _policy_source(walk)
    if source is None or source.record is None or not source.record.usable:
        return None
    record = source.record
    policy = min((record.sp or record.p, record.np or Policy.REJECT), key=_STRENGTH.__getitem__)
    return DmarcDiscovery(
        author_domain, record, source.domain, policy, organizational_domain=walk.organizational_domain
    )


def _policy_source(walk: Walk) -> Published | None:
    """The record of the organizational domain, else of the public suffix above (section 4.10.1)."""
    organizational = walk.organizational_domain
    for one in walk.found:
        if one.domain == organizational:
            return one
    # Without a record of its own it is one label below the suffix at which the walk ended, or the start of a
    # walk that found nothing.
    return walk.found[-1] if walk.found else None


async def _without_record(
    lookup: Lookup, discovery: DmarcDiscovery, spf: SpfResult | None, dkim: Sequence[DkimVerdict]
) -> DmarcVerdict:
    if not discovery.unanswered:
        return _verdict(discovery, Result.NONE, "no DMARC record")
    verdict = _verdict(discovery, Result.TEMPERROR, f"no answer: {discovery.unanswered}")
    above = discovery.above
    if above is None or above.record is None:
        return verdict
    presumed = _STEP_DOWN[above.policy] if above.record.t else above.policy
    if presumed is Policy.NONE:
        return verdict
    judge = _Judge(PolicyRecords(lookup, discovery.asked), above, above.record)
    if any(await judge.aligned(spf, dkim)):
        return verdict
    step = f"presumed: the policy of {above.record_domain}, {presumed}"
    return replace(verdict, presumed=presumed, steps=(*verdict.steps, *judge.steps, step))


def _verdict(
    discovery: DmarcDiscovery,
    result: Result,
    reason: str,
    *,
    aligned_spf: bool = False,
    aligned_dkim: tuple[str, ...] = (),
    steps: tuple[str, ...] = (),
) -> DmarcVerdict:
    record = discovery.record
    published = discovery.policy
    policy = _STEP_DOWN[published] if record is not None and record.t else published
    told = [*discovery.steps, *steps]
    if record is not None:
        lowered = f", t=y lowers it to {policy}" if policy is not published else ""
        told.append(
            f"policy of {discovery.record_domain} for {discovery.author_domain}: {published}{lowered}"
        )
    told.append(f"{result}: {reason}" if reason else str(result))
    return DmarcVerdict(
        result=result,
        author_domain=discovery.author_domain,
        organizational_domain=discovery.organizational_domain,
        organization_hidden=bool(discovery.walk_unanswered),
        policy=policy,
        published=published,
        record=record,
        record_domain=discovery.record_domain,
        aligned_spf=aligned_spf,
        aligned_dkim=aligned_dkim,
        reason=reason,
        steps=tuple(told),
    )


class _Judge:
    """Compares the domains that SPF and DKIM stand for with the author domain, and says how it went.

    ``unanswered`` is what DNS did not tell and might have made a pass, "" where nothing is open.
    """

    def __init__(self, records: PolicyRecords, discovery: DmarcDiscovery, record: DmarcRecord) -> None:
        self._records = records
        self._author = discovery.author_domain
        self._organization = discovery.organizational_domain
        self._author_unanswered = discovery.walk_unanswered
        self._record = record
        self._organizations: dict[str, Walk] = {}
        self.unanswered = ""
        self.steps: list[str] = []

    async def aligned(
        self, spf: SpfResult | None, dkim: Sequence[DkimVerdict]
    ) -> tuple[bool, tuple[str, ...]]:
        """Whether SPF passes for a domain that aligns, and the signing domains that pass and align."""
        by_spf = False
        if spf is not None and spf.identity is Identity.MAIL_FROM and spf.result is Result.PASS:
            by_spf = bool(await self.aligns("SPF", spf.domain, self._record.aspf))
        by_dkim = [
            one.claim.domain
            for one in dkim
            if one.counts_for_dmarc and await self.aligns("DKIM", one.claim.domain, self._record.adkim)
        ]
        return by_spf, tuple(dict.fromkeys(by_dkim))

    async def aligns(self, method: str, written: str, mode: Alignment) -> bool | None:
        """Whether a domain that passed aligns; None where DNS does not tell."""
        domain = canonical(written) or ""
        aligned, why = await self._compare(domain, mode)
        word = {True: "aligned", False: "not aligned", None: "alignment unknown"}[aligned]
        self.steps.append(f"{method} pass for {domain or 'no domain'}: {word}, {why}")
        return aligned

    async def await_pending(self, spf: SpfResult | None, dkim: Sequence[DkimVerdict]) -> None:
        """Note the checks that DNS trouble left open and that would have counted (section 5.3.6)."""
        is_open = spf is not None and (spf.result is Result.TEMPERROR or spf.unsure)
        if spf is not None and is_open and spf.identity is Identity.MAIL_FROM:
            await self._pend("SPF", spf.domain, self._record.aspf)
        for one in dkim:
            if one.result is Result.TEMPERROR:
                await self._pend("DKIM", one.claim.domain, self._record.adkim)

    async def _pend(self, method: str, written: str, mode: Alignment) -> None:
        domain = canonical(written) or ""
        aligned, _ = await self._compare(domain, mode)
        if aligned is not False:
            self.unanswered = self.unanswered or f"{method} of {domain}"
            self.steps.append(f"{method} for {domain} is open, and may have made a pass that aligns")

    async def _compare(self, domain: str, mode: Alignment) -> tuple[bool | None, str]:
        """Section 4.10.2. An organizational domain is its domain or stands above it: most domains need no
        walk to be found foreign."""
        if domain == self._author:
            return True, "the author domain itself"
        if not domain:
            return False, "it cannot exist"
        if mode is Alignment.STRICT:
            return False, "strict alignment asks for the author domain itself"
        if not self._organization:
            if domain.rpartition(".")[2] != self._author.rpartition(".")[2]:
                return False, "nothing above it in common with the author domain"
            return self._open(self._author_unanswered)
        if domain != self._organization and not domain.endswith(f".{self._organization}"):
            return False, f"outside of {self._organization}"
        walk = self._organizations.get(domain)
        if walk is None:
            if len(self._organizations) >= MAX_IDENTIFIERS:
                return False, f"more than {MAX_IDENTIFIERS} domains to compare"
            walk = self._organizations[domain] = await self._walk(domain)
        if walk.unanswered:
            return self._open(walk.unanswered)
        organization = walk.organizational_domain
        return organization == self._organization, f"its organizational domain is {organization}"

    def _open(self, name: str) -> tuple[None, str]:
        self.unanswered = self.unanswered or f"_dmarc.{name}"
        return None, f"DNS did not answer for _dmarc.{name}"

    async def _walk(self, domain: str) -> Walk:
        before = len(self._records.known)
        walk = await self._records.walk(domain)
        self.steps.extend(str(one) for one in self._records.known[before:])
        return walk
