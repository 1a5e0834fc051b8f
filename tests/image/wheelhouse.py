"""The packages that the image installs, fetched ahead, so that building it in a test needs no network.

``python3 -m tests.image.wheelhouse`` makes it ahead of the tests; it needs nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.rig.process import ROOT, ProgramError, find_program

BUILD, RUNTIME = ROOT / "docker" / "requirements-build.lock", ROOT / "requirements-runtime.lock"
FOLDER = ROOT / ".cache" / "wheelhouse"


def wheelhouse() -> Path:
    """A folder with every package of the two lock files, for Debian's Python; filled when it is not there."""
    # The interpreter of tests.image.debian_base: what is fetched has to fit it, whatever runs the tests.
    python = find_program("/usr/bin/python3", package="python3-venv")
    pins = b"".join(file.read_bytes() for file in (BUILD, RUNTIME))
    filled = FOLDER / hashlib.sha256(pins).hexdigest()[:12]
    if filled.exists():
        return filled
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as work:
        place = Path(work)
        _run(python, "-m", "venv", f"{place}/tools")
        pip = [f"{place}/tools/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
        _run(*pip, "install", "--require-hashes", "--only-binary=:all:", f"--requirement={BUILD}")
        options = ["--no-deps", "--require-hashes", f"--dest={place}/wheels", "--only-binary=:all:"]
        _run(*pip, "download", *options, f"--requirement={BUILD}")
        # As the Dockerfile does: dkimpy is published as source alone.
        options += ["--no-binary=dkimpy", "--no-build-isolation"]
        _run(*pip, "download", *options, f"--requirement={RUNTIME}")
        # Another run may be at it too. All or nothing: a folder that is there is whole.
        if not filled.exists():
            (place / "wheels").rename(filled)
    return filled


def put_into(context: Path) -> None:
    """Where docker/Dockerfile looks for it, in the context of a build."""
    shutil.copytree(wheelhouse(), context / "docker" / "wheelhouse")


def _run(*command: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise ProgramError(f"{' '.join(command)} ended with {done.returncode} and said:\n{done.stdout}")


if __name__ == "__main__":
    sys.stdout.write(f"{wheelhouse().relative_to(ROOT)}\n")
