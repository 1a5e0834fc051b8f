"""Home as it is: a real Dovecot with LMTP, Maildir, quota and the Sieve test that drops repeats."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.rig.process import Child, Service, Workplace, answers, find_program, free_port, need_root

DOMAIN = "example.jp"
PASSWORD = "secret"
# A user of every Debian system that owns no files: mail is stored as this one.
OWNER = "mail"

DUPLICATE = """\
require ["duplicate"];
if duplicate :header "X-MXGW-Fingerprint" :handle "mxgw" :seconds 864000 {
    discard;
    stop;
}
"""

CONFIGURATION = """\
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
default_internal_user = dovecot
default_login_user = dovenull
listen = {listen}
protocols = {protocols}
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_uid = {owner}
mail_gid = {owner}
mail_home = {dir}/mail/%Ld/%Ln
mail_location = maildir:~/Maildir
# Messages as they came, so that a test can compare octets.
mail_save_crlf = yes
mail_plugins = quota
mail_fsync = {fsync}
login_trusted_networks = {trusted}
auth_username_format = %Lu
recipient_delimiter = +
lmtp_rcpt_check_quota = {rcpt_check_quota}
lmtp_user_concurrency_limit = {user_concurrency}
quota_full_tempfail = no
passdb {{
  driver = passwd-file
  args = username_format=%Lu {dir}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%Lu {dir}/users
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
protocol lmtp {{
  mail_plugins = $mail_plugins {lmtp_plugins}
}}
service lmtp {{
  process_min_avail = 2
  inet_listener lmtp {{
    address = {listen}
    port = {port}
  }}
}}
service imap-login {{
  inet_listener imap {{
    address = {listen}
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
plugin {{
  quota = maildir:User quota
  quota_grace = 0
  sieve_before = {dir}/before.sieve
  sieve_duplicate_default_period = 10d
  sieve_duplicate_max_period = 10d
}}
"""


class Dovecot(Service):
    """A mail store on a loopback port.

    ``users`` maps addresses (or local parts at example.jp) to a quota in octets, or None for none.
    ``wrapper`` and ``make_socket`` put it into a network namespace (see Link).
    """

    def __init__(
        self,
        users: Mapping[str, int | None],
        *,
        duplicate: bool = True,
        rcpt_check_quota: bool = True,
        trusted: str = "127.0.0.0/8",
        user_concurrency: int = 10,
        imap: bool = False,
        fsync: bool = True,
        listen: str = "127.0.0.1",
        wrapper: Sequence[str] = (),
        make_socket: Callable[[], socket.socket] = socket.socket,
    ) -> None:
        need_root("Dovecot changes its user")
        self._program = find_program("dovecot", package="dovecot-core")
        self._sievec = find_program("sievec", package="dovecot-sieve")
        for module, package in (("lmtp", "dovecot-lmtpd"), ("imap", "dovecot-imapd")):
            find_program(f"/usr/lib/dovecot/{module}", package=package)
        self.users = {_address(user): quota for user, quota in users.items()}
        self.port = free_port(listen if listen.startswith("127.") else "127.0.0.1")
        self.imap_port = free_port() if imap else 0
        self.listen = listen
        self._make_socket = make_socket
        self._place = Workplace()
        self._users_time = time.time()
        self._settings = {
            "dir": str(self._place.path),
            "listen": listen,
            "owner": OWNER,
            "port": str(self.port),
            "imap_port": str(self.imap_port),
            "protocols": "lmtp imap" if imap else "lmtp",
            "trusted": trusted,
            "rcpt_check_quota": "yes" if rcpt_check_quota else "no",
            "user_concurrency": str(user_concurrency),
            "fsync": "optimized" if fsync else "never",
            "lmtp_plugins": "sieve" if duplicate else "",
        }
        self._configuration = self._place.path / "dovecot.conf"
        self.child = Child(
            [*wrapper, self._program, "-F", "-c", str(self._configuration)],
            words=self._place.path / "words",
        )

    @property
    def url(self) -> str:
        return f"lmtp://{self.listen}:{self.port}"

    def start(self) -> None:
        if not self._configuration.exists():
            self._prepare()
        (self._place.path / "run" / "master.pid").unlink(missing_ok=True)
        self.child.start(self._answers)

    def kill(self) -> None:
        """SIGKILL to the master and every worker, as when the machine's memory runs out."""
        self.child.kill()

    def restart(self) -> None:
        self.kill()
        self.start()

    def close(self) -> None:
        self.child.stop()
        self._place.remove()

    def set_quota(self, user: str, octets: int | None) -> None:
        """Change a quota under the running server: its user file is read again when it changes."""
        self.users[_address(user)] = octets
        self._write_users()

    def messages(self, user: str) -> list[bytes]:
        """Every message in the user's inbox, octet for octet, in order of arrival."""
        return [path.read_bytes() for path in self.message_files(user)]

    def message_files(self, user: str) -> list[Path]:
        name, _, domain = _address(user).partition("@")
        maildir = self._place.path / "mail" / domain / name / "Maildir"
        found = [path for part in ("new", "cur") for path in (maildir / part).glob("*")]
        return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def log(self) -> str:
        path = self._place.path / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else self.child.said()

    def _answers(self) -> bool:
        return answers(self.port, self.listen, make_socket=self._make_socket) and (
            not self.imap_port or answers(self.imap_port)
        )

    def _prepare(self) -> None:
        for name in ("run", "state"):
            self._place.directory(name)
        self._place.directory("mail", owner=OWNER)
        for user in self.users:
            self._make_home(user)
        self._write_users()
        script = self._place.file("before.sieve", DUPLICATE)
        self._place.file("dovecot.conf", CONFIGURATION.format(**self._settings))
        # The longest period is applied when the script is compiled, so it must see this configuration.
        subprocess.run(
            [self._sievec, "-c", str(self._configuration), str(script)],
            check=True,
            capture_output=True,
        )

    def _make_home(self, user: str) -> None:
        """Without a home directory the first delivery finds no place for its memory of repeats."""
        name, _, domain = user.partition("@")
        self._place.directory(f"mail/{domain}", owner=OWNER)
        self._place.directory(f"mail/{domain}/{name}", owner=OWNER)

    def _write_users(self) -> None:
        lines = [
            f"{user}:{{PLAIN}}{PASSWORD}::::::"
            + (f"userdb_quota_rule=*:storage={quota}B" if quota is not None else "")
            for user, quota in self.users.items()
        ]
        new = self._place.file("users.new", "\n".join(lines) + "\n")
        # Dovecot reads it again when size or time differ, and looks at whole seconds.
        self._users_time += 10
        os.utime(new, (self._users_time, self._users_time))
        new.replace(self._place.path / "users")


def _address(user: str) -> str:
    return user if "@" in user else f"{user}@{DOMAIN}"
