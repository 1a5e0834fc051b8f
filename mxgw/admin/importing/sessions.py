"""The two mailboxes of an import: the old one by IMAP over TLS, ours through its container."""

from __future__ import annotations

import contextlib
import hashlib
import imaplib
import os
import re
import select
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.parser import BytesHeaderParser
from email.policy import compat32
from typing import IO, TYPE_CHECKING, NoReturn, cast

from mxgw.admin.forms import shown, typed
from mxgw.admin.importing.names import VIEWS, decoded, encoded, here
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Stack

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

IMAPS_PORT = 993
SERVICE = "dovecot"

NO_SUCH_USER = 67
"""What doveadm ends with (EX_NOUSER)."""

PLUGINS = "quota listescape imap_quota"
"""Those of dovecot.conf for IMAP, without imap_sieve."""

SILENCE_SECONDS = 120.0
"""A server may take its time over a message of 50 MB; longer, and the connection is dead."""

HOME_SILENCE_SECONDS = 300.0
"""Dovecot waits 120 s for a lock at most, a slow disk needs as much for a message of 150 MB."""

GOODBYE_SECONDS = 10.0
"""Dovecot writes its indexes before a session ends."""

PIPE_OCTETS = 64 * 1024

BATCH = 200
"""Messages whose headers are asked for at once."""

MAX_MESSAGE_OCTETS = 150 * 1024**2
"""Twice what any provider takes; a message is held in memory once."""

_SERVER = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9.-]{1,253}))(?::([0-9]{1,5}))?")
_LISTED = re.compile(rb'\(([^)]*)\) (?:NIL|"((?:[^"\\]|\\.)*)") (.+)', re.DOTALL)
_DATE = re.compile(rb'INTERNALDATE "([ 0-9]\d-[A-Za-z]{3}-\d{4} \d\d:\d\d:\d\d [+-]\d{4})"')
_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)")
_UID = re.compile(rb"\bUID (\d{1,10})")
_SIZE = re.compile(rb"RFC822\.SIZE (\d{1,20})")
_KEYWORD = re.compile(r"\\(?:Seen|Answered|Flagged|Draft|Deleted)|[A-Za-z0-9$_.+-]{1,50}")
"""What Dovecot keeps: system flags without \\Recent, and keywords of 50 characters."""

_FIELDS = ("Message-ID", "Date", "From", "Subject")
_HEADER = f"(UID INTERNALDATE FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({' '.join(_FIELDS).upper()})])"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder there: its name on the wire, for people, and ours. ``uses`` in lower case."""

    wire: str
    name: str
    target: str
    uses: frozenset[str]


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a message before it is fetched. ``print`` is the same on both sides."""

    uid: int
    octets: int
    flags: tuple[str, ...]
    date: str
    print: str


class Mailbox:
    """What both have in common. Nothing here changes a message that is there."""

    def __init__(self, session: imaplib.IMAP4) -> None:
        self.session = session

    def folders(self) -> list[Folder]:
        """All that hold messages."""
        self.session.capability()
        known = {name.upper() for name in self.session.capabilities}
        extended = {"LIST-EXTENDED", "SPECIAL-USE"} <= known
        status, lines = self.session.list('""', '"*" RETURN (SPECIAL-USE)' if extended else '"*"')
        if status != "OK":
            raise imaplib.IMAP4.abort("LIST")
        found = (_folder(line) for line in lines if line)
        return [one for one in found if one and not one.uses & (VIEWS | {"\\noselect", "\\nonexistent"})]

    def open(self, folder: str) -> tuple[int, list[int]]:
        """Its UIDVALIDITY and the UIDs in it; it is opened for reading alone (EXAMINE).
        Zero, which is no UIDVALIDITY, where the server does not open it."""
        status, data = self.session.select(quoted(folder), readonly=True)
        if status != "OK":
            return 0, []
        validity = self.session.response("UIDVALIDITY")[1]
        epoch = int(validity[0]) if validity and validity[0] else 0
        if not data or not data[0] or int(data[0]) == 0:
            return epoch, []
        _, rows = self.session.uid("FETCH", "1:*", "(UID)")
        uids = {int(found[1]) for row, _ in _rows(rows) for found in _UID.finditer(row)}
        return epoch, sorted(uids)

    def headers(self, uids: Sequence[int]) -> Iterator[Header]:
        """Of the folder that is open."""
        for at in range(0, len(uids), BATCH):
            numbers = ",".join(map(str, uids[at : at + BATCH]))
            _, rows = self.session.uid("FETCH", numbers, _HEADER)
            for row, literal in _rows(rows):
                if found := _header(row, literal):
                    yield found

    def message(self, uid: int) -> bytes | None:
        """As it is, without marking it read; None where the server does not give it."""
        _, rows = self.session.uid("FETCH", str(uid), "(UID BODY.PEEK[])")
        return next((text for row, text in _rows(rows) if text and f"UID {uid}".encode() in row), None)

    def close(self) -> None:
        """Say goodbye, as far as that goes."""
        try:
            self.session.logout()
        except (OSError, imaplib.IMAP4.error):
            self.session.shutdown()


