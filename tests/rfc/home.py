"""The home of the dialogues: an LMTP server that does what the recipient's name says, and forgets nothing.

A local part decides, so that a transcript shows both sides: ``unknown`` (550 to RCPT), ``full`` (552 to
RCPT), ``busy`` (451 to RCPT), ``late-550``, ``late-552``, ``late-451`` (accepted at RCPT, that code after the
content); everybody else gets mail. The reverse-path ``silence@...`` makes home close without an answer after
the content.
"""

from __future__ import annotations

import re
import socketserver
import threading
from dataclasses import dataclass, field

_PATH = re.compile(r"<(.*)>")
_LATE = re.compile(r"late-([245]\d\d)")
_CHATTY = "by scanner.inner.example (10.9.8.7:11332)"

_AT_RCPT = {
    "unknown": f"550 5.1.1 <unknown@example.org> User doesn't exist {_CHATTY}",
    "full": f"552 5.2.2 <full@example.org> Quota exceeded (mailbox for user is full) {_CHATTY}",
    "busy": f"451 4.2.0 <busy@example.org> Mailbox is locked {_CHATTY}",
}
_AFTER_CONTENT = {
    "550": f"550 5.7.1 Looks like spam {_CHATTY}",
    "552": f"552 5.2.2 Mailbox is full {_CHATTY}",
    "451": f"451 4.2.0 Mailbox is locked {_CHATTY}",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message that came in whole: its commands, and its content after dot-unstuffing."""

    mail: str
    rcpts: tuple[str, ...]
    content: bytes


@dataclass(slots=True)
class _Transaction:
    mail: str = ""
    rcpts: list[str] = field(default_factory=list)
    content: bytearray = field(default_factory=bytearray)


class LittleHome:
    """An LMTP server on a port of its own. ``messages`` are those for which content came to its end."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.asked: list[str] = []

        class Handler(_Session):
            home = self

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def clear(self) -> None:
        """Forget what came so far."""
        self.messages.clear()
        self.asked.clear()

    def close(self) -> None:
        """No new connections; those that are open end with their clients."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Session(socketserver.StreamRequestHandler):
    home: LittleHome

    def setup(self) -> None:
        super().setup()
        self._transaction = _Transaction()

    def handle(self) -> None:
        try:
            self._say("220 home.example LMTP")
            while line := self.rfile.readline(2048):
                if not self._command(line.decode().rstrip("\r\n")):
                    return
        except OSError:
            pass

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def _command(self, line: str) -> bool:
        verb, _, argument = line.partition(" ")
        match verb.upper():
            case "LHLO":
                self._say("250-home.example", "250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8")
                self._say("250-ENHANCEDSTATUSCODES", "250 CHUNKING")
            case "MAIL":
                self._transaction = _Transaction(line)
                self._say("250 2.1.0 OK")
            case "RCPT":
                self._rcpt(line)
            case "BDAT":
                return self._bdat(argument)
            case "DATA":
                return self._data()
            case "RSET":
                self._transaction = _Transaction()
                self._say("250 2.0.0 OK")
            case "NOOP":
                self._say("250 2.0.0 OK")
            case "QUIT":
                self._say("221 2.0.0 Bye")
                return False
            case _:
                self._say("500 5.5.2 What?")
        return True

    def _rcpt(self, line: str) -> None:
        self.home.asked.append(line)
        refusal = _AT_RCPT.get(_local_part(line))
        if refusal is None:
            self._transaction.rcpts.append(line)
        self._say(refusal or "250 2.1.5 OK")

    def _data(self) -> bool:
        if not self._transaction.rcpts:
            self._say("503 5.5.1 No valid recipients")
            return True
        self._say("354 OK")
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return False
            self._transaction.content += line.removeprefix(b".")
        return self._end_of_content()

    def _bdat(self, argument: str) -> bool:
        octets, _, last = argument.partition(" ")
        self._transaction.content += self.rfile.read(int(octets))
        if last:
            return self._end_of_content()
        self._say("250 2.0.0 OK")
        return True

    def _end_of_content(self) -> bool:
        ended, self._transaction = self._transaction, _Transaction()
        if "<silence@" in ended.mail:
            return False
        self.home.messages.append(Message(ended.mail, tuple(ended.rcpts), bytes(ended.content)))
        for rcpt in ended.rcpts:
            late = _LATE.match(_local_part(rcpt))
            self._say(_AFTER_CONTENT[late[1]] if late else "250 2.0.0 Saved")
        return True


def _local_part(line: str) -> str:
    path = _PATH.search(line)
    return path[1].rpartition("@")[0] if path else ""
