"""SPF records, parsed whole before anything is evaluated (RFC 7208 sections 4.6 and 12). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from mxgw.msgauth.results import Result
from mxgw.msgauth.spf_macros import (
    EXPLANATION_LETTERS,
    BadSyntax,
    MacroString,
    parse_domain_spec,
    parse_macro_string,
)

MAX_REMEMBERED_OCTETS = 1024
"""A longer record is parsed each time: RFC 7208 section 3.4 wants them under 450."""

MAX_RECORD_OCTETS = 8 * 1024
"""A longer record is a permerror. RFC 7208 names no limit, and wants records under 450 octets; ten includes
of 64 KiB each would hold the event loop for seconds. Flattened records of large senders have 4 KiB."""

REMEMBERED_RECORDS = 1024
"""Records of large senders come with every tenth message."""

QUOTED_CHARACTERS = 80
"""So much of a stranger's record is repeated in an explanation of what is wrong."""


class Mechanism(StrEnum):
    """RFC 7208 section 5."""

    ALL = "all"
    INCLUDE = "include"
    A = "a"
    MX = "mx"
    PTR = "ptr"
    IP4 = "ip4"
    IP6 = "ip6"
    EXISTS = "exists"


ALL_ONES_4 = (1 << 32) - 1
ALL_ONES_6 = (1 << 128) - 1


@dataclass(frozen=True, slots=True)
class Directive:
    """A qualifier and a mechanism. ``text`` is the term as written.

    ``network`` belongs to ip4 and ip6, the masks to these, a and mx; ``target`` is None where the current
    domain is meant.
    """

    text: str
    result: Result
    mechanism: Mechanism
    target: MacroString | None = None
    network: int = 0
    mask_4: int = ALL_ONES_4
    mask_6: int = ALL_ONES_6


@dataclass(frozen=True, slots=True)
class Record:
    """What a domain publishes; unknown modifiers are checked for syntax, and gone."""

    directives: tuple[Directive, ...]
    redirect: MacroString | None = None
    exp: MacroString | None = None


_VERSION = re.compile(rb"v=spf1(?: |\Z)", re.IGNORECASE)
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
#   modifier = redirect / explanation / unknown-modifier; name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)")
_DIRECTIVE = re.compile(r"([+?~-]?)([A-Za-z][A-Za-z0-9_.-]*)(.*)")
#   dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]
_DUAL_CIDR = re.compile(r"(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?\Z")
_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}")
_QUALIFIERS = {
    "": Result.PASS,
    "+": Result.PASS,
    "-": Result.FAIL,
    "~": Result.SOFTFAIL,
    "?": Result.NEUTRAL,
}
_MECHANISMS = {mechanism.value: mechanism for mechanism in Mechanism}


def is_spf(record: bytes) -> bool:
    """Whether a TXT record is one of ours (RFC 7208 section 4.5)."""
    return _VERSION.match(record) is not None


def parse_record(record: bytes) -> Record:
    """A record that ``is_spf``; raises BadSyntax wherever in it the mistake is."""
    return _parse_and_remember(record) if len(record) <= MAX_REMEMBERED_OCTETS else _parse(record)


def _parse(record: bytes) -> Record:
    if len(record) > MAX_RECORD_OCTETS:
        raise BadSyntax(f"more than {MAX_RECORD_OCTETS} octets")
    text = record.decode("latin-1")
    if not _PRINTABLE.fullmatch(text):
        raise BadSyntax("octets that are not printable ASCII")
    directives: list[Directive] = []
    modifiers: dict[str, MacroString] = {}
    for term in text[len("v=spf1") :].split(" "):
        if not term:
            continue
        if "=" in term and (modifier := _MODIFIER.fullmatch(term)):
            _modifier(modifier[1].lower(), modifier[2], modifiers)
        else:
            directives.append(_directive(term))
    return Record(tuple(directives), modifiers.get("redirect"), modifiers.get("exp"))


# A pure function's memory: what it holds never differs from what it would compute.
_parse_and_remember = lru_cache(maxsize=REMEMBERED_RECORDS)(_parse)


def _modifier(name: str, value: str, modifiers: dict[str, MacroString]) -> None:
    if name not in {"redirect", "exp"}:
        parse_macro_string(value, EXPLANATION_LETTERS)
        return
    if name in modifiers:
        raise BadSyntax(f"two {name}=")
    modifiers[name] = parse_domain_spec(value)


def _directive(term: str) -> Directive:
    found = _DIRECTIVE.fullmatch(term)
    mechanism = _MECHANISMS.get(found[2].lower()) if found else None
    if found is None or mechanism is None:
        raise BadSyntax(f"no such mechanism: {term[:QUOTED_CHARACTERS]}")
    result, rest = _QUALIFIERS[found[1]], found[3]
    match mechanism:
        case Mechanism.ALL:
            if rest:
                raise BadSyntax(f"all takes nothing: {term[:QUOTED_CHARACTERS]}")
            return Directive(term, result, mechanism)
        case Mechanism.IP4:
            network, mask_4 = _network(rest, IPv4Address, 32, term)
            return Directive(term, result, mechanism, network=network, mask_4=mask_4)
        case Mechanism.IP6:
            network, mask_6 = _network(rest, IPv6Address, 128, term)
            return Directive(term, result, mechanism, network=network, mask_6=mask_6)
        case Mechanism.A | Mechanism.MX:
            cidr = _DUAL_CIDR.search(rest)
            assert cidr is not None  # noqa: S101 - it matches the empty end of any text
            mask_4, mask_6 = _mask(cidr[1], 32, term), _mask(cidr[2], 128, term)
            target = _target(rest[: cidr.start()], term)
            return Directive(term, result, mechanism, target, mask_4=mask_4, mask_6=mask_6)
        case Mechanism.PTR:
            return Directive(term, result, mechanism, _target(rest, term))
        case Mechanism.INCLUDE | Mechanism.EXISTS:
            if not rest:
                raise BadSyntax(f"a domain is missing: {term}")
            return Directive(term, result, mechanism, _target(rest, term))


def _target(rest: str, term: str) -> MacroString | None:
    if not rest:
        return None
    if rest[0] != ":":
        raise BadSyntax(f"no such mechanism: {term[:QUOTED_CHARACTERS]}")
    return parse_domain_spec(rest[1:])


def _network(rest: str, address: type[IPv4Address | IPv6Address], bits: int, term: str) -> tuple[int, int]:
    text, slash, prefix = rest[1:].partition("/")
    if rest[:1] != ":" or (slash and not _PREFIX.fullmatch(prefix)):
        raise BadSyntax(f"not an address or network: {term[:QUOTED_CHARACTERS]}")
    mask = _mask(prefix or None, bits, term)
    try:
        return int(address(text)) & mask, mask
    except AddressValueError:
        raise BadSyntax(f"not an address: {term[:QUOTED_CHARACTERS]}") from None


def _mask(prefix: str | None, bits: int, term: str) -> int:
    length = bits if prefix is None else int(prefix)
    if length > bits:
        raise BadSyntax(f"prefix longer than {bits}: {term[:QUOTED_CHARACTERS]}")
    return ((1 << length) - 1) << (bits - length)
