"""Checks one signature: body hash, key records, arithmetic (RFC 6376 section 6.1). No waiting, no DNS."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mxgw.msgauth.bodyhash import BodyForm, BodyHash
from mxgw.msgauth.dkim_header import SignedFields
from mxgw.msgauth.dkim_signature import Signature
from mxgw.msgauth.dkim_tags import TagFault
from mxgw.msgauth.keys import Algorithm, PublicKey, parse_key
from mxgw.msgauth.results import Result
from mxgw.resolver.answers import Answer, Status

MAX_KEY_RECORDS = 4
"""RFC 6376 section 6.1.2 lets a verifier go through several records of one name; mail has one."""

CLOCK_SLACK_SECONDS = 300
"""How far a signer's clock may be off ours, for t= and x=."""

_NO_KEY_STEP = {Status.NO_NAME: "no such name", Status.NO_DATA: "no TXT record"}
# Of several key records the one that came closest is reported.
_CLOSEST = (Result.PASS, Result.FAIL, Result.POLICY, Result.PERMERROR)


@dataclass(frozen=True, slots=True)
class Check:
    """What became of one signature."""

    result: Result
    reason: str
    key: PublicKey | None = None
    steps: tuple[str, ...] = ()


def check_signature(
    signature: Signature,
    fields: SignedFields,
    bodies: Mapping[BodyForm, BodyHash],
    answer: Answer[bytes],
    now: datetime,
) -> Check:
    """All that RFC 6376 section 6.1 asks of a signature once the answer of DNS is there.

    A body that differs is told before any trouble with DNS: no later try ends otherwise. A signature that
    holds although it is too old, too new, or leaves an end of the body unsigned is POLICY.
    """
    digest, taken = fields.digest(signature.names, signature.field, signature.canonicalisation)
    tried = try_keys(
        answer,
        signature.claim.key_name,
        algorithm=signature.algorithm,
        value=signature.value,
        digest=digest,
        exact_domain=signature.identity_domain == signature.claim.domain,
    )
    body = bodies.get(signature.body_form)
    steps = (
        f"signed fields: {', '.join(one.name for one in taken) or 'none'}",
        _body_step(signature, body),
        *tried.steps,
    )
    result, reason = _ruled(signature, body, tried, now)
    return Check(result, reason, tried.key, steps)


def try_keys(
    answer: Answer[bytes],
    name: str,
    *,
    algorithm: Algorithm,
    value: bytes,
    digest: bytes,
    exact_domain: bool,
) -> Check:
    """Verify with the key that DNS has; with each in turn where there are several.

    ``exact_domain``: i= names the domain of d= itself.
    """
    if answer.status is Status.TEMPORARY:
        return Check(Result.TEMPERROR, "no answer from DNS for the key", None, (f"{name}: no answer",))
    if answer.status is not Status.FOUND:
        return Check(Result.PERMERROR, "no key", None, (f"{name}: {_NO_KEY_STEP[answer.status]}",))
    found = Check(Result.PERMERROR, "no key")
    steps: list[str] = []
    for number, record in enumerate(answer.records[:MAX_KEY_RECORDS]):
        tried = _try_key(record, algorithm=algorithm, value=value, digest=digest, exact_domain=exact_domain)
        about = f"{tried.key.algorithm}, {tried.key.bits} bits: " if tried.key else ""
        steps.append(f"{name}: {about}{tried.reason or 'signature verifies'}")
        if number == 0 or _CLOSEST.index(tried.result) < _CLOSEST.index(found.result):
            found = tried
        if found.result is Result.PASS:
            break
    return Check(found.result, found.reason, found.key, tuple(steps))


def _try_key(
    record: bytes, *, algorithm: Algorithm, value: bytes, digest: bytes, exact_domain: bool
) -> Check:
    try:
        key = parse_key(record)
    except TagFault as fault:
        return Check(Result.PERMERROR, str(fault))
    if key.algorithm is not algorithm:
        return Check(Result.PERMERROR, "key is of another algorithm", key)
    if key.exact_domain and not exact_domain:
        return Check(Result.PERMERROR, "key forbids a subdomain in i=", key)
    if key.size_fault:
        return Check(Result.POLICY, key.size_fault, key)
    if not key.verify(value, digest):
        return Check(Result.FAIL, "signature differs", key)
    return Check(Result.PASS, "", key)


def _ruled(signature: Signature, body: BodyHash | None, tried: Check, now: datetime) -> tuple[Result, str]:
    length = signature.body_form.length
    if body is None:
        return Result.POLICY, "too many different body hashes"
    if length is not None and length > body.octets:
        return Result.PERMERROR, "l= is larger than the body"
    if body.digest != signature.body_hash:
        return Result.FAIL, "body hash differs"
    if tried.result is Result.PASS and (objection := _objection(signature, body, now.timestamp())):
        return Result.POLICY, objection
    return tried.result, tried.reason


def _objection(signature: Signature, body: BodyHash, now: float) -> str:
    """Why a signature that holds is not accepted."""
    if signature.expires_at is not None and now > signature.expires_at + CLOCK_SLACK_SECONDS:
        return "signature has expired"
    if signature.signed_at is not None and signature.signed_at > now + CLOCK_SLACK_SECONDS:
        return "signed in the future"
    if signature.body_form.length is not None and body.octets > signature.body_form.length:
        # RFC 6376 section 8.2: whoever appended that may say anything in the name of the domain.
        return "the end of the body is not signed"
    return ""


def _body_step(signature: Signature, body: BodyHash | None) -> str:
    kind, length = signature.body_form
    if body is None:
        return f"{kind} body hash: not computed"
    part = f"{body.octets} octets" if length is None else f"{length} of {body.octets} octets"
    if body.digest == signature.body_hash:
        return f"{kind} body hash over {part}: as signed"
    return (
        f"{kind} body hash over {part}: {b64encode(body.digest).decode()}, "
        f"signed was {b64encode(signature.body_hash).decode()}"
    )
