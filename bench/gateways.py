"""The gateways under measurement, each set up as an operator would for this one job."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
import sys
import sysconfig
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.accounting import Account
from bench.harness import Sink, Speaks
from bench.processes import PROXY_LOCAL, ROOT, BenchError, Program, Reach, free_port

AUTHENTICATION = "spf,dkim,dmarc,arc,iprev"
DEBIAN_PYTHON = "/usr/bin/python3"
PROXY_FROM = "127.0.0.0/8"


class Gateway(ABC):
    """One way to bring mail from SMTP to the next hop without a queue."""

    name: str
    title: str
    next_hop: Speaks = Speaks.LMTP
    share: float = 1.0
    """How much of the usual number of messages it takes, so that a run stays within seconds."""
    queues: bool = False
    """Answers when the message is in its queue; the next hop gets it later."""

    max_sessions: int | None = None
    """It is sent to by no more sessions than these."""
    load_prefix: Sequence[str] = ()
    """The command that runs the sender where the gateway is."""

    def sink(self, *, account: Account, directory: Path) -> Sink:
        """The next hop."""
        return Sink(self.next_hop, account=account, directory=directory)

    def close(self) -> None:  # noqa: B027 - most have nothing to put away
        """After the program and the next hop have ended."""

    def missing(self) -> str:
        """Why it cannot run here; "" if it can."""
        return ""

    @abstractmethod
    def start(self, *, sink_port: int, account: Account, directory: Path) -> tuple[Program, int]:
        """The running program and its SMTP port; the door has answered."""

    def sampled(self, stacks: Path) -> Gateway:
        """The same gateway, writing where its CPU time goes when it ends (bench.sampler)."""
        raise BenchError(f"{self.name} is no Python program: it cannot be sampled")

    @abstractmethod
    def setup(self) -> Sequence[str]:
        """The settings that a reader needs to repeat it, one per line."""


@dataclass(frozen=True)
class Mxgw(Gateway):
    """mxgw as it is delivered, checks as named.

    ``interpreter``: another Python than the bench's own, which takes the packages of the bench's. ``dns``:
    the resolver to ask. ``proxied``: clients begin with a PROXY header. ``prefix``: a command that runs it
    elsewhere on this machine, ``reach`` connects to it there, ``home`` is the next hop, seen from there.
    """

    name: str = "mxgw"
    title: str = "mxgw"
    checks: str | None = "none"
    """MXGW_CHECKS; None: what is on by default."""
    seal_key: str = ""
    workers: int = 1
    dns: str = ""
    proxied: bool = False
    interpreter: str | None = None
    prefix: tuple[str, ...] = ()
    home: str = "127.0.0.1"
    reach: Reach | None = None
    stacks: Path | None = None

    def missing(self) -> str:
        if self.interpreter is not None:
            return _cannot_run(self.interpreter)
        return "" if _program().exists() else f"{_program()} is not there: make install"

    def start(self, *, sink_port: int, account: Account, directory: Path) -> tuple[Program, int]:
        port, http_port = free_port(), free_port()
        settings = self._settings(str(port), str(http_port), str(sink_port))
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("MXGW_")}
        program = Program(
            [*self.prefix, *self._interpreter_and_program(), "serve", "edge"],
            account=account,
            output=directory / "mxgw.log",
            environment=inherited | settings | self._search_path(),
            cwd=directory,
        )
        program.wait_for_door(port, say_first=PROXY_LOCAL if self.proxied else b"", reach=self.reach)
        program.wait_for_operators_door(http_port, reach=self.reach)
        return program, port

    def with_workers(self, workers: int, *, name: str = "", title: str = "") -> Mxgw:
        """The same with so many processes."""
        words = title or f"{self.title}, {workers} worker{'s' if workers > 1 else ''}"
        return replace(self, workers=workers, name=name or f"{self.name}-{workers}w", title=words)

    def sampled(self, stacks: Path) -> Gateway:
        return replace(self, stacks=stacks)

    def setup(self) -> Sequence[str]:
        settings = self._settings("PORT", "PORT", "SINK")
        if self.seal_key:
            settings["MXGW_SEAL_KEY"] = "..."
        command = f"{self.interpreter} -m mxgw" if self.interpreter else "mxgw"
        return [*(f"{name}={value}" for name, value in settings.items()), f"{command} serve edge > mxgw.log"]

    def _interpreter_and_program(self) -> list[str]:
        if self.interpreter is not None:
            return [self.interpreter, "-m", "mxgw"]
        sampler = ["-m", "bench.sampler", str(self.stacks)] if self.stacks else []
        return [sys.executable, *sampler, str(_program())]

    def _search_path(self) -> dict[str, str]:
        if self.interpreter is not None:
            return {"PYTHONPATH": _packages()}
        return {"PYTHONPATH": str(ROOT)} if self.stacks else {}

    def _settings(self, port: str, http_port: str, sink_port: str) -> dict[str, str]:
        settings = {
            "MXGW_LISTEN": f"127.0.0.1:{port}",
            "MXGW_HTTP_LISTEN": f"127.0.0.1:{http_port}",
            "MXGW_HOSTNAME": "mx.bench.example",
            "MXGW_DOMAINS": "example.com",
            "MXGW_HOME": f"lmtp://{self.home}:{sink_port}",
            "MXGW_WORKERS": str(self.workers),
            "MXGW_LOG": "json",
        }
        optional = {
            "MXGW_CHECKS": self.checks or "",
            "MXGW_SEAL_KEY": self.seal_key,
            "MXGW_DNS": self.dns,
            "MXGW_PROXY_FROM": PROXY_FROM if self.proxied else "",
        }
        return settings | {name: value for name, value in optional.items() if value}


def debian_mxgw(**changes: object) -> Mxgw:
    """mxgw run by the interpreter that Debian builds, and not by the one of the virtual environment."""
    version = _version(DEBIAN_PYTHON) or "missing"
    title = f"mxgw, Debian's Python {version}"
    return replace(Mxgw(name="mxgw-debian", title=title, interpreter=DEBIAN_PYTHON), **changes)  # type: ignore[arg-type]


def interpreter_words() -> str:
    """How the bench's own interpreter was built."""
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    words = "with" if "--enable-optimizations" in arguments else "without"
    return f"{platform.python_version()}, configured {words} --enable-optimizations"


