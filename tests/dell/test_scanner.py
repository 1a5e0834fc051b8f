"""Rspamd, ClamAV and Redis of the stack: what is refused, what is doubted, what is learnt."""

from __future__ import annotations

from email.header import Header

import pytest

from tests.dell.household import Household, letter
from tests.dell.letters import ENGLISH, mail, with_part, zipped
from tests.dell.scanning import EICAR, ELSEWHERE, Scanners
from tests.rig.process import wait_until
from tests.rig.rspamd import GTUBE

JAPANESE = (
    "田中様\r\n\r\nお世話になっております。山田商店の山田です。\r\nご注文ありがとうございます。明日の午前中に"
    "発送いたします。\r\n請求書番号は 20261124-7 です。よろしくお願いいたします。\r\n\r\n山田太郎\r\n"
)
MIXED = JAPANESE + "ABC株式会社 \uff21\uff22\uff23 αβ Windows 11版 https://example.org/\r\n"
# What a message may score more than the same in English for being Japanese.
TOLERANCE = 0.7


VIRUSES = {
    "in the text": mail(more=EICAR + b"\r\n"),
    "attached": with_part(
        'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="a.bin"', EICAR
    ),
    "inline": with_part("Content-Type: image/png", EICAR),
    "zipped": with_part('Content-Type: application/zip; name="a.zip"', zipped(EICAR)),
    "zipped twice": with_part('Content-Type: application/zip; name="a.zip"', zipped(zipped(EICAR))),
}


@pytest.mark.parametrize("place", VIRUSES)
def test_a_virus_is_refused_wherever_it_is(scanners: Scanners, place: str) -> None:
    verdict = scanners.scan(VIRUSES[place])

    assert verdict.action == "reject"
    assert "virus" in verdict.message


def test_the_largest_message_is_scanned_to_its_end(scanners: Scanners) -> None:
    """25 MB of files are 35 MB of message; what ClamAV or Rspamd would cut off would go through unseen."""
    message = with_part("Content-Type: application/octet-stream", bytes(26_000_000) + EICAR)

    assert 35_000_000 < len(message) <= 36 * 2**20
    assert scanners.scan(message).action == "reject"


def test_plain_spam_is_refused(scanners: Scanners) -> None:
    assert scanners.scan(mail(more=GTUBE.encode() + b"\r\n")).action == "reject"


def test_nothing_is_greylisted_or_renamed(scanners: Scanners) -> None:
    _, actions = scanners.ask("/actions", source=ELSEWHERE, Password=scanners.password)

    thresholds = {one["action"]: one["value"] for one in actions if one["value"] is not None}
    assert thresholds == {"reject": 15, "add header": 6}


@pytest.mark.parametrize(
    ("charset", "text", "subject"),
    [
        ("iso-2022-jp", JAPANESE, "ご注文の件"),
        ("utf-8", JAPANESE, "ご注文の件"),
        ("shift_jis", JAPANESE, "ご注文の件"),
        ("euc-jp", JAPANESE, "ご注文の件"),
        ("utf-8", MIXED, "【重要】ABC.co.jp ご注文の確認 \uff21\uff22\uff23 ｶﾅ"),
        ("iso-2022-jp", ENGLISH, "Your order"),
    ],
)
def test_japanese_is_no_sign_of_spam(scanners: Scanners, charset: str, text: str, subject: str) -> None:
    english = scanners.scan(mail())

    japanese = scanners.scan(mail(text, charset=charset, subject=subject))

    assert japanese.score <= english.score + TOLERANCE, japanese.symbols - english.symbols


def test_a_header_in_raw_japanese_is_borne(scanners: Scanners) -> None:
    english = scanners.scan(mail())
    raw = mail(JAPANESE, charset="utf-8").replace(
        b"Subject: " + Header("Your order", "utf-8").encode().encode(), b"Subject: " + "ご注文の件".encode()
    )

    assert scanners.scan(raw).score <= english.score + TOLERANCE


def test_what_the_home_door_says_of_the_client_is_what_is_checked(scanners: Scanners) -> None:
    """A stranger's address is checked; without one there is nothing to check, and our own is not taken."""
    stranger = scanners.scan(mail())
    unknown = scanners.scan(mail(), IP="")

    assert {"R_SPF_NA", "RDNS_NONE"} <= stranger.symbols
    assert not {name for name in unknown.symbols if "SPF" in name and name != "R_SPF_NA"}
    assert "RDNS_NONE" not in unknown.symbols


# -- what our own users send ----------------------------------------------------------------------------


def test_a_users_own_mail_is_not_judged_by_where_he_is(scanners: Scanners) -> None:
    verdict = scanners.scan(mail(), User="a@example.org", IP="203.0.113.9", Helo="[10.0.0.2]")

    assert verdict.action == "no action"
    assert not verdict.symbols & {"RDNS_NONE", "HFILTER_HOSTNAME_UNKNOWN", "R_SPF_NA"}


