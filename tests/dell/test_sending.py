"""Who may send from the Dell stack, and under whose name."""

from __future__ import annotations

import contextlib
import smtplib
import socket
from collections.abc import Iterator

import pytest

from tests.dell.sendgrid import USER
from tests.dell.sending_house import PASSWORD, SendingHouse, letter
from tests.rig.rspamd import GTUBE

SOURCES = ("127.0.0.1", "127.0.0.2", "127.77.1.9")
"""Every address of loopback is ours in the eyes of ``mynetworks``; none of them may do more for it."""

OWN = {
    "plain": "taro@example.jp",
    "with a name": "Taro Yamada <taro@example.jp>",
    "quoted": '"Yamada, Taro (sales)" <taro@example.jp>',
    "Japanese": "=?UTF-8?B?5bGx55Sw5aSq6YOO?= <taro@example.jp>",
    "Japanese of old": "=?ISO-2022-JP?B?GyRCOzNFREJATzobKEI=?= <taro@example.jp>",
    "raw UTF-8": "山田\uff20営業 <taro@example.jp>",
    "folded": "=?UTF-8?B?5bGx55Sw?=\r\n <taro@example.jp>",
    "capitals": "Taro <Taro@Example.JP>",
    "his address as name": '"taro@example.jp" <taro@example.jp>',
}

FORGED = {
    "a colleague": "Hanako <hanako@example.jp>",
    "a stranger": "Boss <boss@bank.example>",
    "a list with him": "taro@example.jp, boss@bank.example",
    "a list after him": "Taro <taro@example.jp>, Boss <boss@bank.example>",
    "a stranger as name": '"boss@bank.example" <taro@example.jp>',
    "a bare stranger as name": "boss@bank.example <taro@example.jp>",
    "a stranger in a comment": "Taro (boss@bank.example) <taro@example.jp>",
    "a stranger as encoded name": "=?UTF-8?B?Ym9zc0BiYW5rLmV4YW1wbGU=?= <taro@example.jp>",
    "a stranger in full width": "boss\uff20bank.example <taro@example.jp>",
    "two brackets": "<boss@bank.example> <taro@example.jp>",
    "two brackets, other order": "<taro@example.jp> <boss@bank.example>",
    "a source route": "<@bank.example:taro@example.jp>",
    "a group": "Boss: boss@bank.example;",
    "a comment for a local part": "boss(taro@example.jp)@bank.example",
    "an open quote": '"Taro <taro@example.jp>, boss@bank.example',
    "a quoted local part": '"boss@bank.example"@example.jp',
    "an escaped quote": '"Boss \\" <boss@bank.example>" <taro@example.jp>',
    "nobody": "undisclosed:;",
    "empty": "",
    "no domain": "taro",
    "a control character": "boss@bank.example\x00 <taro@example.jp>",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SendingHouse]:
    with SendingHouse(tmp_path_factory.mktemp("sending"), internal_clients="127.0.0.3") as running:
        yield running


def refusal(house: SendingHouse, message: bytes, **more: str) -> tuple[int, str]:
    """The reply that refused a message of taro's after its end."""
    with pytest.raises(smtplib.SMTPDataError) as refused:
        house.send(message, "friend@example.net", **more)
    return refused.value.smtp_code, refused.value.smtp_error.decode()


def test_postfix_has_nothing_to_say_about_the_configuration(house: SendingHouse) -> None:
    assert house.postfix.check() == ""


@pytest.mark.parametrize("implicit", [False, True], ids=["587", "465"])
def test_a_users_mail_reaches_the_relay_under_tls_and_with_the_key(
    house: SendingHouse, implicit: bool
) -> None:
    recipient = f"friend-{implicit}@example.net"

    with house.login("taro", implicit=implicit) as client:
        client.sendmail("taro@example.jp", [recipient], letter())

    relayed = house.relay.wait_for(recipient)
    assert relayed.tls
    assert relayed.login == USER
    assert relayed.sender == "taro@example.jp"


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("implicit", [False, True], ids=["587", "465"])
@pytest.mark.parametrize("sender", ["taro@example.jp", "postmaster@example.jp", "x@example.net", ""])
def test_nobody_sends_without_a_login(house: SendingHouse, source: str, implicit: bool, sender: str) -> None:
    before = len(house.relay.taken)

    with house.connect(implicit=implicit, source=source) as client:
        for recipient in (
            "victim@example.net",
            "victim%example.net@example.jp",
            "@example.jp:victim@example.net",
            '"victim@example.net"@example.jp',
            "victim!example.net@example.jp",
            "taro@example.jp",
        ):
            client.mail(sender)
            code, _ = client.rcpt(recipient)
            assert code in (501, 550, 553, 554), recipient
            client.rset()

    assert len(house.relay.taken) == before
    assert house.postfix.waiting() == 0


def test_a_password_never_travels_in_the_clear(house: SendingHouse) -> None:
    with smtplib.SMTP("127.0.0.1", house.postfix.submission_port, timeout=30) as client:
        client.ehlo()

        offered = set(client.esmtp_features)
        code, _ = client.docmd("MAIL FROM:<taro@example.jp>")

    assert "auth" not in offered
    assert code == 530


