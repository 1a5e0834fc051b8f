"""Random signatures, the same for the same number: every layout, rule and key record that a signer may come
up with, kept and broken. Most would hold if it were not for the one or two things that are odd about them.
"""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mxgw.resolver.names import canonical
from tests.msgauth.dkim_judge import KEY_NAME, NOW
from tests.msgauth.dkim_signer import PrivateKey, ed25519_key, key_record, rsa_key, sign
from tests.rig.zone import Zone

SECONDS = int(NOW.timestamp())
FIELDS = (
    b"Received: from a.example by b.example;\r\n\tFri, 11 Jul 2003 21:01:54 -0700\r\n",
    b"Received: from c.example\r\n\tby d.example\r\n",
    b"To: Suzie Q <suzie@example.net>,\r\n  Another <other@example.net>\r\n",
    b"Subject:  Is\t dinner  ready? \r\n",
    b"SUBJECT : again\r\n",
    b"Date:Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n",
    b"X-Empty:\r\n",
    b"X-Folded:\r\n \r\n\tx\r\n",
    "Comments: Grüße aus Köln\r\n".encode(),
    b"Comments: \xff\xfe\x0b\x0c\r\n",
)
FROM = b"From: Joe SixPack <joe@example.com>\r\n"
BODY_PIECES = (b"\r\n", b"\r\n", b" ", b"\t", b"text", b"Hi.", b".", b"\xff", b"\x0b", b" \r\n", b"x  y")
NAMES = ("to", "subject", "Date", "received", "x-empty", "x-folded", "comments", "not-there", "message-id")

ODD_VALUES: dict[str, tuple[str, ...]] = {
    "v": ("2", "01", "1.0", "", "0.5"),
    "a": ("RSA-SHA256", "rsa-sha512", "rsa", "rsa-sha256-x", "", "ed448-sha256"),
    "c": ("Relaxed/relaxed", "relaxed/", "/relaxed", "nofws", "relaxed/relaxed/relaxed", "relaxed / simple"),
    "d": (
        "EXAMPLE.com",
        "example.com.",
        "example",
        "example..com",
        "-example.com",
        "exa mple.com",
        "[192.0.2.1]",
    ),
    "s": ("SEL", "sel.", "no-such", "s/l", ".sel", "sel.sel"),
    "h": ("to:subject", "", "from", "from::to", ":from", "from;to", "From:FROM", "from:to:bcc: "),
    "t": ("x", "-1", "", "1e3", "99999999999999", "0", "1.5", str(SECONDS + 3600), str(SECONDS + 60)),
    "x": ("x", "", str(SECONDS - 3600), str(SECONDS - 60), "0", "999999999999", str(SECONDS + 3600)),
    "i": (
        "joe@example.com",
        "@sub.example.com",
        "joe@a.b.example.com",
        "@other.example",
        "@notexample.com",
        "joe",
        "",
        "@",
        "joe=40home@example.com",
        '"joe six"@example.com',
        "joe six@example.com",
        "j@@example.com",
        "@EXAMPLE.COM",
        "@com",
    ),
    "q": ("dns/txt", "DNS/TXT", "other", "other:dns/txt", "dns/txt:other", "dns", ""),
    "l": ("x", "-1", "", "0", "1", "5", "40", "100000", "1" * 76, "1" * 77, "010"),
    "z": ("From:joe|To:=20x", "", "b=x", "a|b|c"),
    "r": ("y",),
    "_x": ("(comment", '"', "b=AAAA"),
    "B": ("AAAA",),
}
BREAKS = ("twice", "empty tag", "no equals", "bad name", "drop")
KEY_ODDITIES = (
    "t=s; ",
    "t=y; ",
    "t=y:s; ",
    "t=x; ",
    "h=sha256; ",
    "h=sha1; ",
    "h=sha1:sha256; ",
    "h=SHA256; ",
    "h=; ",
    "s=email; ",
    "s=*; ",
    "s=tlsrpt; ",
    "s=email:other; ",
    "s=; ",
    "n=note (with words; ",
    "g=*; ",
    "x=unknown; ",
)


