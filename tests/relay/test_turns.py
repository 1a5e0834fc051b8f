"""One message at a time for each mailbox."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import ip_address

from mxgw.envelope import NULL_REVERSE_PATH, Client, ForwardPath, MailParameters
from mxgw.outcome import HomeAnswer, Trouble
from mxgw.relay import Parcel
from mxgw.reply import Reply
from mxgw.turns import InTurn, Turns

STORED = HomeAnswer(Reply.of(250, "2.0.0", "Saved"))


def parcel(*names: str) -> Parcel:
    return Parcel(
        id="x",
        client=Client(ip_address("192.0.2.1"), 25),
        reverse_path=NULL_REVERSE_PATH,
        forward_paths=tuple(ForwardPath(name, "example.jp") for name in names),
        parameters=MailParameters(),
        octets=0,
        chunks=lambda: iter(()),
    )


class Home:
    """Notes what overlaps; each delivery takes a few turns of the loop."""

    def __init__(self) -> None:
        self.inside: list[frozenset[str]] = []
        self.overlaps: list[frozenset[str]] = []
        self.most = 0
        self.order: list[str] = []
        self.blocked: asyncio.Event | None = None

    def available(self) -> bool:
        return True

    async def deliver(self, parcel: Parcel) -> tuple[HomeAnswer, ...]:
        mine = frozenset(str(path).lower().replace("+tag", "") for path in parcel.forward_paths)
        self.overlaps += [other & mine for other in self.inside if other & mine]
        self.inside.append(mine)
        self.order.append(parcel.id)
        self.most = max(self.most, len(self.inside))
        if self.blocked:
            await self.blocked.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        self.inside.remove(mine)
        return (STORED,) * len(parcel.forward_paths)


async def test_deliveries_to_one_mailbox_do_not_overlap_and_keep_their_order() -> None:
    home = Home()
    one = InTurn(home, seconds=10)

    answers = await asyncio.gather(*(one.deliver(replace(parcel("taro"), id=str(n))) for n in range(20)))

    assert set(answers) == {(STORED,)}
    assert home.overlaps == []
    assert home.order == [str(n) for n in range(20)]


async def test_deliveries_to_different_mailboxes_run_side_by_side() -> None:
    home = Home()
    one = InTurn(home, seconds=10)

    await asyncio.gather(*(one.deliver(parcel(f"user{n}")) for n in range(10)))

    assert home.most == 10


async def test_many_recipients_in_any_order_never_wait_in_a_circle() -> None:
    home = Home()
    one = InTurn(home, seconds=10)

    async with asyncio.timeout(20):
        await asyncio.gather(
            *(one.deliver(parcel(*names)) for names in [("taro", "jiro"), ("jiro", "taro"), ("taro",)] * 20)
        )

    assert home.overlaps == []


async def test_spellings_of_one_mailbox_share_its_turn() -> None:
    home = Home()
    one = InTurn(home, seconds=10)

    await asyncio.gather(*(one.deliver(parcel(name)) for name in ("taro", "TARO", "taro+tag")))

    assert home.most == 1


async def test_who_waits_too_long_is_put_off_and_who_delivers_is_not() -> None:
    home = Home()
    home.blocked = asyncio.Event()
    one = InTurn(home, seconds=0.05)
    first = asyncio.create_task(one.deliver(parcel("taro")))
    await asyncio.sleep(0)

    second = await one.deliver(parcel("taro", "jiro"))
    home.blocked.set()

    assert second == (HomeAnswer(trouble=Trouble.NO_SLOT),) * 2
    assert await first == (STORED,)


async def test_nothing_is_kept_when_nobody_is_left() -> None:
    turns = Turns()
    assert turns.take_now(frozenset({"a", "b"}))
    waiting = asyncio.create_task(turns.take(frozenset({"b", "c"})))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    turns.give_back({"a", "b"})

    assert len(turns) == 0


async def test_a_turn_that_comes_to_somebody_just_cancelled_goes_to_the_next() -> None:
    turns = Turns()
    assert turns.take_now(frozenset({"a"}))
    cancelled, patient = (asyncio.create_task(turns.take(frozenset({"a"}))) for _ in range(2))
    await asyncio.sleep(0)

    turns.give_back({"a"})
    cancelled.cancel()
    await asyncio.wait_for(patient, 5)

    assert cancelled.cancelled()
    turns.give_back({"a"})
    assert len(turns) == 0
