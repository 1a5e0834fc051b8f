"""A base for the image out of Debian's packages, as no registry of images is at hand: Debian 12, Python 3.11.

``python3 -m tests.image.debian_base`` makes it ahead of the tests; it needs nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.rig.process import ROOT, ProgramError, find_program, need_root

SUITE = "bookworm"
PACKAGES = ("ca-certificates", "python3", "python3-venv")
# What Debian's slim images leave out as well.
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")
KEPT = ("/usr/share/doc/*/copyright",)
FOLDER = ROOT / ".cache" / "image"


def debian_base() -> Path:
    """The root file system as a tar archive; made when it is not there, which takes half a minute."""
    need_root("mmdebstrap unpacks packages")
    options = [
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
        *(f"--dpkgopt=path-include={path}" for path in KEPT),
    ]
    name = hashlib.sha256("\n".join([SUITE, *options]).encode()).hexdigest()[:12]
    made = FOLDER / f"{name}.tar"
    if not made.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        # Another run may be at it too: each writes its own, and the last one counts.
        growing = FOLDER / f"{name}.{os.getpid()}.tar"
        command = [find_program("mmdebstrap", package="mmdebstrap"), "--quiet", *options, SUITE, str(growing)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            growing.unlink(missing_ok=True)
            raise ProgramError(f"mmdebstrap ended with {done.returncode} and said:\n{done.stdout}")
        growing.rename(made)
    return made


if __name__ == "__main__":
    sys.stdout.write(f"{debian_base().relative_to(ROOT)}\n")
