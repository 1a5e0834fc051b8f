"""The result words of RFC 8601 section 2.7, one set for all methods."""

from __future__ import annotations

from enum import StrEnum


class Result(StrEnum):
    """What a check found. Not every method uses every word: see RFC 8601 section 2.7."""

    NONE = "none"
    """Nothing to check: no record, no signature, no policy."""

    PASS = "pass"  # noqa: S105 - a word of RFC 8601
    FAIL = "fail"
    SOFTFAIL = "softfail"
    """SPF only: the domain believes the client is not authorised, and asks not to be taken at its word."""

    NEUTRAL = "neutral"
    POLICY = "policy"
    """DKIM: the signature holds, and is not accepted by our rules (a weak key, an unsigned tail)."""

    TEMPERROR = "temperror"
    """DNS did not answer: a later try may end otherwise. Never a reason to reject."""

    PERMERROR = "permerror"
    """The record or the signature is broken: no later try ends otherwise."""
