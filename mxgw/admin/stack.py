"""The services at home as the host's administrator reaches them: Docker Compose, and nothing beside it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused

DOCKER_VARIABLE = "MXGW_DOCKER"
"""Another docker than the one on the way, with arguments where it needs some."""

TIMEOUT_SECONDS = 60.0
"""For what answers at once in health; who waits longer says so."""

END_SECONDS = 5.0
"""For docker to go by itself when it is told to."""

LOOKS = 2
"""Compose looks at each container that it lists, and fails where one is gone meanwhile, as after
``docker compose run --rm``."""

_ONE_OFF = "com.docker.compose.oneoff"
_SERVICE = "com.docker.compose.service"
_RUN = re.compile(r"[-_]run[-_][0-9a-f]{12}")
"""How Compose ends the name of what ``docker compose run`` made."""

# As docker 20 to 29 and Compose 1 to 5 say it.
_DENIED = re.compile(r"permission denied while trying to connect to the docker (daemon|api)", re.IGNORECASE)
_DOWN = re.compile(r"(cannot|couldn't|failed to) connect to (the )?docker (daemon|api)", re.IGNORECASE)
_NO_PROJECT = re.compile(
    r"no configuration file provided|can't find a suitable configuration file", re.IGNORECASE
)
_NO_ENV = re.compile(r"/\.env: permission denied")


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One container. ``state`` is Docker's word (running, exited, restarting ...), ``health`` too (healthy,
    unhealthy, starting), or "" without a check."""

    service: str
    state: str
    health: str = ""
    exit_code: int = 0
    container: str = ""
    """Its id."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a program in a container ended, and what it said; ``output`` is empty where it went to a file."""

    code: int
    output: bytes
    errors: str


def docker_command(environ: Mapping[str, str]) -> list[str]:
    """How the environment has docker called; raises Refused."""
    try:
        return shlex.split(environ.get(DOCKER_VARIABLE, "")) or ["docker"]
    except ValueError:
        raise Refused("docker-missing", failure=True) from None


class Stack:
    """The Compose project in a directory (that of compose.yaml and .env). Raises Refused where Docker itself
    cannot be asked."""

    def __init__(self, directory: Path, *, docker: Sequence[str] = ("docker",), apart: bool = False) -> None:
        self.directory = directory.resolve()
        self._docker = tuple(docker)
        self._apart = apart

    def apart(self) -> Stack:
        """The same, but Ctrl-C at the terminal is not for its programs: who calls them ends them."""
        return Stack(self.directory, docker=self._docker, apart=True)

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
            cwd=self._place,
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
        command = [*self._docker, *arguments]
        try:
            with subprocess.Popen(  # noqa: S603 - the administrator's own docker
                command,
                stdin=subprocess.PIPE if isinstance(stdin, bytes) else stdin or subprocess.DEVNULL,
                stdout=stdout or subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self._place,
                start_new_session=self._apart,
            ) as child:
                try:
                    said, errors = child.communicate(stdin if isinstance(stdin, bytes) else None, timeout)
                except BaseException:
                    self._end(child)
                    raise
        except (FileNotFoundError, PermissionError):
            raise Refused("docker-missing", failure=True) from None
        except subprocess.TimeoutExpired:
            raise Refused("docker-silent", failure=True, seconds=round(timeout)) from None
        answer = Answer(child.returncode, said or b"", errors.decode(errors="replace"))
        if answer.code:
            self._need_docker(answer.errors)
        return answer

    def _need_docker(self, errors: str) -> None:
        """Raises Refused where it was Docker itself, or the way to it, that failed."""
        if _DENIED.search(errors):
            raise Refused("docker-denied", failure=True)
        if _DOWN.search(errors):
            raise Refused("docker-down", failure=True)
        if _NO_PROJECT.search(errors):
            raise Refused("stack-missing", failure=True, path=shown(str(self.directory)))
        if _NO_ENV.search(errors):
            raise Refused("env-file-forbidden", failure=True, path=shown(str(self.directory / ".env")))

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        """``docker compose`` is two programs: the second goes on alone where nobody ends both."""
        if self._apart:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(END_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        child.kill()

    def states(self) -> Mapping[str, ServiceState]:
        """The container of each service of the project, stopped ones too. What ``docker compose run`` made
        (the administrator's commands, the trial of a backup) bears a service's name too and is left out."""
        for _ in range(LOOKS):
            answer = self.compose("ps", "--all", "--format", "json")
            # Compose 1 does not know the words: it says how it is used, and calls that success.
            if not answer.code and not answer.output.strip() and answer.errors.strip():
                break
            if not answer.code:
                return _by_service(_listed(answer.output))
        return self._inspected()

    def _inspected(self) -> Mapping[str, ServiceState]:
        """The same by docker itself: Compose 1 lists for people only."""
        listed = self.compose("ps", "--all", "--quiet")
        if listed.code:
            raise Refused("docker-refuses", failure=True, why=listed.errors.strip()[-300:])
        # One that is gone meanwhile has no object; the others have theirs.
        ids = listed.output.decode(errors="replace").split()
        found = self.call("inspect", *ids).output if ids else b"[]"
        return _by_service(_inspected(found))

    @property
    def _place(self) -> Path | None:
        """Where to call from: there Compose 1 looks for its file, whatever --project-directory says."""
        return self.directory if self.directory.is_dir() else None


def _by_service(found: Iterator[tuple[bool, ServiceState]]) -> Mapping[str, ServiceState]:
    return {state.service: state for one_off, state in found if not one_off}


def _listed(output: bytes) -> Iterator[tuple[bool, ServiceState]]:
    """``docker compose ps --format json``: before 2.21 one list without labels, later a line for each. The
    image that stands there is a number as soon as the name leads to a newer one, so it is of no use."""
    for one in _objects(output.decode(errors="replace")):
        state = ServiceState(
            service=str(one["Service"]),
            state=str(one.get("State") or ""),
            health=str(one.get("Health") or ""),
            exit_code=int(one.get("ExitCode") or 0),
            container=str(one.get("ID") or ""),
        )
        named = bool(_RUN.search(str(one.get("Name") or "")))
        yield named or f"{_ONE_OFF}=True" in str(one.get("Labels") or ""), state


def _inspected(output: bytes) -> Iterator[tuple[bool, ServiceState]]:
    """``docker inspect``."""
    for one in _objects(output.decode(errors="replace")):
        labels, state = one["Config"]["Labels"], one["State"]
        running = state["Status"] == "running"
        yield (
            labels.get(_ONE_OFF) == "True",
            ServiceState(
                service=str(labels.get(_SERVICE, "")),
                state=str(state["Status"]),
                health=str((state.get("Health") or {}).get("Status", "")) if running else "",
                exit_code=0 if running else int(state["ExitCode"]),
                container=str(one["Id"]),
            ),
        )


def _objects(text: str) -> Iterator[dict[str, Any]]:
    try:
        whole = json.loads(text or "[]") or []
    except ValueError:
        whole = [json.loads(line) for line in text.splitlines() if line.strip()]
    yield from whole if isinstance(whole, list) else [whole]
