"""The sending half of the Dell stack with real programs: MariaDB, Dovecot's login, Rspamd and Postfix.

Postfix, the check of From and the database are the stack's own files. Ports are loopback's, directories
temporary.
"""

from __future__ import annotations

import contextlib
import os
import signal
import smtplib
import ssl
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path

from tests.dell.certificates import Authority, Pair
from tests.dell.sendgrid import KEY, SendGrid
from tests.rig.process import (
    ROOT,
    Child,
    ProgramError,
    Service,
    Workplace,
    answers,
    find_program,
    free_port,
    need_root,
    wait_until,
)
from tests.rig.rspamd import Rspamd

STACK = ROOT / "dell-stack"
HOSTNAME = "mail.example.jp"
DOMAIN = "example.jp"
PASSWORD = "secret-of-the-tests"
DATABASE_PASSWORD = "database-password-of-the-tests"
ROOT_PASSWORD = "root-password-of-the-tests"
USERS = ("taro", "hanako", "postmaster")
ALIASES = {"sales": "taro", "info": "hanako"}
# Passwords are checked by the tests' Dovecot, which has its own list.
HASH = "{BLF-CRYPT}$2y$05$made.up.for.the.tests"
# A user of every Debian system that owns no files: mail is stored as this one.
OWNER = "mail"

DOVECOT = """\
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
default_internal_user = dovecot
default_login_user = dovenull
listen = 127.0.0.1
protocols = lmtp
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Lu
# Guessing is slowed down by Dovecot, for all who come from that address; the tests guess wrongly on purpose.
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
first_valid_uid = 1
mail_uid = {owner}
mail_gid = {owner}
mail_home = {dir}/mail/%Ld/%Ln
mail_location = maildir:~/Maildir
recipient_delimiter = +
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
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp_port}
  }}
}}
service auth {{
  inet_listener postfix {{
    address = 127.0.0.1
    port = {sasl_port}
  }}
}}
"""


