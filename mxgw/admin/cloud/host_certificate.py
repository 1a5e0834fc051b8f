"""The certificate of the machine at home: Tailscale gets it, services take it up without dropping anybody."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from mxgw.admin.cloud.certificates import MAX_PEM_OCTETS, Facts, Pair, checked, facts
from mxgw.admin.cloud.private_file import write_file
from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Stack

TAILSCALE_SECONDS = 180.0
"""Tailscale asks Let's Encrypt, which looks at DNS: a minute as a rule."""

CERTIFICATE, KEY = "cert.pem", "key.pem"

RELOADS: dict[str, tuple[str, ...]] = {
    "dovecot": ("doveadm", "reload"),
    "postfix": ("postfix", "-c", "/run/postfix/etc", "reload"),
    "nginx": ("nginx", "-c", "/run/mxgw/nginx.conf", "-s", "reload"),
}
"""New connections get the new certificate; those that are open stay open."""


class HostCertificate:
    """The pair in ``directory``, for ``name``. Raises Refused."""

    def __init__(
        self,
        directory: Path,
        name: str,
        *,
        tailscale: Sequence[str] = ("tailscale",),
        now: Callable[[], datetime],
    ) -> None:
        self._directory = directory
        self._name = name
        self._tailscale = tuple(tailscale)
        self._now = now

    def facts(self) -> Facts | None:
        """Of the one that is there; None where there is none, or none that can be used."""
        try:
            return checked(self._pair(self._directory), self._name, self._now())
        except (OSError, ValueError, Refused):
            return None

    def not_after(self) -> datetime | None:
        """When the one that is there ends, good or not."""
        try:
            return facts(self._pair(self._directory).certificate).not_after
        except (OSError, ValueError, Refused):
            return None

    def renew(self) -> bool:
        """Ask Tailscale; whether there is another certificate now than before."""
        if not self._directory.is_dir():
            raise Refused("tls-directory-missing", failure=True, path=shown(str(self._directory)))
        try:
            with tempfile.TemporaryDirectory(prefix=".new-", dir=self._directory) as place:
                self._ask(Path(place))
                pair = self._pair(Path(place))
        except OSError as error:
            raise Refused("tls-directory-unwritable", failure=True, why=shown(str(error))) from None
        except ValueError:
            raise Refused("new-certificate-unreadable", failure=True) from None
        checked(pair, self._name, self._now())
        if self._there() == pair:
            return False
        try:
            # Two renames: whoever starts in the instant between sees a pair that does not match, and starts
            # again. Both are whole at any time.
            write_file(self._directory / KEY, pair.key, mode=0o600)
            write_file(self._directory / CERTIFICATE, pair.certificate, mode=0o644)
        except OSError as error:
            raise Refused("tls-directory-unwritable", failure=True, why=shown(str(error))) from None
        return True

    def _there(self) -> Pair | None:
        try:
            return self._pair(self._directory)
        except (OSError, ValueError):
            return None

    def _pair(self, directory: Path) -> Pair:
        texts = []
        for name in (CERTIFICATE, KEY):
            with (directory / name).open("rb") as file:
                texts.append(file.read(MAX_PEM_OCTETS).decode("ascii"))
        return Pair(*texts)

    def _ask(self, place: Path) -> None:
        files = [f"--cert-file={place / CERTIFICATE}", f"--key-file={place / KEY}"]
        try:
            done = subprocess.run(  # noqa: S603 - the administrator's own tailscale
                [*self._tailscale, "cert", *files, self._name],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TAILSCALE_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise Refused("tailscale-missing", failure=True) from None
        except subprocess.TimeoutExpired:
            raise Refused("tailscale-silent", failure=True, seconds=round(TAILSCALE_SECONDS)) from None
        if done.returncode:
            why = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise _tailscale_refused(why, self._name)


def _tailscale_refused(why: str, name: str) -> Refused:
    said = why.lower()
    if "not enabled" in said or "does not support getting tls certs" in said:
        return Refused("tailscale-no-https", failure=True)
    if "invalid domain" in said:
        return Refused("tailscale-other-name", failure=True, name=name, why=shown(why[-300:]))
    if "logged out" in said or "needslogin" in said or "not logged in" in said:
        return Refused("tailscale-logged-out", failure=True)
    return Refused("tailscale-refuses", failure=True, why=shown(why[-300:]))


def reload_services(stack: Stack, services: Sequence[str]) -> dict[str, str]:
    """Have them take up the new certificate; those that did not, with what they said. Services that do not
    run read it when they start. Raises Refused where Docker cannot be asked."""
    states = stack.states()
    failed = {}
    for service in services:
        if service not in states or states[service].state != "running":
            continue
        answer = stack.run(service, RELOADS[service])
        if answer.code:
            failed[service] = shown((answer.errors or answer.output.decode(errors="replace")).strip()[-300:])
    return failed
