"""The fingerprint: by it home recognises a message that a sender puts to us again.

HMAC-SHA256 over what stays the same when a mail server retries, and over the class of the authentication
result: a forged twin of a message gets another fingerprint, and cannot make home drop the true one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable

from mxgw.envelope import ReversePath
from mxgw.header import Header

FINGERPRINT_FIELD = "X-MXGW-Fingerprint"
"""Home's duplicate test (RFC 7352) reads this field."""

OUR_FIELDS = frozenset({FINGERPRINT_FIELD.lower()})
"""Names, in lower case, that mail from outside must not bring along; ``forged_fields`` adds what else there
is under our prefix.

Not among them: Return-Path, which the hop of final delivery replaces and a relay leaves (RFC 5321 section
4.4); Delivered-To, which other hops wrote to find their loops, and which nobody behind us believes;
Authentication-Results, of which only those that bear our own name go (RFC 8601 section 5).
"""

MIN_KEY_OCTETS = 16
"""A shorter key might be guessed from the fingerprint of a message that the attacker sent and got."""

_OUR_PREFIX = "x-mxgw-"
# What a retry keeps. Trace and resent fields are not here: a retry may carry other ones.
_LASTING_FIELDS = tuple((name, name.encode()) for name in ("Message-ID", "Date", "From", "To", "Subject"))
_HEX = frozenset("0123456789abcdef")


class Sealer:
    """Makes fingerprints under the key that edge and home share."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_OCTETS:
            raise ValueError(f"the seal key has less than {MIN_KEY_OCTETS} octets")
        self._key = key

    def fingerprint(
        self,
        *,
        reverse_path: ReversePath,
        header: Header,
        body_digest: bytes,
        content_digest: Callable[[], bytes],
        auth_class: str,
    ) -> str:
        """The fingerprint of a message, 64 hexadecimal digits.

        A message without Message-ID may be one of many equal ones (a report of a device, say), so all of
        its content counts: a retry with other trace fields gives a second copy then, never a loss.
        """
        parts = [b"mxgw fingerprint 1", auth_class.encode(), str(reverse_path).encode()]
        if any(one.body for one in header.named("Message-ID")):
            parts += _lasting(header)
            parts.append(body_digest)
        else:
            parts.append(content_digest())
        return hmac.digest(self._key, joined(parts), "sha256").hex()


def message_identity(header: Header, body_digest: bytes) -> bytes:
    """What makes a message this one on its whole way: a SHA-256 over the fields that last and its body.

    Trace fields that are added or taken away on the way do not change it. 32 octets.
    """
    return hashlib.sha256(joined([*_lasting(header), body_digest])).digest()


def joined(parts: Iterable[bytes]) -> bytes:
    """Each with its length before it, so that no two lists of parts make the same octets."""
    return b"".join([b"%d:%b" % (len(part), part) for part in parts])


def _lasting(header: Header) -> list[bytes]:
    parts: list[bytes] = []
    for name, mark in _LASTING_FIELDS:
        found = header.named(name)
        parts.append(b"%b*%d" % (mark, len(found)))
        parts += [one.body for one in found]
    return parts


def fingerprint_field(value: str) -> bytes:
    """The field that carries a fingerprint. Raises ValueError where the value is none."""
    if len(value) != 64 or not _HEX.issuperset(value):
        raise ValueError("a fingerprint has 64 hexadecimal digits")
    return f"{FINGERPRINT_FIELD}: {value}\r\n".encode()


def forged_fields(header: Header) -> frozenset[str]:
    """The names that must go from a message that comes from outside, for ``Header.without``."""
    ours = [name for name in header.names() if name.startswith(_OUR_PREFIX)]
    return OUR_FIELDS.union(ours) if ours else OUR_FIELDS
