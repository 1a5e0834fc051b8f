"""A real gateway process for dialogues, and a home behind it that does what the recipient's name says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping

from tests.rfc.wire import StrictWire
from tests.rig.gateway import Gateway
from tests.rig.homeserver import PIPELINING_AND_CHUNKING, Close, HomeServer, Plan
from tests.rig.process import Service

HOSTNAME = "mx.example.net"
DOMAINS = "example.org,xn--bcher-kva.example"

_CHATTY = "by scanner.inner.example (10.9.8.7:11332)"
"""What a real home adds to its words, and a stranger must not read."""

AT_RCPT: dict[str, Plan] = {
    "unknown@example.org": f"550 5.1.1 <unknown@example.org> User doesn't exist {_CHATTY}",
    "full@example.org": f"552 5.2.2 <full@example.org> Quota exceeded {_CHATTY}",
    "busy@example.org": f"451 4.2.0 <busy@example.org> Mailbox is locked {_CHATTY}",
}
AFTER_CONTENT: dict[str, Plan] = {
    "late-550@example.org": f"550 5.7.1 Looks like spam {_CHATTY}",
    "late-552@example.org": f"552 5.2.2 Mailbox is full {_CHATTY}",
    "late-451@example.org": f"451 4.2.0 Mailbox is locked {_CHATTY}",
    "late-550-太郎@example.org": f"550 5.7.1 Looks like spam {_CHATTY}",
    "late-552-花子@example.org": f"552 5.2.2 Mailbox is full {_CHATTY}",
    "silent@example.org": Close(),
}


class HomeThread(Service):
    """A HomeServer on a loop of its own, so that dialogues can be plain blocking code."""

    def __init__(self, *extensions: str) -> None:
        self.server = HomeServer(
            extensions=(*PIPELINING_AND_CHUNKING, *extensions), rcpt=dict(AT_RCPT), final=dict(AFTER_CONTENT)
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.server.start(), self._loop).result(20)

    def close(self) -> None:
        if not self._thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(self.server.stop(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Edge(Service):
    """``mxgw serve edge`` with the settings given (names as in the environment), and its home."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self._settings = {
            "MXGW_HOSTNAME": HOSTNAME,
            "MXGW_DOMAINS": DOMAINS,
            **(settings or {}),
        }
        self._home = HomeThread("SMTPUTF8")
        self._gateway: Gateway | None = None

    def start(self) -> None:
        self._home.start()
        environ = {name.removeprefix("MXGW_").lower(): value for name, value in self._settings.items()}
        home = environ.pop("home", f"lmtp://127.0.0.1:{self.home.port}")
        self._gateway = Gateway(home, **environ)
        self._gateway.start()

    def close(self) -> None:
        if self._gateway:
            self._gateway.close()
        self._home.close()

    @property
    def home(self) -> HomeServer:
        """Where the messages go; ``messages`` has one entry per recipient that got a copy."""
        return self._home.server

    @property
    def gateway(self) -> Gateway:
        """The process."""
        assert self._gateway
        return self._gateway

    def connect(self) -> StrictWire:
        """A new connection to the SMTP door."""
        return StrictWire(self.gateway.smtp)

    def session(self, helo: str = "client.example") -> StrictWire:
        """A new connection after greeting and EHLO."""
        wire = self.connect()
        greeting = wire.reply()
        assert greeting.startswith(f"220 {HOSTNAME} "), greeting
        assert wire.command(f"EHLO {helo}").startswith("250-")
        return wire
