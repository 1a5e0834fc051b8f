"""The header hash of RFC 6376 sections 3.4.1, 3.4.2, 3.7 and 5.4.2, for signatures and seals.

Takes the fields as the header parser cut them, so that what is signed and what the rest of the program reads
are the same fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from mxgw.header import Field, Header
from mxgw.msgauth.bodyhash import Canonicalisation
from mxgw.msgauth.dkim_tags import without_signature

_BLANKS = b" \t"


class SignedFields:
    """The header of one message, ready to be hashed for any number of signatures.

    The relaxed form of a field is worked out once, and only if a signature names it: the whole costs no more
    than the header is long, times the signatures.
    """

    def __init__(self, header: Header) -> None:
        self._header = header
        self._relaxed: dict[int, bytes] = {}

    def digest(
        self, names: Iterable[str], signature: Field, canonicalisation: Canonicalisation
    ) -> tuple[bytes, tuple[Field, ...]]:
        """SHA-256 over the fields that h= names, and over the signature itself without its value.

        A name that comes again takes the next instance upwards; one with no instance left adds nothing. The
        signature is never one of the named (RFC 6376 section 3.5, h=). Also returns the fields taken.
        """
        taken = self._select(names, signature)
        relaxed = canonicalisation is Canonicalisation.RELAXED
        hashed = sha256(b"".join([self._relax(one) if relaxed else _ended(one.raw) for one in taken]))
        hashed.update(_unsigned(signature, relaxed=relaxed))
        return hashed.digest(), taken

    def seal_digest(self, fields: Iterable[Field], seal: Field) -> bytes:
        """SHA-256 over these fields in their order, and over the seal (RFC 8617 section 5.1.1)."""
        hashed = sha256(b"".join([self._relax(one) for one in fields]))
        hashed.update(_unsigned(seal, relaxed=True))
        return hashed.digest()

    def _select(self, names: Iterable[str], signature: Field) -> tuple[Field, ...]:
        taken: list[Field] = []
        left: dict[str, list[Field]] = {"": []}  # an empty name in h= is no field, nor a line without one
        for name in names:
            fields = left.get(name)
            if fields is None:
                fields = left[name] = [one for one in self._header.named(name) if one is not signature]
            if fields:
                taken.append(fields.pop())
        return tuple(taken)

    def _relax(self, one: Field) -> bytes:
        relaxed = self._relaxed.get(id(one))
        if relaxed is None:
            relaxed = self._relaxed[id(one)] = _relaxed(one.raw) + b"\r\n"
        return relaxed


def _ended(raw: bytes) -> bytes:
    """The last field of content without a blank line may lack its CRLF; no signer saw it like that."""
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"


def _unsigned(signature: Field, *, relaxed: bool) -> bytes:
    """The signature field as it was hashed: no value of b=, no CRLF at its end."""
    name, _, value = signature.raw.removesuffix(b"\r\n").partition(b":")
    bare = name + b":" + without_signature(value)
    return _relaxed(bare) if relaxed else bare


def _relaxed(raw: bytes) -> bytes:
    """RFC 6376 section 3.4.2, without the CRLF at the end."""
    name, _, value = raw.replace(b"\r\n", b"").replace(b"\t", b" ").partition(b":")
    while b"  " in value:
        value = value.replace(b"  ", b" ")
    return name.rstrip(_BLANKS).lower() + b":" + value.strip(_BLANKS)
