"""The rows of the table of settings: what one setting is, and the closed sets of words that settings take.

A row says how the text is parsed, what an administrator is told when it does not fit, and what it means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from mxgw.config import forms
from mxgw.config.forms import Address, KeptKey
from mxgw.config.remote import Kept

PREFIX = "MXGW_"
CONFIG_VARIABLE = "MXGW_CONFIG"
"""Names the TOML file; not a setting itself."""

ADMIN_PREFIX = "MXGW_ADMIN_"
"""Of what `mxgw admin` reads (mxgw.admin.access), for whom the environment may be the same."""

MASK = "(hidden)"

_T = TypeVar("_T")
_Word = TypeVar("_Word", bound=StrEnum)

ROW = "mxgw.setting"
"""The key of a row in the metadata of its dataclass field."""


class Role(StrEnum):
    """What the program is started as; some settings belong to one role only, some defaults differ."""

    EDGE = "edge"
    HOME = "home"
    DEMO = "demo"


class Check(StrEnum):
    """What MXGW_CHECKS may name."""

    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    ARC = "arc"
    IPREV = "iprev"
    RECIPIENT = "recipient"
    DNSBL = "dnsbl"
    PREGREET = "pregreet"


AUTHENTICATION_CHECKS = frozenset({Check.SPF, Check.DKIM, Check.DMARC, Check.ARC, Check.IPREV, Check.DNSBL})
"""Those that say who sent a message, and ask DNS."""


class DmarcPolicy(StrEnum):
    """What is done with a message that fails DMARC, at most."""

    REPORT = "report"
    QUARANTINE = "quarantine"
    REJECT = "reject"


class DnsblPolicy(StrEnum):
    """What is done with mail of a client that a DNS list names."""

    REPORT = "report"
    REJECT = "reject"


class NullMxPolicy(StrEnum):
    """What is done with mail whose sender's domain takes no mail itself."""

    OFF = "off"
    REPORT = "report"
    REJECT = "reject"


class OnOff(StrEnum):
    """Whether something is done that is not needed by all."""

    OFF = "off"
    ON = "on"


class Unscanned(StrEnum):
    """What is done with a message that the content scanner gave no verdict on."""

    DEFER = "defer"
    ACCEPT = "accept"


class LogFormat(StrEnum):
    """How a log line looks."""

    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row. ``parse`` raises ValueError with a reason that does not repeat the text.

    ``blank``: an empty value means "not set"; elsewhere an empty value is a mistake.
    ``needed``: the roles that cannot start without it. ``defaults``: per role where they differ.
    ``kept``: how it may be kept at AWS, None where it may not.
    """

    name: str
    parse: Callable[[str], object]
    expected: str
    meaning: str
    meaning_ja: str
    default_text: str
    defaults: Mapping[Role, object]
    needed: frozenset[Role]
    blank: bool
    secret: bool
    kept: Kept | None

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name.upper()

    @property
    def key(self) -> str:
        """The key in the TOML file."""
        return self.name


def one_of(words: type[_Word]) -> Callable[[str], _Word]:
    """A parser of one word out of a closed set."""

    def parse(text: str) -> _Word:
        try:
            return words(text)
        except ValueError:
            raise ValueError("it is none of these words") from None

    return parse


def checks(text: str) -> frozenset[Check]:
    """A comma list of checks, or ``none``."""
    if text == "none":
        return frozenset()
    words = forms.split_words(text)
    if not set(words) <= set(Check):
        raise ValueError("one of the words is unknown")
    return frozenset(map(Check, words))


def row(
    parse: Callable[[str], _T],
    *,
    expected: str,
    en: str,
    ja: str,
    default: _T,
    default_text: str | None = None,
    defaults: Mapping[Role, _T] = MappingProxyType({}),
    needed: frozenset[Role] = frozenset(),
    blank: bool = False,
    secret: bool = False,
    kept: Kept | None = None,
) -> _T:
    """A dataclass field with a row of the table in its metadata."""
    shown = show(default) if default_text is None else default_text
    table_row = Setting("", parse, expected, en, ja, shown, defaults, needed, blank, secret, kept)
    return field(default=default, repr=not secret, metadata={ROW: table_row})


def show(value: object) -> str:
    """A value as an administrator would write it; a secret is masked."""
    match value:
        case None | ():
            return ""
        case KeptKey():
            return f"{MASK} from {value.reference}"
        case bytes():
            return MASK
        case frozenset():
            return ",".join(word for word in Check if word in value) or "none"
        case Address():
            return str(value)
        case tuple():
            return ",".join(str(item) for item in value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)
