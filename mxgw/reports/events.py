"""One "dmarc" event of the log as values: the policy that was published, and the row that it falls into.

The log may be cut, old or written by somebody else: ``parse_event`` takes any object and says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple, TypeVar, cast

from mxgw.resolver.names import canonical

MAX_TEXT: Final = 255
"""Characters of a domain or a remark. A name in DNS has 253 octets; a remark that is longer helps nobody."""

MAX_SIGNATURES: Final = 100
"""RFC 9990 section 3.1.3: a row should list no more."""

MAX_COUNT: Final = 1_000_000
"""Messages that one event may stand for; the gateway writes 1."""

MAX_DESTINATIONS: Final = 10
"""URIs of one "rua" that are looked at. RFC 7489 section 6.2 asks for 2; each costs a question to DNS."""

MAX_URI: Final = 512
"""Characters of one such URI: "mailto:" and the longest address that RFC 5321 section 4.5.3.1.3 knows."""


class PolicyAction(StrEnum):
    """RFC 9990 appendix A, DispositionType: what p, sp and np ask for."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"


class Disposition(StrEnum):
    """RFC 9990 appendix A, ActionDispositionType: what was done with a message."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - the RFC's word for a message that passed where the policy asks for more
    QUARANTINE = "quarantine"
    REJECT = "reject"


class Alignment(StrEnum):
    """RFC 9990 appendix A, AlignmentType."""

    RELAXED = "r"
    STRICT = "s"


class Testing(StrEnum):
    """RFC 9990 appendix A, TestingType: the "t" tag."""

    NO = "n"
    YES = "y"


class Discovery(StrEnum):
    """RFC 9990 appendix A, DiscoveryType."""

    PSL = "psl"
    TREEWALK = "treewalk"


class Aligned(StrEnum):
    """RFC 9990 appendix A, DMARCResultType."""

    PASS = "pass"  # noqa: S105 - the RFC's word
    FAIL = "fail"


class Override(StrEnum):
    """RFC 9990 section 3.1.6: why something else was done than the policy asks for."""

    LOCAL_POLICY = "local_policy"
    MAILING_LIST = "mailing_list"
    OTHER = "other"
    POLICY_TEST_MODE = "policy_test_mode"
    TRUSTED_FORWARDER = "trusted_forwarder"


class DkimResult(StrEnum):
    """RFC 8601 section 2.7.1."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - the RFC's word
    FAIL = "fail"
    POLICY = "policy"
    NEUTRAL = "neutral"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class SpfOutcome(StrEnum):
    """RFC 8601 section 2.7.2."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - the RFC's word
    FAIL = "fail"
    SOFTFAIL = "softfail"
    POLICY = "policy"
    NEUTRAL = "neutral"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class Published(NamedTuple):
    """The policy of a domain with every default filled in (RFC 9990 section 3.1.1.5)."""

    domain: str
    p: PolicyAction
    sp: PolicyAction
    np: PolicyAction
    adkim: Alignment
    aspf: Alignment
    testing: Testing
    discovery: Discovery | None


class Signature(NamedTuple):
    """One checked DKIM signature."""

    domain: str
    selector: str
    result: DkimResult
    human_result: str


class SpfCheck(NamedTuple):
    """SPF of the MAIL FROM identity, the only one that DMARC looks at."""

    domain: str
    result: SpfOutcome


class Row(NamedTuple):
    """What messages have in common that are counted together; equal rows are one record of the report.

    ``envelope_from`` is "" for the null reverse-path; ``envelope_to`` is "" where a message went to several
    domains, since a record has room for one. Signatures are in the order of RFC 9990 section 3.1.3.
    """

    source_ip: str
    header_from: str
    envelope_from: str
    envelope_to: str
    disposition: Disposition
    dkim_aligned: Aligned
    spf_aligned: Aligned
    override: Override | None
    override_comment: str
    dkim: tuple[Signature, ...]
    spf: SpfCheck | None


@dataclass(frozen=True, slots=True)
class DmarcEvent:
    """One evaluation; ``time`` in seconds since the epoch, ``published`` None where no policy was found."""

    time: float
    count: int
    published: Published | None
    rua: tuple[str, ...]
    row: Row


class EventError(ValueError):
    """Why an object is no event that can be reported, in a few words."""


CACHED: Final = 4096
"""Domains and addresses whose written form is remembered: most of a log is about few of them."""

_HOST: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_WORDS: Final[dict[type[StrEnum], dict[str, StrEnum]]] = {
    words: {word.value: word for word in words}
    for words in (PolicyAction, Disposition, Alignment, Testing, Aligned, DkimResult, SpfOutcome)
}
_Word = TypeVar("_Word", bound=StrEnum)


@lru_cache(maxsize=CACHED)
def hostname(text: str) -> str | None:
    """A domain as A-labels in lower case, safe in a file name, a header field and a question to DNS; or None.

    Underscores are let through: they are no letters of a host name, and policies are published below them.
    """
    name = canonical(text)
    return name if name is not None and _HOST.fullmatch(name) else None


def parse_event(fields: Mapping[str, object]) -> DmarcEvent:
    """The event in an object of the log; EventError where it cannot be reported."""
    header_from = _text(fields, "header_from").lower()
    if not header_from:
        raise EventError("no header_from")
    envelope_from = _text(fields, "envelope_from").lower()
    override, comment = _override(fields)
    row = Row(
        source_ip=_source_ip(_text(fields, "source_ip")),
        header_from=header_from,
        envelope_from=envelope_from,
        envelope_to=_envelope_to(fields),
        disposition=_word(fields, "disposition", Disposition),
        dkim_aligned=_word(fields, "dkim_aligned", Aligned),
        spf_aligned=_word(fields, "spf_aligned", Aligned),
        override=override,
        override_comment=comment,
        dkim=_signatures(fields, header_from),
        spf=_spf(fields, envelope_from),
    )
    return DmarcEvent(_time(fields), _count(fields), _published(fields), _rua(fields), row)


def _text(fields: Mapping[str, object], name: str) -> str:
    """Text, "" where there is none, cut to its bound; what strangers wrote is made printable."""
    value = fields.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise EventError(f"{name} is no text")
    return printable(value[:MAX_TEXT])


def printable(text: str) -> str:
    """Without control characters, lone surrogates and marks that turn the direction of writing."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def _word(fields: Mapping[str, object], name: str, words: type[_Word], default: _Word | None = None) -> _Word:
    text = _text(fields, name)
    if not text and default is not None:
        return default
    # Looked up in a table of ours: a call of the Enum costs ten times as much, a dozen times per event.
    word = _WORDS[words].get(text)
    if word is None:
        raise EventError(f"{name} is {text!r}")
    return cast(_Word, word)


