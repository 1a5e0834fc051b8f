"""Dovecot of the stack: who gets in, what is delivered, what is refused and how."""

from __future__ import annotations

import base64
import contextlib
import re
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.dell.cells import HOSTNAME
from tests.dell.household import DOMAIN, DOVECOT, HOME_DOOR, PASSWORD, Household, letter

SPECIAL_FOLDERS = {"Drafts": "Drafts", "Sent": "Sent", "Archive": "Archive", "Junk": "Junk", "Trash": "Trash"}
FINGERPRINT = "1f" * 32


# -- delivery and reading -------------------------------------------------------------------------------


def test_what_comes_by_lmtp_is_read_by_imap_and_pop3(household: Household) -> None:
    household.add("reader")

    said = household.deliver(letter("ようこそ"), "reader")

    assert [one.code for one in said] == [250]
    by_imap = household.messages("reader")
    assert len(by_imap) == 1
    assert b"Subject: =?utf-8?" in by_imap[0]
    session = household.pop3("reader")
    count, _ = session.stat()
    by_pop3 = b"\r\n".join(session.retr(1)[1])
    session.quit()
    assert count == 1
    assert by_pop3.strip() == by_imap[0].strip()


def test_capitals_and_extensions_lead_to_the_same_mailbox(household: Household) -> None:
    household.add("capitals")

    said = household.deliver(letter(), "CAPITALS", "Capitals+shop")

    assert [one.code for one in said] == [250, 250]
    assert len(household.messages("capitals")) == 2


def test_an_alias_and_a_catch_all_lead_to_their_user_and_the_envelope_shows_which(
    household: Household,
) -> None:
    household.add("owner")
    household.sql("INSERT INTO domains (name) VALUES ('shop.example')")
    household.alias(f"info@{DOMAIN}", "owner")
    household.alias("@shop.example", "owner")

    wanted = (f"info@{DOMAIN}", "anything@shop.example", f"nobody@{DOMAIN}")
    said = [household.deliver(letter(), address)[0] for address in wanted]

    assert [one.code for one in said] == [250, 250, 550]
    addresses = {
        found[1]
        for message in household.messages("owner")
        if (found := re.search(rb"\bfor <([^>]*)>;", message))
    }
    assert addresses == {f"info@{DOMAIN}".encode(), b"anything@shop.example"}


def test_unknown_and_inactive_users_and_domains_are_refused_at_rcpt(household: Household) -> None:
    household.add("gone")
    household.sql("UPDATE users SET active = FALSE WHERE email = ?", f"gone@{DOMAIN}")
    household.sql("INSERT INTO domains (name, active) VALUES ('closed.example', FALSE)")
    household.alias("@closed.example", "gone")

    said = household.deliver(
        letter(), "nobody-here", "gone", "anybody@closed.example", "any@elsewhere.example"
    )

    assert [(one.code, one.text[:5]) for one in said] == [(550, "5.1.1")] * 4


def test_a_full_mailbox_is_refused_for_good_before_the_content_and_with_it(household: Household) -> None:
    household.add("full", quota=4000)

    too_large = household.deliver(letter("x", X_Filler="y" * 900 * 5), "full")
    fits = household.deliver(letter("x", X_Filler="y " * 1200), "full")
    over = household.deliver(letter("x", X_Filler="y " * 1200), "full")

    assert [too_large[0].code, fits[0].code, over[0].code] == [552, 250, 552]
    assert "5.2.2" in too_large[0].text
    assert len(household.messages("full")) == 1


def test_a_full_mailbox_does_not_keep_the_message_from_the_others(household: Household) -> None:
    household.add("roomy")
    household.add("tiny", quota=10)

    said = household.deliver(letter(), "tiny", "roomy")

    assert [one.code for one in said] == [552, 250]


