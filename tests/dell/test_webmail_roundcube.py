"""Roundcube as a reader sees it, in a real browser and in Japanese."""

from __future__ import annotations

import email
import email.policy
import imaplib
import os
import smtplib
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.dell.browser import Browser
from tests.dell.household import DOMAIN, PASSWORD, Household
from tests.dell.webmail_house import STACK, VIRUS, Webmail

NEW_PASSWORD = "another horse 2"
FOLDERS = ["受信箱", "下書き", "送信済み", "迷惑メール", "ごみ箱", "アーカイブ"]
FILES = "#uploadformInput"


@pytest.fixture(scope="module")
def house() -> Iterator[Household]:
    with Household() as running:
        running.add("taro", "hanako", "jiro")
        yield running


@pytest.fixture(scope="module")
def webmail(house: Household) -> Iterator[Webmail]:
    with Webmail(house) as running:
        yield running


@pytest.fixture(scope="module")
def window(webmail: Webmail) -> Iterator[Browser]:
    with webmail.browser() as browser:
        yield browser


@pytest.fixture
def page(window: Browser, webmail: Webmail) -> Iterator[Browser]:
    """The window with nobody logged in. What scripts or rules of the page complain of fails the test."""
    window.forget()
    window.complaints.clear()
    yield window
    assert window.complaints == []
    assert webmail.errors() == ""


def log_in(page: Browser, webmail: Webmail, user: str, password: str = PASSWORD) -> None:
    page.open(webmail.url)
    page.fill("#rcmloginuser", f"{user}@{DOMAIN}")
    page.fill("#rcmloginpwd", password)
    page.click("#rcmloginsubmit")


def open_inbox(page: Browser, webmail: Webmail, user: str) -> None:
    log_in(page, webmail, user)
    page.wait("window.rcmail && rcmail.task === 'mail' && document.querySelector('#mailboxlist li')")
    # What it still asks for would meet the next page in the same session.
    page.wait("!rcmail.busy && jQuery.active === 0")


def test_the_first_page_is_japanese_and_bears_no_makers_name(page: Browser, webmail: Webmail) -> None:
    page.open(webmail.url)

    assert page.value("document.title").startswith("ウェブメール")
    assert page.value("document.documentElement.lang") == "ja"
    assert page.text("#rcmloginsubmit") == "ログイン"
    assert "roundcube" not in page.text().lower()


def test_a_wrong_password_is_refused_in_japanese(page: Browser, webmail: Webmail) -> None:
    log_in(page, webmail, "jiro", "wrong")

    page.wait("document.querySelector('#messagestack')?.innerText.includes('ログインできませんでした')")
    # The browser notes the 401, and Roundcube the failure.
    page.complaints.clear()
    assert "Login failed for jiro@example.jp" in webmail.errors()
    webmail.forget_errors()


def test_folders_are_those_of_the_phone_under_japanese_names(page: Browser, webmail: Webmail) -> None:
    open_inbox(page, webmail, "taro")

    names = page.value(
        "[...document.querySelectorAll('#mailboxlist > li > a')].map(one => one.innerText.trim())"
    )

    assert names == FOLDERS


def test_a_message_in_iso_2022_jp_is_read_and_answered_with_a_file(
    page: Browser, webmail: Webmail, house: Household, tmp_path: Path
) -> None:
    house.deliver(japanese_letter(), "taro", sender="hanako@example.net")
    picture = tmp_path / "写真 一.bin"
    picture.write_bytes(os.urandom(1000))

    open_inbox(page, webmail, "taro")
    page.wait("document.querySelector('#messagelist')?.innerText.includes('明日の会議について')")
    number = page.value("rcmail.message_list.get_first_row()")
    page.open(f"{webmail.url}?_task=mail&_mbox=INBOX&_uid={number}&_action=show")
    shown = page.text("#messagebody")
    page.open(f"{webmail.url}?_task=mail&_action=compose&_reply_uid={number}&_mbox=INBOX")
    page.wait("window.rcmail && rcmail.env.compose_id && document.querySelector('#composebody')")
    quoted = page.value("document.querySelector('#composebody').value")
    page.fill("#composebody", "承知しました。髙橋・森鷗外・①です。")
    page.choose_files(FILES, picture)
    page.wait("Object.values(rcmail.env.attachments).some(one => one.complete)")
    page.click("button.send")
    page.wait("rcmail.env.action !== 'compose'")

    relayed = webmail.relay.wait_for("hanako@example.net")
    arrived = parsed(relayed.content)
    (sent,) = (parsed(octets) for octets in house.messages("taro", "Sent"))
    assert relayed.tls
    assert relayed.sender == f"taro@{DOMAIN}"
    assert "よろしくお願いします" in shown
    assert "よろしくお願いします" in quoted
    assert arrived["From"].endswith(f"taro@{DOMAIN}")
    assert arrived["Subject"] == "Re: 明日の会議について"
    body, attached = arrived.iter_parts()
    assert "髙橋・森鷗外・①" in body.get_content()
    assert attached.get_filename() == picture.name
    assert attached.get_payload(decode=True) == picture.read_bytes()
    assert sent["Message-ID"] == arrived["Message-ID"]


def parsed(octets: bytes) -> EmailMessage:
    return email.message_from_bytes(octets, policy=email.policy.default)  # type: ignore[return-value]


