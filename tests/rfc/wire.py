"""The client's side of a dialogue: a socket that hides nothing of what the server sends."""

from __future__ import annotations

import re
import socket
import ssl
from types import TracebackType
from typing import Self

SECONDS = 20.0
"""Nothing here takes a second; a busy machine may."""

MAX_LINE_OCTETS = 512
"""RFC 5321 section 4.5.3.1.5."""

_LINE = re.compile(rb"([2-5][0-5][0-9])([ -])(?:(\d\.\d{1,3}\.\d{1,3}) )?([\t -~]*)")


class WireError(AssertionError):
    """The server broke a rule that holds for each of its replies, or said nothing."""


class Wire:
    """One connection. Every reply line is checked for the rules that hold without exception.

    RFC 5321 sections 4.2, 4.2.1 and 4.5.3.1.5 (form and length, one code per reply, ASCII), RFC 2034
    section 4 (a status code on everything but greeting, EHLO and 3xx; of the reply's class; the same on
    each line of a reply).
    """

    def __init__(self, port: int, host: str = "127.0.0.1", source: str | None = None) -> None:
        self._socket: socket.socket = socket.create_connection(
            (host, port), SECONDS, source_address=(source, 0) if source else None
        )
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pending = b""
        self._open_reply: tuple[bytes, bytes | None] | None = None
        self._greeted = False
        self._said_hello = False
        self.octet_by_octet = False
        self.reads = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, octets: bytes) -> None:
        """Send in one write, or octet by octet."""
        self._said_hello = octets[:5].upper() in (b"EHLO ", b"HELO ", b"LHLO ")
        if self.octet_by_octet:
            for index in range(len(octets)):
                self._socket.sendall(octets[index : index + 1])
        else:
            self._socket.sendall(octets)

    def say(self, *lines: str) -> None:
        """Send lines, each with CRLF, in one write."""
        self.write("".join(f"{line}\r\n" for line in lines).encode())

    def line(self) -> str:
        """The next line of the server, without CRLF."""
        while b"\n" not in self._pending:
            if not self._read():
                raise WireError(f"the server closed; it had said {self._pending!r}")
        raw, _, self._pending = self._pending.partition(b"\n")
        return self._checked(raw + b"\n")

    def reply(self) -> list[str]:
        """The next reply of the server, all its lines."""
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return lines

    def ask(self, *lines: str) -> str:
        """Send one group of lines; the last line of the reply to it."""
        self.say(*lines)
        return self.reply()[-1]

    def closed(self) -> None:
        """The server closes the connection, and says nothing more before."""
        while self._read():
            pass
        if self._pending:
            raise WireError(f"the server should have closed, but said {self._pending!r}")

    def rest(self) -> bytes:
        """Everything that the server says until it closes."""
        while self._read():
            pass
        octets, self._pending = self._pending, b""
        return octets

    @property
    def unread(self) -> bytes:
        """What has arrived and was not asked for."""
        return self._pending

    def starttls(self) -> None:
        """The client's side of the handshake; the certificate is not looked at."""
        if self._pending:
            raise WireError(f"{self._pending!r} came in clear after the 220 to STARTTLS")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._socket = context.wrap_socket(self._socket)

    def half_close(self) -> None:
        """Send no more."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _read(self) -> bool:
        try:
            octets = self._socket.recv(1 << 16)
        except (ConnectionResetError, ssl.SSLEOFError):
            return False
        except TimeoutError:
            raise WireError(f"the server says nothing more; it had said {self._pending!r}") from None
        self.reads += bool(octets)
        self._pending += octets
        return bool(octets)

    def _checked(self, raw: bytes) -> str:
        if not raw.endswith(b"\r\n") or len(raw) > MAX_LINE_OCTETS:
            raise WireError(f"no reply line: {raw!r}")
        if not (match := _LINE.fullmatch(raw[:-2])):
            raise WireError(f"no reply line: {raw!r}")
        code, separator, status, _ = match.groups()
        if self._open_reply and self._open_reply != (code, status):
            raise WireError(f"code or status changes within a reply: {raw!r}")
        self._open_reply = (code, status) if separator == b"-" else None
        may_lack_status = not self._greeted or self._said_hello or code.startswith(b"3")
        if status is None and not may_lack_status:
            raise WireError(f"no enhanced status code: {raw!r}")
        if status is not None and status[:1] != code[:1]:
            raise WireError(f"code and status are of two classes: {raw!r}")
        self._greeted = self._greeted or separator == b" "
        return raw[:-2].decode()
