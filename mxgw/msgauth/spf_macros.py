"""Macro strings of SPF, parsed and expanded (RFC 7208 section 7). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

TERM_LETTERS = frozenset("slodiphv")
EXPLANATION_LETTERS = TERM_LETTERS | frozenset("crt")

MAX_DOMAIN_OCTETS = 253
"""RFC 7208 section 7.3: a longer expansion loses labels on its left until it fits."""

KEEP_ALL = 0

# RFC 7208 section 7.1:
#   macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"
#   transformers = *DIGIT [ "r" ]
#   delimiter    = "." / "-" / "+" / "," / "/" / "_" / "="
_MACRO = re.compile(r"%(?:\{([A-Za-z])([0-9]*)([rR]?)([.\-+,/_=]*)\}|([%_-]))")
_CONSTANTS = {"%": "%", "_": " ", "-": "%20"}

#   toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
_TOP_LABEL = re.compile(r"(?![0-9]+\Z)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")


class BadSyntax(Exception):
    """Not what the grammar allows. The text is ours but for what it quotes of the record."""


@dataclass(frozen=True, slots=True)
class Macro:
    """One ``%{...}``. ``keep`` counts the parts on the right that stay, KEEP_ALL for all."""

    letter: str
    keep: int = KEEP_ALL
    reverse: bool = False
    delimiters: str = ""
    escape: bool = False


MacroString = tuple[str | Macro, ...]


def parse_domain_spec(text: str) -> MacroString:
    """A domain-spec: ends with a macro, or with a dot and a top label (RFC 7208 section 7.1)."""
    parts = parse_macro_string(text, TERM_LETTERS)
    last = parts[-1] if parts else ""
    # "%%", "%_" and "%-" are macro-expand too.
    if isinstance(last, Macro) or text.endswith(("%%", "%_", "%-")):
        return parts
    _, dot, label = last.removesuffix(".").rpartition(".")
    if not dot or not _TOP_LABEL.fullmatch(label):
        raise BadSyntax(f"not a domain: {text}")
    return parts


def parse_macro_string(text: str, letters: frozenset[str]) -> MacroString:
    """Literals and macros. The caller has seen to it that all octets are visible, or blank where allowed."""
    if "%" not in text:
        return (text,) if text else ()
    parts: list[str | Macro] = []
    literal = ""
    position = 0
    for found in _MACRO.finditer(text):
        literal += _percent_free(text[position : found.start()], text)
        position = found.end()
        letter, digits, reverse, delimiters, constant = found.groups()
        if constant:
            literal += _CONSTANTS[constant]
            continue
        if letter.lower() not in letters:
            raise BadSyntax(f"no such macro here: {found[0]}")
        if literal:
            parts.append(literal)
            literal = ""
        parts.append(
            Macro(letter.lower(), _keep(digits, found[0]), bool(reverse), delimiters, letter.isupper())
        )
    literal += _percent_free(text[position:], text)
    if literal:
        parts.append(literal)
    return tuple(parts)


def uses(parts: MacroString, letter: str) -> bool:
    """Whether a macro of this letter is in it."""
    return any(isinstance(part, Macro) and part.letter == letter for part in parts)


def expand(parts: MacroString, values: Mapping[str, str], max_characters: int) -> str:
    """The text with the macros replaced; behind so many characters no further part is looked at."""
    text: list[str] = []
    characters = 0
    for part in parts:
        text.append(part if isinstance(part, str) else _transform(part, values[part.letter]))
        characters += len(text[-1])
        if characters >= max_characters:
            break
    return "".join(text)


def expand_domain(parts: MacroString, values: Mapping[str, str]) -> str:
    """The text as a name, without final dot, shortened on its left where it is too long."""
    if len(parts) == 1 and isinstance(parts[0], str):
        name = parts[0]
    else:
        # From the right, since what is too long loses its left: two more for a final dot and for the one
        # that may stand right before the longest tail that fits.
        text: list[str] = []
        characters = 0
        for part in reversed(parts):
            text.append(part if isinstance(part, str) else _transform(part, values[part.letter]))
            characters += len(text[-1])
            if characters >= MAX_DOMAIN_OCTETS + 2:
                break
        name = "".join(reversed(text))
    name = name.removesuffix(".")
    if len(name) > MAX_DOMAIN_OCTETS:
        name = name[-MAX_DOMAIN_OCTETS - 1 :].partition(".")[2]
    return name


def _percent_free(literal: str, text: str) -> str:
    if "%" in literal:
        raise BadSyntax(f"stray % in {text}")
    return literal


def _keep(digits: str, macro: str) -> int:
    if not digits:
        return KEEP_ALL
    # No value has a million parts, and int() takes its time with long numbers.
    count = int(digits.lstrip("0")[:6] or "0")
    if count == 0:
        raise BadSyntax(f"zero parts asked for in {macro}")
    return count


def _transform(macro: Macro, value: str) -> str:
    if macro.keep or macro.reverse or macro.delimiters:
        delimiters = macro.delimiters
        parts = re.split(f"[{re.escape(delimiters)}]", value) if delimiters else value.split(".")
        if macro.reverse:
            parts.reverse()
        value = ".".join(parts[-macro.keep :] if macro.keep else parts)
    return quote(value, safe="-._~", errors="replace") if macro.escape else value
