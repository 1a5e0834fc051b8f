"""The resolver against a real server on loopback, and what it spares that server."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv6Address

import pytest

from mxgw.resolver.answers import Answer, MailExchanger, Status
from mxgw.resolver.resolver import Resolver
from mxgw.resolver.upstream import MAX_RECORDS, Told, Upstream
from tests.rig.zone import Zone, ZoneServer

FOUND = Status.FOUND


def world() -> Zone:
    return Zone(
        {
            "example.com": {
                "TXT": ["plain", ["two ", "strings"], b"\xff\x00"],
                "A": ["192.0.2.1", "192.0.2.2"],
                "AAAA": ["2001:db8::1"],
                "MX": [(20, "b.example.com"), (10, "a.example.com")],
            },
            "null.example": {"MX": [(0, ".")]},
            "www.example.com": {"CNAME": ["example.com"]},
            "dangling.example": {"CNAME": ["none.example"]},
            "deep.nonterminal.example": {"A": ["192.0.2.3"]},
            "long.example": {"TXT": ["x" * 10_000]},
            "192.0.2.1": {"PTR": ["Mail.Example.COM"]},
            "2001:db8::1": {"PTR": ["mail6.example.com"]},
            "a b.example": {"TXT": ["blank"]},
            "xn--wgv71a119e.example": {"TXT": ["nihongo"]},
            "loop.example": {"CNAME": ["loop.example"]},
        },
        failing={"broken.example"},
    )


def resolver_for(
    server: ZoneServer, *, query_seconds: float = 2.0, lifetime_seconds: float = 5.0
) -> Resolver:
    upstream = Upstream(
        [("127.0.0.1", server.port)], query_seconds=query_seconds, lifetime_seconds=lifetime_seconds
    )
    return Resolver(upstream)


async def test_each_type_comes_back_as_a_value() -> None:
    async with ZoneServer(world()) as server:
        resolver = resolver_for(server)

        texts = await resolver.txt("example.com")
        addresses = await resolver.a("example.com")
        assert (texts.status, set(texts.records)) == (FOUND, {b"plain", b"two strings", b"\xff\x00"})
        assert set(addresses.records) == {IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")}
        assert await resolver.aaaa("example.com") == Answer(FOUND, (IPv6Address("2001:db8::1"),))
        assert await resolver.mx("example.com") == Answer(
            FOUND, (MailExchanger(10, "a.example.com"), MailExchanger(20, "b.example.com"))
        )
        assert await resolver.ptr(IPv4Address("192.0.2.1")) == Answer(FOUND, ("Mail.Example.COM",))
        assert await resolver.ptr(IPv6Address("2001:db8::1")) == Answer(FOUND, ("mail6.example.com",))


async def test_the_null_mx_has_an_empty_host() -> None:
    async with ZoneServer(world()) as server:
        assert await resolver_for(server).mx("null.example") == Answer(FOUND, (MailExchanger(0, ""),))


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("none.example", Status.NO_NAME),
        ("nonterminal.example", Status.NO_DATA),
        ("deep.nonterminal.example", Status.NO_DATA),
        ("dangling.example", Status.NO_DATA),
        ("broken.example", Status.TEMPORARY),
        ("loop.example", Status.TEMPORARY),
    ],
)
async def test_no_records_have_their_reasons(name: str, status: Status) -> None:
    async with ZoneServer(world()) as server:
        assert (await resolver_for(server).txt(name)).status is status


@pytest.mark.parametrize("name", ["", "a..example", "l" * 64 + ".example", "nul\0.example", "x." * 200])
async def test_a_name_that_cannot_be_asked_for_is_no_name_without_a_question(name: str) -> None:
    async with ZoneServer(world()) as server:
        assert await resolver_for(server).txt(name) == Answer(Status.NO_NAME)
        assert server.udp == 0


async def test_names_are_equal_without_case_and_final_dot_and_as_a_or_u_label() -> None:
    async with ZoneServer(world()) as server:
        resolver = resolver_for(server)

        for name in ("example.com", "EXAMPLE.com", "Example.Com."):
            assert (await resolver.a(name)).status is FOUND
        for name in ("日本語.example", "xn--wgv71a119e.example", "日本語.EXAMPLE."):
            assert (await resolver.txt(name)).records == (b"nihongo",)

        assert server.udp == 2


async def test_a_blank_in_a_name_is_an_octet_like_others() -> None:
    async with ZoneServer(world()) as server:
        assert (await resolver_for(server).txt("a b.example")).records == (b"blank",)


async def test_aliases_are_followed() -> None:
    async with ZoneServer(world()) as server:
        assert len((await resolver_for(server).a("www.example.com")).records) == 2


async def test_an_answer_that_does_not_fit_a_datagram_comes_over_tcp() -> None:
    async with ZoneServer(world()) as server:
        assert (await resolver_for(server).txt("long.example")).records == (b"x" * 10_000,)
        assert (server.udp, server.tcp) == (1, 1)


async def test_an_answer_of_absurdly_many_records_is_not_read() -> None:
    addresses = [f"10.0.{number // 256}.{number % 256}" for number in range(MAX_RECORDS + 1)]
    zone = Zone({"many.example": {"A": addresses}, "enough.example": {"A": addresses[:-2]}})
    async with ZoneServer(zone) as server:
        resolver = resolver_for(server)

        assert await resolver.a("many.example") == Answer(Status.TEMPORARY)
        # The server's EDNS record counts too.
        assert len((await resolver.a("enough.example")).records) == MAX_RECORDS - 1


async def test_positive_negative_and_failed_answers_are_remembered() -> None:
    async with ZoneServer(world()) as server:
        resolver = resolver_for(server)

        for name in ("example.com", "none.example", "nonterminal.example", "broken.example") * 3:
            await resolver.txt(name)

        assert server.udp == 4
        assert (resolver.counts.asked, resolver.counts.remembered, resolver.counts.failed) == (4, 8, 1)


async def test_a_server_that_says_nothing_is_asked_again_and_given_up() -> None:
    async with ZoneServer(world(), silent={"silent.example"}) as server:
        resolver = resolver_for(server, query_seconds=0.05, lifetime_seconds=0.3)

        assert await resolver.txt("silent.example") == Answer(Status.TEMPORARY)
        assert server.udp > 1


async def test_the_second_server_answers_when_the_first_is_dead() -> None:
    async with ZoneServer(world()) as server, ZoneServer(world()) as gone:
        dead = gone.port
        await gone.__aexit__()
        upstream = Upstream([("127.0.0.1", dead), ("127.0.0.1", server.port)], query_seconds=0.1)

        assert (await Resolver(upstream).a("example.com")).status is FOUND


async def test_no_server_at_all_is_a_temporary_failure() -> None:
    async with ZoneServer(world()) as gone:
        port = gone.port
    upstream = Upstream([("127.0.0.1", port)], query_seconds=0.05, lifetime_seconds=0.2)

    assert await Resolver(upstream).a("example.com") == Answer(Status.TEMPORARY)


def test_without_configuration_the_servers_of_the_system_are_asked() -> None:
    assert all(port == 53 for _, port in Upstream().servers)
    assert Upstream().servers


class Slow:
    """A world that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.most = 0
        self._now = 0
        self.open = asyncio.Event()

    async def ask(self, kind: str, name: str) -> Told:
        self.asked.append(name)
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            await self.open.wait()
        finally:
            self._now -= 1
        return Told(Answer(FOUND, (name.encode(),)), 60)


