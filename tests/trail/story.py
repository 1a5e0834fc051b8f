"""Mail that went well and ill, and the logs that the running doors wrote of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.home.faulty_scanner import FaultyScanner
from tests.rig.courier import Courier
from tests.rig.gateway import Event, Gateway
from tests.rig.homedoor import HomeDoor
from tests.rig.homeserver import HomeServer
from tests.rig.wire import stuffed
from tests.rig.zone import Zone, ZoneServer

HONEST, STRANGER = "203.0.113.5", "198.51.100.9"
SENDER, STRANGE_SENDER = "news@shop.example", "x@evil.example"
TARO = "taro@example.jp"

ZONE = Zone(
    {
        "shop.example": {"TXT": [f"v=spf1 ip4:{HONEST} -all"], "A": [HONEST]},
        "_dmarc.shop.example": {"TXT": ["v=DMARC1; p=reject"]},
        "_dmarc.bank.example": {"TXT": ["v=DMARC1; p=quarantine"]},
        "bank.example": {"A": [HONEST]},
        "evil.example": {"TXT": [f"v=spf1 ip4:{STRANGER} -all"], "A": [STRANGER]},
    }
)
CHECKS = "spf,dkim,dmarc,arc,iprev,recipient"


@dataclass
class Story:
    """The logs, and what the senders were told, attempt by attempt, by the name of the message."""

    directory: Path
    told: dict[str, list[str]] = field(default_factory=dict)
    events: dict[str, list[Event]] = field(default_factory=dict)

    @property
    def one(self) -> str:
        """The log of an edge."""
        return str(self.directory / "one.log")

    @property
    def two(self) -> str:
        """The log of another edge before the same home."""
        return str(self.directory / "two.log")

    @property
    def third(self) -> str:
        """The log of the edge before the home door."""
        return str(self.directory / "third.log")

    @property
    def home(self) -> str:
        """The log of the home door."""
        return str(self.directory / "home.log")

    def lines(self, name: str) -> list[str]:
        """The lines of a log."""
        return (self.directory / f"{name}.log").read_text().splitlines()


def letter(name: str, author: str = SENDER) -> bytes:
    """Its Message-ID is its name at shop.example."""
    return (
        f"From: {author}\r\nTo: {TARO}\r\nSubject: {name}\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n"
        f"Message-ID: <{name}@shop.example>\r\n\r\nThis is {name}.\r\n"
    ).encode()


async def bring(
    edge: Gateway,
    octets: bytes,
    recipients: Sequence[str] = (TARO,),
    *,
    sender: str = SENDER,
    address: str = HONEST,
    leave: bool = False,
) -> str:
    """One attempt, whatever RCPT is answered; the last reply. ``leave``: go in the middle of the content."""
    courier = Courier(*await asyncio.open_connection(*edge.smtp))
    try:
        courier.write(f"PROXY TCP4 {address} 127.0.0.1 4000 25\r\n".encode())
        await courier.reply()
        await courier.command(f"EHLO {sender.partition('@')[2]}")
        await courier.command(f"MAIL FROM:<{sender}>")
        replies = [await courier.command(f"RCPT TO:<{path}>") for path in recipients]
        if not any(reply.startswith("250") for reply in replies):
            return replies[-1]
        await courier.command("DATA")
        if leave:
            await courier.content(octets[:40])
            return ""
        await courier.content(stuffed(octets) + b".\r\n")
        return await courier.reply()
    finally:
        await courier.close()


async def tell(directory: Path) -> Story:
    """Run the doors, bring the mail, keep the logs."""
    story = Story(directory)
    async with AsyncExitStack() as servers:
        zone = await servers.enter_async_context(ZoneServer(ZONE))
        home = await servers.enter_async_context(HomeServer())
        home.rcpt["nobody@example.jp"] = "550 5.1.1 No such user"
        home.final["later@example.jp"] = ["451 4.3.0 Not now", "451 4.3.0 Not now", "250 2.0.0 Stored"]
        home.final["full@example.jp"] = ["452 4.2.2 Mailbox full", "250 2.0.0 Stored"]
        home.final["never@example.jp"] = "552 5.2.2 Mailbox full"
        settings = {
            "checks": CHECKS,
            "proxy_from": "127.0.0.0/8",
            "dns": zone.address,
            "dmarc": "reject",
        }
        with ExitStack() as programs:
            url = f"lmtp://127.0.0.1:{home.port}"
            scanner = programs.enter_context(FaultyScanner())
            door = await asyncio.to_thread(programs.enter_context, HomeDoor(url, rspamd=scanner.url))
            edges = [Gateway(url, **settings), Gateway(url, **settings), Gateway(door.url, **settings)]
            one, two, third = await asyncio.gather(
                *(asyncio.to_thread(programs.enter_context, edge) for edge in edges)
            )

            async def attempt(name: str, edge: Gateway, *recipients: str, **more: object) -> None:
                author = str(more.pop("author", SENDER))
                reply = await bring(edge, letter(name, author), recipients or (TARO,), **more)  # type: ignore[arg-type]
                story.told.setdefault(name, []).append(reply)

            for edge in (one, two, one):
                await attempt("late", edge, "later@example.jp")
            await attempt("partly", one, TARO, "full@example.jp")
            await attempt("partly", two, TARO, "full@example.jp")
            await attempt("mixed", one, TARO, "never@example.jp")
            await attempt("nobody", one, "nobody@example.jp")
            await attempt("some", one, TARO, "nobody@example.jp")
            strange = {"sender": STRANGE_SENDER, "address": STRANGER}
            await attempt("junk", one, author="desk@bank.example", **strange)
            await attempt("forged", one, **strange)
            await attempt("elsewhere", one, "someone@elsewhere.example")
            await attempt("left", one, "hanako@example.jp", sender="slow@shop.example", leave=True)
            await asyncio.to_thread(one.wait_for, "transaction", count=10)
            await attempt("left", one, "hanako@example.jp", sender="slow@shop.example")
            await attempt("twice", one, "ken@example.jp")
            await attempt("twice", two, "ken@example.jp")
            await attempt("through", third, "yumi@example.jp")
            await asyncio.to_thread(door.wait_for, "transaction")
            await home.stop()
            await attempt("away", two, "aki@example.jp")
            await asyncio.to_thread(one.wait_for, "transaction", count=12)
            await asyncio.to_thread(two.wait_for, "transaction", count=4)
            await asyncio.to_thread(third.wait_for, "transaction")
            for name, program in (("one", one), ("two", two), ("third", third), ("home", door)):
                assert program.tracebacks() == []
                story.events[name] = program.events()
                text = "".join(f"{json.dumps(event, separators=(',', ':'))}\n" for event in program.events())
                (directory / f"{name}.log").write_text(text)
    return story
