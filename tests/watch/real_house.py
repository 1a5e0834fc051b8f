"""A house of real programs to watch: MariaDB, Dovecot, ClamAV, Redis and Postfix of the stack in their cells,
a relay before it, a disk for backups, and a server that takes the notices.

What the test does not run is said to run: home, Rspamd, Roundcube and nginx. Tailscale is a script.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mxgw.admin.words import Language, Words
from mxgw.watch.channels import channels
from mxgw.watch.judge import SERVICES
from mxgw.watch.memory import Memory
from mxgw.watch.probes import ALL, look
from mxgw.watch.round import one_round
from mxgw.watch.site import Site, site_of
from tests.dell.cells import HOSTNAME
from tests.dell.certificates import Authority, Pair
from tests.dell.compose_file import read_compose
from tests.dell.household import DOMAIN, Household
from tests.dell.sendgrid import KEY, SendGrid
from tests.rig.clamav import EICAR
from tests.rig.docker_stand_in import DockerStandIn
from tests.rig.process import ROOT, find_program, wait_until
from tests.watch.watched_house import Notices

TAILSCALE = """\
#!/bin/sh
# status --json, and cert --cert-file=F --key-file=F NAME
for argument; do
    case $argument in
        --cert-file=*) cp {place}/next.pem "${{argument#*=}}" ;;
        --key-file=*) cp {place}/next.key "${{argument#*=}}" ;;
        --json) echo '{{"BackendState": "Running", "Self": {{"Online": true}}, "Health": []}}' ;;
    esac
