"""What a stranger may make DKIM and ARC do: everything is bounded, and nothing raises."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from mxgw.header import Field, parse_header
from mxgw.msgauth.arc import MAX_KEYS, ArcChain, verify_chain
from mxgw.msgauth.bodyhash import MAX_BODY_FORMS
from mxgw.msgauth.dkim import MAX_SIGNATURES, DkimPlan, verify
from mxgw.msgauth.dkim_keys import KeyRing
from mxgw.msgauth.dkim_signature import MAX_SIGNATURE_OCTETS, Flaw, read_signature
from mxgw.msgauth.results import Result
from tests.msgauth.dkim_judge import KEY_NAME, NOW, arc_verdict, dkim_verdict, dkim_verdicts, zone_of
from tests.msgauth.dkim_signer import MESSAGE, TAGS, ed25519_key, key_record, rsa_key, sign
from tests.rig.zone import Zone

ED25519_TAGS = TAGS.replace("rsa-", "ed25519-")


def signed_by(domains: list[str], *, message: bytes = MESSAGE) -> bytes:
    for domain in reversed(domains):
        message = sign(message, ed25519_key(), ED25519_TAGS.replace("example.com", domain))
    return message


def zone_for(domains: list[str]) -> Zone:
    return Zone({f"sel._domainkey.{domain}": {"TXT": [key_record(ed25519_key())]} for domain in domains})


async def test_of_many_signatures_only_some_are_verified() -> None:
    domains = [f"d{number}.example" for number in range(1000)]
    zone = zone_for(domains)
    message = signed_by(domains[:40]) + b""
    field = message.partition(b"\r\nDKIM")[0] + b"\r\n"
    many = field * 960 + message

    verdicts = await dkim_verdicts(many, zone)

    assert [one.result for one in verdicts] == [Result.PASS] * MAX_SIGNATURES
    assert zone.questions <= MAX_SIGNATURES
    assert DkimPlan.of(parse_header(many)).unread == 1000 - MAX_SIGNATURES


async def test_those_that_may_align_with_from_are_verified_first() -> None:
    others = [f"d{number}.example" for number in range(20)]
    near = ["other.corp.example", "corp.example", "a.mail.corp.example", "mail.corp.example"]
    domains = [*others[:12], *near, *others[12:]]
    message = signed_by(domains)

    verdicts = await dkim_verdicts(message, zone_for(domains), prefer_domains=["Mail.Corp.example"])

    assert [one.claim.domain for one in verdicts] == [*others[:4], *near]


async def test_broken_signatures_do_not_crowd_out_sound_ones() -> None:
    message = b"DKIM-Signature: v=1; b=; broken\r\n" * 20 + signed_by(["example.com"])

    verdicts = await dkim_verdicts(message, zone_for(["example.com"]))

    assert len(verdicts) == MAX_SIGNATURES
    assert [one.result for one in verdicts].count(Result.PASS) == 1


async def test_a_body_is_hashed_in_a_few_forms_only() -> None:
    message = MESSAGE
    for length in (9, 8, 7, 6, 5, 4, 3):
        message = sign(message, rsa_key(), f"{TAGS}; l={length}")

    plan = DkimPlan.of(parse_header(message))
    verdicts = await dkim_verdicts(message, zone_of(rsa_key()))

    assert len(plan.body_forms) == MAX_BODY_FORMS
    assert [one.reason for one in verdicts] == [
        *["the end of the body is not signed"] * MAX_BODY_FORMS,
        *["too many different body hashes"] * 3,
    ]


async def test_each_key_is_asked_for_once() -> None:
    message = sign(sign(MESSAGE, rsa_key()), rsa_key())
    zone = zone_of(rsa_key())
    plan = DkimPlan.of(parse_header(message))
    keys = KeyRing(zone)

    await asyncio.gather(keys.fetch(plan.key_names), keys.fetch(plan.key_names))
    verdicts = await verify(plan, plan.body_hashes().finish(), keys, NOW)

    assert len(verdicts) == 2
    assert zone.asked == [f"TXT {KEY_NAME}"]


async def test_other_tasks_run_between_two_signatures() -> None:
    plan = DkimPlan.of(parse_header(signed_by(["example.com"] * 8)))
    keys = KeyRing(zone_for(["example.com"]))
    await keys.fetch(plan.key_names)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await verify(plan, plan.body_hashes().finish(), keys, NOW)
    task.cancel()

    assert turns >= MAX_SIGNATURES - 1


async def test_a_signature_may_be_folded_and_blank_up_to_the_bound_and_no_further() -> None:
    tags = TAGS.replace("b=@B@", "b=" + "\r\n " * 2000 + "@B@")
    message = sign(MESSAGE, rsa_key(), tags)
    value = message.partition(b"; b=")[2].partition(b"\r\nFrom")[0].strip()
    split = message.replace(value, b" ".join(value[at : at + 1] for at in range(len(value))))

    fits = await dkim_verdict(split, zone_of(rsa_key()))
    blank = await dkim_verdict(message.replace(b"; b=", b"; b=" + b" " * 50_000), zone_of(rsa_key()))

    assert fits.result is Result.PASS
    assert (blank.result, blank.reason) == (Result.PERMERROR, "field is too long")


def test_a_field_of_the_largest_size_is_read_in_one_pass() -> None:
    for filler in (b";", b"=", b"a=1;", b" ", b"b=;", b";b", b"; b \t", b"\r\n\t", b"h=from:", b"\xff"):
        raw = b"DKIM-Signature:" + filler * (MAX_SIGNATURE_OCTETS // len(filler) - 4) + b"\r\n"
        assert isinstance(read_signature(Field("DKIM-Signature", raw)), Flaw)


async def test_a_header_block_of_256_kib_that_is_all_signed() -> None:
    names = [f"X-{number}" for number in range(120)]
    block = b"".join(f"{name}: {'a  b' * 500}\r\n".encode() for name in names)
    tags = TAGS.replace("subject", "subject:" + ":".join(names))
    message = sign(sign(block + MESSAGE, rsa_key(), tags), rsa_key(), tags)

    verdicts = await dkim_verdicts(message, zone_of(rsa_key()))

    assert [one.result for one in verdicts] == [Result.PASS] * 2


async def test_a_chain_with_too_many_sets_or_keys_fails_without_a_question() -> None:
    zone = Zone()

    sets = await arc_verdict(chain(51, "example.com") + MESSAGE, zone)
    keys = await arc_verdict(chain(MAX_KEYS + 1, "d%d.example.com") + MESSAGE, zone)

    assert (sets.result, sets.reason) == (Result.FAIL, "more than 50 sets")
    assert (keys.result, keys.reason) == (Result.FAIL, "too many different keys")
    assert zone.questions == 0


async def test_a_chain_of_the_largest_size_asks_for_a_few_keys() -> None:
    zone = zone_of(rsa_key())

    verdict = await arc_verdict(chain(50, "example.com") + MESSAGE, zone)

    assert verdict.result is Result.FAIL
    assert zone.questions == 1


def chain(count: int, domain: str) -> bytes:
    """Sets of the right form whose signatures are none."""
    text = ""
    for instance in range(count, 0, -1):
        signer = domain % instance if "%" in domain else domain
        who = f"i={instance}; a=rsa-sha256; d={signer}; s=sel; b=AAAA"
        text += f"ARC-Seal: {who}; cv={'none' if instance == 1 else 'pass'}\r\n"
        text += f"ARC-Message-Signature: {who}; c=relaxed/relaxed; h=from; bh={'A' * 43}=\r\n"
        text += f"ARC-Authentication-Results: i={instance}; {signer}; none\r\n"
    return text.encode()


TAG_NAMES = st.sampled_from([*"vabcdhilqstxzkpn", "bh", "cv", "aa"])
TAG_VALUES = st.one_of(
    st.sampled_from(["1", "50", "0", "99999999999999", "-1", "A", "AAAA", "AAA=", "none", "pass", "fail"]),
    st.sampled_from(["rsa-sha256", "ed25519-sha256", "rsa-sha1", "relaxed/relaxed", "simple", "dns/txt"]),
    st.sampled_from(["example.com", "sel", "from:to", "from", "@example.com"]),
    st.text(max_size=12),
)
TAG_LISTS = st.lists(st.tuples(TAG_NAMES, TAG_VALUES), max_size=14).map(
    lambda tags: "; ".join(f"{name}={value}" for name, value in tags)
)
FIELD_NAMES = st.sampled_from(
    ["DKIM-Signature", "ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results", "From", "to", "X"]
)
FIELDS = st.tuples(FIELD_NAMES, st.one_of(TAG_LISTS, st.text(max_size=30))).map(
    lambda pair: f"{pair[0]}: {pair[1]}\r\n".encode("utf-8", "surrogatepass")
)


@settings(deadline=None, max_examples=600)
@given(st.lists(FIELDS, max_size=12).map(b"".join), st.binary(max_size=60), st.binary(max_size=60))
def test_any_message_and_any_record_have_a_verdict(block: bytes, body: bytes, record: bytes) -> None:
    asyncio.run(judge_anything(block + b"\r\n" + body, record))


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=300), st.binary(max_size=60))
def test_any_octets_have_a_verdict(message: bytes, record: bytes) -> None:
    asyncio.run(judge_anything(message, record))


@settings(deadline=None, max_examples=600)
@given(st.data())
def test_a_sound_signature_with_octets_altered_has_a_verdict(data: st.DataObject) -> None:
    message = bytearray(sign(MESSAGE, ed25519_key(), ED25519_TAGS))
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    asyncio.run(judge_anything(bytes(message), key_record(ed25519_key()).encode()))


async def judge_anything(message: bytes, record: bytes) -> None:
    zone = Zone({KEY_NAME: {"TXT": [record]}})
    header = parse_header(message)
    plan = DkimPlan.of(header, prefer_domains=["example.com"])
    hashes = plan.body_hashes()
    hashes.feed(message[header.octets :])
    bodies = hashes.finish()
    keys = KeyRing(zone)
    for one in await verify(plan, bodies, keys, NOW):
        assert one.reason.isascii()
        assert one.counts_for_dmarc <= (one.result is Result.PASS)
    verdict = await verify_chain(plan.chain, header, bodies, keys, NOW)
    assert verdict.result in {Result.NONE, Result.PASS, Result.FAIL}
    assert verdict.results.isprintable()
    assert ArcChain.of(header) == plan.chain
