"""The stack in containers: the unchanged compose.yaml, started by Docker Compose on a machine of its own.

The machine is a network namespace with the engine in it; a second one, the tailnet, is where edge and readers
are, and a third side is the house's own LAN. Images come from stand_in/Dockerfile under the names that
compose.yaml pins; those that the project builds itself (mxgw, mxgw-postfix) from its own Dockerfiles.
"""

from __future__ import annotations

import http.client
import imaplib
import json
import os
import secrets
import shlex
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.cli.support import PROGRAM, Ended
from tests.dell.cells import EDGE_ADDRESS, HOSTNAME, VOLUME_OWNERS, entered, site
from tests.dell.certificates import Authority
from tests.dell.compose_file import COMPOSE, EXAMPLE, STACK
from tests.dell.household import Named
from tests.dell.known_names import ADDRESS as SENDER
from tests.dell.scanning import EICAR
from tests.image.debian_base import debian_base, debian_programs
from tests.image.engine import BUILD_SECONDS, Engine
from tests.rig.process import (
    Child,
    ProgramError,
    Service,
    Workplace,
    find_program,
    need_root,
    new_mark,
    wait_until,
)
from tests.rig.registry import Registry
from tests.rig.rspamd import COMPILED

ADDRESS = "100.64.0.1"
LAN_ADDRESS = "192.0.2.10"
STAND_INS = Path(__file__).with_name("stand_in")
# Compose's own name for what belongs together.
PROJECT = "mxgwtest"
# The chain of health checks, each at its own interval: Redis, Rspamd (which compiles its patterns), the door.
UP_SECONDS = 300.0
COMMAND_SECONDS = 120.0
LOOK_SECONDS = 0.5
# Services whose image comes from elsewhere, each with a stand-in of its name.
FETCHED = ("dovecot", "mariadb", "rspamd", "clamav", "redis", "nginx", "roundcube")

# The one command that the guides have, where Compose is a program of its own.
DOCKER = """#!/bin/sh
if [ "$1" = compose ]; then shift; exec {compose} --ansi=never "$@"; fi
exec {docker} "$@"
"""


