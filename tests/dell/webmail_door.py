"""The stack's nginx with its own start.sh, in front of a webmail that says what it was asked."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.dell.certificates import Authority
from tests.rig.process import (
    ROOT,
    Child,
    Service,
    Workplace,
    answers,
    find_program,
    free_port,
    need_root,
)

START = ROOT / "dell-stack" / "nginx" / "start.sh"
HOSTNAME = "mail.example.jp"
# The user that Debian's package runs nginx as; the image calls it nginx.
RUN_USER = "www-data"


class Echo(Service):
    """A webmail that answers with the request: method, path and header fields, as JSON."""

    def __init__(self) -> None:
        self.port = free_port()
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _EchoHandler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _EchoHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        while length > 0:
            length -= len(self.rfile.read(min(length, 65536)))
        said = {"method": self.command, "path": self.path, "header": dict(self.headers)}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Powered-By", "PHP/8")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Nothing: a test reads the answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What curl got: status, header fields by lower-case name, body."""

    status: int
    header: dict[str, str]
    body: str


class Nginx(Service):
    """nginx at ``http`` and ``https`` of loopback, with the webmail at ``upstream`` (address:port)."""

    def __init__(self, directory: Path, upstream: str) -> None:
        need_root("nginx changes its user")
        find_program("nginx", package="nginx-light")
        self._curl = find_program("curl", package="curl")
        self.http = free_port()
        self.https = free_port()
        self.authority = Authority(directory)
        pair = self.authority.pair(HOSTNAME)
        self._place = Workplace()
        self.environ = {
            "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
            "MAIL_HOSTNAME": HOSTNAME,
            "RUN": str(self._place.path),
            "HTTP": f"127.0.0.1:{self.http}",
            "HTTPS": f"127.0.0.1:{self.https}",
            "UPSTREAM": upstream,
            "RESOLVER": "127.0.0.1",
            "TLS_CERT": str(pair.certificate),
            "TLS_KEY": str(pair.key),
            "RUN_USER": RUN_USER,
            "ACCESS_LOG": str(self._place.path / "access.log"),
        }
        self.child = Child([str(START)], words=self._place.path / "words", environ=self.environ)

    def start(self) -> None:
        self.child.start(self._ready)

    def close(self) -> None:
        self.child.stop()
        self._place.remove()

    def _ready(self) -> bool:
        # The check of the configuration listens for a moment, too; only the server writes its number.
        number = self._place.path / "nginx.pid"
        return number.exists() and number.read_text().strip() != "" and answers(self.https)

    def log(self) -> str:
        return (self._place.path / "access.log").read_text() + self.child.said()

    def get(self, path: str, *options: str, scheme: str = "https", host: str = HOSTNAME) -> Answer:
        """One request by curl, to our loopback port under the name ``host``."""
        port = self.https if scheme == "https" else self.http
        done = subprocess.run(
            [
                *(self._curl, "--silent", "--show-error", "--include", "--http1.1", "--max-time", "30"),
                *("--cacert", str(self.authority.path), "--path-as-is"),
                *("--resolve", f"{host}:{port}:127.0.0.1", *options),
                f"{scheme}://{host}:{port}{path}",
            ],
            capture_output=True,
            check=True,
        )
        # Decoded here, since text mode would turn every CRLF into LF.
        head, _, body = done.stdout.decode().partition("\r\n\r\n")
        # curl shows "100 Continue", too.
        while head.split(" ", 2)[1].startswith("1"):
            head, _, body = body.partition("\r\n\r\n")
        status, *fields = head.split("\r\n")
        header = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in fields)}
        return Answer(int(status.split(" ")[1]), header, body)
