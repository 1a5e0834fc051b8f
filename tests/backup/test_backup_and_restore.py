"""Backup, loss, restore: on the real MariaDB and the real Dovecot, while mail comes in."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator

import pytest

from mxgw.admin.backup.checksums import read_sums, sha256_of, write_sums
from tests.backup.backup_house import SIEVE, BackupHouse, contents, fill, subscriptions
from tests.dell.household import DOMAIN, PASSWORD, letter


@pytest.fixture
def house(backup_house: BackupHouse) -> Iterator[BackupHouse]:
    yield backup_house
    for one in backup_house.backups():
        shutil.rmtree(one)


def test_what_is_lost_comes_back_as_it_was(house: BackupHouse) -> None:
    fill(house, "taro")
    fill(house, "hanako")
    before = {name: (contents(house, name), subscriptions(house, name)) for name in ("taro", "hanako")}
    made = house.admin("backup", "now")
    assert made.code == 0, made.err
    assert made.facts["verified"] is True
    # Everything is lost: the mail, the users.
    shutil.rmtree(house.host.data / "mail" / DOMAIN)
    house.sql("DELETE FROM users")
    house.host.cells["dovecot"].child.stop()
    house.host.cells["dovecot"].start()
    with pytest.raises(Exception, match="AUTHENTICATIONFAILED"):
        house.imap("taro")

    told = house.admin("restore", "--yes")

    assert told.code == 0, told.err
    assert told.facts["users"] == made.facts["users"]
    for name, (mail, subscribed) in before.items():
        assert contents(house, name) == mail
        assert subscriptions(house, name) == subscribed
        assert (house.home_of(name) / ".dovecot.sieve").read_bytes() == SIEVE
        # The filter works, and deliveries find their mailbox.
        assert house.deliver(letter("after"), name)[0].code == 250
        assert any(b"after" in text for text in house.messages(name, "Archive"))


def test_one_mailbox_comes_back_and_the_others_stay_as_they_are(house: BackupHouse) -> None:
    fill(house, "jiro")
    fill(house, "saburo")
    before = contents(house, "jiro")
    assert house.admin("backup", "now").code == 0
    with house.imap("jiro") as session:
        session.select("INBOX")
        session.store("1:*", "+FLAGS", r"(\Deleted)")
        session.expunge()
    house.deliver(letter("later"), "saburo", "jiro")
    others = contents(house, "saburo")

    told = house.admin("restore", "--user", f"jiro@{DOMAIN}", "--yes")

    assert told.code == 0, told.err
    assert contents(house, "jiro") == before
    assert contents(house, "saburo") == others
    # What came later than the backup is kept aside.
    aside = house.host.data / "mail" / told.facts["aside"]
    kept = [path.read_bytes() for path in aside.rglob("new/*")]
    assert any(b"Subject: later" in text for text in kept)


def test_what_was_acknowledged_before_the_backup_is_in_it_while_mail_comes_and_is_moved(
    house: BackupHouse,
) -> None:
    house.add("busy")
    for number in range(40):
        assert house.deliver(letter(f"old {number}"), "busy")[0].code == 250
    stop = threading.Event()

    def deliver() -> None:
        number = 0
        while not stop.is_set():
            assert house.deliver(letter(f"new {number}"), "busy")[0].code == 250
            number += 1

    def work() -> None:
        with house.imap("busy") as session:
            session.select("INBOX")
            number = 0
            while not stop.is_set():
                number = number % 40 + 1
                session.store(str(number), "+FLAGS" if number % 2 else "-FLAGS", r"(\Seen)")

    people = [threading.Thread(target=deliver), threading.Thread(target=work)]
    for one in people:
        one.start()
    try:
        told = house.admin("backup", "now")
    finally:
        stop.set()
        for one in people:
            one.join()

    assert told.code == 0, told.err
    (backup,) = house.backups()
    stored = [path.read_bytes() for path in (backup / "mail" / DOMAIN / "busy" / "Maildir").glob("???/*")]
    for number in range(40):
        assert sum(b"Subject: old %d\r\n" % number in text or b"Subject: old %d\n" % number in text
                   for text in stored) == 1  # fmt: skip


def test_the_second_backup_of_the_same_mail_writes_none_of_it_again(house: BackupHouse) -> None:
    fill(house, "shiro")
    assert house.admin("backup", "now").code == 0

    with house.imap("shiro") as session:
        session.select("INBOX")
        session.store("3", "+FLAGS", r"(\Seen)")
    assert house.admin("backup", "now").code == 0

    second, first = house.backups()
    inodes = {
        path.stat().st_ino
        for path in first.glob("mail/*/shiro/Maildir/**/*")
        if path.parent.name in {"cur", "new"}
    }
    again = {
        path.stat().st_ino
        for path in second.glob("mail/*/shiro/Maildir/**/*")
        if path.parent.name in {"cur", "new"}
    }
    assert len(inodes) == 9
    assert again == inodes


@pytest.mark.parametrize("victim", ["message", "database.sql", "manifest.json", "missing"])
def test_a_damaged_backup_is_named_and_not_restored(house: BackupHouse, victim: str) -> None:
    house.add(f"v{victim[:4]}")
    house.deliver(letter("precious"), f"v{victim[:4]}")
    assert house.admin("backup", "now").code == 0
    (backup,) = house.backups()
    message = next(path for path in backup.glob(f"mail/*/v{victim[:4]}/Maildir/new/*"))
    broken = message if victim in {"message", "missing"} else backup / victim
    if victim == "missing":
        broken.unlink()
    else:
        broken.write_bytes(broken.read_bytes().replace(b"e", b"a", 1))

    proven = house.admin("backup", "verify")
    told = house.admin("restore", backup.name, "--yes")

    for said in (proven, told):
        assert (said.code, said.facts["error"]) == (1, "backup-damaged")
        assert broken.name in said.err
    assert len(house.messages(f"v{victim[:4]}")) == 1
    assert house.admin("backup", "list").facts[0]["verified"] is False


def test_a_restore_that_dovecot_cannot_read_is_undone(house: BackupHouse) -> None:
    fill(house, "goro")
    assert house.admin("backup", "now").code == 0
    before = contents(house, "goro")
    (backup,) = house.backups()
    asides = set((house.host.data / "mail").iterdir())
    # A manifest that promises more than there is, with a checksum that fits.
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["users"][f"{DOMAIN}/goro"]["folders"]["INBOX"]["messages"] += 1
    (backup / "manifest.json").write_text(json.dumps(manifest))
    sums = read_sums(backup / "SHA256SUMS")
    write_sums(backup / "SHA256SUMS", sums | {"manifest.json": sha256_of(backup / "manifest.json")})

    proven = house.admin("backup", "verify")
    told = house.admin("restore", backup.name, "--yes")

    assert proven.facts["error"] == "backup-differs"
    assert (told.code, told.facts["error"]) == (1, "restore-differs")
    assert contents(house, "goro") == before
    house.imap("goro", PASSWORD).logout()
    assert set((house.host.data / "mail").iterdir()) == asides


def test_an_empty_mount_point_is_not_filled(house: BackupHouse) -> None:
    unmounted = house.host.place.directory("not-mounted")

    told = house.admin("backup", "now", settings={"BACKUP_DIRECTORY": str(unmounted / "mailserver")})

    assert (told.code, told.facts["error"]) == (1, "backup-not-mounted")
    assert list(unmounted.iterdir()) == []
    state = json.loads((house.state / "backup.json").read_text())
    assert (state["ok"], state["verified"]) == (False, False)
    assert "mount" in state["why"]


def test_the_database_away_is_no_backup(house: BackupHouse) -> None:
    house.host.cells["mariadb"].child.stop()
    try:
        told = house.admin("backup", "now", lang="ja")
    finally:
        house.host.cells["mariadb"].start()

    assert (told.code, told.facts["error"]) == (1, "backup-database-failed")
    assert house.backups() == []
    assert list((house.disk / "mailserver").glob(".making*")) == []


def test_the_result_is_there_for_whoever_watches(house: BackupHouse) -> None:
    assert house.admin("backup", "now").code == 0

    told = json.loads((house.state / "backup.json").read_text())

    assert (told["ok"], told["verified"], told["why"]) == (True, True, "")
    assert {"finished", "messages", "octets"} <= set(told)
