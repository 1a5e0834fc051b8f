"""What images are built from in tests, out of Debian's packages, as no registry of images is at hand.

``python3 -m tests.image.debian_base`` makes all of it ahead of the tests, so that they need no network; it
needs nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.rig.process import ROOT, ProgramError, find_program, need_root

SUITE = "bookworm"
PYTHON = ("ca-certificates", "python3", "python3-venv")
# All that the images which dell-stack/compose.yaml names are made of, in place of those images.
PROGRAMS = (
    *("clamav-daemon", "clamdscan"),
    *("dovecot-core", "dovecot-imapd", "dovecot-lmtpd", "dovecot-managesieved", "dovecot-mysql"),
    *("dovecot-pop3d", "dovecot-sieve"),
    *("apache2", "libapache2-mod-php", "php-intl", "php-zip"),
    *("roundcube", "roundcube-core", "roundcube-mysql", "roundcube-plugins"),
    *("ca-certificates", "libsasl2-modules", "postfix", "postfix-mysql", "tzdata"),
    *("curl", "mariadb-client", "mariadb-server", "nginx-light", "procps", "redis-server", "rspamd"),
    *("tini", "wget"),
)
ANSWERS = (
    "postfix postfix/main_mailer_type select No configuration",
    "roundcube-core roundcube/dbconfig-install boolean false",
)
# What Debian's slim images leave out as well.
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")
KEPT = ("/usr/share/doc/*/copyright",)
FOLDER = ROOT / ".cache" / "image"


def debian_base() -> Path:
    """Debian 12 and its Python 3.11, a root file system as a tar archive.

    Made when it is not there, which takes half a minute.
    """
    return _made(
        [
            f"--include={','.join(PYTHON)}",
            *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
            *(f"--dpkgopt=path-include={path}" for path in KEPT),
        ]
    )


def debian_programs() -> Path:
    """The same with the programs of the home; made when it is not there, which takes two minutes."""
    lines = "".join(f"{answer}\\n" for answer in ANSWERS)
    return _made(
        [
            f"--include={','.join(PROGRAMS)}",
            f"--essential-hook=printf '{lines}' | chroot \"$1\" debconf-set-selections",
        ]
    )


def _made(wanted: Sequence[str]) -> Path:
    need_root("mmdebstrap unpacks packages")
    options = ["--variant=minbase", *wanted]
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
    for archive in (debian_base(), debian_programs()):
        sys.stdout.write(f"{archive.relative_to(ROOT)}\n")
