"""Bringing everything or a mailbox back: laid out beside what is there, exchanged while Dovecot stands still,
read by it, undone where it does not see what the backup has."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mxgw.admin.backup import database, learnt, trial
from mxgw.admin.backup.configuration import Change
from mxgw.admin.backup.copying import copy_one
from mxgw.admin.backup.disk import NAME, read_manifest
from mxgw.admin.backup.maildir import home_of
from mxgw.admin.backup.make import DATABASE, check_backup
from mxgw.admin.backup.queued import Unsent, unsent
from mxgw.admin.backup.settling import PATIENCE, Settling
from mxgw.admin.forms import shown
from mxgw.admin.patience import comes_up
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Stack

MAIL = ("home", "postfix", "dovecot")
"""Who writes into mailboxes, the first in the line first. The edge says 451 meanwhile: nothing is lost."""

EVERYTHING = ("nginx", "roundcube", *MAIL)
"""Roundcube keeps its settings in the database."""

STOP_SECONDS = 300.0

Passed = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """``aside``: where what was there before is kept. ``unknown``: homes without a user, not read. ``kept``:
    copies of settings. ``unsent``: what waited in Postfix then, which is not put back."""

    users: int
    messages: int
    aside: Path
    unknown: tuple[str, ...]
    kept: tuple[Path, ...]
    unsent: Sequence[Unsent]


def restore(
    stack: Stack, data: Path, backup: Path, *, user: str, settings: Sequence[Change], passed: Passed
) -> Restored:
    """Everything of a backup and these of its settings, or the mailbox ``user``. Nothing has changed when it
    raises Refused."""
    manifest = read_manifest(backup)
    everybody = [home_of(user)] if user else list(manifest["users"])
    if user and everybody[0] not in manifest["users"]:
        raise Refused("restore-no-such-user", address=user)
    check_backup(backup, everybody, passed)
    stamp = datetime.now(UTC).strftime(NAME)
    settling = Settling(stack, settings, stamp)
    exchange = _Exchange(stack, data, stamp, backup, everybody, settling, whole=not user)
    try:
        exchange.stage(manifest, passed)
        with exchange.stopped():
            exchange.exchange()
            messages, unknown = exchange.read(manifest)
    except OSError as error:
        raise Refused("restore-disk-fails", failure=True, why=shown(str(error))) from None
    finally:
        shutil.rmtree(exchange.staged, ignore_errors=True)
    waited = () if user else unsent(manifest)
    return Restored(len(everybody), messages, exchange.aside, tuple(unknown), tuple(settling.kept), waited)


class _Exchange:
    def __init__(
        self,
        stack: Stack,
        data: Path,
        stamp: str,
        backup: Path,
        everybody: list[str],
        settling: Settling,
        *,
        whole: bool,
    ) -> None:
        self._stack, self._backup, self._everybody, self._whole = stack, backup, everybody, whole
        self._mail = mail = data / "mail"
        self._settling = settling
        self._redis = data / learnt.SERVICE
        # Beside the mail: what is renamed must stay on its file system.
        self.staged = mail / f".restoring-{stamp}"
        self.aside = mail / f".before-restore-{stamp}"
        self._dumped = self.aside / DATABASE

    def stage(self, manifest: dict[str, Any], passed: Passed) -> None:
        """The backup's mail beside the mail in service, while all is running."""
        needed = sum(
            folder["octets"]
            for home in self._everybody
            for folder in manifest["users"][home]["folders"].values()
        )
        free = shutil.disk_usage(self._mail).free
        if needed > free:
            raise Refused(
                "restore-disk-full",
                failure=True,
                path=shown(str(self._mail)),
                mebibytes=(needed - free) // 1024**2 + 1,
            )
        owner = self._mail.stat()
        for directory in (self.staged, self.aside):
            directory.mkdir(mode=0o700)
        for home in self._everybody:
            domain = (self.staged / home).parent
            if not domain.exists():
                domain.mkdir(mode=0o700)
                os.chown(domain, owner.st_uid, owner.st_gid)
            _copy_tree(self._backup / "mail" / home, self.staged / home, passed)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Who writes is stopped; started again when all went well, and also when all was put back."""
        services = EVERYTHING if self._whole else MAIL
        there = self._stack.states()
        running = [name for name in services if name in there]
        self._compose("stop", *running)
        try:
            yield
        except BaseException:
            self._compose("stop", "dovecot")
            self._put_back()
            self._compose("up", "-d", *reversed(running))
            raise
        self._settling.start()
        self._compose("up", "-d", *reversed(running))

    def exchange(self) -> None:
        """Mail and database of the backup in the place of those in service."""
        if self._whole:
            self._settling.put()
            self._exchange_learnt()
            (self.aside / "mail").mkdir()
            for one in list(os.scandir(self._mail)):
                if not one.name.startswith("."):
                    os.rename(one.path, self.aside / "mail" / one.name)
            for one in list(os.scandir(self.staged)):
                os.rename(one.path, self._mail / one.name)
            # On a machine whose database is lost there is nothing to keep.
            with contextlib.suppress(Refused):
                database.dump(self._stack, self._dumped)
            database.load(self._stack, self._backup / DATABASE)
            return
        (home,) = self._everybody
        there = self._mail / home
        if there.exists():
            (self.aside / "mail" / home).parent.mkdir(parents=True)
            there.rename(self.aside / "mail" / home)
        if not there.parent.exists():
            there.parent.mkdir(mode=0o700)
            owner = self._mail.stat()
            os.chown(there.parent, owner.st_uid, owner.st_gid)
        (self.staged / home).rename(there)

    def _exchange_learnt(self) -> None:
        """Rspamd goes on, and finds Redis again by itself."""
        snapshot = self._backup / learnt.FILE
        if not snapshot.exists() or not self._redis.is_dir() or not learnt.is_there(self._stack):
            return
        owner = self._redis.stat()
        self._compose("stop", learnt.SERVICE)
        _move(self._redis, self.aside / learnt.SERVICE)
        learnt.lay_out(snapshot, self._redis, owner=owner)
        self._compose("up", "-d", "--no-deps", learnt.SERVICE)

    def read(self, manifest: dict[str, Any]) -> tuple[int, list[str]]:
        """Dovecot makes its indexes anew and counts, before anything new comes in."""
        self._compose("up", "-d", "--no-deps", "dovecot")
        if not comes_up(self._stack, "dovecot", PATIENCE):
            raise Refused("restore-no-dovecot", failure=True, seconds=round(PATIENCE.seconds))
        messages, unknown = 0, []
        for home in self._everybody:
            domain, _, name = home.partition("/")
            address = f"{name}@{domain}"
            if self._stack.run("dovecot", ["doveadm", "user", "-f", "home", address]).code:
                unknown.append(address)
                continue
            seen = trial.look_live(self._stack, address)
            if why := trial.difference(manifest["users"][home]["folders"], seen):
                raise Refused("restore-differs", failure=True, address=address, why=why[:300])
            messages += sum(one.messages for one in seen.values())
        if unknown and not self._whole:
            raise Refused("restore-user-is-gone", failure=True, address=unknown[0])
        return messages, unknown

    def _put_back(self) -> None:
        failed = self._mail / f"{self.aside.name}-failed"
        failed.mkdir(mode=0o700)
        names = [
            one.name for one in (os.scandir(self.aside / "mail") if (self.aside / "mail").is_dir() else ())
        ]
        if self._whole:
            if (self.aside / "mail").is_dir():
                for one in list(os.scandir(self._mail)):
                    if not one.name.startswith("."):
                        os.rename(one.path, failed / one.name)
            for name in names:
                os.rename(self.aside / "mail" / name, self._mail / name)
            if (self.aside / learnt.SERVICE).exists():
                self._compose("stop", learnt.SERVICE)
                shutil.rmtree(self._redis, ignore_errors=True)
                _move(self.aside / learnt.SERVICE, self._redis)
                self._compose("up", "-d", "--no-deps", learnt.SERVICE)
            self._settling.undo()
            if self._dumped.exists():
                database.load(self._stack, self._dumped)
        else:
            (home,) = self._everybody
            old, there = self.aside / "mail" / home, self._mail / home
            if there.exists() and not (self.staged / home).exists():
                (failed / home).parent.mkdir(parents=True)
                there.rename(failed / home)
            if old.exists():
                old.rename(there)
        shutil.rmtree(failed, ignore_errors=True)
        shutil.rmtree(self.aside, ignore_errors=True)

    def _compose(self, *words: str) -> None:
        answer = self._stack.compose(*words, timeout=STOP_SECONDS)
        if answer.code:
            raise Refused("restore-docker-failed", failure=True, why=answer.errors.strip()[-300:])


def _move(source: Path, target: Path) -> None:
    """Also to another file system."""
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_tree(source, target, lambda _: None)
        shutil.rmtree(source)


def _copy_tree(source: Path, target: Path, passed: Passed) -> None:
    for directory, names, files in os.walk(source):
        there = target / os.path.relpath(directory, source)
        there.mkdir(mode=0o700, exist_ok=True)
        owner = os.stat(directory)
        os.chown(there, owner.st_uid, owner.st_gid)
        os.chmod(there, owner.st_mode & 0o7777)
        for name in (*files, *(it for it in names if os.path.islink(os.path.join(directory, it)))):
            copy_one(Path(directory, name), there / name)
            passed(os.lstat(os.path.join(directory, name)).st_size)
