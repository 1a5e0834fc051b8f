"""The way home through a real SOCKS5 proxy: microsocks."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mxgw.dialer import Socks5Dialer
from tests.relay.support import QUICK, parcel, relay_to, said
from tests.rig.homeserver import HomeServer
from tests.rig.process import Child, Workplace, answers, find_program, free_port, need_root, wait_until

HOME_NAME = "home.tailnet.test"
"""A name that only the proxy can resolve: its hosts file has it, ours has not."""


class Microsocks(Child):
    """The proxy, with a hosts file of its own."""

    def __init__(self, place: Workplace, *options: str) -> None:
        need_root("the proxy gets a mount namespace with its own hosts file")
        self.port = free_port()
        hosts = place.file("hosts", f"127.0.0.1 localhost {HOME_NAME}\n")
        program = find_program("microsocks", package="microsocks")
        shell = f'mount --bind {hosts} /etc/hosts && exec {program} "$@"'
        unshare = find_program("unshare", package="util-linux")
        super().__init__(
            [unshare, "--mount", "sh", "-c", shell, "sh", "-i", "127.0.0.1", "-p", str(self.port), *options],
            words=place.path / "words",
        )


@pytest.fixture
def place() -> Iterator[Workplace]:
    place = Workplace()
    yield place
    place.remove()


@pytest.fixture
def proxy(place: Workplace) -> Iterator[Microsocks]:
    child = Microsocks(place)
    child.start(lambda: answers(child.port))
    yield child
    child.kill()


def stall(proxy: Microsocks) -> None:
    """Stop the proxy; come back when each of its threads stands still."""

    def stands_still() -> bool:
        try:
            states = {path.read_text().rpartition(")")[2].split()[0] for path in tasks.glob("*/stat")}
        except OSError:
            # A thread has ended in between: look again.
            return False
        return states == {"T"}

    tasks = Path(f"/proc/{proxy.pid}/task")
    os.kill(proxy.pid, signal.SIGSTOP)
    wait_until(stands_still, seconds=10, what="the proxy stands still")


def dialer(proxy_port: int, home_port: int, host: str = HOME_NAME, seconds: float = 10.0) -> Socks5Dialer:
    return Socks5Dialer("127.0.0.1", proxy_port, host, home_port, seconds)


async def test_the_proxy_resolves_the_name_of_home(proxy: Microsocks) -> None:
    loop = asyncio.get_running_loop()
    with pytest.raises(OSError, match=r"Name or service not known|Temporary failure"):
        await loop.getaddrinfo(HOME_NAME, 0)

    async with HomeServer() as home:
        async with relay_to(0, dialer=dialer(proxy.port, home.port)) as relay:
            for content in (b"small\r\n", b"large\r\n" * 500_000):
                assert said(await relay.deliver(parcel("taro", content=content))) == ["250 2.0.0 Stored"]
                assert home.messages[-1].content == content

        assert home.connections == 1


async def test_a_home_that_the_proxy_cannot_reach_is_trouble(proxy: Microsocks) -> None:
    nobody = free_port()
    async with relay_to(0, dialer=dialer(proxy.port, nobody)) as relay:
        assert said(await relay.deliver(parcel("taro"))) == ["connect-failed"]
        assert "Connection refused" in relay.status().last_error
        assert HOME_NAME in relay.status().last_error


async def test_a_name_that_the_proxy_does_not_know_is_trouble(proxy: Microsocks) -> None:
    for name in ("nowhere.test", "a" * 70 + ".test"):
        async with relay_to(0, dialer=dialer(proxy.port, 2525, name)) as relay:
            assert said(await relay.deliver(parcel("taro"))) == ["connect-failed"]


async def test_a_proxy_that_wants_a_password_is_trouble(place: Workplace) -> None:
    proxy = Microsocks(place, "-u", "user", "-P", "secret")
    proxy.start(lambda: answers(proxy.port))
    try:
        async with HomeServer() as home, relay_to(0, dialer=dialer(proxy.port, home.port)) as relay:
            assert said(await relay.deliver(parcel("taro"))) == ["connect-failed"]
            assert home.connections == 0
    finally:
        proxy.kill()


async def test_a_proxy_that_is_not_there_is_trouble() -> None:
    async with relay_to(0, dialer=dialer(free_port(), 2525)) as relay:
        assert said(await relay.deliver(parcel("taro"))) == ["connect-failed"]


async def test_a_stalled_proxy_costs_the_time_to_connect_and_is_trouble(proxy: Microsocks) -> None:
    async with HomeServer() as home, relay_to(0, dialer=dialer(proxy.port, home.port, seconds=1.0)) as relay:
        stall(proxy)
        assert said(await relay.deliver(parcel("taro"))) == ["connect-timeout"]

        os.kill(proxy.pid, signal.SIGCONT)
        assert said(await relay.deliver(parcel("taro"))) == ["250 2.0.0 Stored"]


async def test_a_proxy_that_stalls_under_a_kept_connection_is_noticed(proxy: Microsocks) -> None:
    async with (
        HomeServer() as home,
        relay_to(
            0, dialer=dialer(proxy.port, home.port, seconds=1.0), timing=QUICK, relay_seconds=5.0
        ) as relay,
    ):
        assert said(await relay.deliver(parcel("taro"))) == ["250 2.0.0 Stored"]

        stall(proxy)
        assert said(await relay.deliver(parcel("taro"))) == ["connect-timeout"]

        os.kill(proxy.pid, signal.SIGCONT)


async def test_a_killed_proxy_is_noticed_and_the_next_one_used(proxy: Microsocks) -> None:
    async with HomeServer() as home, relay_to(0, dialer=dialer(proxy.port, home.port)) as relay:
        assert said(await relay.deliver(parcel("taro"))) == ["250 2.0.0 Stored"]

        proxy.kill()
        assert said(await relay.deliver(parcel("taro"))) == ["connect-failed"]

        proxy.start(lambda: answers(proxy.port))
        assert said(await relay.deliver(parcel("taro"))) == ["250 2.0.0 Stored"]


@pytest.mark.parametrize(
    "octets",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05\xff", b"\x05", b"\x04\x5a" + b"\0" * 6, b"\x05\x00\x05\x77"],
)
async def test_a_proxy_that_talks_nonsense_is_trouble(octets: bytes) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, relay_to(0, dialer=dialer(server.sockets[0].getsockname()[1], 2525)) as relay:
        assert said(await relay.deliver(parcel("taro"))) == ["connect-failed"]
