"""What becomes of an accepted message: relayed, kept and tried again, or reported to its sender."""

from __future__ import annotations

import email
import email.policy
import os
import re
import smtplib
import stat
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.dell.certificates import Authority
from tests.dell.sendgrid import KEY
from tests.dell.sending_house import DATABASE_PASSWORD, HOSTNAME, STACK, SendingHouse, letter, render
from tests.rig.process import wait_until

LIMIT_OCTETS = 30_000_000


@pytest.fixture(scope="module")
def shared_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SendingHouse]:
    with SendingHouse(tmp_path_factory.mktemp("relay"), scan=False) as running:
        yield running


@pytest.fixture
def house(shared_house: SendingHouse) -> Iterator[SendingHouse]:
    """The house with a relay on a good day, and an empty queue afterwards."""
    yield shared_house
    shared_house.relay.refusals.clear()
    shared_house.relay.content_reply = ""
    shared_house.relay.key = KEY
    shared_house.postfix.drain()


def wait_for_delay(house: SendingHouse, reason: str, *, recipient: str = "@") -> None:
    """Until a message in the queue waits for this reason."""

    def waits() -> bool:
        return any(recipient in line and reason in line for line in house.postfix.reasons().splitlines())

    wait_until(waits, seconds=20, what=f"deferred for {reason}")


def report_for(house: SendingHouse, recipient: str) -> EmailMessage:
    """The report that taro got about a recipient."""

    def found() -> list[bytes]:
        wanted = f"Final-Recipient: rfc822; {recipient}".encode()
        return [octets for octets in house.store.messages("taro") if wanted in octets]

    wait_until(lambda: len(found()) == 1, seconds=20, what=f"a report about {recipient}")
    return email.message_from_bytes(found()[0], policy=email.policy.default)  # type: ignore[return-value]


def test_a_message_deferred_by_the_relay_is_relayed_later_and_once(house: SendingHouse) -> None:
    house.relay.refusals["later@example.net"] = "451 4.7.1 try again later"
    house.send(letter(), "later@example.net")
    wait_for_delay(house, "451 4.7.1 try again later")

    house.relay.refusals.clear()
    house.postfix.drain()

    house.relay.wait_for("later@example.net")
    assert sum("later@example.net" in message.recipients for message in house.relay.taken) == 1


def test_a_message_waits_for_a_relay_that_is_off_the_net(house: SendingHouse) -> None:
    house.relay.close()
    house.send(letter(), "offline@example.net")
    wait_for_delay(house, "Connection refused")

    house.relay.start()
    house.postfix.drain()

    house.relay.wait_for("offline@example.net")


def test_what_was_accepted_outlives_a_kill(house: SendingHouse) -> None:
    house.relay.close()
    house.send(letter(), "survivor@example.net")

    house.postfix.kill()
    house.postfix.start()
    house.relay.start()
    house.postfix.drain()

    house.relay.wait_for("survivor@example.net")
    assert sum("survivor@example.net" in message.recipients for message in house.relay.taken) == 1


def test_a_refused_recipient_is_reported_to_the_sender_in_both_languages(house: SendingHouse) -> None:
    house.relay.refusals["gone@example.net"] = "550 5.1.1 no such user"

    house.send(letter(), "gone@example.net")

    report = report_for(house, "gone@example.net")
    assert report["Subject"].startswith("配信できませんでした / Undelivered")
    assert report.get_content_type() == "multipart/report"
    text, status, original = report.iter_parts()
    assert "届けることができませんでした" in text.get_content()
    assert "could not be delivered" in text.get_content()
    assert "550 5.1.1 no such user" in text.get_content()
    assert "Status: 5.1.1" in status.as_string()
    assert original.get_content_type() == "message/rfc822"
    assert all(message.sender for message in house.relay.taken), "a report went out through the relay"


@pytest.mark.parametrize("reply", ["550 5.7.1 from address is no verified identity", "552 5.3.4 too large"])
def test_a_refused_content_is_reported_to_the_sender(house: SendingHouse, reply: str) -> None:
    recipient = f"content-{reply[:3]}@example.net"
    house.relay.content_reply = reply

    house.send(letter(), recipient)

    assert reply[10:] in report_for(house, recipient).as_string()


