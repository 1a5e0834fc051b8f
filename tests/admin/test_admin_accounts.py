"""What the admin's commands write is what Dovecot does, at once."""

from __future__ import annotations

import imaplib
from pathlib import Path

from tests.admin.admin_house import PASSWORD, AdminHouse, may_log_in
from tests.admin.person import wide
from tests.dell.household import DOMAIN, letter

SECOND = "shop.example"


def was_cut_off(session: imaplib.IMAP4_SSL) -> bool:
    try:
        session.noop()
    except imaplib.IMAP4.abort:
        return True
    finally:
        session.shutdown()
    return False


def accepts(house: AdminHouse, address: str, *, size: int = 0) -> int:
    message = letter(to=address)
    message.set_content("a line of text\n" * (size // 15 + 1))
    return house.deliver(message, address)[0].code


# -- users ----------------------------------------------------------------------------------------------


def test_a_new_user_logs_in_and_gets_mail_at_once(house: AdminHouse) -> None:
    assert not may_log_in(house, "taro")
    assert accepts(house, f"taro@{DOMAIN}") == 550

    told = house.admin("user", "add", f"taro@{DOMAIN}", "--password-file", "-", stdin=f"{PASSWORD}\n")

    assert told.code == 0
    assert told.facts == {
        "ok": True,
        "did": "user-added",
        "address": f"taro@{DOMAIN}",
        "quota_octets": 2000 * 1024**2,
    }
    assert may_log_in(house, "taro")
    assert not may_log_in(house, "taro", "wrong horse")
    assert accepts(house, f"taro@{DOMAIN}") == 250


def test_a_password_is_stored_hashed_and_shown_nowhere(house: AdminHouse) -> None:
    address = house.user("secretive", password="hunter2hunter2")

    stored = house.sql("SELECT password FROM users WHERE email = ?", address)
    listed = house.admin("user", "list")

    assert stored.startswith("{BLF-CRYPT}$2b$10$")
    assert "hunter2" not in stored + listed.out + listed.err


def test_a_removed_user_is_out_at_once_and_the_mail_stays(house: AdminHouse) -> None:
    address = house.user("leaver")
    assert house.admin("alias", "add", f"former@{DOMAIN}", address).code == 0
    assert accepts(house, address) == 250
    assert accepts(house, f"former@{DOMAIN}") == 250
    session = house.imap("leaver")

    told = house.admin("user", "remove", address, "--yes")

    assert told.code == 0
    assert told.facts["did"] == "user-removed"
    assert not may_log_in(house, "leaver")
    assert accepts(house, address) == 550
    assert accepts(house, f"former@{DOMAIN}") == 550
    assert was_cut_off(session)
    assert (house.home_of("leaver") / "Maildir").is_dir()
    house.user("leaver")
    assert len(house.messages("leaver")) == 2


def test_mail_goes_with_its_user_when_told_so(house: AdminHouse) -> None:
    address = house.user("forgotten")
    assert accepts(house, address) == 250
    neighbour = house.user("forgotten2")
    assert accepts(house, neighbour) == 250

    told = house.admin("user", "remove", address, "--delete-mail", "--yes")

    assert told.code == 0
    assert told.facts["did"] == "user-removed-with-mail"
    assert not house.home_of("forgotten").exists()
    assert len(house.messages("forgotten2")) == 1
    house.user("forgotten")
    assert house.messages("forgotten") == []


def test_a_new_password_counts_at_once_and_ends_old_sessions(house: AdminHouse, tmp_path: Path) -> None:
    address = house.user("changer")
    assert may_log_in(house, "changer")
    session = house.imap("changer")
    new = tmp_path / "new"
    new.write_text("battery staple\n")

    told = house.admin("user", "passwd", address, "--password-file", str(new))

    assert told.code == 0
    assert told.facts == {"ok": True, "did": "password-changed", "address": address}
    assert may_log_in(house, "changer", "battery staple")
    assert not may_log_in(house, "changer")
    assert was_cut_off(session)


def test_a_quota_is_obeyed_at_once_also_by_way_of_an_alias(house: AdminHouse) -> None:
    address = house.user("collector")
    assert house.admin("alias", "add", f"collection@{DOMAIN}", address).code == 0
    assert accepts(house, address) == 250
    assert accepts(house, f"collection@{DOMAIN}", size=9 * 1024**2) == 250

    told = house.admin("user", "quota", address, "10M")

    assert told.facts == {"ok": True, "did": "quota-set", "address": address, "quota_octets": 10 * 1024**2}
    assert accepts(house, f"collection@{DOMAIN}", size=2 * 1024**2) == 552
    assert accepts(house, address, size=2 * 1024**2) == 552
    (facts,) = house.admin("user", "quota", address).facts
    assert facts["quota_octets"] == 10 * 1024**2
    assert facts["used_octets"] > 9 * 1024**2
    assert facts["messages"] == 2
    assert facts["aliases"] == [f"collection@{DOMAIN}"]
    assert house.admin("user", "quota", address, "none").facts["quota_octets"] == 0
    assert accepts(house, address, size=2 * 1024**2) == 250


def test_a_user_who_never_had_mail_goes_with_it_all_the_same(house: AdminHouse) -> None:
    address = house.user("newcomer")

    told = house.admin("user", "remove", address, "--delete-mail", "--yes")

    assert (told.code, told.err) == (0, "")


def test_a_quota_below_what_is_there_is_set_with_a_warning(house: AdminHouse) -> None:
    address = house.user("hoarder")
    for _ in range(2):
        assert accepts(house, address, size=6 * 1024**2) == 250

    told = house.admin("user", "quota", address, "10M")

    assert told.code == 0
    assert told.facts["did"] == "quota-set"
    assert told.facts["warnings"] == ["warn-quota-below-use"]
    assert "holds 1" in told.err
    assert accepts(house, address) == 552


# -- aliases ----------------------------------------------------------------------------------------------


def test_an_alias_leads_to_its_user_until_it_is_removed(house: AdminHouse) -> None:
    address = house.user("hanako")
    info = f"info@{DOMAIN}"
    assert accepts(house, info) == 550

    assert house.admin("alias", "add", info, address).code == 0
    assert accepts(house, info) == 250
    assert len(house.messages("hanako")) == 1
    (listed,) = [alias for alias in house.admin("alias", "list").facts if alias["address"] == info]
    assert listed == {"address": info, "user": address, "active": True}

    assert house.admin("alias", "remove", info, "--yes").code == 0
    assert accepts(house, info) == 550


def test_a_domain_lives_from_its_first_alias_to_its_last(house: AdminHouse) -> None:
    address = house.user("shopkeeper")
    added = house.admin("domain", "add", SECOND, "--mx", "mx.example.jp", "--mx-address", "192.0.2.1")
    assert added.code == 0
    assert added.facts["did"] == "domain-added"
    assert {record["type"] for record in added.facts["records"]} == {"MX", "TXT", "CNAME"}

    assert house.admin("alias", "add", f"@{SECOND}", address).facts["did"] == "catch-all-added"
    assert accepts(house, f"anything@{SECOND}") == 250
    (listed,) = [domain for domain in house.admin("domain", "list").facts if domain["domain"] == SECOND]
    assert listed == {"domain": SECOND, "users": 0, "aliases": 1, "active": True}

    kept = house.admin("domain", "remove", SECOND, "--yes")
    assert (kept.code, kept.facts["error"]) == (2, "domain-in-use")
    assert house.admin("alias", "remove", f"@{SECOND}", "--yes").code == 0
    assert accepts(house, f"anything@{SECOND}") == 550
    assert house.admin("domain", "remove", SECOND, "--yes").code == 0
    assert SECOND not in house.admin("domain", "list").out


# -- the list ---------------------------------------------------------------------------------------------


def test_the_list_can_be_of_one_domain(house: AdminHouse) -> None:
    address = house.user("listed")

    everyone = house.admin("user", "list").facts
    here = house.admin("user", "list", "--domain", DOMAIN).facts

    assert address in [user["address"] for user in everyone]
    assert address in [user["address"] for user in here]
    assert house.admin("user", "list", "--domain", "elsewhere.example").facts["error"] == "unknown-domain"


def test_full_width_letters_of_a_japanese_keyboard_are_understood(house: AdminHouse) -> None:
    told = house.admin(
        *("user", "add", wide(f"Jiro@{DOMAIN}"), "--quota", wide("2G"), "--password-file", "-"),
        stdin=PASSWORD,
    )

    assert told.facts["address"] == f"jiro@{DOMAIN}"
    assert told.facts["quota_octets"] == 2 * 1024**3
    assert may_log_in(house, "jiro")
