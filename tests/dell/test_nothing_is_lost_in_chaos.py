"""Everything on the whole way is killed under load: what was acknowledged is in its mailbox, and once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psutil
import pytest

from tests.dell.cells import Cell, Host
from tests.dell.household import DOMAIN, Household
from tests.dell.scanning import Scanners
from tests.dell.whole_house import FIRST_EDGE_PORT, Edge, Proxy, home_door, home_events, stored_octets
from tests.rig import specimen
from tests.rig.courier import Account, Entry, Ledger, Senders

# Settable, so that a run can be had again (its dice, not its clock), longer or shorter.
SEED = int(os.environ.get("MXGW_CHAOS_SEED") or random.SystemRandom().randrange(2**32))
MESSAGES = int(os.environ.get("MXGW_CHAOS_MESSAGES") or 5000)

EDGES = 2
LANES = 24
MAILBOXES_PER_LANE = 2
# Mostly small, so that there are many; some beyond what the spools keep in memory.
OCTETS = {300: 45, 1_500: 35, 6_000: 19, 400_000: 1}
PAUSE_SECONDS = 0.3


@dataclass(slots=True)
class Victim:
    """A program that dies now and then; when it did, by time.monotonic()."""

    name: str
    kill: Callable[[], None]
    pause: tuple[float, float]
    kills: list[float] = field(default_factory=list)

    async def die_now_and_then(self, dice: random.Random, done: asyncio.Event) -> None:
        while not done.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), dice.uniform(*self.pause))
                return
            self.kills.append(time.monotonic())
            await asyncio.to_thread(self.kill)


@dataclass(frozen=True, slots=True)
class House:
    """All that is between a sender and the mailboxes."""

    home: Household
    edges: tuple[Edge, ...]

    @property
    def host(self) -> Host:
        return self.home.host

    def victims(self) -> list[Victim]:
        """Each is down for a moment, as long as its restart takes. Together, some are often down at once."""
        edges = [
            Victim(f"edge {number}", edge.kill_and_restart, (4, 12)) for number, edge in enumerate(self.edges)
        ]
        pauses = {"home": (4, 12), "dovecot": (4, 12), "mariadb": (5, 15), "rspamd": (8, 20)}
        return edges + [Victim(name, _killer(self.host.cells[name]), pause) for name, pause in pauses.items()]

    def stored(self, address: str) -> list[bytes]:
        return stored_octets(self.host, address.partition("@")[0])


def _killer(cell: Cell) -> Callable[[], None]:
    def kill_and_restart() -> None:
        cell.child.kill()
        cell.start()

    return kill_and_restart


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(Household())
        home.add(*(name for run in ("one", "two") for lane in range(LANES) for name in _names(run, lane)))
        scanners = Scanners(home.host)
        stack.callback(scanners.close)
        scanners.start()
        home_door(home.host).start()
        stack.enter_context(Proxy(home))
        edges = tuple(
            stack.enter_context(Edge(home.host, port=FIRST_EDGE_PORT + number)) for number in range(EDGES)
        )
        yield House(home, edges)
        assert [line for edge in edges for line in edge.tracebacks()] == []
        assert "Traceback" not in home.host.cells["home"].said()


def _names(run: str, lane: int) -> list[str]:
    return [f"{run}{lane}x{place}" for place in range(MAILBOXES_PER_LANE)]


def _lanes(run: str, ledger: Ledger, messages: int, dice: random.Random) -> list[list[Entry]]:
    """Each lane is a sender with mailboxes of its own; one message in five is for two of them."""
    lanes: list[list[Entry]] = [[] for _ in range(LANES)]
    for place in range(messages):
        lane = place % LANES
        users = dice.sample(_names(run, lane), dice.choice((1, 1, 1, 1, 2)))
        number = f"{run}-{place}-{dice.getrandbits(32):08x}"
        octets = specimen.numbered(number, octets=dice.choices([*OCTETS], weights=[*OCTETS.values()])[0])
        lanes[lane].append(ledger.add(number, octets, [f"{user}@{DOMAIN}" for user in users]))
    return lanes


async def _send(house: House, lanes: list[list[Entry]], victims: list[Victim], dice: random.Random) -> None:
    done = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for victim in victims:
            group.create_task(victim.die_now_and_then(random.Random(dice.random()), done))
        await asyncio.gather(
            *(
                Senders(edge.address, lanes[number::EDGES], pause_seconds=PAUSE_SECONDS).run()
                for number, edge in enumerate(house.edges)
            )
        )
        done.set()


def _run(
    house: House, run: str, messages: int, victims: list[Victim], dice: random.Random
) -> tuple[Ledger, Account]:
    ledger = Ledger()
    lanes = _lanes(run, ledger, messages, dice)
    began = time.monotonic()
    with house.host.inside():
        asyncio.run(_send(house, lanes, victims, dice))
    seconds = time.monotonic() - began
    account = ledger.check(house.stored)
    kills = {victim.name: len(victim.kills) for victim in victims}
    attempts = sum(len(entry.attempts) for entry in ledger.entries.values())
    print(
        f"\nseed {SEED}: {account}; kills {kills}; {attempts} attempts in {seconds:.0f} s; "
        f"answers {dict(ledger.answers())}"
    )
    return ledger, account


def test_what_was_stored_and_not_noted_before_a_crash_is_not_stored_again(house: House) -> None:
    """Dovecot dies between the two; a note that is missing is what is left of that."""
    house.home.add("left", "other")
    dovecot = house.host.cells["dovecot"]
    message = f"X-MXGW-Fingerprint: {'5c' * 32}\r\nSubject: once\r\n\r\nHello.\r\n".encode()
    house.home.deliver(message, "left")
    dovecot.child.kill()
    (house.host.data / "mail" / DOMAIN / "left" / ".dovecot.lda-dupes").unlink()
    dovecot.start()

    for _ in range(2):
        said = house.home.deliver(message, "left", "other")
        assert [one.code for one in said] == [250, 250]
        dovecot.child.kill()
        dovecot.start()

    assert len(house.stored("left")) == len(house.stored("other")) == 1


def test_five_thousand_messages_while_everything_is_killed(house: House) -> None:
    dice = random.Random(SEED)
    victims = house.victims()

    ledger, account = _run(house, "one", MESSAGES, victims, dice)

    assert min(len(victim.kills) for victim in victims) >= 1
    assert account.sent == account.acknowledged == MESSAGES
    assert (account.absent, account.duplicated, account.damaged) == ([], [], [])
    assert {answer[0] for answer in ledger.answers()} <= {"2", "4", "n"}


def test_a_delivery_process_that_is_killed_alone_loses_nothing_and_each_extra_copy_is_its_doing(
    house: House,
) -> None:
    """Such a process may die between storing a message and noting it, while Dovecot itself goes on."""
    dice = random.Random(SEED + 1)
    deliverers = Victim("a process of lmtp", lambda: _kill_a_deliverer(house, dice), (0.3, 1.2))

    ledger, account = _run(house, "two", MESSAGES // 5, [*house.victims(), deliverers], dice)

    assert account.sent == account.acknowledged == MESSAGES // 5
    assert (account.absent, account.damaged) == ([], [])
    killed = house.host.cells["dovecot"].said().count("killed with signal 9")
    assert killed >= 1
    assert len(account.duplicated) <= killed
    for number, user in account.duplicated:
        failed = [one for one in ledger.entries[number].attempts if not one[2].startswith("250")]
        assert any(began <= kill <= ended for began, ended, _ in failed for kill in deliverers.kills), number
        copies = [one for one in house.stored(user) if specimen.number(one) == number]
        print(f"{number} has {len(copies)} copies: attempts {ledger.entries[number].attempts}")
        # All copies but one are of attempts of which home heard no good end. (Of none, where it was killed.)
        assert sum(_saved(house, user, copy) for copy in copies) <= 1, number


def _kill_a_deliverer(house: House, dice: random.Random) -> None:
    """One of those that are busy, where there is one."""
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        children = psutil.Process(house.host.cells["dovecot"].child.pid).children()
        found = [one for one in children if one.name() == "lmtp"]
        # Its title names the user while it delivers (verbose_proctitle).
        busy = [one for one in found if "@" in " ".join(one.cmdline())]
        if found:
            dice.choice(busy or found).kill()


def _saved(house: House, user: str, copy: bytes) -> bool:
    """Whether home heard from Dovecot that this copy is stored."""
    by_home = re.search(rb"by mail\.example\.ts\.net\s+with\s+LMTP\s+id\s+([0-9a-f]+)", copy)
    assert by_home, copy[:1000]
    return any(
        recipient["home"].startswith("250") and recipient["forward_path"] == user
        for event in home_events(house.host, "transaction")
        if event["id"] == by_home[1].decode()
        for recipient in event["recipients"]
    )
