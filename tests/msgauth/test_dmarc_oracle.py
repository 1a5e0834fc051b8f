"""DMARC against a second reading of RFC 9989, written for being checked by eye: worlds of a few names, drawn
by chance, in which both must say the same."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest

from mxgw.msgauth.dmarc import DmarcVerdict
from mxgw.msgauth.results import Result
from mxgw.msgauth.spf_result import SpfResult
from tests.msgauth.dmarc_cases import dkim, judge, spf
from tests.rig.zone import Zone

WORLDS_PER_SEED = 250
LABELS = ["a", "b", "c"]


@dataclass
class World:
    """One message and the DNS it meets."""

    texts: dict[str, list[str]]
    exist: list[str]
    failing: list[str]
    author: str
    spf: tuple[str, Result]
    dkim: list[tuple[str, Result]]

    def zone(self) -> Zone:
        zone = Zone({f"_dmarc.{domain}": {"TXT": texts} for domain, texts in self.texts.items()})
        for name in self.exist:
            zone.put(name, {"A": ["192.0.2.1"]})
        for name in self.failing:
            zone.fail(name)
        return zone


def draw_world(random: Random) -> World:
    author = draw_name(random)
    texts = {draw_relative(random, author): draw_texts(random) for _ in range(random.randint(0, 6))}
    results = [Result.PASS] * 6 + [Result.FAIL, Result.NONE, Result.TEMPERROR]
    return World(
        texts=texts,
        exist=[draw_name(random) for _ in range(random.randint(0, 2))] + [author] * random.randint(0, 1),
        failing=[
            random.choice(["", "_dmarc."]) + draw_relative(random, author)
            for _ in range(random.choice([0, 0, 0, 1, 2]))
        ],
        author=author,
        spf=(draw_relative(random, author), random.choice(results)),
        dkim=[(draw_relative(random, author), random.choice(results)) for _ in range(random.randint(0, 3))],
    )


def draw_name(random: Random) -> str:
    count = random.choice([1, 2, 2, 3, 3, 3, 4, 5, 7, 8, 9, 12])
    return ".".join([*(random.choice(LABELS[:2]) for _ in range(count - 1)), random.choice(["x", "x", "y"])])


def draw_relative(random: Random, name: str) -> str:
    """A name of the family, or any."""
    labels = name.split(".")
    shared = labels[random.randrange(len(labels)) :]
    return random.choice([".".join([random.choice(LABELS), *shared]), ".".join(shared), draw_name(random)])


def draw_texts(random: Random) -> list[str]:
    return [draw_text(random) for _ in range(random.choice([1, 1, 1, 1, 1, 2]))]


def draw_text(random: Random) -> str:
    words = ["none", "quarantine", "reject"]
    tags = [
        f"p={random.choice([*words, *words, 'x'])}",
        f"sp={random.choice([*words, *words, 'x'])}",
        f"np={random.choice([*words, *words, 'x'])}",
        f"psd={random.choice('yynu')}",
        f"t={random.choice('yn')}",
        f"adkim={random.choice('rs')}",
        f"aspf={random.choice('rs')}",
        "rua=mailto:a@b.example",
        "pct=0",
    ]
    chosen = [tag for tag in tags if random.random() < (0.9 if tag.startswith("p=") else 0.3)]
    random.shuffle(chosen)
    version = random.choice(["v=DMARC1"] * 9 + ["v=DMARC2"])
    return "; ".join([version, *chosen])


# The second reading. It asks for everything, keeps nothing, and follows the text word by word.


class Trouble(Exception):
    """DNS did not answer."""


@dataclass
class Oracle:
    world: World

    def record(self, name: str) -> dict[str, str] | None:
        """Section 4.10, steps 1 and 2: the record of a name as tags."""
        if f"_dmarc.{name}" in self.world.failing:
            raise Trouble
        texts = [text for text in self.world.texts.get(name, []) if text.split(";")[0] == "v=DMARC1"]
        if len(texts) != 1:
            return None
        return dict(tag.split("=", 1) for tag in texts[0].split("; "))

    def walk(self, start: str) -> list[tuple[str, dict[str, str]]]:
        """Section 4.10, all steps."""
        found = []
        target: str | None = start
        while target:
            record = self.record(target)
            if record is not None:
                found.append((target, record))
                if record.get("psd") in ("y", "n"):
                    break
            target = self.shorter(target)
        return found

    @staticmethod
    def shorter(target: str) -> str:
        labels = target.split(".")
        return ".".join(labels[len(labels) - 7 :] if len(labels) >= 8 else labels[1:])

    def organization(self, start: str) -> str:
        """Section 4.10.2."""
        found = self.walk(start)
        for name, record in found:
            if record.get("psd") == "n":
                return name
            if record.get("psd") == "y" and name != start:
                return ".".join(start.split(".")[-len(name.split(".")) - 1 :])
        return min(found, key=lambda one: len(one[0].split(".")))[0] if found else start

    def applies(self) -> tuple[str, dict[str, str]] | None:
        """Section 4.10.1: author, organizational domain, public suffix domain."""
        author = self.world.author
        own = self.record(author)
        if own is not None:
            return author, own
        organization = self.organization(author)
        found = self.walk(author)
        suffix = [name for name, record in found if record.get("psd") == "y"]
        for wanted in [organization, *suffix]:
            for name, record in found:
                if name == wanted:
                    return name, record
        return None

    def exists(self) -> bool:
        """Section 3.2.13. What is below a name proves that it exists, whatever the name itself answers."""
        author = self.world.author
        names = [*self.world.exist, *(f"_dmarc.{domain}" for domain in self.world.texts)]
        if any(one == f"_dmarc.{author}" or one.endswith(f"._dmarc.{author}") for one in names):
            return True
        if author in self.world.failing:
            raise Trouble
        return any(one == author or one.endswith(f".{author}") for one in names)

    def policy(self, name: str, record: dict[str, str]) -> str:
        """Section 4.10.1, before t."""
        words = ("none", "quarantine", "reject")
        if record.get("p") not in words or any(record.get(tag, "none") not in words for tag in ("sp", "np")):
            return "none"
        if name == self.world.author:
            return record["p"]
        for_existing = record.get("sp", record["p"])
        for_others = record.get("np", for_existing)
        if for_existing == for_others:
            return for_existing
        return for_existing if self.exists() else for_others

    def applicable(self, record: dict[str, str]) -> bool:
        words = ("none", "quarantine", "reject")
        sound = record.get("p") in words and all(record.get(tag, "none") in words for tag in ("sp", "np"))
        return sound or "rua" in record

    def aligned(self, domain: str, strict: bool) -> bool | None:
        """Section 4.10.2; None where DNS trouble leaves it open."""
        author = self.world.author
        if domain == author:
            return True
        if strict:
            return False
        if domain.split(".")[-1] != author.split(".")[-1]:
            return False
        try:
            organization = self.organization(author)
        except Trouble:
            return None
        if domain != organization and not domain.endswith(f".{organization}"):
            return False  # an organizational domain is never below its own domain
        try:
            return self.organization(domain) == organization
        except Trouble:
            return None

    def verdict(self) -> tuple[object, ...]:
        """What must agree: result, record, policy before and after t, alignment."""
        try:
            applying = self.applies()
        except Trouble:
            return (Result.TEMPERROR, "", "none", "none", False, ())
        if applying is None:
            return (Result.NONE, "", "none", "none", False, ())
        name, record = applying
        if not self.applicable(record):
            return (Result.PERMERROR, name, "none", "none", False, ())
        unknown = False
        try:
            policy = self.policy(name, record)
        except Trouble:
            unknown = True
            policy = min(
                record.get("sp", record["p"]), record["np"], key=["none", "quarantine", "reject"].index
            )
        lower = {"reject": "quarantine", "quarantine": "none", "none": "none"}
        applied = lower[policy] if record.get("t") == "y" else policy
        checks = [("aspf", *self.world.spf), *(("adkim", *one) for one in self.world.dkim)]
        found = [
            (tag, domain, result, self.aligned(domain, record.get(tag) == "s"))
            for tag, domain, result in checks
        ]
        passing = [one for one in found if one[2] is Result.PASS and one[3]]
        open_ones = [
            one
            for one in found
            if (one[2] is Result.PASS and one[3] is None)
            or (one[2] is Result.TEMPERROR and one[3] is not False)
        ]
        result = Result.PASS if passing else Result.TEMPERROR if open_ones or unknown else Result.FAIL
        by_dkim = tuple(dict.fromkeys(domain for tag, domain, *_ in passing if tag == "adkim"))
        return (result, name, policy, applied, any(tag == "aspf" for tag, *_ in passing), by_dkim)


def told(verdict: DmarcVerdict) -> tuple[object, ...]:
    return (
        verdict.result,
        verdict.record_domain,
        str(verdict.published),
        str(verdict.policy),
        verdict.aligned_spf,
        verdict.aligned_dkim,
    )


@pytest.mark.parametrize("seed", range(20))
async def test_two_readings_of_the_rfc_agree(seed: int) -> None:
    random = Random(seed)
    seen: set[object] = set()
    for _ in range(WORLDS_PER_SEED):
        world = draw_world(random)
        checked: SpfResult = spf(*world.spf)
        zone = world.zone()

        verdict = await judge(zone, world.author, spf=checked, dkim=tuple(dkim(*one) for one in world.dkim))

        assert told(verdict) == Oracle(world).verdict(), world
        assert len(zone.asked) == len(set(zone.asked)) <= 9 + 8 * (1 + len(world.dkim))
        seen.add(verdict.result)
    assert seen == {Result.NONE, Result.PASS, Result.FAIL, Result.TEMPERROR, Result.PERMERROR}
