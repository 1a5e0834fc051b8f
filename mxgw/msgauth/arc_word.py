"""What a sealer says of the author: does its ARC-Authentication-Results vouch for the message as it came in?

A forwarder seals what it gets, forgeries too, and says truly that they failed. So a trusted sealer excuses a
message only where it says that DMARC passed for this very author domain or, where it does not speak of DMARC,
that DKIM or SPF passed for a domain that aligns.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mxgw.msgauth.results_field import shown_domain

MAX_WORD_CHARACTERS = 8 * 1024
"""Of results that are read; those in use have 200 to 2000. Longer ones vouch for nobody."""

# One piece of the text: a quoted string, an opening parenthesis, the end of a clause, or plain text.
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*+"|\(|;|[^"();]+')
_IN_COMMENT = re.compile(r"[()]|\\.")
_METHOD = re.compile(r"\s*([A-Za-z0-9-]+)\s*(?:/\s*1\s*)?=\s*([A-Za-z0-9-]+)(?![^\s])")
_PROPERTY = re.compile(
    r'(?<![^\s])([A-Za-z]+)\s*\.\s*([A-Za-z0-9-]+)\s*=\s*((?:"(?:[^"\\]|\\.)*+")?[^\s"]*)(?![^\s])'
)


class _Clause(NamedTuple):
    method: str
    result: str
    properties: dict[str, str]


def vouches(results: str, author_domain: str, organizational_domain: str) -> bool:
    """Whether these results, without their instance, say that the author is who From says.

    Domains are in lower case, A-labels; ``organizational_domain`` is "" where it is not known. Total; False
    for what cannot be read without doubt.
    """
    clauses = _clauses(results)
    said = [one for one in clauses if one.method == "dmarc"]
    if said:
        return all(
            one.result == "pass" and _domain(one.properties.get("header.from", "")) == author_domain
            for one in said
        )
    return any(
        _aligns(domain, author_domain, organizational_domain)
        for one in clauses
        if one.result == "pass"
        for domain in _identities(one)
    )


def _identities(clause: _Clause) -> list[str]:
    """The domain that the result is about."""
    properties = clause.properties
    match clause.method:
        case "dkim":
            return [_domain(properties.get("header.d") or properties.get("header.i", ""))]
        case "spf":
            return [_domain(properties.get("smtp.mailfrom", ""))]
        case _:
            return []


def _aligns(domain: str, author_domain: str, organizational_domain: str) -> bool:
    if not organizational_domain:
        return domain == author_domain
    return domain == organizational_domain or domain.endswith(f".{organizational_domain}")


def _domain(value: str) -> str:
    """The domain of ``domain``, ``@domain`` or ``local@domain``."""
    return shown_domain(value.rpartition("@")[2])


def _clauses(text: str) -> list[_Clause]:
    """The results in a text that is one from beginning to end, else none."""
    if len(text) > MAX_WORD_CHARACTERS:
        return []
    texts = [""]
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            return []
        at = piece.end()
        if piece[0] == "(":
            at = _after_comment(text, at)
            if not at:
                return []
            texts[-1] += " "
        elif piece[0] == ";":
            texts.append("")
        else:
            texts[-1] += piece[0]
    # The first is the authserv-id of the sealer.
    return [clause for one in texts[1:] if (clause := _clause(one))]


def _after_comment(text: str, at: int) -> int:
    """Where a comment ends whose parenthesis stands before ``at``; 0 where it does not."""
    depth = 1
    for match in _IN_COMMENT.finditer(text, at):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
            if not depth:
                return match.end()
    return 0


def _clause(text: str) -> _Clause | None:
    method = _METHOD.match(text)
    if method is None:
        return None
    properties: dict[str, str] = {}
    for ptype, name, value in _PROPERTY.findall(text, method.end()):
        # The first one counts: what comes again was hardly written by the sealer.
        properties.setdefault(f"{ptype}.{name}".lower(), _unquoted(value))
    return _Clause(method[1].lower(), method[2].lower(), properties)


def _unquoted(value: str) -> str:
    """A value without quotes, unless it is an address with a quoted local part, whose domain alone counts."""
    if value.startswith('"') and value.endswith('"'):
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value
