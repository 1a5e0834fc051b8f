"""Names as DNS takes them: lower case, A-labels, no final dot; or not at all."""

from __future__ import annotations

from functools import lru_cache

import idna

MAX_NAME_OCTETS = 253
"""RFC 1035 section 3.1: 255 octets on the wire, which is 253 characters without the final dot."""

MAX_LABEL_OCTETS = 63

MAX_REMEMBERED_NAMES = 4096
"""One message has its domain looked at a dozen times. At most 2 MiB."""


def canonical(name: str) -> str | None:
    """The name in the form that is asked for and cached; None where nothing of that name can exist in DNS.

    Letters outside ASCII are encoded (RFC 5891, lower-cased as UTS 46 says). Any printable octet is let
    through besides, since RFC 7208 macros make names of local parts; control octets are not: no honest
    domain has them, and programs behind us cut or fold text at them.
    """
    return None if len(name) > MAX_NAME_OCTETS + len(".") else _canonical(name)


@lru_cache(maxsize=MAX_REMEMBERED_NAMES)
def _canonical(name: str) -> str | None:
    name = name.removesuffix(".").lower()
    if not name or len(name) > MAX_NAME_OCTETS:
        return None
    if not name.isascii():
        encoded = _encode(name)
        if encoded is None or len(encoded) > MAX_NAME_OCTETS:
            return None
        name = encoded
    if not name.isprintable() or any(not 0 < len(label) <= MAX_LABEL_OCTETS for label in name.split(".")):
        return None
    return name


def _encode(name: str) -> str | None:
    try:
        mapped = idna.uts46_remap(name, std3_rules=False)
        return ".".join(
            label if label.isascii() else idna.alabel(label).decode() for label in mapped.split(".")
        )
    except (idna.IDNAError, UnicodeError):
        return None
