"""DKIM (RFC 6376, RFC 8301, RFC 8463): what to hash and which keys to fetch, then the verdicts.

plan = DkimPlan.of(header)          when the header block is complete
keys = KeyRing(lookup)              keys.fetch(plan.key_names) may run while the body arrives
hashes = plan.body_hashes()         hashes.feed(chunk) for every chunk of the body
bodies = hashes.finish()            the body is complete
verdicts = await verify(plan, bodies, keys, now)
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mxgw.header import Header
from mxgw.msgauth.arc import ArcChain
from mxgw.msgauth.bodyhash import MAX_BODY_FORMS, BodyForm, BodyHash, BodyHashes
from mxgw.msgauth.dkim_check import Check, check_signature
from mxgw.msgauth.dkim_header import SignedFields
from mxgw.msgauth.dkim_keys import KeyRing
from mxgw.msgauth.dkim_signature import Claim, Flaw, Signature, read_signature
from mxgw.msgauth.results import Result

MAX_SIGNATURES = 8
"""RFC 6376 section 6.1 lets a verifier limit this. Mail has one to three."""

MAX_READ_SIGNATURES = 32
"""So many, from the top, are looked at for the choice of the ones to verify."""


@dataclass(frozen=True, slots=True)
class DkimVerdict:
    """What became of one DKIM-Signature."""

    result: Result
    reason: str
    """Why it is not a plain pass, in words of our own; "" where it is."""

    claim: Claim
    key_bits: int
    """0 where no key was found."""

    counts_for_dmarc: bool
    """A pass that may speak for the domain. False with a key in test mode: RFC 6376 section 3.6.1, t=y."""

    steps: tuple[str, ...]
    """What was looked at, in words, for whoever asks why."""


@dataclass(frozen=True, slots=True)
class DkimPlan:
    """All that the header block says about signatures: DKIM and ARC."""

    header: Header
    signatures: tuple[Signature | Flaw, ...]
    """Those that will be verified, in the order of the message."""

    unread: int
    """How many more DKIM-Signature fields there are."""

    chain: ArcChain
    body_forms: tuple[BodyForm, ...]

    @classmethod
    def of(cls, header: Header, *, prefer_domains: Iterable[str] = ()) -> DkimPlan:
        """``prefer_domains``: those of From, whose signatures are verified first where there are many."""
        fields = header.named("DKIM-Signature")
        read = [read_signature(one) for one in fields[:MAX_READ_SIGNATURES]]
        preferred = [domain.lower() for domain in prefer_domains]
        ranked = sorted(range(len(read)), key=lambda at: _rank(read[at], preferred))[:MAX_SIGNATURES]
        chain = ArcChain.of(header)
        forms = [one.body_form for at in ranked if isinstance(one := read[at], Signature)]
        forms += chain.body_forms
        return cls(
            header=header,
            signatures=tuple(read[at] for at in sorted(ranked)),
            unread=len(fields) - len(ranked),
            chain=chain,
            body_forms=tuple(dict.fromkeys(forms))[:MAX_BODY_FORMS],
        )

    @property
    def key_names(self) -> tuple[str, ...]:
        """The keys of the DKIM signatures, without those of ``chain``."""
        names = (one.claim.key_name for one in self.signatures if isinstance(one, Signature))
        return tuple(dict.fromkeys(names))

    def body_hashes(self) -> BodyHashes:
        """Takes the body for DKIM and ARC. Each call makes new ones."""
        return BodyHashes(self.body_forms)


async def verify(
    plan: DkimPlan, bodies: Mapping[BodyForm, BodyHash], keys: KeyRing, now: datetime
) -> tuple[DkimVerdict, ...]:
    """A verdict for each signature of the plan, in the order of the message; none where nothing is signed.

    ``now`` is aware. Gives way to other tasks between two signatures.
    """
    await keys.fetch(plan.key_names)
    fields = SignedFields(plan.header)
    verdicts: list[DkimVerdict] = []
    for one in plan.signatures:
        if verdicts:
            await asyncio.sleep(0)
        if isinstance(one, Flaw):
            verdicts.append(DkimVerdict(one.result, one.reason, one.claim, 0, False, (one.reason,)))
        else:
            check = check_signature(one, fields, bodies, keys[one.claim.key_name], now)
            verdicts.append(_verdict(one, check, plan.header))
    return tuple(verdicts)


def _verdict(signature: Signature, check: Check, header: Header) -> DkimVerdict:
    result, reason = check.result, check.reason
    testing = check.key is not None and check.key.testing
    if result is Result.PASS and (objection := _objection(signature, header)):
        result, reason = Result.POLICY, objection
    counts = result is Result.PASS and not testing
    if testing:
        # RFC 6376 section 3.6.1: as if unsigned, even if the signature fails.
        result = Result.NEUTRAL if result is Result.FAIL else result
        reason = f"{reason}; key is in test mode" if reason else "key is in test mode"
    bits = check.key.bits if check.key else 0
    claim = signature.claim
    first = f"{claim.algorithm} signature of {claim.domain}, selector {claim.selector}"
    return DkimVerdict(result, reason, claim, bits, counts, (first, *check.steps))


def _objection(signature: Signature, header: Header) -> str:
    """RFC 6376 section 8.15: a header that others may read as another one than was signed."""
    if header.count("From") > signature.names.count("from"):
        return "a From field is not signed"
    if header.count(""):
        # Some programs end the header here, others take the line for a part of the field above.
        return "a line in the header is no field"
    return ""


def _rank(one: Signature | Flaw, preferred: list[str]) -> int:
    """Lower is verified first: what may align with From (RFC 9989), the others, then what cannot pass."""
    if isinstance(one, Flaw):
        return 4
    ranks = [3]
    for domain in preferred:
        signer = one.claim.domain
        if signer == domain:
            ranks.append(0)
        elif signer.endswith(f".{domain}") or domain.endswith(f".{signer}"):
            ranks.append(1)
        elif signer.split(".")[-2:] == domain.split(".")[-2:]:
            ranks.append(2)
    return min(ranks)
