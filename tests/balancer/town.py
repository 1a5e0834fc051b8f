"""Everything behind the balancer: edge tasks with their sidecars, the door at home, and the mail store."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from contextlib import ExitStack

from tests.balancer.balancers import readiness
from tests.balancer.streets import (
    BALANCER,
    BALANCER_NETWORK,
    EDGES,
    HOME,
    HOME_ADDRESS,
    HTTP_PORT,
    SMTP_PORT,
    Streets,
    edge_address,
)
from tests.rig.dovecot import Dovecot
from tests.rig.gateway import Event, Gateway
from tests.rig.homedoor import HomeDoor
from tests.rig.process import Child, Service, Workplace, answers, find_program, wait_until

SOCKS_PORT = 1055
HOME_PORT = 2525
NOBODY = "http://127.0.0.1:9"
"""No scanner: the question here is whether mail arrives, and the door delivers unscanned where told to."""


class Task(Service):
    """One edge as a task of its own: a new one takes the place of one that ended."""

    def __init__(self, streets: Streets, edge: str, number: int, *, proxy: bool) -> None:
        self.edge = edge
        self.name = f"mx{number}.example.jp"
        self._streets = streets
        self._place = Workplace()
        self._socks = Child(
            [
                *streets.into(edge),
                find_program("microsocks", package="microsocks"),
                *("-i", "127.0.0.1", "-p", str(SOCKS_PORT)),
            ],
            words=self._place.path / "words",
        )
        self.gateway = Gateway(
            f"lmtp://{HOME_ADDRESS}:{HOME_PORT}",
            wrapper=streets.into(edge),
            listen=f"{edge_address(edge)}:{SMTP_PORT}",
            http_listen=f"{edge_address(edge)}:{HTTP_PORT}",
            # All tasks have the name of the MX; here the banner tells them apart.
            hostname=self.name,
            authserv_id="mx.example.jp",
            socks5=f"127.0.0.1:{SOCKS_PORT}",
            proxy_from=BALANCER_NETWORK if proxy else "",
        )

    def start(self) -> None:
        self._socks.start(
            lambda: answers(SOCKS_PORT, make_socket=functools.partial(self._streets.socket, self.edge))
        )
        self.gateway.start()

    def kill(self) -> None:
        """As when a task dies: the program and its sidecar at once, without a last word."""
        self.gateway.kill()
        self._socks.kill()

    def close(self) -> None:
        self.gateway.close()
        self._socks.stop()
        self._place.remove()

    def readiness(self) -> int:
        """The status of its /readyz, as the balancer gets it."""
        with self._streets.inside(BALANCER):
            return readiness(self.edge)

    def wait_for_mail(self, count: int) -> None:
        """Until it has passed on so many messages."""
        wait_until(
            lambda: len(self.accepted()) >= count,
            seconds=40,
            what=f"{self.name} has passed on {count} messages; it has {len(self.accepted())}",
        )

    def accepted(self) -> list[Event]:
        return [event for event in self.gateway.transactions() if event["decision"] == "accept"]


class Town(Service):
    """Home and the tasks; ``proxy``: the balancer puts a PROXY header before each connection."""

    def __init__(self, streets: Streets, users: Iterable[str], *, proxy: bool) -> None:
        self._streets = streets
        self._proxy = proxy
        self._stack = ExitStack()
        self.tasks: list[Task] = []
        self.store = Dovecot(
            dict.fromkeys(users),
            wrapper=streets.into(HOME),
            make_socket=functools.partial(streets.socket, HOME),
        )
        self.door = HomeDoor(
            self.store.url,
            rspamd=NOBODY,
            unscanned="accept",
            wrapper=streets.into(HOME),
            listen=f"{HOME_ADDRESS}:{HOME_PORT}",
            edge_from="100.64.0.0/10",
        )

    def start(self) -> None:
        self._stack.enter_context(self.store)
        self._stack.enter_context(self.door)
        for edge in EDGES:
            self.new_task(edge)

    def new_task(self, edge: str) -> Task:
        """A task in the place of the edge."""
        task = Task(self._streets, edge, len(self.tasks) + 1, proxy=self._proxy)
        self._stack.enter_context(task)
        self.tasks.append(task)
        return task

    def close(self) -> None:
        self._stack.close()
