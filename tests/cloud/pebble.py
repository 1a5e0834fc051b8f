"""An ACME authority on loopback: Let's Encrypt's own test server, which looks at DNS where we say."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import threading
import urllib.request
from pathlib import Path

from tests.cloud.fake_api import FakeCloudflare
from tests.dell.certificates import Authority
from tests.rig.process import Child, Service, Workplace, answers, find_program, free_port
from tests.rig.zone import Zone, ZoneServer


class ZoneThread(Service):
    """A zone's server for programs of other processes; ``shows`` puts a fake Cloudflare's records into it."""

    def __init__(self) -> None:
        self.zone = Zone({"mx.example.jp": {"A": ["127.0.0.1"]}})
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._server = ZoneServer(self.zone)

    @property
    def address(self) -> str:
        return self._server.address

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._server.__aenter__(), self._loop).result(20)

    def close(self) -> None:
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._server.__aexit__(), self._loop).result(20)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def shows(self, cloudflare: FakeCloudflare) -> None:
        """From now on whatever is written there is in DNS at once."""
        known: set[tuple[str, str]] = set()

        def show() -> None:
            held: dict[tuple[str, str], list[object]] = {key: [] for key in known}
            for record in cloudflare.records.values():
                kind, content = record["type"], record["content"]
                value: object = content.strip('"')
                if kind == "MX":
                    value = (record["priority"], content)
                elif kind == "SRV":
                    value = tuple(record["data"][part] for part in ("priority", "weight", "port", "target"))
                held.setdefault((record["name"], kind), []).append(value)
            known.update(held)
            for (name, kind), values in held.items():
                self.zone.put(name, {kind: values})

        cloudflare.on_change = show


class Pebble(Service):
    """``directory`` is its URL; whoever asks it trusts ``trust``."""

    def __init__(self, dns: str) -> None:
        self._place = Workplace()
        self._port, self._management = free_port(), free_port()
        pair = Authority(self._place.path)
        self.trust = pair.path
        served = pair.pair("127.0.0.1")
        self.directory = f"https://127.0.0.1:{self._port}/dir"
        settings = {
            "listenAddress": f"127.0.0.1:{self._port}",
            "managementListenAddress": f"127.0.0.1:{self._management}",
            "certificate": str(served.certificate),
            "privateKey": str(served.key),
            "httpPort": free_port(),
            "tlsPort": free_port(),
        }
        config = self._place.file("pebble.json", json.dumps({"pebble": settings}))
        # A wait before each look at DNS, and random refusals of nonces, are for other tests than ours.
        environ = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
        program = find_program("pebble", package="pebble")
        command = [program, "-strict", "-config", str(config), "-dnsserver", dns]
        self._child = Child(command, words=self._place.path / "words", environ=environ)

    def start(self) -> None:
        self._child.start(lambda: answers(self._port) and answers(self._management))

    def close(self) -> None:
        self._child.stop()
        self._place.remove()

    def root(self) -> Path:
        """What its certificates are to be checked against."""
        context = ssl.create_default_context(cafile=str(self.trust))
        url = f"https://127.0.0.1:{self._management}/roots/0"
        with urllib.request.urlopen(url, context=context) as answer:
            return self._place.file("root.pem", answer.read().decode())
