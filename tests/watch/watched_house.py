"""A house to watch: a directory with .env, a stand-in for docker that says what a test has written down, real
files, disks, certificates and ports, and a real server that takes the notices."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mxgw.admin.words import Language, Words
from mxgw.watch.channels import channels
from mxgw.watch.facts import Unseen
from mxgw.watch.finding import Severity
from mxgw.watch.judge import SERVICES
from mxgw.watch.memory import Known, Memory
from mxgw.watch.probes import ALL, look
from mxgw.watch.round import one_round
from mxgw.watch.site import Site, site_of
from mxgw.watch.waiting import Waiting
from tests.rig.process import need_root

NAME = "mail.example.ts.net"

DOCKER = """\
#!/bin/sh
# Says what a test has written down, in a file for each question.
cd {says}
[ -e broken ] && {{ echo "Cannot connect to the Docker daemon" >&2; exit 1; }}
[ -e hang ] && sleep 3
[ "$1" = inspect ] && {{
    shift 3 code=0
    for id; do grep "^$id " restarts || {{ echo "Error: No such object: $id" >&2; code=1; }}; done
    exit $code
}}
shift 3
case $1 in
    ps) exec cat states ;;
    logs) exec cat log ;;
    exec) [ -e "said.$4" ] && exec cat "said.$4" ;;
