"""What is stored is read from Maildirs and from a real Dovecot, and compared with what was promised."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mxgw.config import Address
from mxgw.load.ledger import Entry, Ledger, State
from mxgw.load.stored import StoredError, copy_of, maildir_copies, maildirs
from mxgw.load.stored_imap import Account, imap_copies
from mxgw.load.verify import Copy
from tests.load.test_load_verify import verify
from tests.rig.dovecot import PASSWORD, Dovecot
from tests.rig.gateway import Gateway
from tests.rig.wire import Wire

TARO, HANAKO = "taro@example.jp", "hanako@example.jp"
MESSAGES = 60


def body(number: int) -> bytes:
    return b"".join(b"line %d of message %d\r\n.\r\n" % (line, number) for line in range(number % 40))


def message(number: int, *, changed: bytes = b"") -> bytes:
    stated = hashlib.sha256(body(number)).hexdigest()
    head = f"From: a@example.org\r\nX-Load-Id: run-0-{number}\r\nX-Load-Hash: {stated}\r\n\r\n"
    return head.encode() + body(number) + changed


def entry(number: int, recipient: str = TARO, state: State = State.ACKNOWLEDGED) -> Entry:
    return Entry(
        f"run-0-{number}",
        recipient,
        hashlib.sha256(body(number)).hexdigest(),
        len(body(number)),
        state,
        250,
        1.0,
    )


def expected(number: int, recipient: str = TARO) -> Copy:
    return Copy(f"run-0-{number}", recipient, hashlib.sha256(body(number)).hexdigest())


class Maildir:
    """One made by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for part in ("new", "cur", "tmp"):
            (path / part).mkdir(parents=True)

    def put(self, number: int, *, part: str = "new", name: str = "", octets: bytes | None = None) -> Path:
        path = self.path / part / (name or f"{number}.host")
        delivered = f"Return-Path: <a@example.org>\r\nDelivered-To: {TARO}\r\n".encode()
        path.write_bytes(delivered + message(number) if octets is None else octets)
        return path


@pytest.fixture
def maildir(tmp_path: Path) -> Maildir:
    return Maildir(tmp_path / "example.jp" / "taro")


def test_new_read_and_filed_messages_are_all_read(maildir: Maildir) -> None:
    maildir.put(1)
    maildir.put(2, part="cur", name="2.host:2,S")
    Maildir(maildir.path / ".Junk").put(3, part="cur", name="3.host:2,")
    maildir.put(4, part="tmp")

    assert sorted(maildir_copies(maildir.path.parent.parent)) == [expected(number) for number in (1, 2, 3)]


def test_the_line_ends_of_the_store_make_no_difference(maildir: Maildir) -> None:
    octets = maildir.put(39).read_bytes()
    maildir.put(39, octets=octets.replace(b"\r\n", b"\n"))

    assert list(maildir_copies(maildir.path)) == [expected(39)]


def test_a_message_that_its_owner_reads_meanwhile_is_met_once(maildir: Maildir) -> None:
    for number in range(10):
        maildir.put(number)
    copies = maildir_copies(maildir.path)
    first = next(copies)

    for path in list((maildir.path / "new").iterdir()):
        path.rename(maildir.path / "cur" / f"{path.name}:2,S")

    assert sorted([first, *copies]) == sorted(expected(number) for number in range(10))


def test_a_message_that_is_marked_or_deleted_meanwhile_is_met_once_or_not_at_all(maildir: Maildir) -> None:
    for number in range(10):
        maildir.put(number, part="cur", name=f"{number}.host:2,")
    copies = maildir_copies(maildir.path)
    first = next(copies)

    for path in list((maildir.path / "cur").iterdir()):
        if path.name.startswith("9.") and first != expected(9):
            path.unlink()
        else:
            path.rename(path.with_name(f"{path.name}S"))

    rest = 10 if first == expected(9) else 9
    assert sorted([first, *copies]) == sorted(expected(number) for number in range(rest))


