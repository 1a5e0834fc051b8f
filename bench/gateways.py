"""The gateways under measurement, each set up as an operator would for this one job."""

from __future__ import annotations

import os
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.accounting import Account
from bench.harness import Speaks
from bench.processes import BenchError, Program, find_program, free_port

ROOT = Path(__file__).parent.parent
"""Where the package ``bench`` is found."""

ALL_CHECKS = "spf,dkim,dmarc,arc,iprev,recipient"
"""Every check that works on the message; pregreet only waits, and would measure the wait."""


class Gateway(ABC):
    """One way to bring mail from SMTP to the next hop without a queue."""

    name: str
    title: str
    next_hop: Speaks = Speaks.LMTP
    slow: bool = False
    """Takes a quarter of the messages, so that a run stays within seconds."""

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
    """mxgw as it is delivered, checks as named."""

    name: str = "mxgw"
    title: str = "mxgw, checks off"
    checks: str = "none"
    seal_key: str = ""
    workers: int = 1
    stacks: Path | None = None

    def missing(self) -> str:
        return "" if self._program().exists() else f"{self._program()} is not there: make install"

    def start(self, *, sink_port: int, account: Account, directory: Path) -> tuple[Program, int]:
        port = free_port()
        settings = self._settings(str(port), str(free_port()), str(sink_port))
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("MXGW_")}
        sampler = ["-m", "bench.sampler", str(self.stacks)] if self.stacks else []
        program = Program(
            [sys.executable, *sampler, str(self._program()), "serve", "edge"],
            account=account,
            output=directory / "mxgw.log",
            environment=inherited | settings | ({"PYTHONPATH": str(ROOT)} if self.stacks else {}),
            cwd=directory,
        )
        program.wait_for_door(port)
        return program, port

    def sampled(self, stacks: Path) -> Gateway:
        return replace(self, stacks=stacks)

    def setup(self) -> Sequence[str]:
        settings = self._settings("PORT", "PORT", "SINK")
        if self.seal_key:
            settings["MXGW_SEAL_KEY"] = "..."
        return [*(f"{name}={value}" for name, value in settings.items()), "mxgw serve edge > mxgw.log"]

    def _settings(self, port: str, http_port: str, sink_port: str) -> dict[str, str]:
        settings = {
            "MXGW_LISTEN": f"127.0.0.1:{port}",
            "MXGW_HTTP_LISTEN": f"127.0.0.1:{http_port}",
            "MXGW_HOSTNAME": "mx.bench.example",
            "MXGW_DOMAINS": "example.com",
            "MXGW_HOME": f"lmtp://127.0.0.1:{sink_port}",
            "MXGW_CHECKS": self.checks,
            "MXGW_WORKERS": str(self.workers),
            "MXGW_LOG": "json",
        }
        return settings | ({"MXGW_SEAL_KEY": self.seal_key} if self.seal_key else {})

    @staticmethod
    def _program() -> Path:
        return Path(sys.executable).parent / "mxgw"


class PostfixProxy(Gateway):
    """Postfix's before-queue content filter: smtpd passes the transaction on while it comes in."""

    name = "proxy"
    title = "Postfix smtpd_proxy_filter"
    next_hop = Speaks.SMTP

    SETTINGS = (
        "compatibility_level = 3.6",
        "myhostname = proxy.bench.example",
        "inet_protocols = ipv4",
        "mydestination =",
        "relay_domains = example.com",
        "mynetworks = 127.0.0.0/8",
        "alias_maps =",
        "local_recipient_maps =",
        "smtpd_peername_lookup = no",
        "message_size_limit = 37748736",
        "mailbox_size_limit = 0",
    )

    def missing(self) -> str:
        if os.geteuid() != 0:
            return "Postfix's master runs as root only"
        try:
            find_program("postfix")
        except BenchError as error:
            return str(error)
        return ""

    def start(self, *, sink_port: int, account: Account, directory: Path) -> tuple[Program, int]:
        port = free_port()
        base = directory / "postfix"
        for name in ("etc", "queue", "data", "log"):
            (base / name).mkdir(parents=True)
        shutil.chown(base / "data", user="postfix")
        places = (
            f"queue_directory = {base / 'queue'}",
            f"data_directory = {base / 'data'}",
            f"maillog_file = {base / 'log' / 'mail.log'}",
            f"maillog_file_prefixes = {base}",
        )
        (base / "etc" / "main.cf").write_text("\n".join((*places, *self.SETTINGS, "")))
        (base / "etc" / "master.cf").write_text("\n".join((*self._services(str(port), str(sink_port)), "")))
        program = Program(
            [find_program("postfix"), "-c", str(base / "etc"), "start-fg"],
            account=account,
            output=directory / "postfix.out",
        )
        program.wait_for_door(port)
        return program, port

    def setup(self) -> Sequence[str]:
        own = ("queue_directory, data_directory, maillog_file = of its own", *self.SETTINGS)
        return ["# main.cf", *own, "# master.cf", *self._services("PORT", "SINK")]

    @staticmethod
    def _services(port: str, sink_port: str) -> tuple[str, ...]:
        return (
            f"127.0.0.1:{port} inet n - n - - smtpd -o smtpd_proxy_filter=inet:127.0.0.1:{sink_port}",
            "rewrite unix - - n - - trivial-rewrite",
            "proxymap unix - - n - - proxymap",
            "anvil unix - - n - 1 anvil",
            "postlog unix-dgram n - n - 1 postlogd",
        )


class Plain(Gateway):
    """Stock aiosmtpd and stock aiosmtplib: bench/plain_gateway.py."""

    name = "plain"
    title = "plain aiosmtpd + aiosmtplib"
    slow = True

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


def all_gateways() -> list[Gateway]:
    return [
        Mxgw(),
        PostfixProxy(),
        Plain(),
        Mxgw(name="mxgw-checks", title="mxgw, checks on, sealed", checks=ALL_CHECKS, seal_key="s" * 32),
    ]
