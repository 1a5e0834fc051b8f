"""A slow wire: two network namespaces, and between them a link with a delay each way."""

from __future__ import annotations

import ctypes
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.rig.process import Child, Service, Workplace, find_program, need_root, new_mark

CLONE_NEWNET = 0x40000000
DISCARD_PORT = 9


class Link(Service):
    """Namespaces ``near`` (10.98.0.1) and ``far`` (10.98.0.2); a packet takes half of ``rtt_ms`` to pass.

    ``into`` is the command prefix that runs a program in one of them.
    """

    NEAR = "10.98.0.1"
    FAR = "10.98.0.2"

    def __init__(self, *, rtt_ms: float = 20.0) -> None:
        need_root("Network namespaces belong to root")
        self._ip = find_program("ip", package="iproute2")
        mark = f"mx{new_mark()}"
        self.near = f"{mark}n"
        self.far = f"{mark}f"
        self._devices = (f"{mark}a", f"{mark}b")
        self._place = Workplace()
        delay = Path(__file__).with_name("delay.py")
        self._wire = Child(
            [sys.executable, str(delay), str(rtt_ms / 2), *self._devices], words=self._place.path / "words"
        )

    def into(self, namespace: str) -> list[str]:
        return [self._ip, "netns", "exec", namespace]

    def start(self) -> None:
        for namespace in (self.near, self.far):
            self._do("netns", "add", namespace)
        self._wire.start(lambda: "ready" in self._wire.said())
        ends = zip(
            (self.near, self.far), self._devices, (self.NEAR, self.FAR), (self.FAR, self.NEAR), strict=True
        )
        for namespace, device, own, other in ends:
            # A device keeps its wire when it moves to another namespace.
            self._do("link", "set", device, "netns", namespace)
            self._do("-n", namespace, "link", "set", "lo", "up")
            self._do("-n", namespace, "addr", "add", own, "peer", other, "dev", device)
            self._do("-n", namespace, "link", "set", device, "up")

    def socket(self, namespace: str) -> socket.socket:
        """A TCP socket that lives in that namespace, for this process to use."""
        made: list[socket.socket] = []

        def make() -> None:
            # Namespaces belong to threads: this one enters, and ends with its socket made.
            with Path(f"/run/netns/{namespace}").open() as handle:
                if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            made.append(socket.socket())

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        return made[0]

    def rtt_seconds(self) -> float:
        """The round-trip time as a TCP handshake (here: its refusal) takes it, the quickest of several."""
        return min(self._refusal_seconds() for _ in range(9))

    def _refusal_seconds(self) -> float:
        with self.socket(self.near) as probe:
            began = time.monotonic()
            probe.connect_ex((self.FAR, DISCARD_PORT))
            return time.monotonic() - began

    def close(self) -> None:
        self._wire.stop()
        for namespace in (self.near, self.far):
            subprocess.run([self._ip, "netns", "del", namespace], check=False, capture_output=True)
        self._place.remove()

    def _do(self, *arguments: str) -> None:
        subprocess.run([self._ip, *arguments], check=True, capture_output=True)
