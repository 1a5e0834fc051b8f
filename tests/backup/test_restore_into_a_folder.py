"""What one mailbox had in a backup, put into a folder of what it has now."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping

import pytest

from mxgw.admin.backup.beside import folder_name
from mxgw.admin.refusal import Refused
from tests.admin.admin_house import Told
from tests.backup.backup_house import JAPANESE, BackupHouse, contents, fill, subscriptions
from tests.dell.household import DOMAIN, letter

FOLDER = "Restored 2026-11-24"
Contents = Mapping[str, list[tuple[bytes, ...]]]


@pytest.fixture
def house(backup_house: BackupHouse) -> Iterator[BackupHouse]:
    yield backup_house
    for one in backup_house.backups():
        shutil.rmtree(one)


def put(house: BackupHouse, name: str, *more: str, folder: str = FOLDER, lang: str = "en") -> Told:
    user = f"{name}@{DOMAIN}"
    return house.admin("restore", "--user", user, "--into", folder, "--yes", *more, lang=lang)


def below(found: Contents, folder: str) -> dict[str, list[list[bytes]]]:
    """What is in a folder, without what is another's of necessity: sequence number and UID."""
    return {
        name.removeprefix(f"{folder}/"): [
            [message[0].partition(b" FLAGS ")[2].partition(b" BODY[]")[0], message[1]] for message in messages
        ]
        for name, messages in found.items()
        if messages and (not folder or name.startswith(f"{folder}/"))
    }


def test_it_comes_beside_todays_mail_once(house: BackupHouse) -> None:
    fill(house, "ichiro")
    then = contents(house, "ichiro")
    assert house.admin("backup", "now", "--no-verify").code == 0
    with house.imap("ichiro") as session:
        session.select("INBOX")
        session.store("1:3", "+FLAGS", r"(\Deleted)")
        session.expunge()
        session.delete('"Work/Old"')
    house.deliver(letter("today"), "ichiro")
    today = contents(house, "ichiro")
    seen = subscriptions(house, "ichiro")

    first = put(house, "ichiro")
    now = contents(house, "ichiro")
    again = put(house, "ichiro", lang="ja")

    assert first.code == 0, first.err
    assert (first.facts["did"], first.facts["messages"]) == ("restored-into", 9)
    assert {name: found for name, found in now.items() if not name.startswith("Restored")} == today
    assert below(now, FOLDER) == below(then, "")
    assert {f"{FOLDER}/INBOX", f"{FOLDER}/{JAPANESE}", f"{FOLDER}/2026.04", f"{FOLDER}/Work/Old"} <= set(now)
    assert seen < subscriptions(house, "ichiro")
    assert again.code == 0, again.err
    assert (again.facts["messages"], again.facts["already_here"]) == (0, 9)
    assert contents(house, "ichiro") == now
    assert not list((house.disk / "mailserver").glob(".trial-*"))

    # What was thrown away there by mistake comes again, and that alone.
    with house.imap("ichiro") as session:
        session.select(f'"{FOLDER}/INBOX"')
        session.store("1", "+FLAGS", r"(\Deleted)")
        session.expunge()
    assert put(house, "ichiro").facts["messages"] == 1
    assert {name: sorted(found) for name, found in below(contents(house, "ichiro"), FOLDER).items()} == {
        name: sorted(found) for name, found in below(then, "").items()
    }


def test_a_mailbox_without_room_says_so_and_goes_on_when_it_has_some(house: BackupHouse) -> None:
    name = "narrow"
    house.add(name)
    for number in range(6):
        house.deliver(letter(f"number {number}"), name)
    assert house.admin("backup", "now", "--no-verify").code == 0
    house.sql("UPDATE users SET quota_octets = 2500 WHERE email = ?", f"{name}@{DOMAIN}")
    house.host.cells["dovecot"].run(["doveadm", "auth", "cache", "flush"])

    full = put(house, name, lang="ja")

    assert (full.code, full.facts["error"]) == (1, "restore-into-full")
    assert f"mxgw admin user quota {name}@{DOMAIN}" in full.err
    assert len(house.messages(name)) == 6
    house.sql("UPDATE users SET quota_octets = 0 WHERE email = ?", f"{name}@{DOMAIN}")
    house.host.cells["dovecot"].run(["doveadm", "auth", "cache", "flush"])
    assert put(house, name).code == 0
    assert house.messages(name, f"{FOLDER}/INBOX") == house.messages(name)


def test_a_folder_with_other_mail_is_not_touched(house: BackupHouse) -> None:
    house.add("nanami")
    house.deliver(letter("old"), "nanami")
    assert house.admin("backup", "now", "--no-verify").code == 0
    with house.imap("nanami") as session:
        session.create('"Mine/INBOX"')
        session.append('"Mine/INBOX"', "", "", b"Subject: own\r\n\r\nHello.\r\n")
    before = contents(house, "nanami")

    told = put(house, "nanami", folder="Mine")

    assert (told.code, told.facts["error"]) == (2, "restore-into-used")
    assert contents(house, "nanami") == before


def test_each_mistake_is_a_sentence(house: BackupHouse) -> None:
    house.add("hachi")
    house.deliver(letter("old"), "hachi")
    assert house.admin("backup", "now", "--no-verify").code == 0
    house.sql("DELETE FROM users WHERE email = ?", f"hachi@{DOMAIN}")
    house.host.cells["dovecot"].run(["doveadm", "auth", "cache", "flush"])

    for lang in ("en", "ja"):
        for error, told in {
            "restore-into-whom": house.admin("restore", "--into", FOLDER, "--yes", lang=lang),
            "restore-bad-folder": put(house, "hachi", folder="a//b", lang=lang),
            "restore-no-such-user": put(house, "nobody", lang=lang),
            "restore-user-is-gone": put(house, "hachi", lang=lang),
            "restore-one-or-all": put(house, "hachi", "--configuration", "with", lang=lang),
        }.items():
            assert told.facts["error"] == error
            assert told.err.isascii() == (lang == "en")


def test_whoever_is_not_in_the_backup_is_not_asked_about(house: BackupHouse) -> None:
    house.add("juro")
    assert house.admin("backup", "now", "--no-verify").code == 0

    told = house.admin("restore", "--user", f"nobody@{DOMAIN}", lang="ja")

    # Without a terminal a question would end in needs-yes.
    assert (told.code, told.facts["error"]) == (2, "restore-no-such-user")


@pytest.mark.parametrize("name", ["INBOX", "inbox", "Inbox/Old"])
def test_the_inbox_is_no_new_folder(name: str) -> None:
    with pytest.raises(Refused) as refused:
        folder_name(name)

    assert refused.value.key == "restore-bad-folder"