class HomeHangsError(Exception):
    """Dovecot here neither reads nor writes any more. No OSError: imaplib would take it for another."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Home(Mailbox):
    """Our mailbox; only ever adds. Whatever talks with it may raise HomeHangsError."""

    def __init__(self, process: subprocess.Popen[bytes], *, silence: float = HOME_SILENCE_SECONDS) -> None:
        self._process = process
        super().__init__(OverPipe(process, silence=silence))
        # Who never had mail has no home before this.
        self.open("INBOX")
        self.session.close()

    def make(self, folder: str) -> str:
        """The folder is there, and mail programs show it; else what Dovecot has against it."""
        if folder == "INBOX":
            return ""
        if self.session.select(quoted(encoded(folder)), readonly=True)[0] == "OK":
            self.session.close()
            return ""
        status, why = self.session.create(quoted(encoded(folder)))
        self.session.subscribe(quoted(encoded(folder)))
        return "" if status == "OK" else _text(why)

    def add(self, folder: str, header: Header, message: bytes) -> str:
        """A message more; else what Dovecot has against it."""
        flags = f"({' '.join(header.flags)})"
        date = f'"{header.date}"' if header.date else ""
        status, why = self.session.append(quoted(encoded(folder)), flags, date, message)
        return "" if status == "OK" else _text(why)

    def close(self) -> None:
        """The process ends with its input; half a message, where this was interrupted, is none."""
        end(self._process)


def end(process: subprocess.Popen[bytes]) -> None:
    """By the end of its input; by force where that does not do."""
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            cast(IO[bytes], pipe).close()
    try:
        process.wait(GOODBYE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def server(text: str) -> tuple[str, int]:
    """HOST[:PORT]; raises Refused."""
    found = _SERVER.fullmatch(typed(text))
    if found is None or not 0 < int(found[3] or IMAPS_PORT) < 65536:
        raise Refused("import-bad-server", text=shown(text))
    return (found[1] or found[2]).lower(), int(found[3] or IMAPS_PORT)


def old_mailbox(host: str, port: int, login: str, password: str) -> Mailbox:
    """Logged in; raises Refused with what to do."""
    try:
        session = imaplib.IMAP4_SSL(
            host, port, ssl_context=ssl.create_default_context(), timeout=SILENCE_SECONDS
        )
    except socket.gaierror:
        raise Refused("import-unknown-host", host=host) from None
    except ssl.SSLCertVerificationError as error:
        raise Refused("import-certificate", why=shown(error.verify_message), host=host, port=port) from None
    except (OSError, imaplib.IMAP4.error) as error:
        raise Refused("import-no-answer", failure=True, why=shown(str(error)), host=host, port=port) from None
    try:
        if "AUTH=PLAIN" in session.capabilities:
            session.authenticate("PLAIN", lambda _: f"\0{login}\0{password}".encode())
        else:
            session.login(login, password)
    except (imaplib.IMAP4.abort, OSError) as error:
        session.shutdown()
        raise Refused("import-no-answer", failure=True, why=shown(str(error)), host=host, port=port) from None
    except (imaplib.IMAP4.error, UnicodeError) as error:
        session.shutdown()
        raise Refused("import-wrong-password", login=shown(login), host=host, why=_said(error)) from None
    return Mailbox(session)


def known_here(stack: Stack, address: str) -> None:
    """The address is a mailbox of its own; raises Refused."""
    answer = stack.run(SERVICE, ["doveadm", "user", address])
    user = re.search(r"^user\s+(\S+)\s*$", answer.output.decode(errors="replace"), re.MULTILINE)
    if answer.code not in {0, NO_SUCH_USER}:
        why = shown(answer.errors.strip()[-200:] or "?")
        raise Refused("import-home-silent", failure=True, address=address, why=why)
    if answer.code or (user and user[1] != address):
        raise Refused("import-no-user", address=address)


def open_home(stack: Stack, address: str, *, silence: float = HOME_SILENCE_SECONDS) -> Home:
    """The mailbox here; raises Refused. Dovecot's own session program, so that quota and indexes are kept;
    without its plugin that learns from Junk: what another server found is no lesson."""
    settings = ["log_path=/dev/stderr", f"mail_plugins={PLUGINS}"]
    options = [word for setting in settings for word in ("-o", setting)]
    with tempfile.TemporaryFile() as said:
        process = stack.begin(SERVICE, ["doveadm", "exec", "imap", "-u", address, *options], stderr=said)
        try:
            return Home(process, silence=silence)
        except HomeHangsError:
            end(process)
            raise hangs(address, silence, copied=0) from None
        except (OSError, imaplib.IMAP4.error):
            process.kill()
            end(process)
            said.seek(0)
            why = shown(said.read()[-200:].decode(errors="replace").strip() or "?")
            raise Refused("import-home-silent", failure=True, address=address, why=why) from None


def quoted(name: str) -> str:
    """A string of IMAP (RFC 3501 section 4.3)."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def hangs(address: str, seconds: float, *, copied: int) -> Refused:
    """What is said of it."""
    return Refused("import-home-hangs", failure=True, address=address, seconds=round(seconds), copied=copied)