async def test_equal_questions_at_the_same_time_are_asked_once() -> None:
    slow = Slow()
    resolver = Resolver(slow)
    asking = [asyncio.create_task(resolver.txt("example.com")) for _ in range(50)]
    await asyncio.sleep(0)

    slow.open.set()
    answers = await asyncio.gather(*asking)

    assert set(answers) == {Answer(FOUND, (b"example.com",))}
    assert slow.asked == ["example.com"]
    assert resolver.counts.joined == 49


async def test_who_waits_for_another_is_served_when_the_other_gives_up() -> None:
    slow = Slow()
    resolver = Resolver(slow)
    first, *others = [asyncio.create_task(resolver.txt("example.com")) for _ in range(5)]
    await asyncio.sleep(0)

    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    slow.open.set()
    answers = await asyncio.gather(*others)

    assert set(answers) == {Answer(FOUND, (b"example.com",))}
    assert slow.asked == ["example.com"] * 2


async def test_a_waiter_that_gives_up_disturbs_nobody() -> None:
    slow = Slow()
    resolver = Resolver(slow)
    first, second, third = [asyncio.create_task(resolver.txt("example.com")) for _ in range(3)]
    await asyncio.sleep(0)

    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    slow.open.set()

    assert await first == await third == Answer(FOUND, (b"example.com",))
    assert len(slow.asked) == 1


async def test_only_so_many_questions_are_in_flight() -> None:
    slow = Slow()
    resolver = Resolver(slow, max_in_flight=3)
    asking = [asyncio.create_task(resolver.txt(f"n{number}.example")) for number in range(10)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert len(slow.asked) == 3
    slow.open.set()
    await asyncio.gather(*asking)
    assert (len(slow.asked), slow.most) == (10, 3)


async def test_a_jam_of_our_own_is_temporary_and_not_remembered() -> None:
    slow = Slow()
    resolver = Resolver(slow, max_in_flight=1, wait_seconds=0.02)
    first = asyncio.create_task(resolver.txt("one.example"))
    await asyncio.sleep(0)

    assert await resolver.txt("two.example") == Answer(Status.TEMPORARY)
    slow.open.set()
    await first

    assert (await resolver.txt("two.example")).status is FOUND
