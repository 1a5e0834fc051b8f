"""The image: its tag from its sources, docker build, docker push. An unchanged source pushes nothing."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mxgw.admin.refusal import Refused

SOURCES = ("docker", "mxgw", "pyproject.toml", "README.md", "requirements-runtime.lock")
"""What docker/Dockerfile copies."""

DIGEST_CHARACTERS = 12
"""48 bits: two sources of one project never meet in them."""

DOCKER_SECONDS, PUSH_SECONDS, BUILD_SECONDS = 30.0, 1800.0, 3600.0
"""A daemon answers at once; a slow line pushes 100 MB in minutes; emulating another processor is slow."""

SAID_LINES = 12
"""Of what docker said before it failed."""

PLATFORMS = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}


def source_digest(checkout: Path, architecture: str) -> str:
    """Of every file that the image is built from, and its processor."""
    digest = hashlib.sha256(architecture.encode())
    for path in _files(checkout):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"\0{path.relative_to(checkout).as_posix()}\0{content}".encode())
    return digest.hexdigest()[:DIGEST_CHARACTERS]


def _files(checkout: Path) -> Iterable[Path]:
    for name in SOURCES:
        place = checkout / name
        found = place.rglob("*") if place.is_dir() else [place]
        yield from sorted(
            path for path in found if path.is_file() and "__pycache__" not in path.relative_to(checkout).parts
        )


def choose_tag(source: str, *, deployed: str, today: str, fresh: bool) -> str:
    """The tag to deploy. ``source`` is version and digest; a fresh build of it has the day, too.

    What runs is kept where it is a fresh build of the same source: it has the later base.
    """
    if fresh:
        return f"{source}-{today}"
    return deployed if deployed == source or deployed.startswith(f"{source}-") else source


def previous_tag(images: Sequence[str], present: str) -> str | None:
    """The tag before the one in use, out of all revisions (latest first); None where there was no other."""
    tags = [image.rpartition(":")[2] for image in images]
    # What stands before it was tried and is not in use: a deployment that failed.
    later = tags[tags.index(present) :] if present in tags else tags
    return next((tag for tag in later if tag != present), None)


@dataclass(frozen=True, slots=True)
class Docker:
    """The docker command. Raises Refused; ``shown`` lets a person see the build."""

    program: str = "docker"
    shown: bool = False

    def check(self) -> None:
        """That it is there, and its daemon answers."""
        said = self._run(["version", "--format", "{{.Server.Version}}"], DOCKER_SECONDS)
        if said.returncode == 0:
            return
        errors = said.stderr.decode(errors="replace")
        key = "docker-not-allowed" if "permission denied" in errors.lower() else "docker-away"
        raise Refused(key, failure=True, why=_tail(errors))

    def build(
        self, checkout: Path, image: str, *, platform: str, version: str, revision: str, fresh: bool
    ) -> None:
        """docker/Dockerfile under this name; ``fresh`` asks for the latest base, with no cache."""
        command = [
            *("build", "--file", str(checkout / "docker" / "Dockerfile"), "--tag", image, "--pull"),
            *(
                "--platform",
                platform,
                "--build-arg",
                f"VERSION={version}",
                "--build-arg",
                f"REVISION={revision}",
            ),
            *(["--no-cache"] if fresh else []),
            str(checkout),
        ]
        self._must(command, BUILD_SECONDS, "docker-build-failed", shown=self.shown)

    def login(self, registry: str, password: str) -> None:
        """The password goes by a pipe: a command line is seen by everybody on the machine."""
        command = ["login", "--username", "AWS", "--password-stdin", registry]
        self._must(command, DOCKER_SECONDS, "docker-login-failed", stdin=password.encode())

    def push(self, image: str) -> None:
        """To the repository in its name."""
        self._must(["push", image], PUSH_SECONDS, "docker-push-failed", shown=self.shown)

    def _must(
        self, command: Sequence[str], seconds: float, key: str, *, stdin: bytes = b"", shown: bool = False
    ) -> None:
        said = self._run(command, seconds, stdin=stdin, shown=shown)
        if said.returncode:
            told = (said.stdout or b"") + (said.stderr or b"")
            raise Refused(key, failure=True, why=_tail(told.decode(errors="replace")) or "-")

    def _run(
        self, command: Sequence[str], seconds: float, *, stdin: bytes = b"", shown: bool = False
    ) -> subprocess.CompletedProcess[bytes]:
        # stderr of docker is our own where a person looks on; stdout stays ours, it has the steps.
        errors = None if shown else subprocess.PIPE
        try:
            return subprocess.run(  # noqa: S603 - the user's own docker
                [self.program, *command],
                input=stdin,
                stdout=subprocess.PIPE,
                stderr=errors,
                timeout=seconds,
                check=False,
            )
        except FileNotFoundError:
            raise Refused("docker-not-installed", failure=True) from None
        except PermissionError:
            raise Refused("docker-not-installed", failure=True) from None
        except subprocess.TimeoutExpired:
            raise Refused("docker-stuck", failure=True, seconds=round(seconds)) from None


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-SAID_LINES:])
