"""The disk with the backups: whether it is there, what is on it, one writer at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mxgw.admin.backup.rotation import Kept
from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused

DIRECTORY = "/mnt/backup/mailserver"
NAME = "%Y-%m-%d_%H%M%S"
MANIFEST = "manifest.json"
VERIFIED = "verified.json"
SPARE_OCTETS = 512 * 1024**2
"""Left free on the disk: lists of checksums and directories need room, too."""

MAX_MANIFEST_OCTETS = 64 * 1024**2
"""50 users with 1000 folders each are 10 MiB."""


class Disk:
    """The directory of the backups. Raises Refused where its disk is not mounted: what were written then
    would fill the system's own disk and be hidden by the next mount."""

    def __init__(self, directory: Path, *, data: Path) -> None:
        self.directory = directory
        mounted = _mount_of(directory)
        if mounted in {Path("/"), _mount_of(data)}:
            raise Refused("backup-not-mounted", failure=True, path=shown(str(directory)))
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Refused("backup-disk-fails", failure=True, why=shown(str(error))) from None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with the disk; Refused where another command is at it."""
        try:
            lock = os.open(self.directory / ".lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno != errno.EROFS:
                raise Refused("backup-disk-fails", failure=True, why=shown(str(error))) from None
            # Nobody writes there: mail can be brought back from it all the same.
            lock = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refused("backup-running", failure=True) from None
            yield
        finally:
            os.close(lock)

    def backups(self) -> list[Kept]:
        """Whole ones, the newest first."""
        found = []
        for one in os.scandir(self.directory):
            with contextlib.suppress(ValueError):
                made = datetime.strptime(one.name, NAME).replace(tzinfo=UTC)
                found.append(Kept(one.name, made, _verdict(Path(one.path))))
        return sorted(found, key=lambda one: one.made, reverse=True)

    def find(self, name: str | None) -> Path:
        """The backup whose name begins so, or the last good one; raises Refused."""
        backups = self.backups()
        if name is None:
            chosen = [one for one in backups if one.good is not False][:1]
        else:
            chosen = [one for one in backups if one.name.startswith(name)]
        if not chosen:
            raise Refused("backup-none", path=shown(str(self.directory)))
        return self.directory / chosen[0].name

    def need_room(self, octets: int) -> None:
        """Refused where so much more does not fit."""
        free = shutil.disk_usage(self.directory).free
        if octets + SPARE_OCTETS > free:
            missing = (octets + SPARE_OCTETS - free) // 1024**2 + 1
            raise Refused(
                "backup-disk-full", failure=True, path=shown(str(self.directory)), mebibytes=missing
            )

    def clear_unfinished(self) -> None:
        """What was begun and never finished; call it under the lock."""
        for one in os.scandir(self.directory):
            if one.name.startswith((".making-", ".trial-")) and one.is_dir(follow_symlinks=False):
                shutil.rmtree(one.path, ignore_errors=True)

    def remove(self, name: str) -> None:
        """A backup less; it is out of the list at once."""
        hidden = self.directory / f".making-removed-{name}"
        (self.directory / name).rename(hidden)
        shutil.rmtree(hidden, ignore_errors=True)


def read_manifest(backup: Path) -> dict[str, Any]:
    """Raises Refused where it is damaged or missing."""
    try:
        with (backup / MANIFEST).open("rb") as file:
            manifest = json.loads(file.read(MAX_MANIFEST_OCTETS))
        if isinstance(manifest, dict) and isinstance(manifest.get("users"), dict):
            return manifest
    except (OSError, ValueError):
        pass
    raise Refused("backup-damaged", failure=True, path=str(backup / MANIFEST))


def write_verdict(backup: Path, *, good: bool, why: str, now: datetime) -> None:
    """What came of the trial."""
    text = json.dumps({"at": now.isoformat(), "good": good, "why": why}, ensure_ascii=False)
    (backup / VERIFIED).write_text(text + "\n")


def _verdict(backup: Path) -> bool | None:
    try:
        return bool(json.loads((backup / VERIFIED).read_text())["good"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _mount_of(path: Path) -> Path:
    path = path.resolve()
    while not (path.exists() and path.is_mount()):
        path = path.parent
    return path
