"""Two doors in a row: a real edge, the door at home, Rspamd, Dovecot. What the edge says, and who may not."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterator

import pytest

from mxgw.edgeseal import MAX_AGE_SECONDS, EdgeSealer
from mxgw.header import parse_header
from mxgw.seal import FINGERPRINT_FIELD, message_identity
from tests.home.sessions import SENDER_ADDRESS, SENDER_HELO, account, bring, held_octets, letter, mail, stored
from tests.rig.dovecot import Dovecot
from tests.rig.gateway import SEAL_KEY, Gateway
from tests.rig.homedoor import HomeDoor
from tests.rig.process import wait_until
from tests.rig.rspamd import GTUBE, Names, Rspamd
from tests.rig.zone import Zone

STRANGER = "198.51.100.9"
RESULTS = b"Authentication-Results: mx.example.jp; spf=pass smtp.mailfrom=bounce@bank.example\r\n"
FINGERPRINT = "0123456789abcdef" * 4

ZONE = Zone(
    {
        "bank.example": {"TXT": ["v=spf1 ip4:203.0.113.5 -all"], "A": [SENDER_ADDRESS]},
        "_dmarc.bank.example": {"TXT": ["v=DMARC1; p=quarantine"]},
        SENDER_HELO: {"A": [SENDER_ADDRESS]},
    }
)


@pytest.fixture(scope="module")
def names() -> Iterator[Names]:
    with Names(ZONE) as server:
        yield server


@pytest.fixture(scope="module")
def edges(door: HomeDoor, names: Names) -> Iterator[tuple[Gateway, Gateway]]:
    """Two edges that check and seal, before the same home."""
    settings = {"checks": "spf,dkim,dmarc,recipient", "proxy_from": "127.0.0.0/8", "dns": names.address}
    with Gateway(door.url, **settings) as one, Gateway(door.url, **settings) as other:
        yield one, other
        assert one.tracebacks() == other.tracebacks() == []


@pytest.fixture
def edge(edges: tuple[Gateway, Gateway]) -> Gateway:
    return edges[0]


def test_what_the_edge_found_reaches_the_mailbox_under_its_seal(
    edge: Gateway, door: HomeDoor, mailboxes: Dovecot, scanner: Rspamd
) -> None:
    octets = letter("honest")

    assert mail(edge, octets).startswith("250")

    [message] = stored(mailboxes, "honest")
    [results] = message.get_all("Authentication-Results")
    assert results.startswith("mx.example.jp;")
    assert "spf=pass" in results
    assert "dmarc=pass" in results
    at_edge, at_home = account(edge, octets), account(door, octets)
    assert at_home["checks"] == {"seal": "valid", "rspamd": "no-action", "handling": "deliver"}
    assert at_home["client"] == at_edge["client"] == SENDER_ADDRESS
    assert message["X-MXGW-Fingerprint"] == at_edge["fingerprint"] == at_home["fingerprint"]
    assert [name for name in message if name.startswith("X-MXGW-")] == [FINGERPRINT_FIELD]
    [line] = [line for line in scanner.log().splitlines() if f"qid: <{at_home['id']}>" in line]
    assert f"ip: {SENDER_ADDRESS}" in line


def test_the_edges_word_for_junk_is_believed(edge: Gateway, door: HomeDoor, mailboxes: Dovecot) -> None:
    """The domain asks for quarantine, and this client is not its own."""
    octets = letter("spoofed")

    assert mail(edge, octets, address=STRANGER).startswith("250")

    [message] = stored(mailboxes, "spoofed")
    assert message["X-MXGW-Junk"] == "yes"
    checks = account(door, octets)["checks"]
    assert checks == {"seal": "valid", "rspamd": "no-action", "handling": "junk"}


def test_spam_is_refused_while_the_sender_waits(edge: Gateway) -> None:
    answer = mail(edge, letter("gtube", body=f"{GTUBE}\r\n"), "taro@example.jp", "hanako@example.jp")

    assert answer == "550 5.7.1 This message looks like spam and is not accepted #M60"


def test_a_repeat_over_the_other_edge_is_dropped(edges: tuple[Gateway, Gateway], mailboxes: Dovecot) -> None:
    for subject, message_id in (("twice", None), ("twice, no name", "")):
        octets = letter(subject, message_id=message_id)

        assert [mail(edge, octets)[:3] for edge in (*edges, *edges)] == ["250"] * 4

        assert len(stored(mailboxes, subject)) == 1


def test_nothing_that_a_sender_brings_passes_for_ours(edge: Gateway, mailboxes: Dovecot) -> None:
    forged = (
        "X-MXGW-Junk: no\r\nX-MXGW-Seal: t=1; junk=no; h=0\r\n"
        f"X-MXGW-Fingerprint: {FINGERPRINT}\r\n"
        "Authentication-Results: mx.example.jp; dmarc=pass header.from=bank.example\r\n"
        "Authentication-Results: home.example.jp; dmarc=pass header.from=bank.example\r\n"
        "Authentication-Results: list.example; dkim=pass header.d=list.example\r\n"
    )

    assert mail(edge, letter("forged", more=forged), address=STRANGER).startswith("250")

    [message] = stored(mailboxes, "forged")
    assert message["X-MXGW-Junk"] == "yes"
    assert message["X-MXGW-Fingerprint"] != FINGERPRINT
    assert message["X-MXGW-Seal"] is None
    results = message.get_all("Authentication-Results")
    assert [one.partition(";")[0] for one in results] == ["mx.example.jp", "list.example"]
    assert "dmarc=fail" in results[0]


# -- who has reached the door at home without an edge


def sealed(
    octets: bytes,
    *,
    fingerprint: str = FINGERPRINT,
    junk: bool = False,
    key: str = SEAL_KEY,
    age: float = 0.0,
    of: bytes | None = None,
) -> bytes:
    """A message with what an edge puts on top; ``of``: the seal is that of this other message."""
    message = of or octets
    header = parse_header(message)
    body_digest = hashlib.sha256(message[header.octets :]).digest()
    seal = EdgeSealer(key.encode()).seal_field(
        results=RESULTS,
        identity=message_identity(header, body_digest),
        fingerprint=fingerprint,
        junk=junk,
        now=time.time() - age,
    )
    return RESULTS + seal + f"{FINGERPRINT_FIELD}: {fingerprint}\r\n".encode() + octets


def test_a_seal_makes_home_believe(door: HomeDoor, mailboxes: Dovecot) -> None:
    fingerprint = "a" * 64

    octets = sealed(letter("sealed"), fingerprint=fingerprint, junk=True)

    bring(door.lmtp, octets)

    [message] = stored(mailboxes, "sealed")
    assert message["X-MXGW-Junk"] == "yes"
    assert message["X-MXGW-Fingerprint"] == fingerprint
    assert message.get_all("Authentication-Results") == [RESULTS.decode().partition(": ")[2].rstrip()]
    assert account(door, octets)["checks"]["seal"] == "valid"


_COPIED = f"X-MXGW-Fingerprint: {FINGERPRINT}\r\n{RESULTS.decode()}".encode()
UNPROVEN: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "no seal": ("none", lambda octets: b"X-MXGW-Junk: yes\r\n" + _COPIED + octets),
    "another key": (
        "forged",
        lambda octets: sealed(octets, key="another key of the same length", junk=True),
    ),
    "other results": ("forged", lambda octets: sealed(octets, junk=True).replace(b"spf=pass", b"dmarc=pass")),
    "another word": ("forged", lambda octets: sealed(octets).replace(b"junk=no", b"junk=yes")),
    "another fingerprint": (
        "forged",
        lambda octets: sealed(octets, junk=True).replace(FINGERPRINT.encode(), b"b" * 64),
    ),
    "no words": ("forged", lambda octets: b"X-MXGW-Seal: forged\r\n" + _COPIED + octets),
    "the seal of another message": (
        "forged",
        lambda octets: sealed(octets, junk=True, of=letter("another")),
    ),
    "too old": ("stale", lambda octets: sealed(octets, junk=True, age=MAX_AGE_SECONDS + 60)),
    "not yet": ("stale", lambda octets: sealed(octets, junk=True, age=-3600)),
}


@pytest.mark.parametrize("name", UNPROVEN)
def test_without_a_good_seal_nothing_is_believed(name: str, door: HomeDoor, mailboxes: Dovecot) -> None:
    state, seal = UNPROVEN[name]
    subject = f"unproven {name}"
    other = "Authentication-Results: list.example; dkim=pass header.d=list.example\r\n"

    octets = seal(letter(subject, more=other))

    assert bring(door.lmtp, octets)[0].startswith("250")

    [message] = stored(mailboxes, subject)
    assert [name for name in message if name.startswith("X-MXGW-")] == [FINGERPRINT_FIELD]
    assert message["X-MXGW-Fingerprint"] not in {FINGERPRINT, "b" * 64}
    assert message.get_all("Authentication-Results") == ["list.example; dkim=pass header.d=list.example"]
    assert account(door, octets)["checks"]["seal"] == state


def test_without_a_key_nothing_is_believed_and_the_administrator_is_told(
    mailboxes: Dovecot, scanner: Rspamd
) -> None:
    keyless = HomeDoor(mailboxes.url, rspamd=scanner.url)
    del keyless._environ["MXGW_SEAL_KEY"]
    with keyless as door:
        octets = sealed(letter("no key"))

        assert bring(door.lmtp, octets)[0].startswith("250")

        assert "MXGW_SEAL_KEY is not set" in door.events("config")[0]["problem"]
        assert account(door, octets)["checks"]["seal"] == "forged"
    [message] = stored(mailboxes, "no key")
    assert message["Authentication-Results"] is message["X-MXGW-Fingerprint"] is None


def test_rspamd_is_told_whether_the_edges_word_is_good(mailboxes: Dovecot) -> None:
    """A rule of the administrator's may look at it."""
    rule = """
rspamd_config:register_symbol({
  name = 'EDGE_IS_SURE', score = 7.0, group = 'test',
  callback = function(task)
    return tostring(task:get_request_header('X-MXGW-Seal')) == 'valid'
  end,
})
"""
    with (
        Rspamd({"rspamd.local.lua": rule}) as scanner,
        HomeDoor(mailboxes.url, rspamd=scanner.url) as door,
    ):
        bring(door.lmtp, sealed(letter("sure"), fingerprint="c" * 64))
        bring(door.lmtp, letter("unsure"))

    assert stored(mailboxes, "sure")[0]["X-MXGW-Junk"] == "yes"
    assert stored(mailboxes, "unsure")[0]["X-MXGW-Junk"] is None


# -- the end of a process


async def test_a_drain_finishes_the_message_that_is_being_scanned(
    mailboxes: Dovecot,
) -> None:
    with Rspamd() as scanner, HomeDoor(mailboxes.url, rspamd=scanner.url) as door:
        scanner.freeze()
        sending = asyncio.create_task(asyncio.to_thread(bring, door.lmtp, letter("drained")))
        await asyncio.to_thread(wait_until, lambda: held_octets(door) > 0, seconds=30, what="it has come")
        door.signal()
        await asyncio.to_thread(door.wait_for, "drain")
        scanner.thaw()

        assert (await sending)[0].startswith("250")
        assert await asyncio.to_thread(door.wait) == 0
    assert len(stored(mailboxes, "drained")) == 1
