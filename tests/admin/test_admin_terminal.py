"""A person at a terminal, in English and Japanese: every question, and every wrong answer to it."""

from __future__ import annotations

import re
import socket

import pytest

from mxgw.admin.words import CATALOGUE, Language, Words
from mxgw.cli.columns import width
from tests.admin.admin_house import PASSWORD, AdminHouse
from tests.admin.person import Person
from tests.admin.test_admin_accounts import accepts, may_log_in
from tests.cloud.fake_api import TOKEN, FakeCloudflare
from tests.dell.household import DOMAIN

CONTROL_C, CONTROL_D = b"\x03", b"\x04"
LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])


def person(house: AdminHouse, lang: str, *arguments: str, **settings: str) -> Person:
    return Person(house.at_terminal(*arguments), {**house.environ(lang=lang), **settings})


@LANGUAGES
def test_a_newcomer_is_led_to_a_mailbox_by_questions(house: AdminHouse, lang: str) -> None:
    words = Words(Language(lang))
    address = f"led-{lang}@{DOMAIN}"

    with person(house, lang, "user", "add") as someone:
        for wrong, why in (
            ("\u3000", words("nothing-typed")),
            ("taro", words("bad-address", text="taro")),
            ("taro yamada@example.jp", words("bad-local-part", text="taro yamada@example.jp")),
            ("taro+shop@example.jp", words("plus-in-address", text="taro+shop@example.jp")),
        ):
            someone.sees(words("ask-address"))
            someone.types(wrong)
            someone.sees(why)
        someone.sees(words("ask-address"))
        someone.types(address)
        for wrong, why in (
            ("short", words("password-short", least=8)),
            ("パスワード１２３", words("password-not-ascii")),
            (address, words("password-is-name")),
        ):
            someone.sees(words("ask-password"))
            someone.types(wrong)
            someone.sees(why)
        someone.sees(words("ask-password"))
        someone.types(PASSWORD)
        someone.sees(words("ask-password-again"))
        someone.types("correct hearse")
        someone.sees(words("passwords-differ"))
        someone.sees(words("ask-password"))
        someone.types(PASSWORD)
        someone.sees(words("ask-password-again"))
        someone.types(PASSWORD)
        someone.sees(words("user-added", address=address, quota="2000M"))
        someone.sees(words("next-user-added", address=address))
        assert someone.ends() == 0

    assert may_log_in(house, f"led-{lang}")
    assert PASSWORD not in someone.screen
    assert "\x1b[32m" in someone.raw


@LANGUAGES
def test_removing_asks_and_no_means_no(house: AdminHouse, lang: str) -> None:
    words = Words(Language(lang))
    address = house.user(f"kept-{lang}")

    for answer in ("n", "") if lang == "en" else ("いいえ",):
        with person(house, lang, "user", "remove", address) as someone:
            someone.sees(words("ask-remove-user", address=address))
            someone.types("maybe")
            someone.sees(words("answer-yes-or-no"))
            someone.sees(words("ask-remove-user", address=address))
            someone.types(answer)
            someone.sees(words("nothing-changed"))
            assert someone.ends() == 1
    assert may_log_in(house, f"kept-{lang}")

    with person(house, lang, "user", "remove", address, "--delete-mail") as someone:
        someone.sees(words("ask-remove-user-and-mail", address=address))
        someone.types("はい" if lang == "ja" else "YES")
        someone.sees(words("user-removed-with-mail", address=address))
        assert someone.ends() == 0
    assert not may_log_in(house, f"kept-{lang}")


@LANGUAGES
def test_who_gives_up_at_a_question_has_changed_nothing(house: AdminHouse, lang: str) -> None:
    words = Words(Language(lang))

    for key, question, arguments in (
        (CONTROL_C, "ask-password", ("user", "add", f"undecided@{DOMAIN}")),
        (CONTROL_D, "ask-password", ("user", "add", f"undecided@{DOMAIN}")),
        (CONTROL_C, "ask-domain", ("domain", "add")),
        (CONTROL_D, "ask-domain", ("domain", "add")),
    )[:: 1 if lang == "en" else 3]:
        with person(house, lang, *arguments) as someone:
            someone.sees(words(question))
            someone.presses(key, until=words("nothing-changed"))
            assert someone.ends() == 1

    assert f"undecided@{DOMAIN}" not in house.admin("user", "list").out


@LANGUAGES
def test_who_gives_up_in_the_middle_is_not_told_that_nothing_was_changed(
    house: AdminHouse, lang: str
) -> None:
    words = Words(Language(lang))
    domain = f"half-{lang}.example"
    with house.host.inside():
        running = FakeCloudflare(domain)

    with running as cloudflare:
        environ = {"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_API_URL": cloudflare.base}
        arguments = house.at_terminal("domain", "add", domain, "--postmaster", house.user(f"half-{lang}"))
        with Person(arguments, {**house.environ(lang=lang), **environ}) as someone:
            someone.sees(words("domain-added", domain=domain))
            someone.sees("[y/N]")
            someone.presses(CONTROL_C, until=words("interrupted"))
            assert someone.ends() == 1

    assert words("nothing-changed") not in someone.screen
    assert domain in house.admin("domain", "list").out


@LANGUAGES
def test_who_stops_a_command_that_takes_long_is_told_so(house: AdminHouse, lang: str) -> None:
    words = Words(Language(lang))
    with house.host.inside():
        silent = socket.create_server(("127.0.0.1", 0))
    url = f"mysql://mailadmin@127.0.0.1:{silent.getsockname()[1]}/mail"

    with silent, person(house, lang, "user", "list", MXGW_ADMIN_DB=url) as someone:
        accepted, _ = silent.accept()
        with accepted:
            someone.presses(CONTROL_C, until=words("interrupted"))
            assert someone.ends() == 1

    assert "Abort" not in someone.screen


