"""What an administrator may write: addresses, domains, quotas, passwords. Pure; raises Refused."""

from __future__ import annotations

import re
import unicodedata

from mxgw.admin.refusal import Refused
from mxgw.config.forms import domain_name

MAX_LOCAL_PART_CHARACTERS = 64
"""RFC 5321 section 4.5.3.1.1."""

MAX_ADDRESS_CHARACTERS = 254
"""RFC 5321 section 4.5.3.1.3: 256 octets for a path with its brackets."""

MAX_TYPED_CHARACTERS = 1000
"""Whatever is longer is no address, domain or quota; it is not looked at."""

MIN_PASSWORD_CHARACTERS = 8
"""What the household was promised."""

MAX_PASSWORD_CHARACTERS = 72
"""bcrypt looks at 72 octets and at nothing beyond; a longer password would be cut without a word."""

MIN_QUOTA_OCTETS = 10 * 1024**2
"""One message with a photograph must fit."""

MAX_QUOTA_OCTETS = 100 * 1024**4
"""Beyond any disk that a household has: a slip of the finger."""

UNBOUNDED = 0
"""The quota of a mailbox without bound, as the database has it."""

# Becomes the name of a directory, and a plus begins an extension: dell-stack/mariadb/schema.sql.
_LOCAL_PART = re.compile(r"[a-z0-9_][a-z0-9_-]*(?:\.[a-z0-9_-]+)*")
_QUOTA = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,3}))? ?([KMGT])(?:I?B)?")
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?){0,3}")
_UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_NO_BOUND = {"0", "NONE", "UNLIMITED", "無制限", "なし"}


def typed(text: str) -> str:
    """What was meant: a Japanese keyboard writes full-width letters and signs where others write ASCII."""
    return unicodedata.normalize("NFKC", text[:MAX_TYPED_CHARACTERS]).strip()


def domain(text: str) -> str:
    """A domain as lower-case A-labels with at least two labels."""
    try:
        name = domain_name(typed(text))
    except ValueError:
        raise Refused("bad-domain", text=shown(text)) from None
    if "." not in name:
        raise Refused("bad-domain", text=shown(text))
    return name


def address(text: str) -> str:
    """A mailbox, lower case: ``taro@example.jp``."""
    local, at, rest = typed(text).lower().rpartition("@")
    if not at:
        raise Refused("bad-address", text=shown(text))
    if "+" in local:
        raise Refused("plus-in-address", text=shown(text))
    name = domain(rest)
    if not _LOCAL_PART.fullmatch(local) or len(local) > MAX_LOCAL_PART_CHARACTERS:
        raise Refused("bad-local-part", text=shown(text))
    if len(local) + 1 + len(name) > MAX_ADDRESS_CHARACTERS:
        raise Refused("bad-local-part", text=shown(text))
    return f"{local}@{name}"


def alias_address(text: str) -> str:
    """A mailbox, or ``@example.jp`` for every address of a domain that nobody else has."""
    meant = typed(text)
    return f"@{domain(meant[1:])}" if meant.startswith("@") else address(text)


def domain_of(mailbox: str) -> str:
    """The domain of an address."""
    return mailbox.rpartition("@")[2]


def quota(text: str) -> int:
    """Octets: ``2G``, ``1.5G``, ``500M``; UNBOUNDED for ``none``. Units are powers of 1024, as in Dovecot."""
    meant = typed(text).upper()
    if meant in _NO_BOUND:
        return UNBOUNDED
    found = _QUOTA.fullmatch(meant)
    if found is None:
        raise Refused("bad-quota", text=shown(text))
    thousandths = int(found[1]) * 1000 + int((found[2] or "").ljust(3, "0"))
    octets = thousandths * _UNITS[found[3]] // 1000
    if not MIN_QUOTA_OCTETS <= octets <= MAX_QUOTA_OCTETS:
        raise Refused("quota-out-of-bounds", text=shown(text))
    return octets


def size(octets: int) -> str:
    """Octets as a quota is written: in the largest unit that is exact."""
    for unit in ("T", "G", "M", "K"):
        if octets >= _UNITS[unit] and octets % _UNITS[unit] == 0:
            return f"{octets // _UNITS[unit]}{unit}"
    return about(octets)


def about(octets: int) -> str:
    """Octets as people speak of them: the largest unit, one decimal where that says something."""
    for unit in ("T", "G", "M"):
        if octets >= _UNITS[unit]:
            return f"{octets / _UNITS[unit]:.1f}{unit}"
    return f"{-(-octets // _UNITS['K'])}K"


def password(text: str, *, mailbox: str) -> str:
    """A password that every mail program sends alike; nobody's own name."""
    if not text.isascii() or not text.isprintable():
        raise Refused("password-not-ascii")
    if text != text.strip():
        raise Refused("password-blank-ends")
    if len(text) < MIN_PASSWORD_CHARACTERS:
        raise Refused("password-short", least=MIN_PASSWORD_CHARACTERS)
    if len(text) > MAX_PASSWORD_CHARACTERS:
        raise Refused("password-long", most=MAX_PASSWORD_CHARACTERS)
    if text.lower() in {mailbox, mailbox.partition("@")[0]}:
        raise Refused("password-is-name")
    if len(set(text)) == 1:
        raise Refused("password-one-character")
    return text


def shown(text: str) -> str:
    """What was typed, as a sentence may repeat it: cut, and without control characters."""
    cut = text if len(text) <= 80 else f"{text[:80]}..."
    return "".join(c if c.isprintable() else "\ufffd" for c in cut)


def selector(text: str) -> str:
    """The selector of a DKIM key (RFC 6376 section 3.1), lower case."""
    meant = typed(text).lower()
    if not _SELECTOR.fullmatch(meant):
        raise Refused("bad-selector", text=shown(text))
    return meant
