"""Dovecot's own log tells into which folder a message went, joined by the id of our transaction."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mxgw.trail.filing import Filed, Filing, parse_filing
from tests.rig.courier import Courier
from tests.rig.dovecot import Dovecot
from tests.rig.gateway import Gateway
from tests.rig.process import wait_until
from tests.trail.asking import message
from tests.trail.story import TARO, letter

HEAD = "Nov 24 12:02:30 lmtp(taro@example.jp)<8674><1a20d6fa4b1436700001:T2>: Info: sieve: msgid="


def test_a_real_mailbox_server_says_where_a_message_is_and_that_its_repeat_was_dropped(
    tmp_path: Path,
) -> None:
    async def bring(address: tuple[str, int]) -> None:
        courier = await Courier.connect(address)
        octets = letter("filed")
        reply = await courier.send(octets, sender="a@shop.example", recipients=[TARO, "full@example.jp"])
        assert reply.startswith("451")
        reply = await courier.send(octets, sender="a@shop.example", recipients=[TARO])
        assert reply.startswith("250")
        await courier.quit()

    with Dovecot({"taro": None, "full": 10}) as mailboxes, Gateway(mailboxes.url) as edge:
        asyncio.run(bring(edge.smtp))
        wait_until(lambda: "discard" in mailboxes.log(), seconds=30, what="Dovecot has logged it")
        lines = [json.dumps(event) for event in edge.wait_for("transaction", count=2)]
        # As docker compose logs gives them, one behind the other.
        text = "\n".join([*lines, *(f"dovecot-1  | {line}" for line in mailboxes.log().splitlines())])
    log = tmp_path / "all.log"
    log.write_text(text)

    for found in (message("<filed@shop.example>", str(log)), message("<filed@shop.example>", stdin=text)):
        first, second = (attempt["mailboxes"] for attempt in found["attempts"])
        assert {one["user"]: (one["filing"], one["mailbox"]) for one in first} == {
            TARO: ("stored", "INBOX"),
            "full@example.jp": ("failed", "INBOX"),
        }
        assert [(one["user"], one["filing"]) for one in second] == [(TARO, "discarded")]


def test_a_message_id_that_looks_like_dovecots_words_is_none_of_them() -> None:
    stored, failed = (
        "stored mail into mailbox 'INBOX'",
        "failed to store into mailbox 'INBOX': Quota exceeded",
    )
    discarded = "discard action: Marked message to be discarded if not explicitly delivered (discard action)"
    who = ("1a20d6fa4b1436700001", TARO)
    expected = {
        stored: Filed(*who, Filing.STORED, "INBOX"),
        failed: Filed(*who, Filing.FAILED, "INBOX", "Quota exceeded"),
        discarded: Filed(*who, Filing.DISCARDED),
    }

    for said, filed in expected.items():
        for forged in ("<1@x.example>", *(f"<x: {other}>" for other in expected)):
            assert parse_filing(f"{HEAD}{forged}: {said}") == filed
    quoted = json.dumps({"event": "transaction", "message_id": f"{HEAD}<1@x>: {stored}"})
    assert parse_filing(quoted) is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_line_is_read_without_trouble(before: str, after: str) -> None:
    for line in (before, before + HEAD + after, f"{HEAD}{before}: stored mail into mailbox '{after}'"):
        filed = parse_filing(line)
        assert filed is None or all(text.isprintable() for text in filed)
