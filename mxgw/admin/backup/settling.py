"""Settings of a backup put in the place of those here, with a copy of each beside it; and undone again."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from mxgw.admin.backup import database
from mxgw.admin.backup.configuration import Change
from mxgw.admin.env_file import variables
from mxgw.admin.patience import Patience, comes_up
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Stack

ROOT_PASSWORD = "MARIADB_ROOT_PASSWORD"  # noqa: S105 - its name
SERVICE = "mariadb"
UP_SECONDS = 300.0
PATIENCE = Patience(180.0)
"""For MariaDB and Dovecot, which load no signatures."""

_SAFE = re.compile(r"[A-Za-z0-9._-]{1,200}")
"""As prepare.sh wants it: what goes into SQL must not end the string it stands in."""


class Settling:
    """One change of settings; ``stack`` where one is running. ``kept`` are the copies of what was there."""

    def __init__(self, stack: Stack | None, changes: Sequence[Change], stamp: str) -> None:
        self._stack, self._changes, self._stamp = stack, changes, stamp
        self._before: list[tuple[Path, bytes | None]] = []
        self._passwords = ("", "")
        self.kept: list[Path] = []

    def put(self) -> None:
        """The files, and MariaDB's administrator, whose password was set when its directory was empty. Raises
        Refused; ``undo`` is the caller's."""
        for one in self._changes:
            before = one.path.read_bytes() if one.there else None
            if one.names and before is not None:
                self._passwords = (_root_password(before), _root_password(one.content))
        old, new = self._passwords
        if self._stack and old != new and new:
            self._change_password(self._stack, new)
        for one in self._changes:
            self._put(one)
        self._renew_database()

    def undo(self) -> None:
        """As before ``put``, however far that came."""
        for path, before in reversed(self._before):
            if before is None:
                path.unlink(missing_ok=True)
            else:
                write_privately(path, before)
        for path in self.kept:
            path.unlink(missing_ok=True)
        self.kept.clear()
        old, new = self._passwords
        if self._stack and old != new and old:
            self._change_password(self._stack, old)
        self._renew_database()

    def start(self) -> None:
        """Every service whose settings are others now."""
        if self._stack and self._changes:
            self._compose(self._stack, "up", "-d")

    def _put(self, one: Change) -> None:
        before = one.path.read_bytes() if one.there else None
        if before is not None:
            kept = one.path.with_name(f"{one.path.name}.before-restore-{self._stamp}")
            write_privately(kept, before)
            self.kept.append(kept)
        self._before.append((one.path, before))
        one.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_privately(one.path, one.content)

    def _change_password(self, stack: Stack, fresh: str) -> None:
        """Whichever of the two is in force now."""
        if not _SAFE.fullmatch(fresh):
            raise Refused("restore-root-password", failure=True, why=ROOT_PASSWORD)
        why = ""
        for known in filter(None, self._passwords):
            why = database.change_root_password(stack, known, fresh)
            if not why:
                return
        raise Refused("restore-root-password", failure=True, why=why[-300:])

    def _renew_database(self) -> None:
        """Its container has the password in its environment."""
        if self._stack is None or not any(one.names for one in self._changes):
            return
        self._compose(self._stack, "up", "-d", "--no-deps", SERVICE)
        if not comes_up(self._stack, SERVICE, PATIENCE):
            why = f"{SERVICE}: not healthy after {PATIENCE.seconds:g} s"
            raise Refused("restore-docker-failed", failure=True, why=why)

    def _compose(self, stack: Stack, *words: str) -> None:
        answer = stack.compose(*words, timeout=UP_SECONDS)
        if answer.code:
            raise Refused("restore-docker-failed", failure=True, why=answer.errors.strip()[-300:])


def write_privately(path: Path, content: bytes) -> None:
    """Whole or not at all, and for root alone. Raises OSError."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _root_password(env: bytes) -> str:
    return variables(env.decode(errors="surrogateescape")).get(ROOT_PASSWORD, "")
