"""The stack without containers: the services of compose.yaml, run from Debian's packages.

A *cell* is what a container is, made by hand from the service's own lines in compose.yaml: a network
namespace, an overlay over this machine's root directory, read-only where the file says so, its volumes,
tmpfs, environment, user and capabilities. So the files of dell-stack/ are tested as they are, where they will
be. What it does not show: the upstream images' own entrypoints and builds.

All cells share one network namespace, in which every service's name means 127.0.0.1, or the fixed address
that compose.yaml gives it. Nothing leaves it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.dell.compose_file import host_path, read_compose
from tests.rig.process import Child, ProgramError, Service, Workplace, find_program, need_root, new_mark

CLONE_NEWNET = 0x40000000

HOSTNAME = "mail.example.ts.net"
# Where the edge comes from: an address of the tailnet.
EDGE_ADDRESS = "100.64.0.7"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Docker waits so long before the first restart, and longer before the next ones.
RESTART_SECONDS = 0.5

# Users that the images have and Debian's packages give other numbers, or none.
IMAGE_USERS = {
    "dovecot": {"vmail": (1000, 1000)},
    "trial": {"vmail": (1000, 1000)},
    "mariadb": {"mysql": (999, 999)},
    "accounts": {"mysql": (999, 999)},
    "rspamd": {"_rspamd": (11333, 11333)},
    "clamav": {"clamav": (100, 101)},
    "redis": {"redis": (999, 1000)},
    "nginx": {"nginx": (101, 101)},
}

# What an image starts by itself; the others are told by compose.yaml.
IMAGE_COMMANDS = {
    "mariadb": ["mariadbd", "--init-file=/opt/first.sql"],
    "rspamd": ["rspamd", "-f"],
    "clamav": ["clamd", "--foreground"],
}

# Who owns a volume on the host (prepare.sh makes them so).
VOLUME_OWNERS = {
    "mail": (1000, 1000),
    "mariadb": (999, 999),
    "rspamd": (11333, 11333),
    "clamav": (100, 101),
    "redis": (999, 1000),
}


class Host(Service):
    """The Dell: a network namespace, its directories, and one cell for each service that a test starts."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        need_root("Namespaces and mounts belong to root")
        self._ip = find_program("ip", package="iproute2")
        self.namespace = f"dell{new_mark()}"
        self.place = Workplace()
        self.data = self.place.directory("data")
        self.environ = site(self.data) | dict(environ or {})
        self.compose = read_compose(self.environ)
        self.cells: dict[str, Cell] = {}

    def start(self) -> None:
        self._do("netns", "add", self.namespace)
        self._do("-n", self.namespace, "link", "set", "lo", "up")
        addresses = self._addresses()
        for address in {*addresses.values(), EDGE_ADDRESS}:
            self._do("-n", self.namespace, "addr", "add", f"{address}/32", "dev", "lo")
        # What is sent to Dovecot's fixed address comes from the door at home, unless it binds another.
        route = ["local", addresses["dovecot-delivery"], "dev", "lo", "table", "local"]
        self._do("-n", self.namespace, "route", "replace", *route, "src", addresses["home-fixed"])
        for name, (user, group) in VOLUME_OWNERS.items():
            os.chown(self.place.directory(f"data/{name}", mode=0o700), user, group)
        names = [f"{self._addresses().get(name, '127.0.0.1')} {name}" for name in self._names()]
        # Rspamd's checker wants an address for these; no way leads there.
        names += [f"192.0.2.53 fuzzy{number}.rspamd.com" for number in (1, 2)]
        self.place.file("hosts", "\n".join(["127.0.0.1 localhost", *names]) + "\n")
        self.place.file("resolv.conf", "nameserver 127.0.0.1\n")

    def close(self) -> None:
        for cell in reversed(self.cells.values()):
            cell.child.stop()
        subprocess.run([self._ip, "netns", "del", self.namespace], check=False, capture_output=True)
        self.place.remove()

    def cell(
        self, service: str, *, command: Sequence[str] = (), mounts: Mapping[str, Path] | None = None
    ) -> Cell:
        """The service's cell, not yet started. ``mounts``: files of its image, by path in the cell."""
        self.cells[service] = cell = Cell(self, service, command, mounts or {})
        return cell

    def into(self) -> list[str]:
        """The command prefix that runs a program of this machine in the network of the stack."""
        return [self._ip, "netns", "exec", self.namespace]

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets that this thread makes meanwhile belong to the stack's network."""
        with entered(self.namespace):
            yield

    def healthy(self, service: str) -> bool:
        """What the service's own health check says, run in its cell."""
        test: list[str] = self.compose["services"][service]["healthcheck"]["test"]
        cell = self.cells[service]
        return cell.inside and cell.run(test[1:]).returncode == 0

    def _names(self) -> list[str]:
        names = list(self.compose["services"])
        for service in self.compose["services"].values():
            networks = service.get("networks", {})
            if isinstance(networks, dict):
                names += [alias for one in networks.values() for alias in (one or {}).get("aliases", [])]
        return names

    def _addresses(self) -> dict[str, str]:
        """Fixed addresses by alias; a service that has one without an alias is found by its own name."""
        found = {}
        for name, service in self.compose["services"].items():
            networks = service.get("networks", {})
            for network in networks.values() if isinstance(networks, dict) else ():
                if network and "ipv4_address" in network:
                    for alias in network.get("aliases", [f"{name}-fixed"]):
                        found[alias] = network["ipv4_address"]
        return found

    def _do(self, *arguments: str) -> None:
        subprocess.run([self._ip, *arguments], check=True, capture_output=True)


