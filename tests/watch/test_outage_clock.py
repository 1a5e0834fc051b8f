"""Which mails wait at their senders, out of made-up and real logs of the edge."""

from __future__ import annotations

import asyncio
import json
import random
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from mxgw.cli import group
from mxgw.outcome import Decision
from mxgw.trail.attempt import Attempt
from mxgw.watch.waiting import MAX_MAILS, Waiting, waiting
from tests.rig.gateway import Gateway
from tests.rig.homeserver import HomeServer
from tests.rig.process import wait_until
from tests.trail.story import bring, letter
from tests.watch.edge_log import START, STORED, attempt, outage, refused_at_mail, stored

DAY = 86_400.0


def clock(lines: Sequence[Attempt], now: float) -> Waiting:
    return waiting(lambda: iter(lines), now=now)


def test_a_day_without_home_ends_with_an_empty_list() -> None:
    lines = outage(200, seconds=DAY)

    during, after = clock(lines, START + DAY - 1), clock(lines, START + DAY + 3 * 3_600)

    assert (len(during.mails), during.senders) == (200, 200)
    assert during.away_since == min(one.ended_at for one in lines if one.ended_at >= START)
    assert during.first_gives_up_at == pytest.approx(during.away_since + 4 * DAY - 6 * 3_600)
    assert (after.mails, after.lost, after.away_since) == ((), (), None)
    assert len(after.arrived) == 200


def test_senders_that_never_return_are_the_list_that_is_left() -> None:
    lines = outage(50, seconds=DAY, senders_that_never_return=[7, 31])
    left = {"s7@shop.example", "s31@shop.example"}

    soon, late = clock(lines, START + 2 * DAY), clock(lines, START + 7 * DAY)

    assert {mail.sender for mail in soon.mails} == left
    assert soon.lost == ()
    assert late.mails == ()
    assert {mail.sender for mail in late.lost} == left


def test_every_moment_of_an_outage_can_be_rebuilt_from_the_log() -> None:
    lines = outage(30, seconds=DAY, seed=4)
    waited = {f"s{number}@shop.example" for number in range(30)}

    for hour in range(0, 27, 3):
        now = START + hour * 3_600
        seen = {mail.sender for mail in clock(lines, now).mails}
        begun = {one.reverse_path for one in lines if one.ended_at <= now} & waited
        ended = {one.reverse_path for one in lines if one.ended_at <= now and one.decision is Decision.ACCEPT}
        assert seen == begun - ended


def test_recipients_are_ticked_off_one_by_one() -> None:
    both = (("taro@example.jp", STORED), ("hanako@example.jp", "452 4.3.1 Busy"))
    lines = [
        attempt(START, home=both, reason="partly-stored"),
        attempt(START + 60, home=(("hanako@example.jp", "connect-failed"), ("ken@example.jp", "timeout"))),
    ]
    [one] = clock(lines, START + 61).mails
    assert (one.recipients, one.attempts) == (("hanako@example.jp", "ken@example.jp"), 2)

    lines.append(attempt(START + 90, home=(("ken@example.jp", STORED), ("hanako@example.jp", "timeout"))))
    [one] = clock(lines, START + 91).mails
    assert (one.recipients, one.arrived) == (("hanako@example.jp",), ("ken@example.jp",))

    lines.append(stored(START + 120, home=(("hanako@example.jp", "550 5.1.1 No such user"),)))
    found = clock(lines, START + 121)
    assert found.mails == ()
    assert found.arrived[0].refused == ("hanako@example.jp",)


def test_a_sender_refused_before_its_mail_was_seen_stands_for_one_mail_until_it_arrives() -> None:
    lines = [refused_at_mail(START + 60 * number) for number in range(5)]
    [one] = clock(lines, START + 301).mails
    assert (one.alone, one.attempts, one.recipients) == (True, 5, ())

    lines.append(stored(START + 400))
    assert clock(lines, START + 401).mails == ()


def test_what_others_are_to_blame_for_does_not_wait_for_us() -> None:
    full = attempt(
        START, home=(("taro@example.jp", "452 4.2.2 Mailbox full"),), reply="452 4.2.2 Mailbox full"
    )
    spool = refused_at_mail(START, sender="b@x.example", reason="too-large", reply="452 4.3.1 Too large")

    found = clock([full, spool], START + 1)

    assert (found.mails, found.away_since) == ((), None)


