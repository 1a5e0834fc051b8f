"""Installs mailauth, and a Node that can run it, from npm into a cache beside the checkout, once.

`package-lock.json` pins every package with its hash; it names no registry. It was made with
`npm install --package-lock-only --omit-lockfile-registry-resolved`, and its "funding" entries were taken out.
Scripts of packages are not run. ``python3 -m tests.opinions.node_cache`` does it ahead of the tests; it needs
nothing but the standard library.
"""

from __future__ import annotations

import fcntl
import platform
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "opinions"
"""Ignored by git, as the unpacked Exim beside it."""

OLDEST_NODE = (22, 19)
"""What mailauth 7.1.0 asks for. Debian 12 has 18: then the npm packages bring their own."""

INSTALL_SECONDS = 300


class CannotInstall(Exception):
    """The opinion cannot be had; the text says what to do. A reason to fail, not to skip."""


def installed() -> tuple[Path, str]:
    """The folder with node_modules, and the command that is Node. Installs what is missing; CannotInstall."""
    CACHE.mkdir(parents=True, exist_ok=True)
    system_node = _system_node()
    names = ("package.json", "package-lock.json")
    pins = sha256(b"".join((HERE / name).read_bytes() for name in names))
    pins.update(f"{platform.machine()} {'' if system_node else 'own node'}".encode())
    folder = CACHE / pins.hexdigest()[:16]
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            work = folder.with_suffix(".new")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            for name in names:
                shutil.copy(HERE / name, work)
            _npm_ci(work, own_node=system_node is None)
            # All or nothing: a folder that is there is whole.
            work.rename(folder)
    return folder, system_node or _own_node(folder)


def _npm_ci(folder: Path, *, own_node: bool) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise CannotInstall("npm is missing, which brings mailauth: apt-get install npm, or run .ci/run")
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    # The program that runs npm may be older than what mailauth wants: npm does not run it.
    command.append("--engine-strict=false")
    if not own_node:
        command.append("--omit=optional")
    try:
        subprocess.run(
            command,
            cwd=folder,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        raise CannotInstall(f"npm could not install mailauth:\n{error.stdout}") from None
    except subprocess.TimeoutExpired:
        raise CannotInstall(f"npm has not installed mailauth within {INSTALL_SECONDS} s") from None


def _system_node() -> str | None:
    node = shutil.which("node")
    if node is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    parts = answer.stdout.strip().removeprefix("v").split(".")
    numbers = tuple(int(part) for part in parts[:2] if part.isdecimal())
    return node if numbers >= OLDEST_NODE else None


def _own_node(folder: Path) -> str:
    found = sorted(folder.glob("node_modules/node-linux-*/bin/node"))
    if not found:
        raise CannotInstall(
            f"no Node {'.'.join(map(str, OLDEST_NODE))} or newer on this machine, "
            f"and none in the lock file for {platform.machine()}"
        )
    return str(found[0])


if __name__ == "__main__":
    sys.stdout.write(f"{installed()[0].relative_to(CACHE.parents[1])}\n")
