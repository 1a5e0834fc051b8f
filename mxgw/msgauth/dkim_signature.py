"""What a DKIM-Signature or ARC-Message-Signature says (RFC 6376 section 3.5, RFC 8617 section 4.1.2).

A field is read once, strictly, into a value whose every part was checked; a field that breaks a rule becomes
a flaw with the reason. Nothing here looks at DNS or at the rest of the message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mxgw.header import Field
from mxgw.msgauth.bodyhash import BodyForm, Canonicalisation
from mxgw.msgauth.dkim_tags import TagFault, base64_octets, number, parse_tags, require, words
from mxgw.msgauth.keys import Algorithm
from mxgw.msgauth.results import Result
from mxgw.msgauth.results_field import MAX_SIGNATURE_LETTERS
from mxgw.resolver.names import canonical

MAX_SIGNATURE_OCTETS = 8 * 1024
"""No RFC bounds the field; signatures in use have 400 to 2000 octets."""

MAX_SIGNED_NAMES = 128
"""No RFC bounds h=; signers that name everything twice have 60."""

_TIME_DIGITS = 12
"""RFC 6376 section 3.5, t= and x=."""

_LENGTH_DIGITS = 76
"""RFC 6376 section 3.5, l=."""

_DIGEST_OCTETS = 32
_ALGORITHMS = frozenset(Algorithm)
_MAX_DOMAIN_LETTERS = 253
_FWS = re.compile(r"[ \t\r\n]+")
# A label with the underscore, which selectors and organisations use though RFC 5321 has none.
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_WORD = re.compile(r"[a-z0-9-]{1,32}")
_BASE64 = re.compile(r"([A-Za-z0-9+/]*)={0,2}")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a signature says of itself: "" where it does not say it, or not in a form that may be shown."""

    domain: str = ""
    """d= in lower case, A-labels."""

    selector: str = ""
    identity: str = ""
    """i=, or what the RFC takes for it."""

    algorithm: str = ""
    value: str = ""
    """The letters of b=, of which header.b shows the first (RFC 6008); without padding."""

    @property
    def key_name(self) -> str:
        """Where the key is published (RFC 6376 section 3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"


@dataclass(frozen=True, slots=True)
class Flaw:
    """A signature that is not worth a look at DNS."""

    claim: Claim
    result: Result
    reason: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that keeps all rules that can be checked without DNS, body and clock."""

    field: Field
    claim: Claim
    algorithm: Algorithm
    canonicalisation: Canonicalisation
    body_form: BodyForm
    names: tuple[str, ...]
    """h= in lower case. "" stands for an empty entry, which names nothing."""

    body_hash: bytes
    value: bytes
    signed_at: int | None
    expires_at: int | None
    identity_domain: str


def read_signature(field: Field) -> Signature | Flaw:
    """Read a DKIM-Signature."""
    claim = Claim()
    try:
        tags = signature_tags(field)
        claim = claim_of(tags, identity=True)
        require(tags, ("v", "a", "b", "bh", "d", "h", "s"))
        if tags["v"] != "1":
            raise TagFault("version is not known", Result.NEUTRAL)
        signature = _read(field, tags, claim, _identity_domain(tags, claim))
        if "from" not in signature.names:
            raise TagFault("From is not signed")
    except TagFault as fault:
        return Flaw(claim, fault.result, str(fault))
    return signature


def read_message_signature(field: Field) -> Signature | Flaw:
    """Read an ARC-Message-Signature: a DKIM-Signature where i= is the instance and v= does not exist.

    From in h= is not asked for: RFC 8617 does not say so, and its validation suite goes without.
    """
    claim = Claim()
    try:
        tags = signature_tags(field)
        claim = claim_of(tags)
        require(tags, ("i", "a", "b", "bh", "d", "h", "s"))
        # RFC 8617 section 4.1.2 has c= as in DKIM; what goes without it was signed as relaxed in practice.
        signature = _read(field, {"c": "relaxed/relaxed", **tags}, claim, claim.domain)
        if "arc-seal" in signature.names:
            raise TagFault("ARC-Seal is signed")
    except TagFault as fault:
        return Flaw(claim, fault.result, str(fault))
    return signature


def signature_tags(field: Field) -> dict[str, str]:
    """The tags of a signature or seal. Raises TagFault."""
    if len(field.raw) > MAX_SIGNATURE_OCTETS:
        raise TagFault("field is too long")
    return parse_tags(field.raw.partition(b":")[2])