def test_the_largest_message_is_stored_whole_and_left_nothing_beside_it(household: Household) -> None:
    household.add("collector")
    large = b"Subject: large\r\n\r\n" + (b"x" * 76 + b"\r\n") * (36 * 2**20 // 78 - 100)

    said = household.deliver(large, "collector")

    assert [one.code for one in said] == [250]
    (stored,) = household.messages("collector")
    assert stored.partition(b"\r\n\r\n")[2] == large.partition(b"\r\n\r\n")[2]
    assert list((household.host.data / "mail/.spool").iterdir()) == []


# -- logins -----------------------------------------------------------------------------------------------


def test_nothing_is_offered_without_tls_but_what_the_inner_network_needs(household: Household) -> None:
    for port in (143, 110, 587, 24, 12345):
        with pytest.raises(ConnectionRefusedError):
            household.connect(port)
    for port in (24, 12345):
        household.connect(port, DOVECOT).close()


def test_tls_is_modern_and_names_the_host(household: Household) -> None:
    with (
        household.connect(993) as plain,
        household.trust.wrap_socket(plain, server_hostname=HOSTNAME) as session,
    ):
        assert session.version() == "TLSv1.3"

    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with household.connect(993) as plain, old.wrap_socket(plain) as session:
        assert session.version() == "TLSv1.2"


def test_postfix_can_ask_whether_a_login_is_right(household: Household) -> None:
    household.add("sender")

    with household.connect(12345, DOVECOT) as session, session.makefile("rwb") as lines:
        offered = b"".join(iter(lines.readline, b"DONE\n"))
        lines.write(b"VERSION\t1\t1\nCPID\t1\n" + _login(1, "sender", PASSWORD) + _login(2, "sender", "pass"))
        lines.flush()
        said = {line.split(b"\t")[1]: line.split(b"\t")[0] for line in (lines.readline(), lines.readline())}

    assert b"MECH\tPLAIN" in offered
    assert b"MECH\tLOGIN" in offered
    assert said == {b"1": b"OK", b"2": b"FAIL"}


def test_the_home_door_alone_is_believed_whose_mail_it_passes_on(household: Household) -> None:
    household.add("believer")

    with household.lmtp(source=HOME_DOOR) as session:
        session.lhlo = session.ehlo()
        assert session.has_extn("xclient")
        assert session.docmd("XCLIENT", "ADDR=192.0.2.7 HELO=mx.example.net")[0] == 220
        session.sendmail("a@example.net", [f"believer@{DOMAIN}"], letter().as_bytes())
    with household.lmtp(source="10.129.72.4") as session:
        session.ehlo()
        assert not session.has_extn("xclient")

    assert b"192.0.2.7" in household.messages("believer")[0]


# -- folders ------------------------------------------------------------------------------------------------


def test_folders_are_there_at_the_first_login_and_say_what_they_are_for(household: Household) -> None:
    household.add("newcomer")

    with household.imap("newcomer") as session:
        listed = [line.decode() for line in session.list()[1] if isinstance(line, bytes)]
        subscribed = [line.decode() for line in session.lsub()[1] if isinstance(line, bytes)]

    for use, name in SPECIAL_FOLDERS.items():
        assert [line for line in listed if f"\\{use}" in line] == [
            line for line in listed if line.endswith(f" {name}")
        ]
        assert [line for line in subscribed if line.endswith(f" {name}")]


def test_a_folder_may_have_a_dot_and_japanese_in_its_name(household: Household) -> None:
    household.add("tidy")

    with household.imap("tidy") as session:
        # "2026.04" and "請求書" (RFC 3501 section 5.1.3) below it
        assert session.create('"2026.04"')[0] == "OK"
        assert session.create('"2026.04/&isZsQmb4-"')[0] == "OK"
        listed = b"\n".join(line for line in session.list()[1] if isinstance(line, bytes))

    assert b'"/" 2026.04\n' in listed + b"\n"
    assert b"2026.04/&isZsQmb4-" in listed


# -- Sieve --------------------------------------------------------------------------------------------------


def test_a_message_that_comes_again_is_taken_and_not_stored_again(household: Household) -> None:
    household.add("once", "twice")

    first = household.deliver(letter(X_MXGW_Fingerprint=FINGERPRINT), "once")
    again = household.deliver(letter(X_MXGW_Fingerprint=FINGERPRINT), "once", "twice", "once+tag")
    other = household.deliver(letter(X_MXGW_Fingerprint="2e" * 32), "once")
    unmarked = [household.deliver(letter(), "once") for _ in range(2)]

    assert {one.code for said in (first, again, other, *unmarked) for one in said} == {250}
    assert len(household.messages("once")) == 4
    assert len(household.messages("twice")) == 1


def test_the_very_first_message_of_a_new_mailbox_is_stored_once_however_often_it_comes_at_once(
    household: Household,
) -> None:
    household.add("first")

    with ThreadPoolExecutor(8) as pool:
        sent = [
            pool.submit(household.deliver, letter(X_MXGW_Fingerprint=FINGERPRINT), "first") for _ in range(8)
        ]
        said = [one.result()[0].code for one in sent]

    assert said == [250] * 8
    assert len(household.messages("first")) == 1


def test_repeats_are_remembered_for_ten_days(household: Household) -> None:
    """A longer period than the configuration allows is cut when the script is compiled."""
    dump = household.host.cells["dovecot"].run(["sieve-dump", "/run/mxgw/sieve/before.svbin"]).stdout

    assert "864000" in dump


def test_what_is_marked_as_junk_goes_to_junk_before_any_filter_of_the_user(household: Household) -> None:
    household.add("wary")
    _put_script(household, "wary", 'require "fileinto"; fileinto "Archive";')

    household.deliver(letter(X_MXGW_Junk="yes"), "wary")
    household.deliver(letter(), "wary")

    assert len(household.messages("wary", "Junk")) == 1
    assert len(household.messages("wary", "Archive")) == 1
    assert household.messages("wary") == []


@pytest.mark.parametrize("extension", ["reject", "ereject"])
def test_a_user_cannot_bounce_what_was_accepted(household: Household, extension: str) -> None:
    with contextlib.suppress(PermissionError):
        household.add("rude")

    with pytest.raises(AssertionError, match="unknown Sieve capability"):
        _put_script(household, "rude", f'require "{extension}"; {extension} "no";')


def test_a_vacation_reply_may_be_written_and_mail_may_not_be_passed_on(household: Household) -> None:
    household.add("away")

    _put_script(household, "away", 'require "vacation"; vacation :days 7 "留守です";')
    household.deliver(letter(to=f"away@{DOMAIN}"), "away")
    _put_script(household, "away", 'redirect "someone@example.net";')
    household.deliver(letter(to=f"away@{DOMAIN}"), "away")

    # Neither could be sent, as Postfix is not there; and neither keeps the message from the user.
    assert len(household.messages("away")) == 2
    log = household.host.data / f"mail/{DOMAIN}/away/.dovecot.sieve.log"
    assert "redirect" in log.read_text()


# -- accounts of the database --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "statement", "allowed"),
    [
        ("dovecot", "SELECT password FROM users", True),
        ("dovecot", "UPDATE users SET active = FALSE", False),
        ("postfix", "SELECT user FROM recipients WHERE address = 'a' ORDER BY precedence", True),
        ("postfix", "SELECT login FROM sender_logins WHERE address = 'a'", True),
        ("postfix", "SELECT name FROM domains WHERE active", True),
        ("postfix", "SELECT password FROM users", False),
        ("roundcube", "UPDATE users SET password = '{SHA512-CRYPT}$6$x' WHERE email = 'a'", True),
        ("roundcube", "SELECT password FROM users", False),
        ("roundcube", "UPDATE users SET quota_octets = 0", False),
        ("roundcube", "CREATE TABLE roundcube.t (n INT); DROP TABLE roundcube.t", True),
        ("mailadmin", "INSERT INTO domains (name) VALUES ('admin.example')", True),
        ("mailadmin", "DROP TABLE users", False),
        ("mailadmin", "SELECT * FROM mysql.global_priv", False),
    ],
)
def test_each_program_may_do_in_the_database_what_it_needs(
    household: Household, account: str, statement: str, *, allowed: bool
) -> None:
    variable = {"mailadmin": "ADMIN_DB_PASSWORD"}.get(account, f"{account.upper()}_DB_PASSWORD")
    password = household.host.environ[variable]

    with contextlib.nullcontext() if allowed else pytest.raises(PermissionError):
        household.sql(statement, user=account, password=password)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("Taro@example.jp", "{BLF-CRYPT}$2y$05$x"),
        ("../etc@example.jp", "{BLF-CRYPT}$2y$05$x"),
        ("a/b@example.jp", "{BLF-CRYPT}$2y$05$x"),
        ("taro+tag@example.jp", "{BLF-CRYPT}$2y$05$x"),
        ("taro@other.example", "{BLF-CRYPT}$2y$05$x"),
        ("taro@example.jp", "secret"),
        ("taro@example.jp", "{PLAIN}secret"),
    ],
)
def test_the_database_takes_no_address_or_password_that_means_trouble(
    household: Household, email: str, password: str
) -> None:
    with pytest.raises(PermissionError, match="CONSTRAINT"):
        household.sql("INSERT INTO users (email, domain, password) VALUES (?, ?, ?)", email, DOMAIN, password)


