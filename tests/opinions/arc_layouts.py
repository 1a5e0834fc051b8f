"""Random ARC chains, the same for the same number: whole ones, and ones with a thing or two that are odd."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tests.msgauth.arc_sealer import seal_field
from tests.msgauth.dkim_judge import KEY_NAME
from tests.msgauth.dkim_signer import PrivateKey, ed25519_key, key_record, rsa_key, sign
from tests.msgauth.test_dkim_differential import MESSAGE
from tests.opinions.dkim_layouts import SECONDS, Case, break_list, key_records
from tests.rig.zone import Zone

RELAY_KEY_NAME = "arc._domainkey.relay.example"
ARC_NAMES = (b"arc-seal", b"arc-message-signature", b"arc-authentication-results")

ODD_SEALS: dict[str, tuple[str, ...]] = {
    "cv": ("none", "pass", "fail", "Pass", "NONE", "x", ""),
    "h": ("from", ""),
    "t": (str(SECONDS - 5), "x", "", str(SECONDS + 3600)),
    "x": (str(SECONDS - 3600),),
    "a": ("rsa-sha1", "RSA-SHA256", "rsa-sha512", ""),
    "c": ("relaxed/relaxed", "simple", "x"),
    "d": ("EXAMPLE.com", "example", "other.example", ""),
    "s": ("SEL", "no-such", "", "s/l"),
    "i": ("0", "51", "01", "100"),
    "v": ("1",),
    "bh": ("AAAA",),
    "_x": ("(", '"'),
}
ODD_SIGNATURES: dict[str, tuple[str, ...]] = {
    "h": (
        "to:subject",
        "from:arc-seal",
        "from:ARC-Seal",
        "",
        "from::to",
        "from:from:to",
        "from:arc-message-signature",
        "from:dkim-signature:x-none",
    ),
    "c": ("simple/simple", "simple", "relaxed", "x", "relaxed/", "Relaxed/relaxed", "simple/relaxed"),
    "l": ("0", "5", "100000"),
    "t": (str(SECONDS - 5), "x", "", str(SECONDS + 3600), str(SECONDS + 60)),
    "x": (str(SECONDS - 3600), str(SECONDS - 60), str(SECONDS + 3600), "x", "0"),
    "q": ("dns/txt", "other"),
    "v": ("1", "2"),
    "z": ("From:x",),
    "a": ODD_SEALS["a"],
    "d": ODD_SEALS["d"],
    "s": ODD_SEALS["s"],
    "i": ODD_SEALS["i"],
    "bh": ("AAAA", "not base64", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
}
ODD_RESULTS = (
    "(first) i={};",
    "(first (and second)) i={};",
    "i={} ;",
    "i={} (behind) ;",
    "\r\n i={};",
    "x=y; i={};",
    "i={}",
    "i={}x;",
    'i={}; mx.example.com 2; dkim=pass (a;b) header.d="x;y"',
)
CHANGES = (
    "body grows",
    "Subject is altered",
    "a field goes",
    "a field comes twice",
    "the fields are shuffled",
    "names in lower case",
    "a stray seal",
    "a stray field without instance",
    "body altered between the sets",
    "no From",
)


@dataclass(frozen=True, slots=True)
class Sealer:
    key: PrivateKey
    domain: str
    selector: str

    @property
    def algorithm(self) -> str:
        return f"{'rsa' if isinstance(self.key, RSAPrivateKey) else 'ed25519'}-sha256"


SEALERS = (
    Sealer(ed25519_key(), "example.com", "sel"),
    Sealer(rsa_key(1024), "relay.example", "arc"),
)


def make_chain(number: int, *, plain: bool = False) -> Case:
    """``plain`` has nothing odd about it: it passes."""
    pick = random.Random(f"arc {number}")
    oddities: list[str] = []
    zone = Zone({RELAY_KEY_NAME: {"TXT": [key_record(rsa_key(1024))]}})
    records = [key_record(ed25519_key())]
    odd_keys = not plain and pick.random() < 0.15
    published = key_records(pick, ed25519_key(), oddities) if odd_keys else records
    if published:
        zone.put(KEY_NAME, {"TXT": published})
    elif pick.random() < 0.6:
        zone.fail(KEY_NAME)
        oddities[-1] = "DNS fails"

    change = pick.choice(CHANGES) if not plain and pick.random() < 0.3 else ""
    count = pick.choice((1, 1, 2, 2, 3, 4))
    odd_set = pick.randint(1, count) if not plain and pick.random() < 0.7 else 0
    message = MESSAGE.replace(b"From:", b"X-From:") if change == "no From" else MESSAGE
    instance = 0
    for number_of_set in range(1, count + 1):
        instance += 1
        if number_of_set == odd_set and pick.random() < 0.05:
            instance += 1
            oddities.append("a set is left out")
        if number_of_set == count and change == "body altered between the sets":
            message = message.replace(b"hungry", b"angry")
        message = _add_set(pick, message, instance, oddities, odd=number_of_set == odd_set)
    if change:
        oddities.append(change)
        message = _changed(pick, message, change)
    return Case(message, zone, tuple(oddities))


def _add_set(pick: random.Random, message: bytes, instance: int, oddities: list[str], *, odd: bool) -> bytes:
    sealer = pick.choice(SEALERS)
    begin = f" i={instance};"
    what = pick.choice(("results", "signature", "seal", "signature", "seal", "list")) if odd else ""
    if what == "results":
        begin = pick.choice(ODD_RESULTS).format(instance)
        oddities.append(f"results {begin!r}")
    results = f"ARC-Authentication-Results:{begin} mx.example.com; spf=pass smtp.mailfrom=joe@example.com\r\n"
    message = results.encode() + message

    names = ["from", *pick.sample(("to", "subject", "date", "arc-authentication-results"), pick.randrange(4))]
    common = {"i": str(instance), "a": sealer.algorithm, "d": sealer.domain, "s": sealer.selector}
    tags = common | {"c": "relaxed/relaxed", "h": ":".join(names), "bh": "@BH@", "b": "@B@"}
    if what == "signature":
        tag = pick.choice(list(ODD_SIGNATURES))
        tags[tag] = pick.choice(ODD_SIGNATURES[tag])
        oddities.append(f"signature {tag}={tags[tag]}")
        if pick.random() < 0.1:
            del tags["c"]
            oddities.append("signature without c=")
    text = _laid_out(pick, tags, oddities, broken=what == "list" and pick.random() < 0.5)
    message = sign(message, sealer.key, text, name="ARC-Message-Signature")

    tags = common | {"cv": "none" if instance == 1 else "pass", "b": "@B@"}
    if what == "seal":
        tag = pick.choice(list(ODD_SEALS))
        tags[tag] = pick.choice(ODD_SEALS[tag])
        oddities.append(f"seal {tag}={tags[tag]}")
    text = _laid_out(pick, tags, oddities, broken=what == "list" and pick.random() < 0.5)
    return seal_field(message, text, sealer.key) + message


def _laid_out(pick: random.Random, tags: dict[str, str], oddities: list[str], *, broken: bool) -> str:
    items = list(tags.items())
    pick.shuffle(items)
    specs = [f"{tag}={value}" for tag, value in items]
    if broken:
        break_list(pick, specs, oddities)
    if not any(re.match(r"i=\d", spec) for spec in specs):
        # Nobody could seal such a set.
        specs.insert(0, f"i={tags['i']}")
    return pick.choice(("; ", ";", ";\r\n ", " ; ")).join(specs) + pick.choice(("", ";"))


def _changed(pick: random.Random, message: bytes, change: str) -> bytes:
    header, _, body = message.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", header)
    own = [at for at, field in enumerate(fields) if field.partition(b":")[0].lower() in ARC_NAMES]
    match change:
        case "body grows":
            body += b"More.\r\n"
        case "Subject is altered":
            fields = [field.replace(b"dinner", b"lunch") for field in fields]
        case "a field goes":
            del fields[pick.choice(own)]
        case "a field comes twice":
            fields.insert(0, fields[pick.choice(own)])
        case "the fields are shuffled":
            pick.shuffle(fields)
        case "names in lower case":
            fields = [field.lower()[:20] + field[20:] for field in fields]
        case "a stray seal":
            fields.insert(0, b"ARC-Seal: i=9; a=rsa-sha256; d=example.com; s=sel; cv=pass; b=AAAA")
        case "a stray field without instance":
            name = pick.choice((b"ARC-Seal", b"ARC-Message-Signature", b"ARC-Authentication-Results"))
            fields.append(name + b": mx.example.com; none")
    return b"\r\n".join(fields) + b"\r\n\r\n" + body
