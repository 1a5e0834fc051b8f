"""Key records (RFC 6376 section 3.6.1, RFC 8301, RFC 8463): what a domain publishes to verify its signatures.

The text comes from whoever sent the message. What it may cost is settled before it reaches any arithmetic:
``cryptography`` alone does that, on keys of bounded size.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mxgw.msgauth.dkim_tags import TagFault, base64_octets, parse_tags, words

MAX_RECORD_OCTETS = 8 * 1024
"""No RFC bounds a record; a key of 4096 bits needs 750 octets."""

MAX_REMEMBERED_KEYS = 256
"""Few senders send most of the mail, and reading a key costs as much as verifying with it. At most 2 MiB."""

MIN_RSA_BITS = 1024
"""RFC 8301 section 3.2: a signature made with a shorter key is never valid."""

MAX_RSA_BITS = 4096
"""RFC 8301 section 3.2 asks for no more; the cost of a verification grows with the square."""

_MAX_EXPONENT = 2**32
"""In use are 3, 17 and 65537; the cost of a verification grows with the length of the exponent."""

_ED25519_OCTETS = 32
_ED25519_BITS = 256
_SCHEME = PKCS1v15()
_HASHED = Prehashed(SHA256())


class Algorithm(StrEnum):
    """The signature algorithms of a= that we verify (RFC 8301 section 3.1, RFC 8463 section 3)."""

    RSA_SHA256 = "rsa-sha256"
    ED25519_SHA256 = "ed25519-sha256"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key of a record that may be used, or is only too weak or too large (``size_fault``)."""

    algorithm: Algorithm
    bits: int
    testing: bool
    """t=y: the domain wants its mail treated as unsigned, whatever the signature says."""

    exact_domain: bool
    """t=s: i= must name the domain of d=, no subdomain of it."""

    _key: RSAPublicKey | Ed25519PublicKey

    @property
    def size_fault(self) -> str:
        """Why a signature made with this key is not accepted; "" where it is."""
        if self.algorithm is Algorithm.ED25519_SHA256:
            return ""
        if self.bits < MIN_RSA_BITS:
            return f"key of {self.bits} bits is too short"
        if self.bits > MAX_RSA_BITS:
            return f"key of {self.bits} bits is too long"
        return ""

    def verify(self, signature: bytes, digest: bytes) -> bool:
        """Whether ``signature`` was made over this SHA-256 digest. Raises ValueError on a ``size_fault``."""
        if self.size_fault:
            raise ValueError(self.size_fault)
        try:
            if isinstance(self._key, RSAPublicKey):
                self._key.verify(signature, digest, _SCHEME, _HASHED)
            else:
                self._key.verify(signature, digest)  # RFC 8463 section 3: Ed25519 over the hash
        except InvalidSignature:
            return False
        return True


@lru_cache(maxsize=MAX_REMEMBERED_KEYS)
def parse_key(record: bytes) -> PublicKey:
    """The key of a record. Raises TagFault with the reason where there is none for signatures of e-mail."""
    if len(record) > MAX_RECORD_OCTETS:
        raise TagFault("key record is too long")
    tags = parse_tags(record)
    if "v" in tags and (tags["v"] != "DKIM1" or next(iter(tags)) != "v"):
        raise TagFault("key record is of another version")
    if "p" not in tags:
        raise TagFault("key record has no key")
    if not tags["p"]:
        raise TagFault("key is revoked")
    if not {"*", "email"}.intersection(words(tags.get("s", "*"))):
        raise TagFault("key is not for e-mail")
    if "sha256" not in words(tags.get("h", "sha256")):
        raise TagFault("key is not for SHA-256")
    kind = tags.get("k", "rsa")
    octets = base64_octets(tags["p"], "p")
    if kind == "rsa":
        algorithm, (key, bits) = Algorithm.RSA_SHA256, _rsa(octets)
    elif kind == "ed25519":
        algorithm, (key, bits) = Algorithm.ED25519_SHA256, _ed25519(octets)
    else:
        raise TagFault("key is of a kind not known here")
    flags = words(tags.get("t", ""))
    return PublicKey(algorithm, bits, "y" in flags, "s" in flags, key)


def _rsa(octets: bytes) -> tuple[RSAPublicKey | Ed25519PublicKey, int]:
    """A SubjectPublicKeyInfo, or a bare RSAPublicKey as RFC 6376 section 3.6.1 literally says."""
    try:
        key = load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm):
        raise TagFault("p= is not an RSA key") from None
    if not isinstance(key, RSAPublicKey):
        raise TagFault("p= is not an RSA key")
    if key.public_numbers().e >= _MAX_EXPONENT:
        raise TagFault("exponent of the key is too large")
    return key, key.key_size


def _ed25519(octets: bytes) -> tuple[RSAPublicKey | Ed25519PublicKey, int]:
    """RFC 8463 section 4: the bare 32 octets."""
    if len(octets) != _ED25519_OCTETS:
        raise TagFault("p= is not an Ed25519 key")
    return Ed25519PublicKey.from_public_bytes(octets), _ED25519_BITS
