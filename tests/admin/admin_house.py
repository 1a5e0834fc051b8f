"""A household, and the admin's commands run beside it."""

from __future__ import annotations

import imaplib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from mxgw.cli import group
from tests.cli.support import PROGRAM, environment
from tests.dell.household import DOMAIN, Household
from tests.rig.process import ROOT, find_program

DOVEADM_URL = "http://10.129.72.18:8080"
PASSWORD = "correct horse"

PATIENT = """
# Wrong passwords of the tests are not made to wait.
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> Any:
        """Its JSON."""
        return json.loads(self.out)


def admin(*arguments: str, settings: Mapping[str, str], stdin: str | bytes = "", lang: str = "en") -> Told:
    """Run ``mxgw admin`` in this process, as a program calls it: no terminal anywhere."""
    given = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": f"{lang}_XX.UTF-8", **settings}
    result = CliRunner().invoke(group, ["admin", *arguments], input=stdin, env=given, prog_name="mxgw")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Told(result.exit_code, result.stdout, result.stderr)


class AdminHouse(Household):
    """MariaDB and Dovecot of the stack; ``settings`` are what an administrator's environment says."""

    def start(self) -> None:
        super().start()
        # The stack's own configuration, without the time that a wrong password costs.
        self.host.cells["dovecot"].child.stop()
        copy = self.host.place.path / "dovecot"
        shutil.copytree(ROOT / "dell-stack" / "dovecot", copy)
        with (copy / "dovecot.conf").open("a") as configuration:
            configuration.write(PATIENT)
        opened = self.host.cell(
            "dovecot", command=["/opt/mxgw-dovecot/start.sh"], mounts={"/opt/mxgw-dovecot": copy}
        )
        opened.start()

    @property
    def settings(self) -> dict[str, str]:
        return {
            "MXGW_ADMIN_DB": "mysql://mailadmin@127.0.0.1/mail",
            "MXGW_ADMIN_DB_PASSWORD": self.host.environ["ADMIN_DB_PASSWORD"],
            "MXGW_ADMIN_DOVEADM": DOVEADM_URL,
            "MXGW_ADMIN_DOVEADM_KEY": self.host.environ["DOVEADM_KEY"],
        }

    def admin(
        self,
        *arguments: str,
        stdin: str | bytes = "",
        lang: str = "en",
        settings: Mapping[str, str] | None = None,
    ) -> Told:
        """A command as a program calls it."""
        with self.host.inside():
            return admin(*arguments, stdin=stdin, lang=lang, settings={**self.settings, **(settings or {})})

    def user(self, name: str, *, password: str = PASSWORD) -> str:
        """A new mailbox, made by the command; its address."""
        address = f"{name}@{DOMAIN}"
        told = self.admin("user", "add", address, "--password-file", "-", stdin=f"{password}\n")
        assert told.code == 0, told.err
        return address

    def at_terminal(self, *arguments: str) -> list[str]:
        """The command line of a person's command, in the stack's network and at a terminal of its own."""
        setsid = find_program("setsid", package="util-linux")
        return [*self.host.into(), setsid, "--ctty", "--wait", PROGRAM, "admin", *arguments]

    def environ(self, *, lang: str) -> dict[str, str]:
        """A person's environment."""
        inherited = {name: text for name, text in environment(self.settings).items() if name != "LC_ALL"}
        return {**inherited, "LANG": f"{lang}_XX.UTF-8", "TERM": "xterm-256color"}

    def home_of(self, name: str) -> Path:
        """Where Dovecot keeps a user's mail."""
        return self.host.data / "mail" / DOMAIN / name


def may_log_in(house: AdminHouse, name: str, password: str = PASSWORD) -> bool:
    """Whether Dovecot lets this user in."""
    try:
        with house.imap(name, password):
            return True
    except imaplib.IMAP4.error:
        return False
