"""An SPF record with all that it includes: how many look-ups it costs a receiver, and whom it names.

Counts what a receiver counts in the worst case (RFC 7208 section 4.6.4): include, a, mx, ptr, exists and
redirect, in every record on the way.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mxgw.msgauth.spf_macros import BadSyntax, MacroString
from mxgw.msgauth.spf_record import Mechanism, Record, is_spf, parse_record
from mxgw.msgauth.spf_result import plain
from mxgw.resolver.answers import Lookup, Status

MAX_LOOKUPS = 10
"""RFC 7208 section 4.6.4: beyond, the result is permerror and the mail counts as unauthorised."""

MAX_RECORDS = 30
"""Records that are read; a tree that has more is broken by any count."""

_COUNTED = {Mechanism.INCLUDE, Mechanism.A, Mechanism.MX, Mechanism.PTR, Mechanism.EXISTS}


@dataclass(frozen=True, slots=True)
class SpfTree:
    """``included`` are the domains on the way, lower case; ``broken`` the first of them without one valid
    record, and ``why``; ``unanswered`` the first for which DNS gave no answer ("" where there is none)."""

    lookups: int = 0
    included: tuple[str, ...] = ()
    broken: str = ""
    why: str = ""
    unanswered: str = ""


@dataclass(slots=True)
class _Walk:
    lookups: int = 0
    included: list[str] = field(default_factory=list)
    broken: str = ""
    why: str = ""
    unanswered: str = ""

    def leave(self, domain: str, why: str) -> None:
        if not self.broken:
            self.broken, self.why = domain, why


async def walk_spf(lookup: Lookup, domain: str) -> SpfTree:
    """Read the record of ``domain`` and those that it leads to."""
    walk = _Walk()
    pending, seen = [domain], {domain}
    while pending and len(seen) <= MAX_RECORDS:
        name = pending.pop(0)
        record = await _record(lookup, name, walk)
        for target in _targets(record, walk) if record else []:
            if target not in seen:
                seen.add(target)
                walk.included.append(target)
                pending.append(target)
    return SpfTree(walk.lookups, tuple(walk.included), walk.broken, walk.why, walk.unanswered)


async def _record(lookup: Lookup, name: str, walk: _Walk) -> Record | None:
    answer = await lookup.txt(name)
    if answer.status is Status.TEMPORARY:
        walk.unanswered = walk.unanswered or name
        return None
    records = [text for text in answer.records if is_spf(text)]
    if len(records) != 1:
        walk.leave(name, f"{len(records)} SPF records")
        return None
    try:
        return parse_record(records[0])
    except BadSyntax as why:
        walk.leave(name, plain(str(why), 100))
        return None


def _targets(record: Record, walk: _Walk) -> list[str]:
    counted = [it for it in record.directives if it.mechanism in _COUNTED]
    walk.lookups += len(counted)
    targets = [_literal(it.target) for it in counted if it.mechanism is Mechanism.INCLUDE]
    # RFC 7208 section 6.1: redirect counts only where there is no "all".
    if record.redirect is not None and not any(it.mechanism is Mechanism.ALL for it in record.directives):
        walk.lookups += 1
        targets.append(_literal(record.redirect))
    return [target for target in targets if target]


def _literal(target: MacroString | None) -> str:
    """The name; "" where it depends on the message."""
    parts = [part for part in target or () if isinstance(part, str)]
    return "".join(parts).lower().removesuffix(".") if target and len(parts) == len(target) else ""
