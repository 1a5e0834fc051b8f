"""Authentication-Results (RFC 8601): the field in which we state what was found out about a message.

Injection-proof by construction. Methods, results and properties come from closed sets, and a property has a
form: a value that does not have it is left out, never repaired and never quoted. What a stranger can get into
the field is a domain name, the plain local part of an address, an algorithm or letters of base64.

Many readers do not parse the field but look for a text such as "dmarc=pass" (Sieve's :contains). So no value
and no reason holds "=": a stranger cannot write a result into the field even for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from mxgw.msgauth.results import Result
from mxgw.resolver.names import canonical

RESULTS_FIELD = "Authentication-Results"

MAX_REASON_CHARACTERS = 64
"""Fits a line of its own: RFC 5322 section 2.1.1 asks for lines of at most 78 characters."""

MAX_LOCAL_PART_CHARACTERS = 64
"""RFC 5321 section 4.5.3.1.1. A longer local part is not shown."""

MAX_SIGNATURE_LETTERS = 683
"""Of header.b: a whole signature of the longest key that we verify with (4096 bits), without padding. In a
line of its own it stays below the 998 octets of RFC 5322 section 2.1.1."""

_MAX_LINE_CHARACTERS = 78
_MAX_ADDRESS_CHARACTERS = 45
"""The longest text of an IPv6 address, with an IPv4 address at its end."""

# RFC 6376 section 3.5 takes a domain as RFC 5321 does; the underscore is in use besides.
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)
# Of what RFC 5322 section 3.2.3 allows in a dot-atom: what no reader gives a meaning.
_LOCAL_PART = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")
_NUMBER = re.compile(r"[0-9]{1,6}")
_BASE64 = re.compile(rf"[A-Za-z0-9+/]{{1,{MAX_SIGNATURE_LETTERS}}}")
# A reason stays readable without the characters that RFC 5322 and readers of this field give a meaning.
_REASON = re.compile(r"[^A-Za-z0-9 .,:'/+_\[\]-]")
_REASON_LETTERS = str.maketrans({"=": ":", ";": ",", '"': "'", "(": "[", ")": "]"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One result. ``reason`` says in words why; ``properties`` are (ptype, property, value).

    The values need not be harmless: one that has not the form of its property is left out.
    """

    method: str
    result: Result
    reason: str = ""
    properties: tuple[tuple[str, str, str], ...] = ()


def results_field(authserv_id: str, findings: Sequence[Finding]) -> bytes:
    """The whole field, folded, with CRLF at its end; ``; none`` where nothing was checked.

    US-ASCII whatever the values hold. Raises ValueError where ``authserv_id``, which is ours, is no domain
    name, and where a method, a result or a property is not in the vocabulary.
    """
    name = shown_domain(authserv_id)
    if not name:
        raise ValueError("the authserv-id is not a domain name")
    start = f"{RESULTS_FIELD}: {name};"
    if not findings:
        return f"{start} none\r\n".encode("ascii")
    clauses = ";".join([_folded(_clause(one)) for one in findings])
    return f"{start}{clauses}\r\n".encode("ascii")


def _clause(finding: Finding) -> list[str]:
    """The parts of one resinfo, which lines may be folded between."""
    vocabulary = _VOCABULARY.get(finding.method)
    if vocabulary is None or finding.result not in vocabulary.results:
        raise ValueError(f"{finding.method}={finding.result} is not in the vocabulary")
    parts = [f"{finding.method}={finding.result}"]
    if finding.reason:
        parts.append(f'reason="{plain_reason(finding.reason)}"')
    quoted: list[str] = []
    for ptype, name, value in finding.properties:
        form = vocabulary.properties.get(f"{ptype}.{name}")
        if form is None:
            raise ValueError(f"{ptype}.{name} is not a property of {finding.method}")
        if text := form(value):
            # Their order has no meaning; some readers lose what stands behind a quoted value.
            (quoted if text[0] == '"' else parts).append(f"{ptype}.{name}={text}")
    return parts + quoted


def _folded(parts: list[str]) -> str:
    """A result begins on a line of its own, and is folded where it is longer than a line."""
    text = ""
    column = _MAX_LINE_CHARACTERS
    for part in parts:
        # A ";" may follow.
        if column + 1 + len(part) + 1 > _MAX_LINE_CHARACTERS:
            text += f"\r\n\t{part}"
            column = 1 + len(part)
        else:
            text += f" {part}"
            column += 1 + len(part)
    return text


def plain_reason(text: str) -> str:
    """Words for a quoted string that no reader can take for anything else, however it reads."""
    return _REASON.sub("?", text[:MAX_REASON_CHARACTERS].translate(_REASON_LETTERS))


def shown_domain(text: str) -> str:
    """A domain name as A-labels (RFC 8616 section 6); "" for anything else."""
    name = canonical(text) or ""
    return name if _DOMAIN.fullmatch(name) else ""


def shown_mailbox(text: str) -> str:
    """``local@domain``, ``@domain`` or a domain; without its local part where that may not be shown."""
    local, at, host = text.rpartition("@")
    domain = shown_domain(host)
    if not at or not domain:
        return domain
    shown = len(local) <= MAX_LOCAL_PART_CHARACTERS and _LOCAL_PART.fullmatch(local)
    return f"{local if shown else ''}@{domain}"


def _address(text: str) -> str:
    try:
        address = ip_address(text) if len(text) <= _MAX_ADDRESS_CHARACTERS and "%" not in text else None
    except ValueError:
        return ""
    return _quoted_if_needed(str(address)) if address else ""


def _signature_start(text: str) -> str:
    return _quoted_if_needed(text) if _BASE64.fullmatch(text) else ""


def _word(text: str) -> str:
    return text if _WORD.fullmatch(text) else ""


def _number(text: str) -> str:
    return text if _NUMBER.fullmatch(text) else ""


def _quoted_if_needed(text: str) -> str:
    """A value as RFC 2045 section 5.1 has it, for a text of letters, digits and ``.:+/``."""
    return f'"{text}"' if ":" in text or "/" in text else text


@dataclass(frozen=True, slots=True)
class _Method:
    """What the IANA registry "Email Authentication Parameters" has for a method."""

    results: frozenset[Result]
    properties: Mapping[str, Callable[[str], str]]


_VOCABULARY = {
    "spf": _Method(
        frozenset(Result),
        # RFC 8601 section 2.7.2: no local part where the policy does not speak of it. "mx" is ours, as below.
        {"smtp.mailfrom": shown_domain, "smtp.helo": shown_domain, "policy.mx": _word},
    ),
    "dkim": _Method(
        frozenset(Result) - {Result.SOFTFAIL},
        {
            "header.d": shown_domain,
            "header.i": shown_mailbox,
            "header.s": shown_domain,
            "header.a": _word,
            "header.b": _signature_start,
        },
    ),
    "arc": _Method(
        frozenset({Result.NONE, Result.PASS, Result.FAIL}),
        {"header.oldest-pass": _number, "smtp.remote-ip": _address},
    ),
    "dmarc": _Method(
        frozenset({Result.NONE, Result.PASS, Result.FAIL, Result.TEMPERROR, Result.PERMERROR}),
        {"header.from": shown_domain, "policy.dmarc": _word},
    ),
    "iprev": _Method(
        frozenset({Result.PASS, Result.FAIL, Result.TEMPERROR, Result.PERMERROR}),
        # "dnsbl" is ours: RFC 8601 section 2.4 leaves the names of local policy to whoever applies it.
        {"policy.iprev": _address, "policy.dnsbl": shown_domain},
    ),
}
