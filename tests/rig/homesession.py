"""One connection to a scripted home (tests/rig/homeserver.py): the server's side of LMTP."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.rig.homeacts import Close, Delay, Hang, Plan, Raw, Reset, Stall, Until

if TYPE_CHECKING:
    from tests.rig.homeserver import HomeServer


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One copy for one recipient. ``content`` is b"" if the server was told not to keep it."""

    reverse_path: str
    forward_path: str
    mail_parameters: tuple[str, ...]
    content: bytes
    octets: int
    sha256: str
    xclient: Mapping[str, str]
    connection: int


class Ended(Exception):
    """This connection is over."""


class Session:
    def __init__(
        self, home: HomeServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self._home = home
        self._reader = reader
        self._writer = writer
        self._number = number
        self._input = b""
        self._searched = 0
        self._out = b""
        self._xclient: dict[str, str] = {}
        self._greeted = False
        self._reset_transaction()

    def _reset_transaction(self) -> None:
        self._reverse_path: str | None = None
        self._mail_parameters: tuple[str, ...] = ()
        self._accepted: list[str] = []
        self._chunks = bytearray()
        self._digest = hashlib.sha256()
        self._octets = 0

    async def run(self) -> None:
        await self._act(self._home.greeting)
        while True:
            line = await self._line()
            self._home.note(f"C: {line.decode(errors='replace')}")
            verb, _, argument = line.decode("utf-8", "replace").partition(" ")
            if not self._offers("PIPELINING") and self._input and verb.upper() != "BDAT":
                self._violation(f"burst after {verb}")
            await self._command(verb.upper(), argument)

    async def _command(self, verb: str, argument: str) -> None:
        home = self._home
        match verb:
            case "LHLO":
                self._reset_transaction()
                self._greeted = True
                await self._act(home.lhlo or "\n".join(["250 home.test", *home.extensions]))
            case "MAIL":
                await self._mail(argument)
            case "RCPT":
                await self._rcpt(argument)
            case "DATA":
                await self._data()
            case "BDAT":
                await self._bdat(argument)
            case "RSET":
                self._reset_transaction()
                await self._act(home.rset)
            case "NOOP":
                await self._act(home.noop)
            case "XCLIENT":
                await self._xclient_command(argument)
            case "QUIT":
                await self._act("221 2.0.0 Bye")
                await self._flush()
                raise Ended
            case _:
                self._violation(f"unknown command {verb}")
                await self._act("500 5.5.1 Unknown command")

    async def _mail(self, argument: str) -> None:
        if not self._greeted or self._reverse_path is not None:
            self._violation("MAIL out of order")
            await self._act("503 5.5.0 Bad sequence")
            return
        path, _, rest = argument.removeprefix("FROM:<").partition(">")
        words = tuple(rest.split())
        for word in words:
            if not self._offers({"BODY": "8BITMIME"}.get(word.split("=")[0], word.split("=")[0])):
                self._violation(f"MAIL parameter {word} was not offered")
                await self._act("555 5.5.4 Unsupported parameters")
                return
        if not path.isascii() and "SMTPUTF8" not in words:
            self._violation("non-ASCII reverse-path without SMTPUTF8")
        if (await self._act(self._home.mail)).startswith("2"):
            self._reverse_path = path
            self._mail_parameters = words

    async def _rcpt(self, argument: str) -> None:
        path = argument.removeprefix("TO:<").partition(">")[0]
        if self._reverse_path is None:
            await self._act("503 5.5.0 MAIL needed first")
            return
        if not path.isascii() and "SMTPUTF8" not in self._mail_parameters:
            self._violation("non-ASCII forward-path without SMTPUTF8")
        if (await self._act(self._home.rcpt.get(path, self._home.default_rcpt))).startswith("2"):
            self._accepted.append(path)

    async def _data(self) -> None:
        if not (await self._act(self._home.data if self._accepted else self._home.nobody)).startswith("354"):
            return
        await self._flush()
        content = await self._until_dot()
        self._home.note(f"C: [{len(content)} octets]")
        if self._accepted:
            await self._store()
        else:
            await self._act("554 5.5.1 No valid recipients")
            self._reset_transaction()

    async def _bdat(self, argument: str) -> None:
        if not self._offers("CHUNKING"):
            self._violation("BDAT without CHUNKING")
        size, _, last = argument.partition(" ")
        left = int(size)
        while left:
            piece = await self._piece(left)
            left -= len(piece)
            await self._content(piece)
        self._home.note(f"C: [{size} octets]")
        if not self._accepted:
            await self._act(self._home.nobody)
        elif last != "LAST":
            await self._act(f"250 2.0.0 Added {size} octets")
        else:
            await self._store()

    async def _content(self, piece: bytes) -> None:
        self._digest.update(piece)
        self._octets += len(piece)
        if self._home.keep_content:
            self._chunks += piece
        if act := self._home.during_content:
            if piece and self._octets < self._home.during_content_after:
                return
            self._home.during_content = None
            await self._act(act)
            await self._flush()

    async def _store(self) -> None:
        for path in self._accepted:
            said = await self._act(self._home.final.get(path, self._home.default_final))
            if said.startswith("2"):
                self._home.messages.append(
                    StoredMessage(
                        self._reverse_path or "",
                        path,
                        self._mail_parameters,
                        bytes(self._chunks),
                        self._octets,
                        self._digest.hexdigest(),
                        dict(self._xclient),
                        self._number,
                    )
                )
        self._reset_transaction()

    async def _xclient_command(self, argument: str) -> None:
        if self._reverse_path is not None:
            self._violation("XCLIENT inside a transaction")
            await self._act("503 5.5.0 XCLIENT not permitted during a mail transaction")
            return
        if (await self._act(self._home.xclient)).startswith("2"):
            self._xclient |= dict(word.split("=", 1) for word in argument.split())
            self._greeted = False

    def _offers(self, keyword: str) -> bool:
        return any(extension.split()[0] == keyword for extension in self._home.extensions)

    def _violation(self, text: str) -> None:
        self._home.violations.append(text)

    # Input and output

    async def _act(self, plan: Plan) -> str:
        """Carry out one act; returns the reply that was given, "" if it was none."""
        if isinstance(plan, list):
            plan = plan.pop(0) if len(plan) > 1 else plan[0]
        match plan:
            case str():
                self._say(plan)
                if plan.startswith("421"):
                    await self._flush()
                    raise Ended
                return plan
            case Raw(octets, then):
                self._out += octets
                self._home.note(f"S: {octets!r}")
                return await self._act(then) if then else ""
            case Delay(seconds, then):
                await self._flush()
                await asyncio.sleep(seconds)
                return await self._act(then)
            case Until(event, then):
                await self._flush()
                await event.wait()
                return await self._act(then)
            case Hang():
                await self._flush()
                while await self._reader.read(2**16):
                    pass
                raise Ended
            case Stall():
                await self._flush()
                await asyncio.get_running_loop().create_future()
                raise Ended
            case Reset():
                await self._flush()
                reset_connection(self._writer)
                raise Ended
            case Close():
                await self._flush()
                raise Ended

    def _say(self, text: str) -> None:
        first, *more = text.split("\n")
        lines = [first[:3] + "-" + first[4:], *(f"{first[:3]}-{line}" for line in more)]
        lines[-1] = lines[-1][:3] + " " + lines[-1][4:]
        for line in lines:
            self._home.note(f"S: {line}")
        self._out += "".join(f"{line}\r\n" for line in lines).encode()

    async def _flush(self) -> None:
        out, self._out = self._out, b""
        if out:
            self._writer.write(out)
            await self._writer.drain()

    async def _more(self) -> None:
        # As Dovecot: replies leave together when there is nothing more to read.
        await self._flush()
        piece = await self._reader.read(2**16)
        if not piece:
            raise Ended
        self._home.writes.append(len(piece))
        self._input += piece

    async def _line(self) -> bytes:
        while (end := self._input.find(b"\n")) < 0:
            await self._more()
        line, self._input = self._input[:end], self._input[end + 1 :]
        if not line.endswith(b"\r") or b"\r" in line[:-1]:
            self._violation(f"bare line end in {line!r}")
        return line.removesuffix(b"\r")

    async def _piece(self, at_most: int) -> bytes:
        if not self._input:
            await self._more()
        piece, self._input = self._input[:at_most], self._input[at_most:]
        return piece

    async def _until_dot(self) -> bytes:
        data = bytearray(b"\r\n")
        while (end := data.find(b"\r\n.\r\n", max(0, self._searched - 4))) < 0:
            self._searched = len(data)
            data += await self._piece(2**16)
            if self._home.during_content and len(data) >= self._home.during_content_after:
                await self._content(b"")
        self._searched = 0
        self._input = bytes(data[end + 5 :]) + self._input
        content = bytes(data[: end + 2]).replace(b"\r\n..", b"\r\n.")[2:]
        await self._content(content)
        return content


def reset_connection(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
