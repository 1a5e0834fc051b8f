"""What is stored, by IMAP (RFC 3501): every message in every folder of a user, nothing marked as read."""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeAlias

from mxgw.config import Address
from mxgw.load.stored import StoredError, copy_of
from mxgw.load.verify import Copy

IMAPS_PORT = 993
TIMEOUT_SECONDS = 120.0

MAX_BATCH_OCTETS = 16 * 1024 * 1024
"""Fetched at a time: imaplib keeps a whole answer in memory."""

MAX_BATCH_MESSAGES = 500
"""Also fetched at a time; beyond that the round trips cost nothing any more."""

_FOLDER = re.compile(rb'\((?P<flags>[^)]*)\) (?:"(?:\\.|[^"\\])*"|NIL) ?(?P<name>.*)', re.DOTALL)
_SIZE = re.compile(rb"(\d+) \(.*RFC822\.SIZE (\d+)", re.DOTALL)
_NOT_TO_READ = (b"\\noselect", b"\\nonexistent", b"\\all", b"\\flagged", b"\\important")
"""Folders without messages, and those that show what lies in others (RFC 6154)."""

_Line: TypeAlias = bytes | tuple[bytes, bytes]
"""A line of an answer, or one that ends with a literal, and the literal."""


@dataclass(frozen=True, slots=True)
class Account:
    """A mailbox. ``owner`` is its mail address, for messages without Delivered-To."""

    server: Address
    user: str
    password: str
    owner: str = ""


def imap_copies(account: Account) -> Iterator[Copy]:
    """Every message of the account. Raises StoredError."""
    try:
        client = _connect(account)
        try:
            client.login(account.user, account.password)
            for folder in _folders(client):
                yield from _messages(client, folder, account)
        finally:
            client.logout()
    except (imaplib.IMAP4.error, OSError) as error:
        raise StoredError(f"{account.server}, {account.user}: {error}") from error


def _connect(account: Account) -> imaplib.IMAP4:
    """TLS wherever it is to be had; a password goes in clear to this machine only."""
    host, port = account.server.host, account.server.port
    local = _is_loopback(host)
    context = ssl.create_default_context()
    if local:  # nobody has a certificate for it
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if port == IMAPS_PORT:
        return imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=TIMEOUT_SECONDS)
    client = imaplib.IMAP4(host, port, timeout=TIMEOUT_SECONDS)
    if "STARTTLS" in client.capabilities:
        client.starttls(context)
    elif not local:
        client.shutdown()
        raise StoredError(f"{account.server}: offers no TLS; the password is not sent in clear")
    return client


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _folders(client: imaplib.IMAP4) -> list[str]:
    """Names as EXAMINE wants them: in modified UTF-7, and quoted."""
    names = []
    for line in _asked(client.list()):
        literal = line[1] if isinstance(line, tuple) else None
        match = _FOLDER.match(line[0] if isinstance(line, tuple) else line)
        if match is None or any(flag in match["flags"].lower().split() for flag in _NOT_TO_READ):
            continue
        name = literal if literal is not None else match["name"]
        if literal is not None or not name.startswith(b'"'):
            name = b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
        names.append(name.decode("ascii"))
    return names


def _messages(client: imaplib.IMAP4, folder: str, account: Account) -> Iterator[Copy]:
    (exists,) = _asked(client.select(folder, readonly=True))
    count = int(exists) if isinstance(exists, bytes) else 0
    for first in range(1, count + 1, MAX_BATCH_MESSAGES):
        last = min(first + MAX_BATCH_MESSAGES - 1, count)
        for batch in _batches(_sizes(client, first, last)):
            where = f"{account.server}, {account.user}, folder {folder}, message"
            for line in _asked(client.fetch(f"{batch[0]}:{batch[-1]}", "(BODY.PEEK[])")):
                if isinstance(line, tuple):
                    number = line[0].split()[0].decode()
                    yield copy_of(line[1], owner=account.owner, where=f"{where} {number}")


def _sizes(client: imaplib.IMAP4, first: int, last: int) -> list[tuple[int, int]]:
    """Number and octets of messages."""
    lines = [
        line for line in _asked(client.fetch(f"{first}:{last}", "(RFC822.SIZE)")) if isinstance(line, bytes)
    ]
    return sorted((int(match[1]), int(match[2])) for match in map(_SIZE.match, lines) if match)


def _batches(sizes: list[tuple[int, int]]) -> Iterator[list[int]]:
    """Runs of messages that are fetched together: at least one, and then up to MAX_BATCH_OCTETS."""
    batch: list[int] = []
    octets = 0
    for number, size in sizes:
        if batch and octets + size > MAX_BATCH_OCTETS:
            yield batch
            batch, octets = [], 0
        batch.append(number)
        octets += size
    if batch:
        yield batch


def _asked(answer: tuple[str, Sequence[_Line | None]]) -> list[_Line]:
    kind, lines = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(f"{kind} {lines!r}")
    return [line for line in lines if line is not None]
