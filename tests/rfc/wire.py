"""The client's side of a dialogue: a socket that hides nothing of what the server sends, and judges it."""

from __future__ import annotations

import re
import socket
import ssl

from tests.rig.wire import Wire

SECONDS = 20.0
"""Nothing here takes a second; a busy machine may."""

MAX_LINE_OCTETS = 512
"""RFC 5321 section 4.5.3.1.5."""

_LINE = re.compile(rb"([2-5][0-5][0-9])([ -])(?:(\d\.\d{1,3}\.\d{1,3}) )?([\t -~]*)")


class WireError(AssertionError):
    """The server broke a rule that holds for each of its replies, or said nothing."""


class StrictWire(Wire):
    """One connection. Every reply line is checked for the rules that hold without exception.

    RFC 5321 sections 4.2, 4.2.1 and 4.5.3.1.5 (form and length, one code per reply, ASCII), RFC 2034
    section 4 (a status code on everything but greeting, EHLO and 3xx; of the reply's class; the same on
    each line of a reply).
    """

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, seconds=SECONDS)
        self._open_reply: tuple[bytes, bytes | None] | None = None
        self._greeted = False
        self._said_hello = False
        self.octet_by_octet = False
        self.reads = 0

    def send(self, octets: bytes) -> None:
        """Send in one write, or octet by octet."""
        self._said_hello = octets[:5].upper() in (b"EHLO ", b"HELO ", b"LHLO ")
        step = 1 if self.octet_by_octet else len(octets)
        for start in range(0, len(octets), step):
            super().send(octets[start : start + step])

    def group(self, *lines: str) -> None:
        """Send lines, each with CRLF, in one write."""
        self.send("".join(f"{line}\r\n" for line in lines).encode())

    def line(self) -> str:
        """The next line of the server, without CRLF."""
        while b"\n" not in self._pending:
            if not self._read():
                raise WireError(f"the server closed; it had said {self._pending!r}")
        raw, _, self._pending = self._pending.partition(b"\n")
        return self._checked(raw + b"\n")

    def closed(self) -> None:
        """The server closes the connection, and says nothing more before."""
        if said := self.rest():
            raise WireError(f"the server should have closed, but said {said!r}")

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

    def handshake(self) -> None:
        """The client's side of TLS after the 220 to STARTTLS; the certificate is not looked at."""
        if self._pending:
            raise WireError(f"{self._pending!r} came in clear after the 220 to STARTTLS")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._socket = context.wrap_socket(self._socket)

    def half_close(self) -> None:
        """Send no more."""
        self._socket.shutdown(socket.SHUT_WR)

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
        match = _LINE.fullmatch(raw.removesuffix(b"\r\n"))
        if not match or not raw.endswith(b"\r\n") or len(raw) > MAX_LINE_OCTETS:
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
