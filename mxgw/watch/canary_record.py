"""The DNS record of the canary's key: what it has to be, what DNS makes of it, what has to change. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mxgw.admin.cloud.cloudflare import Held, Put
from mxgw.admin.cloud.record_plan import Change, Step
from mxgw.admin.dns_records import Kind, Purpose
from mxgw.resolver.answers import Answer, Status
from mxgw.resolver.names import canonical

_PUBLIC: Final = re.compile(r"(?:^|;)\s*p\s*=([^;]*)")


class Standing(StrEnum):
    """How the record is in DNS."""

    PUBLISHED = "published"
    MISSING = "missing"
    OTHER = "other"
    """Another key, none at all (revoked), or several of which none counts (RFC 6376 section 3.6.2.2)."""
    UNKNOWN = "unknown"
    """Nobody answered."""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """``content`` of the TXT record that belongs at ``name``, which is in ``domain``."""

    domain: str
    name: str
    content: str


def key_record(sender: str, selector: str, key: bytes) -> KeyRecord:
    """Of a private key in PEM (RFC 6376 section 3.6.1); ValueError if it is none of RSA."""
    domain = sender.rpartition("@")[2].lower()
    return KeyRecord(domain, f"{selector}._domainkey.{domain}", _content(key))


def _content(key: bytes) -> str:
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except TypeError as error:
        # An encrypted one; the canary flies without anybody there.
        raise ValueError(str(error)) from None
    if not isinstance(private, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - as a text that is no key at all
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def standing(record: KeyRecord, answer: Answer[bytes]) -> Standing:
    """What DNS has said of the record's name."""
    if answer.status is Status.TEMPORARY:
        return Standing.UNKNOWN
    texts = [one.decode("utf-8", "replace") for one in answer.records]
    if not texts:
        return Standing.MISSING
    return (
        Standing.PUBLISHED if [_public(one) for one in texts] == [_public(record.content)] else Standing.OTHER
    )


def _public(text: str) -> str:
    """The key in a record; "" where there is none."""
    found = _PUBLIC.search(text)
    return "".join(found[1].split()) if found else ""


def planned(record: KeyRecord, held: Sequence[Held]) -> list[Change]:
    """What has to change among the records of a zone. Whatever else stands at the name is in the way: of two
    keys none counts, and beside an alias there can be nothing."""
    put = Put(Kind.TXT.value, canonical(record.name) or record.name, record.content)
    there = [one for one in held if one.name == put.name and one.kind in {Kind.TXT, Kind.CNAME}]
    right = [one for one in there if one.kind == Kind.TXT and _public(one.content) == _public(put.content)]
    others = [one for one in there if one not in right[:1]]
    if not there:
        return [Change(Step.CREATE, Purpose.DKIM, put, "plan-missing")]
    if not others:
        return [Change(Step.KEEP, Purpose.DKIM, put, "plan-there")]
    # Our own key of yesterday is ours to replace; a stranger's record is not.
    step = Step.CHANGE if all(one.ours for one in others) else Step.REPLACE
    texts = [*right[:1], *(one for one in others if one.kind == Kind.TXT)]
    first = texts[0] if texts else None
    drop = tuple(one for one in others if one is not first)
    return [Change(step, Purpose.DKIM, put, "plan-other", first, drop)]