class OverPipe(imaplib.IMAP4_stream):
    """IMAP with a process that has logged in already (PREAUTH); ended where nothing passes for ``silence``
    seconds. Its end alone would not do: others may have its pipes."""

    def __init__(self, process: subprocess.Popen[bytes], *, silence: float) -> None:
        self._given = process
        self.silence = silence
        self._read = bytearray()
        super().__init__("")

    def open(self, host: str | None = None, port: int | None = None, timeout: float | None = None) -> None:
        """imaplib calls this to connect."""
        self.process = self._given
        self.writefile = cast(IO[bytes], self._given.stdin)
        self.readfile = cast(IO[bytes], self._given.stdout)
        os.set_blocking(self.writefile.fileno(), False)

    def read(self, size: int) -> bytes:
        """Less only at the end."""
        while len(self._read) < size and self._more():
            pass
        return self._take(size)

    def readline(self) -> bytes:
        """Without its end only at the end."""
        searched = 0
        while (end := self._read.find(b"\n", searched)) < 0:
            searched = len(self._read)
            if not self._more():
                return self._take(searched)
        return self._take(end + 1)

    def send(self, data: ReadableBuffer) -> None:
        """All of it."""
        left = memoryview(data)
        while left:
            _, ready, _ = select.select([], [self.writefile], [], self.silence)
            if not ready:
                self._given_up()
            left = left[os.write(self.writefile.fileno(), left) :]

    def _more(self) -> bool:
        ready, _, _ = select.select([self.readfile], [], [], self.silence)
        if not ready:
            self._given_up()
        octets = os.read(self.readfile.fileno(), PIPE_OCTETS)
        self._read += octets
        return bool(octets)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._read[:size])
        del self._read[:size]
        return taken

    def _given_up(self) -> NoReturn:
        self._given.kill()
        raise HomeHangsError(self.silence)


def _folder(line: bytes | tuple[bytes, bytes]) -> Folder | None:
    whole, literal = line if isinstance(line, tuple) else (line, None)
    found = _LISTED.fullmatch(whole)
    if found is None:
        return None
    uses = frozenset(found[1].decode(errors="replace").lower().split())
    delimiter = re.sub(r"\\(.)", r"\1", (found[2] or b"").decode(errors="replace"))
    name = literal if literal is not None else found[3]
    if literal is None and name.startswith(b'"'):
        name = re.sub(rb"\\(.)", rb"\1", name[1:-1])
    # imaplib sends ASCII; a name that is none has no place in IMAP4rev1.
    wire = name.decode("ascii", errors="replace")
    people = decoded(wire)
    return Folder(wire, people, here(people, delimiter, sorted(uses)), uses)


def _rows(data: Sequence[object]) -> Iterator[tuple[bytes, bytes]]:
    """Each message's answer: the line around its literal, and the literal."""
    row, literal = b"", b""
    for one in data:
        if isinstance(one, tuple):
            if row:
                yield row, literal
            row, literal = one[0], one[1]
        elif isinstance(one, bytes) and re.match(rb"\d+ \(", one):
            if row:
                yield row, literal
            row, literal = one, b""
        elif isinstance(one, bytes):
            row += b" " + one
    if row:
        yield row, literal


def _header(row: bytes, literal: bytes) -> Header | None:
    uid, date, flags, size = (pattern.search(row) for pattern in (_UID, _DATE, _FLAGS, _SIZE))
    if uid is None:
        return None
    words = flags[1].decode(errors="replace").split() if flags else []
    when = date[1].decode() if date else ""
    fields = BytesHeaderParser(policy=compat32).parsebytes(literal)
    told = ["".join(str(fields.get(name, "")).split()) for name in _FIELDS]
    seconds = datetime.strptime(when.strip(), "%d-%b-%Y %H:%M:%S %z").timestamp() if when else 0
    digest = hashlib.sha256(repr((seconds, told)).encode(errors="replace")).hexdigest()[:32]
    kept = tuple(word for word in words if _KEYWORD.fullmatch(word))
    return Header(int(uid[1]), int(size[1]) if size else 0, kept, when, digest)


def _said(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    return shown(first.decode(errors="replace") if isinstance(first, bytes) else str(first))


def _text(data: Sequence[object]) -> str:
    first = data[0] if data else b""
    return shown(first.decode(errors="replace") if isinstance(first, bytes) else str(first))