def test_schema_and_accounts_are_put_in_place_again_and_keep_what_is_there(household: Household) -> None:
    household.add("staying")

    household.host.cells["accounts"].finish()

    assert household.sql("SELECT COUNT(*) FROM users WHERE email = ?", f"staying@{DOMAIN}").strip() == "1"
    assert household.sql("SELECT version FROM schema_version").split() == ["1"]


def test_the_default_quota_is_two_thousand_megabytes(household: Household) -> None:
    new = ("plain@example.jp", DOMAIN, household.hash("x"))

    household.sql("INSERT INTO users (email, domain, password) VALUES (?, ?, ?)", *new)

    assert household.sql("SELECT quota_octets FROM users WHERE email = ?", new[0]).strip() == "2097152000"


# -- wrong logins: last, since Dovecot answers an address more slowly after each ----------------------------


def test_no_other_password_opens_a_mailbox_least_of_all_the_one_of_the_image(household: Household) -> None:
    household.add("locked")

    with ThreadPoolExecutor() as pool:
        tries = [
            pool.submit(household.imap, "locked", "pass"),
            pool.submit(household.pop3, "stranger", "pass"),
        ]
        said = [one.exception() for one in tries]

    assert all("AUTH" in str(one) for one in said), said


def _login(number: int, user: str, password: str) -> bytes:
    """One request of Dovecot's authentication protocol, as Postfix makes it."""
    words = base64.b64encode(f"\0{user}@{DOMAIN}\0{password}".encode()).decode()
    return f"AUTH\t{number}\tPLAIN\tservice=smtp\tsecured\tresp={words}\n".encode()


def _put_script(household: Household, user: str, text: str) -> None:
    """Make it the user's active filter, as ManageSieve does; AssertionError says why it will not do."""
    dovecot = household.host.cells["dovecot"]
    command = f"printf '%s' \"$1\" | doveadm sieve put -u {user}@{DOMAIN} -a filter"
    done = dovecot.run(["bash", "-c", f"set -o pipefail; {command}", "put", text])
    assert done.returncode == 0, done.stderr + done.stdout
