"""Adds ARC sets to messages for tests (RFC 8617 section 5.1), sharing nothing with the verifier."""

from __future__ import annotations

import base64
import re
from hashlib import sha256

from tests.msgauth.dkim_signer import PrivateKey, canonical_field, ed25519_key, raw_signature, sign

_ORDER = ("arc-authentication-results", "arc-message-signature", "arc-seal")


def seal(
    message: bytes,
    instance: int,
    *,
    key: PrivateKey | None = None,
    domain: str = "example.com",
    signer: str = "",
    names: str = "from:to:subject:arc-authentication-results",
    verdict: str = "",
    results: str = "mx.example.com; spf=pass smtp.mailfrom=joe@example.com",
    more: str = "",
) -> bytes:
    """The message with one more set on top. ``more`` are tags of the message signature,
    which has a domain of its own with ``signer``."""
    key = key or ed25519_key()
    kind = "ed25519" if key is ed25519_key() else "rsa"
    verdict = verdict or ("none" if instance == 1 else "pass")
    who, signing = (f"i={instance}; a={kind}-sha256; d={name}; s=sel" for name in (domain, signer or domain))
    message = f"ARC-Authentication-Results: i={instance}; {results}\r\n".encode() + message
    tags = f"{signing}; c=relaxed/relaxed; h={names}; {more}bh=@BH@; b=@B@"
    message = sign(message, key, tags, name="ARC-Message-Signature")
    return seal_field(message, f"{who}; cv={verdict}; b=@B@", key) + message


def seal_field(message: bytes, tags: str, key: PrivateKey) -> bytes:
    """An ARC-Seal over all ARC fields of the message."""
    header = message.partition(b"\r\n\r\n")[0]
    covered: list[tuple[int, int, bytes]] = []
    for field in re.split(rb"\r\n(?![ \t])", header):
        name = field.partition(b":")[0].strip().lower().decode()
        if name in _ORDER:
            instance = re.search(rb"[:; ]i=(\d+)", field)
            assert instance
            covered.append((int(instance[1]), _ORDER.index(name), field))
    text = b"".join(canonical_field(field, relaxed=True) + b"\r\n" for *_, field in sorted(covered))
    own = f"ARC-Seal: {tags}".encode()
    digest = sha256(text + canonical_field(own.replace(b"@B@", b""), relaxed=True)).digest()
    return own.replace(b"@B@", base64.b64encode(raw_signature(key, digest))) + b"\r\n"