@dataclass(frozen=True, slots=True)
class Case:
    """A message, the zone with its key, and what is odd."""

    message: bytes
    zone: Zone
    oddities: tuple[str, ...]


def make_case(number: int, *, plain: bool = False) -> Case:
    """``plain`` has nothing odd about it: it holds, and the layouts are those that signers may choose."""
    pick = random.Random(f"dkim {number}")
    key: PrivateKey = rsa_key(pick.choice((1024, 2048))) if pick.random() < 0.3 else ed25519_key()
    oddities: list[str] = []
    tags = _tags(pick, key, oddities, plain=plain)
    zone = Zone()
    name = f"{tags['s'] or 'sel'}._domainkey.{tags['d'] or 'example.com'}".lower().replace("..", ".")
    records = [key_record(key)] if plain else key_records(pick, key, oddities)
    if records is not None:
        zone.put(KEY_NAME, {"TXT": records})
        if canonical(name) and pick.random() < 0.7:
            zone.put(name, {"TXT": records})
    elif pick.random() < 0.5:
        zone.fail(KEY_NAME)
        oddities[-1] = "DNS fails"
    text = _laid_out(pick, tags, oddities, plain=plain)
    field_name = pick.choice(("DKIM-Signature", "DKIM-Signature", "dkim-signature", "DKIM-Signature "))
    before = pick.choice((" ", " ", "", "\r\n\t", "  "))
    message = sign(_message(pick, oddities, plain=plain), key, text, name=field_name, before=before)
    return Case(message, zone, tuple(oddities))


def _message(pick: random.Random, oddities: list[str], *, plain: bool) -> bytes:
    fields = [FROM, *pick.sample(FIELDS, pick.randrange(len(FIELDS)))]
    if not plain and pick.random() < 0.03:
        fields.append(FROM.replace(b"joe", b"eve"))
        oddities.append("two From fields")
    pick.shuffle(fields)
    body = b"".join(pick.choices(BODY_PIECES, k=pick.choice((0, 1, 3, 12, 40))))
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    return b"".join(fields) + b"\r\n" + body


def _tags(pick: random.Random, key: PrivateKey, oddities: list[str], *, plain: bool) -> dict[str, str]:
    kind = "rsa" if isinstance(key, RSAPrivateKey) else "ed25519"
    names = ["from", *pick.choices(NAMES, k=pick.randrange(6))]
    if pick.random() < 0.2:
        names.append("from")
    pick.shuffle(names)
    tags = {
        "v": "1",
        "a": f"{kind}-sha256",
        "d": "example.com",
        "s": "sel",
        "h": pick.choice((":", ":", " : ", ":\r\n\t")).join(names),
        "bh": "@BH@",
        "b": "@B@",
    }
    if pick.random() < 0.85:
        tags["c"] = pick.choice(
            ("simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed", "relaxed", "simple")
        )
    if pick.random() < 0.3:
        tags["t"] = str(SECONDS - pick.randrange(10**6))
        tags["x"] = str(SECONDS + pick.randrange(400, 10**6))
    for _ in range(0 if plain else pick.choice((0, 1, 1, 1, 2))):
        tag = pick.choice(list(ODD_VALUES))
        tags[tag] = pick.choice(ODD_VALUES[tag])
        oddities.append(f"{tag}={tags[tag]}")
    if not tags.get("l", "0").isdecimal() or len(tags.get("l", "")) > 70:
        # The signer cannot count so far: such a signature is broken for any other reader too.
        tags["l"] = pick.choice(("0", "3"))
    items = list(tags.items())
    pick.shuffle(items)
    return dict(items)


