"""Writes what is really on the screen into the guides.

``python -m tests.install.transcript`` installs the home on a sandboxed machine in each language, with a
person who types; domain and mailbox are made by the real commands in the real database of the stack. Then a
first message goes from the edge to the home door, past Rspamd and ClamAV, into Dovecot, and is fetched as a
phone does.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.admin.admin_house import DOVEADM_URL
from tests.admin.person import Person
from tests.dell.cells import HOSTNAME
from tests.dell.household import DOMAIN, Household
from tests.dell.scanning import Scanners
from tests.install.bare_machine import INSTALL, PASSWORD, SENDGRID_KEY, BareMachine
from tests.rig.gateway import PROGRAM, Gateway
from tests.rig.homedoor import HomeDoor
from tests.rig.process import ROOT, find_program

DOCS = ROOT / "docs"
USER = f"taro@{DOMAIN}"
DOVECOT_LMTP = "lmtp://10.129.72.3:24"


def administration(house: Household) -> dict[str, str]:
    """The environment that compose.yaml gives to the admin commands, in this network."""
    return {
        "MXGW_ADMIN_DB": "mysql://mailadmin@127.0.0.1/mail",
        "MXGW_ADMIN_DB_PASSWORD": house.host.environ["ADMIN_DB_PASSWORD"],
        "MXGW_ADMIN_DOVEADM": DOVEADM_URL,
        "MXGW_ADMIN_DOVEADM_KEY": house.host.environ["DOVEADM_KEY"],
        "MXGW_ADMIN_MX": f"mx.{DOMAIN}",
        "POSTMASTER_ADDRESS": f"postmaster@{DOMAIN}",
        "MAIL_DOMAINS": DOMAIN,
    }


def answers(language: str) -> list[tuple[str, str]]:
    """What is on the screen when an answer is due, and the answer."""
    english = language == "en"
    alerts = "ALERT_MAIL_TO" in (ROOT / "dell-stack/.env.example").read_text()
    return [
        ("[mailserver]", ""),
        ("system disk" if english else "システムディスク", "y"),
        ("with commas" if english else "カンマ区切り", DOMAIN),
        (f"[mx.{DOMAIN}]", ""),
        (f"[postmaster@{DOMAIN}]", ""),
        ("API key of SendGrid" if english else "SendGrid の API キー", SENDGRID_KEY),
        *([("alerts go to" if english else "警報の送り先", "taro@example.net")] if alerts else []),
        ("Address of the first mailbox" if english else "最初のメールアドレス", USER),
        ("New password" if english else "新しいパスワード", PASSWORD),
        ("once more" if english else "確認のため", PASSWORD),
    ]


def installation(machine: BareMachine, language: str) -> str:
    """The screen of a whole installation, with a person who types."""
    with Person(
        [*machine.inside(), "setsid", "--ctty", "--wait", INSTALL], machine.environ(language)
    ) as person:
        for question, answer in answers(language):
            if answer == PASSWORD and not machine.real_admin:
                continue
            person.sees(question)
            person.types(answer)
        code = person.ends()
        assert code == 0, person.screen
        return person.screen


def install(house: Household, language: str) -> str:
    """With the real admin commands, in an empty database."""
    house.host.cells["dovecot"].run(["doveadm", "expunge", "-u", USER, "mailbox", "*", "all"])
    house.sql("DELETE FROM aliases")
    house.sql("DELETE FROM users")
    house.sql("DELETE FROM domains")
    program = (str(PROGRAM), administration(house))
    with BareMachine(network=house.host.namespace, administrate=program) as machine:
        return installation(machine, language)


def first_mail(house: Household, language: str) -> str:
    """Four commands, each with what it said."""
    with (
        HomeDoor(DOVECOT_LMTP, rspamd="http://127.0.0.1:11333", wrapper=house.host.into()) as home,
        Gateway(home.url, wrapper=house.host.into(), listen="127.0.0.1:8025") as edge,
        tempfile.TemporaryDirectory() as work,
    ):
        call = Shell(house, language, Path(work))
        subject = {"en": "Hello", "ja": "はじめまして"}[language]
        call.run("mxgw", "send", "--server", edge.address, "--to", USER, "--subject", subject)
        edge.wait_for("transaction")
        for name, door in (("edge.log", edge), ("home.log", home)):
            lines = "".join(json.dumps(event) + "\n" for event in door.events())
            (Path(work) / name).write_text(lines)
        call.run("mxgw", "trace", USER, "edge.log", "home.log")
        call.phone()
        call.run("mxgw", "admin", "user", "list")
        return "\n".join(call.said)


class Shell:
    """Runs commands in the stack's network and keeps them with what they said."""

    def __init__(self, house: Household, language: str, work: Path) -> None:
        self.said: list[str] = []
        self._house = house
        self._work = work
        locale = {"en": "en_US.UTF-8", "ja": "ja_JP.UTF-8"}[language]
        terminal = {
            "PATH": "/usr/bin:/bin",
            "TERM": "xterm",
            "NO_COLOR": "1",
            "LANG": locale,
            "TZ": "Asia/Tokyo",
        }
        self._environ = administration(house) | terminal

    def run(self, *command: str) -> None:
        shown = " ".join(word if re.fullmatch(r"[\w.:/@-]+", word) else f"'{word}'" for word in command)
        text = self._screen([str(PROGRAM), *command[1:]])
        self.said.append(f"$ {shown}\n{text.rstrip()}\n")

    def phone(self) -> None:
        """What a phone asks: IMAP under TLS, with the address and the password."""
        curl = find_program("curl", package="curl")
        url = f"imaps://{HOSTNAME}/INBOX;MAILINDEX=1;SECTION=HEADER.FIELDS%20(FROM%20TO%20SUBJECT)"
        trust = self._house.host.place.path / "authority.pem"
        asked = [curl, "--silent", "--cacert", str(trust), "--resolve", f"{HOSTNAME}:993:127.0.0.1"]
        text = self._screen([*asked, "--user", f"{USER}:{PASSWORD}", url])
        self.said.append(f"$ curl --user {USER} '{url}'\n{text.strip()}\n")

    def _screen(self, command: Sequence[str]) -> str:
        there = f"cd {self._work} && exec {shlex.join(command)}"
        with Person(
            [*self._house.host.into(), "setsid", "--ctty", "--wait", "bash", "-c", there], self._environ
        ) as person:
            assert person.ends() == 0, person.screen
            return person.screen


