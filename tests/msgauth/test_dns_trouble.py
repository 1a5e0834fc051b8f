"""DNS trouble never refuses: what RFC 7208 section 5.5 passes over may have been what would have passed."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mxgw.config import AUTHENTICATION_CHECKS, Check, DmarcPolicy, NullMxPolicy
from mxgw.envelope import Client, ReversePath
from mxgw.header import parse_header
from mxgw.msgauth.checks import Examiner
from mxgw.msgauth.disposition import Disposition, Handling, dispose
from mxgw.msgauth.results import Result
from mxgw.msgauth.spf import check_spf
from tests.msgauth.arc_sealer import seal
from tests.msgauth.dkim_signer import ed25519_key, key_record, sign
from tests.rig.zone import Zone

CLIENT = Client(ip_address("192.0.2.1"), 25, "mx.bank.example", extended=True)
REVERSE = "1.2.0.192.in-addr.arpa"
LETTER = b"From: a@bank.example\r\nSubject: x\r\n\r\nhello\r\n"
TAGS = "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=%s; s=s; h=from:subject; bh=@BH@; b=@B@"
SIGNED = sign(LETTER, ed25519_key(), TAGS % "mail.bank.example")
RECORDS = [
    "v=spf1 ptr:bank.example -all",
    "v=spf1 exists:%{p}.ok.example -all",
    "v=spf1 a:gone.example mx include:spf.bank.example -all",
    "v=spf1 ip4:192.0.2.1 -all",
]


def zone(record: str) -> Zone:
    """In which the client is the bank's in each way that a record may say it."""
    return Zone(
        {
            "bank.example": {"TXT": [record], "MX": [(10, "mx.bank.example")]},
            "spf.bank.example": {"TXT": ["v=spf1 a:mx.bank.example -all"]},
            "mx.bank.example": {"A": ["192.0.2.1"], "TXT": ["v=spf1 a -all"]},
            "mx.bank.example.ok.example": {"A": ["127.0.0.2"]},
            "_dmarc.bank.example": {"TXT": ["v=DMARC1; p=reject; np=quarantine"]},
            "sel._domainkey.lists.example": {"TXT": [key_record(ed25519_key())]},
            "s._domainkey.mail.bank.example": {"TXT": [key_record(ed25519_key())]},
            REVERSE: {"PTR": ["mx.bank.example"]},
        }
    )


async def disposed(dns: Zone, message: bytes, client: Client = CLIENT) -> Disposition:
    examiner = Examiner(
        dns, AUTHENTICATION_CHECKS - {Check.DNSBL}, "mx.example.jp", (), lambda: 0.0, null_mx=True
    )
    examination = examiner.begin(client, ReversePath("a", "bank.example"))
    header = parse_header(message)
    examination.header(header)
    examination.body(message[header.octets :])
    found = await examination.finish()
    return dispose(
        mode=DmarcPolicy.REJECT,
        author=found.author,
        dmarc=found.dmarc,
        arc=found.arc,
        trusted_sealers=frozenset({"lists.example"}),
        null_mx=found.null_mx,
        null_mx_policy=NullMxPolicy.REJECT,
        crowded=found.crowded,
    )


@pytest.mark.parametrize("failing", [REVERSE, "A mx.bank.example"])
@pytest.mark.parametrize("record", RECORDS[:2])
async def test_a_name_of_the_client_that_dns_hides_is_no_match_and_no_reason_to_refuse(
    record: str, failing: str
) -> None:
    dns = zone(record)
    assert (await disposed(dns, LETTER)).handling is Handling.DELIVER
    dns.fail(failing)

    found = await check_spf(dns, address=CLIENT.address, helo=CLIENT.helo, mail_from="a@bank.example")
    done = await disposed(dns, LETTER)

    assert (found.result, found.unsure) == (Result.FAIL, True)
    assert done.handling is Handling.JUNK


async def test_a_fail_that_dns_had_no_part_in_is_sure() -> None:
    dns = zone("v=spf1 a:gone.example -all exp=why.%{p}.bank.example")
    dns.fail(REVERSE)

    found = await check_spf(dns, address=CLIENT.address, helo=CLIENT.helo, mail_from="a@bank.example")

    assert (found.result, found.unsure) == (Result.FAIL, False)
    assert (await disposed(dns, LETTER)).handling is Handling.REJECT


LIST = Client(ip_address("192.0.2.77"), 25, "lists.example", extended=True)
WORDS = [
    "lists.example; dmarc=pass header.from=bank.example",
    "lists.example; dkim=pass header.d=mail.bank.example",
    "lists.example; spf=pass smtp.mailfrom=bank.example",
]
FORWARDED = [
    seal(SIGNED.replace(b"Subject: x", b"Subject: [list] x"), 1, domain="lists.example", results=words)
    for words in WORDS
]
NAMES = st.sampled_from(
    [
        "bank.example",
        "spf.bank.example",
        "mx.bank.example",
        "mx.bank.example.ok.example",
        "gone.example",
        "_dmarc.bank.example",
        "_dmarc.mail.bank.example",
        "_dmarc.example",
        "sel._domainkey.lists.example",
        "s._domainkey.mail.bank.example",
        REVERSE,
    ]
)
KINDS = st.sampled_from(["", "A ", "TXT ", "MX ", "PTR "])


@given(
    record=st.sampled_from(RECORDS),
    message=st.sampled_from([LETTER, SIGNED]),
    failing=st.sets(st.tuples(KINDS, NAMES), max_size=4),
)
@settings(max_examples=300)
async def test_whatever_dns_does_not_answer_honest_mail_is_not_refused(
    record: str, message: bytes, failing: set[tuple[str, str]]
) -> None:
    dns = zone(record)
    for kind, name in failing:
        dns.fail(f"{kind}{name}")

    assert (await disposed(dns, message)).handling is not Handling.REJECT


@given(
    message=st.sampled_from(FORWARDED),
    record=st.sampled_from(["v=DMARC1; p=reject", "v=DMARC1; p=reject; adkim=s; aspf=s"]),
    failing=st.sets(st.tuples(KINDS, NAMES), max_size=3),
)
@settings(max_examples=300)
async def test_whatever_dns_does_not_answer_what_a_trusted_list_passes_on_is_not_refused(
    message: bytes, record: str, failing: set[tuple[str, str]]
) -> None:
    dns = zone(RECORDS[3])
    dns.put("_dmarc.bank.example", {"TXT": [record]})
    expected = (await disposed(dns, message, LIST)).handling
    for kind, name in failing:
        dns.fail(f"{kind}{name}")

    found = (await disposed(dns, message, LIST)).handling

    assert found is not Handling.REJECT or expected is Handling.REJECT