def test_port_465_speaks_tls_from_the_first_octet(house: SendingHouse) -> None:
    with socket.create_connection(("127.0.0.1", house.postfix.submissions_port), timeout=30) as plain:
        plain.sendall(b"EHLO client\r\n")

        answer = b""
        with contextlib.suppress(ConnectionResetError):
            answer = plain.recv(100)

    assert not answer.startswith(b"220")


def test_a_wrong_password_is_refused(house: SendingHouse) -> None:
    with house.connect() as client, pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        client.login("taro@example.jp", PASSWORD + "x")

    assert refused.value.smtp_code == 535


@pytest.mark.parametrize(
    "sender", ["taro@example.jp", "TARO@example.jp", "taro+shop@example.jp", "sales@example.jp"]
)
def test_a_user_sends_from_his_addresses(house: SendingHouse, sender: str) -> None:
    recipient = f"{sender.replace('@', '.')}@example.net"

    house.send(letter(author=f"Taro <{sender}>"), recipient, sender=sender)

    assert house.relay.wait_for(recipient).sender == sender


@pytest.mark.parametrize(
    "sender", ["hanako@example.jp", "info@example.jp", "nobody@example.jp", "taro@example.net"]
)
def test_a_user_sends_from_no_other_address(house: SendingHouse, sender: str) -> None:
    with house.login("taro") as client:
        client.mail(sender)

        code, text = client.rcpt("friend@example.net")

    assert code == 553
    assert b"Send from your own address" in text


@pytest.mark.parametrize("author", OWN.values(), ids=OWN)
def test_from_may_be_the_users_own_in_every_usual_form(house: SendingHouse, author: str) -> None:
    house.send(letter(author=author), "friend@example.net")


@pytest.mark.parametrize("author", FORGED.values(), ids=FORGED)
def test_from_may_not_show_anybody_else(house: SendingHouse, author: str) -> None:
    code, text = refusal(house, letter(author=author))

    assert code in (550, 554)
    assert "From must be your own address" in text or "null" in text.lower()


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ("From: Boss <boss@bank.example>\r\n", "From"),
        ("fRoM: taro@example.jp\r\n", "From"),
        ("Sender: boss@bank.example\r\n", "Sender"),
        ("Resent-From: boss@bank.example\r\n", "Resent-From"),
    ],
)
def test_no_second_field_says_otherwise(house: SendingHouse, more: str, field: str) -> None:
    code, text = refusal(house, letter(more=more))

    assert code in (550, 554)
    assert f"{field} must be your own address" in text


def test_a_read_receipt_with_the_null_reverse_path_bears_the_users_own_name(house: SendingHouse) -> None:
    house.send(letter(), "friend-of-receipts@example.net", sender="")
    code, _ = refusal(house, letter(author="hanako@example.jp"), sender="")

    assert house.relay.wait_for("friend-of-receipts@example.net").sender == ""
    assert code in (550, 554)


def test_an_alias_in_from_needs_the_same_reverse_path(house: SendingHouse) -> None:
    """Mail programs set both; who sets one only is told so."""
    code, _ = refusal(house, letter(author="sales@example.jp"))

    assert code in (550, 554)


def test_what_rspamd_calls_spam_does_not_leave(house: SendingHouse) -> None:
    code, _ = refusal(house, letter(text=f"{GTUBE}\r\n"))

    assert code in (550, 554)


def test_vacation_replies_leave_by_their_own_door(house: SendingHouse) -> None:
    with smtplib.SMTP(
        "127.0.0.1", house.internal_port, timeout=30, source_address=("127.0.0.3", 0)
    ) as client:
        client.sendmail("taro@example.jp", ["writer@example.net"], letter())
        client.mail("boss@bank.example")
        forged, _ = client.rcpt("writer@example.net")

    assert house.relay.wait_for("writer@example.net").sender == "taro@example.jp"
    assert forged == 554


@pytest.mark.parametrize("source", SOURCES)
def test_nobody_else_uses_that_door(house: SendingHouse, source: str) -> None:
    with smtplib.SMTP("127.0.0.1", house.internal_port, timeout=30, source_address=(source, 0)) as client:
        client.ehlo()
        client.mail("taro@example.jp")

        code, _ = client.rcpt("victim@example.net")

    assert code == 554


def test_without_the_scanner_nothing_leaves_and_nothing_is_lost(house: SendingHouse) -> None:
    """The client keeps what was not accepted; Postfix says so as early as STARTTLS."""
    assert house.scanner is not None
    house.scanner.kill()

    with pytest.raises(smtplib.SMTPResponseException) as refused:
        house.send(letter(), "patient@example.net")

    house.scanner.launch()
    house.wait_for_scanner()
    assert refused.value.smtp_code in (451, 454)
    assert house.postfix.waiting() == 0
    house.send(letter(), "patient@example.net")
    house.relay.wait_for("patient@example.net")


def test_without_the_database_the_answer_is_try_again(house: SendingHouse) -> None:
    house.database.kill()
    try:
        with house.login("taro") as client:
            client.mail("taro@example.jp")
            code, _ = client.rcpt("friend@example.net")
    finally:
        house.database.start()

    assert code == 451
