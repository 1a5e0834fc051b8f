"""``mxgw verify`` as an admin uses it: a saved message, DNS that answers, words that say why."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import Ended, mxgw
from tests.msgauth.dkim_signer import key_record, rsa_key, sign
from tests.rig.zone import Zone, ZoneServer

KEY = rsa_key()
TAGS = "v=1; a=rsa-sha256; c=relaxed/simple; d=bank.example; s=s1; h=from:subject; bh=@BH@; b=@B@"
LETTER = (
    b"From: Bank <news@bank.example>\r\nTo: taro@example.jp\r\nSubject: hello\r\n\r\n"
    b"Dear Taro,\r\n\r\nhello.\r\n"
)
TRACE = (
    b"Return-Path: <bounce@bank.example>\r\n"
    b"Received: from mx.bank.example ([203.0.113.5])\r\n by mx.example.jp with ESMTP id 1;\r\n"
    b" Tue, 24 Nov 2026 10:00:00 +0000\r\n"
)


def zone() -> Zone:
    return Zone(
        {
            "bank.example": {"TXT": ["v=spf1 include:spf.bank.example -all"]},
            "spf.bank.example": {"TXT": ["v=spf1 ip4:203.0.113.0/28 -all"]},
            "_dmarc.bank.example": {"TXT": ["v=DMARC1; p=reject"]},
            "s1._domainkey.bank.example": {"TXT": [key_record(KEY)]},
            "mx.bank.example": {"A": ["203.0.113.5"]},
            "5.113.0.203.in-addr.arpa": {"PTR": ["mx.bank.example"]},
            "5.113.0.203.list.example": {"A": ["127.0.0.4"]},
        }
    )


async def verify(octets: bytes, tmp_path: Path, *arguments: str) -> Ended:
    file = tmp_path / "letter.eml"
    file.write_bytes(octets)
    async with ZoneServer(zone()) as server:
        return await asyncio.to_thread(mxgw, "verify", str(file), "--dns", server.address, *arguments)


def result(found: dict[str, Any], check: str) -> str:
    return next(row["result"] for row in found["checks"] if row["check"] == check)


async def test_a_saved_message_says_itself_who_sent_it(tmp_path: Path) -> None:
    done = await verify(TRACE + sign(LETTER, KEY, TAGS), tmp_path)

    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert found["facts"]["client"] == "203.0.113.5"
    assert {check: result(found, check) for check in ("spf", "dkim", "dmarc", "arc", "iprev")} == {
        "spf": "pass",
        "dkim": "pass",
        "dmarc": "pass",
        "arc": "none",
        "iprev": "pass",
    }
    assert found["handling"] == "deliver"


async def test_every_step_of_spf_is_told_with_the_records_it_read(tmp_path: Path) -> None:
    found = json.loads((await verify(TRACE + LETTER, tmp_path)).out)
    steps = "\n".join(next(row["steps"] for row in found["checks"] if row["check"] == "spf"))

    assert "v=spf1 include:spf.bank.example -all" in steps
    assert "ip4:203.0.113.0/28" in steps


async def test_line_ends_of_a_mail_store_do_not_break_a_signature(tmp_path: Path) -> None:
    stored = b"From MAILER-DAEMON Tue Nov 24 10:00:00 2026\n" + (TRACE + sign(LETTER, KEY, TAGS)).replace(
        b"\r\n", b"\n"
    )
    found = json.loads((await verify(stored, tmp_path)).out)

    assert result(found, "dkim") == "pass"


async def test_one_line_end_of_the_wire_does_not_keep_the_others_from_being_read(tmp_path: Path) -> None:
    """A mail program that saves mixed line ends; on the wire no LF stands alone."""
    stored = (TRACE + sign(LETTER, KEY, TAGS)).replace(b"\r\n", b"\n").replace(b"Taro,\n", b"Taro,\r\n")
    found = json.loads((await verify(stored, tmp_path)).out)

    assert result(found, "dkim") == "pass"


async def test_a_message_out_of_the_mailbox_is_judged_by_what_came_to_the_edge(tmp_path: Path) -> None:
    """Above the edge's Received stand those of the mailbox server, which heard the edge say LHLO, and one of
    the way between."""
    inner = (
        b"Return-Path: <>\r\nDelivered-To: taro@example.jp\r\n"
        b"Received: from mx.example.jp ([203.0.113.5])\r\n\tby mail with LMTP\r\n\tid 1:T2\r\n"
        b"\t(envelope-from <>)\r\n\tfor <taro@example.jp>; Tue, 24 Nov 2026 10:00:01 +0000\r\n"
        b"Received: from relay.internal ([100.64.0.7]) by mail.example.jp with ESMTP id 2;\r\n"
        b"\tTue, 24 Nov 2026 10:00:01 +0000\r\n"
    )
    outer = b"Received: from evil.example ([198.51.100.9]) by relay.example with ESMTP id 0; x\r\n"
    stored = inner + TRACE.partition(b"\r\n")[2] + outer + LETTER

    facts = json.loads((await verify(stored, tmp_path)).out)["facts"]

    assert (facts["client"], facts["HELO"]) == ("203.0.113.5", "mx.bank.example")


async def test_a_message_that_never_left_our_own_network_is_not_judged_by_strangers(tmp_path: Path) -> None:
    trace = (
        b"Return-Path: <a@bank.example>\r\nReceived: from pc ([192.168.1.5]) by mail with ESMTP id 1; x\r\n"
    )

    facts = json.loads((await verify(trace + LETTER, tmp_path)).out)["facts"]

    assert (facts["client"], facts["HELO"]) == ("192.168.1.5", "pc")


async def test_a_client_on_a_list_is_told_as_the_edge_tells_it(tmp_path: Path) -> None:
    asked = ("--dnsbl-zones", "list.example,other.example", "--dnsbl", "reject")
    found = json.loads((await verify(TRACE + LETTER, tmp_path, *asked)).out)

    rows = [row for row in found["checks"] if row["check"] == "dnsbl"]
    assert [(row["about"], row["result"]) for row in rows] == [
        ("list.example", "listed"),
        ("other.example", "not-listed"),
    ]
    assert "127.0.0.4" in rows[0]["why"]
    assert found["reply"].startswith("550 5.7.1")


async def test_the_name_check_of_the_client_says_what_was_missing(tmp_path: Path) -> None:
    said = ("--ip", "198.51.100.9", "--helo", "evil.example", "--mail-from", "x@evil.example")
    found = json.loads((await verify(LETTER, tmp_path, *said)).out)

    (row,) = (row for row in found["checks"] if row["check"] == "iprev")
    assert (row["result"], row["why"]) == ("permerror", "the address has no name")


async def test_a_forged_message_is_told_why_it_would_be_in_junk_or_refused(tmp_path: Path) -> None:
    forged = ("--ip", "198.51.100.9", "--helo", "evil.example", "--mail-from", "x@evil.example")
    junk = json.loads((await verify(LETTER, tmp_path, *forged)).out)
    refused = json.loads((await verify(LETTER, tmp_path, *forged, "--dmarc", "reject")).out)

    assert (junk["handling"], refused["handling"]) == ("junk", "reject")
    assert "bank.example asks for p=reject" in junk["why"]
    assert refused["reply"].startswith("550 5.7.26")


@pytest.mark.parametrize(
    ("octets", "arguments", "words"),
    [
        (LETTER, (), "no Received field says which address the message came from; give --ip"),
        (LETTER, ("--ip", "192.0.2.1"), "give --mail-from"),
        (b"no header here\r\n", ("--ip", "192.0.2.1"), "this is no message"),
        (LETTER, ("--ip", "192.0.2.1", "--mail-from", "nobody at all"), "is no reverse-path"),
        (LETTER, ("--ip", "192.0.2.300"), "expected an IP address"),
    ],
)
async def test_what_is_missing_is_said_in_one_sentence(
    octets: bytes, arguments: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    done = await verify(octets, tmp_path, *arguments)

    assert done.code == 2
    assert words in done.err
    assert "Traceback" not in done.err


async def test_without_dns_every_result_says_so_and_nothing_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "letter.eml"
    file.write_bytes(TRACE + sign(LETTER, KEY, TAGS))
    done = await asyncio.to_thread(mxgw, "verify", str(file), "--dns", "127.0.0.1:9")

    found = json.loads(done.out)
    assert {result(found, check) for check in ("spf", "dkim", "dmarc", "iprev")} == {"temperror"}
    assert found["handling"] == "deliver"
