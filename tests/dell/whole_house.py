"""The whole way in: edges and their SOCKS5 proxy before the door at home, scanners, mailboxes of the stack.

All of it is in the stack's network namespace; a client of the tests joins it with ``Host.inside``. Edge and
proxy are what they are in the cloud; the home door, Rspamd, ClamAV, Redis, Dovecot and MariaDB are cells
made from compose.yaml.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.dell.cells import EDGE_ADDRESS, Cell, Host
from tests.dell.household import DOMAIN, HOME_DOOR, Household
from tests.dell.known_names import ADDRESS
from tests.rig.gateway import Gateway
from tests.rig.process import ROOT, Child, Service, find_program

HOME_URL = f"lmtp://{HOME_DOOR}:2525"
# In the namespace, where nobody else listens.
PROXY_PORT = 1055
FIRST_EDGE_PORT = 2501

# The checkout and its Python may lie where the cell has a tmpfs, or on another disk than the root.
PROGRAM = {str(path): path for path in (ROOT, Path(sys.base_prefix)) if str(path) != "/usr"}


def home_door(host: Host) -> Cell:
    """The home door's cell, not yet started.

    It runs as root without capabilities: the tests' Python may lie where no other user may look.
    """
    host.compose["services"]["home"].pop("user", None)
    return host.cell(
        "home",
        command=["env", "MXGW_SPOOL_DIR=/tmp", str(ROOT / ".venv/bin/mxgw"), "serve", "home"],
        mounts={"/opt/mxgw/healthcheck.py": ROOT / "docker" / "healthcheck.py", **PROGRAM},
    )


def start_known_names(host: Host) -> Child:
    """The resolver of known_names.py, in the network of the stack."""
    child = Child(
        [*host.into(), sys.executable, "-m", "tests.dell.known_names"],
        words=host.place.path / "words.names",
        environ={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)},
    )
    child.start(lambda: "ready" in child.said())
    return child


class Proxy(Service):
    """microsocks beside the edges, as Tailscale's sidecar is: what it carries comes from EDGE_ADDRESS."""

    def __init__(self, home: Household) -> None:
        program = find_program("microsocks", package="microsocks")
        host = home.host
        self._home = home
        self.child = Child(
            [*host.into(), program, "-i", "127.0.0.1", "-p", str(PROXY_PORT), "-b", EDGE_ADDRESS],
            words=host.place.file("words/proxy", ""),
        )

    def start(self) -> None:
        self.child.start(self._answers)

    def close(self) -> None:
        self.child.stop()

    def _answers(self) -> bool:
        try:
            self._home.connect(PROXY_PORT).close()
        except OSError:
            return False
        return True


class Edge(Service):
    """``mxgw serve edge`` on a port of its own, behind which it is killed and started anew.

    It checks and seals as in service; its resolver is the one of the stack, which knows no name.
    """

    def __init__(self, host: Host, *, port: int = FIRST_EDGE_PORT, **environ: str) -> None:
        self.address = ("127.0.0.1", port)
        self._settings = {
            "listen": f"127.0.0.1:{port}",
            "http_listen": f"127.0.0.1:{port + 1000}",
            "socks5": f"127.0.0.1:{PROXY_PORT}",
            "seal_key": host.environ["MXGW_SEAL_KEY"],
            "checks": "spf,dkim,dmarc,recipient",
            "dns": "127.0.0.1:53",
            **environ,
        }
        self._into = host.into()
        self._namespace = host.namespace
        self._past: list[Gateway] = []
        self.program = self._make()

    def start(self) -> None:
        # replace: with the second edge it is there.
        ip = find_program("ip", package="iproute2")
        subprocess.run(
            [ip, "-n", self._namespace, "addr", "replace", f"{ADDRESS}/32", "dev", "lo"], check=True
        )
        self.program.start()

    def kill_and_restart(self) -> None:
        self.program.kill()
        self._past.append(self.program)
        self.program = self._make()
        self.program.start()

    def close(self) -> None:
        for program in (*self._past, self.program):
            program.close()

    def tracebacks(self) -> list[str]:
        return [line for program in (*self._past, self.program) for line in program.tracebacks()]

    def _make(self) -> Gateway:
        return Gateway(HOME_URL, wrapper=self._into, **self._settings)


def home_events(host: Host, name: str) -> Iterator[dict[str, Any]]:
    """What the home door's log says of that name."""
    for line in host.cells["home"].said().splitlines():
        if line.startswith("{"):
            event: dict[str, Any] = json.loads(line)
            if event.get("event") == name:
                yield event


def stored_files(host: Host, user: str) -> list[Path]:
    """Every message file of a mailbox at DOMAIN, in all its folders."""
    maildir = host.data / "mail" / DOMAIN / user / "Maildir"
    return [path for part in ("new", "cur") for path in maildir.glob(f"**/{part}/*")]


def stored_octets(host: Host, user: str) -> list[bytes]:
    """The same as they came: Dovecot keeps their line ends as LF."""
    return [path.read_bytes().replace(b"\n", b"\r\n") for path in stored_files(host, user)]
