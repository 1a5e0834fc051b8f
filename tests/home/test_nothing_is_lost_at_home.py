"""Chaos on the whole way: edges, home door and Rspamd are killed under load; each message is stored once."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from tests.rig import specimen
from tests.rig.courier import Ledger, Senders
from tests.rig.dovecot import Dovecot
from tests.rig.gateway import Gateway
from tests.rig.homedoor import HomeDoor
from tests.rig.process import free_port
from tests.rig.rspamd import Rspamd

LANES = 8
MESSAGES = 400
MOST_KILLS = 8
USERS = [f"lane{lane}" for lane in range(LANES)]


class Replaceable:
    """A program on a port of its own that is killed and started anew."""

    def __init__(self, make: Callable[[str], Gateway]) -> None:
        self.port = free_port()
        self._make = make
        self.kills: list[float] = []
        self.program = make(f"127.0.0.1:{self.port}")
        self.program.start()

    def kill(self) -> None:
        self.program.kill()
        self.kills.append(time.monotonic())
        self.program.close()
        self.program = self._make(f"127.0.0.1:{self.port}")
        self.program.start()


async def test_whatever_is_killed_each_message_is_stored_once() -> None:
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    programs: list[Replaceable] = []
    with Dovecot(dict.fromkeys(USERS)) as mailboxes, Rspamd() as scanner:
        try:
            door = Replaceable(
                lambda listen: HomeDoor(mailboxes.url, rspamd=scanner.url, listen=listen, scan_seconds="5")
            )
            programs.append(door)
            url = f"lmtp://127.0.0.1:{door.port}"
            edges = [Replaceable(lambda listen: Gateway(url, listen=listen)) for _ in range(2)]
            programs += edges

            ledger = Ledger()
            lanes = [
                [
                    ledger.add(
                        f"home-{lane}-{place}-{seed}",
                        specimen.numbered(
                            f"home-{lane}-{place}-{seed}", octets=dice.choice((500, 3_000, 30_000, 400_000))
                        ),
                        [f"{USERS[lane]}@example.jp"],
                    )
                    for place in range(MESSAGES // LANES)
                ]
                for lane in range(LANES)
            ]
            senders = [
                Senders(("127.0.0.1", edge.port), lanes[number::2], pause_seconds=0.2)
                for number, edge in enumerate(edges)
            ]
            done = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                trouble = group.create_task(_kill_at_random(dice, programs, scanner, done))
                await asyncio.gather(*(one.run() for one in senders))
                done.set()
            scanner_kills = trouble.result()
        finally:
            for one in programs:
                one.program.close()

        account = ledger.check(mailboxes.messages)
        kills = [len(one.kills) for one in programs]
        print(f"\nseed {seed}: {account}; kills {kills}, Rspamd {scanner_kills}; {dict(ledger.answers())}")
        assert account.sent == account.acknowledged == MESSAGES
        assert account.absent == account.duplicated == account.damaged == []
        assert sum(kills) >= 2
        assert {answer[0] for answer in ledger.answers()} <= {"2", "4", "n"}


async def _kill_at_random(
    dice: random.Random, programs: list[Replaceable], scanner: Rspamd, done: asyncio.Event
) -> int:
    """Until the senders are done; how often Rspamd was among the killed."""
    scanner_kills = 0
    for _ in range(MOST_KILLS):
        try:
            await asyncio.wait_for(done.wait(), dice.uniform(0.2, 1.0))
        except TimeoutError:
            victim = dice.choice((*programs, None))
            if victim is not None:
                await asyncio.to_thread(victim.kill)
            else:
                scanner_kills += 1
                await asyncio.to_thread(scanner.kill)
                await asyncio.to_thread(scanner.launch)
        else:
            break
    return scanner_kills
