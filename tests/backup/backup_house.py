"""A household with a disk for backups, and the admin's commands as its host runs them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.admin.admin_house import Told, admin
from tests.dell.household import Household
from tests.rig.docker_stand_in import DockerStandIn
from tests.rig.process import find_program


class BackupHouse(Household):
    """``disk`` is a file system of its own, as an external disk is."""

    def start(self) -> None:
        super().start()
        place = self.host.place
        self.disk = place.directory("mnt/backup")
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
        if hasattr(self, "disk"):
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

    def _do(self, program: str, *arguments: str) -> None:
        subprocess.run([find_program(program, package="mount"), *arguments], check=True, capture_output=True)
