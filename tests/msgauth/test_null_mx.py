"""Null MX (RFC 7505): what counts as one, what is asked, and what is waited for."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest

from mxgw.config import Check, DmarcPolicy, NullMxPolicy
from mxgw.envelope import Client, ReversePath
from mxgw.header import parse_header
from mxgw.msgauth.checks import Examination, Examiner
from mxgw.msgauth.disposition import DispositionReason, Handling, Override, dispose
from mxgw.msgauth.dmarc import DmarcVerdict, Policy
from mxgw.msgauth.null_mx import NullMx, check_null_mx
from mxgw.msgauth.results import Result
from mxgw.msgauth.results_field import results_field
from mxgw.resolver.answers import Answer, Lookup, MailExchanger
from mxgw.resolver.resolver import Resolver
from mxgw.resolver.upstream import Upstream
from tests.rig.zone import Zone, ZoneServer

CLIENT = Client(ip_address("192.0.2.1"), 25, "mx.example.com", extended=True)
MESSAGE = b"From: a@example.com\r\n\r\nhello\r\n"


def begun(
    lookup: Lookup,
    sender: str = "news@example.com",
    *,
    null_mx: bool = True,
    checks: frozenset[Check] = frozenset({Check.SPF}),
    client: Client = CLIENT,
) -> Examination:
    local, _, domain = sender.rpartition("@")
    examiner = Examiner(lookup, checks, "mx.example.jp", (), lambda: 0.0, null_mx=null_mx)
    return examiner.begin(client, ReversePath(local, domain))


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([(0, ".")], NullMx.YES),
        ([(0, "")], NullMx.YES),
        ([], NullMx.NO),
        ([(0, "mx.example.com")], NullMx.NO),
        ([(10, ".")], NullMx.NO),
        ([(0, "."), (10, "mx.example.com")], NullMx.NO),
        ([(0, "."), (0, ".")], NullMx.NO),
    ],
)
async def test_only_the_one_record_of_the_rfc_is_a_null_mx(
    records: list[tuple[int, str]], expected: NullMx
) -> None:
    zone = Zone({"example.com": {"MX": records}})

    assert await check_null_mx(zone, "example.com") is expected


async def test_a_null_mx_is_read_from_the_wire() -> None:
    async with ZoneServer(Zone({"example.com": {"MX": [(0, ".")]}})) as server:
        resolver = Resolver(Upstream([("127.0.0.1", server.port)]))

        assert await check_null_mx(resolver, "EXAMPLE.com.") is NullMx.YES
        assert await check_null_mx(resolver, "example.com") is NullMx.YES
        assert server.zone.asked == ["MX example.com"]


async def test_dns_trouble_is_not_a_null_mx() -> None:
    assert await check_null_mx(Zone(failing={"example.com"}), "example.com") is NullMx.UNAVAILABLE


@pytest.mark.parametrize(
    "sender",
    ["", "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]", "a@localhost", "a@b..example", f"a@{'b' * 64}.example"],
)
async def test_what_has_no_mx_is_not_asked_for(sender: str) -> None:
    zone = Zone()

    found = await begun(zone, sender).finish()

    assert found.null_mx is None
    assert [asked for asked in zone.asked if asked.startswith("MX")] == []


@pytest.mark.parametrize(
    ("null_mx", "checks", "address"),
    [
        (False, {Check.SPF}, "192.0.2.1"),
        (True, {Check.DKIM}, "192.0.2.1"),
        (True, {Check.SPF}, "10.0.0.1"),
    ],
)
async def test_it_is_asked_beside_spf_and_only_where_it_is_wanted(
    null_mx: bool, checks: set[Check], address: str
) -> None:
    zone = Zone({"example.com": {"MX": [(0, ".")]}})
    client = Client(ip_address(address), 25, "mx.example.com", extended=True)

    found = await begun(zone, null_mx=null_mx, checks=frozenset(checks), client=client).finish()

    assert found.null_mx is None
    assert zone.asked.count("MX example.com") == 0


async def test_it_is_one_question_out_of_the_budget_of_spf() -> None:
    zone = Zone({"example.com": {"MX": [(0, ".")], "TXT": ["v=spf1 -all"]}})

    off = await begun(zone, null_mx=False).finish()
    on = await begun(zone).finish()

    assert on.questions == off.questions + 1
    assert zone.asked.count("MX example.com") == 1


async def test_it_is_stated_beside_the_domain_that_it_is_about() -> None:
    zone = Zone({"example.com": {"MX": [(0, ".")]}})

    found = await begun(zone).finish()

    assert dict(found.words) == {"spf": "none", "null-mx": "yes"}
    assert results_field("mx.example.jp", found.findings()) == (
        b"Authentication-Results: mx.example.jp;\r\n"
        b'\tspf=none reason="no SPF record" smtp.mailfrom=example.com policy.mx=null\r\n'
    )


class Slow(Zone):
    """MX questions wait until they may be answered."""

    def __init__(self) -> None:
        super().__init__({"example.com": {"MX": [(0, ".")]}})
        self.may_answer = asyncio.Event()

    async def mx(self, name: str) -> Answer[MailExchanger]:
        await self.may_answer.wait()
        return await super().mx(name)


async def test_an_answer_that_is_late_is_none() -> None:
    assert await check_null_mx(Slow(), "example.com", seconds=0.01) is NullMx.UNAVAILABLE


async def test_what_is_remembered_is_known_at_once() -> None:
    async with ZoneServer(Zone({"example.com": {"MX": [(0, ".")]}})) as server:
        resolver = Resolver(Upstream([("127.0.0.1", server.port)]))
        assert (await begun(resolver).finish()).null_mx is NullMx.YES

        again = begun(resolver)

        assert again.null_mx is NullMx.YES
        again.drop()


async def test_the_answer_is_waited_for_at_the_end_of_content_and_not_before() -> None:
    zone = Slow()
    examination = begun(zone)
    examination.header(parse_header(MESSAGE))
    await asyncio.sleep(0)

    assert examination.null_mx is NullMx.UNAVAILABLE
    finishing = asyncio.create_task(examination.finish())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not finishing.done()
    zone.may_answer.set()
    assert (await finishing).null_mx is NullMx.YES


@pytest.mark.parametrize("policy", NullMxPolicy)
@pytest.mark.parametrize("found", [None, *NullMx])
def test_only_a_null_mx_is_refused_and_only_where_the_setting_says_so(
    policy: NullMxPolicy, found: NullMx | None
) -> None:
    done = dispose(
        mode=DmarcPolicy.REPORT,
        author=None,
        dmarc=None,
        arc=None,
        trusted_sealers=frozenset(),
        null_mx=found,
        null_mx_policy=policy,
    )

    if (found, policy) == (NullMx.YES, NullMxPolicy.REJECT):
        assert (done.handling, done.reason) == (Handling.REJECT, DispositionReason.NULL_MX)
        assert str(done.reply) == (
            "550 5.7.27 The domain of the sender's address takes no mail itself (null MX, RFC 7505) #M55"
        )
    else:
        assert (done.handling, done.reply) == (Handling.DELIVER, None)


@pytest.mark.parametrize("result", [Result.PASS, Result.TEMPERROR])
def test_the_report_of_a_message_that_was_refused_says_that_it_was_our_policy(result: Result) -> None:
    verdict = DmarcVerdict(result, "example.com", policy=Policy.REJECT)

    done = dispose(
        mode=DmarcPolicy.REPORT,
        author=None,
        dmarc=verdict,
        arc=None,
        trusted_sealers=frozenset(),
        null_mx=NullMx.YES,
        null_mx_policy=NullMxPolicy.REJECT,
    )

    assert done.override is Override.LOCAL_POLICY
