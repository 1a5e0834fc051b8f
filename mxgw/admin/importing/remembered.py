"""Which messages came already, in a file of the mailbox' own home.

There it is in every backup together with the mail, and goes with the mailbox. A message that was moved or
deleted here since does not come again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import Self

from mxgw.admin.refusal import Refused


class Remembered:
    """Raises Refused where the file cannot be used.

    Each message by the folder there, its UIDVALIDITY and its UID (RFC 3501 section 2.3.1.1)."""

    def __init__(self, home: Path, *, host: str, login: str) -> None:
        name = hashlib.sha256(f"{host}\0{login}".encode()).hexdigest()[:16]
        self._home = home
        self._path = home / f".mxgw-import-{name}"
        self._known: dict[tuple[str, int, int], str] = {}
        self._descriptor = -1
        try:
            if self._path.is_file() and not self._path.is_symlink():
                self._read()
        except OSError as error:
            raise self._unusable(error) from None

    def __contains__(self, message: tuple[str, int, int]) -> bool:
        return message in self._known

    def prints(self, *, but: str) -> set[str]:
        """Of every message that came, except out of one folder."""
        return {found for (folder, _, _), found in self._known.items() if folder != but}

    def __enter__(self) -> Self:
        """From now on nobody else imports this mailbox from there."""
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._descriptor = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise self._unusable(error) from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise Refused("import-running") from None
        owner = self._home.stat()
        os.fchown(self._descriptor, owner.st_uid, owner.st_gid)
        self._read()
        # What a power failure cut is no line; the next one begins anew.
        os.write(self._descriptor, b"\n")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def add(self, message: tuple[str, int, int], found: str) -> None:
        """It is here."""
        self._known[message] = found
        os.write(self._descriptor, json.dumps([*message, found]).encode() + b"\n")

    def _unusable(self, error: OSError) -> Refused:
        return Refused(
            "import-memory-unusable", failure=True, path=str(self._path), why=error.strerror or "?"
        )

    def _read(self) -> None:
        for line in self._path.read_bytes().splitlines():
            try:
                folder, validity, uid, found = json.loads(line)
            except ValueError:
                continue
            self._known[folder, validity, uid] = found