esac
echo "docker: $*: not found" >&2
exit 1
"""


class Notices:
    """Takes what is posted: Slack, Discord, LINE and SendGrid alike. ``status`` is what it answers."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any], str]] = []
        self.status = 200
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if outer.status == 200:
                    outer.taken.append((self.path, body, self.headers.get("Authorization", "")))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Not to stderr."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def texts(self) -> list[str]:
        return [str(body.get("text")) for _, body, _ in self.taken]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class TlsPort:
    """Shows the certificate that ``directory`` held when it was last told to ``load``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.load()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def load(self) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self._directory / "cert.pem", self._directory / "key.pem")

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            with (
                contextlib.suppress(OSError),
                plain,
                self._context.wrap_socket(plain, server_side=True) as one,
            ):
                one.recv(1)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class WatchedHouse:
    """All is well at first. ``now`` is the time of the next round; rounds are a minute apart."""

    def __init__(self, directory: Path) -> None:
        need_root("A full disk is a tmpfs of its own")
        self.directory = directory
        self.state = directory / "state"
        self.data = directory / "data"
        for path in (self.state, self.data, directory / "stack"):
            path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(self.data)], check=True)
        for name in ("tls", "rspamd"):
            (self.data / name).mkdir()
        self.now = time.time()
        self.memory = Memory()
        self.clock: Waiting | Unseen | None = None
        self.notices = Notices()
        certificate(self.data / "tls", days=60)
        self.port = TlsPort(self.data / "tls")
        made = datetime.datetime.fromtimestamp(self.now - 3_600, datetime.UTC)
        self.table: dict[str, Any] = {
            "states": {name: ["running", "healthy"] for name in SERVICES},
            "restarts": dict.fromkeys(SERVICES, 0),
            "says": {
                "postqueue": "",
                "doveadm": "User\tQuota\tType\tValue\tLimit\t%\ntaro@example.jp\tU\tSTORAGE\t10\t1000\t1\n",
                "clamdscan": f"ClamAV 1.4.3/27450/{made:%a %b %d %H:%M:%S %Y}\n",
            },
            "log": "",
            "gone": [],
        }
        self.tailscale: dict[str, Any] = {"BackendState": "Running", "Self": {"Online": True}, "Health": []}
        self.settings = {
            "MAILSERVER_DATA": str(self.data),
            "BACKUP_DIRECTORY": str(self.data / "none"),
            "WATCH_DISKS": str(self.data),
            "MAIL_HOSTNAME": NAME,
            "TAILSCALE_IP": "127.0.0.1",
            "WATCH_TLS_PORTS": str(self.port.port),
            "TAILSCALE_COMMAND": str(directory / "tailscale"),
            "POSTMASTER_ADDRESS": "postmaster@example.jp",
            "CANARY_TO": "canary@example.jp",
            "CANARY_PASSWORD": "secret",
            "SENDGRID_LIMIT": "100/day",
            "SENDGRID_API_KEY": "SG.secret",
            "SENDGRID_API_URL": self.notices.url,
            "ALERT_WEBHOOK": f"{self.notices.url}/slack-secret",
        }
        self._says = directory / "says"
        self._says.mkdir()
        self._docker = self._program("docker", DOCKER.format(says=self._says))
        self.proven: set[str] = set()
        """Kinds of trouble that were told, and whose end was told."""
        self._ill: dict[str, set[str]] = {}
        self.task("backup.json")
        self.task("update.json")
        self.flight()
        self.write()

    @property
    def environ(self) -> dict[str, str]:
        return {
            "MXGW_STACK": str(self.directory / "stack"),
            "MXGW_STATE": str(self.state),
            "MXGW_RUN": str(self.directory / "run"),
            "MXGW_DOCKER": str(self._docker),
        }

    @property
    def site(self) -> Site:
        return site_of(self.environ)

    def write(self) -> None:
        """Let the stand-ins say what is written down here."""
        states = [
            {"Service": name, "State": state, "Health": health, "ExitCode": 0, "ID": name}
            for name, (state, health) in self.table["states"].items()
        ]
        restarts = {name: it for name, it in self.table["restarts"].items() if name not in self.table["gone"]}
        told = {
            "states": "".join(json.dumps(one) + "\n" for one in states),
            "restarts": "".join(f"{name} {count}\n" for name, count in restarts.items()),
            "log": self.table["log"],
            **{f"said.{program}": text for program, text in self.table["says"].items()},
        }
        for name, text in told.items():
            (self._says / name).write_text(text)
        for name in ("broken", "hang"):
            if self.table.get(name):
                (self._says / name).touch()
            else:
                (self._says / name).unlink(missing_ok=True)
        (self.directory / "status").write_text(json.dumps(self.tailscale))
        self._program("tailscale", f"#!/bin/sh\nexec cat {self.directory}/status\n")
        env = "".join(f"{name}={value}\n" for name, value in self.settings.items())
        (self.directory / "stack" / ".env").write_text(env)

    def task(self, name: str, **facts: object) -> None:
        """What a backup or an update leaves behind."""
        given = {"finished": self.now, "ok": True, "verified": True, "why": "", **facts}
        (self.state / name).write_text(json.dumps(given))

    def flight(self, **facts: object) -> None:
        """What the canary leaves behind."""
        given = {"at": self.now, "broken": "", "why": "", "seconds": 3.0, **facts}
        (self.state / "canary.json").write_text(json.dumps(given))

    def rounds(self, count: int, *, language: Language = Language.EN) -> list[str]:
        """So many rounds; the notices that they sent."""
        before = len(self.notices.taken)
        for _ in range(count):
            self.write()
            site, before_it = self.site, self.memory.known
            self.memory = one_round(
                self.memory,
                look(site, ALL, now=self.now),
                clock_says=self.clock,
                channels=channels(site),
                words=Words(language),
                now=self.now,
            ).memory
            self._note(before_it)
            self.now += 60
        return self.notices.texts()[before:]

    def _note(self, before: Mapping[str, Known]) -> None:
        """What this round told of, and of whose end."""
        for one in self.memory.findings:
            was = before[one.id].told if one.id in before else Severity.GOOD
            now = self.memory.known[one.id].told
            if now is not was and now is not Severity.GOOD:
                self._ill.setdefault(one.id, set()).add(one.key)
            elif now is not was:
                self.proven |= self._ill.pop(one.id, set())

    def ill(self) -> list[str]:
        """Ids of what is not good at the last round."""
        return [one.id for one in self.memory.findings if one.severity != "good"]

    def close(self) -> None:
        self.port.close()
        self.notices.close()
        subprocess.run(["umount", str(self.data)], check=True)

    def _program(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o755)
        return path


def certificate(directory: Path, *, days: float) -> None:
    """A certificate of its own authority with so many days left."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=90))
        .not_valid_after(now + datetime.timedelta(days=days, minutes=5))
        .sign(key, hashes.SHA256())
    )
    (directory / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


Act = Callable[[WatchedHouse], None]
