"""Whatever is wrong is one sentence that says what to do, in the user's language, and changes nothing."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator, Mapping

import click
import pytest

from mxgw.admin.words import CATALOGUE, Language, Words
from mxgw.cli import admin as admin_command
from tests.admin.admin_house import PASSWORD, AdminHouse, Told, admin
from tests.admin.test_admin_accounts import may_log_in
from tests.cli.support import mxgw
from tests.dell.household import DOMAIN

LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])
NOWHERE = {"MXGW_ADMIN_DB": "mysql://mailadmin@127.0.0.1:1/mail"}


def assert_sentence(told: Told, key: str, lang: str, *, code: int = 2, **facts: str | int) -> None:
    sentence = Words(Language(lang))(key, **facts)
    assert told.code == code
    assert told.err == f"mxgw: {sentence}\n"
    assert told.facts == {"ok": False, "error": key, "message": sentence}


# -- what is asked for --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def taken(house: AdminHouse) -> str:
    """A user whose aliases and domain stand in the way of others."""
    address = house.user("taken")
    assert house.admin("alias", "add", f"nickname@{DOMAIN}", address).code == 0
    return address


TAKEN, NICKNAME, NOBODY = f"taken@{DOMAIN}", f"nickname@{DOMAIN}", f"nobody@{DOMAIN}"


@LANGUAGES
@pytest.mark.parametrize(
    ("arguments", "key", "facts"),
    [
        (("user", "add", "taro"), "bad-address", {"text": "taro"}),
        (("user", "add", TAKEN), "user-exists", {"address": TAKEN}),
        (("user", "add", NICKNAME), "user-is-alias", {"address": NICKNAME, "user": TAKEN}),
        (("user", "add", "a@b.example"), "unknown-domain", {"domain": "b.example", "ours": DOMAIN}),
        (("user", "add", NOBODY, "--quota", "2"), "bad-quota", {"text": "2"}),
        (("user", "add", NOBODY, "--quota", "1M"), "quota-out-of-bounds", {"text": "1M"}),
        (("user", "add", NOBODY), "password-needs-terminal", {}),
        (("user", "add"), "missing-argument", {"name": "ADDRESS"}),
        (("user", "remove", NOBODY), "no-user", {"address": NOBODY}),
        (("user", "remove", NICKNAME), "alias-not-user", {"address": NICKNAME, "user": TAKEN}),
        (("user", "remove", TAKEN), "needs-yes", {}),
        (("user", "passwd", NOBODY), "no-user", {"address": NOBODY}),
        (("user", "quota", NOBODY), "no-user", {"address": NOBODY}),
        (("user", "quota", TAKEN, "big"), "bad-quota", {"text": "big"}),
        (("user", "list", "--domain", "no domain"), "bad-domain", {"text": "no domain"}),
        (("alias", "add", TAKEN, TAKEN), "alias-is-user", {"address": TAKEN}),
        (("alias", "add", NICKNAME, TAKEN), "alias-exists", {"address": NICKNAME, "user": TAKEN}),
        (("alias", "add", f"x@{DOMAIN}", NOBODY), "alias-leads-nowhere", {"user": NOBODY}),
        (
            ("alias", "add", f"x@{DOMAIN}", "a@else.example"),
            "alias-leads-nowhere",
            {"user": "a@else.example"},
        ),
        (("alias", "add", f"x@{DOMAIN}"), "missing-argument", {"name": "USER"}),
        (("alias", "add", "@b.example", TAKEN), "unknown-domain", {"domain": "b.example", "ours": DOMAIN}),
        (("alias", "remove", f"x@{DOMAIN}"), "no-alias", {"address": f"x@{DOMAIN}"}),
        (("alias", "remove", TAKEN), "user-not-alias", {"address": TAKEN}),
        (("alias", "remove", NICKNAME), "needs-yes", {}),
        (("domain", "add", DOMAIN), "domain-exists", {"domain": DOMAIN}),
        (("domain", "add", "example"), "bad-domain", {"text": "example"}),
        (("domain", "add", "b.example", "--mx", "mx_1"), "bad-domain", {"text": "mx_1"}),
        (("domain", "add", "b.example", "--reports", "me"), "bad-address", {"text": "me"}),
        (("domain", "remove", "b.example"), "unknown-domain", {"domain": "b.example", "ours": DOMAIN}),
        (("domain", "records"), "missing-argument", {"name": "DOMAIN"}),
    ],
)
def test_a_request_that_cannot_be_met_says_why(
    house: AdminHouse, taken: str, arguments: tuple[str, ...], key: str, facts: dict[str, str], lang: str
) -> None:
    before = house.sql("SELECT * FROM users; SELECT * FROM aliases; SELECT * FROM domains")

    told = house.admin(*arguments, lang=lang)

    assert_sentence(told, key, lang, **facts)
    assert house.sql("SELECT * FROM users; SELECT * FROM aliases; SELECT * FROM domains") == before


@LANGUAGES
@pytest.mark.parametrize(
    ("content", "key", "facts"),
    [
        (b"short\n", "password-short", {"least": 8}),
        (b"", "password-short", {"least": 8}),
        (b"x1" * 40, "password-long", {"most": 72}),
        ("パスワードです".encode(), "password-not-ascii", {}),
        (b"correct horse\nand more\n", "password-file-many-lines", {"path": "-"}),
        (b"correct horse\n" * 1000, "password-file-many-lines", {"path": "-"}),
        (b"\xff\xfe", "password-file-unreadable", {"path": "-"}),
    ],
)
def test_a_password_that_will_not_do_says_why(
    house: AdminHouse, taken: str, content: bytes, key: str, facts: dict[str, str], lang: str
) -> None:
    told = house.admin("user", "passwd", taken, "--password-file", "-", stdin=content, lang=lang)

    assert_sentence(told, key, lang, **facts)
    assert may_log_in(house, "taken")


def test_a_password_file_that_is_not_there_is_named(house: AdminHouse, taken: str) -> None:
    told = house.admin("user", "passwd", taken, "--password-file", "/nowhere/password")

    assert_sentence(told, "password-file-unreadable", "en", path="/nowhere/password")


def test_a_windows_file_holds_the_password_before_its_line_end(house: AdminHouse, taken: str) -> None:
    told = house.admin("user", "passwd", taken, "--password-file", "-", stdin=f"{PASSWORD}\r\n".encode())

    assert told.code == 0
    assert may_log_in(house, "taken")


# -- the command line ---------------------------------------------------------------------------------------


@LANGUAGES
@pytest.mark.parametrize(
    ("arguments", "key", "facts", "place", "near"),
    [
        (("usr",), "usage-no-command", {"name": "usr"}, "admin", "user"),
        (("user", "ad"), "usage-no-command", {"name": "ad"}, "admin user", "add"),
        (("user", "xyz"), "usage-no-command", {"name": "xyz"}, "admin user", ""),
        (("user", "add", "--qota", "2G"), "usage-no-option", {"name": "--qota"}, "admin user add", "--quota"),
        (("user", "add", "--quota"), "usage-bad-option", {"name": "--quota"}, "admin user add", ""),
        (("user", "remove", "--yes=1"), "usage-bad-option", {"name": "--yes"}, "admin user remove", ""),
        (("user", "list", "taro"), "usage-too-many", {}, "admin user list", ""),
        (("user", "add", "--word", "x"), "usage-no-option", {"name": "--word"}, "admin user add", ""),
    ],
)
def test_a_mistake_on_the_command_line_says_what_was_meant_and_where_help_is(
    arguments: tuple[str, ...], key: str, facts: dict[str, str], place: str, near: str, lang: str
) -> None:
    told = admin(*arguments, settings=NOWHERE, lang=lang)

    words = Words(Language(lang))
    assert told.code == 2
    assert told.err.splitlines() == [
        f"mxgw: {words(key, **facts)}",
        *([words("usage-did-you-mean", commands=f"mxgw {place} {near}")] if near else []),
        words("usage-try-help", command=f"mxgw {place}"),
    ]


def test_a_language_that_is_not_spoken_is_named_with_those_that_are() -> None:
    told = admin("user", "list", "--lang", "de", settings=NOWHERE)

    assert told.code == 2
    assert CATALOGUE["usage-choice"].en.format(name="--lang", choices="en, ja") in told.err


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("form", [("--lang", "ja"), ("--lang=ja",)])
def test_the_language_may_be_named_anywhere(place: int, form: tuple[str, ...]) -> None:
    arguments = ["user", "add", "taro"]

    told = admin(*arguments[:place], *form, *arguments[place:], settings=NOWHERE, lang="en")

    assert_sentence(told, "bad-address", "ja", text="taro")


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


@LANGUAGES
@pytest.mark.parametrize("path", [(), *commands(admin_command.group_for([]))])
def test_every_help_teaches_by_an_example_that_can_be_called(path: tuple[str, ...], lang: str) -> None:
    told = admin(*path, "--help", settings={}, lang=lang)

    assert told.code == 0
    assert told.err == ""
    called = " ".join(["mxgw admin", *path])
    examples = told.out.partition("Example" if lang == "en" else "例")[2]
    assert called in examples
    assert told.out.startswith("Usage:" if lang == "en" else "使い方")
    assert ("この説明" in told.out) == (lang == "ja")


def test_the_program_tells_which_extra_is_missing() -> None:
    program = (
        "import sys; sys.modules['pymysql'] = None; sys.argv = ['mxgw', 'admin', 'user', 'list'];"
        "from mxgw.cli import main; main()"
    )

    ended = mxgw("-c", program, start=(sys.executable,))

    assert ended.code == 2
    assert ended.err == "mxgw: pymysql is not installed: pip install 'mxgw[admin]'\n"


# -- what is broken -----------------------------------------------------------------------------------------


def broken(house: AdminHouse, lang: str, settings: Mapping[str, str], *arguments: str) -> Told:
    return house.admin(*(arguments or ("user", "list")), settings=settings, lang=lang)


@LANGUAGES
def test_a_database_that_is_away_is_a_sentence(house: AdminHouse, lang: str) -> None:
    told = broken(house, lang, NOWHERE)

    assert_sentence(told, "database-away", lang, code=1, place="127.0.0.1:1", variable="MXGW_ADMIN_DB")


def test_a_database_that_says_nothing_is_a_sentence(house: AdminHouse) -> None:
    told = broken(house, "en", {"MXGW_ADMIN_DB": "mysql://mailadmin@127.0.0.1:993/mail"})

    assert_sentence(told, "database-away", "en", code=1, place="127.0.0.1:993", variable="MXGW_ADMIN_DB")


def test_a_database_whose_name_is_not_known_is_a_sentence(house: AdminHouse) -> None:
    told = broken(house, "en", {"MXGW_ADMIN_DB": "mysql://mailadmin@no-such-host.invalid/mail"})

    assert (told.code, told.facts["error"]) == (1, "database-away")


def test_a_database_that_hangs_up_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        hanging_up = threading.Thread(target=lambda: listening.accept()[0].close())
        hanging_up.start()
        url = f"mysql://mailadmin@127.0.0.1:{listening.getsockname()[1]}/mail"
        told = admin("user", "list", settings={"MXGW_ADMIN_DB": url})
        hanging_up.join()

    assert (told.code, told.facts["error"]) == (1, "database-away")


@LANGUAGES
def test_a_wrong_password_of_the_database_is_a_sentence(house: AdminHouse, lang: str) -> None:
    told = broken(house, lang, {"MXGW_ADMIN_DB_PASSWORD": "wrong"})

    assert_sentence(
        told,
        "database-says-no",
        lang,
        code=1,
        place="127.0.0.1:3306",
        user="mailadmin",
        variable="MXGW_ADMIN_DB_PASSWORD",
    )


def test_an_account_that_may_only_read_is_a_sentence(house: AdminHouse) -> None:
    settings = {
        "MXGW_ADMIN_DB": "mysql://dovecot@127.0.0.1/mail",
        "MXGW_ADMIN_DB_PASSWORD": house.host.environ["DOVECOT_DB_PASSWORD"],
    }

    told = broken(house, "en", settings, "domain", "add", "readonly.example")

    assert (told.code, told.facts["error"]) == (1, "database-says-no")


@LANGUAGES
def test_a_database_without_the_tables_is_a_sentence(house: AdminHouse, lang: str) -> None:
    settings = {
        "MXGW_ADMIN_DB": "mysql://root@127.0.0.1/mysql",
        "MXGW_ADMIN_DB_PASSWORD": house.host.environ["MARIADB_ROOT_PASSWORD"],
    }

    told = broken(house, lang, settings)

    assert_sentence(told, "database-has-no-tables", lang, code=1, place="127.0.0.1:3306", database="mysql")


def test_two_who_add_the_same_user_at_once_do_not_both(house: AdminHouse) -> None:
    """The second reads before the first has committed, and finds out at its own insert."""
    from mxgw.admin import accounts
    from mxgw.admin.access import database_access
    from mxgw.admin.database import opened
    from mxgw.admin.refusal import Refused

    access = database_access(house.settings)
    address = f"twice@{DOMAIN}"
    with house.host.inside(), opened(access) as slow:
        accounts.may_add_user(slow, address)
        house.user("twice")
        with pytest.raises(Refused) as refused:
            accounts.add_user(slow, address, password_hash="{BLF-CRYPT}$2b$", quota_octets=0)

    assert refused.value.key == "user-exists"


@LANGUAGES
def test_dovecot_that_is_away_is_told_with_what_to_do_by_hand(house: AdminHouse, lang: str) -> None:
    words = Words(Language(lang))
    address = house.user(f"unflushed-{lang}")

    told = broken(
        *(house, lang, {"MXGW_ADMIN_DOVEADM": "http://127.0.0.1:1"}),
        *("user", "remove", address, "--yes"),
    )

    assert told.code == 1
    assert told.facts["ok"] is False
    assert told.facts["did"] == "user-removed"
    assert told.facts["warnings"] == ["doveadm-away", "warn-remembered"]
    assert words("warn-remembered", command=f"doveadm auth cache flush {address}") in told.err
    assert address not in house.admin("user", "list").out


def test_a_wrong_key_for_dovecot_is_told(house: AdminHouse, taken: str) -> None:
    told = broken(house, "en", {"MXGW_ADMIN_DOVEADM_KEY": "wrong"}, "user", "quota", taken, "3G")

    assert told.code == 1
    assert told.facts["warnings"] == ["doveadm-says-no", "warn-remembered"]


def test_a_door_that_is_not_dovecots_is_told(house: AdminHouse, taken: str) -> None:
    told = broken(house, "en", {"MXGW_ADMIN_DOVEADM": "http://127.0.0.1:3306"}, "user", "quota", taken, "3G")

    assert told.code == 1
    assert told.facts["warnings"] == ["doveadm-away", "warn-remembered"]


def test_the_list_is_shown_without_what_dovecot_knows(house: AdminHouse, taken: str) -> None:
    told = broken(house, "en", {"MXGW_ADMIN_DOVEADM": "http://127.0.0.1:1"})

    assert told.code == 0
    (facts,) = [user for user in told.facts if user["address"] == taken]
    assert facts["used_octets"] is None


def test_without_dovecot_a_change_is_made_with_a_word_of_warning(house: AdminHouse) -> None:
    address = house.user("unwatched")

    told = broken(house, "en", {"MXGW_ADMIN_DOVEADM": ""}, "user", "remove", address, "--yes")

    assert told.code == 0
    assert told.facts["warnings"] == ["warn-remembered"]


@LANGUAGES
def test_mail_is_not_deleted_without_dovecot_and_nothing_else_is_done(house: AdminHouse, lang: str) -> None:
    address = house.user(f"undeleted-{lang}")

    told = broken(
        *(house, lang, {"MXGW_ADMIN_DOVEADM": ""}),
        *("user", "remove", address, "--delete-mail", "--yes"),
    )

    assert_sentence(told, "delete-needs-doveadm", lang, variable="MXGW_ADMIN_DOVEADM")
    assert may_log_in(house, f"undeleted-{lang}")


def test_mail_is_not_deleted_where_dovecot_cannot_say_whose_it_is(house: AdminHouse) -> None:
    address = house.user("unsure")

    told = broken(
        *(house, "en", {"MXGW_ADMIN_DOVEADM": "http://127.0.0.1:1"}),
        *("user", "remove", address, "--delete-mail", "--yes"),
    )

    assert (told.code, told.facts["error"]) == (1, "doveadm-away")
    assert may_log_in(house, "unsure")


def test_settings_are_looked_at_before_anything_is_asked() -> None:
    told = admin("user", "add", f"taro@{DOMAIN}", settings={"MXGW_ADMIN_DB": ""})

    assert_sentence(told, "no-database-setting", "en", variable="MXGW_ADMIN_DB")
