"""SOCKS5 proxies: the real one, and one that has its faults."""

from __future__ import annotations

import socket
import threading
from typing import Literal

from tests.rig.process import Child, Service, Workplace, answers, find_program, free_port

Fault = Literal["refuse", "stall", "close"]


class MicroSocks(Service):
    """microsocks, as a sidecar on loopback."""

    def __init__(self, *, port: int = 0) -> None:
        self.port = port or free_port()
        self._place = Workplace()
        command = [find_program("microsocks", package="microsocks"), "-i", "127.0.0.1", "-p", str(self.port)]
        self.child = Child(command, words=self._place.path / "words")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self.child.start(lambda: answers(self.port))

    def kill(self) -> None:
        self.child.kill()

    def close(self) -> None:
        self.child.stop()
        self._place.remove()


class FaultySocks(Service):
    """A proxy that takes the connection, then says "host unreachable", says nothing, or closes."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> str:
        host, port = self._listener.getsockname()[:2]
        return f"{host}:{port}"

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        # shutdown wakes the accept; close alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        for connection in self._open:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.fault == "close":
                connection.close()
                continue
            self._open.append(connection)
            if self.fault == "refuse":
                threading.Thread(target=self._refuse, args=(connection,), daemon=True).start()

    @staticmethod
    def _refuse(connection: socket.socket) -> None:
        """RFC 1928: no authentication, then reply 4, host unreachable."""
        try:
            connection.settimeout(10)
            connection.recv(257)
            connection.sendall(b"\x05\x00")
            connection.recv(262)
            connection.sendall(b"\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00")
        except OSError:
            pass
        finally:
            connection.close()