def settled(text: str) -> str:
    """Without what differs each time: times, sizes, identities."""
    text = "\n".join(line.rstrip() for line in text.splitlines()).replace(
        HOSTNAME, "mailserver.tail1234.ts.net"
    )
    text = re.sub(r"\b[0-9a-f]{16,}\b", "1a20d5af8ac7ad75", text)
    text = re.sub(r"id=\d{14}", "id=20270101120000", text)
    text = re.sub(r"[A-Z][a-z]{2} [ 0-9]?\d \d\d:\d\d:\d\d \d{4} GMT", "Feb 22 12:00:00 2027 GMT", text)
    return re.sub(r"\b\d+ GB", "100 GB", text)


def shape(screen: str) -> list[str]:
    """Steps, questions and warnings of an installation, without figures and without what was answered."""
    lines = [line.strip() for line in settled(screen).splitlines()]
    kept = [line for line in lines if line.startswith(("✔", "✖", "…", "?", "!"))]
    return [
        re.sub(r"\d+", "0", line) for line in kept if "@" not in line and not line.startswith("✔ example")
    ]


def into_guide(path: Path, name: str, text: str) -> None:
    """Between its markers."""
    pattern = re.compile(rf"(<!-- transcript:{name} -->\n).*?(<!-- /transcript -->)", re.DOTALL)
    block = f"```text\n{text.strip()}\n```\n"
    old = path.read_text()
    new, count = pattern.subn(lambda found: f"{found[1]}{block}{found[2]}", old)
    assert count == 1, f"{path} has no marker for {name}"
    path.write_text(new)


def main() -> int:
    with Household() as house:
        scanners = Scanners(house.host)
        scanners.start()
        try:
            for language in ("en", "ja"):
                guide = DOCS / language / "install-home.md"
                into_guide(guide, "install", settled(install(house, language)))
                into_guide(guide, "first-mail", settled(first_mail(house, language)))
        finally:
            scanners.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
