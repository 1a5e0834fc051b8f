"""Starting programs in an account, waiting until their door answers, ending them by PID."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.accounting import STOP_SECONDS, Account, end_group

ROOT = Path(__file__).parent.parent
"""Where the package ``bench`` is found, and var/."""

PORTS = range(20_000, 30_000)
"""Below the range that the kernel takes client ports from."""
START_SECONDS = 15.0

PROXY_LOCAL = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
"""PROXY header, version 2, of a health check: the connection speaks for itself."""


class BenchError(Exception):
    """Something the bench needs is missing or did not work; the text says what to do."""


def free_port() -> int:
    """A loopback port that nobody listens on."""
    for port in random.sample(PORTS, k=200):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise BenchError("no free port found on 127.0.0.1")


def find_program(name: str) -> str:
    """The path of a program, /usr/sbin included, where Postfix keeps its tools."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        raise BenchError(
            f"{name} is missing: on Debian, apt-get install postfix (mailer type: no configuration)"
        )
    return path


Reach = Callable[[int], socket.socket]
"""Makes a connection to a port. Raises OSError."""


def _reach(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 5)


class Program:
    """A running program whose whole tree is in ``account``; its output goes to a file.

    ``cleared``: a directory that is removed when it has ended. ``patience_seconds``: how long those of its
    tree may take to leave that it did not end itself.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        account: Account,
        output: Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        cleared: Path | None = None,
        patience_seconds: float = STOP_SECONDS,
    ) -> None:
        self.output = output
        self._cleared = cleared
        self._patience_seconds = patience_seconds
        self._account = account
        with output.open("wb") as sink:
            self._process = subprocess.Popen(
                account.wrap(argv),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=dict(os.environ if environment is None else environment),
                cwd=cwd,
            )
        account.adopt(self._process.pid)

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for_door(self, port: int, *, say_first: bytes = b"", reach: Reach | None = None) -> None:
        """Until the program greets with 220 on the port, where need be after a PROXY header.

        ``reach`` connects to the port of a program that is not on this network.
        """
        self._wait_for(b"220", port=port, reach=reach, say_first=say_first, say_last=b"QUIT\r\n")

    def wait_for_operators_door(self, port: int, *, reach: Reach | None = None) -> None:
        """Until the program answers HTTP on the port: mxgw loads that door last, behind open mail doors."""
        self._wait_for(b"HTTP/1.0 200", port=port, reach=reach, say_first=b"GET /livez HTTP/1.0\r\n\r\n")

    def _wait_for(
        self, answer: bytes, *, port: int, reach: Reach | None, say_first: bytes, say_last: bytes = b""
    ) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with contextlib.suppress(OSError), (reach or _reach)(port) as door:
                door.settimeout(5)
                door.sendall(say_first)
                if door.recv(512).startswith(answer):
                    with contextlib.suppress(OSError):
                        door.sendall(say_last)
                        door.recv(512)
                    return
            time.sleep(0.02)
        tail = self.output.read_text(errors="replace")[-600:].strip()
        raise BenchError(f"{self._process.args!r} did not come up: {tail}")

    def stop(self) -> None:
        """SIGTERM to the program, then whatever is left of its group."""
        self._account.pids()  # whom the program leaves behind must be known before it goes
        if self._process.poll() is None:
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        end_group(self._account, patience_seconds=self._patience_seconds)
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._cleared is not None:
            shutil.rmtree(self._cleared, ignore_errors=True)
