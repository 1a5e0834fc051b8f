"""When strangers keep all our questions waiting, no forgery profits from it."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest

from mxgw.authentication import Stance
from mxgw.config import Check, DmarcPolicy, DnsblPolicy
from mxgw.envelope import Client, ReversePath
from mxgw.header import parse_header
from mxgw.msgauth.checks import Examiner
from mxgw.msgauth.disposition import NO_ANSWER, Disposition, Handling
from mxgw.msgauth.dkim_keys import MAX_KEYS_AT_A_TIME, KeyRing
from mxgw.msgauth.dmarc import DmarcVerdict
from mxgw.msgauth.dmarc_record import parse_record
from mxgw.msgauth.evaluation import Evaluation
from mxgw.msgauth.results import Result
from mxgw.resolver.answers import Answer, Status
from mxgw.resolver.budget import BudgetedLookup
from mxgw.resolver.resolver import Resolver
from mxgw.resolver.upstream import Told
from tests.rig.zone import Zone

NAMES = [f"s{number}._domainkey.evil.example" for number in range(20)]
FORGED = b"From: a@bank.example\r\n\r\nhello\r\n"


class Silent:
    """A server that does not answer for names below evil.example, and says "no such name" of all others."""

    async def ask(self, kind: str, name: str) -> Told:
        if name.endswith("evil.example"):
            await asyncio.Event().wait()
        return Told(Answer(Status.NO_NAME), 60.0)


class Counting(Zone):
    """Counts how many questions wait at a time."""

    waiting = most = 0

    async def txt(self, name: str) -> Answer[bytes]:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await asyncio.sleep(0)
        self.waiting -= 1
        return await super().txt(name)


async def test_one_message_has_few_keys_on_the_way() -> None:
    zone = Counting()

    await KeyRing(zone).fetch(NAMES)

    assert zone.most == MAX_KEYS_AT_A_TIME
    assert len(zone.asked) == len(NAMES)


async def crowded() -> tuple[Resolver, asyncio.Task[Answer[bytes]]]:
    """A resolver all of whose places are taken."""
    resolver = Resolver(Silent(), max_in_flight=1, wait_seconds=0.01)
    jam = asyncio.create_task(resolver.txt(NAMES[0]))
    await asyncio.sleep(0)
    return resolver, jam


async def test_a_question_that_found_no_place_is_told_from_one_without_answer() -> None:
    resolver, jam = await crowded()
    lookup = BudgetedLookup(resolver, deadline=asyncio.get_running_loop().time() + 60)

    answer = await lookup.txt("_dmarc.bank.example")

    assert (answer.status, lookup.crowded) == (Status.TEMPORARY, 1)
    jam.cancel()
    silent = BudgetedLookup(resolver, deadline=asyncio.get_running_loop().time() + 0.01)
    assert (await silent.txt(NAMES[1])).status is Status.TEMPORARY
    assert silent.crowded == 0


async def evaluated(resolver: Resolver) -> Evaluation:
    examiner = Examiner(resolver, frozenset({Check.SPF, Check.DMARC}), "mx.example.jp", (), lambda: 0.0, 5.0)
    client = Client(ip_address("192.0.2.1"), 25, "mx.evil.example", extended=True)
    examination = examiner.begin(client, ReversePath("x", "other.example"))
    header = parse_header(FORGED)
    examination.header(header)
    examination.body(FORGED[header.octets :])
    return await examination.finish()


def disposed(mode: DmarcPolicy, found: Evaluation) -> Disposition:
    """As the edge does."""
    return Stance("mx.example.jp", frozenset(), mode, DnsblPolicy.REPORT, frozenset()).dispose(found)


@pytest.mark.parametrize(
    ("mode", "handling"),
    [
        (DmarcPolicy.REPORT, Handling.DELIVER),
        (DmarcPolicy.QUARANTINE, Handling.DEFER),
        (DmarcPolicy.REJECT, Handling.DEFER),
    ],
)
async def test_a_message_is_put_off_whose_policy_we_were_too_busy_to_ask_for(
    mode: DmarcPolicy, handling: Handling
) -> None:
    resolver, jam = await crowded()

    found = await evaluated(resolver)

    jam.cancel()
    assert found.dmarc
    assert (found.dmarc.result, found.crowded) == (Result.TEMPERROR, True)
    done = disposed(mode, found)
    assert done.handling is handling
    assert done.reply == (NO_ANSWER if handling is Handling.DEFER else None)


@pytest.mark.parametrize(("published", "handling"), [("none", Handling.DELIVER), ("reject", Handling.DEFER)])
def test_a_signature_that_we_were_too_busy_to_check_is_no_reason_for_junk(
    published: str, handling: Handling
) -> None:
    record = parse_record(f"v=DMARC1; p={published}".encode())
    verdict = DmarcVerdict(
        Result.TEMPERROR, "bank.example", policy=record.p, published=record.p, record=record
    )

    done = disposed(DmarcPolicy.QUARANTINE, Evaluation(ip_address("192.0.2.1"), dmarc=verdict, crowded=True))

    assert done.handling is handling


async def test_dns_of_the_author_that_does_not_answer_is_another_matter() -> None:
    """The domain's own trouble: its mail is delivered, as before."""
    zone = Zone(failing={"_dmarc.bank.example"})
    examiner = Examiner(zone, frozenset({Check.SPF, Check.DMARC}), "mx.example.jp", (), lambda: 0.0)
    client = Client(ip_address("192.0.2.1"), 25, "mx.evil.example", extended=True)
    examination = examiner.begin(client, ReversePath("x", "other.example"))
    examination.header(parse_header(FORGED))

    found = await examination.finish()

    assert (disposed(DmarcPolicy.QUARANTINE, found).handling, found.crowded) == (Handling.DELIVER, False)


def test_a_policy_that_is_known_is_carried_out_however_busy_we_are() -> None:
    record = parse_record(b"v=DMARC1; p=reject")
    for result, handling in ((Result.FAIL, Handling.JUNK), (Result.PASS, Handling.DELIVER)):
        verdict = DmarcVerdict(result, "bank.example", policy=record.p, published=record.p, record=record)
        found = Evaluation(ip_address("192.0.2.1"), dmarc=verdict, crowded=True)

        assert disposed(DmarcPolicy.QUARANTINE, found).handling is handling
