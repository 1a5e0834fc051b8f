"""A household's mail server: MariaDB and Dovecot of the stack, users in the one and mail in the other."""

from __future__ import annotations

import contextlib
import imaplib
import poplib
import re
import smtplib
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.dell.cells import HOSTNAME, Host, start_mariadb
from tests.dell.certificates import Authority
from tests.rig.process import Service, find_program

DOMAIN = "example.jp"
PASSWORD = "correct horse"
HOME_DOOR = "10.129.72.2"
DOVECOT = "10.129.72.3"
LMTP_PORT = 24
TIMEOUT_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Said:
    """One reply of LMTP: code and text."""

    code: int
    text: str


class Household(Service):
    """Users log in with PASSWORD."""

    def __init__(self) -> None:
        for module, package in (
            ("/usr/lib/dovecot/lmtp", "dovecot-lmtpd"),
            ("/usr/lib/dovecot/imap", "dovecot-imapd"),
            ("/usr/lib/dovecot/pop3", "dovecot-pop3d"),
            ("/usr/lib/dovecot/managesieve", "dovecot-managesieved"),
            ("/usr/lib/dovecot/modules/libdriver_mysql.so", "dovecot-mysql"),
        ):
            if not Path(module).exists():
                find_program(module, package=package)
        self._doveadm = find_program("doveadm", package="dovecot-core")
        self.host = Host()
        self.trust = Named(ssl.PROTOCOL_TLS_CLIENT)
        self._hash = ""

    def start(self) -> None:
        self.host.start()
        start_mariadb(self.host)
        self._make_certificate()
        self._hash = self.hash(PASSWORD)
        self.sql("INSERT INTO domains (name) VALUES (?)", DOMAIN)
        self.host.cell("dovecot").start()

    def close(self) -> None:
        self.host.close()

    # -- who lives here ---------------------------------------------------------------------------------

    def add(self, *names: str, quota: int = 0) -> None:
        """Mailboxes at DOMAIN; ``quota`` in octets, 0 for none."""
        for name in names:
            self.sql(
                "INSERT INTO users (email, domain, password, quota_octets) VALUES (?, ?, ?, ?)",
                *(f"{name}@{DOMAIN}", DOMAIN, self._hash, quota),
            )

    def alias(self, address: str, user: str) -> None:
        self.sql(
            "INSERT INTO aliases (address, domain, user) VALUES (?, ?, ?)",
            *(address, address.partition("@")[2], f"{user}@{DOMAIN}"),
        )

    def hash(self, password: str) -> str:
        # The cheapest cost: the tests log in often.
        command = [self._doveadm, "-O", "pw", "-s", "BLF-CRYPT", "-r", "4", "-p", password]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def sql(self, text: str, *values: str | int, user: str = "root", password: str = "") -> str:
        """Rows of the answer, tab-separated. Runs as ``docker compose exec mariadb mariadb`` would.

        A question mark stands for a value. PermissionError holds what MariaDB has against it.
        """
        given = iter(values)
        statement = re.sub(r"\?", lambda _: _quoted(next(given)), text)
        secret = password or self.host.environ["MARIADB_ROOT_PASSWORD"]
        client = ["mariadb", "--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--skip-column-names"]
        done = self.host.cells["mariadb"].run(
            [*client, f"--user={user}", f"--password={secret}", "--batch", "mail", "-e", statement]
        )
        if done.returncode:
            raise PermissionError(done.stderr)
        return done.stdout

    # -- doors --------------------------------------------------------------------------------------------

    def lmtp(self, *, source: str = HOME_DOOR) -> smtplib.LMTP:
        """A session with Dovecot's LMTP, as the home door has it."""
        with self.host.inside():
            return smtplib.LMTP(DOVECOT, LMTP_PORT, "home", (source, 0))

    def deliver(
        self, message: EmailMessage | bytes, *recipients: str, sender: str = "someone@example.org"
    ) -> list[Said]:
        """One transaction; what was said of each recipient, at RCPT where it was refused there."""
        said: list[Said] = []
        accepted: list[int] = []
        with self.lmtp() as session:
            session.sock.settimeout(TIMEOUT_SECONDS)
            session.ehlo_or_helo_if_needed()
            session.mail(sender)
            for recipient in recipients:
                code, text = session.rcpt(recipient if "@" in recipient else f"{recipient}@{DOMAIN}")
                accepted += [len(said)] if code == 250 else []
                said.append(Said(code, text.decode()))
            if accepted:
                content = message if isinstance(message, bytes) else message.as_bytes()
                answers = [session.data(content), *(session.getreply() for _ in accepted[1:])]
                for index, (code, text) in zip(accepted, answers, strict=True):
                    said[index] = Said(code, text.decode())
        return said

    def imap(self, user: str, password: str = PASSWORD) -> imaplib.IMAP4_SSL:
        """A session with IMAPS, logged in."""
        with self.host.inside():
            session = imaplib.IMAP4_SSL("127.0.0.1", 993, ssl_context=self.trust, timeout=60)
        with _closed_on_failure(session.shutdown):
            session.login(f"{user}@{DOMAIN}", password)
        return session

    def pop3(self, user: str, password: str = PASSWORD) -> poplib.POP3_SSL:
        """A session with POP3S, logged in."""
        with self.host.inside():
            session = poplib.POP3_SSL("127.0.0.1", 995, context=self.trust, timeout=60)
        with _closed_on_failure(session.close):
            session.user(f"{user}@{DOMAIN}")
            session.pass_(password)
        return session

    def connect(self, port: int, address: str = "127.0.0.1") -> socket.socket:
        with self.host.inside():
            return socket.create_connection((address, port), timeout=60)

    def messages(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """Every message of a folder, in order of arrival."""
        with self.imap(user) as session:
            status, _ = session.select(f'"{folder}"', readonly=True)
            assert status == "OK"
            numbers: Sequence[bytes] = session.search(None, "ALL")[1][0].split()
            return [session.fetch(number.decode(), "(BODY.PEEK[])")[1][0][1] for number in numbers]

    def _make_certificate(self) -> None:
        """Where `tailscale cert` puts it."""
        directory = self.host.place.directory("data/tls")
        authority = Authority(self.host.place.path)
        pair = authority.pair(HOSTNAME)
        pair.certificate.rename(directory / "cert.pem")
        pair.key.rename(directory / "key.pem")
        self.trust.load_verify_locations(authority.path)


class Named(ssl.SSLContext):
    """Asks for the certificate of HOSTNAME, whatever address was connected to."""

    def wrap_socket(self, sock: socket.socket, *args: Any, **more: Any) -> ssl.SSLSocket:
        return super().wrap_socket(sock, *args, **more | {"server_hostname": HOSTNAME})


@contextlib.contextmanager
def _closed_on_failure(close: Callable[[], object]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        close()
        raise


def _quoted(value: str | int) -> str:
    return (
        str(value) if isinstance(value, int) else "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    )


def letter(subject: str = "hello", *, to: str = f"taro@{DOMAIN}", **fields: str) -> EmailMessage:
    """A plain message; a field is written with _ for -."""
    message = EmailMessage()
    message["From"] = "someone@example.org"
    message["To"] = to
    message["Subject"] = subject
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message.set_content("Hello.\n")
    return message
