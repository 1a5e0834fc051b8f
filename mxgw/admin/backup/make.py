"""One backup: database, mail and settings, written under another name until it is whole."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mxgw.admin.backup import database, trial
from mxgw.admin.backup.checksums import check_sums, read_sums, sha256_of, write_sums
from mxgw.admin.backup.copying import Last, copy_home, lay_out, new_octets
from mxgw.admin.backup.disk import MANIFEST, NAME, Disk, read_manifest
from mxgw.admin.backup.maildir import address_of, folders_of, homes
from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Stack

FORMAT = 1
DATABASE = "database.sql"
CONFIGURATION = "configuration.tar"
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
            made = _fill(making, stack, mail, everybody, previous, now, passed)
            _configuration(making / CONFIGURATION, stack.directory, data)
            _sums(making, everybody)
            os.sync()
            making.rename(disk.directory / name)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
    except OSError as error:
        raise Refused("backup-disk-fails", failure=True, why=shown(str(error))) from None
    users, messages, octets, written = made
    return Made(disk.directory / name, users, messages, octets, written)


def verify(stack: Stack, disk: Disk, backup: Path, passed: Passed) -> int:
    """Checksums of all, then a restore on trial that a second Dovecot reads; how many messages it saw. Call
    it under the disk's lock. Raises Refused, which names what is wrong."""
    manifest = read_manifest(backup)
    check_backup(backup, list(manifest["users"]), passed)
    scratch = disk.directory / f".trial-{backup.name}"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        scratch.mkdir(mode=0o700)
        (scratch / "mail").mkdir()
        for home in manifest["users"]:
            lay_out(backup / "mail" / home, scratch / "mail" / home)
            (scratch / "mail" / home).parent.chmod(0o711)
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
        "users": users,
    }
    (making / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    return len(users), messages, octets, written


def _configuration(target: Path, stack: Path, data: Path) -> None:
    """Secrets and certificates: readable by root alone."""
    with (
        os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file,
        tarfile.open(fileobj=file, mode="w") as archive,
    ):
        for path, name in (
            (stack / ".env", "env"),
            (stack / "compose.yaml", "compose.yaml"),
            (data / "tls", "tls"),
        ):
            if path.exists():
                archive.add(path, name)


def _sums(making: Path, everybody: list[str]) -> None:
    names = [DATABASE, CONFIGURATION, MANIFEST, *(_sums_name(home) for home in everybody)]
    write_sums(making / SUMS, {name: sha256_of(making / name) for name in names})


def _sums_name(home: str) -> str:
    return f"sums/{home}"


def _last(previous: Path | None, home: str) -> Last | None:
    if previous is None or not (previous / _sums_name(home)).exists():
        return None
    return Last(previous, read_sums(previous / _sums_name(home)))
