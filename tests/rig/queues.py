"""Senders with a queue: a real Postfix and a real Exim that try again until each recipient has its end.

Both take mail for anybody on a loopback port, relay it to the gateway with the shortest retry times that
they allow, and store the bounces they make for ``sender@sender.example`` where a test can count them.
"""

from __future__ import annotations

import re
import smtplib
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.rig.process import (
    ROOT,
    Child,
    MissingProgramError,
    ProgramError,
    Service,
    Workplace,
    answers,
    find_program,
    free_port,
    need_root,
)

SENDER = "sender@sender.example"
FINAL_RECIPIENT = re.compile(rb"^Final-Recipient: *rfc822; *(\S+?)\r?$", re.MULTILINE | re.IGNORECASE)

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/log
maillog_file_prefixes = {dir}
myhostname = postfix.sender.example
mydestination =
alias_maps =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
message_size_limit = 0
relayhost = [{host}]:{port}
smtp_tls_security_level = {tls}
smtp_host_lookup = native
smtp_dns_support_level = disabled
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
virtual_mailbox_domains = sender.example
virtual_mailbox_base = {dir}/bounces
virtual_mailbox_maps = static:sender/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
"""

MASTER_CF = """\
127.0.0.1:{own_port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
showq unix n - n - - showq
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

EXIM = """\
primary_hostname = exim.sender.example
exim_path = {program}
spool_directory = {dir}/spool
log_file_path = {dir}/log/%slog
pid_file_path = {dir}/spool/pid
# The configuration is not the compiled-in one, so its delivery processes have no way back to root.
deliver_drop_privilege = true
keep_environment =
local_interfaces = 127.0.0.1
daemon_smtp_ports = {own_port}
tls_advertise_hosts =
host_lookup =
rfc1413_hosts =
message_size_limit = 100M
queue_run_max = 5
acl_smtp_rcpt = accept

begin routers

bounces:
  driver = accept
  domains = sender.example
  transport = maildir

gateway:
  driver = manualroute
  route_list = * {host}
  self = send
  transport = gateway

begin transports

maildir:
  driver = appendfile
  directory = {dir}/bounces/sender
  maildir_format
  user = Debian-exim

gateway:
  driver = smtp
  port = {port}
  allow_localhost
  hosts_try_prdr = {prdr}
  hosts_avoid_tls = {avoid_tls}

begin retry

* * F,1h,1s
"""


class QueueService(Service):
    """What both have in common: how a message gets in, and how one learns the end."""

    port: int
    _place: Workplace

    def submit(self, octets: bytes, recipients: Sequence[str], *, sender: str = SENDER) -> None:
        """One message into the queue."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as client:
            refused = client.sendmail(sender, list(recipients), octets)
        if refused:
            raise ProgramError(f"the queue refused {refused}; {self.log()[-4000:]}")

    def waiting(self) -> int:
        """How many messages are still in the queue."""
        raise NotImplementedError

    def flush(self) -> None:
        """Try every waiting message now."""
        raise NotImplementedError

    def log(self) -> str:
        raise NotImplementedError

    def wait_until_empty(self, *, seconds: float = 90.0) -> None:
        end = time.monotonic() + seconds
        while self.waiting():
            if time.monotonic() > end:
                raise ProgramError(
                    f"{self.waiting()} messages still queue after {seconds:g} s:\n{self.log()[-4000:]}"
                )
            time.sleep(0.5)
            self.flush()

    def bounces(self) -> list[bytes]:
        found = (self._place.path / "bounces" / "sender" / "new").glob("*")
        return [path.read_bytes() for path in found]

    def bounced(self) -> list[str]:
        """Every recipient for whom a bounce says that it failed, once per bounce."""
        names = [name for bounce in self.bounces() for name in _failed(bounce)]
        return sorted(names)


def _failed(bounce: bytes) -> set[str]:
    return {name.decode() for name in FINAL_RECIPIENT.findall(bounce)}


class PostfixQueue(QueueService):
    """A Postfix instance of its own: configuration, queue and port."""

    def __init__(self, gateway: tuple[str, int], *, tls: bool = True) -> None:
        need_root("Postfix starts as root")
        self._program = find_program("postfix", package="postfix")
        self._postqueue = find_program("postqueue", package="postfix")
        self.port = free_port()
        self._place = Workplace()
        self._settings = {
            "dir": str(self._place.path),
            "host": gateway[0],
            "port": str(gateway[1]),
            "own_port": str(self.port),
            "tls": "may" if tls else "none",
        }
        self._etc = self._place.path / "etc"
        self._child = Child(
            [self._program, "-c", str(self._etc), "start-fg"], words=self._place.path / "words"
        )

    def start(self) -> None:
        bounces = self._place.directory("bounces", owner="mail")
        owner = bounces.stat()
        self._settings |= {"uid": str(owner.st_uid), "gid": str(owner.st_uid)}
        self._place.file("etc/main.cf", MAIN_CF.format(**self._settings))
        self._place.file("etc/master.cf", MASTER_CF.format(**self._settings))
        self._place.directory("queue")
        self._place.directory("data", owner="postfix")
        self._child.start(lambda: answers(self.port))

    def waiting(self) -> int:
        listing = subprocess.run(
            [self._postqueue, "-c", str(self._etc), "-j"], check=True, capture_output=True, text=True
        )
        return len(listing.stdout.splitlines())

    def flush(self) -> None:
        subprocess.run([self._postqueue, "-c", str(self._etc), "-f"], check=True, capture_output=True)

    def log(self) -> str:
        path = self._place.path / "log"
        return self._child.said() + (path.read_text(errors="replace") if path.exists() else "")

    def close(self) -> None:
        # Its master is a session leader of its own; only Postfix knows all that belongs to it.
        subprocess.run([self._program, "-c", str(self._etc), "abort"], check=False, capture_output=True)
        self._child.stop()
        self._place.remove()


class EximQueue(QueueService):
    """The Exim that .ci/run unpacked, with its client's defaults: CHUNKING, STARTTLS, PRDR where offered."""

    PROGRAM = ROOT / ".cache" / "exim" / "usr" / "sbin" / "exim4"

    def __init__(self, gateway: tuple[str, int], *, prdr: bool = True, tls: bool = True) -> None:
        need_root("Exim starts as root")
        if not self.PROGRAM.exists():
            raise MissingProgramError(
                "Exim is not unpacked in .cache/exim; .ci/run does it (its package excludes postfix's)"
            )
        self.port = free_port()
        self._place = Workplace()
        self._configuration = self._place.path / "exim.conf"
        self._settings = {
            "dir": str(self._place.path),
            "program": str(self.PROGRAM),
            "host": gateway[0],
            "port": str(gateway[1]),
            "own_port": str(self.port),
            "prdr": "*" if prdr else "",
            "avoid_tls": "" if tls else "*",
        }
        self._child = Child(self._command("-bdf", "-q1s"), words=self._place.path / "words")

    def _command(self, *arguments: str) -> list[str]:
        return [str(self.PROGRAM), "-C", str(self._configuration), *arguments]

    def start(self) -> None:
        self._place.file("exim.conf", EXIM.format(**self._settings))
        for name in ("spool", "log", "bounces"):
            self._place.directory(name, owner="Debian-exim")
        self._child.start(lambda: answers(self.port))

    def waiting(self) -> int:
        count = subprocess.run(self._command("-bpc"), check=True, capture_output=True, text=True)
        return int(count.stdout)

    def flush(self) -> None:
        """Its queue runner comes every second, and obeys the retry times, as in life."""

    def log(self) -> str:
        words = [path.read_text(errors="replace") for path in self._logs()]
        return "\n".join([self._child.said(), *words])

    def _logs(self) -> list[Path]:
        return sorted((self._place.path / "log").glob("*log"))

    def close(self) -> None:
        self._child.stop()
        self._place.remove()
