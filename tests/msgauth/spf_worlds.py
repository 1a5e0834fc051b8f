"""Random zones and SPF records, the same for the same number; and pyspf asked about them offline."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest
import spf

from mxgw.resolver.answers import Status
from tests.rig.zone import Zone, strings

DOMAINS = [f"{word}.example" for word in ("one", "two", "three", "four", "five")] + ["sub.one.example"]
HOSTS = [f"{host}.{domain}" for host in ("mx", "a") for domain in DOMAINS]
ADDRESSES = ["192.0.2.1", "192.0.2.2", "198.51.100.7", "2001:db8::1", "2001:db8:1::2", "::ffff:192.0.2.1"]
LOCALS = ["", "taro", "strong-bad", "a.b.c", "x+y", "jack&jill=up", "_under_"]
SPECS = [
    "%{d}",
    "a.%{d}",
    "mx.%{o}",
    "%{l}.%{d2}",
    "%{ir}.%{v}.one.example",
    "%{l1r-}.two.example",
    "%{h}",
    "%{p}",
    "%{p2}.three.example",
    "%{S}.one.example",
    "%{dr}.example",
    "x%%y.%_.%-.one.example",
    "%{i}.five.example.",
    "%{d1r}.example",
    "%{s}.example",
]
BAD_SPECS = [
    "%{x}.example",
    "%{d",
    "example",
    "a..example",
    "1.2",
    "%",
    "a.b%z",
    "%{c}.example",
    "",
]
QUALIFIERS = ["", "", "", "+", "-", "~", "?"]
BROKEN_TERMS = [
    "all:x",
    "ip4",
    "ip4:1.2.3",
    "ip4:192.0.2.1/33",
    "ip4:192.0.2.01",
    "ip6:2001:db8::/129",
    "ip6:::1:::",
    "a/33",
    "a//129",
    "a:/24",
    "mx/024",
    "include",
    "include:",
    "exists",
    "exists:one.example/24",
    "ptr/24",
    "foo",
    "foo:bar",
    "redirect:one.example",
    "a=one.example",
    "unknown=%{d}",
    "unknown=%x",
    "-",
    "+-all",
    "a,",
    "ip4:192.0.2.0/24,",
    "ALL",
    "IP4:192.0.2.2",
    "mx:mx.one.example//0",
    "a/0",
]


@dataclass(frozen=True, slots=True)
class World:
    """A zone and who sends from where."""

    zone: Zone
    address: IPv4Address | IPv6Address
    helo: str
    mail_from: str


def make_world(number: int) -> World:
    pick = random.Random(number)
    zone = Zone()
    for domain in DOMAINS:
        records: dict[str, list[Any]] = {}
        if pick.random() < 0.92:
            records["TXT"] = [_split(_record(pick), pick)]
        if pick.random() < 0.05:
            records.setdefault("TXT", []).append(pick.choice(["v=spf1 -all", "other text", "v=spf10 a"]))
        if pick.random() < 0.6:
            records["A"] = _some_addresses(pick, 4)
        if pick.random() < 0.4:
            records["AAAA"] = _some_addresses(pick, 6)
        if pick.random() < 0.7:
            hosts = pick.sample(HOSTS, pick.choice([1, 1, 2, 3, 11]))
            records["MX"] = [(pick.choice([10, 20]), host) for host in hosts]
        zone.put(domain, records)
    for host in [*HOSTS, "taro.one.example", "strong.two.example", "one.three.example"]:
        records = {}
        if pick.random() < 0.7:
            records["A"] = _some_addresses(pick, 4)
        if pick.random() < 0.4:
            records["AAAA"] = _some_addresses(pick, 6)
        if pick.random() < 0.3:
            records["TXT"] = [
                pick.choice(["Words of %{d} on %{i}.", "%{s} is %{l}", "See http://x/%{S}?%{c}"])
            ]
        zone.put(host, records)
    for address in ADDRESSES[:5]:
        if pick.random() < 0.7:
            names = pick.sample([*HOSTS, *DOMAINS], pick.choice([1, 1, 2, 12]))
            zone.put(address, {"PTR": names})
    if pick.random() < 0.4:
        kind = pick.choice(["TXT", "A", "AAAA", "MX"])
        zone.fail(f"{kind} {pick.choice([*DOMAINS, *HOSTS])}")
    sender = f"{pick.choice(LOCALS)}@{pick.choice(DOMAINS)}" if pick.random() < 0.9 else ""
    return World(zone, ip_address(pick.choice(ADDRESSES)), pick.choice([*HOSTS, *DOMAINS]), sender)


def _some_addresses(pick: random.Random, version: int) -> list[str]:
    own = [text for text in ADDRESSES[:5] if ip_address(text).version == version]
    return pick.sample(own, pick.choice([1, 1, len(own)]))


def _record(pick: random.Random) -> str:
    terms = [_term(pick) for _ in range(pick.choice([1, 2, 2, 3, 3, 4, 6, 8]))]
    if pick.random() < 0.5:
        terms.append(pick.choice(["-all", "~all", "?all", "all"]))
    if pick.random() < 0.2:
        terms.insert(pick.randrange(len(terms) + 1), f"redirect={_spec(pick)}")
    if pick.random() < 0.3:
        terms.insert(pick.randrange(len(terms) + 1), f"exp={_spec(pick)}")
    return pick.choice(["v=spf1 ", "V=SPF1 ", "v=spf1  "]) + pick.choice([" ", " ", "  "]).join(terms)


def _term(pick: random.Random) -> str:
    if pick.random() < 0.04:
        return pick.choice(BROKEN_TERMS)
    qualifier = pick.choice(QUALIFIERS)
    kind = pick.choice(["ip4", "ip6", "a", "a", "mx", "mx", "include", "include", "exists", "ptr"])
    if kind == "ip4":
        return (
            f"{qualifier}ip4:{pick.choice(['192.0.2.1', '192.0.2.0/30', '198.51.100.0/24', '203.0.113.9'])}"
        )
    if kind == "ip6":
        return f"{qualifier}ip6:{pick.choice(['2001:db8::1', '2001:db8::/32', '2001:DB8:1::/48', '::1'])}"
    if kind in {"a", "mx"}:
        prefix = pick.choice(["", "", "", "/24", "/30//64", "//32", "/0"])
        return qualifier + kind + (f":{_spec(pick)}" if pick.random() < 0.6 else "") + prefix
    if kind == "ptr":
        return qualifier + kind + (f":{_spec(pick)}" if pick.random() < 0.5 else "")
    return f"{qualifier}{kind}:{_spec(pick)}"


def _spec(pick: random.Random) -> str:
    draw = pick.random()
    if draw < 0.7:
        return pick.choice([*DOMAINS, *DOMAINS, *HOSTS, "none.example"])
    return pick.choice(SPECS) if draw < 0.985 else pick.choice(BAD_SPECS)


def _split(text: str, pick: random.Random) -> str | list[str]:
    cut = pick.randrange(len(text))
    return [text[:cut], text[cut:]] if pick.random() < 0.1 else text


@contextlib.contextmanager
def pyspf_in(zone: Zone, *, max_voids: int = spf.MAX_VOID_LOOKUPS) -> Iterator[None]:
    """pyspf asks this zone instead of the world."""

    def look_up(name: str, kind: str, strict: bool = True, timeout: int = 20) -> list[Any]:
        status, aliases, records = zone.find(kind, name)
        if status is Status.TEMPORARY:
            raise spf.TempError(f"no answer: {kind} {name}")
        found: list[Any] = [((alias, "CNAME"), target) for alias, target in aliases]
        owner = aliases[-1][1] if aliases else name
        for record in records:
            value: Any = record
            if kind == "TXT":
                value = tuple(strings(record))
            elif kind in {"A", "AAAA"}:
                value = ip_address(record)
            found.append(((owner, kind), value))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spf, "DNSLookup", look_up)
        patch.setattr(spf, "MAX_VOID_LOOKUPS", max_voids)
        yield


class ByTheRfc(spf.query):  # type: ignore[misc]
    """pyspf with three of its deviations mended, to see whether they explain a disagreement."""

    def validated_ptrs(self) -> list[str]:
        """RFC 7208 section 5.5: a DNS error is no match, and skips one name; pyspf: temperror."""
        try:
            names = self.dns_ptr(self.i)[:10]
        except spf.TempError:
            return []
        return [name for name in names if self._confirms(name)]

    def _confirms(self, name: str) -> bool:
        with contextlib.suppress(spf.TempError):
            return bool(self.cidrmatch(self.dns_a(name, self.A), self.cidrmax))
        return False

    def dns_mx(self, domain: str) -> list[Any]:
        """RFC 7208 section 5.4 compares host by host; pyspf: temperror for one that is not needed."""
        addresses = []
        for _, host in self.dns(domain, "MX"):
            with contextlib.suppress(spf.TempError):
                addresses += self.dns_a(host, self.A)
        return addresses

    def get_explanation(self, spec: str) -> str | None:
        """RFC 7208 section 6.2: an explanation that cannot be had changes nothing; pyspf: temperror."""
        with contextlib.suppress(spf.TempError):
            return str(super().get_explanation(spec) or "")
        return ""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What pyspf says; ``error`` is its text for a permerror."""

    result: str
    explanation: str
    error: str


def ask_pyspf(
    world: World, query_class: type[Any] = spf.query, *, max_voids: int = spf.MAX_VOID_LOOKUPS
) -> Opinion:
    """The opinion of pyspf or of its mended child."""
    with pyspf_in(world.zone, max_voids=max_voids):
        query = query_class(
            i=str(world.address), s=world.mail_from, h=world.helo, receiver="unknown", strict=True
        )
        # RFC 7208 section 4.3: an empty local part is postmaster, for %{s} too; pyspf: for %{l} only.
        query.s = f"{query.l}@{query.o}"
        query.set_default_explanation("")
        result, _, explanation = query.check()
    words = explanation if result == "fail" else ""
    return Opinion(result, words, str(query.perm_error or ""))
