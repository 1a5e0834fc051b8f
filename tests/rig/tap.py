"""A TCP relay that a test puts between two programs: it counts, and cuts where it is told to."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.rig.process import Service

Side = Literal["client", "server"]
Cut = Callable[["Conversation", Side, bytes], bool]
END_OF_DATA = b"\r\n.\r\n"
READ_OCTETS = 65536


@dataclass(slots=True)
class Conversation:
    """One connection through the tap. ``steps``: when, who spoke, how much; ``tail``: the last words."""

    steps: list[tuple[float, Side, int]] = field(default_factory=list)
    tail: dict[Side, bytes] = field(default_factory=lambda: {"client": b"", "server": b""})

    def turns(self) -> int:
        """How often the word passed from the client to the server: the round trips that were waited for."""
        sides = [side for _, side, _ in self.steps]
        return sum(
            1
            for one, next_ in zip(["server", *sides], sides, strict=False)
            if (one, next_) == ("server", "client")
        )


class Tap(Service):
    """Listens on loopback and passes everything on to ``target``.

    ``cut`` sees every piece before it is passed on; where it says True, both connections end and the
    piece is lost. ``make_socket`` makes sockets that live elsewhere (see Link).
    """

    def __init__(
        self,
        target: tuple[str, int],
        *,
        cut: Cut | None = None,
        make_socket: Callable[[], socket.socket] = socket.socket,
    ) -> None:
        self.target = target
        self.cut = cut
        self.conversations: list[Conversation] = []
        self._make_socket = make_socket
        self._listener = make_socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(256)
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._listener.getsockname()[:2]
        return host, port

    @property
    def port(self) -> int:
        return self.address[1]

    def start(self) -> None:
        self._spawn(self._serve)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for one in self._sockets:
            one.close()

    def _spawn(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._make_socket()
            self._sockets += [client, server]
            try:
                server.connect(self.target)
            except OSError:
                client.close()
                continue
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            conversation = Conversation()
            self.conversations.append(conversation)
            self._spawn(self._pass, conversation, "client", client, server)
            self._spawn(self._pass, conversation, "server", server, client)

    def _pass(
        self, conversation: Conversation, side: Side, source: socket.socket, sink: socket.socket
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(READ_OCTETS):
                conversation.steps.append((time.monotonic(), side, len(piece)))
                conversation.tail[side] = (conversation.tail[side] + piece)[-4096:]
                if self.cut is not None and self.cut(conversation, side, piece):
                    _end(source, sink)
                    return
                sink.sendall(piece)
            # Exim says QUIT with its last chunk and ends its direction; the answer is still to come.
            sink.shutdown(socket.SHUT_WR)
            return
        _end(source, sink)


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
