"""Received-SPF where the setting asks for it (RFC 7208 section 9.1), read in the mailbox by pyspf."""

from __future__ import annotations

import spf

from tests.e2e.test_senders_are_authenticated import HONEST, STRANGER, edge, letter

HELO = "from mx.bank.example"
FORGED = f"Received-SPF: Pass client-ip={STRANGER}; receiver=mx.example.jp; identity=mailfrom"


async def test_ours_stands_above_our_received_and_what_others_wrote_stays_below() -> None:
    async with edge("none", received_spf="on") as at:
        said = await at.send(letter(1, more=f"{FORGED}\r\n"), address=STRANGER)
        assert said.startswith("250")
        # Hidden in our own network nobody is judged, and nothing is written.
        assert (await at.send(letter(2), address="10.0.0.7")).startswith("250")

        message = at.stored("letter 1")
        names = [name.lower() for name in message]
        ours = names.index("received-spf")
        assert names.index("authentication-results") < ours
        # Dovecot's own Received stands above all.
        by_us = next(
            n for n, (name, text) in enumerate(message.items()) if name == "Received" and HELO in text
        )
        assert ours < by_us < len(names) - 1 - names[::-1].index("received-spf")
        fields = message.get_all("Received-SPF")
        assert (len(fields), f"Received-SPF: {fields[1]}") == (2, FORGED)
        query = spf.query("0.0.0.0", "", "")
        query.parse_header_spf(fields[0])
        assert (query.result, query.c, query.s, query.h) == (
            "fail", STRANGER, "bounce@bank.example", "mx.bank.example",
        )  # fmt: skip
        assert (query.r, query.mechanism) == ("mx.example.jp", "-all")
        assert at.stored("letter 2")["Received-SPF"] is None


async def test_none_is_written_where_nobody_asked() -> None:
    async with edge("none") as at:
        assert (await at.send(letter(1), address=HONEST)).startswith("250")

        assert at.stored("letter 1")["Received-SPF"] is None
