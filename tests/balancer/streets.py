"""The way of a message as network namespaces: the world, a balancer, two edge tasks, and home.

    world --- balancer --- edge a --- home
                      \\--- edge b ---/

Each edge reaches the world through the balancer only, as a task in its subnet does, and home on a link of its
own. All addresses exist in these namespaces alone. The world's are not private ones, so that an edge takes
them for what they are.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.rig.process import Service, find_program, need_root, new_mark

CLONE_NEWNET = 0x40000000

WORLD, BALANCER, HOME = "world", "balancer", "home"
EDGES = ("a", "b")

PUBLIC_ADDRESS = "198.51.100.254"
"""What the MX name of the test stands for."""

BALANCER_NETWORK = "10.80.0.0/24"
HOME_ADDRESS = "100.64.0.1"
SMTP_PORT, HTTP_PORT = 8025, 8080

MAX_CLIENTS = 32


def client_address(number: int) -> str:
    """The address of one of the world's clients."""
    return f"198.51.100.{number + 1}"


def edge_address(edge: str) -> str:
    """Where an edge task listens."""
    return f"10.80.0.{10 + EDGES.index(edge)}"


class Streets(Service):
    """The namespaces and the wires between them."""

    def __init__(self) -> None:
        need_root("Network namespaces belong to root")
        self._ip = find_program("ip", package="iproute2")
        self._mark = f"mx{new_mark()}"
        self._places = (WORLD, BALANCER, HOME, *EDGES)

    def start(self) -> None:
        for place in self._places:
            self._do("netns", "add", self.name(place))
            self._at(place, "link", "set", "lo", "up")
        self._wire(WORLD, BALANCER, f"{client_address(0)}/24", f"{PUBLIC_ADDRESS}/24")
        for number in range(1, MAX_CLIENTS):
            self._at(WORLD, "addr", "add", f"{client_address(number)}/24", "dev", f"to-{BALANCER}")
        for number, edge in enumerate(EDGES):
            own = edge_address(edge)
            gateway = f"10.80.0.{1 + number}"
            self._wire(edge, BALANCER, f"{own} peer {gateway}", f"{gateway} peer {own}")
            self._at(edge, "route", "add", "default", "via", gateway)
            tailnet = f"100.64.0.{10 + number}"
            self._wire(edge, HOME, f"{tailnet} peer {HOME_ADDRESS}", f"{HOME_ADDRESS} peer {tailnet}")
        subprocess.run(
            [*self.into(BALANCER), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"], check=True
        )

    def close(self) -> None:
        for place in self._places:
            subprocess.run([self._ip, "netns", "del", self.name(place)], check=False, capture_output=True)

    def name(self, place: str) -> str:
        """The machine's name of a namespace."""
        return f"{self._mark}-{place}"

    def into(self, place: str) -> list[str]:
        """The command prefix that runs a program there."""
        return [self._ip, "netns", "exec", self.name(place)]

    @contextlib.contextmanager
    def inside(self, place: str) -> Iterator[None]:
        """Sockets that this thread makes meanwhile belong there."""
        with (
            Path("/proc/thread-self/ns/net").open() as here,
            Path(f"/run/netns/{self.name(place)}").open() as there,
        ):
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(here.fileno())

    def socket(self, place: str) -> socket.socket:
        """A TCP socket that lives there."""
        with self.inside(place):
            return socket.socket()

    def _wire(self, one: str, other: str, address: str, other_address: str) -> None:
        """A cable from one place to another, with the addresses of its two ends."""
        peer = ["peer", "name", f"to-{one}", "netns", self.name(other)]
        self._at(one, "link", "add", "name", f"to-{other}", "type", "veth", *peer)
        for place, device, words in ((one, f"to-{other}", address), (other, f"to-{one}", other_address)):
            self._at(place, "addr", "add", *words.split(), "dev", device)
            self._at(place, "link", "set", device, "up")

    def _at(self, place: str, *arguments: str) -> None:
        self._do("-n", self.name(place), *arguments)

    def _do(self, *arguments: str) -> None:
        subprocess.run([self._ip, *arguments], check=True, capture_output=True)


def _enter(namespace: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
