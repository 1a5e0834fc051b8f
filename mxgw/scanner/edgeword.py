"""What home believes of what the edge said of a message, and what must go because nobody of ours said it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mxgw.edgeseal import MAX_SEALS, SEAL_FIELD, EdgeSealer, EdgeWord
from mxgw.envelope import ReversePath
from mxgw.header import Header
from mxgw.msgauth.forged_results import forged_results
from mxgw.seal import Sealer, forged_fields

_TIME = re.compile(rb"t=([0-9]{1,12});")
_SEALED = "sealed "


class SealState(StrEnum):
    """What became of the seal on a message: for log and metrics."""

    VALID = "valid"
    NONE = "none"
    FORGED = "forged"
    """It was not made under our key, or of something else than this message carries."""
    STALE = "stale"
    """It is genuine, and was made too long ago or in the future: a clock is wrong, or a copy came again."""


@dataclass(frozen=True, slots=True)
class Believed:
    """``word`` is there for a valid seal only; ``removed`` are indices into the header's fields."""

    state: SealState
    word: EdgeWord | None
    removed: frozenset[int]

    @property
    def auth_class(self) -> str:
        """For HomeSealer: the edge's fingerprint where it is believed."""
        return f"{_SEALED}{self.word.fingerprint}" if self.word else "unsealed"


def believe(
    header: Header,
    identity: bytes,
    *,
    sealer: EdgeSealer | None,
    authserv_ids: frozenset[str],
    now: float,
) -> Believed:
    """Open the seal. ``identity`` is that of the message (mxgw.seal.message_identity).

    ``authserv_ids`` are the names that only we may use in Authentication-Results. Without a valid seal every
    field in one of these names goes; with one, every other.
    """
    word = sealer.open_seal(header, identity, now) if sealer else None
    removed = forged_results(header, authserv_ids)
    if word is not None:
        return Believed(SealState.VALID, word, removed - {word.results_at})
    return Believed(_why_not(header, identity, sealer), None, removed)


def _why_not(header: Header, identity: bytes, sealer: EdgeSealer | None) -> SealState:
    seals = header.named(SEAL_FIELD)
    if not seals:
        return SealState.NONE
    for seal in seals[:MAX_SEALS]:
        said = _TIME.search(seal.raw)
        if said and sealer is not None and sealer.open_seal(header, identity, float(said[1])) is not None:
            return SealState.STALE
    return SealState.FORGED


class HomeSealer(Sealer):
    """Keeps the fingerprint of the edge where it is believed, makes one where not.

    A message that comes over two edges, or twice over one, has the same fingerprint both times. For what is
    made here, the fields that the hop before us writes anew on every try do not count.
    """

    __slots__ = ()

    def fingerprint(
        self,
        *,
        reverse_path: ReversePath,
        header: Header,
        body_digest: bytes,
        content_digest: Callable[[], bytes],
        auth_class: str,
    ) -> str:
        """As Sealer; ``auth_class`` is that of Believed, and the content counts as it came to the edge."""
        if auth_class.startswith(_SEALED):
            return auth_class.removeprefix(_SEALED)
        return super().fingerprint(
            reverse_path=reverse_path,
            header=header,
            body_digest=body_digest,
            content_digest=lambda: _content_digest(header, body_digest),
            auth_class=auth_class,
        )


def _content_digest(header: Header, body_digest: bytes) -> bytes:
    ours = forged_fields(header)
    received = next((at for at, one in enumerate(header.fields) if one.name.lower() == "received"), None)
    block = header.without(ours, frozenset() if received is None else frozenset({received}))
    return hashlib.sha256(hashlib.sha256(block).digest() + body_digest).digest()
