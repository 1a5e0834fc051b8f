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
