"""The test message of ``--send``: marked, so that whoever finds it knows what it is."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

MARK = "X-Doctor-Test"
"""The header field that a filter may look for; fields of the name X-MXGW-... are the gateway's own, and do
not get through it."""


def letter(*, recipient: str, sender_host: str, token: str, now: datetime) -> bytes:
    """The message with CRLF line ends. ``token`` is told in the evidence too, to find it by."""
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["Date"] = format_datetime(now)
    message["From"] = f"mxgw doctor <mxgw-doctor@{sender_host}>"
    message["To"] = recipient
    message["Subject"] = f"mxgw doctor: test {token}"
    message["Message-ID"] = make_msgid(domain=sender_host)
    # RFC 3834 section 5: nobody is to answer it by machine.
    message["Auto-Submitted"] = "auto-generated"
    message[MARK] = token
    message.set_content(
        "This message was sent by `mxgw doctor --send` to see whether mail arrives.\n"
        "It may be deleted.\n"
        "\n"
        "mxgw doctor --send による受信テストです。削除してかまいません。\n"
    )
    return message.as_bytes()
