"""Exim, OpenSMTPD and Haraka: each in the way of its own that comes closest to relaying at once.

OpenSMTPD and Haraka look up each client's name, which cannot be turned off: ``resolver`` is one that answers
at once.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.accounting import Account
from bench.gateways import Gateway
from bench.harness import Speaks
from bench.processes import Program, free_port
from bench.unpacked import EXIM, HARAKA_PROGRAM, HARAKA_VIEW, OPENSMTPD

MAX_OCTETS = 36 * 1024**2


class EximCutthrough(Gateway):
    """Exim passes the transaction on while it comes in. Over SMTP only: with LMTP it queues instead."""

    name = "exim"
    title = "Exim, cutthrough_delivery"
    next_hop = Speaks.SMTP
    share = 0.08

    CONFIGURATION = """\
primary_hostname = exim.bench.example
log_file_path = BASE/exim-%slog
pid_file_path = BASE/exim.pid
local_interfaces = 127.0.0.1
message_size_limit = 36M
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts =
smtp_accept_max = 0
smtp_accept_max_per_connection = 0
smtp_accept_queue_per_connection = 0
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  accept domains = example.com
         control = cutthrough_delivery
  deny
begin routers
home:
  driver = manualroute
  route_list = example.com 127.0.0.1
  self = send
  transport = home
begin transports
home:
  driver = smtp
  port = SINK
  hosts_try_fastopen =
"""

    def missing(self) -> str:
        return EXIM.missing()

    def start(self, *, sink_port: int, account: Account, directory: Path) -> tuple[Program, int]:
        port = free_port()
        base = directory / "exim"
        base.mkdir()
        base.chmod(0o777)  # its own user writes the log there
        configuration = self.CONFIGURATION.replace("BASE", str(base)).replace("SINK", str(sink_port))
        (directory / "exim.conf").write_text(configuration)
        argv = ["/usr/sbin/exim4", "-C", str(directory / "exim.conf"), "-bdf", "-oX", f"127.0.0.1:{port}"]
        program = Program(
            EXIM.argv(argv, view=directory / "view", shared=directory),
            account=account,
            output=directory / "exim.out",
        )
        program.wait_for_door(port)
        return program, port

    def setup(self) -> Sequence[str]:
        return ["# exim.conf", *self.CONFIGURATION.splitlines(), "exim4 -C exim.conf -bdf -oX 127.0.0.1:PORT"]


class OpenSmtpd(Gateway):
    """OpenSMTPD always has a queue; here it is in memory."""

    name = "opensmtpd"
    title = "OpenSMTPD, queue in memory"
    share = 0.025
    queues = True
    max_sessions = 5
    """More connections at once than it has room for in its backlog wait for TCP to try again."""

    CONFIGURATION = """\
smtp max-message-size "36M"
listen on 127.0.0.1 port PORT
action "home" relay host "lmtp://127.0.0.1:SINK"
match from any for domain "example.com" action "home"
"""

    def __init__(self, *, resolver: str = "") -> None:
        self._resolver = resolver

    def missing(self) -> str:
        return OPENSMTPD.missing()

    def start(self, *, sink_port: int, account: Account, directory: Path) -> tuple[Program, int]:
        port = free_port()
        text = self.CONFIGURATION.replace("PORT", str(port)).replace("SINK", str(sink_port))
        (directory / "smtpd.conf").write_text(text)
        folders = "mkdir -p /var/spool/smtpd /var/empty && chmod 711 /var/spool/smtpd && chmod 755 /var/empty"
        script = f'{folders} && exec /usr/sbin/smtpd -d -f "$0"'
        program = Program(
            OPENSMTPD.argv(
                ["/bin/sh", "-c", script, str(directory / "smtpd.conf")],
                view=directory / "view",
                shared=directory,
                resolver=self._resolver,
            ),
            account=account,
            output=directory / "smtpd.out",
        )
        program.wait_for_door(port)
        return program, port

    def setup(self) -> Sequence[str]:
        return ["# smtpd.conf", *self.CONFIGURATION.splitlines(), "smtpd -d -f smtpd.conf > smtpd.out"]


class Haraka(Gateway):
    """Haraka with one of its queue plugins: smtp_forward relays at once, lmtp by way of a queue on disk."""

    PLUGIN = "exports.hook_rcpt = (next) => next(OK)"

    def __init__(self, *, forward: bool, resolver: str = "") -> None:
        self._resolver = resolver
        self._plugin = "queue/smtp_forward" if forward else "queue/lmtp"
        self.name = "haraka" if forward else "haraka-lmtp"
        self.title = f"Haraka {self._plugin}" + ("" if forward else ", queue on disk")
        self.next_hop = Speaks.SMTP if forward else Speaks.LMTP
        self.queues = not forward
        self.share = 0.12

    def missing(self) -> str:
        if shutil.which("node") is None:
            return "there is no node"
        return HARAKA_VIEW.missing()

    def start(self, *, sink_port: int, account: Account, directory: Path) -> tuple[Program, int]:
        port = free_port()
        base = directory / "haraka"
        own = HARAKA_PROGRAM.parent.parent / "config" / "connection.ini"
        limits = own.read_text().replace("bytes=26214400", f"bytes={MAX_OCTETS}")  # the file is taken whole
        files = self._files(str(port), str(sink_port)) | {"config/connection.ini": limits}
        for name, text in files.items():
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            (base / name).write_text(text)
        (base / "queue").mkdir()
        program = Program(
            HARAKA_VIEW.argv(
                [shutil.which("node") or "node", str(HARAKA_PROGRAM), "-c", str(base)],
                view=directory / "view",
                shared=directory,
                resolver=self._resolver,
            ),
            account=account,
            output=directory / "haraka.out",
            environment=dict(os.environ) | {"NODE_ENV": "production"},
        )
        program.wait_for_door(port)
        return program, port

    def setup(self) -> Sequence[str]:
        files = self._files("PORT", "SINK")
        lines = [line for name, text in files.items() for line in (f"# {name}", *text.splitlines())]
        lines += ["# config/connection.ini: Haraka's own, with", f"bytes={MAX_OCTETS}"]
        return [*lines, "haraka -c FOLDER > haraka.out"]

    def _files(self, port: str, sink: str) -> dict[str, str]:
        target = "smtp_forward.ini" if self._plugin.endswith("forward") else "lmtp.ini"
        return {
            "config/me": "haraka.bench.example\n",
            "config/smtp.ini": f"listen=127.0.0.1:{port}\nnodes=0\n",
            "config/plugins": f"rcpt_any\n{self._plugin}\n",
            f"config/{target}": f"host=127.0.0.1\nport={sink}\nenable_outbound=false\n",
            "config/host_list": "example.com\n",
            "config/log.ini": "level=NOTICE\n",
            "plugins/rcpt_any.js": f"{self.PLUGIN}\n",
        }