def test_foreign_mail_is_nobodys_and_a_field_in_a_body_is_no_field(maildir: Maildir) -> None:
    maildir.put(1, octets=b"Subject: x\n\nX-Load-Id: run-0-1\n")

    assert list(maildir_copies(maildir.path)) == [Copy("", "", "")]


def test_without_delivered_to_somebody_must_say_whose_it_is(maildir: Maildir) -> None:
    maildir.put(1, octets=message(1))

    assert list(maildir_copies(maildir.path, owner=HANAKO)) == [expected(1, HANAKO)]
    with pytest.raises(StoredError, match=r"name its owner"):
        list(maildir_copies(maildir.path))


@pytest.mark.parametrize(
    ("pattern", "owners"),
    [
        ("%d/%n/Maildir", ["hanako@b.example", "taro@a.example"]),
        ("%Ld/%Ln", ["hanako@b.example", "taro@a.example"]),
        ("%d/taro", [""]),
        ("%u/taro/Maildir", ["a.example"]),
        ("a.example", [""]),
    ],
)
def test_a_pattern_says_where_the_maildirs_are_and_whose(
    tmp_path: Path, pattern: str, owners: list[str]
) -> None:
    root = tmp_path / "mail[1]"
    for name in ("a.example/taro", "b.example/hanako"):
        (root / name / "Maildir").mkdir(parents=True)
    (root / "dovecot.conf").touch()

    assert sorted(owner for _, owner in maildirs(f"{root}/{pattern}")) == owners
    with pytest.raises(StoredError, match="no such directory"):
        maildirs(f"{root}/none/{pattern}")


@pytest.mark.parametrize(
    "path",
    [
        "mdbox/storage/m.1",
        "mdbox/storage/dovecot.map.index",
        "sdbox/mailboxes/INBOX/dbox-Mails/u.1",
    ],
)
def test_dovecots_own_forms_are_refused_with_a_word_what_to_do(tmp_path: Path, path: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).touch()

    with pytest.raises(StoredError, match=r"only Dovecot can read; use --imap"):
        list(maildir_copies(tmp_path))


def test_compressed_messages_are_refused_too() -> None:
    with pytest.raises(StoredError, match=r"compressed.*--imap"):
        copy_of(gzip.compress(message(1)), where="x")


# -- a real mailbox server behind the gateway


@pytest.fixture(scope="module")
def home() -> Iterator[Dovecot]:
    """MESSAGES for taro, every third for hanako too, relayed by the gateway."""
    with Dovecot({"taro": None, "hanako": None, "jiro": None}, imap=True) as dovecot:
        with Gateway(dovecot.url) as gateway, Wire(gateway.smtp) as wire:
            wire.greet()
            for number in range(MESSAGES):
                recipients = [TARO, HANAKO] if number % 3 == 0 else [TARO]
                assert all(reply.startswith("250") for reply in wire.envelope("a@example.org", recipients))
                content = message(number)
                reply = wire.bdat(content) if number % 2 else wire.data(content)
                assert reply.startswith("250"), reply
        yield dovecot


def ledger(path: Path, *entries: Entry) -> str:
    with Ledger(path) as sent:
        for number in range(MESSAGES):
            sent.append(entry(number))
            if number % 3 == 0:
                sent.append(entry(number, HANAKO))
        for one in entries:
            sent.append(one)
    return str(path)


def mail_root(home: Dovecot) -> str:
    return f"{home.message_files('taro')[0].parents[4]}/%d/%n/Maildir"


def imap(home: Dovecot, tmp_path: Path, *users: str) -> list[str]:
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    words = [word for user in users for word in ("--user", user)]
    return ["--imap", f"127.0.0.1:{home.imap_port}", *words, "--password-file", str(secret)]


