"""The scanners of the stack (Rspamd, ClamAV, Redis) in their cells, and how one asks them."""

from __future__ import annotations

import http.client
import json
import os
import shutil
from dataclasses import dataclass
from typing import Any

from tests.dell.cells import VOLUME_OWNERS, Cell, Host, start_names
from tests.rig.process import Child, find_program, wait_until
from tests.rig.rspamd import COMPILED

# In two pieces, so that no scanner takes this file for what it names.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + rb"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

NORMAL_PORT = 11333
CONTROLLER_PORT = 11334
# A first start compiles its patterns; see COMPILED.
FIRST_START_SECONDS = 120.0
STRANGER = {"IP": "192.0.2.1", "Helo": "mx.example.org", "From": "a@example.org", "Rcpt": "taro@example.jp"}
# The controller believes whoever is on its own machine: the tests come from an address that is not.
ELSEWHERE = "10.129.72.3"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Rspamd said of one message."""

    action: str
    score: float
    message: str
    symbols: frozenset[str]


class Scanners:
    """Started in ``host``. ClamAV has one signature: EICAR's."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._names: Child | None = None
        find_program("clamd", package="clamav-daemon")
        find_program("clamdscan", package="clamdscan")
        find_program("redis-server", package="redis-server")
        find_program("rspamd", package="rspamd")

    def start(self) -> None:
        self._names = start_names(self._host)
        signature = self._host.data / "clamav" / "test.ndb"
        signature.write_text(f"Test.Eicar:0:*:{EICAR.hex()}\n")
        signature.chmod(0o644)
        self._take_compiled()
        self._host.cell("redis").start()
        self._host.cell("clamav").start()
        rspamd = self._host.cell("rspamd")
        rspamd.child.start(lambda: True)
        wait_until(lambda: self._host.healthy("rspamd"), seconds=FIRST_START_SECONDS, what="Rspamd answers")

    def close(self) -> None:
        self._keep_compiled()
        if self._names is not None:
            self._names.stop()

    @property
    def rspamd(self) -> Cell:
        return self._host.cells["rspamd"]

    def scan(self, message: bytes, **headers: str) -> Verdict:
        """As the home door asks, for a message of a stranger; ``headers`` say otherwise."""
        _, said = self.ask("/checkv2", message, **STRANGER | headers)
        return Verdict(
            said["action"],
            said["score"],
            said.get("messages", {}).get("smtp_message", ""),
            frozenset(said["symbols"]),
        )

    def ask(self, path: str, body: bytes = b"", *, source: str = "", **headers: str) -> tuple[int, Any]:
        """Status and answer; of the controller from ``source`` where that is given."""
        port = CONTROLLER_PORT if source else NORMAL_PORT
        address = source or "127.0.0.1"
        with self._host.inside():
            connection = http.client.HTTPConnection(address, port, timeout=60)
            connection.connect()
        try:
            connection.request("POST" if body else "GET", path, body or None, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        return answer.status, json.loads(text) if text.startswith(("{", "[")) else text

    @property
    def password(self) -> str:
        """Of the controller."""
        return self._host.environ["RSPAMD_PASSWORD"]

    def learned(self, kind: str) -> int:
        """How many messages it was taught as ``spam`` or ``ham``, by its log (/stat is late)."""
        return self.rspamd.said().count(f"learned message as {kind}")

    def _take_compiled(self) -> None:
        for path in COMPILED.glob("*.*") if COMPILED.is_dir() else ():
            target = self._host.data / "rspamd" / path.name
            shutil.copyfile(path, target)
            shutil.chown(target, *VOLUME_OWNERS["rspamd"])

    def _keep_compiled(self) -> None:
        """For the next start, whoever's it is. Each file appears whole, or not at all."""
        COMPILED.mkdir(parents=True, exist_ok=True)
        for pattern in ("*.unser", "*.hs", "*.hsmp", "*.map"):
            for path in (self._host.data / "rspamd").glob(pattern):
                if not (COMPILED / path.name).exists():
                    partial = COMPILED / f"partial{os.getpid()}"
                    shutil.copyfile(path, partial)
                    partial.replace(COMPILED / path.name)
