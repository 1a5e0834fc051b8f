"""Null MX of the sender's domain (RFC 7505), by the running gateway with DNS of a zone server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mxgw.trail.attempt import parse_attempt
from mxgw.trail.fate import Cause, cause_of
from tests.e2e.test_senders_are_authenticated import HONEST, Edge, edge, letter

SENDER = "noreply@news.example"


@asynccontextmanager
async def gateway(**environ: str) -> AsyncIterator[Edge]:
    async with edge("none", checks="spf,dkim,dmarc,recipient", **environ) as at:
        at.server.zone.put("news.example", {"MX": [(0, ".")], "TXT": [f"v=spf1 ip4:{HONEST} -all"]})
        at.server.zone.put("shop.example", {"MX": [(10, "mx.shop.example")]})
        yield at


async def test_it_is_stated_and_not_refused_unless_a_setting_says_so() -> None:
    async with gateway() as at:
        assert (await at.send(letter(1), sender=SENDER)).startswith("250")

        message = at.stored("letter 1")
        field = " ".join(message.get_all("Authentication-Results")[0].split())
        assert "spf=pass smtp.mailfrom=news.example policy.mx=null" in field
        assert at.results(message)["spf"] == "pass"
        checks = (await at.event("transaction"))["checks"]
        assert (checks["null-mx"], checks["handling"]) == ("yes", "deliver")


async def test_it_is_refused_where_the_setting_says_so() -> None:
    async with gateway(null_mx="reject") as at:
        # All commands in one flight: DNS is asked, and its answer awaited at the end of the content.
        said = await at.send(letter(1), sender=SENDER)
        assert said.startswith("550 5.7.27 ")
        assert said.endswith("#M55")
        first = await at.event("transaction")
        assert (first["checks"]["null-mx"], first["checks"]["handling"]) == ("yes", "reject")
        # It is remembered: no content travels.
        assert await at.send(letter(2), sender=f"other-{SENDER}") == said
        last = (await asyncio.to_thread(at.gateway.wait_for, "transaction", count=2))[-1]
        assert (last["octets"], last["reason"]) == (0, "recipients-refused")
        assert at.server.zone.asked.count("MX news.example") == 1
        for attempt in (parse_attempt(first, "log"), parse_attempt(last, "log")):
            assert cause_of(attempt, attempt.recipients[0].home) is Cause.NULL_MX

        assert (await at.send(letter(3), sender="a@shop.example")).startswith("250")
        assert (await at.send(letter(4), sender="")).startswith("250")
        assert (await at.send(letter(5), sender=SENDER, address="10.0.0.7")).startswith("250")


async def test_dns_trouble_refuses_nobody() -> None:
    async with gateway(null_mx="reject") as at:
        at.server.zone.fail("MX news.example")

        assert (await at.send(letter(1), sender=SENDER)).startswith("250")
        assert (await at.event("transaction"))["checks"]["null-mx"] == "unavailable"
