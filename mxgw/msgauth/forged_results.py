"""Which Authentication-Results a stranger wrote in our name (RFC 8601 section 5): they must go.

Readers behind us parse the field in different ways, some hardly at all. So the name in a field counts as ours
if any of them might read it so: written as a token or a quoted string, in pieces with comments between, in
another case, with a final dot, as U-labels, with a version behind it, or inside a comment before the results.
A field whose name cannot be made out goes if it holds a name of ours anywhere.

ARC-Authentication-Results stay: a seal covers them, and they speak for their sealer.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import idna

from mxgw.header import Field, Header
from mxgw.msgauth.results_field import RESULTS_FIELD
from mxgw.resolver.names import canonical

MAX_CLAIM_CHARACTERS = 4096
"""So much of a field is read for its authserv-id and version, which have 10 to 80; longer is not made out."""

_FIELD_NAME = RESULTS_FIELD.lower()
# A line that is no field to us, and to whom else?
_NAMELESS = re.compile(rb"[^A-Za-z]{0,16}authentication-results", re.IGNORECASE)

_COMMENT_TEXT = re.compile(r"(?:[^()\\]|\\.)+", re.DOTALL)
_BLANKS = re.compile(r"[ \t\r\n]+")
# RFC 2045 section 5.1, token, and RFC 6532 section 3.2 for UTF-8.
_TOKEN = re.compile(r"[^\x00-\x20\x7f()<>@,;:\\\"/\[\]?=]+")
_QUOTED_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
# What may stand within a name without being seen: blanks, marks of syntax, letters without a shape.
_MARKS = re.compile('[\\s"\\\\()\x00-\x1f\x7f\u00ad\u200b-\u200f\u2060\ufeff]+')
_ENCODED_WORD = "=?"
_NO_NAME = re.compile(r"[^\w.-]+")


def forged_results(header: Header, authserv_ids: frozenset[str]) -> frozenset[int]:
    """Indices into ``header.fields`` of the Authentication-Results that claim to be ours.

    ``authserv_ids`` are domain names; one that begins with a dot stands for all names below it. Total, and
    linear in the size of the header.
    """
    names = header.names()
    if not authserv_ids or (_FIELD_NAME not in names and "" not in names):
        return frozenset()
    ours = _Ours.of(authserv_ids)
    return frozenset(index for index, one in enumerate(header.fields) if _is_forged(one, ours))


def _is_forged(field: Field, ours: _Ours) -> bool:
    if field.name.lower() == _FIELD_NAME:
        text = field.raw.partition(b":")[2].decode(errors="replace")
        claim = _claim(text)
        return ours.within(text) if claim is None else ours.claimed(claim)
    if not field.name and _NAMELESS.match(field.raw):
        return ours.within(field.raw.decode(errors="replace"))
    return False


class _Claim(NamedTuple):
    """What stands before the results: the words of it, and the whole of it with its comments."""

    words: list[str]
    text: str


def _claim(text: str) -> _Claim | None:
    """None where the field has no authserv-id that all readers would find in the same place."""
    text = text[:MAX_CLAIM_CHARACTERS]
    words: list[str] = []
    at = 0
    while at < len(text) and text[at] != ";":
        letter = text[at]
        end = 0
        if letter == "(":
            end = _comment_end(text, at)
        elif letter == '"':
            if string := _QUOTED_STRING.match(text, at):
                words.append(_QUOTED_PAIR.sub(r"\1", string[1]))
                end = string.end()
        elif blanks := _BLANKS.match(text, at):
            end = blanks.end()
        elif token := _TOKEN.match(text, at):
            words.append(token[0])
            end = token.end()
        if not end:
            return None
        at = end
    return _Claim(words, text[:at]) if words and at < len(text) else None


def _comment_end(text: str, at: int) -> int:
    """Where a comment with all that is nested in it ends (RFC 5322 section 3.2.2); 0 where it does not."""
    depth = 0
    while at < len(text):
        letter = text[at]
        if letter == "(":
            depth += 1
            at += 1
        elif letter == ")":
            depth -= 1
            at += 1
            if not depth:
                return at
        else:
            inside = _COMMENT_TEXT.match(text, at)
            if not inside:
                return 0
            at = inside.end()
    return 0


class _Ours:
    """Our names, in the forms in which they may be met."""

    __slots__ = ("_exact", "_parents", "_written")

    def __init__(self, exact: frozenset[str], parents: tuple[str, ...], written: re.Pattern[str]) -> None:
        self._exact = exact
        self._parents = parents
        self._written = written

    @staticmethod
    @lru_cache(maxsize=8)
    def of(authserv_ids: frozenset[str]) -> _Ours:
        """Raises ValueError where one of them is no domain name."""
        exact: set[str] = set()
        parents: set[str] = set()
        for one in authserv_ids:
            name = canonical(one.removeprefix("."))
            if name is None:
                raise ValueError(f"not a domain name: {one!r}")
            if one.startswith("."):
                parents.add(f".{name}")
            else:
                exact.add(name)
        forms = {form for name in exact | parents for form in (name, _unicode(name))}
        written = "|".join(re.escape(form) for form in sorted(forms))
        return _Ours(frozenset(exact), tuple(parents), re.compile(written))

    def claimed(self, claim: _Claim) -> bool:
        """Whether what stands before the results may be read as one of our names."""
        words = claim.words
        # A version may follow the name (RFC 8601 section 2.6).
        pieces = words[:-1] if words[-1].isdecimal() else words
        candidates = {*words, "".join(words), "".join(pieces)}
        # Readers cut a name off at different marks.
        candidates.update(piece for word in words for piece in _NO_NAME.split(word))
        return any(map(self._is_ours, candidates)) or self._in_comments(claim)

    def within(self, text: str) -> bool:
        """Whether one of our names stands anywhere in a text, or may stand there in disguise."""
        plain = _normal(text)
        return (
            _ENCODED_WORD in plain
            or bool(self._written.search(plain))
            or bool(self._written.search(_MARKS.sub("", plain)))
        )

    def _in_comments(self, claim: _Claim) -> bool:
        """Nobody has a reason to name us in a comment before the results but to be misread."""
        if "(" not in claim.text:
            return False
        plain = _normal(claim.text)
        outside = "".join(map(_normal, claim.words))
        return len(self._written.findall(plain)) > len(self._written.findall(outside))

    def _is_ours(self, name: str) -> bool:
        known = canonical(name.strip().rstrip(".")) or ""
        return known in self._exact or known.endswith(self._parents)


def _normal(text: str) -> str:
    """One form for letters that look different and are the same to IDNA."""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).lower()


def _unicode(name: str) -> str:
    try:
        return idna.decode(name)
    except (idna.IDNAError, UnicodeError):
        return name