def told(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def test_all_that_the_gateway_acknowledged_is_in_dovecots_maildirs(home: Dovecot, tmp_path: Path) -> None:
    done = verify(ledger(tmp_path / "sent"), "--maildir", mail_root(home))

    assert (done.returncode, done.stderr) == (0, "")
    assert told(done)["acknowledged"] == told(done)["copies"] == MESSAGES + MESSAGES // 3


def test_the_same_by_imap_and_the_messages_stay_unread(home: Dovecot, tmp_path: Path) -> None:
    done = verify(ledger(tmp_path / "sent"), *imap(home, tmp_path, TARO, HANAKO))

    assert (done.returncode, done.stderr) == (0, "")
    assert told(done)["acknowledged"] == told(done)["copies"] == MESSAGES + MESSAGES // 3
    assert not any("S" in path.name.partition(":2,")[2] for path in home.message_files("taro"))


def test_by_imap_only_those_users_are_compared(home: Dovecot, tmp_path: Path) -> None:
    done = verify(ledger(tmp_path / "sent"), *imap(home, tmp_path, HANAKO))

    assert done.returncode == 0
    assert (told(done)["sent"], told(done)["elsewhere"]) == (MESSAGES // 3, MESSAGES)


def test_a_planted_loss_is_found_by_imap_and_in_the_maildir(home: Dovecot, tmp_path: Path) -> None:
    sent = ledger(tmp_path / "sent", entry(777, "jiro@example.jp"))

    by_imap = verify(sent, *imap(home, tmp_path, TARO, HANAKO, "jiro@example.jp"))
    by_maildir = verify(sent, "--maildir", mail_root(home))

    for done in (by_imap, by_maildir):
        assert done.returncode == 1
        assert done.stderr == "mxgw: 1 lost\n"
        assert told(done)["listed"] == {"lost": [{"id": "run-0-777", "recipient": "jiro@example.jp"}]}


def test_a_copy_in_another_folder_is_a_duplicate_and_a_changed_one_is_altered(
    home: Dovecot, tmp_path: Path
) -> None:
    import imaplib

    with imaplib.IMAP4("127.0.0.1", home.imap_port) as client:
        client.login("jiro@example.jp", PASSWORD)
        client.create('"a folder"')
        for content in (message(901), message(902, changed=b"and more\r\n")):
            client.append("INBOX", "", "", content)
        client.append('"a folder"', "", "", message(901))
    sent = tmp_path / "sent"
    with Ledger(sent) as planted:
        for number in (901, 902):
            planted.append(entry(number, "jiro@example.jp"))

    done = verify(str(sent), *imap(home, tmp_path, "jiro@example.jp"))

    assert done.returncode == 1
    assert done.stderr == "mxgw: 1 altered, 1 duplicated\n"


def test_big_messages_are_fetched_a_few_at_a_time(home: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(Address("127.0.0.1", home.imap_port), TARO, PASSWORD, owner=TARO)
    whole = sorted(imap_copies(account))
    for octets, messages in ((1, 500), (3000, 7), (1 << 20, 1)):
        monkeypatch.setattr("mxgw.load.stored_imap.MAX_BATCH_OCTETS", octets)
        monkeypatch.setattr("mxgw.load.stored_imap.MAX_BATCH_MESSAGES", messages)

        assert sorted(imap_copies(account)) == whole
    assert len(whole) == MESSAGES


def test_a_wrong_password_is_told_and_no_verdict(home: Dovecot, tmp_path: Path) -> None:
    arguments = imap(home, tmp_path, TARO)
    (tmp_path / "password").write_text("wrong")

    done = verify(ledger(tmp_path / "sent"), *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert "AUTHENTICATIONFAILED" in done.stderr


def test_a_password_is_not_sent_in_clear_to_another_machine(
    home: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mxgw.load.stored_imap._is_loopback", lambda host: False)

    with pytest.raises(StoredError, match="the password is not sent in clear"):
        list(imap_copies(Account(Address("127.0.0.1", home.imap_port), TARO, PASSWORD, owner=TARO)))
