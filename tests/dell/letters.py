"""Messages of strangers, as their mail programs write them."""

from __future__ import annotations

import base64
import email.utils
import io
import zipfile
from email.header import Header

from tests.dell.household import DOMAIN

ENGLISH = (
    "Dear Mr Tanaka,\r\n\r\nthank you for your order. We ship it tomorrow by noon.\r\n"
    "Please find invoice 20261124-7 at the counter.\r\n\r\nTaro Yamada\r\n"
)


def mail(
    text: str = ENGLISH, *, charset: str = "us-ascii", subject: str = "Your order", more: bytes = b""
) -> bytes:
    """A plain message of a stranger, as mail programs of that charset write it."""
    encoding = "7bit" if charset in ("us-ascii", "iso-2022-jp") else "base64"
    body = text.encode(charset)
    name = "Taro Yamada" if charset == "us-ascii" else "山田太郎"
    fields = {
        "Received": "from mx.example.org (mx.example.org [192.0.2.1]) by edge.example.jp with ESMTPS id 1; "
        + email.utils.formatdate(),
        "From": f"{Header(name, charset).encode()} <a@example.org>",
        "To": f"taro@{DOMAIN}",
        "Subject": Header(subject, charset).encode(),
        "Date": email.utils.formatdate(),
        "Message-ID": email.utils.make_msgid(domain="example.org"),
        "MIME-Version": "1.0",
        "Content-Type": f"text/plain; charset={charset}",
        "Content-Transfer-Encoding": encoding,
    }
    head = "".join(f"{field}: {value}\r\n" for field, value in fields.items()).encode()
    return head + b"\r\n" + (base64.encodebytes(body) if encoding == "base64" else body) + more


def with_part(head: str, content: bytes) -> bytes:
    """A message with a text and one more part."""
    top, _, _ = mail().partition(b"MIME-Version:")
    return (
        top + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\n\r\nhello\r\n--b\r\n"
        + head.encode()
        + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(content).replace(b"\n", b"\r\n")
        + b"--b--\r\n"
    )


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("letter.txt", content)
    return file.getvalue()