def _list(fields: Mapping[str, object], name: str) -> list[object]:
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise EventError(f"{name} is no list")
    return value


def _objects(fields: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    objects = [item for item in _list(fields, name) if isinstance(item, Mapping)]
    if len(objects) != len(_list(fields, name)):
        raise EventError(f"{name} does not hold objects")
    return objects


def _time(fields: Mapping[str, object]) -> float:
    text = _text(fields, "time")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise EventError(f"time is {text!r}") from None
    if moment.tzinfo is None:
        raise EventError("time has no zone")
    if moment.timestamp() < 0:
        raise EventError("time is before 1970")
    return moment.timestamp()


def _count(fields: Mapping[str, object]) -> int:
    count = fields.get("count", 1)
    # True is an int to Python, and no count.
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MAX_COUNT:
        raise EventError(f"count is not between 1 and {MAX_COUNT}")
    return count


@lru_cache(maxsize=CACHED)
def _source_ip(text: str) -> str:
    """As RFC 3986 section 3.2.2 has it: no zone, and an IPv4 client of an IPv6 socket is an IPv4 client."""
    address: IPv4Address | IPv6Address
    try:
        address = ip_address(text)
    except ValueError:
        raise EventError("source_ip is no address") from None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if address.scope_id is not None:
            return str(address).partition("%")[0]
    return str(address)


def _envelope_to(fields: Mapping[str, object]) -> str:
    domains = {_text({"envelope_to": item}, "envelope_to").lower() for item in _list(fields, "envelope_to")}
    return domains.pop() if len(domains) == 1 else ""


def _override(fields: Mapping[str, object]) -> tuple[Override | None, str]:
    text = _text(fields, "override")
    comment = _text(fields, "override_comment")
    if not text:
        return None, ""
    try:
        return Override(text), comment
    except ValueError:
        # A reason that RFC 9990 has dropped or not heard of is still a reason.
        return Override.OTHER, f"{text}: {comment}"[:MAX_TEXT] if comment else text


def _published(fields: Mapping[str, object]) -> Published | None:
    text = _text(fields, "policy_domain")
    if not text:
        return None
    domain = hostname(text)
    if domain is None:
        raise EventError("policy_domain is no domain")
    # RFC 9989 section 4.10.1: without a valid p, a policy that wants reports stands as p=none.
    p = _word(fields, "p", PolicyAction, PolicyAction.NONE)
    sp = _word(fields, "sp", PolicyAction, p)
    discovery = _text(fields, "discovery")
    return Published(
        domain=domain,
        p=p,
        sp=sp,
        np=_word(fields, "np", PolicyAction, sp),
        adkim=_word(fields, "adkim", Alignment, Alignment.RELAXED),
        aspf=_word(fields, "aspf", Alignment, Alignment.RELAXED),
        testing=_word(fields, "testing", Testing, Testing.NO),
        discovery=Discovery(discovery) if discovery in set(Discovery) else None,
    )


def _rua(fields: Mapping[str, object]) -> tuple[str, ...]:
    uris = [uri for uri in _list(fields, "rua") if isinstance(uri, str) and len(uri) <= MAX_URI]
    return tuple(dict.fromkeys(uris))[:MAX_DESTINATIONS]


def _signatures(fields: Mapping[str, object], header_from: str) -> tuple[Signature, ...]:
    found = [
        Signature(
            domain=_text(signature, "domain").lower(),
            selector=_text(signature, "selector"),
            result=_word(signature, "result", DkimResult),
            human_result=_text(signature, "human_result"),
        )
        for signature in _objects(fields, "dkim")
    ]
    # Sorted, so that the same signatures in another order are the same row.
    found.sort(key=lambda signature: (_preference(signature, header_from), *signature))
    return tuple(found[:MAX_SIGNATURES])


def _preference(signature: Signature, header_from: str) -> int:
    """RFC 9990 section 3.1.3: strictly aligned, aligned, passed, the rest.

    The organizational domain is not in the log: one name below the other counts as aligned here, which
    decides about an order and nothing else.
    """
    if signature.result is not DkimResult.PASS:
        return 3
    if signature.domain == header_from:
        return 0
    names = (signature.domain, header_from)
    return 1 if names[0].endswith(f".{names[1]}") or names[1].endswith(f".{names[0]}") else 2


def _spf(fields: Mapping[str, object], envelope_from: str) -> SpfCheck | None:
    """RFC 9990 section 3.1.1.13 knows the MAIL FROM identity only.

    With the null reverse-path that identity is postmaster at the HELO domain (RFC 7208 section 2.4), so such
    a check is one of MAIL FROM; any other check of HELO has no place in a report.
    """
    value = fields.get("spf")
    if not value:
        return None
    if not isinstance(value, Mapping):
        raise EventError("spf is no object")
    if _text(value, "scope") == "helo" and envelope_from:
        return None
    return SpfCheck(_text(value, "domain").lower(), _word(value, "result", SpfOutcome))
