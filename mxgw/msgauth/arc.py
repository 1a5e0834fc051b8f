"""ARC (RFC 8617): whether the chain of seals on a message holds, and what its newest sealer says of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from mxgw.header import Header
from mxgw.msgauth.arc_fields import ArcSet, ChainFault, read_sets, results_text
from mxgw.msgauth.bodyhash import BodyForm, BodyHash
from mxgw.msgauth.dkim_check import Check, check_signature, try_keys
from mxgw.msgauth.dkim_header import SignedFields
from mxgw.msgauth.dkim_keys import KeyRing
from mxgw.msgauth.dkim_signature import Flaw, Signature
from mxgw.msgauth.results import Result

MAX_KEYS = 12
"""How many different keys a chain may need. No RFC bounds this; each costs a question, and the message has a
budget of those that DKIM and DMARC need too. Chains in use have up to five sets, one key each."""


@dataclass(frozen=True, slots=True)
class ArcVerdict:
    """What became of the chain: NONE, PASS or FAIL, the words of RFC 8617 section 4.4."""

    result: Result
    reason: str
    """Why it failed, in words of our own; "" where it did not."""

    temporary: bool
    """It failed only because DNS did not answer: a later try may end otherwise."""

    sealers: tuple[str, ...]
    """d= of the seals, newest first. Anybody may write them: believe them only with PASS."""

    oldest_pass: int | None
    """RFC 8617 section 5.2, step 5: the oldest instance from which on the message was not altered, 0 where
    that is so since the first; None without PASS."""

    author_sealed: bool
    """The newest message signature covers every From field. RFC 8617 section 4.1.2 does not ask for that; who
    lets the chain speak for the author must."""

    results: str
    """The ARC-Authentication-Results of the newest set, without its instance. Worth what the sealer is."""

    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArcChain:
    """The chain as the header block has it. ``sets`` is empty where ``fault`` says why there is none."""

    sets: tuple[ArcSet, ...]
    fault: str

    @classmethod
    def of(cls, header: Header) -> ArcChain:
        """Total: what breaks a rule of structure makes a fault."""
        try:
            sets = read_sets(header)
        except ChainFault as fault:
            return cls((), str(fault))
        chain = cls(sets, "")
        if len(chain.needed_key_names) > MAX_KEYS:
            return cls((), "too many different keys")
        return chain

    @property
    def needed_key_names(self) -> tuple[str, ...]:
        """The keys without which the chain cannot pass: of the newest message signature, and of all seals."""
        if not self.sets:
            return ()
        newest = self.sets[-1].message_signature
        names = [newest.claim.key_name] if isinstance(newest, Signature) else []
        return tuple(dict.fromkeys([*names, *(one.seal.claim.key_name for one in reversed(self.sets))]))

    @property
    def key_names(self) -> tuple[str, ...]:
        """The keys to fetch: the needed ones, then those of older message signatures within the bound."""
        older = (one.message_signature for one in reversed(self.sets))
        names = [one.claim.key_name for one in older if isinstance(one, Signature)]
        return tuple(dict.fromkeys([*self.needed_key_names, *names]))[:MAX_KEYS]

    @property
    def body_forms(self) -> tuple[BodyForm, ...]:
        """The body hashes that the message signatures name, that of the newest first."""
        signatures = (one.message_signature for one in reversed(self.sets))
        return tuple(dict.fromkeys(one.body_form for one in signatures if isinstance(one, Signature)))


_NONE = ArcVerdict(
    Result.NONE,
    "",
    temporary=False,
    sealers=(),
    oldest_pass=None,
    author_sealed=False,
    results="",
    steps=(),
)


async def verify_chain(
    chain: ArcChain,
    header: Header,
    bodies: Mapping[BodyForm, BodyHash],
    keys: KeyRing,
    now: datetime,
) -> ArcVerdict:
    """RFC 8617 section 5.2. ``now`` is aware. Gives way to other tasks between two signatures."""
    if chain.fault:
        return replace(_NONE, result=Result.FAIL, reason=chain.fault, steps=(chain.fault,))
    if not chain.sets:
        return _NONE
    await keys.fetch(chain.key_names)
    walk = _Walk(chain, SignedFields(header), bodies, keys, now)
    failure = await walk.first_failure()
    oldest_pass = None if failure else await walk.oldest_pass()
    return ArcVerdict(
        result=Result.FAIL if failure else Result.PASS,
        reason=failure.reason if failure else "",
        temporary=failure is not None and failure.result is Result.TEMPERROR,
        sealers=tuple(one.seal.claim.domain for one in reversed(chain.sets)),
        oldest_pass=oldest_pass,
        author_sealed=_author_sealed(chain.sets[-1], header),
        results=results_text(chain.sets[-1].results),
        steps=tuple(walk.steps),
    )


def _author_sealed(newest: ArcSet, header: Header) -> bool:
    signature = newest.message_signature
    return isinstance(signature, Signature) and 0 < header.count("From") <= signature.names.count("from")


class _Walk:
    """One validation, set by set from the newest."""

    def __init__(
        self,
        chain: ArcChain,
        fields: SignedFields,
        bodies: Mapping[BodyForm, BodyHash],
        keys: KeyRing,
        now: datetime,
    ) -> None:
        self._chain = chain
        self._fields = fields
        self._bodies = bodies
        self._keys = keys
        self._now = now
        self._fetched = frozenset(chain.key_names)
        self.steps: list[str] = []

    async def first_failure(self) -> Check | None:
        """RFC 8617 section 5.2, steps 4 and 6. Trouble with DNS counts only where nothing else is wrong."""
        count = len(self._chain.sets)
        checks = [self._message_signature(count)]
        for instance in range(count, 0, -1):
            await asyncio.sleep(0)
            checks.append(self._seal(instance))
        failures = [check for check in checks if check.result is not Result.PASS]
        failures.sort(key=lambda check: check.result is Result.TEMPERROR)
        return failures[0] if failures else None

    async def oldest_pass(self) -> int:
        """Step 5, where a signature that cannot be checked ends the search as one that fails does."""
        for instance in range(len(self._chain.sets) - 1, 0, -1):
            await asyncio.sleep(0)
            if self._message_signature(instance).result is not Result.PASS:
                return instance + 1
        return 0

    def _message_signature(self, instance: int) -> Check:
        signature = self._chain.sets[instance - 1].message_signature
        if isinstance(signature, Flaw):
            check = Check(signature.result, signature.reason)
        elif signature.claim.key_name not in self._fetched:
            check = Check(Result.POLICY, "too many different keys")
        else:
            answer = self._keys[signature.claim.key_name]
            check = check_signature(signature, self._fields, self._bodies, answer, self._now)
        return self._told(f"message signature {instance}", signature.claim.domain, check)

    def _seal(self, instance: int) -> Check:
        seal = self._chain.sets[instance - 1].seal
        covered = [field for one in self._chain.sets[:instance] for field in one.fields]
        own = covered.pop()
        check = try_keys(
            self._keys[seal.claim.key_name],
            seal.claim.key_name,
            algorithm=seal.algorithm,
            value=seal.value,
            digest=self._fields.seal_digest(covered, own),
            exact_domain=True,
        )
        return self._told(f"seal {instance}", seal.claim.domain, check)

    def _told(self, part: str, domain: str, check: Check) -> Check:
        self.steps.append(f"{part} of {domain or 'unknown domain'}: {check.reason or 'pass'}")
        self.steps += check.steps
        return replace(check, reason=f"{part}: {check.reason}") if check.reason else check
