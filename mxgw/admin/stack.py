"""The services at home as the host's administrator reaches them: Docker Compose, and nothing beside it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mxgw.admin.refusal import Refused

TIMEOUT_SECONDS = 60.0
"""For what answers at once in health; who waits longer says so."""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One container. ``state`` is Docker's word (running, exited, restarting ...), ``health`` too (healthy,
    unhealthy, starting), or "" without a check."""

    service: str
    state: str
    health: str = ""
    exit_code: int = 0
    image: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a program in a container ended, and what it said; ``output`` is empty where it went to a file."""

    code: int
    output: bytes
    errors: str


class Stack:
    """The Compose project in a directory (that of compose.yaml and .env). Raises Refused where Docker itself
    cannot be asked."""

    def __init__(self, directory: Path, *, docker: Sequence[str] = ("docker",)) -> None:
        self.directory = directory
        self._docker = tuple(docker)

    def run(
        self,
        service: str,
        command: Sequence[str],
        *,
        stdin: bytes | IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
        user: str = "",
        timeout: float = TIMEOUT_SECONDS,
    ) -> Answer:
        """A program in the running container of a service (``docker compose exec``)."""
        as_user = ["--user", user] if user else []
        return self.compose(
            "exec", "-T", *as_user, service, *command, stdin=stdin, stdout=stdout, timeout=timeout
        )

    def begin(self, service: str, command: Sequence[str], *, stderr: IO[bytes]) -> subprocess.Popen[bytes]:
        """A program in the running container of a service, to talk with; the caller ends it."""
        return self.converse("exec", "-T", service, *command, stderr=stderr)

    def converse(self, *arguments: str, stderr: IO[bytes]) -> subprocess.Popen[bytes]:
        """Any ``docker compose`` command that one talks with; the caller ends it."""
        return subprocess.Popen(  # noqa: S603 - the administrator's own docker
            [*self._docker, "compose", "--project-directory", str(self.directory), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )

    def compose(
        self,
        *arguments: str,
        stdin: bytes | IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> Answer:
        """Any ``docker compose`` command of this project. The exit code is the caller's to judge."""
        return self.call(
            "compose",
            "--project-directory",
            str(self.directory),
            *arguments,
            stdin=stdin,
            stdout=stdout,
            timeout=timeout,
        )

    def call(
        self,
        *arguments: str,
        stdin: bytes | IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> Answer:
        """Any ``docker`` command."""
        given: dict[str, Any] = (
            {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin or subprocess.DEVNULL}
        )
        try:
            done = subprocess.run(  # noqa: S603 - the administrator's own docker
                [*self._docker, *arguments],
                stdout=stdout or subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=timeout,
                check=False,
                **given,
            )
        except FileNotFoundError:
            raise Refused("docker-missing", failure=True) from None
        except subprocess.TimeoutExpired:
            raise Refused("docker-silent", failure=True, seconds=round(timeout)) from None
        return Answer(done.returncode, done.stdout or b"", done.stderr.decode(errors="replace"))

    def states(self) -> Mapping[str, ServiceState]:
        """Every container of the project, stopped ones too, by service."""
        answer = self.compose("ps", "--all", "--format", "json")
        if answer.code:
            raise Refused("docker-refuses", failure=True, why=answer.errors.strip()[-300:])
        states = (
            ServiceState(
                service=str(one["Service"]),
                state=str(one.get("State", "")),
                health=str(one.get("Health", "")),
                exit_code=int(one.get("ExitCode", 0)),
                image=str(one.get("Image", "")),
            )
            for one in _objects(answer.output.decode(errors="replace"))
        )
        return {state.service: state for state in states}


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Compose before 2.21 prints one list, later ones a line for each container."""
    try:
        whole = json.loads(text or "[]")
    except ValueError:
        whole = [json.loads(line) for line in text.splitlines() if line.strip()]
    yield from whole if isinstance(whole, list) else [whole]
