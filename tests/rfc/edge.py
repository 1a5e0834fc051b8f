"""A real gateway process for dialogues, with a little home behind it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from tests.rfc.home import LittleHome
from tests.rfc.wire import Wire
from tests.rig.process import ROOT, Child, Service, Workplace

MXGW = ROOT / ".venv" / "bin" / "mxgw"
HOSTNAME = "mx.example.net"
DOMAINS = "example.org,xn--bcher-kva.example"

BASE = {
    "MXGW_LISTEN": "127.0.0.1:0",
    "MXGW_HTTP_LISTEN": "127.0.0.1:0",
    "MXGW_HOSTNAME": HOSTNAME,
    "MXGW_DOMAINS": DOMAINS,
    "MXGW_CHECKS": "recipient",
    "MXGW_LOG": "json",
}
"""What every gateway of the dialogues has; a group's settings come on top."""


class Edge(Service):
    """``mxgw serve edge`` with the settings given, and its home."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self._settings = dict(settings or {})
        self._workplace = Workplace()
        self.home = LittleHome()
        self._child: Child | None = None

    def start(self) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("MXGW_")}
        environ |= BASE | {"MXGW_HOME": f"lmtp://127.0.0.1:{self.home.port}"} | self._settings
        self._child = Child(
            [str(MXGW), "serve", "edge"], words=self._workplace.path / "stdout", environ=environ
        )
        self._child.start(lambda: bool(self.addresses().get("smtp")))

    def close(self) -> None:
        if self._child:
            self._child.stop()
        self.home.close()
        self._workplace.remove()

    def connect(self, source: str | None = None) -> Wire:
        """A new connection to the SMTP door."""
        return Wire(int(self.addresses()["smtp"].rpartition(":")[2]), source=source)

    def session(self, *, helo: str = "client.example") -> Wire:
        """A new connection after greeting and EHLO."""
        wire = self.connect()
        greeting = wire.line()
        assert greeting.startswith(f"220 {HOSTNAME} "), greeting
        assert wire.ask(f"EHLO {helo}").startswith("250 ")
        return wire

    def addresses(self) -> dict[str, str]:
        """Where each door listens: door -> address:port."""
        return {event["door"]: event["address"] for event in self.events("listening")}

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of this name in the log so far."""
        if self._child is None:
            return []
        events = []
        for line in self._child.said().splitlines():
            if line.startswith("{"):
                try:
                    event = json.loads(line)
                except ValueError:
                    continue  # the last line may still be on its way
                if event.get("event") == name:
                    events.append(event)
        return events
