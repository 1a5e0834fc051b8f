"""The embedded home of ``mxgw demo``: keeps messages in Maildirs, one per recipient, under one directory.

Answers 250 only when the message is on disk: written to ``tmp``, synced, renamed into ``new``, and the
directory synced. A message whose fingerprint the mailbox has seen is acknowledged and not stored again.
Some local parts force an answer, so that an administrator can watch what the gateway makes of it.

Layout: ``<directory>/<domain>/<local part>/{tmp,new,cur,seen}``. Content is kept octet for octet (CRLF line
ends) behind Return-Path and Delivered-To (RFC 5321 section 4.4).
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import itertools
import os
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from mxgw.envelope import ForwardPath, ReversePath
from mxgw.header import MAX_HEADER_OCTETS, parse_header
from mxgw.reply import Reply
from mxgw.seal import FINGERPRINT_FIELD

MAX_NAME_CHARACTERS = 100
"""Longest readable name of a directory; NAME_MAX is 255 octets on every usual file system."""

SLOW_SECONDS = 5.0
"""How long slow@ waits: long enough to be seen, short enough for every client's patience."""

_UNSAFE = re.compile(r"[^a-z0-9_.=-]|^[.]")
_STORED: Final = Reply.of(250, "2.0.0", "Stored")
_KNOWN_ALREADY: Final = Reply.of(250, "2.0.0", "Stored before; not stored again")
_RECIPIENT_OK: Final = Reply.of(250, "2.1.5", "Recipient OK")
_DISK_FULL: Final = Reply.of(452, "4.3.1", "No space left for mail")
_DISK_TROUBLE: Final = Reply.of(451, "4.3.0", "The message could not be stored")


class Magic(StrEnum):
    """Local parts that force an answer, at every domain."""

    REFUSED = "refused"
    FULL = "full"
    LATER = "later"
    FAILS = "fails"
    DEFERS = "defers"
    SLOW = "slow"


MAGIC_MEANINGS: Final[Mapping[Magic, str]] = MappingProxyType(
    {
        Magic.REFUSED: "unknown mailbox: 550 at RCPT",
        Magic.FULL: "mailbox full: 552 at RCPT",
        Magic.LATER: "not just now: 451 at RCPT",
        Magic.FAILS: "refused after the content: 550",
        Magic.DEFERS: "put off after the content: 451",
        Magic.SLOW: f"answers after {SLOW_SECONDS:g} seconds",
    }
)

_AT_RCPT: Final[Mapping[str, Reply]] = MappingProxyType(
    {
        Magic.REFUSED: Reply.of(550, "5.1.1", "No such mailbox"),
        Magic.FULL: Reply.of(552, "5.2.2", "Mailbox full"),
        Magic.LATER: Reply.of(451, "4.2.0", "Mailbox not available just now"),
    }
)
_AT_END: Final[Mapping[str, Reply]] = MappingProxyType(
    {
        Magic.FAILS: Reply.of(550, "5.7.1", "Content refused"),
        Magic.DEFERS: Reply.of(451, "4.2.0", "Not stored just now"),
    }
)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message on disk. ``stored_at`` is Unix time."""

    path: Path
    stored_at: float
    octets: int


class Mailbox:
    """Keeps messages under ``directory``, which is made when the first one arrives."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._sleep = sleep
        self._numbers = itertools.count()

    def recipient(self, path: ForwardPath) -> Reply:
        """The answer to RCPT: every mailbox exists, but for the magic ones."""
        return _AT_RCPT.get(_account(path.local), _RECIPIENT_OK)

    async def store(
        self, reverse_path: ReversePath, forward_path: ForwardPath, chunks: Iterator[bytes]
    ) -> Reply:
        """Keep one copy for one recipient. Raises nothing but cancellation; ``chunks`` is read in a thread.

        A cancelled store may still end on disk, as a message whose acknowledgement is lost.
        """
        account = _account(forward_path.local)
        if account == Magic.SLOW:
            await self._sleep(SLOW_SECONDS)
        if reply := _AT_END.get(account):
            return reply
        folder = self._directory / safe_name(forward_path.domain.lower()) / safe_name(account)
        trace = f"Return-Path: <{reverse_path}>\r\nDelivered-To: {forward_path}\r\n".encode()
        name = f"{self._clock():017.6f}.P{os.getpid()}Q{next(self._numbers)}.mxgw"
        try:
            return await asyncio.to_thread(_store, folder, name, trace, chunks)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            return _DISK_FULL if full else _DISK_TROUBLE


def messages(directory: Path) -> list[StoredMessage]:
    """Every message in every mailbox, in the order of arrival; none where there is no directory yet."""
    found = []
    for path in itertools.chain(directory.glob("*/*/new/*"), directory.glob("*/*/cur/*")):
        try:
            facts = path.stat()
        except FileNotFoundError:
            continue  # A mail program took it away in this moment.
        found.append(StoredMessage(path, facts.st_mtime, facts.st_size))
    return sorted(found, key=lambda message: message.path.name)


def _store(folder: Path, name: str, trace: bytes, chunks: Iterator[bytes]) -> Reply:
    if not (folder / "seen").is_dir():
        _make(folder)
    temporary, final = folder / "tmp" / name, folder / "new" / name
    try:
        fingerprint = _write(temporary, trace, chunks)
        # Held until the mark is made: twins that arrive together are stored once.
        with _locked(folder):
            mark = folder / "seen" / hashlib.sha256(fingerprint).hexdigest()
            if fingerprint and mark.exists():
                return _KNOWN_ALREADY
            temporary.rename(final)
            _sync_directory(final.parent)
            # A crash between rename and mark costs a second copy, the other order would cost the message.
            if fingerprint:
                mark.touch()
    finally:
        temporary.unlink(missing_ok=True)
    return _STORED


def _make(folder: Path) -> None:
    for part in ("tmp", "new", "cur", "seen"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    # The names on the way down must survive a crash as well as the message at their end.
    for directory in (folder, folder.parent, folder.parent.parent):
        _sync_directory(directory)


def _write(path: Path, trace: bytes, chunks: Iterator[bytes]) -> bytes:
    """Write and sync the file; gives the fingerprint found in the header section, b"" where there is none."""
    header = bytearray()
    in_header = True
    with path.open("xb") as file:
        file.write(trace)
        for chunk in chunks:
            file.write(chunk)
            if in_header:
                header += chunk
                in_header = b"\r\n\r\n" not in header and len(header) < MAX_HEADER_OCTETS
        file.flush()
        os.fsync(file.fileno())
    return (parse_header(bytes(header)).first(FINGERPRINT_FIELD) or "").encode()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "seen" / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _account(local: str) -> str:
    """The mailbox that a local part means: quotes, case of letters and +detail make no difference here."""
    if local.startswith('"') and local.endswith('"') and len(local) > 1:
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    return local.lower().partition("+")[0] or local.lower()


def safe_name(text: str) -> str:
    """A file name for any text: never "", ".", ".." or hidden, no separator, bounded, one per text."""
    name = _UNSAFE.sub(lambda match: "".join(f"%{octet:02x}" for octet in match[0].encode()), text)
    if len(name) <= MAX_NAME_CHARACTERS:
        return name or "%"
    # "~" is not in a short name, so a long one cannot be made to meet it.
    return f"{name[:MAX_NAME_CHARACTERS]}~{hashlib.sha256(text.encode()).hexdigest()[:32]}"