def _laid_out(pick: random.Random, tags: dict[str, str], oddities: list[str], *, plain: bool) -> str:
    equals = pick.choice(("=", "=", "=", " = ", "=\r\n ", "\t="))
    specs = [f"{tag}{equals}{value}" for tag, value in tags.items()]
    if not plain and pick.random() < 0.12:
        break_list(pick, specs, oddities)
    between = pick.choice(("; ", "; ", ";", ";\r\n\t", " ; ", ";\r\n ", "\r\n ;"))
    return between.join(specs) + pick.choice(("", "", ";", "; ", ";\r\n "))


def break_list(pick: random.Random, specs: list[str], oddities: list[str]) -> None:
    """Break the grammar of a tag list in one place."""
    broken = pick.choice(BREAKS)
    at = pick.randrange(len(specs))
    oddities.append(f"{broken}: {specs[at].split('=')[0].strip()}")
    match broken:
        case "twice":
            specs.insert(pick.randrange(len(specs) + 1), specs[at])
        case "empty tag":
            specs.insert(at, "")
        case "no equals":
            specs.insert(at, "word")
        case "bad name":
            specs.insert(at, pick.choice(("x-y=1", "1=1", "ü=1", "=1", "x y=1")))
        case "drop":
            del specs[at]


def key_records(pick: random.Random, key: PrivateKey, oddities: list[str]) -> list[Any] | None:
    """What is published for a key; None for nothing. Often there is nothing odd about it."""
    more = ""
    draw = pick.random()
    if draw < 0.25:
        more = pick.choice(KEY_ODDITIES)
        oddities.append(f"key: {more}")
    record = key_record(key, more=more)
    if draw > 0.8:
        oddities.append(change := pick.choice(list(_CHANGES)))
        return _CHANGES[change](record, key)
    if draw > 0.77:
        oddities.append("no key record")
        return None
    return [record if pick.random() < 0.7 else [record[:20], record[20:]]]


def _bare_rsa(record: str, key: PrivateKey) -> list[Any]:
    if not isinstance(key, RSAPrivateKey):
        return [record]
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return [f"v=DKIM1; p={base64.b64encode(der).decode()}"]


_CHANGES: dict[str, Any] = {
    "record without v=": lambda record, _: [record.removeprefix("v=DKIM1; ")],
    "record with v= at its end": lambda record, _: [record.removeprefix("v=DKIM1; ") + "; v=DKIM1"],
    "record v=DKIM2": lambda record, _: [record.replace("DKIM1", "DKIM2")],
    "record v=dkim1": lambda record, _: [record.replace("DKIM1", "dkim1")],
    "record without k=": lambda record, _: [record.replace("k=rsa; ", "").replace("k=ed25519; ", "")],
    "record with the other k=": lambda record, _: [
        record.replace("k=rsa", "k=x") if "k=rsa" in record else record.replace("k=ed25519", "k=rsa")
    ],
    "record k=RSA": lambda record, _: [record.replace("k=rsa", "k=RSA").replace("k=ed", "k=ED")],
    "key revoked": lambda record, _: [record.partition("p=")[0] + "p="],
    "record without p=": lambda record, _: [record.partition(" p=")[0]],
    "key cut short": lambda record, _: [record[:-9]],
    "key with a foreign letter": lambda record, _: [record[:-9] + "*" + record[-9:]],
    "key with blanks": lambda record, _: [record[:-9] + " \t" + record[-9:-4] + " " + record[-4:]],
    "record with ; at its end": lambda record, _: [record + " ; "],
    "record with ;; in it": lambda record, _: [record.replace("; ", ";; ", 1)],
    "record with a word": lambda record, _: [record.replace("; ", "; word; ", 1)],
    "record with k= twice": lambda record, _: [record.replace("; p=", "; k=rsa; p=", 1)],
    "a text before the record": lambda record, _: ["some text", record],
    "a text behind the record": lambda record, _: [record, "some text"],
    "two keys": lambda record, _: [key_record(rsa_key(3072)), record],
    "record twice": lambda record, _: [record, record],
    "bare RSA key": _bare_rsa,
    "record with octets outside ASCII": lambda record, _: [record.replace("; ", "; n=ü; ", 1)],
}
