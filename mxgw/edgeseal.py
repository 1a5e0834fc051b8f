"""The edge's word to home: Authentication-Results under a seal that home can check.

Edge and home share a key. HMAC-SHA256 under a key derived from it covers the Authentication-Results as the
edge wrote it, the message and its fingerprint, whether it belongs into Junk, and when that was said:

    X-MXGW-Seal: t=1764000000; junk=no;
            h=<64 hexadecimal digits>

The results are covered in the relaxed form of RFC 6376 section 3.4.2. LMTP carries a field unchanged; a hop
between the doors may fold it anew, and no more. Blanks between words mean nothing (RFC 8601 section 2.2).

The seal holds for one message: for its body and the fields that last on its way (mxgw.seal.message_identity).
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass

from mxgw.header import Field, Header
from mxgw.msgauth.results_field import RESULTS_FIELD
from mxgw.seal import FINGERPRINT_FIELD, MIN_KEY_OCTETS, joined

SEAL_FIELD = "X-MXGW-Seal"

MAX_AGE_SECONDS = 3600
"""A message travels from the edge to home within the deadline of one delivery, minutes at most; the rest is
for a clock that runs late."""

MAX_AHEAD_SECONDS = 300
"""How far home's clock may be behind the edge's."""

MAX_SEALS = 4
"""Seals that are looked at, from the top. The edge removes those of strangers and adds one."""

MAX_RESULTS = 4
"""Results that are tried with each seal, from the top, where the edge puts its own. Strangers bring more."""

MAX_RESULTS_OCTETS = 16 * 1024
"""Of one field that is tried. Ours have 300 to 2000 octets, and 10 KiB with every name as long as can be."""

MAX_SEAL_OCTETS = 256
"""Ours has 110 and room for other folds."""

# The key of the seal must not be that of the fingerprint: no octets that one is made of may serve the other.
_KEY_LABEL = b"mxgw edge seal key 1"
_LABEL = b"mxgw edge seal 1"
_SEAL = re.compile(rb"t=([0-9]{1,12}); ?junk=(yes|no); ?h=([0-9a-f]{64})")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class EdgeWord:
    """What the edge said of a message, proven by a seal that is fresh."""

    results: Field
    """The Authentication-Results that it sealed."""

    results_at: int
    """Its index in the fields of the header."""

    fingerprint: str
    """That of the message, as the edge made it."""

    junk: bool
    sealed_at: int
    """Unix time in seconds."""


class EdgeSealer:
    """Makes seals at the edge, opens them at home. Raises ValueError where the shared key is too short."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_OCTETS:
            raise ValueError(f"the seal key has less than {MIN_KEY_OCTETS} octets")
        self._key = hmac.digest(key, _KEY_LABEL, "sha256")

    def seal_field(
        self, *, results: bytes, identity: bytes, fingerprint: str, junk: bool, now: float
    ) -> bytes:
        """The field that seals ``results``, a whole Authentication-Results field with its CRLF.

        ``identity`` is that of the message (mxgw.seal.message_identity). ``now`` is Unix time in seconds.
        Raises ValueError where the fingerprint is none or the results are longer than home would look at.
        """
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise ValueError("a fingerprint has 64 hexadecimal digits")
        if len(results) > MAX_RESULTS_OCTETS:
            raise ValueError(f"results of more than {MAX_RESULTS_OCTETS} octets")
        time, word = b"%d" % int(now), b"yes" if junk else b"no"
        mac = self._mac(time, word, fingerprint.encode("ascii"), identity, _relaxed(results))
        start = f"{SEAL_FIELD}: ".encode("ascii")
        return b"%bt=%b; junk=%b;\r\n\th=%b\r\n" % (start, time, word, mac)

    def open_seal(self, header: Header, identity: bytes, now: float) -> EdgeWord | None:
        """The edge's word: that of the uppermost seal that is genuine and fresh; None where there is none.

        ``identity`` is that of the message which carries the seal.

        Total, and bounded whatever the header holds. Several fingerprints are none: nobody could say which
        of them others go by.
        """
        fingerprints = header.named(FINGERPRINT_FIELD)
        if len(fingerprints) != 1:
            return None
        fingerprint = fingerprints[0].body
        results = [
            (one, _relaxed(one.raw))
            for one in header.named(RESULTS_FIELD)[:MAX_RESULTS]
            if len(one.raw) <= MAX_RESULTS_OCTETS
        ]
        for seal in header.named(SEAL_FIELD)[:MAX_SEALS]:
            if len(seal.raw) > MAX_SEAL_OCTETS:
                continue
            said = _SEAL.fullmatch(_relaxed(seal.raw).partition(b":")[2])
            if not said:
                continue
            time, word, mac = said.groups()
            sealed_at = int(time)
            if not -MAX_AHEAD_SECONDS <= now - sealed_at <= MAX_AGE_SECONDS:
                continue
            for field, relaxed in results:
                if hmac.compare_digest(mac, self._mac(time, word, fingerprint, identity, relaxed)):
                    at = next(index for index, one in enumerate(header.fields) if one is field)
                    return EdgeWord(field, at, fingerprint.decode("ascii"), word == b"yes", sealed_at)
        return None

    def _mac(self, *parts: bytes) -> bytes:
        return hmac.digest(self._key, joined((_LABEL, *parts)), "sha256").hex().encode("ascii")


def _relaxed(raw: bytes) -> bytes:
    """RFC 6376 section 3.4.2, without CRLF at the end."""
    name, _, value = raw.replace(b"\r\n", b"").replace(b"\t", b" ").partition(b":")
    while b"  " in value:
        value = value.replace(b"  ", b" ")
    return name.rstrip(b" ").lower() + b":" + value.strip(b" ")