def _program() -> Path:
    return Path(sys.executable).parent / "mxgw"


def _packages() -> str:
    return os.pathsep.join((sysconfig.get_path("purelib"), str(ROOT)))


@functools.cache
def _version(interpreter: str) -> str:
    code = "import platform; print(platform.python_version())"
    try:
        run = subprocess.run([interpreter, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return run.stdout.strip()


@functools.cache
def _cannot_run(interpreter: str) -> str:
    """Why an interpreter cannot run mxgw with our packages: they hold compiled parts for one version."""
    if not _version(interpreter):
        return f"there is no {interpreter}"
    if Path(interpreter).resolve() == Path(sys.executable).resolve():
        return "it is the one that everything here runs on"
    if _version(interpreter).split(".")[:2] != platform.python_version().split(".")[:2]:
        ours = platform.python_version()
        return f"{interpreter} is {_version(interpreter)}, the packages here are compiled for {ours}"
    code = "import uvloop, aiohttp, nacl.bindings, cryptography.hazmat.bindings._rust, mxgw.cli"
    run = subprocess.run(
        [interpreter, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ) | {"PYTHONPATH": _packages()},
    )
    return (run.stderr.strip().splitlines() or ["it failed"])[-1] if run.returncode else ""


class Plain(Gateway):
    """Stock aiosmtpd and stock aiosmtplib: bench/plain_gateway.py."""

    name = "plain"
    title = "plain aiosmtpd + aiosmtplib"
    share = 0.2

    def start(self, *, sink_port: int, account: Account, directory: Path) -> tuple[Program, int]:
        port = free_port()
        program = Program(
            [sys.executable, "-m", "bench.plain_gateway", str(port), str(sink_port)],
            account=account,
            output=directory / "plain.out",
            cwd=ROOT,
        )
        program.wait_for_door(port)
        return program, port

    def setup(self) -> Sequence[str]:
        return ["python -m bench.plain_gateway PORT SINK"]
