"""Tag lists (RFC 6376 section 3.2): signatures and key records are written in them.

Every step is linear in the octets, and callers bound these. Tags that nobody here knows are ignored whatever
they hold; a list that breaks the grammar is refused whole.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Iterable

from mxgw.msgauth.results import Result

_FWS = " \t\r\n"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_FWS_OCTETS = b" \t\r\n"
# The value of b=, up to the next semicolon; names of tags follow a semicolon or begin the list.
_B_VALUE = re.compile(rb"((?:\A|;)[ \t\r\n]*b[ \t\r\n]*=)[^;]*")


class TagFault(ValueError):
    """A tag list, or a tag in it, is not what the RFC allows. The text is ours, fit for a report."""

    def __init__(self, reason: str, result: Result = Result.PERMERROR) -> None:
        super().__init__(reason)
        self.result = result


def parse_tags(octets: bytes) -> dict[str, str]:
    """The tags by name, values without the white space around them.

    Octets that are not UTF-8 (RFC 8616 allows that) become U+FFFD: no tag that counts may hold it.
    Raises TagFault.
    """
    specs = octets.decode(errors="replace").split(";")
    if not specs[-1].strip(_FWS):
        specs.pop()
    tags: dict[str, str] = {}
    for spec in specs:
        name, equals, value = spec.partition("=")
        name = name.strip(_FWS)
        if not equals or not _NAME.fullmatch(name):
            raise TagFault("not a list of tags")
        if name in tags:
            raise TagFault(f"two tags {name}=" if len(name) <= 2 else "a tag twice")
        tags[name] = value.strip(_FWS)
    return tags


def without_signature(value: bytes) -> bytes:
    """The octets of a tag list with the value of b= and all white space around it taken out.

    RFC 6376 section 3.7, for a list that ``parse_tags`` accepted.
    """
    return _B_VALUE.sub(rb"\1", value, count=1)


def base64_octets(value: str, tag: str) -> bytes:
    """The octets of a base64 value, which may be folded anywhere. Raises TagFault."""
    try:
        return a2b_base64(value.encode("ascii").translate(None, _FWS_OCTETS), strict_mode=True)
    except ValueError:  # UnicodeEncodeError and binascii.Error are such
        raise TagFault(f"{tag}= is not base64") from None


def require(tags: dict[str, str], names: Iterable[str]) -> None:
    """Raises TagFault where one of these tags is missing."""
    for name in names:
        if name not in tags:
            raise TagFault(f"{name}= is missing")


def number(tags: dict[str, str], tag: str, max_digits: int) -> int | None:
    """A decimal value, None where there is no such tag. Raises TagFault."""
    value = tags.get(tag)
    if value is None:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= max_digits):
        raise TagFault(f"{tag}= is not a number")
    return int(value)


def words(value: str) -> list[str]:
    """The words of a list with colons, in lower case (RFC 6376 sections 3.5 and 3.6.1)."""
    return [word.strip(_FWS).lower() for word in value.split(":")]
