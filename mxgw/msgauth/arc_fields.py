"""The fields of an ARC chain, sorted into sets (RFC 8617 sections 4 and 5.2, steps 1 to 3)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mxgw.header import Field, Header
from mxgw.msgauth.dkim_signature import (
    Claim,
    Flaw,
    Signature,
    claim_of,
    common_parts,
    read_message_signature,
    signature_tags,
)
from mxgw.msgauth.dkim_tags import TagFault, require
from mxgw.msgauth.keys import Algorithm

MAX_SETS = 50
"""RFC 8617 section 4.2.1: the largest instance."""

RESULTS, MESSAGE_SIGNATURE, SEAL = "ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"

_MAX_INFO_LETTERS = 1024
"""So much of an ARC-Authentication-Results is searched for the instance, which it begins with."""

_INSTANCE = re.compile(r"[0-9]{1,2}")
_FWS = " \t\r\n"


class ChainFault(ValueError):
    """The fields are no chain. The text is ours, fit for a report."""


@dataclass(frozen=True, slots=True)
class Seal:
    """An ARC-Seal that keeps the rules of RFC 8617 section 4.1.3."""

    claim: Claim
    algorithm: Algorithm
    value: bytes
    verdict: str
    """cv=: none, pass or fail."""


@dataclass(frozen=True, slots=True)
class ArcSet:
    """The three fields that one sealer added."""

    results: Field
    message_signature: Signature | Flaw
    seal: Seal
    fields: tuple[Field, Field, Field]
    """In the order in which a seal covers them: results, message signature, seal."""


def read_sets(header: Header) -> tuple[ArcSet, ...]:
    """The sets from instance 1 to the newest; none where there is no ARC field at all. Raises ChainFault."""
    found = {name: header.named(name) for name in (RESULTS, MESSAGE_SIGNATURE, SEAL)}
    if not any(found.values()):
        return ()
    if header.count(""):
        # RFC 6376 section 8.15: others may read this header as another one than was sealed.
        raise ChainFault("a line in the header is no field")
    if max(map(len, found.values())) > MAX_SETS:
        raise ChainFault("more than 50 sets")
    by_instance = {name: _by_instance(name, fields) for name, fields in found.items()}
    count = max(max(fields, default=0) for fields in by_instance.values())
    sets: list[ArcSet] = []
    for instance in range(1, count + 1):
        results, signature, seal = (_at(by_instance, name, instance) for name in found)
        sets.append(
            ArcSet(
                results=results,
                message_signature=read_message_signature(signature),
                seal=_read_seal(seal, instance),
                fields=(results, signature, seal),
            )
        )
    _check_verdicts(sets)
    return tuple(sets)


def results_text(field: Field) -> str:
    """What follows the instance in an ARC-Authentication-Results, unfolded, free of control characters."""
    text = field.body.decode(errors="replace")
    payload = text[_instance_end(text)[1] :].replace("\t", " ").strip()
    return "".join(letter if letter.isprintable() else "?" for letter in payload)


def _by_instance(name: str, fields: tuple[Field, ...]) -> dict[int, Field]:
    by_instance: dict[int, Field] = {}
    for field in fields:
        instance = _instance(name, field)
        if instance in by_instance:
            raise ChainFault(f"two {name} fields of set {instance}")
        by_instance[instance] = field
    return by_instance


def _at(by_instance: dict[str, dict[int, Field]], name: str, instance: int) -> Field:
    try:
        return by_instance[name][instance]
    except KeyError:
        raise ChainFault(f"set {instance} has no {name}") from None


def _instance(name: str, field: Field) -> int:
    if name == RESULTS:
        text = field.body[:_MAX_INFO_LETTERS].decode(errors="replace")
        instance = _instance_end(text)[0]
    else:
        try:
            value = signature_tags(field).get("i", "")
        except TagFault as fault:
            raise ChainFault(f"{name}: {fault}") from None
        instance = int(value) if _INSTANCE.fullmatch(value) else 0
    if not 1 <= instance <= MAX_SETS:
        raise ChainFault(f"{name} has no valid instance")
    return instance


def _instance_end(text: str) -> tuple[int, int]:
    """The instance that an ARC-Authentication-Results begins with, and where its payload begins.

    RFC 8617 section 4.1.1: ``i=1;``, comments and white space between any two parts. 0 where it does not.
    """
    text = text[:_MAX_INFO_LETTERS]
    at = 0
    for token in ("i", "="):
        at = _skip_cfws(text, at)
        if not text.startswith(token, at):
            return 0, 0
        at += 1
    at = _skip_cfws(text, at)
    digits = _INSTANCE.match(text, at)
    if not digits:
        return 0, 0
    at = _skip_cfws(text, digits.end())
    return (int(digits[0]), at + 1) if text.startswith(";", at) else (0, 0)


def _skip_cfws(text: str, at: int) -> int:
    """Where comments and white space that begin here end (RFC 5322 section 3.2.2)."""
    depth = 0
    while at < len(text):
        letter = text[at]
        if letter == "(":
            depth += 1
        elif depth and letter == ")":
            depth -= 1
        elif depth and letter == "\\":
            at += 1
        elif not depth and letter not in _FWS:
            break
        at += 1
    return at


def _read_seal(field: Field, instance: int) -> Seal:
    try:
        tags = signature_tags(field)
        claim = claim_of(tags)
        require(tags, ("a", "b", "cv", "d", "s"))
        if "h" in tags:
            raise TagFault("h= is not allowed")
        if tags["cv"] not in {"none", "pass", "fail"}:
            raise TagFault("cv= is not a word of the RFC")
        algorithm, value, _, _ = common_parts(tags, claim)
    except TagFault as fault:
        raise ChainFault(f"seal {instance}: {fault}") from None
    return Seal(claim, algorithm, value, tags["cv"])


def _check_verdicts(sets: list[ArcSet]) -> None:
    """RFC 8617 section 5.2, steps 2 and 3: none in the first seal, pass in all others."""
    for instance, one in enumerate(sets, 1):
        verdict = one.seal.verdict
        if verdict == "fail":
            raise ChainFault(f"seal {instance} says that the chain failed before it")
        if (verdict == "none") != (instance == 1):
            raise ChainFault(f"seal {instance} says cv={verdict}")
