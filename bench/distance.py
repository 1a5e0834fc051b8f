"""mxgw with the next hop at a distance: both in network namespaces, a slow wire between them."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

from bench.accounting import Account
from bench.gateways import Gateway, Mxgw
from bench.harness import Sink
from bench.processes import Program, Reach
from tests.rig.link import Link


class AtDistance(Gateway):
    """mxgw in the near namespace, the sink in the far one. The sender runs in the near one too."""

    def __init__(self, milliseconds: float) -> None:
        self.name = f"mxgw-{milliseconds:g}ms"
        self.title = f"mxgw, {milliseconds:g} ms to the next hop"
        self._link = Link(rtt_ms=milliseconds)

    @property
    def load_prefix(self) -> Sequence[str]:  # type: ignore[override]
        return self._link.into(self._link.near)

    def sink(self, *, account: Account, directory: Path) -> Sink:
        self._link.start()
        prefix = self._link.into(self._link.far)
        return Sink(
            self.next_hop,
            account=account,
            directory=directory,
            address=self._link.FAR,
            prefix=prefix,
            reach=self._reach(self._link.far, self._link.FAR),
        )

    def start(self, *, sink_port: int, account: Account, directory: Path) -> tuple[Program, int]:
        near = Mxgw(
            prefix=tuple(self._link.into(self._link.near)),
            home=self._link.FAR,
            reach=self._reach(self._link.near, "127.0.0.1"),
        )
        return near.start(sink_port=sink_port, account=account, directory=directory)

    def close(self) -> None:
        self._link.close()

    def _reach(self, namespace: str, address: str) -> Reach:
        def connect(port: int) -> socket.socket:
            door = self._link.socket(namespace)
            try:
                door.settimeout(5)
                door.connect((address, port))
            except OSError:
                door.close()
                raise
            return door

        return connect

    def setup(self) -> Sequence[str]:
        return Mxgw().setup()
