"""An old mailbox at another server is taken over, again and again, without doubles."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from mxgw.admin.importing.names import decoded, encoded, here
from mxgw.admin.importing.remembered import Remembered
from tests.admin.admin_house import Told, admin
from tests.admin.person import Person
from tests.backup.backup_house import BackupHouse
from tests.cli.support import PROGRAM, environment
from tests.dell.certificates import Authority, Pair
from tests.dell.household import DOMAIN
from tests.rig.process import Child, Service, Workplace, answers, find_program, free_port, need_root

LOGIN, PASSWORD = "old@example.com", "old secret"
LONG_AGO = '"03-Feb-2020 10:00:00 +0900"'
JAPANESE = "&MMYwuTDI-"
"""The folder that mail programs show as three katakana (modified UTF-7)."""
OWNER = "mail"

CONFIGURATION = """\
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
default_internal_user = dovecot
default_login_user = dovenull
listen = 127.0.0.1
protocols = imap
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
auth_failure_delay = 0
first_valid_uid = 1
mail_uid = {owner}
mail_gid = {owner}
mail_home = {dir}/mail/%Ln
mail_location = maildir:~/Maildir
passdb {{
  driver = passwd-file
  args = {dir}/users
}}
userdb {{
  driver = passwd-file
  args = {dir}/users
}}
# As Courier has it: another separator, and every folder below INBOX.
namespace inbox {{
  inbox = yes
  separator = .
  prefix = INBOX.
  mailbox "Gesendet" {{
    special_use = \\Sent
    auto = create
  }}
  mailbox "All" {{
    special_use = \\All
    auto = create
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
"""


class OldPlace(Service):
    """A provider's Dovecot: IMAPS, folders below INBOX., one mailbox."""

    def __init__(self) -> None:
        need_root("Dovecot changes its user")
        self._place = Workplace()
        self.port = free_port()
        self.authority = Authority(self._place.path)
        pair: Pair = self.authority.pair("localhost")
        for name in ("run", "state"):
            self._place.directory(name)
        self._place.directory("mail", owner=OWNER)
        self._place.file("users", f"{LOGIN}:{{PLAIN}}{PASSWORD}::::::\n")
        text = CONFIGURATION.format(
            dir=self._place.path, certificate=pair.certificate, key=pair.key, owner=OWNER, port=self.port
        )
        configuration = self._place.file("dovecot.conf", text)
        dovecot = find_program("dovecot", package="dovecot-core")
        self._child = Child([dovecot, "-F", "-c", str(configuration)], words=self._place.path / "words")

    def start(self) -> None:
        self._child.start(lambda: answers(self.port))

    def close(self) -> None:
        # Nobody reads its mail again.
        self._child.kill()
        self._place.remove()

    def imap(self) -> imaplib.IMAP4_SSL:
        trust = ssl.create_default_context(cafile=str(self.authority.path))
        session = imaplib.IMAP4_SSL("localhost", self.port, ssl_context=trust, timeout=60)
        session.login(LOGIN, PASSWORD)
        return session

    def add(self, subject: str, folder: str = "INBOX", flags: str = "", date: str = LONG_AGO) -> None:
        header = f"From: a@example.org\r\nMessage-ID: <{subject}@example.org>\r\nSubject: {subject}"
        text = f"{header}\r\n\r\nHello.\r\n"
        with self.imap() as session:
            session.create(f'"{folder}"')
            status, why = session.append(f'"{folder}"', flags, date, text.encode())
            assert status == "OK", why


@pytest.fixture
def old() -> Iterator[OldPlace]:
    with OldPlace() as running:
        running.add("read", flags=r"(\Seen \Answered)")
        running.add("marked", flags=r"(\Flagged $Label1)")
        running.add("sent", "INBOX.Gesendet", r"(\Seen)")
        running.add("spam", "INBOX.&j,dg0TDhMPww6w-", r"(\Seen)")
        running.add("deep", f"INBOX.{JAPANESE}.2020")
        running.add("read", "INBOX.All")
        running.add("archived", "INBOX.All")
        yield running


def take_over(
    house: BackupHouse,
    old: OldPlace,
    name: str,
    *more: str,
    host: str = "localhost",
    password: str = PASSWORD,
    lang: str = "en",
    trust: Mapping[str, str] | None = None,
) -> Told:
    return admin(
        *("import", f"{name}@{DOMAIN}", "--from", f"{host}:{old.port}", "--user", LOGIN),
        *("--password-file", "-", *more),
        settings={
            **house.settings,
            **({"SSL_CERT_FILE": str(old.authority.path)} if trust is None else trust),
        },
        stdin=f"{password}\n",
        lang=lang,
    )


def subjects(house: BackupHouse, name: str) -> dict[str, list[str]]:
    """By folder, in order; empty folders are left out."""
    found = {}
    with house.imap(name) as session:
        for line in session.list()[1]:
            folder = line.decode().rpartition(' "/" ')[2].strip('"')
            status, count = session.select(f'"{folder}"', readonly=True)
            if status != "OK" or count == [b"0"]:
                continue
            rows = session.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
            here = [
                row[1].decode().strip().removeprefix("Subject: ") for row in rows if isinstance(row, tuple)
            ]
            if here:
                found[folder] = here
    return found


EVERYTHING = {
    "INBOX": ["read", "marked"],
    "Sent": ["sent"],
    "Junk": ["spam"],
    f"{JAPANESE}/2020": ["deep"],
    "Archive": ["archived"],
}


def test_all_comes_once_with_folders_flags_and_dates(backup_house: BackupHouse, old: OldPlace) -> None:
    house = backup_house
    house.add("mover")

    look = take_over(house, old, "mover", "--dry-run")
    first = take_over(house, old, "mover", "--yes")

    assert look.code == 0, look.err
    assert {one["folder"]: (one["here"], one["messages"], one["new"]) for one in look.facts} == {
        "INBOX": ("INBOX", 2, 2),
        "INBOX.Gesendet": ("Sent", 1, 1),
        "INBOX.迷惑メール": ("Junk", 1, 1),
        "INBOX.テスト.2020": ("テスト/2020", 1, 1),
        "INBOX.All": ("Archive", 2, 2),
    }
    assert first.code == 0, first.err
    assert (first.facts["did"], first.facts["messages"], first.facts["already_here"]) == ("imported", 6, 1)
    assert subjects(house, "mover") == EVERYTHING
    with house.imap("mover") as session:
        session.select("INBOX", readonly=True)
        rows = [row.decode() for row in session.fetch("1:*", "(FLAGS INTERNALDATE)")[1]]
        assert all('INTERNALDATE "03-Feb-2020 ' in row for row in rows)
        assert "\\Answered \\Seen" in rows[0]
        assert "\\Flagged" in rows[1]
        assert "$Label1" in rows[1]
        assert "\\Seen" not in rows[1]
        subscribed = b"".join(session.lsub()[1])
        assert f"{JAPANESE}/2020".encode() in subscribed


def test_only_what_is_new_comes_again_and_nothing_goes(backup_house: BackupHouse, old: OldPlace) -> None:
    house = backup_house
    house.add("mover2")
    house.deliver(b"Subject: mine\r\n\r\nHello.\r\n", "mover2")
    assert take_over(house, old, "mover2", "--yes").code == 0
    with house.imap("mover2") as session:
        # "read" is thrown away here, "deep" is moved.
        session.select("INBOX")
        session.store("2", "+FLAGS", r"(\Deleted)")
        session.expunge()
        session.select(f'"{JAPANESE}/2020"')
        session.uid("MOVE", "1:*", "Archive")
    before = subjects(house, "mover2")

    again = take_over(house, old, "mover2", "--yes")

    assert again.facts["messages"] == 0
    assert subjects(house, "mover2") == before

    old.add("later")
    last = take_over(house, old, "mover2", "--yes")

    assert last.facts["messages"] == 1
    assert subjects(house, "mover2")["INBOX"] == ["mine", "marked", "later"]
    with old.imap() as session:
        assert session.select("INBOX", readonly=True)[1] == [b"3"]
        unread = session.search(None, "UNSEEN")[1]
        assert unread == [b"2 3"]


def test_without_its_memory_what_is_here_is_known_again(backup_house: BackupHouse, old: OldPlace) -> None:
    house = backup_house
    house.add("mover3")
    assert take_over(house, old, "mover3", "--yes").code == 0
    (memory,) = house.home_of("mover3").glob(".mxgw-import-*")
    assert memory.stat().st_mode & 0o777 == 0o600
    memory.unlink()

    again = take_over(house, old, "mover3", "--yes")

    assert (again.facts["messages"], again.facts["already_here"]) == (0, 7)
    assert subjects(house, "mover3") == EVERYTHING


def test_a_full_mailbox_goes_on_when_it_has_room(backup_house: BackupHouse, old: OldPlace) -> None:
    house = backup_house
    house.add("small", quota=1024)
    for number in range(12):
        old.add(f"number {number}")

    full = take_over(house, old, "small", "--yes")

    assert (full.code, full.facts["error"]) == (1, "import-full")
    house.sql("UPDATE users SET quota_octets = 0 WHERE email = ?", f"small@{DOMAIN}")
    house.host.cells["dovecot"].run(["doveadm", "auth", "cache", "flush"])
    assert take_over(house, old, "small", "--yes").code == 0
    found = subjects(house, "small")
    assert found == {**EVERYTHING, "INBOX": ["read", "marked", *(f"number {number}" for number in range(12))]}


def test_a_person_sees_what_would_come_and_is_asked(backup_house: BackupHouse, old: OldPlace) -> None:
    house = backup_house
    house.add("asker")
    settings = environment({**house.settings, "SSL_CERT_FILE": str(old.authority.path)})
    spoken = {**settings, "LC_ALL": "", "LANG": "ja_JP.UTF-8", "TERM": "xterm-256color"}
    setsid = find_program("setsid", package="util-linux")
    command = [setsid, "--ctty", "--wait", PROGRAM, "admin", "import", f"asker@{DOMAIN}", "--user", LOGIN]

    for answer, code in (("n", 1), ("y", 0)):
        with Person(command, spoken) as person:
            person.sees("IMAP サーバー")
            person.types(f"localhost:{old.port}")
            person.sees("表示されません")
            person.types(PASSWORD)
            person.sees("テスト/2020")
            person.sees("7 通をコピーしますか")
            person.types(answer)
            person.sees("6 通を" if answer == "y" else "何も変更していません")
            assert person.ends() == code
            assert PASSWORD not in person.screen

    assert subjects(house, "asker") == EVERYTHING


def test_two_imports_of_one_mailbox_do_not_run_at_once(backup_house: BackupHouse, old: OldPlace) -> None:
    house = backup_house
    house.add("twice")
    assert take_over(house, old, "twice", "--yes").code == 0

    with Remembered(house.home_of("twice"), host="localhost", login=LOGIN):
        told = take_over(house, old, "twice", "--yes")

    assert told.facts["error"] == "import-running"


@pytest.mark.parametrize(
    ("name", "delimiter", "uses", "target"),
    [
        ("INBOX", "/", [], "INBOX"),
        ("inbox", ".", [], "INBOX"),
        ("INBOX.Work.2020", ".", [], "Work/2020"),
        ("Work/2020", "/", [], "Work/2020"),
        ("a/b", ".", [], "a-b"),
        ("Gesendet", "/", ["\\hasnochildren", "\\sent"], "Sent"),
        ("[Gmail]/すべてのメール", "/", ["\\all"], "Archive"),
        ("送信済みアイテム", "/", [], "Sent"),
        ("Deleted Items", "/", [], "Trash"),
        ("Bulk Mail", "", [], "Junk"),
        ("Work/Sent", "/", [], "Work/Sent"),
        ("//", "/", [], "INBOX"),
    ],
)
def test_a_folder_has_its_name_here(name: str, delimiter: str, uses: list[str], target: str) -> None:
    assert here(name, delimiter, uses) == target


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        # RFC 3501 section 5.1.3.
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("A & B", "A &- B"),
        ("📮", "&2D3c7g-"),
    ],
)
def test_names_travel_in_modified_utf_7(text: str, wire: str) -> None:
    assert encoded(text) == wire
    assert decoded(wire) == text


@pytest.mark.parametrize("wire", ["&", "A&B", "&!!!-", "&2D0-", "&a-"])
def test_a_name_that_is_no_modified_utf_7_stays(wire: str) -> None:
    assert decoded(wire) == wire


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_each_mistake_is_a_sentence(
    backup_house: BackupHouse, old: OldPlace, lang: str, tmp_path: Path
) -> None:
    house = backup_house
    name = f"careless-{lang}"
    house.add(name)
    house.alias(f"alias-{lang}@{DOMAIN}", name)
    empty = Authority(tmp_path)
    told = {
        "import-wrong-password": take_over(house, old, name, "--yes", password="wrong", lang=lang),
        "import-certificate": take_over(
            house, old, name, "--yes", lang=lang, trust={"SSL_CERT_FILE": str(empty.path)}
        ),
        "import-unknown-host": take_over(house, old, name, "--yes", host="nobody.invalid", lang=lang),
        "import-bad-server": take_over(house, old, name, "--yes", host="http://a", lang=lang),
        "import-needs-yes": take_over(house, old, name, lang=lang),
        "import-no-user": take_over(house, old, "nobody", "--yes", lang=lang),
        "import-secret-empty": take_over(house, old, name, "--yes", password="", lang=lang),
    }
    told["alias"] = take_over(house, old, f"alias-{lang}", "--yes", lang=lang)
    old.close()
    told["import-no-answer"] = take_over(house, old, name, "--yes", lang=lang)

    for error, one in told.items():
        assert one.facts["error"] == ("import-no-user" if error == "alias" else error)
        assert one.code in {1, 2}
        assert one.err.startswith("mxgw: ")
        assert one.err.isascii() == (lang == "en")
    assert subjects(house, name) == {}