class Machine(Service):
    """The Dell with its stack; ``start`` builds the images, ``up`` starts the containers."""

    def __init__(self) -> None:
        need_root("Namespaces and containers belong to root")
        self._ip = find_program("ip", package="iproute2")
        self._compose = find_program("/usr/bin/docker-compose", package="docker-compose")
        self._nsenter = find_program("nsenter", package="util-linux")
        mark = new_mark()
        self.home, self.tailnet = f"box{mark}", f"net{mark}"
        self._links = (f"a{mark}", f"b{mark}")
        self.place = Workplace()
        self.data = self.place.directory("data")
        self.environ = site(self.data) | {
            "TAILSCALE_IP": ADDRESS,
            "ROUNDCUBE_DES_KEY": secrets.token_hex(24),
        }
        self.engine = Engine()
        self.trust = Named(ssl.PROTOCOL_TLS_CLIENT)
        self.first_states: dict[str, dict[str, Any]] = {}
        self.stack = self.place.path / "dell-stack"
        self.backups = self.place.directory("backup")
        self._names: Child | None = None
        self._registry: Registry | None = None

    def start(self) -> None:
        self._make_networks()
        self._names = Child(
            [
                *(self._nsenter, f"--net=/run/netns/{self.home}"),
                *(sys.executable, "-m", "tests.dell.known_names", ADDRESS),
            ],
            words=self.place.path / "names.words",
        )
        names = self._names
        names.start(lambda: "ready" in names.said())
        self._make_site()
        self.engine.start()
        self._build()
        with entered(self.home):
            self._registry = Registry(self.place.directory("registry"))
        # Not `ip netns exec`: it hides the control groups.
        options = [f"--dns={ADDRESS}", f"--registry-mirror={self._registry.url}"]
        self.engine.move([self._nsenter, f"--net=/run/netns/{self.home}"], options)

    def close(self) -> None:
        self.engine.close()
        if self._names is not None:
            self._names.stop()
        if self._registry is not None:
            self._registry.close()
        for namespace in (self.home, self.tailnet):
            subprocess.run([self._ip, "netns", "del", namespace], check=False, capture_output=True)
        if self.backups.is_mount():
            subprocess.run(["umount", "--lazy", str(self.backups)], check=True)
        self.place.remove()

    # -- Compose ------------------------------------------------------------------------------------------

    def compose(self, *words: str, seconds: float = COMMAND_SECONDS, stdin: str = "") -> str:
        """What a command of Compose prints; ProgramError where it fails."""
        command = [
            *(self._compose, f"--project-directory={self.stack}", f"--file={self.stack / COMPOSE.name}"),
            *(f"--project-name={PROJECT}", "--ansi=never"),
        ]
        # Nothing of the tests' environment: only the file speaks.
        environ = {name: self.engine.environ[name] for name in ("PATH", "DOCKER_HOST", "DOCKER_CONFIG")}
        done = subprocess.run(
            [*command, *words], env=environ, input=stdin, capture_output=True, text=True, timeout=seconds
        )
        if done.returncode:
            raise ProgramError(
                f"docker-compose {' '.join(words)} ended with {done.returncode}:\n{done.stderr}"
            )
        return done.stdout

    @property
    def env_file(self) -> Path:
        return self.stack / ".env"

    def up(self, *services: str) -> None:
        """Start, in the order of depends_on."""
        self.compose("up", "--detach", "--no-build", *services, seconds=UP_SECONDS)

    def admin(self, *words: str, stdin: str = "") -> str:
        """A command of the administrator's, as the guides have it."""
        return self.compose("run", "--rm", "-T", "admin", *words, stdin=stdin)

    def host(self, *words: str, settings: Mapping[str, str] | None = None) -> Ended:
        """``mxgw`` with these words, as root on the machine calls it."""
        environ = {
            **{name: self.engine.environ[name] for name in ("DOCKER_HOST", "DOCKER_CONFIG")},
            # Debian's paths: what else is on ours is none of the machine's affair.
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "en_US.UTF-8",
            "PYTHONUTF8": "1",
            "COMPOSE_PROJECT_NAME": PROJECT,
            "MXGW_STACK": str(self.stack),
            "MXGW_STATE": str(self.place.path / "state"),
            "MXGW_DOCKER": shlex.quote(str(self.place.path / "docker")),
            **(settings or {}),
        }
        done = subprocess.run(
            [self._nsenter, f"--net=/run/netns/{self.home}", PROGRAM, *words],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=UP_SECONDS,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def publish(self, service: str, target: str) -> str:
        """Another image under the name of the service's, at the registry; its id."""
        assert self._registry is not None
        self._build_image(STAND_INS, "published", f"--target={target}")
        saved = self.place.path / f"{target}.tar"
        self.engine.client("save", f"--output={saved}", "published")
        image = self.engine.client("image", "inspect", "--format={{.Id}}", "published").strip()
        self.engine.client("image", "rm", "published")
        self._registry.publish(self._image_of(service), saved)
        return image

    def publish_what_runs(self) -> None:
        """The registry has what the machine has already."""
        assert self._registry is not None
        for service in FETCHED:
            name = self._image_of(service)
            inspected = json.loads(self.engine.client("image", "inspect", name))[0]
            self._registry.publish_known(name, inspected)

    def _image_of(self, service: str) -> str:
        return str(yaml.safe_load(COMPOSE.read_text())["services"][service]["image"])

    def wait_for_health(self, services: Sequence[str]) -> None:
        """Until each is healthy by its own check; ProgramError with its words where one is not."""

        def unhealthy() -> list[str]:
            found = self.engine.client("ps", "--filter=health=healthy", "--format={{.Names}}").split()
            healthy = {name.split("_")[1] for name in found}
            # Looking is no work for the engine that still starts containers.
            time.sleep(LOOK_SECONDS)
            return [name for name in services if name not in healthy]

        try:
            wait_until(lambda: not unhealthy(), seconds=UP_SECONDS, what="all services are healthy")
        except ProgramError as error:
            words = "\n".join(f"-- {name}:\n{self.words(name)[-2000:]}" for name in unhealthy())
            raise ProgramError(f"{error}\n{words}") from None

    def container(self, service: str) -> str:
        """Its id, running or not."""
        labels = (f"com.docker.compose.service={service}", "com.docker.compose.oneoff=False")
        filters = [f"--filter=label={label}" for label in labels]
        return self.engine.client("ps", "--all", "--quiet", *filters).strip()

    def inspect(self, service: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.engine.client("inspect", self.container(service)))[0]
        return found

    def state(self, service: str) -> dict[str, Any]:
        found: dict[str, Any] = self.inspect(service)["State"]
        return found

    def words(self, service: str) -> str:
        done = self.engine.run_client("logs", self.container(service))
        return done.stdout + done.stderr

    def execute(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        """A command in the service's container, as its own user."""
        return self.engine.run_client("exec", self.container(service), *command)

    def kill(self, service: str, number: signal.Signals) -> None:
        """To its process 1, from outside."""
        os.kill(int(self.state(service)["Pid"]), number)

    # -- from the tailnet -----------------------------------------------------------------------------------

    def answers(self, address: str, port: int) -> bool:
        """Whether somebody in the tailnet is let in there."""
        with entered(self.tailnet), socket.socket() as probe:
            probe.settimeout(2)
            return probe.connect_ex((address, port)) == 0

    def hand_in(self, message: bytes, recipient: str) -> tuple[int, str]:
        """What the edge hears of a message at port 2525."""
        with entered(self.tailnet), smtplib.LMTP(ADDRESS, 2525, "edge", (EDGE_ADDRESS, 0)) as edge:
            edge.sock.settimeout(90)
            edge.ehlo()
            assert edge.docmd("XCLIENT", f"ADDR={SENDER} HELO=mx.example.net SESSION=0a1b2c3d")[0] == 220
            edge.ehlo()
            for code, text in (edge.mail("a@example.net"), edge.rcpt(recipient)):
                if code != 250:
                    return code, text.decode()
            code, text = edge.data(message)
            return code, text.decode()

    def messages(self, user: str, password: str, folder: str = "INBOX") -> list[bytes]:
        """By IMAPS at the published port."""
        with entered(self.tailnet):
            session = imaplib.IMAP4_SSL(ADDRESS, 993, ssl_context=self.trust, timeout=60)
        with session:
            session.login(user, password)
            session.select(folder, readonly=True)
            numbers: list[bytes] = session.search(None, "ALL")[1][0].split()
            return [session.fetch(number.decode(), "(BODY.PEEK[])")[1][0][1] for number in numbers]

    def logs_in(self, user: str, password: str) -> bool:
        """Whether Dovecot lets this user in, now."""
        try:
            self.messages(user, password)
        except (OSError, imaplib.IMAP4.error):
            return False
        return True

    def page(self, path: str) -> tuple[int, str]:
        """Of the webmail, by HTTPS."""
        with entered(self.tailnet):
            connection = http.client.HTTPSConnection(ADDRESS, 443, context=self.trust, timeout=60)
            connection.connect()
        try:
            connection.request("GET", path, headers={"Host": HOSTNAME})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    # -- how it is made -------------------------------------------------------------------------------

    def _make_networks(self) -> None:
        near, far = self._links
        for words in (
            ["netns", "add", self.home],
            ["netns", "add", self.tailnet],
            [
                "link",
                "add",
                near,
                "netns",
                self.home,
                "type",
                "veth",
                "peer",
                "name",
                far,
                "netns",
                self.tailnet,
            ],
            ["-n", self.home, "link", "set", "lo", "up"],
            ["-n", self.tailnet, "link", "set", "lo", "up"],
            ["-n", self.home, "addr", "add", f"{ADDRESS}/10", "dev", near],
            ["-n", self.home, "addr", "add", f"{LAN_ADDRESS}/24", "dev", near],
            ["-n", self.tailnet, "addr", "add", f"{EDGE_ADDRESS}/10", "dev", far],
            ["-n", self.tailnet, "addr", "add", "192.0.2.20/24", "dev", far],
            ["-n", self.home, "link", "set", near, "up"],
            ["-n", self.tailnet, "link", "set", far, "up"],
        ):
            subprocess.run([self._ip, *words], check=True, capture_output=True)

    def _make_site(self) -> None:
        """.env out of .env.example, certificates as Tailscale makes them, directories by prepare.sh. All
        lies in one directory, as install.sh has it."""
        shutil.copytree(STACK, self.stack, ignore=shutil.ignore_patterns(".env"))
        self.place.file(
            "docker",
            DOCKER.format(compose=self._compose, docker=find_program("/usr/bin/docker", package="docker.io")),
            mode=0o755,
        )
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2g", "tmpfs", str(self.backups)], check=True)
        lines = []
        left = dict(self.environ)
        for line in EXAMPLE.read_text().splitlines():
            name = line.lstrip("#").partition("=")[0]
            lines.append(f"{name}={left.pop(name)}" if name in left else line)
        assert not left, f".env.example has no {sorted(left)}"
        lines += [f"BACKUP_DIRECTORY={self.backups}/mailserver"]
        self.place.file("dell-stack/.env", "\n".join(lines) + "\n", mode=0o600)
        authority = Authority(self.place.path)
        pair = authority.pair(HOSTNAME)
        tls = self.place.directory("data/tls")
        pair.certificate.rename(tls / "cert.pem")
        pair.key.rename(tls / "key.pem")
        self.trust.load_verify_locations(authority.path)
        subprocess.run(
            [str(self.stack / "prepare.sh")],
            env={"PATH": os.environ["PATH"], "ENV_FILE": str(self.env_file)},
            check=True,
            capture_output=True,
        )
        # One signature, in place of those that freshclam would fetch.
        signature = self.data / "clamav" / "test.ndb"
        signature.write_text(f"Test.Eicar:0:*:{EICAR.hex()}\n")
        signature.chmod(0o644)
        for path in COMPILED.glob("*.*") if COMPILED.is_dir() else ():
            target = self.data / "rspamd" / path.name
            shutil.copyfile(path, target)
            shutil.chown(target, *VOLUME_OWNERS["rspamd"])

    def _build(self) -> None:
        services = yaml.safe_load(COMPOSE.read_text())["services"]
        self.engine.build(services["home"]["image"], base=debian_base())
        self.engine.client("import", str(debian_programs()), "programs", seconds=BUILD_SECONDS)
        for service in FETCHED:
            self._build_image(STAND_INS, services[service]["image"], f"--target={service}")
        # Its own Dockerfile, on what has the packages already: its apt-get finds nothing to do.
        self._build_image(STACK / "postfix", services["postfix"]["image"], "--build-arg=BASE=programs")

    def _build_image(self, directory: Path, tag: str, *options: str) -> None:
        self.engine.client(
            "build", "--network=none", f"--tag={tag}", *options, str(directory), seconds=BUILD_SECONDS
        )
