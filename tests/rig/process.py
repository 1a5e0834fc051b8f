"""Starting real programs: finding them, giving each its own directory and port, ending it by its PID."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
# Below the kernel's range for outgoing connections (32768 ff.), so that no client takes a port of ours.
PORTS = range(15000, 32000)
# Processes that test side by side (pytest-xdist) each draw from their own share.
SHARES = 8
START_SECONDS = 20.0
STOP_SECONDS = 20.0


class MissingProgramError(Exception):
    """A program that the tests drive is not installed."""


class ProgramError(Exception):
    """A program of the rig did not do its part: what it was, and what it said."""


def find_program(name: str, *, package: str) -> str:
    """The path of a program, or an exception whose text says which Debian package brings it."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin")
    if path is None:
        raise MissingProgramError(f"{name} is not installed; on Debian 12: apt-get install {package}")
    return path


def need_root(why: str) -> None:
    if os.geteuid() != 0:
        raise MissingProgramError(f"{why}: run the tests as root")


def new_mark() -> str:
    """Makes a name unique, in six characters: namespaces and devices are the machine's, not ours alone."""
    return secrets.token_hex(3)


def _own_ports() -> Iterator[int]:
    """In a random order, each again only after all: what was handed out may not be in use yet."""
    share = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % SHARES
    ports = list(PORTS[share::SHARES])
    random.SystemRandom().shuffle(ports)
    return itertools.cycle(ports)


_ports = _own_ports()


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now."""
    for port in itertools.islice(_ports, 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise ProgramError("no free port found")


def wait_until(true: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Look again and again until it is true; ProgramError after ``seconds``."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise ProgramError(f"not within {seconds:g} s: {what}")
        time.sleep(0.01)


def answers(
    port: int, host: str = "127.0.0.1", *, make_socket: Callable[[], socket.socket] = socket.socket
) -> bool:
    """Whether somebody accepts a connection there."""
    with make_socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


class Workplace:
    """A directory of one program's own, which other users of the machine may pass through.

    pytest's tmp_path lies below a directory that only root may enter; mail servers change their user.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="mxgw-"))
        self.path.chmod(0o755)

    def file(self, name: str, text: str, *, mode: int = 0o644) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def directory(self, name: str, *, owner: str | None = None, mode: int = 0o755) -> Path:
        path = self.path / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        if owner is not None:
            shutil.chown(path, owner)
        return path

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


class Child:
    """One program in a process group of its own, its words kept in a file."""

    def __init__(
        self, command: Sequence[str], *, words: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.command = list(command)
        self.words = words
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ProgramError(f"{self.command[0]} is not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def said(self) -> str:
        return self.words.read_text(errors="replace") if self.words.exists() else ""

    def start(self, ready: Callable[[], bool]) -> None:
        with self.words.open("ab") as words:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                env=self._environ,
                start_new_session=True,
            )

        def up_or_dead() -> bool:
            return not self.running or ready()

        wait_until(up_or_dead, seconds=START_SECONDS, what=f"{self.command[0]} is ready; {self.words}")
        if not self.running:
            raise ProgramError(f"{' '.join(self.command)} ended at once and said:\n{self.said()}")

    def stop(self) -> int:
        """SIGTERM, and SIGKILL for what is left; the exit code."""
        if self._process is None:
            return 0
        if self.running:
            self._process.terminate()
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        self.kill()
        return code

    def kill(self) -> None:
        """SIGKILL to the program and all its children at once, which leaves none of them a last word."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(STOP_SECONDS)


class Service:
    """Base of the rig's programs: a context manager that starts at entry and leaves nothing behind."""

    def start(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
