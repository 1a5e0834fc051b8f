"""Random trees of domains with DMARC records, the same for the same number, and who signed and sent."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from tests.rig.zone import Zone

DEEP = "a9.a8.a7.a6.a5.a4.a3.sub.one.example"
DOMAINS = (
    "example",
    "one.example",
    "two.example",
    "sub.one.example",
    "sub.sub.one.example",
    "gone.one.example",
    "gone.gone.two.example",
    "co.two.example",
    "shop.co.two.example",
    "www.shop.co.two.example",
    DEEP,
    f"b.{DEEP}",
    DEEP.partition(".")[2],
    DEEP.split(".", 3)[3],
    "alone.test",
    "sub.alone.test",
)
TAGS: dict[str, tuple[str, ...]] = {
    "p": ("none", "quarantine", "reject", "reject"),
    "sp": ("none", "quarantine", "reject"),
    "np": ("none", "quarantine", "reject"),
    "adkim": ("r", "s", "s"),
    "aspf": ("r", "s", "s"),
    "psd": ("y", "n", "n", "u"),
    "t": ("y", "n"),
    "rua": (
        "mailto:d@one.example",
        "mailto:d@one.example!10m,https://x.example/r",
        "d@one.example",
        "mailto:",
    ),
    "pct": ("0", "50", "x"),
    "fo": ("1:d:s", "x"),
    "ruf": ("mailto:f@one.example",),
    "ri": ("3600",),
    "unknown": ("1", "(", ""),
}
OFTEN = {"p": 0.96, "sp": 0.3, "np": 0.3, "psd": 0.2, "t": 0.2, "adkim": 0.3, "aspf": 0.3, "rua": 0.4}
ODD_VALUES: dict[str, tuple[str, ...]] = {
    "p": ("Reject", "REJECT ", "x", "", "none reject", "rejectx"),
    "sp": ("x", "", "None"),
    "np": ("x", "", "Reject"),
    "adkim": ("S", "x", ""),
    "aspf": ("S", "strict", ""),
    "psd": ("Y", "x", ""),
    "t": ("Y", "x", ""),
    "rua": ("", "x", "mailto:a,b@x.example", "mailto:ü@x.example", ","),
}
VERSIONS = ("v=DMARC1", "v=DMARC1", "v=DMARC1", "v = DMARC1", "V=DMARC1")
BAD_VERSIONS = ("v=dmarc1", "v=DMARC2", "v=DMARC1x", "x=1; v=DMARC1", "", "v=DMARC1 p=reject", "v=spf1 -all")


@dataclass(frozen=True, slots=True)
class World:
    """DNS, whom From names, for which domains SPF and DKIM passed, and whose signature had no answer."""

    zone: Zone
    author: str
    spf: tuple[str, ...]
    dkim: tuple[str, ...]
    open: tuple[str, ...]


def make_world(number: int) -> World:
    pick = random.Random(f"dmarc {number}")
    zone = Zone()
    density = pick.choice((0.1, 0.3, 0.6))
    for domain in DOMAINS:
        if not domain.startswith("gone") and pick.random() < 0.8:
            zone.put(domain, _host(pick))
        if pick.random() < density:
            zone.put(f"_dmarc.{domain}", {"TXT": _records(pick)})
        elif pick.random() < 0.03:
            zone.put(f"_dmarc.{domain}", {"CNAME": [pick.choice(("_dmarc.two.example", "nowhere.test"))]})
    if pick.random() < 0.15:
        kind = pick.choice(("TXT _dmarc.", "TXT _dmarc.", "TXT _dmarc.", ""))
        zone.fail(f"{kind}{pick.choice(DOMAINS)}")
    author = pick.choice(DOMAINS[1:])
    near = [
        domain for domain in DOMAINS if domain.endswith(author.split(".", 1)[-1]) or author.endswith(domain)
    ]

    def some_domain() -> str:
        return pick.choice(near) if pick.random() < 0.8 else pick.choice(DOMAINS)

    spf = (some_domain(),) if pick.random() < 0.5 else ()
    dkim = tuple(dict.fromkeys(some_domain() for _ in range(pick.choice((0, 0, 1, 1, 2, 3)))))
    still_open = (some_domain(),) if pick.random() < 0.08 else ()
    return World(zone, author, spf, dkim, still_open)


def _host(pick: random.Random) -> dict[str, list[Any]]:
    draw = pick.random()
    if draw < 0.1:
        return {"CNAME": ["nowhere.test"]}
    if draw < 0.4:
        return {"TXT": ["some text"]}
    return {"A": ["192.0.2.1"]}


def _records(pick: random.Random) -> list[Any]:
    records: list[Any] = [_record(pick)]
    if pick.random() < 0.06:
        other = (_record(pick), "v=DMARC1", "some text", "v=spf1 -all", "v=DMARC1; p=none; p=none")
        records.append(pick.choice(other))
    if pick.random() < 0.1:
        text = records[0]
        cut = pick.randrange(len(text) + 1)
        records[0] = [text[:cut], text[cut:]]
    pick.shuffle(records)
    return records


def _record(pick: random.Random) -> str:
    tags = [
        f"{tag}{pick.choice(('=', '=', '=', ' = '))}{pick.choice(values)}"
        for tag, values in TAGS.items()
        if pick.random() < OFTEN.get(tag, 0.06)
    ]
    if pick.random() < 0.5:
        pick.shuffle(tags)
    if pick.random() < 0.12:
        tag = pick.choice(list(ODD_VALUES))
        tags = [one for one in tags if not one.startswith(tag)]
        tags.insert(pick.randrange(len(tags) + 1), f"{tag}={pick.choice(ODD_VALUES[tag])}")
    if pick.random() < 0.06:
        odd = pick.choice(("word", "", "p=none", "P=none", "=x", "sp=reject", "ü=1"))
        tags.insert(pick.randrange(len(tags) + 1), odd)
    version = pick.choice(VERSIONS) if pick.random() < 0.96 else pick.choice(BAD_VERSIONS)
    between = pick.choice(("; ", "; ", ";", " ; ", ";\t"))
    return (
        pick.choice(("", "", "", "", " ")) + between.join([version, *tags]) + pick.choice(("", "", ";", "; "))
    )
