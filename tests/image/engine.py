"""A container engine of the tests' own: dockerd on a socket, its data in a directory that goes away with it.

It makes no bridge and touches no packet filter: containers use this machine's loopback, or have their own.
Only in a network namespace of the tests' own may it do both (``move``).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.image.container import Container
from tests.image.wheelhouse import put_into
from tests.rig.process import ROOT, Child, ProgramError, Service, Workplace, find_program, need_root

BASE = "debian-python"
BUILD_SECONDS = 600.0
COMMAND_SECONDS = 120.0
# What .dockerignore lets into the build of the image.
CONTEXT = ("docker", "mxgw", ".dockerignore", "README.md", "pyproject.toml", "requirements-runtime.lock")
NO_NETWORK = (
    "--bridge=none",
    "--iptables=false",
    "--ip6tables=false",
    "--ip-forward=false",
    "--ip-masq=false",
)


class Engine(Service):
    """dockerd, and the client to it."""

    def __init__(self) -> None:
        need_root("dockerd mounts file systems")
        # Debian's client by its path: it speaks to Debian's dockerd, others on the way may be too new for it.
        self._client = find_program("/usr/bin/docker", package="docker.io")
        self._place = Workplace()
        self.socket = f"unix://{self._place.path}/socket"
        self._child = self._dockerd(NO_NETWORK)

    def _dockerd(self, options: Sequence[str], into: Sequence[str] = ()) -> Child:
        return Child(
            [
                *into,
                find_program("dockerd", package="docker.io"),
                f"--host={self.socket}",
                f"--data-root={self._place.path}/data",
                f"--exec-root={self._place.path}/exec",
                f"--pidfile={self._place.path}/pid",
                *options,
            ],
            words=self._place.path / "words",
            environ={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"},
        )

    def start(self) -> None:
        self._child.start(self._answers)

    def move(self, into: Sequence[str], options: Sequence[str] = ()) -> None:
        """Start anew with the same images, behind the command prefix that enters another network."""
        self._child.stop()
        self._child = self._dockerd(options, into)
        self.start()

    def close(self) -> None:
        if self._child.running:
            for container in self.client("ps", "--all", "--quiet").split():
                self.client("rm", "--force", "--volumes", container)
        self._child.stop()
        for mount in self._mounts():
            subprocess.run(["umount", "--lazy", mount], check=True)
        self._place.remove()

    def client(self, *words: str, seconds: float = COMMAND_SECONDS) -> str:
        """What a command of the client prints; ProgramError where it fails."""
        done = self.run_client(*words, seconds=seconds)
        if done.returncode:
            raise ProgramError(
                f"docker {' '.join(words)} ended with {done.returncode}:\n{done.stderr}{self.said()}"
            )
        return done.stdout

    def run_client(self, *words: str, seconds: float = COMMAND_SECONDS) -> subprocess.CompletedProcess[str]:
        """A command of the client, however it ends."""
        return subprocess.run(
            [self._client, *words],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
        )

    @property
    def environ(self) -> dict[str, str]:
        """For clients: where this engine is."""
        return {
            **os.environ,
            "DOCKER_HOST": self.socket,
            "DOCKER_CONFIG": str(self._place.path),
            "DOCKER_BUILDKIT": "1",
        }

    def said(self) -> str:
        """The last words of dockerd, for who has to find out why."""
        return f"\ndockerd said:\n{self._child.said()[-2000:]}" if not self._child.running else ""

    def build(self, tag: str, *, base: Path, arguments: Sequence[str] = ()) -> None:
        """The image out of the repository's Dockerfile, on this base instead of the one named there.

        Without any network: the packages are put where the Dockerfile looks for them.
        """
        self.client("import", str(base), BASE)
        with tempfile.TemporaryDirectory(dir=self._place.path) as place:
            context = Path(place)
            for name in CONTEXT:
                source = ROOT / name
                if source.is_dir():
                    # A wheelhouse of whoever works here is not that of the test.
                    left_out = shutil.ignore_patterns("__pycache__", "wheelhouse")
                    shutil.copytree(source, context / name, ignore=left_out)
                else:
                    shutil.copy2(source, context)
            put_into(context)
            self.client(
                "build",
                "--progress=plain",
                "--network=none",
                f"--build-arg=BASE={BASE}",
                *arguments,
                f"--file={context}/docker/Dockerfile",
                f"--tag={tag}",
                str(context),
                seconds=BUILD_SECONDS,
            )

    def configuration(self, tag: str) -> dict[str, Any]:
        """What the image says about how it is to be run."""
        found: dict[str, Any] = json.loads(self.client("image", "inspect", tag))[0]
        return found

    def files(self, tag: str) -> dict[str, tarfile.TarInfo]:
        """Every file of the image, by its path."""
        with ExitStack() as stack:
            container = self.client("create", tag).strip()
            stack.callback(self.client, "rm", "--volumes", container)
            archive = self._place.path / f"{container}.tar"
            stack.callback(archive.unlink, missing_ok=True)
            self.client("export", f"--output={archive}", container)
            with tarfile.open(archive) as opened:
                return {f"/{member.name.rstrip('/')}": member for member in opened}

    def run_in(self, tag: str, *command: str) -> str:
        """What another command than the image's own prints."""
        return self.client("run", "--rm", "--network=none", f"--entrypoint={command[0]}", tag, *command[1:])

    def run(self, tag: str, *command: str, options: Sequence[str] = (), **settings: str) -> Container:
        """A container in the background. ``settings``: MXGW_ variables, without the prefix in lower case."""
        variables = [f"--env=MXGW_{name.upper()}={value}" for name, value in settings.items()]
        identity = self.client("run", "--detach", *options, *variables, tag, *command).strip()
        return Container(self, identity)

    def _answers(self) -> bool:
        return self.run_client("version").returncode == 0

    def _mounts(self) -> list[str]:
        """What is still mounted in our directory, the innermost first."""
        mounted = (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())
        return sorted((path for path in mounted if path.startswith(f"{self._place.path}/")), reverse=True)