def claim_of(tags: dict[str, str], *, identity: bool = False) -> Claim:
    """What the tags say, as far as it may be shown; ``identity`` where i= is one."""
    domain = _domain(tags.get("d", ""))
    algorithm = tags.get("a", "")
    return Claim(
        domain,
        _selector(tags.get("s", "")),
        _identity(tags.get("i", f"@{domain}")) if identity else "",
        algorithm if _WORD.fullmatch(algorithm) else "",
        _letters(tags.get("b", "")),
    )


def common_parts(tags: dict[str, str], claim: Claim) -> tuple[Algorithm, bytes, int | None, int | None]:
    """What signatures and seals have in common: a=, b=, t=, x=, and that d= and s= are sound.

    Raises TagFault.
    """
    if not claim.domain:
        raise TagFault("d= is not a domain name")
    if not claim.selector:
        raise TagFault("s= is not a selector")
    if tags["a"] == "rsa-sha1":
        raise TagFault("rsa-sha1 is not accepted (RFC 8301)")
    if tags["a"] not in _ALGORITHMS:
        # RFC 6376 section 3.3.4: ignored.
        raise TagFault("algorithm is not known", Result.NEUTRAL)
    value = base64_octets(tags["b"], "b")
    if not value:
        raise TagFault("b= is empty")
    signed_at, expires_at = number(tags, "t", _TIME_DIGITS), number(tags, "x", _TIME_DIGITS)
    if signed_at is not None and expires_at is not None and expires_at <= signed_at:
        raise TagFault("expires before it was signed")
    return Algorithm(tags["a"]), value, signed_at, expires_at


def _read(field: Field, tags: dict[str, str], claim: Claim, identity_domain: str) -> Signature:
    algorithm, value, signed_at, expires_at = common_parts(tags, claim)
    header_form, body_form = _canonicalisations(tags.get("c", "simple/simple"))
    names = words(tags["h"])
    if len(names) > MAX_SIGNED_NAMES:
        raise TagFault("too many names in h=")
    body_hash = base64_octets(tags["bh"], "bh")
    if len(body_hash) != _DIGEST_OCTETS:
        raise TagFault("bh= is not a SHA-256 hash")
    if "dns/txt" not in words(tags.get("q", "dns/txt")):
        raise TagFault("q= has no way to ask for the key that is known", Result.NEUTRAL)
    return Signature(
        field=field,
        claim=claim,
        algorithm=algorithm,
        canonicalisation=header_form,
        body_form=BodyForm(body_form, number(tags, "l", _LENGTH_DIGITS)),
        names=tuple(names),
        body_hash=body_hash,
        value=value,
        signed_at=signed_at,
        expires_at=expires_at,
        identity_domain=identity_domain,
    )


def _canonicalisations(value: str) -> tuple[Canonicalisation, Canonicalisation]:
    """RFC 6376 section 3.5, c=: simple for the body where it is not said."""
    header, slash, body = value.partition("/")
    try:
        return Canonicalisation(header), Canonicalisation(body if slash else "simple")
    except ValueError:
        raise TagFault("canonicalisation is not known", Result.NEUTRAL) from None


def _identity_domain(tags: dict[str, str], claim: Claim) -> str:
    """RFC 6376 section 3.5, i=: its domain is that of d= or a subdomain."""
    domain = claim.identity.rpartition("@")[2]
    if "i" in tags and not domain:
        raise TagFault("i= is not an identity")
    if domain != claim.domain and not domain.endswith(f".{claim.domain}"):
        raise TagFault("i= is not within d=")
    return domain


def _identity(text: str) -> str:
    local, at, host = _FWS.sub("", text).rpartition("@")
    domain = _domain(host)
    return f"{local}@{domain}" if at and domain and local.isprintable() else ""


def _domain(text: str) -> str:
    """In lower case and A-labels (RFC 8616 section 5); "" for what is not at least two labels."""
    name = _ascii(text)
    return name if len(name) <= _MAX_DOMAIN_LETTERS and _DOMAIN.fullmatch(name) else ""


def _selector(text: str) -> str:
    name = _ascii(text)
    return name if len(name) <= _MAX_DOMAIN_LETTERS and _SELECTOR.fullmatch(name) else ""


def _ascii(text: str) -> str:
    # As From is read: the two are compared. canonical() would take a final dot too, which no d= has.
    return text.lower() if text.isascii() else canonical(text) or ""


def _letters(value: str) -> str:
    found = _BASE64.fullmatch(_FWS.sub("", value))
    return found[1][:MAX_SIGNATURE_LETTERS] if found else ""
