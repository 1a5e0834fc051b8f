"""Peers out of Debian's packages and npm, run without being installed.

``python -m bench fetch`` puts them under var/peers. A program of theirs runs in a view of this machine with
its packages laid over it (overlayfs in a mount namespace of its own): what it writes goes to memory and is
gone with it, and two mail servers that exclude each other can be measured in turn.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.processes import ROOT, BenchError

PEERS = ROOT / "var" / "peers"
FETCH = "python -m bench fetch"
FIRST_OWN_ID = 61_000
"""User and group ids of the peers' own users; above those that Debian gives out by itself."""

FETCH_SECONDS = 300.0
VIEW_OCTETS = "2g"

_VIEW = """
set -e
view=$1; packages=$2; shared=$3; resolver=$4; shift 4
mkdir -p "$view"
mount -t tmpfs -o size=SIZE,mode=755 tmpfs "$view"
mkdir "$view/work" "$view/root"
cp -a "$packages" "$view/upper"
mount -t overlay -o "lowerdir=/,upperdir=$view/upper,workdir=$view/work" overlay "$view/root"
for place in /proc /dev /sys; do mount --rbind "$place" "$view/root$place"; done
mkdir -p "$view/root$shared"
mount --bind "$shared" "$view/root$shared"
if test -n "$resolver"; then
  rm -f "$view/root/etc/resolv.conf"
  echo "nameserver $resolver" > "$view/root/etc/resolv.conf"
fi
exec chroot "$view/root" "$@"
""".replace("SIZE", VIEW_OCTETS)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Packages that run together, and the users that their maintainer scripts would make."""

    name: str
    packages: tuple[str, ...]
    users: tuple[str, ...]

    @property
    def _place(self) -> Path:
        return PEERS / self.name

    @property
    def root(self) -> Path:
        return self._place / "root"

    def missing(self) -> str:
        """Why it cannot run here; "" if it can."""
        if os.geteuid() != 0:
            return "laying packages over the machine takes root"
        if not self.root.is_dir():
            return f"not there: {FETCH}"
        return _no_overlay()

    def argv(self, argv: Sequence[str], *, view: Path, shared: Path, resolver: str = "") -> list[str]:
        """The command that runs ``argv`` in the view; of the machine's own files it can write to ``shared``.

        ``resolver``: the address of the DNS server that programs in it ask.
        """
        unshare = ["unshare", "--mount", "--propagation", "private"]
        return [
            *unshare,
            "/bin/sh",
            "-c",
            _VIEW,
            "view",
            str(view),
            str(self.root),
            str(shared),
            resolver,
            *argv,
        ]

    def versions(self) -> list[tuple[str, str]]:
        """Name and version of each package that was asked for."""
        found = (
            (self._place / "versions.txt").read_text().splitlines()
            if (self._place / "versions.txt").exists()
            else []
        )
        return [(name, version) for name, _, version in (line.partition(" ") for line in found)]

    def fetch(self) -> None:
        """Download the packages with whatever they need that is not installed, and unpack them."""
        shutil.rmtree(self._place, ignore_errors=True)
        archives, unpacked = self._place / "archives", self._place / "unpacked"
        (archives / "partial").mkdir(parents=True)
        unpacked.mkdir()
        options = ["--download-only", "--no-install-recommends", "--reinstall", "-y", "-q"]
        places = ["-o", f"Dir::Cache::archives={archives}", "-o", "Debug::NoLocking=1"]
        _do("apt-get", "install", *options, *places, *self.packages)
        versions = []
        for archive in sorted(archives.glob("*.deb")):
            _do("dpkg-deb", "-x", str(archive), str(unpacked))
            name, version = _do(
                "dpkg-deb", "-W", "--showformat", "${Package} ${Version}", str(archive)
            ).split()
            if name in self.packages:
                versions.append(f"{name} {version}\n")
        _merge_usr(unpacked)
        self._add_users(unpacked / "etc")
        (self._place / "versions.txt").write_text("".join(versions))
        shutil.rmtree(archives)
        unpacked.rename(self.root)

    def _add_users(self, etc: Path) -> None:
        etc.mkdir(exist_ok=True)
        users, groups = Path("/etc/passwd").read_text(), Path("/etc/group").read_text()
        for number, user in enumerate(self.users, FIRST_OWN_ID):
            users += f"{user}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n"
            groups += f"{user}:x:{number}:\n"
        (etc / "passwd").write_text(users)
        (etc / "group").write_text(groups)


EXIM = Bundle("exim", ("exim4-daemon-light",), ("Debian-exim",))
OPENSMTPD = Bundle("opensmtpd", ("opensmtpd",), ("opensmtpd", "opensmtpq"))
MILTERS = Bundle(
    "milters",
    ("opendkim", "opendmarc", "postfix-policyd-spf-python", "unbound"),
    ("opendkim", "opendmarc", "policyd-spf"),
)
UNBOUND = Bundle("unbound", ("unbound",), ("unbound",))
HARAKA_VIEW = Bundle("haraka", (), ())
"""Nothing is laid over the machine but another resolver."""

BUNDLES = (UNBOUND, MILTERS, EXIM, OPENSMTPD)

HARAKA = PEERS / "haraka"
HARAKA_PROGRAM = HARAKA / "node_modules" / "Haraka" / "bin" / "haraka"


def fetch_haraka() -> None:
    """Haraka out of npm, without what it does not need for this."""
    if shutil.which("npm") is None:
        raise BenchError("npm is missing: on Debian, apt-get install npm")
    HARAKA.mkdir(parents=True, exist_ok=True)
    options = ["--no-audit", "--no-fund", "--omit=dev", "--omit=optional", "--loglevel=error"]
    _do("npm", "install", *options, "--prefix", str(HARAKA), "Haraka")
    HARAKA_VIEW.root.mkdir(exist_ok=True)


def fetchers() -> list[tuple[str, Callable[[], None]]]:
    """What ``python -m bench fetch`` fetches, by name."""
    return [*((bundle.name, bundle.fetch) for bundle in BUNDLES), ("haraka", fetch_haraka)]


def _merge_usr(root: Path) -> None:
    """A directory where the machine has a link (/lib to usr/lib) would hide all that is behind the link."""
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        if (root / name).is_dir() and Path("/", name).is_symlink():
            shutil.copytree(root / name, root / "usr" / name, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(root / name)


@functools.cache
def _no_overlay() -> str:
    probe = PEERS / f"probe-{os.getpid()}"
    (probe / "root").mkdir(parents=True)
    try:
        bundle = ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", _VIEW, "view"]
        _do(*bundle, str(probe / "view"), str(probe / "root"), str(probe), "", "true")
    except BenchError as error:
        return f"no overlayfs here: {error}"
    finally:
        shutil.rmtree(probe, ignore_errors=True)
    return ""


def _do(*argv: str) -> str:
    try:
        run = subprocess.run(
            argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=FETCH_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"{argv[0]}: {error}") from error
    if run.returncode:
        raise BenchError(f"{argv[0]}: {(run.stderr or run.stdout).strip()[-300:]}")
    return run.stdout