done
"""

CLAMDSCAN = ("clamdscan", "--config-file=/etc/clamav/clamd.conf")
MINUTE = 60.0


class WatchedDocker(DockerStandIn):
    """Stands in for what the house does not run, and for a registry."""

    def __init__(self, house: RealHouse, directory: Path) -> None:
        super().__init__(house.host, directory)
        self._house = house
        self.registry_answers = True
        self.elsewhere = set(SERVICES) - {"mariadb", "dovecot", "clamav", "redis", "postfix"}
        """Those that are said to run, and stop with the rest."""
        self.stopped: set[str] = set()

    def answer(self, arguments: Sequence[str]) -> dict[str, Any]:
        words = list(arguments)
        if words[3:4] == ["pull"]:
            return _told("") if self.registry_answers else _failed("i/o timeout")
        if words[3:4] == ["exec"] and self.elsewhere & set(words):
            return _told("")
        answer = super().answer(arguments)
        if words[3:5] == ["ps", "--all"]:
            said = [
                {"Service": name, "State": "exited" if name in self.stopped else "running", "ExitCode": 0}
                for name in sorted(self.elsewhere)
            ]
            answer["out"] += "".join(json.dumps(one) + "\n" for one in said)
        if words[3:] == ["up", "-d"]:
            self.stopped.clear()
        return answer

    def _read_site(self, path: Path) -> None:
        before = self.host.compose
        super()._read_site(path)
        if self.host.compose is not before:
            self._house.adjust_compose()


class RealHouse(Household):
    """All is well at first. ``settings`` is .env; rounds of the watch are a minute apart."""

    def start(self) -> None:
        self.notices = Notices()
        self.mounts: list[Path] = []
        # A disk of its own: how full that of the machine is, is nothing to the tests.
        self._mount(self.host.place.path)
        super().start()
        place = self.host.place
        self.state = place.directory("state")
        self.disk = place.directory("backup")
        self.mount()
        self.tls = self.host.data / "tls"
        self.authority = Authority(place.directory("relay"))
        self.relay = SendGrid(self.authority.pair("localhost"))
        place.file("bin/tailscale", TAILSCALE.format(place=place.path), mode=0o755)
        self.settings = {
            **self.host.environ,
            "BACKUP_DIRECTORY": f"{self.disk}/mailserver",
            "WATCH_TLS_PORTS": "993 465",
            "WATCH_DISKS": str(self.host.data),
            "TAILSCALE_IP": "127.0.0.1",
            "TAILSCALE_COMMAND": str(place.path / "bin" / "tailscale"),
            "RELAY_HOST": self.relay.host,
            "SENDGRID_API_KEY": KEY,
            "ALERT_WEBHOOK": f"{self.notices.url}/hook",
        }
        self.write()
        self.host.environ = dict(self.settings)
        self.host.compose = read_compose(self.host.environ)
        self._start_services()
        self.docker = WatchedDocker(self, place.directory("bin"))
        self.docker.__enter__()
        self.open_relay()
        self.well()

    def close(self) -> None:
        if hasattr(self, "docker"):
            self.docker.__exit__()
            self.relay.close()
        for path in reversed(self.mounts):
            self._unmount(path)
        self.notices.close()
        super().close()

    def well(self) -> None:
        """The watch begins anew, and other jobs have left good news."""
        self.memory = Memory()
        self.now = time.time()
        for name in ("backup.json", "update.json"):
            self.task(name)

    def _start_services(self) -> None:
        find_program("clamd", package="clamav-daemon")
        find_program("clamdscan", package="clamdscan")
        find_program("redis-server", package="redis-server")
        find_program("postfix", package="postfix")
        place, host = self.host.place, self.host
        place.directory("data/postfix")
        self.write_list(days=0)
        signature = host.data / "clamav" / "test.ndb"
        signature.write_text(f"Test.Eicar:0:*:{EICAR.encode().hex()}\n")
        signature.chmod(0o644)
        self.adjust_compose()
        mounts = {"/opt/postfix": ROOT / "dell-stack" / "postfix", "/opt/authority.pem": self.authority.path}
        postfix = host.cell("postfix", command=["/opt/postfix/entrypoint"], mounts=mounts)
        for cell in (host.cell("redis"), host.cell("clamav"), postfix):
            cell.start()

    def adjust_compose(self) -> None:
        """What Postfix' image says of itself, and a relay with a certificate of the tests."""
        self.host.compose["services"]["postfix"]["environment"] |= {
            "MAIL_CONFIG": "/run/postfix/etc",
            "RELAY_CA_FILE": "/opt/authority.pem",
        }

    # -- what is broken and mended --------------------------------------------------------------------------

    def mount(self) -> None:
        """The disk for backups is there."""
        self._mount(self.disk)

    def unmount(self) -> None:
        """It is taken away."""
        self._unmount(self.disk)
        self.mounts.remove(self.disk)

    def _mount(self, path: Path) -> None:
        options = ["-t", "tmpfs", "-o", "size=2g,mode=755", "tmpfs", str(path)]
        subprocess.run([find_program("mount", package="mount"), *options], check=True)
        self.mounts.append(path)

    @staticmethod
    def _unmount(path: Path) -> None:
        subprocess.run([find_program("umount", package="mount"), "--lazy", str(path)], check=True)

    def open_relay(self) -> None:
        """The relay answers."""
        with self.host.inside():
            self.relay.start()

    def task(self, name: str, *, hours: float = 0.0, **facts: object) -> None:
        """What a job left behind so many hours ago."""
        given = {"finished": time.time() - hours * 3_600, "ok": True, "verified": True, "why": "", **facts}
        (self.state / name).write_text(json.dumps(given))

    def sign_list(self, *, days: float = 0.0) -> None:
        """ClamAV's list of the day is so old, and loaded."""
        number = self.write_list(days=days)
        clamav = self.host.cells["clamav"]
        assert clamav.run([*CLAMDSCAN, "--reload"]).returncode == 0
        self.listed(f"/{number}/")

    def listed(self, text: str) -> None:
        """Waits until clamd tells of its list in these words."""
        clamav = self.host.cells["clamav"]
        wait_until(
            lambda: text in clamav.run([*CLAMDSCAN, "--version"]).stdout,
            seconds=30,
            what=f"clamd says {text}",
        )

    def write_list(self, *, days: float) -> int:
        """The file alone, and its number: a running clamd has the old one until it is told."""
        at = time.time() - days * 86_400
        path = self.host.data / "clamav" / "daily.cud"
        path.write_bytes(signature_list(at))
        path.chmod(0o644)
        return int(at)

    def send(self, recipient: str = "owner@elsewhere.example") -> None:
        """A mail of the house, on its way out."""
        letter = f"From: postmaster@{DOMAIN}\nTo: {recipient}\nSubject: hello\n\nHello.\n"
        answer = self.site.stack.run(
            "postfix", ["sendmail", "-f", f"postmaster@{DOMAIN}", recipient], stdin=letter.encode()
        )
        assert answer.code == 0, answer.errors

    def queue(self) -> str:
        """What waits, as Postfix tells it."""
        return self.site.stack.run("postfix", ["postqueue", "-j"]).output.decode()

    def offer_certificate(self) -> Pair:
        """A new certificate of this machine, which Tailscale gives out."""
        pair = self.authority.pair(HOSTNAME)
        (self.host.place.path / "next.pem").write_bytes(pair.certificate.read_bytes())
        (self.host.place.path / "next.key").write_bytes(pair.key.read_bytes())
        return pair

    # -- the watch ------------------------------------------------------------------------------------------

    @property
    def environ(self) -> dict[str, str]:
        place = self.host.place.path
        return {
            "MXGW_STACK": str(place / "stack"),
            "MXGW_STATE": str(self.state),
            "MXGW_DOCKER": str(self.docker.program),
        }

    @property
    def site(self) -> Site:
        return site_of(self.environ)

    def write(self) -> None:
        """.env as it is now."""
        text = "".join(f"{name}={value}\n" for name, value in self.settings.items())
        self.host.place.file("stack/.env", text, mode=0o600)

    def rounds(self, count: int, probes: Sequence[str] = tuple(ALL)) -> list[str]:
        """So many rounds of these probes; the notices that they sent."""
        before = len(self.notices.taken)
        for _ in range(count):
            with self.host.inside():
                seen = look(self.site, {name: ALL[name] for name in probes}, now=self.now)
            self.memory = one_round(
                self.memory,
                seen,
                clock_says=None,
                channels=channels(self.site),
                words=Words(Language.EN),
                now=self.now,
            ).memory
            self.now += MINUTE
        return self.notices.texts()[before:]

    def ill(self) -> dict[str, str]:
        """What was not well at the last round: id and key."""
        return {one.id: one.key for one in self.memory.findings if one.severity != "good"}


def _told(text: str) -> dict[str, Any]:
    return {"out": text, "err": "", "code": 0}


def _failed(text: str) -> dict[str, Any]:
    return {"out": "", "err": f"{text}\n", "code": 1}


def signature_list(at: float) -> bytes:
    """A list of signatures as ClamAV's update brings it, unsigned: a header of 512 octets, and a tar with the
    sums of its files. clamd tells the age that the header says."""
    day = time.strftime("%d %b %Y %H-%M +0000", time.gmtime(at))
    header = f"ClamAV-VDB:{day}:{int(at)}:1:90:X:X:builder:{int(at)}"
    signature = f"Test.Daily:0:*:{b'signature of the tests'.hex()}\n".encode()
    sums = f"{header}\ndaily.ndb:{len(signature)}:{hashlib.sha256(signature).hexdigest()}\n"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in (("daily.info", sums.encode()), ("daily.ndb", signature)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return header.ljust(512).encode() + packed.getvalue()
