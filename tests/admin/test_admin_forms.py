"""What may be typed for an address, a domain, a quota, a password; and where settings say things are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.admin import forms
from mxgw.admin.access import database_access, doveadm_access
from mxgw.admin.hashing import hash_password, verifies
from mxgw.admin.refusal import Refused
from tests.admin.person import wide

DB = "MXGW_ADMIN_DB"


def why(form: object, text: str, **more: str) -> str:
    """The key of the refusal, or what became of the text."""
    try:
        return str(form(text, **more))  # type: ignore[operator]
    except Refused as refused:
        return refused.key


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("taro@example.jp", "taro@example.jp"),
        ("  Taro.Yamada@Example.JP ", "taro.yamada@example.jp"),
        (wide("taro@example.jp"), "taro@example.jp"),
        ("taro@例え.jp", "taro@xn--r8jz45g.jp"),
        ("taro@example.jp.", "taro@example.jp"),
        ("_taro-1@example.jp", "_taro-1@example.jp"),
        ("taro", "bad-address"),
        ("", "bad-address"),
        ("@example.jp", "bad-local-part"),
        ("taro@", "bad-domain"),
        ("taro@localhost", "bad-domain"),
        ("taro@192.0.2.1", "bad-domain"),
        ("taro+shop@example.jp", "plus-in-address"),
        ("太郎@example.jp", "bad-local-part"),
        (".taro@example.jp", "bad-local-part"),
        ("taro.@example.jp", "bad-local-part"),
        ("ta..ro@example.jp", "bad-local-part"),
        ("../etc@example.jp", "bad-local-part"),
        ("a/b@example.jp", "bad-local-part"),
        ("%d@example.jp", "bad-local-part"),
        ("-taro@example.jp", "bad-local-part"),
        ('"taro"@example.jp', "bad-local-part"),
        (f"{'a' * 65}@example.jp", "bad-local-part"),
        (f"taro@{'a.' * 200}jp", "bad-domain"),
    ],
)
def test_an_address_is_lower_case_ascii_that_can_name_a_directory(text: str, address: str) -> None:
    assert why(forms.address, text) == address


def test_a_catch_all_is_a_domain_with_a_sign() -> None:
    assert why(forms.alias_address, wide("@") + "例え" + wide(".") + "jp") == "@xn--r8jz45g.jp"
    assert why(forms.alias_address, "@") == "bad-domain"
    assert why(forms.alias_address, "info@example.jp") == "info@example.jp"


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("2G", 2 * 1024**3),
        ("2g", 2 * 1024**3),
        ("2 GB", 2 * 1024**3),
        ("2GiB", 2 * 1024**3),
        ("1.5G", 3 * 1024**3 // 2),
        ("500M", 500 * 1024**2),
        ("10240K", 10 * 1024**2),
        ("1T", 1024**4),
        (wide("2G"), 2 * 1024**3),
        ("none", 0),
        ("0", 0),
        ("無制限", 0),
    ],
)
def test_a_quota_is_a_number_with_a_unit_or_none(text: str, octets: int) -> None:
    assert forms.quota(text) == octets


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "bad-quota"),
        ("2", "bad-quota"),
        ("2000", "bad-quota"),
        ("-2G", "bad-quota"),
        ("2X", "bad-quota"),
        ("G", "bad-quota"),
        ("2,5G", "bad-quota"),
        ("many", "bad-quota"),
        ("9M", "quota-out-of-bounds"),
        ("0G", "quota-out-of-bounds"),
        ("101T", "quota-out-of-bounds"),
    ],
)
def test_any_other_quota_is_refused(text: str, key: str) -> None:
    assert why(forms.quota, text) == key


@given(st.integers(min_value=10, max_value=9999), st.sampled_from("MGT"))
def test_a_quota_is_shown_as_it_can_be_typed(number: int, unit: str) -> None:
    try:
        octets = forms.quota(f"{number}{unit}")
    except Refused:
        return

    assert forms.quota(forms.size(octets)) == octets


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (0, "0K"),
        (999, "1K"),
        (1536, "2K"),
        (8948736, "8.5M"),
        (2097152000, "2.0G"),
        (3 * 1024**4 // 2, "1.5T"),
    ],
)
def test_what_is_used_is_told_roughly(octets: int, text: str) -> None:
    assert forms.about(octets) == text


def test_a_quota_is_told_exactly() -> None:
    assert [forms.size(octets) for octets in (2097152000, 2 * 1024**3)] == ["2000M", "2G"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("1234567", "password-short"),
        ("", "password-short"),
        ("x" * 73, "password-long"),
        ("aaaaaaaa", "password-one-character"),
        ("taro@example.jp", "password-is-name"),
        ("パスワードです", "password-not-ascii"),
        ("tab\tinside it", "password-not-ascii"),
        ("nul\0inside it", "password-not-ascii"),
        (" blank before", "password-blank-ends"),
        ("blank after ", "password-blank-ends"),
        ("correct horse", "correct horse"),
        ("12345678", "12345678"),
    ],
)
def test_a_password_is_one_that_every_program_sends_alike(text: str, key: str) -> None:
    assert why(forms.password, text, mailbox="taro@example.jp") == key


def test_a_password_that_is_the_name_is_refused_in_any_case() -> None:
    assert why(forms.password, "HANAKOYAMADA", mailbox="hanakoyamada@example.jp") == "password-is-name"


def test_a_hash_has_its_scheme_and_a_salt_of_its_own() -> None:
    first, second = hash_password("correct horse", cost=4), hash_password("correct horse", cost=4)

    assert first != second
    assert first.startswith("{BLF-CRYPT}$2b$04$")
    assert verifies("correct horse", first)
    assert not verifies("wrong horse", second)


@given(st.text(max_size=300))
def test_the_forms_refuse_or_understand_and_never_break(text: str) -> None:
    for form in (forms.address, forms.alias_address, forms.domain, forms.quota, forms.selector):
        why(form, text)
    why(forms.password, text, mailbox="taro@example.jp")


# -- settings ---------------------------------------------------------------------------------------------


def test_the_database_is_a_url_and_its_password_stands_elsewhere(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from the file\n")

    plain = database_access({DB: "mysql://mailadmin@mariadb/mail", f"{DB}_PASSWORD": "pw"})
    other = database_access(
        {DB: "mariadb://a%40b@[::1]:3307/mail", f"{DB}_PASSWORD_FILE": str(secret), f"{DB}_PASSWORD": "pw"}
    )
    socket = database_access({DB: "mysql://root@/mail?socket=/run/mysqld/mysqld.sock"})

    assert (plain.host, plain.port, plain.user, plain.database) == ("mariadb", 3306, "mailadmin", "mail")
    assert plain.password == "pw"
    assert "pw" not in repr(plain)
    assert (other.host, other.port, other.user, other.password) == ("::1", 3307, "a@b", "from the file")
    assert (socket.socket, socket.place) == ("/run/mysqld/mysqld.sock", "/run/mysqld/mysqld.sock")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "no-database-setting"),
        ("mariadb", "bad-database-setting"),
        ("http://mailadmin@mariadb/mail", "bad-database-setting"),
        ("mysql://mariadb/mail", "bad-database-setting"),
        ("mysql://mailadmin@/mail", "bad-database-setting"),
        ("mysql://mailadmin@mariadb", "bad-database-setting"),
        ("mysql://mailadmin@mariadb/mail;drop", "bad-database-setting"),
        ("mysql://mailadmin@mariadb:many/mail", "bad-database-setting"),
        ("mysql://mailadmin@mariadb/mail?charset=latin1", "bad-database-setting"),
        ("mysql://mailadmin:secret@mariadb/mail", "password-in-setting"),
    ],
)
def test_a_database_setting_with_a_mistake_is_refused(text: str, key: str) -> None:
    with pytest.raises(Refused) as refused:
        database_access({DB: text})

    assert refused.value.key == key
    assert "secret" not in str(refused.value.facts)


@pytest.mark.parametrize("content", [None, "two\nlines\n", b"\xff\xfe", "x" * 5000])
def test_a_secret_file_is_one_line_of_text(tmp_path: Path, content: str | bytes | None) -> None:
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(Refused) as refused:
        database_access({DB: "mysql://mailadmin@mariadb/mail", f"{DB}_PASSWORD_FILE": str(secret)})

    assert refused.value.key == "secret-file-unreadable"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("dovecot:8080", "bad-doveadm-setting"),
        ("https://dovecot", "bad-doveadm-setting"),
        ("http://", "bad-doveadm-setting"),
        ("http://dovecot:x", "bad-doveadm-setting"),
        ("http://key@dovecot", "bad-doveadm-setting"),
        ("http://dovecot/doveadm/v1", "bad-doveadm-setting"),
        ("http://dovecot", "no-doveadm-key"),
    ],
)
def test_a_doveadm_setting_with_a_mistake_is_refused(text: str, key: str) -> None:
    with pytest.raises(Refused) as refused:
        doveadm_access({"MXGW_ADMIN_DOVEADM": text})

    assert refused.value.key == key


def test_dovecot_need_not_be_named() -> None:
    assert doveadm_access({}) is None
