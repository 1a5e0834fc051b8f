"""One backup: database, mail, what is learnt, settings; written under another name until it is whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mxgw.admin.backup import configuration, database, learnt, queued, trial
from mxgw.admin.backup.checksums import check_sums, read_sums, sha256_of, write_sums
from mxgw.admin.backup.copying import Last, copy_home, new_octets
from mxgw.admin.backup.disk import MANIFEST, NAME, Disk, read_manifest
from mxgw.admin.backup.maildir import address_of, folders_of, homes
from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Stack

FORMAT = 1
DATABASE = "database.sql"
SUMS = "SHA256SUMS"

Passed = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Made:
    """A whole backup."""

    path: Path
    users: int
    messages: int
    octets: int
    written: int
    """Of the mail: what the backup before had not."""
    lacks: Refused | None
    """Why what Rspamd has learnt is not in it."""


def make(stack: Stack, disk: Disk, data: Path, now: datetime, passed: Passed) -> Made:
    """A backup of this moment. Call it under the disk's lock. Raises Refused; what was begun is removed."""
    disk.clear_unfinished()
    mail = data / "mail"
    everybody = homes(mail)
    before = [one for one in disk.backups() if one.good is not False][:1]
    previous = disk.directory / before[0].name if before else None
    try:
        disk.need_room(
            sum(new_octets(mail / home, f"mail/{home}", _last(previous, home)) for home in everybody)
        )
        name = now.astimezone(UTC).strftime(NAME)
        making = disk.directory / f".making-{name}"
        making.mkdir(mode=0o700)
        try:
            lacks = _learnt(making / learnt.FILE, stack, data)
            made = _fill(making, stack, mail, everybody, previous, now, passed)
            configuration.pack(making / configuration.FILE, configuration.Places(stack.directory, data))
            _sums(making, everybody)
            os.sync()
            making.rename(disk.directory / name)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
    except OSError as error:
        raise Refused("backup-disk-fails", failure=True, why=shown(str(error))) from None
    users, messages, octets, written = made
    return Made(disk.directory / name, users, messages, octets, written, lacks)


def verify(stack: Stack, disk: Disk, backup: Path, passed: Passed) -> int:
    """Checksums of all, then a restore on trial that a second Dovecot reads; how many messages it saw. Call
    it under the disk's lock. Raises Refused, which names what is wrong."""
    manifest = read_manifest(backup)
    check_backup(backup, list(manifest["users"]), passed)
    configuration.read_archive(backup / configuration.FILE)
    scratch = disk.directory / f".trial-{backup.name}"
    try:
        trial.lay(backup, scratch, manifest["users"])
        users = {address_of(home): facts["folders"] for home, facts in manifest["users"].items()}
        seen = trial.look(stack, scratch, list(users))
    except OSError as error:
        raise Refused("backup-disk-fails", failure=True, why=shown(str(error))) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for address, folders in users.items():
        if why := trial.difference(folders, seen.get(address, {})):
            raise Refused("backup-differs", failure=True, address=address, why=why[:300])
    return sum(one.messages for folders in seen.values() for one in folders.values())


def check_backup(backup: Path, everybody: list[str], passed: Passed) -> None:
    """Whether files are what they were: those of everybody named, the database and the settings."""
    sums = read_sums(backup / SUMS)
    check_sums(backup, sums, passed)
    for home in everybody:
        if _sums_name(home) not in sums:
            raise Refused("backup-damaged", failure=True, path=str(backup / _sums_name(home)))
        check_sums(backup, read_sums(backup / _sums_name(home)), passed)


def _fill(
    making: Path,
    stack: Stack,
    mail: Path,
    everybody: list[str],
    previous: Path | None,
    now: datetime,
    passed: Passed,
) -> tuple[int, int, int, int]:
    database.dump(stack, making / DATABASE)
    users, messages, octets, written = {}, 0, 0, 0
    for home in everybody:
        copied = copy_home(mail / home, making, f"mail/{home}", _last(previous, home), passed)
        write_sums(making / _sums_name(home), copied.sums)
        folders = folders_of(making / "mail" / home)
        users[home] = {"address": address_of(home), "folders": trial.as_json(folders)}
        messages += sum(one.messages for one in folders.values())
        octets += sum(one.octets for one in folders.values())
        written += copied.written
    manifest = {
        "format": FORMAT,
        "started": now.isoformat(),
        "finished": datetime.now(UTC).isoformat(),
        "messages": messages,
        "octets": octets,
        "written": written,
        "queue": queued.queue_of(stack),
        "users": users,
    }
    (making / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    return len(users), messages, octets, written


def _learnt(target: Path, stack: Stack, data: Path) -> Refused | None:
    """Mail is saved all the same where Redis is out of order."""
    try:
        if learnt.is_there(stack):
            learnt.save(stack, data, target)
    except Refused as why:
        target.unlink(missing_ok=True)
        return why
    return None


def _sums(making: Path, everybody: list[str]) -> None:
    names = [DATABASE, configuration.FILE, learnt.FILE, MANIFEST, *(_sums_name(home) for home in everybody)]
    write_sums(making / SUMS, {name: sha256_of(making / name) for name in names if (making / name).exists()})


def _sums_name(home: str) -> str:
    return f"sums/{home}"


def _last(previous: Path | None, home: str) -> Last | None:
    if previous is None or not (previous / _sums_name(home)).exists():
        return None
    return Last(previous, read_sums(previous / _sums_name(home)))
