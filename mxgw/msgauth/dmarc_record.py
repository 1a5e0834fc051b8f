"""What a DMARC policy record says (RFC 9989 sections 4.7 and 4.8; tag lists: RFC 6376 section 3.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from mxgw.msgauth.spf_result import plain

MAX_RECORD_OCTETS = 4 * 1024
"""RFC 9989 has no bound, DNS allows 64 KiB; records in use have 40 to 500. Tags beyond are not read."""

MAX_REMEMBERED_OCTETS = 1024
"""A longer record is parsed each time it comes."""

REMEMBERED_RECORDS = 1024
"""Records of large senders come with every tenth message."""

MAX_URIS = 10
"""Destinations of rua that are kept. RFC 7489 section 6.2 asked receivers for at least 2."""

MAX_URI_CHARACTERS = 512
"""Of one destination: "mailto:" and the longest address (RFC 5321 section 4.5.3.1.3), percent-encoded."""

MAX_TEXT_CHARACTERS = 500
"""Of the record that is kept for whoever asks why."""

_WSP = " \t"
# RFC 9989 section 4.8: dmarc-version. The value alone is case-sensitive. Blanks before it are let pass, as
# tag lists have them (RFC 6376 section 3.2).
_VERSION = re.compile(rb"[ \t]*[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
# RFC 3986 appendix A in one line, without the comma and the exclamation mark, which are to be encoded.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#\[\]@$&'()*+;=-]|%[0-9A-Fa-f]{2})*")
# RFC 9989 section 4.8: obs-dmarc-report-size, to be ignored.
_REPORT_SIZE = re.compile(r"![0-9]+[kmgtKMGT]?\Z")


class Policy(StrEnum):
    """What a domain owner asks for where a message fails (RFC 9989 section 4.7, tag p)."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"


class Alignment(StrEnum):
    """How near a checked domain must be to the author domain (RFC 9989 section 4.4)."""

    RELAXED = "r"
    STRICT = "s"


class Psd(StrEnum):
    """Whether the domain of the record is a public suffix (RFC 9989 section 4.7, tag psd)."""

    YES = "y"
    NO = "n"
    UNKNOWN = "u"


_Word = TypeVar("_Word", Policy, Alignment, Psd)


class BadRecord(ValueError):
    """Why the text is no tag list, in words of our own."""


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """One policy record; tags that are missing or not valid have the RFC's defaults.

    Where ``problem`` is not "", p is missing or one of p, sp and np is not valid: then all that may be asked
    for is p=none, and that only where there is a rua (RFC 9989 section 4.10.1): ``usable`` says so. ``rua``
    has the destinations that are valid URIs, without sizes. ``text`` is the record, printable ASCII, cut.
    """

    p: Policy
    sp: Policy | None
    np: Policy | None
    psd: Psd
    t: bool
    adkim: Alignment
    aspf: Alignment
    rua: tuple[str, ...]
    text: str
    problem: str = ""

    @property
    def usable(self) -> bool:
        """Whether DMARC applies at all where this is the record to apply."""
        return not self.problem or bool(self.rua)


def parse_record(octets: bytes) -> DmarcRecord:
    """A TXT record with its character-strings joined. Total but for BadRecord; linear in time.

    Raises BadRecord where the first tag is not v=DMARC1, or where a tag occurs twice: RFC 6376 section 3.2,
    whose syntax RFC 9989 takes, calls the whole list invalid then. A part that is no tag, an unknown tag
    (pct among them) and a value that is not valid count as not written.
    """
    return _parse_and_remember(octets) if len(octets) <= MAX_REMEMBERED_OCTETS else _parse(octets)


def _parse(octets: bytes) -> DmarcRecord:
    if not _VERSION.match(octets):
        raise BadRecord("the first tag is not v=DMARC1")
    tags = _tags(octets)
    problem = _problem(tags)
    return DmarcRecord(
        p=Policy.NONE if problem else Policy(tags["p"].lower()),
        sp=None if problem else _word(Policy, tags.get("sp")),
        np=None if problem else _word(Policy, tags.get("np")),
        psd=_word(Psd, tags.get("psd")) or Psd.UNKNOWN,
        t=tags.get("t", "").lower() == "y",
        adkim=_word(Alignment, tags.get("adkim")) or Alignment.RELAXED,
        aspf=_word(Alignment, tags.get("aspf")) or Alignment.RELAXED,
        rua=_uris(tags.get("rua", "")),
        text=plain(octets[:MAX_TEXT_CHARACTERS].decode("latin-1"), MAX_TEXT_CHARACTERS),
        problem=problem,
    )


_parse_and_remember = lru_cache(maxsize=REMEMBERED_RECORDS)(_parse)


def select_record(texts: Sequence[bytes]) -> tuple[DmarcRecord | None, str]:
    """The policy record among the TXT records of one name (RFC 9989 section 4.10, steps 2 and 6).

    The second is "" or why there is none: several are all discarded, whatever they say.
    """
    records = [octets for octets in texts if _VERSION.match(octets)]
    if not records:
        return None, "no DMARC record"
    if len(records) > 1:
        return None, f"{len(records)} DMARC records, all discarded"
    try:
        return parse_record(records[0]), ""
    except BadRecord as why:
        return None, f"a DMARC record, discarded: {why}"


def _tags(octets: bytes) -> dict[str, str]:
    """Names are case-sensitive (RFC 6376 section 3.2). Raises BadRecord."""
    if len(octets) > MAX_RECORD_OCTETS:
        octets = octets[:MAX_RECORD_OCTETS].rpartition(b";")[0]
    tags: dict[str, str] = {}
    for part in octets.decode("latin-1").split(";"):
        name, equals, value = part.partition("=")
        name = name.strip(_WSP)
        if not equals or not name:
            continue
        if name in tags:
            raise BadRecord(f"tag {plain(name, 20)} occurs twice")
        tags[name] = value.strip(_WSP)
    return tags


def _problem(tags: dict[str, str]) -> str:
    """ "" or which policy tag makes the record one of RFC 9989 section 4.10.1 without a policy."""
    if "p" not in tags:
        return "p= is missing"
    for name in ("p", "sp", "np"):
        if name in tags and _word(Policy, tags[name]) is None:
            return f"{name}= is not valid"
    return ""


def _word(kind: type[_Word], value: str | None) -> _Word | None:
    """A word of a closed set; RFC 5234 section 2.3 makes them all case-insensitive."""
    try:
        return kind(value.lower()) if value is not None else None
    except ValueError:
        return None


def _uris(value: str) -> tuple[str, ...]:
    found = (_REPORT_SIZE.sub("", part.strip(_WSP)) for part in value.split(",", MAX_URIS)[:MAX_URIS])
    return tuple(uri for uri in found if len(uri) <= MAX_URI_CHARACTERS and _URI.fullmatch(uri))