def test_a_wrong_key_loses_nothing(house: SendingHouse) -> None:
    """An expired API key is the administrator's to mend: mail waits, and is not sent back."""
    house.relay.key = "another key"
    house.send(letter(), "keyed@example.net")
    wait_for_delay(house, "SASL authentication failed")

    house.relay.key = KEY
    house.postfix.drain()

    house.relay.wait_for("keyed@example.net")


def test_a_relay_that_cannot_prove_its_name_gets_neither_key_nor_mail(
    house: SendingHouse, tmp_path: Path
) -> None:
    own = house.relay.pair
    before = (len(house.relay.taken), house.relay.logins_failed)
    impostors = (house.authority.pair("smtp.impostor.example"), Authority(tmp_path).pair("localhost"))

    for number, pair in enumerate(impostors):
        house.relay.close()
        house.relay.pair = pair
        house.relay.start()
        house.send(letter(), f"secret-{number}@example.net")
        wait_for_delay(house, "Server certificate not", recipient=f"secret-{number}@example.net")

    assert (len(house.relay.taken), house.relay.logins_failed) == before
    house.relay.close()
    house.relay.pair = own
    house.relay.start()
    house.postfix.drain()
    house.relay.wait_for("secret-1@example.net")


def test_the_second_relay_takes_over_by_hand_and_by_itself(house: SendingHouse) -> None:
    house.relay.content_reply = "451 4.3.0 outage"
    house.send(letter(), "by-hand@example.net")
    wait_for_delay(house, "451 4.3.0 outage")

    house.postfix.switch(RELAY="second")
    house.postfix.drain()
    house.second.wait_for("by-hand@example.net")

    house.relay.content_reply = ""
    house.postfix.switch(RELAY="automatic")
    house.send(letter(), "first@example.net")
    house.relay.wait_for("first@example.net")
    house.relay.close()
    house.send(letter(), "by-itself@example.net")
    house.second.wait_for("by-itself@example.net")

    house.relay.start()
    house.postfix.switch(RELAY="primary")


def test_mail_between_our_users_stays_in_the_house(house: SendingHouse) -> None:
    before = len(house.relay.taken)

    house.send(letter(), "hanako@example.jp")
    house.send(letter(), "HANAKO+shop@example.jp")

    assert b"hello" in house.store.wait_for("hanako", count=2)
    assert len(house.relay.taken) == before


def test_an_unknown_user_of_ours_is_refused_at_once(house: SendingHouse) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        house.send(letter(), "nobody@example.jp")

    ((code, _),) = refused.value.recipients.values()
    assert code == 550


def test_the_relay_learns_neither_our_addresses_nor_hidden_recipients(house: SendingHouse) -> None:
    more = "Bcc: secret@example.net\r\nX-Originating-IP: 100.64.0.9\r\nReceived: from phone by elsewhere\r\n"

    house.send(letter(more=more), "discreet@example.net")

    content = house.relay.wait_for("discreet@example.net").content
    header = content.partition(b"\r\n\r\n")[0]
    assert b"Bcc" not in header
    assert b"X-Originating-IP" not in header
    assert HOSTNAME.encode() not in header
    assert b"127.0.0.1" not in header
    assert b"Received: from phone" in header


def test_what_a_client_forgot_is_added(house: SendingHouse) -> None:
    house.send(b"From: taro@example.jp\r\nSubject: bare\r\n\r\nhello\r\n", "bare@example.net")

    content = house.relay.wait_for("bare@example.net").content

    assert re.search(rb"^Date: ", content, re.MULTILINE)
    assert re.search(rb"^Message-Id: ", content, re.MULTILINE | re.IGNORECASE)


def test_the_limit_is_said_before_and_after_the_content(house: SendingHouse) -> None:
    with house.login() as client:
        assert int(client.esmtp_features["size"]) == LIMIT_OCTETS
        announced, text = client.mail("taro@example.jp", [f"SIZE={LIMIT_OCTETS + 1}"])
        client.rset()
        client.mail("taro@example.jp")
        client.rcpt("big@example.net")
        arrived, after = client.data(letter(text=("x" * 998 + "\r\n") * 30_500))

    for code, words in ((announced, text), (arrived, after)):
        assert code == 552
        assert b"30 MB" in words
        assert b"20 MB" in words


