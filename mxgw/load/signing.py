"""DKIM signatures of the load client, by a key of its own (RFC 6376, RFC 8463).

Signed are the fields that all messages with one body share, so that a signature is made once for each body
and not for each message: the verifier has the same work, the client none. Message-ID is not among them.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

RSA_BITS = 2048
"""RFC 8301 section 3.2: signers should use at least so many."""

SELECTOR = "load"

_STRING_OCTETS = 255  # of one character-string in a TXT record: RFC 1035 section 3.3
_FOLD_OCTETS = 72
_FOLD = "\r\n\t"
_NEXT_TAG = f";{_FOLD}"

_Key: TypeAlias = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


class Algorithm(StrEnum):
    """What to sign with; the values are those of the "k" tag."""

    RSA = "rsa"
    ED25519 = "ed25519"


class SigningKeyError(Exception):
    """A key file that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the domain that it signs for."""

    domain: str
    key: _Key

    @classmethod
    def made(cls, domain: str, algorithm: Algorithm) -> SigningKey:
        """A new one."""
        if algorithm is Algorithm.RSA:
            return cls(domain, rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS))
        return cls(domain, ed25519.Ed25519PrivateKey.generate())

    @classmethod
    def kept(cls, domain: str, algorithm: Algorithm, path: Path) -> SigningKey:
        """The one in a PEM file; a missing file is written, for its owner alone. Raises SigningKeyError."""
        try:
            if path.exists():
                return cls(domain, _read(path))
            made = cls.made(domain, algorithm)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(
                    made.key.private_bytes(
                        serialization.Encoding.PEM,
                        serialization.PrivateFormat.PKCS8,
                        serialization.NoEncryption(),
                    )
                )
        except OSError as error:
            raise SigningKeyError(f"{path}: {error.strerror or error}") from error
        return made

    @property
    def algorithm(self) -> Algorithm:
        """By the type of the key."""
        return Algorithm.RSA if isinstance(self.key, rsa.RSAPrivateKey) else Algorithm.ED25519

    @property
    def record_name(self) -> str:
        """Where the public key is to be published."""
        return f"{SELECTOR}._domainkey.{self.domain}"

    @property
    def record_text(self) -> str:
        """The TXT record to publish, in one piece: RFC 6376 section 3.6.1, RFC 8463 section 4."""
        public = self.key.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            octets = public.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        else:
            octets = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"v=DKIM1; k={self.algorithm}; p={base64.b64encode(octets).decode()}"

    @property
    def zone_line(self) -> str:
        """The record as a line of a zone file."""
        text = self.record_text
        strings = [f'"{text[at : at + _STRING_OCTETS]}"' for at in range(0, len(text), _STRING_OCTETS)]
        return f"{self.record_name}. IN TXT ({' '.join(strings)})"

    def signature(self, fields: Sequence[tuple[str, str]], body_digest: bytes) -> bytes:
        """The DKIM-Signature field over these fields, with its CRLF; relaxed/simple.

        ``body_digest`` is the SHA-256 of a body that ends with a line end and without empty lines: simple
        canonicalization (RFC 6376 section 3.4.3) leaves it as it is. Values are single lines without runs
        of white space: relaxed canonicalization (section 3.4.2) changes nothing but the names.
        """
        tags = [
            "v=1",
            f"a={self.algorithm}-sha256",
            "c=relaxed/simple",
            f"d={self.domain}",
            f"s={SELECTOR}",
            f"h={':'.join(name.lower() for name, _ in fields)}",
            f"bh={base64.b64encode(body_digest).decode()}",
            "b=",
        ]
        signed = "".join(f"{name.lower()}:{value}\r\n" for name, value in fields)
        signature = base64.b64encode(
            self._sign(f"{signed}dkim-signature:{'; '.join(tags)}".encode())
        ).decode()
        lines = [signature[start : start + _FOLD_OCTETS] for start in range(0, len(signature), _FOLD_OCTETS)]
        return f"DKIM-Signature: {f';{_FOLD}'.join(tags)}{_FOLD.join(lines)}\r\n".encode()

    def _sign(self, octets: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(hashlib.sha256(octets).digest())  # RFC 8463 section 3: the hash is signed


def _read(path: Path) -> _Key:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise SigningKeyError(f"{path}: no private key in PEM form without a password") from error
    if isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        return key
    raise SigningKeyError(f"{path}: neither an RSA nor an Ed25519 key")
