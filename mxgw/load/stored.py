"""What is stored: the copies in a sink's ledger, and in Maildirs."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mxgw.header import parse_header
from mxgw.load.ledger import ID_FIELD, State, read
from mxgw.load.verify import Copy

_DBOX_FILE = re.compile(r"u\.\d+|m\.\d+|dovecot\.map\.index.*")
_VARIABLE = re.compile(r"%L?([dnu])")
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00", b"Dovecot-LZ4")


class StoredError(Exception):
    """What is stored cannot be read; the text says why, and what to do."""


def sink_copies(ledger: Path) -> Iterator[Copy]:
    """What a sink kept, answered or not. Raises LedgerError."""
    for entry in read(ledger):
        if entry.state in (State.ACKNOWLEDGED, State.UNKNOWN):
            yield Copy(entry.id, entry.recipient, entry.hash)


def maildir_copies(directory: Path, *, owner: str = "") -> Iterator[Copy]:
    """Every message in every Maildir at or below ``directory``, folders of Maildir++ among them.

    ``owner`` is whose mailbox it is where the messages do not say (see ``copy_of``). Messages may arrive, be
    read and be marked meanwhile; moving them to another folder is too much. Raises StoredError where there
    is no Maildir, or one that Dovecot keeps in a form of its own.
    """
    found = False
    for name, directories, files in os.walk(directory, onerror=_cannot_read):
        _refuse_dbox(name, directories, files)
        if {"cur", "new"} <= set(directories):
            found = True
            yield from _one_maildir(Path(name), owner)
            directories[:] = [one for one in directories if one not in ("cur", "new", "tmp")]
    if not found:
        raise StoredError(f"{directory}: no Maildir here or below (a directory with new and cur in it)")


def maildirs(pattern: str) -> list[tuple[Path, str]]:
    """The directories that ``pattern`` means, and whose mailbox each is.

    ``%d``, ``%n`` and ``%u`` stand for domain, local part and address, as in Dovecot's mail_location (its
    modifier L is taken too). Without any of them the pattern is a directory, and nothing is said of whose.
    Raises StoredError where there is no such directory.
    """
    if not _VARIABLE.search(pattern):
        found = [(Path(pattern), "")]
    else:
        texts = _VARIABLE.split(pattern)  # text, variable, text, ..., text
        texts[1::2] = ["*"] * len(texts[1::2])
        texts[::2] = [glob.escape(text) for text in texts[::2]]
        found = [(Path(path), _owner(pattern, path)) for path in sorted(glob.glob("".join(texts)))]
    found = [(path, owner) for path, owner in found if path.is_dir()]
    if not found:
        raise StoredError(f"{pattern}: no such directory")
    return found


def copy_of(message: bytes, *, owner: str = "", where: str = "") -> Copy:
    """The copy that a message is. Line ends are taken as CRLF, whatever the store made of them.

    The recipient is what the topmost Delivered-To says, as a mailbox server adds it; else ``owner`` (Dovecot
    adds none to a message for several). Raises StoredError for a message of ours that has neither.
    """
    if message.startswith(_COMPRESSED):
        raise StoredError(f"{where}: compressed by the mailbox server; read it by --imap")
    message = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    header = parse_header(message)
    identity = header.first(ID_FIELD) or ""
    if not identity:
        return Copy("", "", "")
    recipient = (header.first("Delivered-To") or owner).strip("<> ")
    if not recipient:
        raise StoredError(
            f"{where}: no Delivered-To field; name its owner with --recipient, or the path with %d and %n"
        )
    return Copy(identity, recipient, hashlib.sha256(memoryview(message)[header.octets :]).hexdigest())


def _one_maildir(maildir: Path, owner: str) -> Iterator[Copy]:
    seen: set[str] = set()
    # In this order: a message that is read by its owner moves from new to cur, and is met at least once.
    with os.scandir(maildir / "new") as new:
        for one in new:
            with suppress(FileNotFoundError):
                octets = Path(one.path).read_bytes()
                seen.add(_unique(one.name))
                yield copy_of(octets, owner=owner, where=one.path)
    with os.scandir(maildir / "cur") as cur:
        for one in cur:
            unique = _unique(one.name)
            if unique in seen:
                continue
            message = _read_marked(Path(one.path), unique)
            if message is not None:
                yield copy_of(message, owner=owner, where=one.path)


def _read_marked(path: Path, unique: str) -> bytes | None:
    """A message in cur. Its name changes with its flags; None where it was deleted."""
    with suppress(FileNotFoundError):
        return path.read_bytes()
    for other in path.parent.iterdir():
        if _unique(other.name) == unique:
            with suppress(FileNotFoundError):
                return other.read_bytes()
    return None


def _unique(name: str) -> str:
    """A file's name without its flags."""
    return name.partition(":")[0]


def _refuse_dbox(name: str, directories: list[str], files: list[str]) -> None:
    if "dbox-Mails" in directories or any(_DBOX_FILE.fullmatch(one) for one in files):
        raise StoredError(f"{name}: Dovecot's sdbox or mdbox, which only Dovecot can read; use --imap")


def _owner(pattern: str, path: str) -> str:
    texts = _VARIABLE.split(pattern)
    seen: set[str] = set()
    expression = ""
    for place, text in enumerate(texts):
        if place % 2 == 0:
            expression += re.escape(text)
        elif text in seen:
            expression += f"(?P={text})"
        else:
            seen.add(text)
            expression += f"(?P<{text}>[^/]+)"
    match = re.fullmatch(expression, path)
    if match is None:
        return ""
    values = match.groupdict()
    if "u" in values:
        return values["u"]
    return f"{values['n']}@{values['d']}" if {"n", "d"} <= values.keys() else ""


def _cannot_read(error: OSError) -> None:
    raise StoredError(f"{error.filename}: {error.strerror}")
