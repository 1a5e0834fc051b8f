"""The mail that carries a report, ready to be sent: RFC 9990 section 3.5.2.

Written by hand: the fields are few and ASCII, and the Subject must not be folded into encoded words, as
email.policy does with long domains.
"""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Sequence
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from mxgw.reports.events import printable
from mxgw.reports.identity import Reporter, ReportName

if TYPE_CHECKING:
    from datetime import datetime

_TEXT: Final = """\
This is a DMARC aggregate report (RFC 9990) about mail in the name of {domain},
which {receiver} received in this period: {period}.

It is sent because the DMARC record of {domain} asks for it (rua=).
Questions: {email}
"""


def letter(
    packed: bytes, reporter: Reporter, name: ReportName, *, to: Sequence[str], date: datetime
) -> bytes:
    """The message with CRLF line ends. ``packed`` is the compressed report, ``to`` are checked addresses.

    The Message-ID follows from the report, so that a copy which is sent again is known as one.
    """
    # Base64 has no "=" but at its end, and no "_" at all.
    boundary = f"=_{name.report_id}"
    text = _TEXT.format(
        domain=name.domain, receiver=name.receiver, period=name.period, email=_ascii(reporter.email)
    )
    lines = [
        f"Date: {format_datetime(date)}",
        f"From: {_ascii(reporter.email)}",
        f"To: {_folded(to)}",
        f"Message-ID: <{name.report_id}@{name.receiver}>",
        f"Subject: Report Domain: {name.domain}",
        f" Submitter: {name.receiver}",
        f" Report-ID: <{name.report_id}>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        *text.splitlines(),
        f"--{boundary}",
        "Content-Type: application/gzip;",
        f' name="{name.file_name}"',
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: attachment;",
        f' filename="{name.file_name}"',
        "",
        *encodebytes(packed).decode("ascii").splitlines(),
        f"--{boundary}--",
        "",
    ]
    return "\r\n".join(lines).encode("ascii", "replace")


def _folded(addresses: Sequence[str]) -> str:
    return ",\r\n ".join(_ascii(address) for address in addresses)


def _ascii(text: str) -> str:
    """What stands in a field: nothing that could end it."""
    return printable(text).encode("ascii", "replace").decode("ascii")
