"""Messages as a person reads them: Japanese as it is really sent, HTML, attachments, and rubbish."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.cli.letter import parse_letter
from mxgw.cli.terminal import plain

JAPANESE = "日本語の本文です。\n二行目。"


def test_iso_2022_jp_is_read() -> None:
    letter = parse_letter(
        b"From: =?ISO-2022-JP?B?GyRCQkBPOhsoQg==?= <taro@example.jp>\r\n"
        b"Subject: =?ISO-2022-JP?B?GyRCJDMkcyRLJEEkTxsoQg==?=\r\n"
        b" =?ISO-2022-JP?B?GyRCQCQzJhsoQg==?=\r\n"
        b'Content-Type: text/plain; charset="ISO-2022-JP"\r\n'
        b"Content-Transfer-Encoding: 7bit\r\n\r\n" + JAPANESE.replace("\n", "\r\n").encode("iso-2022-jp")
    )

    assert letter.sender == "太郎 <taro@example.jp>"
    assert letter.subject == "こんにちは世界"
    assert letter.text == JAPANESE


@pytest.mark.parametrize("charset", ["utf-8", "iso-2022-jp", "cp932", "euc-jp"])
def test_a_raw_japanese_subject_without_a_charset_is_read(charset: str) -> None:
    letter = parse_letter("Subject: 打ち合わせの件\r\n\r\n".encode(charset))

    assert letter.subject == "打ち合わせの件"


@pytest.mark.parametrize("charset", ["", "x-unknown", "us-ascii", "utf-8"])
@pytest.mark.parametrize("really", ["utf-8", "iso-2022-jp", "cp932", "euc-jp"])
def test_a_body_with_a_wrong_charset_is_read(charset: str, really: str) -> None:
    field = f"Content-Type: text/plain; charset={charset}\r\n" if charset else ""
    head = f"Subject: x\r\n{field}Content-Transfer-Encoding: 8bit\r\n\r\n".encode()

    assert parse_letter(head + JAPANESE.encode(really)).text == JAPANESE


def test_what_mail_programs_add_to_iso_2022_jp_is_read() -> None:
    head = b"Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n"

    letter = parse_letter(head + b"\x1b$B-!-j\x1b(B and \x1b(I6@6E\x1b(J!")

    assert letter.text == "①㈱ and ｶﾀｶﾅ!"


def test_html_is_shown_as_text_where_there_is_nothing_else() -> None:
    message = EmailMessage(policy=SMTP)
    message.set_content(
        "<html><head><title>no</title><style>p{}</style></head><body><p>Hello&nbsp;&amp;<br>bye</p></body></html>",
        subtype="html",
    )

    assert parse_letter(message.as_bytes()).text == "Hello &\nbye"


def test_plain_text_is_preferred_and_attachments_are_listed() -> None:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = "添付"
    message.set_content(JAPANESE)
    message.add_alternative("<p>html</p>", subtype="html")
    message.add_attachment(b"\0" * 10, maintype="image", subtype="jpeg", filename="写真.jpg")
    message.add_attachment("text", filename="notes.txt")

    letter = parse_letter(message.as_bytes())

    assert letter.text == JAPANESE
    assert [(it.name, it.content_type, it.octets) for it in letter.attachments] == [
        ("写真.jpg", "image/jpeg", 10),
        ("notes.txt", "text/plain", 6),
    ]


def test_the_head_alone_is_enough_for_a_list() -> None:
    letter = parse_letter(b"Subject: hi\r\nTo: a@b.example\r\n\r\nbody", headers_only=True)

    assert (letter.subject, letter.recipients, letter.text) == ("hi", "a@b.example", "")


def test_control_characters_cannot_steer_a_terminal() -> None:
    assert plain("\x1b[2Jgone\a\r\u202e\tx\n") == "\ufffd[2Jgone\ufffd\ufffd\ufffd x\n"


PIECES = st.sampled_from(
    [
        b"Subject: ",
        b"Content-Type: text/plain; charset=",
        b"Content-Type: multipart/mixed; boundary=x\r\n",
        b"Content-Type: text/html\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"Content-Disposition: attachment; filename*=utf-8''%E5%ff\r\n",
        b"=?utf-8?B?",
        b"=?iso-2022-jp?Q?=1b$B?=",
        b"?=",
        b"Subject: =?utf-8?B?A?=\r\n",
        b"\x1b$B",
        b"--x\r\n",
        b"--x--\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b"<!--[if <![CDATA[ <script &#xffffffff;",
        b"\xff\xfe\x80",
        b"idna",
        b"utf-16",
        b"undefined",
        b"rot13",
    ]
)


@given(
    octets=st.one_of(
        st.binary(max_size=200), st.lists(st.one_of(PIECES, st.binary(max_size=8))).map(b"".join)
    )
)
def test_any_octets_make_a_letter_that_can_be_shown(octets: bytes) -> None:
    letter = parse_letter(octets)

    names = [attachment.name for attachment in letter.attachments]
    for text in (letter.text, *names, *(word for field in letter.fields for word in field)):
        shown = plain(text)
        assert shown.encode().decode() == shown
        assert shown.replace("\n", "").isprintable()
