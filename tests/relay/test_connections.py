"""The pool and the breaker at work: who waits, who gets which connection, what a dead home costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mxgw.breaker import BreakerState
from mxgw.channel import Timing
from mxgw.dialer import DialError
from mxgw.outcome import Trouble
from mxgw.relay import Relay
from tests.relay.support import PATIENT, QUICK, SENDER, mailbox, parcel, relay_to, said
from tests.rig.homeserver import Close, Hang, HomeServer, Reset, Until

STORED = ["250 2.0.0 Stored"]


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[None]:
    """The relay's background task beside the test."""
    task = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_status(relay: Relay, **wanted: object) -> None:
    """Wait until the relay's status is as wanted."""
    async with asyncio.timeout(20):
        while any(getattr(relay.status(), name) != value for name, value in wanted.items()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


# A connection that died while nobody looked.


@pytest.mark.parametrize("act", [Close(), Reset(), "421 4.4.2 idle too long"], ids=["close", "reset", "421"])
async def test_a_stale_connection_is_replaced_once_by_a_fresh_one(act: Close | Reset | str) -> None:
    async with HomeServer() as home, relay_to(home.port) as relay:
        assert said(await relay.deliver(parcel("taro", id="one"))) == STORED
        home.mail = [act, "250 2.1.0 OK"]

        assert said(await relay.deliver(parcel("taro", id="two"))) == STORED

        assert home.connections == 2
        assert len(home.messages) == 2


async def test_a_connection_that_the_tunnel_forgot_is_replaced_after_a_while() -> None:
    async with HomeServer() as home, relay_to(home.port, timing=QUICK) as relay:
        assert said(await relay.deliver(parcel("taro"))) == STORED
        home.mail = [Hang(), "250 2.1.0 OK"]

        assert said(await relay.deliver(parcel("taro"))) == STORED
        assert home.connections == 2


async def test_a_fresh_connection_that_fails_is_not_replaced() -> None:
    async with HomeServer() as home, relay_to(home.port) as relay:
        home.mail = Close()

        assert said(await relay.deliver(parcel("taro"))) == ["closed"]
        assert home.connections == 1


async def test_a_stale_connection_is_not_replaced_twice() -> None:
    async with HomeServer() as home, relay_to(home.port) as relay:
        assert said(await relay.deliver(parcel("taro"))) == STORED
        home.mail = Close()

        assert said(await relay.deliver(parcel("taro"))) == ["closed"]
        assert home.connections == 2


async def test_nothing_is_repeated_once_home_has_answered_to_a_part_of_it() -> None:
    async with HomeServer() as home, relay_to(home.port) as relay:
        assert said(await relay.deliver(parcel("taro"))) == STORED
        home.default_final = [Close(), *STORED]

        assert said(await relay.deliver(parcel("taro"))) == ["closed"]
        assert home.connections == 1


@pytest.mark.parametrize("octets", [b"421 4.4.2 idle too long\r\n", b"250 2.0.0 what?\r\n", b"x"])
async def test_a_connection_that_speaks_while_idle_is_dropped(octets: bytes) -> None:
    async with HomeServer() as home, relay_to(home.port) as relay:
        assert said(await relay.deliver(parcel("taro"))) == STORED
        assert relay.status().idle == 1

        home.say_to_all(octets)
        await until_status(relay, idle=0, connections=0)

        assert said(await relay.deliver(parcel("taro"))) == STORED
        assert home.connections == 2


async def test_a_connection_that_home_closes_while_idle_is_dropped() -> None:
    async with HomeServer() as home, relay_to(home.port) as relay:
        assert said(await relay.deliver(parcel("taro"))) == STORED

        home.reset_connections()

        await until_status(relay, idle=0, connections=0)


async def test_an_idle_connection_is_retired_with_quit() -> None:
    timing = Timing(idle_seconds=0.0)
    async with HomeServer() as home, relay_to(home.port, timing=timing) as relay:
        await relay.deliver(parcel("taro"))
        assert relay.status().idle == 1

        relay._pool.retire(asyncio.get_running_loop().time())

        assert relay.status().idle == 0
        await home.heard("QUIT")


async def test_the_connection_used_last_is_used_first() -> None:
    async with HomeServer() as home, relay_to(home.port) as relay:
        together = asyncio.Event()
        home.default_final = Until(together, "250 2.0.0 Stored")
        first = [asyncio.create_task(relay.deliver(parcel("taro"))) for _ in range(3)]
        await until_status(relay, connections=3)
        together.set()
        await asyncio.gather(*first)
        assert relay.status().idle == 3

        for _ in range(5):
            await relay.deliver(parcel("taro"))

        assert len({message.connection for message in home.messages[-5:]}) == 1


# Who waits.


async def test_no_more_deliveries_than_connections_at_a_time_and_the_others_wait_their_turn() -> None:
    async with HomeServer() as home, relay_to(home.port, connections=3) as relay:
        answers = await asyncio.gather(*(relay.deliver(parcel("taro", id=f"t{n}")) for n in range(40)))

        assert all(said(answer) == STORED for answer in answers)
        assert home.most_open_connections == 3
        assert len(home.messages) == 40


async def test_questions_get_through_while_large_deliveries_hold_every_connection() -> None:
    end = asyncio.Event()
    async with HomeServer() as home, relay_to(home.port, connections=2) as relay:
        home.default_final = Until(end, "250 2.0.0 Stored")
        deliveries = [asyncio.create_task(relay.deliver(parcel("taro"))) for _ in range(10)]
        await until_status(relay, waiting=8)

        for _ in range(20):
            asks = [relay.ask(SENDER, [mailbox("taro")]) for _ in range(5)]
            assert all(said(answer) == ["250 2.1.5 OK"] for answer in await asyncio.gather(*asks))

        assert home.most_open_connections == 4
        end.set()
        assert all(said(answer) == STORED for answer in await asyncio.gather(*deliveries))


async def test_deliveries_get_through_a_flood_of_questions() -> None:
    async with HomeServer() as home, relay_to(home.port, connections=1) as relay:
        flooding = True

        async def flood() -> None:
            while flooding:
                await relay.ask(SENDER, [mailbox("taro")])

        floods = [asyncio.create_task(flood()) for _ in range(12)]
        await until_status(relay, waiting=9)

        for _ in range(10):
            assert said(await relay.deliver(parcel("taro"))) == STORED

        flooding = False
        await asyncio.gather(*floods)
        assert home.most_open_connections <= 3


async def test_beyond_the_bound_nobody_waits() -> None:
    end = asyncio.Event()
    async with HomeServer() as home, relay_to(home.port, connections=1, max_waiters=2) as relay:
        home.default_final = Until(end, "250 2.0.0 Stored")
        deliveries = [asyncio.create_task(relay.deliver(parcel("taro"))) for _ in range(3)]
        await until_status(relay, waiting=2)

        assert said(await relay.deliver(parcel("taro"))) == ["no-slot"]

        end.set()
        assert all(said(answer) == STORED for answer in await asyncio.gather(*deliveries))


async def test_waiting_for_a_connection_is_part_of_the_deadline() -> None:
    async with HomeServer() as home, relay_to(home.port, connections=1, relay_seconds=0.5) as relay:
        home.default_final = Hang()

        answers = await asyncio.gather(*(relay.deliver(parcel("taro")) for _ in range(2)))

        waited, talked = sorted(said(answer)[0] for answer in answers)
        # Both deadlines end together: the place may come free in the waiter's last moment.
        assert (waited in {"no-slot", "connect-timeout"}, talked) == (True, "timeout")


async def test_a_waiter_who_is_cancelled_leaves_no_gap() -> None:
    end = asyncio.Event()
    async with HomeServer() as home, relay_to(home.port, connections=1) as relay:
        home.default_final = Until(end, "250 2.0.0 Stored")
        deliveries = [asyncio.create_task(relay.deliver(parcel("taro", id=f"t{n}"))) for n in range(4)]
        await until_status(relay, waiting=3)

        deliveries[1].cancel()
        await asyncio.gather(deliveries[1], return_exceptions=True)
        end.set()

        assert said(await deliveries[0]) == STORED
        assert said(await deliveries[2]) == STORED
        assert said(await deliveries[3]) == STORED
        status = relay.status()
        assert (status.connections, status.idle, status.waiting) == (1, 1, 0)


async def test_after_any_mixture_of_cancellations_every_place_is_free_again() -> None:
    async with HomeServer() as home, relay_to(home.port, connections=2) as relay:
        for round_number in range(20):
            tasks = [asyncio.create_task(relay.deliver(parcel("taro"))) for _ in range(8)]
            tasks += [asyncio.create_task(relay.ask(SENDER, [mailbox("taro")])) for _ in range(8)]
            for _ in range(round_number % 7):
                await asyncio.sleep(0)
            for task in tasks[round_number % 3 :: 3]:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            done = [result for result in results if not isinstance(result, asyncio.CancelledError)]
            assert all(isinstance(result, tuple) and result[0].stored for result in done)

        status = relay.status()
        assert status.connections == status.idle <= 4
        assert said(await relay.deliver(parcel("taro"))) == STORED


# A home that is away.


async def test_a_dead_home_opens_the_breaker_at_the_second_message_and_then_costs_nothing() -> None:
    home = HomeServer()
    await home.start()
    await home.stop()
    async with relay_to(home.port) as relay:
        assert said(await relay.deliver(parcel("taro", "hanako"))) == ["connect-failed"] * 2
        assert relay.available()
        assert said(await relay.deliver(parcel("taro"))) == ["connect-failed"]

        assert not relay.available()
        assert said(await relay.deliver(parcel("taro"))) == ["breaker-open"]
        assert said(await relay.ask(SENDER, [mailbox("taro")])) == ["breaker-open"]
        status = relay.status()
        assert not status.up
        assert status.breaker is BreakerState.OPEN
        assert status.last_error.startswith("connect-failed: 127.0.0.1:")


async def test_a_home_that_returns_is_found_without_a_client_having_to_try() -> None:
    async with HomeServer() as home, relay_to(home.port) as relay, running(relay):
        await until_status(relay, up=True)
        await home.stop()
        while relay.available():
            await relay.deliver(parcel("taro"))
        await until_status(relay, up=False)

        await home.start()
        await until_status(relay, up=True, breaker=BreakerState.CLOSED)

        assert said(await relay.deliver(parcel("taro"))) == STORED


async def test_those_who_wait_are_told_at_once_when_the_breaker_opens() -> None:
    class Failing:
        """A dialer that the test lets fail."""

        def __init__(self) -> None:
            self.now = asyncio.Event()

        async def dial(self, protocol: asyncio.Protocol) -> asyncio.Transport:
            await self.now.wait()
            raise DialError(Trouble.CONNECT_FAILED, f"no way for {protocol}")

    dialer = Failing()
    async with relay_to(0, dialer=dialer, connections=3) as relay:
        deliveries = [asyncio.create_task(relay.deliver(parcel("taro"))) for _ in range(20)]
        await until_status(relay, waiting=17)

        dialer.now.set()

        troubles = [said(answer)[0] for answer in await asyncio.gather(*deliveries)]
        assert set(troubles) == {"connect-failed", "breaker-open"}
        assert troubles.count("breaker-open") >= 17


async def test_a_probe_tells_whether_home_is_there_before_any_message_comes() -> None:
    async with HomeServer() as home, relay_to(home.port) as relay:
        assert relay.offers("CHUNKING") is None
        assert not relay.status().up

        async with running(relay):
            await until_status(relay, up=True, idle=1)
            assert relay.offers("chunking") is True
            assert relay.offers("SMTPUTF8") is False

        await until_status(relay, idle=0)
        assert home.commands()[0] == "LHLO edge.example"


async def test_a_probe_uses_an_idle_connection_and_replaces_a_dead_one() -> None:
    async with HomeServer() as home, relay_to(home.port, timing=QUICK) as relay:
        await relay.deliver(parcel("taro"))
        deadline = asyncio.get_running_loop().time() + 10

        assert await relay._pool.probe(deadline)
        assert home.connections == 1
        assert home.commands()[-1] == "NOOP"
        home.noop = Hang()
        assert await relay._pool.probe(deadline)
        assert home.connections == 2

        status = relay.status()
        assert (status.connections, status.idle) == (1, 1)


async def test_the_first_dial_after_a_quiet_time_may_fail() -> None:
    class Waking:
        """A tunnel that needs one connection to wake up."""

        def __init__(self, port: int) -> None:
            self.dials = 0
            self._port = port

        async def dial(self, protocol: asyncio.Protocol) -> asyncio.Transport:
            self.dials += 1
            if self.dials == 1:
                raise DialError(Trouble.CONNECT_TIMEOUT, "asleep")
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_connection(lambda: protocol, "127.0.0.1", self._port)
            return transport

    async with HomeServer() as home:
        dialer = Waking(home.port)
        async with relay_to(home.port, dialer=dialer) as relay:
            assert said(await relay.deliver(parcel("taro"))) == STORED
            assert dialer.dials == 2
            assert relay.available()


async def test_close_lets_a_message_under_way_finish_and_then_closes_its_connection() -> None:
    end = asyncio.Event()
    async with HomeServer() as home, relay_to(home.port, timing=PATIENT) as relay:
        home.default_final = Until(end, "250 2.0.0 Stored")
        delivery = asyncio.create_task(relay.deliver(parcel("taro")))
        await home.heard("BDAT")

        relay.close()
        end.set()

        assert said(await delivery) == STORED
        assert relay.status().connections == 0


async def test_a_home_that_goes_away_is_known_as_away_although_no_message_comes() -> None:
    timing = Timing(probe_seconds=0.05)
    async with HomeServer() as home, relay_to(home.port, timing=timing) as relay, running(relay):
        await until_status(relay, up=True)

        await home.stop()

        await until_status(relay, up=False, breaker=BreakerState.OPEN)
        assert said(await relay.deliver(parcel("taro"))) == ["breaker-open"]