def test_21_mb_of_files_pass(house: SendingHouse) -> None:
    message = EmailMessage()
    message["From"] = "taro@example.jp"
    message["To"] = "album@example.net"
    message.set_content("photographs")
    message.add_attachment(os.urandom(21_000_000), maintype="image", subtype="jpeg", filename="写真.jpg")

    house.send(message, "album@example.net")

    assert len(house.relay.wait_for("album@example.net").content) > 28_000_000


def volume(log: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """What the stack's counter says of a log."""
    return subprocess.run(
        [str(STACK / "postfix" / "volume")],
        input=log,
        env={"PATH": os.environ["PATH"], "RELAY_NAME": "localhost", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_went_through_the_relay_is_counted_against_the_plan(house: SendingHouse) -> None:
    """Recipients are counted, as SendGrid does; mail inside the house and failures are not."""
    before = house.postfix.log()
    with house.login() as client:
        client.sendmail("taro@example.jp", ["one@example.net", "two@example.net"], letter())
        client.sendmail("taro@example.jp", ["hanako@example.jp"], letter())
    house.relay.wait_for("two@example.net")
    house.postfix.drain()
    log = house.postfix.log().removeprefix(before)

    few, full, over = (volume(log, RELAY_DAILY_LIMIT=limit) for limit in ("3", "2", "1"))

    assert (few.returncode, few.stdout) == (0, "2 of 3 messages in 24 hours (66 %)\n")
    assert (full.returncode, over.returncode) == (2, 2)
    assert "送信数が上限に達しました" in over.stderr


def test_a_warning_comes_at_80_percent() -> None:
    line = "mail postfix/smtp[7]: A1: to=<x@example.net>, relay=localhost[::1]:587, status=sent (ok)\n"

    assert [volume(line * count).returncode for count in (0, 79, 80, 99, 100)] == [0, 0, 1, 1, 2]
    assert "上限に近づいています" in volume(line * 80).stderr


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"RELAY_PASSWORD": ""}, "RELAY_PASSWORD が設定されていません"),
        ({"MAIL_HOSTNAME": ""}, "MAIL_HOSTNAME is not set"),
        ({"DB_PASSWORD": "two\nlines"}, "DB_PASSWORD に改行があります"),
        ({"RELAY": "third"}, "RELAY must be primary, second or automatic"),
        ({"RELAY": "second", "SECOND_RELAY_PASSWORD": ""}, "SECOND_RELAY_PASSWORD is not set"),
        ({"RELAY_HOST": "smtp.sendgrid.net:587"}, "write a relay as [host.name]:587"),
        ({"TLS_CERT_FILE": "/nonexistent"}, "/nonexistent を読めません"),
        ({"INTERNAL_SUBMISSION": "0.0.0.0:10025", "INTERNAL_CLIENTS": "10.0.0.3"}, "one internal address"),
        ({"INTERNAL_SUBMISSION": "10.0.0.4:10025", "INTERNAL_CLIENTS": "10.0.0.0/8"}, "single addresses"),
        ({"INTERNAL_SUBMISSION": "10.0.0.4:10025"}, "INTERNAL_CLIENTS is not set"),
    ],
)
def test_what_is_missing_or_wrong_is_said_at_start(
    house: SendingHouse, tmp_path: Path, environ: dict[str, str], words: str
) -> None:
    done = render({**house.postfix.environ, "CONFIG_DIR": str(tmp_path / "etc"), **environ})

    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "etc").exists()


def test_secrets_lie_in_files_that_others_cannot_read(house: SendingHouse, tmp_path: Path) -> None:
    key = "SG.from-a-file/$(touch x)&\\1'\""
    (tmp_path / "key").write_text(f"{key}\n")
    environ = {**house.postfix.environ, "CONFIG_DIR": str(tmp_path / "etc"), "RELAY_PASSWORD": ""}

    done = render({**environ, "RELAY_PASSWORD_FILE": str(tmp_path / "key")})

    assert done.returncode == 0
    files = {path.name: path for path in (tmp_path / "etc").iterdir()}
    assert files["relay_passwords"].read_text().splitlines()[0] == f"{house.relay.host} apikey:{key}"
    assert stat.S_IMODE(files["relay_passwords"].stat().st_mode) == 0o600
    for name, path in files.items():
        if DATABASE_PASSWORD in path.read_text():
            assert stat.S_IMODE(path.stat().st_mode) == 0o640, name