def japanese_letter() -> bytes:
    text = "太郎様\r\n\r\n明日の会議は十時からです。よろしくお願いします。\r\n".encode("iso-2022-jp")
    return (
        b"From: =?ISO-2022-JP?B?GyRCMlY7UhsoQg==?= <hanako@example.net>\r\nTo: taro@example.jp\r\n"
        b"Subject: =?ISO-2022-JP?B?GyRCTEBGfCROMnE1RCRLJEQkJCRGGyhC?=\r\nMIME-Version: 1.0\r\n"
        b"Message-ID: <jis@example.net>\r\nDate: Tue, 24 Nov 2026 10:00:00 +0900\r\n"
        b"Content-Type: text/plain; charset=ISO-2022-JP\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" + text
    )


@pytest.mark.parametrize(
    ("author", "text", "reason"),
    [
        (f"taro@{DOMAIN}", VIRUS, "virus"),
        ("boss@bank.example", "hello", "From must be your own address"),
        (f'"boss@bank.example" <taro@{DOMAIN}>', "hello", "From must be your own address"),
    ],
    ids=["virus", "forged", "forged name"],
)
def test_the_way_out_is_guarded_by_the_scanner_of_the_stack(
    webmail: Webmail, house: Household, author: str, text: str, reason: str
) -> None:
    message = f"From: {author}\r\nTo: friend@example.net\r\nSubject: x\r\n\r\n{text}\r\n"

    with house.host.inside(), smtplib.SMTP_SSL("127.0.0.1", 465, context=house.trust, timeout=60) as client:
        client.login(f"taro@{DOMAIN}", PASSWORD)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail(f"taro@{DOMAIN}", ["friend@example.net"], message.encode())

    assert refused.value.smtp_code == 554
    assert reason in refused.value.smtp_error.decode()


def test_what_is_too_large_is_said_before_it_travels(page: Browser, webmail: Webmail, tmp_path: Path) -> None:
    album = tmp_path / "album.zip"
    album.write_bytes(b"x" * 21_500_000)
    open_inbox(page, webmail, "taro")
    page.open(f"{webmail.url}?_task=mail&_action=compose")
    page.wait("window.rcmail && rcmail.env.compose_id && document.querySelector('#composebody')")
    limit = page.value("rcmail.env.max_filesize")
    hint = page.text("#compose-attachments")

    page.choose_files(FILES, album)

    page.wait("document.body.innerText.includes('上限(20 MB)を超えました')")
    page.wait("document.body.innerText.includes('共有リンクを本文に書いて')")
    assert limit == 20 * 1024 * 1024
    assert "20 MB" in hint
    assert "共有リンク" in hint


def test_files_that_are_too_large_together_are_refused_with_what_to_do_instead(
    page: Browser, webmail: Webmail, tmp_path: Path
) -> None:
    films = [tmp_path / f"{number}.zip" for number in range(2)]
    for film in films:
        film.write_bytes(b"x" * 11_000_000)
    open_inbox(page, webmail, "taro")
    page.open(f"{webmail.url}?_task=mail&_action=compose")
    page.wait("window.rcmail && rcmail.env.compose_id && document.querySelector('#composebody')")

    page.choose_files(FILES, films[0])
    page.wait("Object.values(rcmail.env.attachments).some(one => one.complete)")
    page.choose_files(FILES, films[1])

    page.wait("document.body.innerText.includes('メッセージの最大サイズ')")
    page.wait("document.body.innerText.includes('共有リンクを本文に書いて')")
    assert page.value("Object.values(rcmail.env.attachments).filter(one => one.complete).length") == 1


def test_a_user_makes_a_vacation_reply(page: Browser, webmail: Webmail, house: Household) -> None:
    open_inbox(page, webmail, "taro")

    page.open(f"{webmail.url}?_task=settings&_action=plugin.managesieve-vacation")
    page.wait("document.querySelector('[name=vacation_reason]')")
    page.fill("[name=vacation_subject]", "休暇中です")
    page.fill("[name=vacation_reason]", "来週お返事します。")
    page.value("document.querySelector('[name=vacation_status]').value = 'on'")
    page.click("button.submit")
    page.wait("document.querySelector('#messagestack')?.innerText.includes('保存しました')")

    script = house.host.data / "mail" / DOMAIN / "taro" / "sieve" / "roundcube.sieve"
    assert 'vacation :subject "休暇中です" "来週お返事します。"' in script.read_text()


def test_a_user_changes_his_password(page: Browser, webmail: Webmail, house: Household) -> None:
    open_inbox(page, webmail, "hanako")
    page.open(f"{webmail.url}?_task=settings&_action=plugin.password")
    page.fill("[name=_curpasswd]", PASSWORD)
    page.fill("[name=_newpasswd]", NEW_PASSWORD)
    page.fill("[name=_confpasswd]", NEW_PASSWORD)
    page.click("button.submit")

    page.wait("document.querySelector('#messagestack')?.innerText.includes('保存しました')")

    house.imap("hanako", NEW_PASSWORD).logout()
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        house.imap("hanako")


@pytest.mark.parametrize("name", ["mxgw.php"])
def test_the_settings_are_php(name: str) -> None:
    done = subprocess.run(
        ["php", "-l", str(STACK / "roundcube" / name)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("key", ["", "too short"])
def test_without_a_key_for_its_sessions_roundcube_does_not_start(key: str) -> None:
    """A key of its own for each start would log everybody out; a known one would let anybody in."""
    done = subprocess.run(
        ["php", "-r", f"include '{STACK / 'roundcube' / 'mxgw.php'}'; echo 'went on';"],
        env={"PATH": os.environ["PATH"], "MAIL_HOSTNAME": "mail.example.jp", "ROUNDCUBE_DES_KEY": key},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "ROUNDCUBE_DES_KEY" in done.stderr
    assert "went on" not in done.stdout
