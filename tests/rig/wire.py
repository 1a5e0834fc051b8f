"""A client that is nobody's library: octets out, replies in, nothing hidden."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self


class Wire:
    """One connection to an SMTP or LMTP server."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        seconds: float = 120.0,
        make_socket: Callable[[], socket.socket] = socket.socket,
    ) -> None:
        self._socket = make_socket()
        self._socket.settimeout(seconds)
        self._socket.connect(address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pending = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def send(self, octets: bytes) -> None:
        self._socket.sendall(octets)

    def line(self) -> str:
        while b"\n" not in self._pending:
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionError(f"closed by the other side after {self._pending!r}")
            self._pending += more
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")

    def reply(self) -> str:
        """One reply, its lines joined by LF."""
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return "\n".join(lines)

    def command(self, line: str) -> str:
        self.send(line.encode() + b"\r\n")
        return self.reply()

    def greet(self, verb: str = "EHLO") -> str:
        """Banner and EHLO (or LHLO); the reply to it."""
        banner = self.reply()
        if not banner.startswith("220"):
            raise ConnectionError(banner)
        return self.command(f"{verb} client.example.org")

    def starttls(self) -> str:
        """STARTTLS and a new EHLO."""
        answer = self.command("STARTTLS")
        if not answer.startswith("220"):
            return answer
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._socket = context.wrap_socket(self._socket)
        return self.command("EHLO client.example.org")

    def envelope(self, sender: str, recipients: Sequence[str], *, parameters: str = "") -> list[str]:
        """MAIL and RCPT in one write; the replies."""
        lines = [f"MAIL FROM:<{sender}>{parameters}", *(f"RCPT TO:<{path}>" for path in recipients)]
        self.send("".join(line + "\r\n" for line in lines).encode())
        return [self.reply() for _ in lines]

    def data(self, octets: bytes) -> str:
        """DATA with the content dot-stuffed; the reply after the final dot."""
        answer = self.command("DATA")
        if not answer.startswith("354"):
            return answer
        self.send(stuffed(octets) + b".\r\n")
        return self.reply()

    def bdat(self, *chunks: bytes) -> str:
        """The message in these chunks, the last with LAST; the last reply, or the first refusal."""
        answer = ""
        for place, chunk in enumerate(chunks, 1):
            last = b" LAST" if place == len(chunks) else b""
            self.send(b"BDAT %d%s\r\n" % (len(chunk), last) + chunk)
            answer = self.reply()
            if not answer.startswith("2"):
                return answer
        return answer


def stuffed(octets: bytes) -> bytes:
    """Dots doubled at the start of lines (RFC 5321 section 4.5.2)."""
    first = b"." if octets.startswith(b".") else b""
    return first + octets.replace(b"\r\n.", b"\r\n..")