def test_bounces_are_told_apart_by_the_server_that_brings_them() -> None:
    lines = [
        refused_at_mail(START, sender="", helo="one.example"),
        refused_at_mail(START + 1, sender="", helo="two.example"),
        stored(START + 60, sender="", helo="one.example", message="bounce"),
    ]

    found = clock(lines, START + 61)

    assert [mail.client for mail in found.mails] == ["two.example"]


def test_the_order_of_lines_does_not_matter_nor_does_a_line_read_twice() -> None:
    lines = outage(20, seconds=DAY / 4, senders_that_never_return=[3])
    sorted_lines = sorted(lines, key=lambda one: one.ended_at)
    shuffled = [*lines, *lines]
    random.Random(9).shuffle(shuffled)

    one, two = clock(sorted_lines, START + DAY), clock(shuffled, START + DAY)

    assert [mail.sender for mail in one.mails] == [mail.sender for mail in two.mails] == ["s3@shop.example"]
    assert [mail.attempts for mail in one.arrived] == [mail.attempts for mail in two.arrived]


def test_a_flood_is_bounded_and_said_to_be_cut() -> None:
    def flood() -> list[Attempt]:
        return [attempt(START, sender=f"x{n}@spam.example", message=f"x{n}") for n in range(2)]

    tracemalloc.start()
    try:
        many = (
            attempt(START + n, sender=f"x{n}@spam.example", message=f"x{n}") for n in range(MAX_MAILS + 5)
        )
        lines = list(many)
        before = tracemalloc.get_traced_memory()[0]
        found = clock(lines, START + MAX_MAILS + 10)
        grown = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()

    assert found.cut
    assert len(found.mails) == MAX_MAILS
    assert grown < 150 * 1024 * 1024
    assert not clock(flood(), START + 1).cut


async def test_a_real_outage_is_read_from_the_log_that_the_gateway_wrote(tmp_path: Path) -> None:
    log = tmp_path / "edge.log"

    def told(*extra: str) -> dict[str, object]:
        lines = [json.dumps(event) for event in edge.events()]
        log.write_text("\n".join([*lines, *extra]) + "\n")
        done = CliRunner().invoke(group, ["admin", "waiting", str(log)], env={"LC_ALL": "C.UTF-8"})
        assert done.exit_code == 0, done.stderr
        found: dict[str, object] = json.loads(done.stdout)
        return found

    async with HomeServer() as home:
        edge = Gateway(f"lmtp://127.0.0.1:{home.port}", proxy_from="127.0.0.0/8")
        with edge:
            assert (await bring(edge, letter("before"))).startswith("250")
            home.final["ken@example.jp"] = ["451 4.3.0 Not now", STORED]
            mixed = ("aki@example.jp", "ken@example.jp")
            assert (await bring(edge, letter("mixed"), mixed, sender="m@shop.example")).startswith("451")
            await home.stop()
            for number in range(3):
                for _ in range(2):
                    reply = await bring(edge, letter(f"out{number}"), sender=f"s{number}@shop.example")
                    # 503: MAIL itself was refused, and RCPT came all the same.
                    assert reply[0] in "45", reply
            await asyncio.to_thread(edge.wait_for, "transaction", count=8)
            during = told()
            await home.start()
            for number in range(2):
                await _until_taken(edge, letter(f"out{number}"), f"s{number}@shop.example")
            await _until_taken(edge, letter("mixed"), "m@shop.example", mixed)
            left = told()
            await _until_taken(edge, letter("out2"), "s2@shop.example")
            end = told()
            assert edge.tracebacks() == []

    assert during["senders"] == 4
    assert during["away_since"]
    assert {(one["sender"], *one["waiting"]) for one in during["mails"]} >= {
        ("m@shop.example", "ken@example.jp")
    }  # type: ignore[index, misc, attr-defined]
    assert [one["sender"] for one in left["mails"]] == ["s2@shop.example"]  # type: ignore[index, attr-defined]
    assert left["away_since"] is None
    assert (end["mails"], end["lost"], end["arrived"]) == ([], [], 4)


async def _until_taken(
    edge: Gateway, octets: bytes, sender: str, recipients: Sequence[str] = ("taro@example.jp",)
) -> None:
    """The gateway finds out within seconds that home is back."""
    async with asyncio.timeout(60):
        while True:
            reply = await bring(edge, octets, recipients, sender=sender)
            if reply.startswith("250"):
                break
            await asyncio.sleep(0.2)
    # The line of the log may be behind the answer.
    identity = reply.rpartition("id ")[2].split()[0]
    await asyncio.to_thread(
        wait_until,
        lambda: any(event["id"] == identity for event in edge.transactions()),
        seconds=20,
        what=f"the log has {identity}",
    )