class Database(Service):
    """A MariaDB with the stack's schema, our users and their aliases."""

    def __init__(self) -> None:
        need_root("MariaDB changes its user")
        self._install = find_program("mariadb-install-db", package="mariadb-server")
        self._client = find_program("mariadb", package="mariadb-client")
        self.port = free_port()
        self._place = Workplace()
        self._data = self._place.path / "data"
        self._socket = self._place.path / "data" / "socket"
        self.child = Child(
            [
                find_program("mariadbd", package="mariadb-server"),
                *("--no-defaults", "--user=mysql", f"--datadir={self._data}", f"--socket={self._socket}"),
                *(f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-name-resolve"),
                *("--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M"),
                *("--innodb-log-file-size=8M", "--performance-schema=OFF"),
            ],
            words=self._place.path / "words",
        )

    def start(self) -> None:
        if not self._data.exists():
            self._place.directory("data", owner="mysql")
            subprocess.run(
                [
                    *(self._install, "--no-defaults", f"--datadir={self._data}", "--user=mysql"),
                    *("--auth-root-authentication-method=normal", "--skip-test-db"),
                ],
                check=True,
                capture_output=True,
            )
            self.child.start(self._ready)
            self._fill()
        else:
            self.child.start(self._ready)

    def kill(self) -> None:
        self.child.kill()

    def close(self) -> None:
        self.child.kill()
        self._place.remove()

    def sql(self, text: str, *, password: str = ROOT_PASSWORD) -> str:
        done = subprocess.run(
            [self._client, "--no-defaults", f"--socket={self._socket}", "--user=root", "--batch"],
            input=text,
            env={**os.environ, "MYSQL_PWD": password},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ProgramError(f"MariaDB refused: {done.stderr}")
        return done.stdout

    def _ready(self) -> bool:
        return self._socket.exists() and answers(self.port)

    def _fill(self) -> None:
        self.sql(
            f"ALTER USER root@localhost IDENTIFIED BY '{ROOT_PASSWORD}';"
            f"ALTER USER root@'127.0.0.1' IDENTIFIED BY '{ROOT_PASSWORD}';",
            password="",
        )
        passwords = (
            "DOVECOT_DB_PASSWORD",
            "POSTFIX_DB_PASSWORD",
            "ROUNDCUBE_DB_PASSWORD",
            "ADMIN_DB_PASSWORD",
        )
        subprocess.run(
            ["bash", str(STACK / "mariadb" / "setup.sh")],
            check=True,
            capture_output=True,
            env={
                **os.environ,
                **dict.fromkeys(passwords, DATABASE_PASSWORD),
                "DATABASE_HOST": "127.0.0.1",
                "MYSQL_TCP_PORT": str(self.port),
                "MARIADB_ROOT_PASSWORD": ROOT_PASSWORD,
            },
        )
        self.insert("domains (name)", [(DOMAIN,)])
        self.insert("users (email, domain, password)", [(_at(user), DOMAIN, HASH) for user in USERS])
        self.insert(
            "aliases (address, domain, user)",
            [(_at(alias), DOMAIN, _at(user)) for alias, user in ALIASES.items()],
        )

    def insert(self, table: str, rows: Sequence[tuple[str, ...]]) -> None:
        """Rows into a table of mail; ``table`` names its columns too."""
        values = ", ".join("(" + ", ".join(f"'{value}'" for value in row) + ")" for row in rows)
        self.sql(" ".join(["USE mail; INSERT INTO", table, "VALUES", values]))


class Mailstore(Service):
    """A Dovecot that knows our users' passwords, and keeps what comes by LMTP."""

    def __init__(self) -> None:
        need_root("Dovecot changes its user")
        self.sasl_port = free_port()
        self.lmtp_port = free_port()
        self._place = Workplace()
        self._configuration = self._place.path / "dovecot.conf"
        self.child = Child(
            [find_program("dovecot", package="dovecot-core"), "-F", "-c", str(self._configuration)],
            words=self._place.path / "words",
        )

    def start(self) -> None:
        for name in ("run", "state"):
            self._place.directory(name)
        self._place.directory("mail", owner=OWNER)
        self._place.file("users", "".join(f"{user}@{DOMAIN}:{{PLAIN}}{PASSWORD}::::::\n" for user in USERS))
        self._place.file(
            "dovecot.conf",
            DOVECOT.format(
                dir=self._place.path, owner=OWNER, lmtp_port=self.lmtp_port, sasl_port=self.sasl_port
            ),
        )
        self.child.start(lambda: answers(self.lmtp_port) and answers(self.sasl_port))

    def close(self) -> None:
        self.child.stop()
        self._place.remove()

    def log(self) -> str:
        return (self._place.path / "dovecot.log").read_text(errors="replace")

    def messages(self, user: str) -> list[bytes]:
        """Every message in the user's inbox."""
        maildir = self._place.path / "mail" / DOMAIN / user / "Maildir"
        return [path.read_bytes() for part in ("new", "cur") for path in (maildir / part).glob("*")]

    def wait_for(self, user: str, *, count: int = 1, seconds: float = 20.0) -> bytes:
        wait_until(
            lambda: len(self.messages(user)) >= count, seconds=seconds, what=f"{user} has {count} messages"
        )
        return self.messages(user)[count - 1]


def scanner(milter_port: int, more: Mapping[str, str]) -> Rspamd:
    """An Rspamd that speaks Postfix's protocol, with the stack's check of From and ``more`` files."""
    return Rspamd(
        {
            **more,
            "local.d/worker-proxy.inc": f'bind_socket = "127.0.0.1:{milter_port}"; milter = yes;\n'
            'timeout = 60s; upstream "local" { default = yes; self_scan = yes; }\n',
            "local.d/rspamd.lua": (STACK / "rspamd" / "local.d" / "rspamd.lua").read_text(),
        }
    )


def render(environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The stack's own making of Postfix's configuration, into ``CONFIG_DIR``."""
    return subprocess.run(
        [str(STACK / "postfix" / "render")], env=environ, capture_output=True, text=True, check=False
    )


class Postfix(Service):
    """The stack's Postfix: configuration made by its own ``render`` from ``environ``, plus ``overrides``."""

    def __init__(
        self, environ: Mapping[str, str], overrides: Sequence[str] = (), *, listen: str = "127.0.0.1"
    ) -> None:
        need_root("Postfix starts as root")
        self._program = find_program("postfix", package="postfix")
        self._postqueue = find_program("postqueue", package="postfix")
        self._postconf = find_program("postconf", package="postfix")
        self.submission_port = free_port()
        self.submissions_port = free_port()
        self._place = Workplace()
        path = self._place.path
        self.etc = path / "etc"
        self.environ = {
            "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
            "MAIL_HOSTNAME": HOSTNAME,
            "POSTMASTER_ADDRESS": f"postmaster@{DOMAIN}",
            "CONFIG_DIR": str(self.etc),
            "QUEUE_DIR": str(path / "queue"),
            "DATA_DIR": str(path / "data"),
            "LOG_FILE": str(path / "log"),
            "SUBMISSION": f"{listen}:{self.submission_port}",
            "SUBMISSIONS": f"{listen}:{self.submissions_port}",
            **environ,
        }
        self._overrides = list(overrides)
        self._child = Child([self._program, "-c", str(self.etc), "start-fg"], words=path / "words")

    def start(self) -> None:
        done = render(self.environ)
        if done.returncode:
            raise ProgramError(f"render ended with {done.returncode}: {done.stderr}")
        if self._overrides:
            subprocess.run([self._postconf, "-c", str(self.etc), "-e", *self._overrides], check=True)
        self._child.start(lambda: answers(self.submission_port) and answers(self.submissions_port))

    def check(self) -> str:
        """What ``postfix check`` and ``postconf`` have to complain of."""
        words = [
            subprocess.run(
                [*command, "-c", str(self.etc), *arguments], capture_output=True, text=True, check=False
            ).stderr
            for command, arguments in (([self._program], ["check"]), ([self._postconf], ["-n"]))
        ]
        return "".join(words)

    def value(self, name: str) -> str:
        done = subprocess.run(
            [self._postconf, "-c", str(self.etc), "-h", name], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def switch(self, **environ: str) -> None:
        """Other settings, as an administrator changes .env and starts the container again."""
        self.environ |= environ
        self._stop()
        self.start()

    def waiting(self) -> int:
        """How many messages are in the queue."""
        listing = subprocess.run(
            [self._postqueue, "-c", str(self.etc), "-j"], check=True, capture_output=True, text=True
        )
        return len(listing.stdout.splitlines())

    def reasons(self) -> str:
        """The queue with the reason for each delay."""
        return subprocess.run(
            [self._postqueue, "-c", str(self.etc), "-j"], check=True, capture_output=True, text=True
        ).stdout

    def drain(self, *, seconds: float = 20.0) -> None:
        """Try every waiting message now, and again, until none is left.

        Again, since a message whose delay can be read already may not be back in its queue yet.
        """

        def empty() -> bool:
            subprocess.run([self._postqueue, "-c", str(self.etc), "-f"], check=True, capture_output=True)
            return not self.waiting()

        wait_until(empty, seconds=seconds, what=f"the queue is empty: {self.reasons()}")

    def log(self) -> str:
        path = self._place.path / "log"
        return self._child.said() + (path.read_text(errors="replace") if path.exists() else "")

    def kill(self) -> None:
        """SIGKILL to all of it, as when the machine's power fails."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.killpg(self._master(), signal.SIGKILL)
        self._child.kill()

    def _master(self) -> int:
        return int((self._place.path / "queue" / "pid" / "master.pid").read_text())

    def _stop(self) -> None:
        # Its master leads a process group of its own, and takes its children along.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(self._master(), signal.SIGTERM)
        self._child.stop()

    def close(self) -> None:
        self._stop()
        self._place.remove()


class SendingHouse(Service):
    """All of it, with ``relay`` in front and ``second`` in reserve.

    ``scan=False`` leaves Rspamd out: for tests of what comes after it; ``scanning`` are more files for it.
    ``internal_clients`` may use the door without a login, at ``internal_port``. Postfix listens on
    ``listen``.
    """

    def __init__(
        self,
        directory: Path,
        *,
        scan: bool = True,
        scanning: Mapping[str, str] | None = None,
        internal_clients: str = "",
        listen: str = "127.0.0.1",
    ) -> None:
        self.authority = Authority(directory)
        self.pair: Pair = self.authority.pair(HOSTNAME, "localhost", "127.0.0.1")
        relay_pair = self.authority.pair("localhost")
        self.relay = SendGrid(relay_pair)
        self.second = SendGrid(relay_pair, key="key-of-the-second-relay")
        self.database = Database()
        self.store = Mailstore()
        self.milter_port = free_port()
        self.internal_port = free_port()
        self.scanner = scanner(self.milter_port, scanning or {}) if scan else None
        internal = {
            "INTERNAL_SUBMISSION": f"127.0.0.1:{self.internal_port}",
            "INTERNAL_CLIENTS": internal_clients,
        }
        self.postfix = Postfix(
            {
                "TLS_CERT_FILE": str(self.pair.certificate),
                "TLS_KEY_FILE": str(self.pair.key),
                "SASL_SERVICE": f"inet:127.0.0.1:{self.store.sasl_port}",
                "LOCAL_LMTP": f"inet:127.0.0.1:{self.store.lmtp_port}",
                "RSPAMD_MILTER": f"inet:127.0.0.1:{self.milter_port}",
                "DB_HOST": "127.0.0.1",
                "DB_PORT": str(self.database.port),
                "DB_PASSWORD": DATABASE_PASSWORD,
                "RELAY_HOST": self.relay.host,
                "RELAY_PASSWORD": KEY,
                "RELAY_CA_FILE": str(self.authority.path),
                "SECOND_RELAY_HOST": self.second.host,
                "SECOND_RELAY_USER": "apikey",
                "SECOND_RELAY_PASSWORD": self.second.key,
                **(internal if internal_clients else {}),
            },
            [] if scan else ["smtpd_milters="],
            listen=listen,
        )
        self._parts: list[Service] = []

    def start(self) -> None:
        for part in (self.relay, self.second, self.database, self.store):
            self._parts.append(part)
            part.start()
        if self.scanner is not None:
            self._parts.append(self.scanner)
            self.scanner.start()
            self.wait_for_scanner()
        self._parts.append(self.postfix)
        self.postfix.start()

    def close(self) -> None:
        for part in reversed(self._parts):
            part.close()

    def wait_for_scanner(self) -> None:
        wait_until(lambda: answers(self.milter_port), seconds=30, what="Rspamd takes milter sessions")

    def connect(
        self, *, implicit: bool = False, source: str = "127.0.0.1", target: str = "localhost"
    ) -> smtplib.SMTP:
        """A session under TLS, without a login, from one address to another."""
        context = ssl.create_default_context(cafile=self.authority.path)
        context.check_hostname = target == "localhost"
        if implicit:
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                target,
                self.postfix.submissions_port,
                timeout=30,
                context=context,
                source_address=(source, 0),
            )
        else:
            client = smtplib.SMTP(
                target, self.postfix.submission_port, timeout=30, source_address=(source, 0)
            )
            with _closed_on_failure(client):
                client.starttls(context=context)
        client.ehlo()
        return client

    def login(self, user: str = "taro", *, implicit: bool = False) -> smtplib.SMTP:
        client = self.connect(implicit=implicit)
        with _closed_on_failure(client):
            client.login(f"{user}@{DOMAIN}", PASSWORD)
        return client

    def send(
        self, message: EmailMessage | bytes, recipient: str, *, user: str = "taro", sender: str | None = None
    ) -> None:
        """One message of a user; smtplib's exception where it is refused."""
        octets = message if isinstance(message, bytes) else message.as_bytes()
        with self.login(user) as client:
            client.sendmail(sender if sender is not None else f"{user}@{DOMAIN}", [recipient], octets)


@contextlib.contextmanager
def _closed_on_failure(client: smtplib.SMTP) -> Iterator[None]:
    try:
        yield
    except BaseException:
        client.close()
        raise


def letter(*, author: str = f"Taro <taro@{DOMAIN}>", more: str = "", text: str = "hello\r\n") -> bytes:
    """A small message whose From is ``author``, octet for octet; ``more`` are whole header fields."""
    return (
        f"From: {author}\r\nTo: somebody@example.net\r\nSubject: hello\r\n"
        f"Date: Tue, 24 Nov 2026 10:00:00 +0900\r\nMessage-ID: <{uuid.uuid4()}@{DOMAIN}>\r\n"
        f"{more}\r\n{text}"
    ).encode()


def _at(user: str) -> str:
    return f"{user}@{DOMAIN}"
