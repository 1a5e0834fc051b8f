"""A scanner that has its faults: it takes connections like Rspamd, and then does something else."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from enum import Enum, auto

from tests.rig.process import Service

ANSWER = b'{"action":"no action","score":0.0,"required_score":15.0,"symbols":{}}'
MAX_HEADER_OCTETS = 64 * 1024


class Fault(Enum):
    """What it does with a request."""

    NONE = auto()
    DEAF = auto()
    """Reads nothing at all."""
    SILENT = auto()
    """Reads everything and says nothing."""
    DRIPS = auto()
    """Says a little of its answer, and no more."""
    RESETS = auto()
    """Resets the connection in the middle of the content."""
    CLOSES = auto()
    """Reads everything and closes."""
    OVERLOADED = auto()
    """HTTP status 503, before it has read the content."""
    GARBAGE = auto()
    """A whole answer that is not Rspamd's."""
    NO_HTTP = auto()
    """Speaks another protocol."""
    ENDLESS = auto()
    """An answer that does not end."""


class FaultyScanner(Service):
    """``fault`` may be changed between requests. ``hold`` keeps requests until ``release``."""

    def __init__(self, fault: Fault = Fault.NONE) -> None:
        self.fault = fault
        self.requests: list[list[str]] = []
        """The lines of each request's header."""
        self.open = self.most_open = 0
        self._released = threading.Event()
        self._released.set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> None:
        self._thread.start()

    def hold(self) -> None:
        self._released.clear()

    def release(self) -> None:
        self._released.set()

    def close(self) -> None:
        self._ended.set()
        self._released.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in [self._thread, *self._threads]:
            thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._attend, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _attend(self, connection: socket.socket) -> None:
        with self._lock:
            self.open += 1
            self.most_open = max(self.most_open, self.open)
        try:
            with connection, contextlib.suppress(OSError):
                self._act(connection)
        finally:
            with self._lock:
                self.open -= 1

    def _act(self, connection: socket.socket) -> None:
        fault = self.fault
        if fault is Fault.DEAF:
            self._ended.wait(60)
            return
        if fault is Fault.NO_HTTP:
            connection.sendall(b"220 mail.example ESMTP\r\n")
            self._ended.wait(60)
            return
        octets = b""
        while b"\r\n\r\n" not in octets and len(octets) < MAX_HEADER_OCTETS:
            octets += connection.recv(4096) or b"\r\n\r\n"
        head, _, body = octets.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.requests.append(lines)
        if fault is Fault.OVERLOADED:
            connection.sendall(b"HTTP/1.1 503 Overloaded\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        if fault is Fault.RESETS:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        length = next(int(line.split()[1]) for line in lines if line.lower().startswith("content-length:"))
        left = length - len(body)
        while left > 0:
            left -= len(connection.recv(65536)) or left
        self._released.wait(60)
        self._say(connection, fault)

    def _say(self, connection: socket.socket, fault: Fault) -> None:
        ok = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
        match fault:
            case Fault.SILENT:
                self._ended.wait(60)
            case Fault.DRIPS:
                connection.sendall(ok + b"Content-Length: 70\r\n\r\n" + ANSWER[:20])
                self._ended.wait(60)
            case Fault.CLOSES:
                pass
            case Fault.GARBAGE:
                connection.sendall(ok + b"Content-Length: 18\r\n\r\n<html>hello</html>")
            case Fault.ENDLESS:
                connection.sendall(ok + b"\r\n")
                while not self._ended.is_set():
                    connection.sendall(b" " * 65536)
            case _:
                connection.sendall(ok + b"Content-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER))
