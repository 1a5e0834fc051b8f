"""A device has a password of its own: it opens the mailbox, and loses that right alone."""

from __future__ import annotations

import imaplib
import re
from datetime import UTC, datetime, timedelta

import pytest

from mxgw.admin.devices import LETTERS, device_name, digest, new_password
from mxgw.admin.refusal import Refused
from mxgw.admin.words import CATALOGUE, Language, Words
from tests.admin.admin_house import PASSWORD, AdminHouse, may_log_in
from tests.admin.person import Person, wide
from tests.rig.process import wait_until


def was_cut_off(session: imaplib.IMAP4_SSL) -> bool:
    try:
        session.noop()
    except imaplib.IMAP4.abort:
        session.shutdown()
        return True
    return False


def device(house: AdminHouse, address: str, name: str = "iPhone") -> str:
    told = house.admin("device", "add", address, name)
    assert told.code == 0, told.err
    return str(told.facts["password"])


def test_a_device_logs_in_with_its_own_password_and_the_users_own_still_works(house: AdminHouse) -> None:
    address = house.user("traveller")

    password = device(house, address)

    assert re.fullmatch(rf"([{LETTERS}]{{4}}-){{4}}[{LETTERS}]{{4}}", password)
    assert may_log_in(house, "traveller", password)
    assert may_log_in(house, "traveller", PASSWORD)
    assert not may_log_in(house, "traveller", password[:-1])
    assert not may_log_in(house, "traveller", "")


def test_capitals_spaces_and_missing_hyphens_do_not_matter(house: AdminHouse) -> None:
    password = device(house, house.user("careless"))

    assert may_log_in(house, "careless", password.replace("-", "").upper())
    assert may_log_in(house, "careless", password.replace("-", " "))


def test_a_lost_device_is_out_at_once_and_the_others_are_not(house: AdminHouse) -> None:
    address = house.user("loser")
    lost, kept = device(house, address, "iPhone"), device(house, address, "居間の PC")
    assert may_log_in(house, "loser", lost)
    session = house.imap("loser", lost)

    told = house.admin("device", "remove", address, "iPhone", "--yes")

    assert told.code == 0
    wait_until(lambda: was_cut_off(session), seconds=10, what="the lost phone's session ends")
    assert not may_log_in(house, "loser", lost)
    assert may_log_in(house, "loser", kept)
    assert [one["name"] for one in house.admin("device", "list", address).facts] == ["居間の PC"]


def test_a_device_opens_no_other_mailbox(house: AdminHouse) -> None:
    password = device(house, house.user("owner"))
    house.user("neighbour")

    assert not may_log_in(house, "neighbour", password)


def test_a_device_of_a_removed_user_is_gone_even_when_the_user_comes_back(house: AdminHouse) -> None:
    address = house.user("returning")
    password = device(house, address)

    assert house.admin("user", "remove", address, "--yes").code == 0
    house.user("returning", password="another horse")

    assert not may_log_in(house, "returning", password)


def test_no_password_of_a_device_is_kept_or_shown_again(house: AdminHouse) -> None:
    address = house.user("forgetful")
    password = device(house, address)

    stored = house.sql("SELECT digest FROM devices WHERE user = ?", address)

    assert stored.strip() == digest(password)
    listed = house.admin("device", "list")
    assert password not in listed.out + listed.err + house.host.cells["dovecot"].said()


def test_an_injected_password_is_only_a_wrong_one(house: AdminHouse) -> None:
    device(house, house.user("target"))

    for wrong in ("' OR '1'='1", "x', 256) OR 1 -- ", "\\' OR 1=1 -- "):
        assert not may_log_in(house, "target", wrong)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["add", "nobody@example.jp", "iPhone"], "no-user"),
        (["add", "repeated@example.jp", "iPhone"], "device-exists"),
        (["add", "repeated@example.jp", " "], "bad-device-name"),
        (["add", "repeated@example.jp"], "missing-argument"),
        (["remove", "repeated@example.jp", "Android", "--yes"], "no-device"),
        (["remove", "repeated@example.jp", "iPhone"], "needs-yes"),
        (["list", "nobody@example.jp"], "no-user"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_mistake_is_a_sentence(house: AdminHouse, arguments: list[str], error: str, lang: str) -> None:
    house.admin("user", "add", "repeated@example.jp", "--password-file", "-", stdin=f"{PASSWORD}\n")
    house.admin("device", "add", "repeated@example.jp", "iPhone")

    told = house.admin("device", *arguments, lang=lang)

    assert told.code == 2
    assert told.facts["error"] == error
    assert told.err.startswith("mxgw: ")


def test_a_person_is_asked_for_what_is_missing(house: AdminHouse) -> None:
    address = house.user("asked")

    with Person(house.at_terminal("device", "add"), house.environ(lang="ja")) as person:
        person.sees("メールアドレス")
        person.types(wide(address))
        person.sees("端末の名前")
        person.types("スマホ")
        person.sees("発行しました")
        person.sees("二度と表示されません")
        assert person.ends() == 0


def test_passwords_are_made_of_chance_and_names_are_what_people_write() -> None:
    assert len({new_password() for _ in range(1000)}) == 1000
    assert device_name("  iPhone\u3000\uff11\uff15 ") == "iPhone 15"
    for bad in ("", "a\x1bb", "x" * 65):
        with pytest.raises(Refused):
            device_name(bad)


def test_the_time_of_a_device_is_told_whatever_the_databases_own_is(house: AdminHouse) -> None:
    address = house.user("dated")
    # As in the stack, where MariaDB keeps Japan's time.
    house.sql("SET GLOBAL time_zone = '+09:00'")
    device(house, address)

    (told,) = house.admin("device", "list", address).facts
    with Person(
        house.at_terminal("device", "list", address), {**house.environ(lang="ja"), "TZ": "JST-9"}
    ) as someone:
        someone.sees(CATALOGUE["column-since"].ja)
        someone.sees(f"{datetime.fromisoformat(told['created']) + timedelta(hours=9):%Y-%m-%d %H:%M} JST")
        assert someone.ends() == 0

    made = datetime.fromisoformat(told["created"])
    assert abs(datetime.now(UTC) - made) < timedelta(minutes=10)
    house.sql("SET GLOBAL time_zone = 'SYSTEM'")


def test_who_has_no_mailbox_is_told_before_the_device_is_asked_for(house: AdminHouse) -> None:
    for command in ("add", "remove"):
        with Person(
            house.at_terminal("device", command, "nobody@example.jp"), house.environ(lang="ja")
        ) as someone:
            someone.sees(Words(Language.JA)("no-user", address="nobody@example.jp"))
            assert someone.ends() == 2
        assert CATALOGUE["ask-device"].ja not in someone.screen