class Cell:
    """One service, isolated as compose.yaml says."""

    def __init__(
        self, host: Host, service: str, command: Sequence[str], mounts: Mapping[str, Path], *, name: str = ""
    ) -> None:
        # Two cells of one service have different names.
        name = name or service
        self.service = service
        self.settings: dict[str, Any] = host.compose["services"][service]
        self._host = host
        self._root = host.place.directory(f"cells/{name}")
        self.given = (command, mounts)
        self._mounts = mounts
        words = host.place.file(f"words/{name}", "", mode=0o666)
        self._script = host.place.file(f"cells/{name}.sh", self._text(self._command(command)))
        self.child = Child([*host.into(), "bash", str(self._script)], words=words)

    def start(self) -> None:
        """Started, and healthy by its own check."""
        self.child.start(lambda: self._host.healthy(self.service))

    @property
    def inside(self) -> bool:
        """Whether its process has entered the house's network and left this machine's root directory.

        Before that a check would look at this machine, where another program may answer at the same port.
        """
        process = f"/proc/{self.child.pid}"
        try:
            return os.path.samefile(
                f"{process}/ns/net", f"/run/netns/{self._host.namespace}"
            ) and not os.path.samefile(f"{process}/root", "/")
        except FileNotFoundError:
            return False

    def finish(self) -> str:
        """Run a service that ends by itself, again as often as its restart policy says; what it said.

        ProgramError unless it exits with 0.
        """
        policy, _, times = str(self.settings.get("restart", "no")).partition(":")
        tries = 1 + (int(times) if policy == "on-failure" and times else 0)
        said = ""
        for _ in range(tries):
            done = subprocess.run(
                self.child.command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            said += done.stdout + done.stderr
            if not done.returncode:
                return said
            time.sleep(RESTART_SECONDS)
        raise ProgramError(f"{self.service} ended {tries} times with {done.returncode}:\n{said}")

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """A program beside the running one, as with ``docker compose exec``."""
        enter = ["nsenter", f"--target={self.child.pid}", "--mount", "--net", "--root", "--wd"]
        return subprocess.run(
            [*enter, *self._dropped(), *command], capture_output=True, text=True, timeout=60, check=False
        )

    def said(self) -> str:
        return self.child.said()

    def entry(self) -> list[str]:
        """The command prefix that gives a program the service's user, capabilities and environment."""
        return self._dropped()

    def _command(self, given: Sequence[str]) -> list[str]:
        if given:
            return list(given)
        said = [*self.settings.get("entrypoint", []), *self.settings.get("command", [])]
        return IMAGE_COMMANDS.get(self.service) or said

    def _dropped(self) -> list[str]:
        """The user, the capabilities and the environment of the service."""
        assert self.settings["cap_drop"] == ["ALL"]
        kept = "".join(f",+{name.lower()}" for name in self.settings.get("cap_add", []))
        drop = ["setpriv", f"--bounding-set=-all{kept}", "--inh-caps=-all", "--no-new-privs"]
        if "user" in self.settings:
            user, group = self.settings["user"].split(":")
            drop += [f"--reuid={user}", f"--regid={group}", "--clear-groups"]
        given = [f"{name}={value}" for name, value in self.settings.get("environment", {}).items()]
        return [*drop, "env", "-i", f"PATH={PATH}", "HOME=/tmp", *given]

    def _text(self, command: Sequence[str]) -> str:
        """The script that makes the cell around itself and becomes the program."""
        top, root = self._root, self._root / "root"
        lines = [
            "set -e",
            "mount --make-rprivate /",
            f"mount -t tmpfs tmpfs {top}",
            f"mkdir {top}/up {top}/work {root}",
            f"mount -t overlay overlay -o lowerdir=/,upperdir={top}/up,workdir={top}/work {root}",
            *self._accounts(root),
            f"mount --rbind /dev {root}/dev",
            f"mount -t proc proc {root}/proc",
        ]
        for line in self.settings.get("tmpfs", []):
            path, _, options = line.partition(":")
            lines += [
                f"mkdir -p {root}{path}",
                f"mount -t tmpfs -o {options or 'mode=1777'} tmpfs {root}{path}",
            ]
        for source, target, words in self._binds():
            lines += self._bind(source, target, root, read_only="ro" in words)
        if self.settings.get("read_only"):
            lines.append(f"mount -o remount,ro {root}")
        lines.append(f"exec chroot {root} {shlex.join([*self._dropped(), *command])}")
        return "\n".join(lines) + "\n"

    def _binds(self) -> Iterator[tuple[Path, str, list[str]]]:
        for volume in self.settings.get("volumes", []):
            yield host_path(volume)
        for name in ("hosts", "resolv.conf"):
            yield self._host.place.path / name, f"/etc/{name}", ["ro"]
        for target, source in self._mounts.items():
            yield source, target, ["ro"]

    def _bind(self, source: Path, target: str, root: Path, *, read_only: bool) -> list[str]:
        # A mounted directory hides what the package has there, as it hides what the image has.
        made = "mkdir -p {0}" if source.is_dir() else "mkdir -p $(dirname {0}) && rm -f {0} && touch {0}"
        lines = [made.format(f"{root}{target}"), f"mount --bind {source} {root}{target}"]
        return [*lines, f"mount -o remount,bind,ro {root}{target}"] if read_only else lines

    def _accounts(self, root: Path) -> Iterator[str]:
        """The image's users, in place of whoever has their name or number here."""
        for name, (user, group) in IMAGE_USERS.get(self.service, {}).items():
            for file, number, line in (
                ("passwd", user, f"{name}:x:{user}:{group}::/nonexistent:/usr/sbin/nologin"),
                ("group", group, f"{name}:x:{group}:"),
            ):
                path = f"{root}/etc/{file}"
                yield f"sed -i -E '/^({name}:|[^:]*:[^:]*:{number}:)/d' {path}; echo '{line}' >>{path}"


@contextlib.contextmanager
def entered(namespace: str) -> Iterator[None]:
    """Sockets that this thread makes meanwhile belong to that network namespace."""
    with Path("/proc/thread-self/ns/net").open() as here, Path(f"/run/netns/{namespace}").open() as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(here.fileno())


def site(data: Path) -> dict[str, str]:
    """A site's .env, with passwords nobody has elsewhere."""
    names = (
        *("MARIADB_ROOT_PASSWORD", "DOVECOT_DB_PASSWORD", "POSTFIX_DB_PASSWORD", "ROUNDCUBE_DB_PASSWORD"),
        *("ADMIN_DB_PASSWORD", "DOVEADM_KEY", "RSPAMD_PASSWORD", "MXGW_SEAL_KEY", "SENDGRID_API_KEY"),
    )
    return {
        **{name: secrets.token_hex(12) for name in names},
        "ROUNDCUBE_DES_KEY": secrets.token_hex(16),
        "MAILSERVER_DATA": str(data),
        "MAIL_HOSTNAME": HOSTNAME,
        "MAIL_DOMAINS": "example.jp",
        "EDGE_HOSTNAME": "mx.example.jp",
        "POSTMASTER_ADDRESS": "postmaster@example.jp",
        "TAILSCALE_IP": "100.64.0.1",
    }


def start_mariadb(host: Host) -> Cell:
    """A new MariaDB with the root account that the image makes, and the stack's schema and accounts."""
    data = host.data / "mariadb"
    find_program("mariadbd", package="mariadb-server")
    subprocess.run(
        [
            *(find_program("mariadb-install-db", package="mariadb-server"), "--no-defaults"),
            *(f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"),
        ],
        check=True,
        capture_output=True,
    )
    _own(data, *VOLUME_OWNERS["mariadb"])
    password = host.environ["MARIADB_ROOT_PASSWORD"]
    first = host.place.file(
        "first.sql",
        # What mariadb-install-db makes without a password would be found first.
        "DROP USER IF EXISTS root@'127.0.0.1', root@'::1';\n"
        f"CREATE OR REPLACE USER root@'%' IDENTIFIED BY '{password}';\n"
        "GRANT ALL PRIVILEGES ON *.* TO root@'%' WITH GRANT OPTION;\n",
    )
    cell = host.cell("mariadb", mounts={"/opt/first.sql": first})
    cell.start()
    # As with the image: the directory is no longer empty, so nothing is set up at the next start.
    first.write_text("SELECT 1;\n")
    try:
        host.cell("accounts").finish()
    except ProgramError as error:
        raise ProgramError(f"{error}\nmariadb said:\n{cell.said()}") from error
    return cell


def start_names(host: Host) -> Child:
    """A resolver that knows no name, at 127.0.0.1:53 of the stack's network."""
    program = Path(__file__).with_name("no_names.py")
    child = Child([*host.into(), sys.executable, str(program)], words=host.place.path / "words.names")
    child.start(lambda: "ready" in child.said())
    return child


def _own(path: Path, user: int, group: int) -> None:
    for one in (path, *path.rglob("*")):
        os.chown(one, user, group)


def _enter(handle: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
