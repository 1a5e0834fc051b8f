"""Body hashes of RFC 6376 section 3.7, computed while the body arrives.

Canonicalisation works on whole chunks with searches of the C library, never line by line, and keeps a few
octets between chunks: memory does not depend on the body. It is total and exact for any octets, though the
gateway lets no bare CR or LF through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

MAX_BODY_FORMS = 4
"""How many different hashes of one body we compute: both canonicalisations, and as many lengths again. No RFC
bounds this; mail has one or two."""

_PIECE_OCTETS = 64 * 1024
_CRLFS = b"\r\n" * (_PIECE_OCTETS // 2)
# The end of a chunk, read backwards: what may be the beginning of a line end, then empty lines.
_OPEN_END = re.compile(rb"(\r? ?)((?:\n\r)*)")


class Canonicalisation(StrEnum):
    """RFC 6376 section 3.4."""

    SIMPLE = "simple"
    RELAXED = "relaxed"


class BodyForm(NamedTuple):
    """One way to hash a body. ``length`` is what l= says: so many canonical octets count, None for all."""

    canonicalisation: Canonicalisation
    length: int | None = None


@dataclass(frozen=True, slots=True)
class BodyHash:
    """``octets`` is the size of the whole canonical body, whatever the length says."""

    digest: bytes
    octets: int


class BodyHashes:
    """SHA-256 over one body in each of some forms. Feed it the body, ``finish`` it, read the hashes.

    Relaxed and simple are worked out once each, however many lengths are asked for.
    """

    __slots__ = ("_canonicals",)

    def __init__(self, forms: Iterable[BodyForm]) -> None:
        self._canonicals: dict[Canonicalisation, _Canonical] = {}
        for form in forms:
            kind = form.canonicalisation
            if kind not in self._canonicals:
                self._canonicals[kind] = _Canonical(relaxed=kind is Canonicalisation.RELAXED)
            self._canonicals[kind].add(form)

    def feed(self, chunk: bytes) -> None:
        """Take the next octets of the body."""
        for begin in range(0, len(chunk), _PIECE_OCTETS):
            piece = chunk[begin : begin + _PIECE_OCTETS] if len(chunk) > _PIECE_OCTETS else chunk
            for canonical in self._canonicals.values():
                canonical.feed(piece)

    def finish(self) -> dict[BodyForm, BodyHash]:
        """The body is complete: its hashes. Call it once."""
        found: dict[BodyForm, BodyHash] = {}
        for canonical in self._canonicals.values():
            found |= canonical.finish()
        return found


class _Canonical:
    """One canonicalisation of a body, and the hashes over it.

    Line ends are held back until something follows them, since empty lines at the end do not count; so is
    what may turn out to be white space at a line end.
    """

    __slots__ = ("_blanks", "_carry", "_held_crlfs", "_octets", "_relaxed", "_sinks")

    def __init__(self, *, relaxed: bool) -> None:
        self._relaxed = relaxed
        self._blanks = b" \r\n" if relaxed else b"\r\n"
        self._carry = b""
        self._held_crlfs = 0
        self._octets = 0
        self._sinks: dict[BodyForm, _Sink] = {}

    def add(self, form: BodyForm) -> None:
        self._sinks.setdefault(form, _Sink(form.length))

    def feed(self, chunk: bytes) -> None:
        data = self._carry + chunk if self._carry else chunk
        if self._relaxed:
            data = _reduce_blanks(data)
        core = data.rstrip(self._blanks)
        end = data[len(core) :]
        crlfs = end.count(b"\r\n")
        carry = end[2 * crlfs :]
        if carry not in _CARRIES or not end.startswith(_CRLFS[: 2 * crlfs]):
            core, crlfs, carry = _split_odd_end(data)
        if core:
            self._put_held()
            self._put(core)
        self._held_crlfs += crlfs
        self._carry = carry

    def finish(self) -> dict[BodyForm, BodyHash]:
        # A space before the end of the body is at a line end (RFC 6376 section 3.4.4); a CR is an octet.
        if self._carry.endswith(b"\r"):
            self._put_held()
            self._put(self._carry)
        if self._octets or not self._relaxed:
            # Without empty lines at its end; with CRLF; that is also what simple makes of an empty body.
            self._put(b"\r\n")
        return {form: BodyHash(sink.digest(), self._octets) for form, sink in self._sinks.items()}

    def _put_held(self) -> None:
        while self._held_crlfs:
            piece = _CRLFS[: 2 * self._held_crlfs]
            self._put(piece)
            self._held_crlfs -= len(piece) // 2

    def _put(self, octets: bytes) -> None:
        self._octets += len(octets)
        for sink in self._sinks.values():
            sink.put(octets)


class _Sink:
    """A hash that takes no more than ``length`` octets."""

    __slots__ = ("_hash", "_room")

    def __init__(self, length: int | None) -> None:
        self._hash = sha256()
        self._room = length

    def put(self, octets: bytes) -> None:
        if self._room is None:
            self._hash.update(octets)
        elif self._room:
            self._hash.update(octets[: self._room])
            self._room -= min(self._room, len(octets))

    def digest(self) -> bytes:
        return self._hash.digest()


_CARRIES = frozenset({b"", b"\r", b" ", b" \r"})


def _reduce_blanks(data: bytes) -> bytes:
    """Runs of blanks become one space, none at line ends. Each pass halves the runs: no run is slow."""
    if b"\t" in data:
        data = data.replace(b"\t", b" ")
    while b"  " in data:
        data = data.replace(b"  ", b" ")
    return data.replace(b" \r\n", b"\r\n")


def _split_odd_end(data: bytes) -> tuple[bytes, int, bytes]:
    """The same cut as in ``feed`` where bare CRs or LFs stand near the end."""
    match = _OPEN_END.match(data[::-1])
    if not match:  # the pattern matches the empty text
        raise AssertionError
    carry, crlfs = match[1][::-1], match[2]
    return data[: len(data) - len(match[0])], len(crlfs) // 2, carry