@LANGUAGES
def test_aliases_and_domains_are_asked_for_too(house: AdminHouse, lang: str) -> None:
    words = Words(Language(lang))
    address = house.user(f"owner-{lang}")
    alias, domain = f"alias-{lang}@{DOMAIN}", f"asked-{lang}.example"

    with person(house, lang, "alias", "add") as someone:
        someone.sees(words("ask-alias"))
        someone.types("@")
        someone.sees(words("bad-domain", text=""))
        someone.sees(words("ask-alias"))
        someone.types(alias)
        someone.sees(words("ask-user"))
        someone.types("nobody")
        someone.sees(words("bad-address", text="nobody"))
        someone.sees(words("ask-user"))
        someone.types(address)
        someone.sees(words("alias-added", address=alias, user=address))
        assert someone.ends() == 0
    with person(house, lang, "alias", "remove", alias) as someone:
        someone.sees(words("ask-remove-alias", address=alias, user=address))
        someone.types("y")
        someone.sees(words("alias-removed", address=alias, user=address))
        assert someone.ends() == 0
    with person(house, lang, "domain", "add") as someone:
        someone.sees(words("ask-domain"))
        someone.types("example")
        someone.sees(words("bad-domain", text="example"))
        someone.sees(words("ask-domain"))
        someone.types(domain)
        someone.sees(words("ask-postmaster"))
        someone.types(f"nobody@{DOMAIN}")
        someone.sees(words("alias-leads-nowhere", user=f"nobody@{DOMAIN}"))
        someone.sees(words("ask-postmaster"))
        someone.types(address)
        someone.sees(words("domain-added", domain=domain))
        someone.sees(words("alias-added", address=f"postmaster@{domain}", user=address))
        someone.sees("v=spf1 include:sendgrid.net ~all")
        someone.sees(f"v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}")
        someone.sees(f"mx: mx.{domain}")
        assert someone.ends() == 0
    with person(house, lang, "domain", "remove", domain) as someone:
        someone.sees(words("ask-remove-domain", domain=domain))
        someone.types("y")
        someone.sees(words("domain-removed", domain=domain))
        assert someone.ends() == 0


@LANGUAGES
def test_who_answers_nonsense_for_ever_is_let_go(house: AdminHouse, lang: str) -> None:
    words = Words(Language(lang))

    with person(house, lang, "user", "quota") as someone:
        for _ in range(5):
            someone.sees(words("ask-address"))
            someone.types("?")
        someone.sees(words("too-many-tries"))
        assert someone.ends() == 2


@LANGUAGES
def test_lists_are_tables_in_colour(house: AdminHouse, lang: str) -> None:
    words = Words(Language(lang))
    address = house.user(f"tabled-{lang}")

    with person(house, lang, "user", "list") as someone:
        someone.sees(words("column-address"))
        someone.sees(words("column-used"))
        someone.sees(address)
        someone.sees("2000M")
        assert someone.ends() == 0
    with person(house, lang, "domain", "list") as domains:
        domains.sees(words("column-domain"))
        domains.sees(DOMAIN)
        assert domains.ends() == 0

    assert "\x1b[36m" in someone.raw
    assert "{" not in someone.screen


@LANGUAGES
def test_in_a_narrow_window_each_mailbox_stands_by_itself_and_its_address_is_whole(
    house: AdminHouse, lang: str
) -> None:
    words = Words(Language(lang))
    address = house.user(f"narrow-{lang}")
    environ = {**house.environ(lang=lang), "COLUMNS": ""}

    with Person(house.at_terminal("user", "list"), environ, columns=40) as someone:
        assert someone.ends() == 0

    lines = someone.screen.splitlines()
    at = next(number for number, line in enumerate(lines) if line.endswith(address))
    labels = [words(f"column-{name}") for name in ("address", "quota", "used", "state")]
    assert [line.split()[0] for line in lines[at : at + 4]] == [label.split()[0] for label in labels]
    assert len({width(line.rpartition("  ")[0]) for line in lines[at : at + 4]}) == 1
    assert lines[at + 4] == ""
    # The address of each mailbox, not those of its aliases.
    assert someone.raw.count("\x1b[36m") == sum(line.startswith(labels[0]) for line in lines)


def test_a_typed_password_is_never_taken_from_an_open_screen(house: AdminHouse) -> None:
    with person(house, "ja", "user", "add", f"shown@{DOMAIN}", "--password-file", "-") as someone:
        someone.sees(CATALOGUE["password-needs-pipe"].ja)
        assert someone.ends() == 2


def test_json_is_printed_at_a_terminal_when_asked_for(house: AdminHouse) -> None:
    with person(house, "ja", "user", "list", "--json") as someone:
        someone.sees('"quota_octets": ')
        assert someone.ends() == 0


def test_a_mailbox_that_is_nearly_full_stands_out(house: AdminHouse) -> None:
    address = house.user("nearly")
    assert accepts(house, address, size=8 * 1024**2) == 250
    assert house.admin("user", "quota", address, "10M").code == 0

    with person(house, "en", "user", "quota", address) as someone:
        someone.sees("(8")
        assert someone.ends() == 0

    assert re.search(r"\x1b\[33m8\.\dM \(8\d%\)", someone.raw)
