"""One message under examination: what runs when, what is left out, and what hostile input costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address

import authres
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mxgw.config import AUTHENTICATION_CHECKS, Check
from mxgw.envelope import Client, ReversePath
from mxgw.header import MAX_HEADER_OCTETS, parse_header
from mxgw.msgauth.checks import Examination, Examiner
from mxgw.msgauth.dnsbl import DnsblResult, Listing
from mxgw.msgauth.evaluation import Evaluation
from mxgw.msgauth.results import Result
from mxgw.msgauth.results_field import results_field
from mxgw.resolver.answers import Answer, Lookup, Status
from tests.msgauth.arc_sealer import seal
from tests.msgauth.dkim_judge import KEY_NAME
from tests.msgauth.dkim_signer import MESSAGE, ed25519_key, key_record, sign
from tests.rig.zone import Zone

NOW = 1_500_000_000.0
HONEST = "192.0.2.1"
SIGNED = "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=sel; h=from:to:subject; bh=@BH@; b=@B@"
CLIENT = Client(ip_address(HONEST), 25, "mx.example.com", extended=True)
SENDER = ReversePath("joe", "example.com")
LONGEST_TURN_SECONDS = 0.05
"""How long one message may keep all others waiting: everything runs in one event loop."""


def zone(**more: dict[str, object]) -> Zone:
    return Zone(
        {
            "example.com": {"TXT": [f"v=spf1 ip4:{HONEST} -all"], "A": [HONEST]},
            "_dmarc.example.com": {"TXT": ["v=DMARC1; p=reject"]},
            KEY_NAME: {"TXT": [key_record(ed25519_key())]},
            "mx.example.com": {"A": [HONEST]},
            "1.2.0.192.in-addr.arpa": {"PTR": ["mx.example.com"]},
            **more,
        }
    )


def examiner(
    lookup: Lookup, *, checks: frozenset[Check] = AUTHENTICATION_CHECKS, seconds: float = 20.0
) -> Examiner:
    return Examiner(lookup, checks, "mx.example.jp", ("list.example",), lambda: NOW, seconds)


async def examined(message: bytes, lookup: Lookup, client: Client = CLIENT, **settings: object) -> Evaluation:
    examination = examiner(lookup, **settings).begin(client, SENDER)  # type: ignore[arg-type]
    return await fed(examination, message).finish()


def fed(examination: Examination, message: bytes, piece: int = 10_000) -> Examination:
    header = parse_header(message[:MAX_HEADER_OCTETS])
    examination.header(header)
    for begin in range(header.octets, len(message), piece):
        examination.body(message[begin : begin + piece])
    return examination


async def test_all_checks_of_an_honest_message_agree() -> None:
    found = await examined(seal(sign(MESSAGE, ed25519_key(), SIGNED), 1), zone())

    assert dict(found.words) == {
        "spf": "pass",
        "dkim": "pass",
        "dmarc": "pass",
        "arc": "pass",
        "iprev": "pass",
        "dnsbl": "not-listed",
    }
    assert found.auth_class == "dmarc football.example.com"


@pytest.mark.parametrize("check", sorted(AUTHENTICATION_CHECKS - {Check.DMARC}))
async def test_each_check_runs_alone_and_only_it_is_stated(check: Check) -> None:
    found = await examined(seal(sign(MESSAGE, ed25519_key(), SIGNED), 1), zone(), checks=frozenset({check}))

    assert [name for name, _ in found.words] == [check.value]


@pytest.mark.parametrize(
    ("listings", "word"),
    [
        ("not-listed broken", "broken"),
        ("unavailable broken not-listed", "broken"),
        ("not-listed unavailable", "unavailable"),
        ("broken unavailable listed", "listed"),
        ("not-listed not-listed", "not-listed"),
    ],
)
def test_one_word_for_all_lists_is_that_of_the_list_that_matters_most(listings: str, word: str) -> None:
    """A list that is ill lists nobody, or one day everybody: the log must not hide it behind another."""
    lists = tuple(DnsblResult("a.example", Listing(one)) for one in listings.split())

    assert dict(Evaluation(ip_address(HONEST), dnsbl=lists).words) == {"dnsbl": word}


async def test_dmarc_without_dkim_rests_on_spf() -> None:
    found = await examined(MESSAGE, zone(), checks=frozenset({Check.SPF, Check.DMARC}))

    assert found.dkim is None
    assert found.dmarc
    assert found.dmarc.aligned_spf


async def test_what_depends_on_the_address_is_left_out_for_a_client_of_our_own_network() -> None:
    found = await examined(MESSAGE, zone(), Client(ip_address("10.1.2.3"), 25, "mx.example.com"))

    assert found.inner_client
    assert {name for name, _ in found.words} == {"dkim", "dmarc", "arc"}


async def test_two_classes_are_two_messages_and_trouble_counts_as_nobody() -> None:
    signed = sign(MESSAGE, ed25519_key(), SIGNED)
    unaligned = zone(**{"_dmarc.example.com": {"TXT": []}})
    failing = zone()
    failing.fail(KEY_NAME)
    failing.fail("example.com")

    assert (await examined(signed, unaligned)).auth_class == "dkim example.com"
    assert (await examined(MESSAGE, unaligned)).auth_class == "spf example.com"
    assert (await examined(signed, failing)).auth_class == "nobody"


class Silent(Zone):
    """DNS that never answers."""

    async def txt(self, name: str) -> Answer[bytes]:
        await asyncio.Event().wait()
        return Answer(Status.TEMPORARY)


async def test_dns_that_never_answers_costs_no_more_than_its_deadline() -> None:
    async with asyncio.timeout(60):
        found = await examined(sign(MESSAGE, ed25519_key(), SIGNED), Silent({}), seconds=0.1)

    assert {found.spf.result if found.spf else None, found.dkim_result} == {Result.TEMPERROR}
    assert found.dmarc
    assert found.dmarc.result is Result.TEMPERROR


async def test_a_body_that_takes_long_does_not_use_up_the_time_of_what_is_asked_at_its_end() -> None:
    """SPF passes for a neighbour of the author domain: DNS says, at the end, that the two are one house."""
    world = zone(**{"bounce.example.com": {"TXT": [f"v=spf1 ip4:{HONEST} -all"]}})
    examination = examiner(world, checks=frozenset({Check.SPF, Check.DMARC}), seconds=0.5).begin(
        CLIENT, ReversePath("joe", "bounce.example.com")
    )
    fed(examination, MESSAGE)
    await asyncio.sleep(0.6)

    found = await examination.finish()

    assert found.dmarc
    assert found.dmarc.result is Result.PASS


async def test_a_message_that_does_not_come_leaves_no_task_behind() -> None:
    before = asyncio.all_tasks()
    examination = examiner(Silent({})).begin(CLIENT, SENDER)
    fed(examination, sign(MESSAGE, ed25519_key(), SIGNED))
    await asyncio.sleep(0)

    examination.drop()
    for _ in range(5):
        await asyncio.sleep(0)

    assert asyncio.all_tasks() == before


HOSTILE_FIELDS = st.sampled_from(
    ["From", "DKIM-Signature", "ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results", "Subject"]
)
HOSTILE_VALUES = st.one_of(
    st.binary(max_size=80).map(lambda octets: octets.replace(b"\n", b"").replace(b"\r", b"")),
    st.sampled_from(
        [
            b"i=1; a=rsa-sha256; cv=none; d=example.com; s=sel; b=aGVsbG8=",
            b"v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=sel; h=from; bh=aGVsbG8=; b=aGVsbG8=",
            b"joe@example.com",
            b"<joe@example.com>, <jane@bank.example>",
            b"i=1; mx.example.com; dmarc=pass",
        ]
    ),
)


@given(
    fields=st.lists(st.tuples(HOSTILE_FIELDS, HOSTILE_VALUES), max_size=8),
    body=st.binary(max_size=200),
    record=st.binary(max_size=120),
)
@settings(max_examples=150)
def test_whatever_comes_is_evaluated_and_stated_in_one_sound_field(
    fields: list[tuple[str, bytes]], body: bytes, record: bytes
) -> None:
    message = b"".join(b"%b: %b\r\n" % (name.encode(), value) for name, value in fields) + b"\r\n" + body
    world = zone(
        **{
            "example.com": {"TXT": [record]},
            "_dmarc.example.com": {"TXT": [b"v=DMARC1; " + record]},
            KEY_NAME: {"TXT": [record]},
        }
    )

    found = asyncio.run(examined(message, world))

    field = results_field("mx.example.jp", found.findings())
    assert field.isascii()
    assert field.count(b"\r\n") == field.count(b"\r\n ") + field.count(b"\r\n\t") + 1
    read = authres.AuthenticationResultsHeader.parse(field.decode().replace("\r\n", "").replace("\t", " "))
    assert [(one.method, one.result) for one in read.results] == [
        (one.method, one.result) for one in found.findings()
    ]


def hostile_headers() -> Iterator[tuple[str, bytes]]:
    signature = b"DKIM-Signature: " + SIGNED.replace("@BH@", "A" * 44).replace("@B@", "A" * 344).encode()
    yield "a thousand signatures", (signature + b"\r\n") * 900 + MESSAGE
    yield "ten thousand Received fields", b"Received: from x\r\n" * 10_000 + MESSAGE
    yield "a field of 200 KB", b"Subject: " + b"x" * 200_000 + b"\r\n" + MESSAGE
    yield "a From of 200 KB", b"From: " + b'"a" <a@b.example>, ' * 10_000 + b"\r\n\r\n"
    yield "a signature of 200 KB", b"DKIM-Signature: " + b"a=b; " * 40_000 + b"\r\n" + MESSAGE
    yield (
        "50 ARC sets",
        b"".join(
            b"ARC-Seal: i=%d; a=rsa-sha256; cv=pass; d=example.com; s=sel; b=AAAA\r\n"
            b"ARC-Message-Signature: i=%d; a=rsa-sha256; d=example.com; s=sel; h=from; bh=AAAA; b=AAAA\r\n"
            b"ARC-Authentication-Results: i=%d; x; none\r\n" % (n, n, n)
            for n in range(50, 0, -1)
        )
        + MESSAGE,
    )


HOSTILE = dict(hostile_headers())


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_header_keeps_other_messages_waiting(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    """The longest turn is printed; only what is out of all proportion fails: machines are slow at times."""
    message = HOSTILE[name]
    message = message[: MAX_HEADER_OCTETS - 4] + b"\r\n\r\n" if len(message) > MAX_HEADER_OCTETS else message
    turns: list[float] = []

    async def heartbeat() -> None:
        # The processor's time, not the clock's: other programs of the machine are no turn of ours.
        last = time.thread_time()
        while True:
            await asyncio.sleep(0)
            turns.append(time.thread_time() - last)
            last = time.thread_time()

    beating = asyncio.create_task(heartbeat())
    await asyncio.sleep(0)
    found = await examined(message + b"x" * 70 + b"\r\n", zone())
    beating.cancel()

    record_property("longest turn", f"{name}: {max(turns) * 1000:.1f} ms")
    print(f"{name}: longest turn {max(turns) * 1000:.1f} ms")
    assert max(turns) < 20 * LONGEST_TURN_SECONDS
    assert found.spf
    assert found.spf.result is Result.PASS
