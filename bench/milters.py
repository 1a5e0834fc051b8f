"""Postfix with authentication: SPF by a policy service, DKIM and DMARC by milters, from Debian's packages.

Postfix's before-queue proxy shows milters no content, so with them there is a queue (here in memory, which
flatters it). Settings are Debian's but for what is named here. There is no ARC milter in Debian.

opendkim asks DNS by libunbound, which refuses to ask a loopback address; told otherwise by a configuration
file, it reads that file for each message, and two at once get in each other's way. So it runs in a network
namespace of its own, where a second unbound with the same zone has an address that is none of loopback's.
"""

from __future__ import annotations

import contextlib
import shlex
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from bench.accounting import Account
from bench.postfix import MAIN, PostfixQueue
from bench.processes import PROXY_LOCAL, START_SECONDS, BenchError, Program, free_port
from bench.unpacked import MILTERS
from bench.zone import ZoneServer

DKIM_DNS = "192.0.2.53"
"""In that namespace; RFC 5737."""

AUTHSERV_ID = "postfix.bench.example"

OPENDKIM = f"""\
Mode v
UserID opendkim
UMask 000
Background no
Syslog yes
AuthservID {AUTHSERV_ID}
AlwaysAddARHeader yes

Nameservers {DKIM_DNS}
Socket local:BASE/milter/opendkim.sock
"""
OPENDMARC = f"""\
UserID opendmarc
Background no
Syslog yes
AuthservID {AUTHSERV_ID}
TrustedAuthservIDs {AUTHSERV_ID}
RejectFailures false
Socket inet:PORT@127.0.0.1
"""
POLICYD_SPF = f"""\
debugLevel = 1
TestOnly = 1
HELO_reject = Fail
Mail_From_reject = Fail
PermError_reject = False
TempError_Defer = False
Header_Type = AR
Authserv_Id = {AUTHSERV_ID}
"""


class PostfixMilters(PostfixQueue):
    """Takes PROXY headers, and asks the zone."""

    say_first = PROXY_LOCAL
    patience_seconds = 0.2
    """Milters look only every few seconds whether they are to end, and have nothing to save."""

    def __init__(self, zone: ZoneServer) -> None:
        super().__init__(in_memory=True)
        self.name = "postfix-milters"
        self.title = "Postfix, queue in memory, policyd-spf, opendkim, opendmarc"
        self._zone = zone
        self._name_places()

    def missing(self) -> str:
        return super().missing() or MILTERS.missing()

    def start(self, *, sink_port: int, account: Account, directory: Path) -> tuple[Program, int]:
        self._base = str(directory / "postfix")
        self._dmarc_port = str(free_port())
        self._policyd_configuration = str(directory / "postfix" / "policyd-spf.conf")
        program, port = super().start(sink_port=sink_port, account=account, directory=directory)
        self._wait_for_milters(program)
        return program, port

    def _wait_for_milters(self, program: Program) -> None:
        deadline = time.monotonic() + START_SECONDS
        doors = (
            (socket.AF_UNIX, f"{self._base}/milter/opendkim.sock"),
            (socket.AF_INET, ("127.0.0.1", int(self._dmarc_port))),
        )
        for family, address in doors:
            while True:
                with socket.socket(family) as door, contextlib.suppress(OSError):
                    door.connect(address)
                    break
                if time.monotonic() > deadline:
                    program.stop()
                    said = program.output.read_text(errors="replace")[-500:]
                    raise BenchError(f"no milter at {address}: {said}")
                time.sleep(0.02)

    def main(self, sink: str) -> tuple[str, ...]:
        return (*MAIN, f"relay_transport = lmtp:inet:127.0.0.1:{sink}", *self._checks())

    def services(self, port: str, sink: str) -> tuple[str, ...]:
        policy = "policyd-spf unix - n n - 0 spawn user=policyd-spf argv=/usr/bin/policyd-spf"
        return (*super().services(port, sink), f"{policy} {self._policyd_configuration}")

    def command(self, base: Path, directory: Path) -> list[str]:
        """Everything in one view of the machine, started by one shell, so that all of it is counted."""
        self._configure(base)
        etc = shlex.quote(str(base / "etc"))
        (base / "milter").mkdir()
        (base / "milter").chmod(0o777)  # opendkim has given up its privileges
        (base / "unbound.conf").write_text(self._zone.configuration(DKIM_DNS))
        unbound = ["setpriv", "--pdeathsig", "TERM", "unbound", "-d", "-c", f"{base}/unbound.conf"]
        own_network = (
            f"ip link set lo up; ip address add {DKIM_DNS}/32 dev lo; "
            f"{shlex.join(self._zone.account.wrap(unbound))} & exec opendkim -f -x {base}/opendkim.conf"
        )
        script = (
            f"PATH=/usr/sbin:/usr/bin:/sbin:/bin; unshare --net /bin/sh -c {shlex.quote(own_network)} & "
            f"opendmarc -f -c {base}/opendmarc.conf & exec postfix -c {etc} start-fg"
        )
        shell = ["/bin/sh", "-c", script]
        return MILTERS.argv(shell, view=directory / "view", shared=directory, resolver=self._zone.address)

    def _name_places(self) -> None:
        """Words for a reader in place of what a run has."""
        self._base, self._dmarc_port, self._policyd_configuration = "BASE", "PORT", "BASE/policyd-spf.conf"

    def setup(self) -> Sequence[str]:
        self._name_places()
        parts = (
            ("opendkim.conf", OPENDKIM),
            ("opendmarc.conf", OPENDMARC),
            ("policyd-spf.conf", POLICYD_SPF),
        )
        own = [line for name, text in parts for line in (f"# {name}", *text.splitlines())]
        return [*super().setup(), *own, "# /etc/resolv.conf", "nameserver DNS"]

    def _checks(self) -> tuple[str, ...]:
        recipient = "reject_unauth_destination, check_policy_service unix:private/policyd-spf"
        return (
            "smtpd_upstream_proxy_protocol = haproxy",
            f"smtpd_recipient_restrictions = {recipient}",
            "policyd-spf_time_limit = 3600",
            f"smtpd_milters = unix:{self._base}/milter/opendkim.sock, inet:127.0.0.1:{self._dmarc_port}",
        )

    def _configure(self, base: Path) -> None:
        texts = {
            "opendkim.conf": OPENDKIM.replace("BASE", str(base)),
            "opendmarc.conf": OPENDMARC.replace("PORT", self._dmarc_port),
            "policyd-spf.conf": POLICYD_SPF,
        }
        for name, text in texts.items():
            (base / name).write_text(text)