def test_a_user_sends_no_virus_and_nothing_as_somebody_else(scanners: Scanners) -> None:
    virus = scanners.scan(VIRUSES["attached"], User="a@example.org")
    other = scanners.scan(mail(), User="b@example.org", From="b@example.org")

    assert (virus.action, other.action) == ("reject", "reject")


def test_a_captured_account_is_slowed_down(scanners: Scanners) -> None:
    captured = {"User": "d@example.org", "From": "a@example.org"}

    said = [scanners.scan(mail(), **captured).action for _ in range(110)]

    assert said[:90] == ["no action"] * 90
    assert said[-1] == "soft reject"


# -- learning -------------------------------------------------------------------------------------------


def test_moving_a_message_into_junk_and_out_of_it_teaches(household: Household, scanners: Scanners) -> None:
    household.add("teacher")
    household.deliver(mail(JAPANESE, charset="iso-2022-jp"), "teacher")

    with household.imap("teacher") as session:
        session.select("INBOX")
        assert session.uid("MOVE", "1:*", "Junk")[0] == "OK"
        wait_until(lambda: scanners.learned("spam") == 1, seconds=20, what="it is learnt as spam")
        session.select("Junk")
        assert session.uid("MOVE", "1:*", "INBOX")[0] == "OK"
        wait_until(lambda: scanners.learned("ham") == 1, seconds=20, what="it is learnt as ham")

    assert len(household.messages("teacher")) == 1


def test_throwing_junk_away_teaches_nothing(household: Household, scanners: Scanners) -> None:
    household.add("tidier")
    household.deliver(letter(X_MXGW_Junk="yes"), "tidier")
    before = scanners.learned("ham"), scanners.learned("spam")

    with household.imap("tidier") as session:
        session.select("Junk")
        assert session.uid("MOVE", "1:*", "Trash")[0] == "OK"

    # The script has ended before the move is answered.
    assert (scanners.learned("ham"), scanners.learned("spam")) == before


def test_nobody_teaches_without_the_password_of_this_site(scanners: Scanners) -> None:
    for password in ("", "q1", "wrong"):
        status, _ = scanners.ask("/learnspam", mail(), source=ELSEWHERE, Password=password)
        assert status in {401, 403}, password


# -- trouble --------------------------------------------------------------------------------------------


def test_while_the_virus_scanner_is_away_everything_is_put_off(
    household: Household, scanners: Scanners
) -> None:
    clamav = household.host.cells["clamav"]
    clamav.child.kill()
    try:
        verdict = scanners.scan(mail("Never seen before.\r\n"))
        outbound = scanners.scan(mail("Never seen, either.\r\n"), User="c@example.org", From="a@example.org")
    finally:
        clamav.start()

    assert (verdict.action, outbound.action) == ("soft reject", "soft reject")
    assert verdict.message.startswith("4.7.1")
    assert scanners.scan(mail("Seen now.\r\n")).action != "soft reject"


def test_without_redis_viruses_are_found_all_the_same(household: Household, scanners: Scanners) -> None:
    redis = household.host.cells["redis"]
    redis.child.kill()
    try:
        infected = scanners.scan(VIRUSES["zipped"])
        clean = scanners.scan(mail("Never seen without Redis.\r\n"))
    finally:
        redis.start()

    assert infected.action == "reject"
    assert clean.action != "reject"


def test_redis_is_bounded_and_keeps_what_was_learnt_on_disk(household: Household, scanners: Scanners) -> None:
    redis = household.host.cells["redis"]

    def setting(name: str) -> str:
        return redis.run(["redis-cli", "config", "get", name]).stdout.split()[1]

    assert scanners.rspamd.child.running
    assert setting("maxmemory") == str(256 * 2**20)
    assert setting("maxmemory-policy") == "volatile-ttl"
    assert setting("appendonly") == "yes"


# -- the programs' own checkers -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("dovecot", ["doveconf", "-n", "-c", "/etc/dovecot/dovecot.conf"]),
        ("rspamd", ["rspamadm", "configtest", "-s"]),
        ("clamav", ["clamconf", "--config-dir=/etc/clamav"]),
        ("mariadb", ["mariadbd", "--help", "--verbose"]),
    ],
)
def test_each_configuration_is_accepted_by_its_own_checker(
    household: Household, scanners: Scanners, service: str, command: list[str]
) -> None:
    assert scanners.rspamd.child.running

    done = household.host.cells[service].run(command)

    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("error:", "fatal:", "obsolete", "unknown setting", "unknown variable", "[error]"):
        assert word not in (done.stdout[:2000] + done.stderr).lower()
