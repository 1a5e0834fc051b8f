"""A household with a disk for backups, and the admin's commands as its host runs them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.admin.admin_house import Told, admin
from tests.dell.household import Household, letter
from tests.rig.docker_stand_in import DockerStandIn
from tests.rig.process import find_program

SIEVE = b'require "fileinto";\r\nfileinto "Archive";\r\n'
LONG_AGO = '"03-Feb-2020 10:00:00 +0000"'
JAPANESE = "&MMYwuTDI-"
"""The folder that mail programs show as three katakana (modified UTF-7)."""


class BackupHouse(Household):
    """``disk`` is a file system of its own, as an external disk is; one that was found stays."""

    def __init__(self, found: Path | None = None) -> None:
        super().__init__()
        self._found = found

    def start(self) -> None:
        super().start()
        find_program("redis-server", package="redis-server")
        find_program("redis-check-rdb", package="redis-tools")
        self.host.cell("redis").start()
        place = self.host.place
        self.disk = self._found or place.directory("mnt/backup")
        if not self._found:
            self._do("mount", "-t", "tmpfs", "-o", "size=2g", "tmpfs", str(self.disk))
        self.state = place.directory("state")
        self.stack = place.directory("stack")
        text = "".join(f"{name}={value}\n" for name, value in self.host.environ.items())
        place.file("stack/.env", f"{text}BACKUP_DIRECTORY={self.disk}/mailserver\n", mode=0o600)
        self.docker = DockerStandIn(self.host, place.path / "bin")
        self.docker.__enter__()

    def close(self) -> None:
        if hasattr(self, "docker"):
            self.docker.__exit__()
        if hasattr(self, "disk") and not self._found:
            self._do("umount", "--lazy", str(self.disk))
        super().close()

    @property
    def settings(self) -> dict[str, str]:
        """What the host's environment says."""
        return {
            "MXGW_STACK": str(self.stack),
            "MXGW_STATE": str(self.state),
            "MXGW_DOCKER": str(self.docker.program),
        }

    def admin(self, *arguments: str, settings: Mapping[str, str] | None = None, lang: str = "en") -> Told:
        """A command as a timer calls it."""
        return admin(*arguments, settings={**self.settings, **(settings or {})}, lang=lang)

    def home_of(self, name: str) -> Path:
        """Where Dovecot keeps a user's mail."""
        return self.host.data / "mail" / "example.jp" / name

    def backups(self) -> list[Path]:
        """The newest first."""
        directory = self.disk / "mailserver"
        return sorted((one for one in directory.glob("20*")), reverse=True) if directory.exists() else []

    def stop(self) -> None:
        """All services; the directories stay."""
        for cell in reversed(self.host.cells.values()):
            cell.child.stop()

    def redis(self, *command: str) -> str:
        """What Redis answers."""
        return self.host.cells["redis"].run(["redis-cli", *command]).stdout.strip()

    def _do(self, program: str, *arguments: str) -> None:
        subprocess.run([find_program(program, package="mount"), *arguments], check=True, capture_output=True)


def fill(house: BackupHouse, name: str) -> None:
    """Mail in several folders, flags, a keyword, a subscription, a filter."""
    house.add(name)
    for number in range(5):
        assert house.deliver(letter(f"message {number}"), name)[0].code == 250
    with house.imap(name) as session:
        for folder in (JAPANESE, "2026.04", "Work/Old"):
            assert session.create(f'"{folder}"')[0] == "OK"
            session.subscribe(f'"{folder}"')
        session.select("INBOX")
        session.store("1", "+FLAGS", r"(\Seen \Answered)")
        session.store("2", "+FLAGS", r"(\Flagged $Label1)")
        session.copy("1:2", f'"{JAPANESE}"')
        session.copy("3", '"2026.04"')
        session.append('"Work/Old"', r"(\Seen)", LONG_AGO, b"Subject: old\r\n\r\nHello.\r\n")
    sieve = house.home_of(name) / "sieve"
    sieve.mkdir()
    (sieve / "mine.sieve").write_bytes(SIEVE)
    (house.home_of(name) / ".dovecot.sieve").symlink_to("sieve/mine.sieve")
    for one in (sieve, sieve / "mine.sieve"):
        shutil.chown(one, 1000, 1000)


def contents(house: BackupHouse, name: str) -> dict[str, list[tuple[bytes, ...]]]:
    """By folder, what a mail program sees of each message: UID, flags, date and text."""
    found = {}
    with house.imap(name) as session:
        for line in session.list()[1]:
            if b"\\Noselect" in line:
                continue
            folder = line.decode().rpartition(' "/" ')[2].strip('"')
            session.select(f'"{folder}"', readonly=True)
            status, rows = session.uid("fetch", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")
            assert status == "OK"
            found[folder] = [
                tuple(part.replace(b" \\Recent", b"").replace(b"\\Recent", b"") for part in row)
                for row in rows
                if isinstance(row, tuple)
            ]
    return found


def subscriptions(house: BackupHouse, name: str) -> set[bytes]:
    with house.imap(name) as session:
        return set(session.lsub()[1])
