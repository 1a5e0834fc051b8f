"""Who really sent a message: stated by the running gateway, from DNS that a zone server answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from typing import Any

import authres
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from lxml import etree

from mxgw.header import parse_header
from mxgw.msgauth.forged_results import forged_results
from tests.cli.support import mxgw
from tests.msgauth.dkim_signer import key_record, rsa_key, sign
from tests.reports.events import NS, SCHEMA
from tests.rig.courier import Courier
from tests.rig.dovecot import Dovecot
from tests.rig.gateway import Gateway
from tests.rig.zone import Zone, ZoneServer

HONEST, STRANGER, LISTED = "203.0.113.5", "198.51.100.9", "198.51.100.66"
SELECTOR = "s1"
CHECKS = "spf,dkim,dmarc,arc,iprev,recipient"
TAGS = (
    "v=1; a=rsa-sha256; c=relaxed/relaxed; d=bank.example; s=s1; "
    "h=from:to:subject:date:message-id; bh=@BH@; b=@B@"
)
KEY = rsa_key()


def zone(policy: str = "reject") -> Zone:
    return Zone(
        {
            "bank.example": {"TXT": [f"v=spf1 ip4:{HONEST} -all"], "A": [HONEST]},
            "_dmarc.bank.example": {"TXT": [f"v=DMARC1; p={policy}; rua=mailto:d@bank.example"]},
            f"{SELECTOR}._domainkey.bank.example": {"TXT": [key_record(KEY)]},
            "mx.bank.example": {"A": [HONEST], "TXT": [f"v=spf1 ip4:{HONEST} -all"]},
            "5.113.0.203.in-addr.arpa": {"PTR": ["mx.bank.example"]},
            "evil.example": {"TXT": [f"v=spf1 ip4:{STRANGER} -all"]},
            "66.100.51.198.list.example": {"A": ["127.0.0.2"]},
        }
    )


def letter(number: int, *, author: str = "Bank <news@bank.example>", more: str = "") -> bytes:
    return (
        f"{more}From: {author}\r\nTo: taro@example.jp\r\nSubject: letter {number}\r\n"
        f"Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{number}@bank.example>\r\n\r\n"
        f"Hello, this is letter {number}.\r\n"
    ).encode()


@dataclass
class Edge:
    """A gateway before Dovecot whose clients come from any address, by the PROXY protocol."""

    gateway: Gateway
    home: Dovecot
    server: ZoneServer

    async def send(
        self,
        octets: bytes,
        *,
        address: str = HONEST,
        sender: str = "bounce@bank.example",
        helo: str = "mx.bank.example",
        recipient: str = "taro@example.jp",
    ) -> str:
        courier = Courier(*await asyncio.open_connection(*self.gateway.smtp))
        try:
            courier.write(f"PROXY TCP4 {address} 127.0.0.1 4000 25\r\n".encode())
            assert (await courier.reply()).startswith("220")
            await courier.command(f"EHLO {helo}")
            return await courier.send(octets, sender=sender, recipients=[recipient])
        finally:
            await courier.close()

    def stored(self, subject: str, user: str = "taro") -> Message:
        for octets in self.home.messages(user):
            message = message_from_bytes(octets)
            if message["Subject"] == subject:
                return message
        raise AssertionError(f"{subject!r} is not in the mailbox")

    def results(self, message: Message) -> dict[str, str]:
        """Method and result of the topmost field, read by a parser that is not ours."""
        field = authres.AuthenticationResultsHeader.parse(
            "Authentication-Results: " + message.get_all("Authentication-Results")[0]
        )
        assert field.authserv_id == "mx.example.jp"
        return {one.method: one.result for one in field.results}

    async def event(self, name: str) -> dict[str, Any]:
        return (await asyncio.to_thread(self.gateway.wait_for, name))[-1]


@asynccontextmanager
async def edge(policy: str = "reject", **environ: str) -> AsyncIterator[Edge]:
    async with ZoneServer(zone(policy)) as server:
        with Dovecot({"taro": None, "hanako": None}) as home:
            settings = {"checks": CHECKS, "proxy_from": "127.0.0.0/8", "dns": server.address, **environ}
            with Gateway(home.url, **settings) as gateway:
                yield Edge(gateway, home, server)
                assert gateway.tracebacks() == []


def signed(octets: bytes, key: RSAPrivateKey = KEY) -> bytes:
    return sign(octets, key, TAGS)


async def test_an_honest_message_carries_what_was_found_and_goes_to_the_inbox() -> None:
    async with edge() as at:
        assert (await at.send(signed(letter(1)))).startswith("250")

        message = at.stored("letter 1")
        assert at.results(message) == {
            "spf": "pass", "dkim": "pass", "dmarc": "pass", "arc": "none", "iprev": "pass",
        }  # fmt: skip
        assert message["X-MXGW-Junk"] is None
        assert message["X-MXGW-Seal"]
        checks = (await at.event("transaction"))["checks"]
        assert checks["dmarc"] == "pass"
        assert checks["handling"] == "deliver"


@pytest.mark.parametrize(
    ("policy", "mode", "reply", "junk"),
    [
        ("reject", "quarantine", "250", "yes"),
        ("quarantine", "quarantine", "250", "yes"),
        ("none", "quarantine", "250", None),
        ("reject", "report", "250", None),
        ("reject", "reject", "550 5.7.26", None),
        ("quarantine", "reject", "250", "yes"),
    ],
)
async def test_a_forged_message_is_handled_as_policy_and_setting_say(
    policy: str, mode: str, reply: str, junk: str | None
) -> None:
    async with edge(policy, dmarc=mode) as at:
        said = await at.send(letter(2), address=STRANGER, sender="x@evil.example", helo="evil.example")

        assert said.startswith(reply)
        event = await at.event("dmarc")
        assert (event["header_from"], event["spf_aligned"], event["dkim_aligned"]) == (
            "bank.example", "fail", "fail",
        )  # fmt: skip
        if reply == "250":
            message = at.stored("letter 2")
            assert at.results(message)["dmarc"] == "fail"
            assert at.results(message)["spf"] == "pass"  # of evil.example, which proves nothing
            assert message["X-MXGW-Junk"] == junk


@pytest.mark.parametrize(
    "alter",
    [
        lambda octets: octets.replace(b"Hello", b"Pay me"),
        lambda octets: octets.replace(b"Subject: letter", b"Subject: Letter"),
    ],
)
async def test_an_altered_message_fails_its_signature(alter: Callable[[bytes], bytes]) -> None:
    async with edge() as at:
        said = await at.send(alter(signed(letter(3))), address=STRANGER, sender="x@evil.example")

        assert said.startswith("250")
        checks = (await at.event("transaction"))["checks"]
        assert checks["dkim"] == "fail"
        assert checks["handling"] == "junk"


async def test_forged_results_and_words_of_ours_do_not_arrive() -> None:
    forged = (
        "Authentication-Results: mx.example.jp; dmarc=pass header.from=bank.example\r\n"
        'Authentication-Results: (a comment) "MX.example.jp" ;\r\n\tspf=pass\r\n'
        "Authentication-Results: mx.other.example; spf=pass\r\n"
        "X-MXGW-Seal: forged\r\nX-MXGW-Junk: no\r\n"
    )
    async with edge("none") as at:
        assert (await at.send(letter(4, more=forged), address=STRANGER)).startswith("250")

        message = at.stored("letter 4")
        fields = message.get_all("Authentication-Results")
        assert len(fields) == 2
        assert at.results(message)["dmarc"] == "fail"
        assert fields[1].startswith("mx.other.example")
        assert message.get_all("X-MXGW-Seal") != ["forged"]
        assert message["X-MXGW-Junk"] is None
        header = parse_header(message.as_bytes().replace(b"\n", b"\r\n"))
        assert len(forged_results(header, frozenset({"mx.example.jp"}))) == 1


async def test_dns_that_does_not_answer_is_no_reason_to_refuse() -> None:
    async with edge(dmarc="quarantine") as at:
        at.server.zone.fail("_dmarc.bank.example")
        at.server.zone.fail("bank.example")

        assert (await at.send(letter(5))).startswith("250")

        assert at.results(at.stored("letter 5"))["spf"] == "temperror"
        assert at.stored("letter 5")["X-MXGW-Junk"] is None


async def test_a_forger_gains_nothing_by_a_subdomain_whose_dns_is_dead() -> None:
    async with edge() as at:
        at.server.zone.fail("_dmarc.old.bank.example")
        forged = letter(14, author="Bank <news@old.bank.example>")

        assert (await at.send(forged, address=STRANGER, sender="x@evil.example")).startswith("250")

        assert at.results(at.stored("letter 14"))["dmarc"] == "temperror"
        assert at.stored("letter 14")["X-MXGW-Junk"] == "yes"


async def test_dns_that_does_not_answer_puts_off_where_policy_would_refuse() -> None:
    async with edge(dmarc="reject") as at:
        at.server.zone.fail("_dmarc.bank.example")

        said = await at.send(letter(6), address=STRANGER, sender="x@evil.example")

        assert said.startswith("451 4.7")


async def test_a_listed_client_is_refused_before_its_message_travels() -> None:
    async with edge(
        checks="spf,dkim,dmarc,dnsbl,recipient", dnsbl_zones="list.example", dnsbl="reject"
    ) as at:
        said = await at.send(letter(7), address=LISTED, sender="x@evil.example")

        assert said.startswith("550 5.7.1")
        assert at.home.messages("taro") == []


async def test_a_listed_client_is_only_stated_where_that_is_asked_for() -> None:
    async with edge("none", checks="spf,dkim,dmarc,dnsbl,recipient", dnsbl_zones="list.example") as at:
        assert (await at.send(letter(8), address=LISTED)).startswith("250")

        assert (await at.event("transaction"))["checks"]["dnsbl"] == "listed"


async def test_a_forged_twin_sent_first_does_not_keep_the_true_message_out() -> None:
    """Home drops what it has already; who vouches for a message is part of what it goes by."""
    async with edge() as at:
        true = letter(9)
        assert (await at.send(true, address=STRANGER, sender="bounce@bank.example")).startswith("250")
        assert (await at.send(signed(true))).startswith("250")

        assert len(at.home.messages("taro")) == 2
        assert (await at.send(signed(true))).startswith("250")
        assert len(at.home.messages("taro")) == 2


async def test_a_message_from_our_own_network_is_not_judged_by_its_address() -> None:
    async with edge() as at:
        assert (await at.send(letter(10), address="10.0.0.7")).startswith("250")

        checks = (await at.event("transaction"))["checks"]
        assert "spf" not in checks
        assert "iprev" not in checks


async def test_the_log_becomes_the_report_that_the_domain_asked_for() -> None:
    async with edge() as at:
        assert (await at.send(signed(letter(11)))).startswith("250")
        assert (await at.send(letter(12), address=STRANGER, sender="x@evil.example")).startswith("250")
        await at.send(letter(13), recipient="nobody@example.jp")
        await asyncio.to_thread(at.gateway.wait_for, "dmarc", count=2)
        log = "".join(json.dumps(event) + "\n" for event in at.gateway.events())

    today = datetime.now(UTC).date()
    done = await asyncio.to_thread(
        mxgw,
        *(
            "dmarc-report",
            "-",
            "--from",
            str(today - timedelta(days=1)),
            "--until",
            str(today + timedelta(days=1)),
        ),
        *("--email", "dmarc@example.jp", "--domain", "bank.example", "--output", "-"),
        stdin=log,
    )

    assert done.code == 0, done.err
    report = etree.fromstring(done.out.encode())
    SCHEMA.assertValid(report)
    rows = {
        row.findtext(f"{NS}source_ip"): (
            row.findtext(f"{NS}count"),
            row.findtext(f"{NS}policy_evaluated/{NS}disposition"),
            row.findtext(f"{NS}policy_evaluated/{NS}dkim"),
        )
        for row in report.iter(f"{NS}row")
    }
    assert rows == {HONEST: ("1", "pass", "pass"), STRANGER: ("1", "quarantine", "fail")}
