"""Postfix without a queue, and with its queue."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.accounting import STOP_SECONDS, Account
from bench.gateways import Gateway
from bench.harness import Speaks
from bench.processes import BenchError, Program, find_program, free_port

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own in it, for a queue in memory

MAIN = (
    "compatibility_level = 3.6",
    "myhostname = postfix.bench.example",
    "inet_protocols = ipv4",
    "mydestination =",
    "relay_domains = example.com",
    "mynetworks = 127.0.0.0/8",
    "alias_maps =",
    "local_recipient_maps =",
    "message_size_limit = 37748736",
    "mailbox_size_limit = 0",
)
NO_NAMES = "smtpd_peername_lookup = no"
HELPERS = (
    "rewrite unix - - n - - trivial-rewrite",
    "proxymap unix - - n - - proxymap",
    "anvil unix - - n - 1 anvil",
    "postlog unix-dgram n - n - 1 postlogd",
)
QUEUE_SERVICES = (
    "cleanup unix n - n - 0 cleanup",
    "qmgr unix n - n 300 1 qmgr",
    "lmtp unix - - n - - lmtp",
    "bounce unix - - n - 0 bounce",
    "defer unix - - n - 0 bounce",
    "trace unix - - n - 0 bounce",
    "error unix - - n - - error",
    "retry unix - - n - - error",
    "scache unix - - n - 1 scache",
    *HELPERS,
)


class Postfix(Gateway):
    """What the three share: configuration of its own, Postfix's master in the foreground."""

    patience_seconds = STOP_SECONDS
    say_first = b""
    """What a client says before it is greeted."""

    def missing(self) -> str:
        if os.geteuid() != 0:
            return "Postfix's master runs as root only"
        try:
            find_program("postfix")
        except BenchError as error:
            return str(error)
        return ""

    def main(self, sink: str) -> tuple[str, ...]:
        """Lines of main.cf beside the places."""
        raise NotImplementedError

    def services(self, port: str, sink: str) -> tuple[str, ...]:
        """Lines of master.cf."""
        raise NotImplementedError

    def start(self, *, sink_port: int, account: Account, directory: Path) -> tuple[Program, int]:
        port = free_port()
        base = directory / "postfix"
        for name in ("etc", "data", "log"):
            (base / name).mkdir(parents=True)
        shutil.chown(base / "data", user="postfix")
        queue = self.queue(directory)
        queue.mkdir(parents=True, exist_ok=True)
        places = (
            f"queue_directory = {queue}",
            f"data_directory = {base / 'data'}",
            f"maillog_file = {base / 'log' / 'mail.log'}",
            f"maillog_file_prefixes = {base}",
        )
        (base / "etc" / "main.cf").write_text("\n".join((*places, *self.main(str(sink_port)), "")))
        (base / "etc" / "master.cf").write_text("\n".join((*self.services(str(port), str(sink_port)), "")))
        program = Program(
            self.command(base, directory),
            account=account,
            output=directory / "postfix.out",
            cleared=queue,
            patience_seconds=self.patience_seconds,
        )
        program.wait_for_door(port, say_first=self.say_first)
        return program, port

    def command(self, base: Path, _directory: Path) -> list[str]:
        return [find_program("postfix"), "-c", str(base / "etc"), "start-fg"]

    def queue(self, directory: Path) -> Path:
        return directory / "postfix" / "queue"

    def setup(self) -> Sequence[str]:
        own = ("queue_directory, data_directory, maillog_file = of its own", *self.main("SINK"))
        return ["# main.cf", *own, "# master.cf", *self.services("PORT", "SINK")]


class PostfixProxy(Postfix):
    """Postfix's before-queue content filter: smtpd passes the transaction on while it comes in."""

    name = "proxy"
    title = "Postfix smtpd_proxy_filter"
    next_hop = Speaks.SMTP

    def main(self, sink: str) -> tuple[str, ...]:
        return (*MAIN, NO_NAMES)

    def services(self, port: str, sink: str) -> tuple[str, ...]:
        smtpd = f"127.0.0.1:{port} inet n - n - - smtpd -o smtpd_proxy_filter=inet:127.0.0.1:{sink}"
        return (smtpd, *HELPERS)


class PostfixQueue(Postfix):
    """Postfix as most run it: the message is in the queue when it is acknowledged."""

    queues = True
    share = 0.3

    def __init__(self, *, in_memory: bool) -> None:
        self._in_memory = in_memory
        self.name = "postfix-tmpfs" if in_memory else "postfix-disk"
        self.title = f"Postfix, queue {'in memory' if in_memory else 'on disk'}"

    def main(self, sink: str) -> tuple[str, ...]:
        return (*MAIN, NO_NAMES, f"relay_transport = lmtp:inet:127.0.0.1:{sink}")

    def services(self, port: str, sink: str) -> tuple[str, ...]:
        return (f"127.0.0.1:{port} inet n - n - - smtpd", *QUEUE_SERVICES)

    def queue(self, directory: Path) -> Path:
        return MEMORY / f"{directory.name}-queue" if self._in_memory else super().queue(directory)
