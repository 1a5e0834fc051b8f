"""The canary's messages, and what the edge wrote of them. Pure."""

from __future__ import annotations

import email.policy
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.utils import formatdate
from typing import Final, Self

import dkim

FIELD: Final = "X-Canary-Token"
"""Fields that begin with X-MXGW- are the gateway's own, and do not come through."""

_SIGNED: Final = [b"from", b"to", b"subject", b"date", b"message-id", FIELD.lower().encode()]
_RESULT: Final = re.compile(r"\b(dkim|dmarc)=(\w+)")


def genuine(sender: str, recipient: str, token: str, selector: str, key: bytes) -> bytes:
    """Signed with ``key`` for the sender's domain (RFC 6376); unsigned with b""."""
    domain = sender.rpartition("@")[2]
    letter = (
        f"From: mxgw canary <{sender}>\r\nTo: <{recipient}>\r\nSubject: mxgw canary {token}\r\n"
        f"Date: {formatdate()}\r\nMessage-ID: <{token}@{domain}>\r\n{FIELD}: {token}\r\n"
        "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"
        "Sent by mxgw to see whether mail arrives; removed at once.\r\n"
    ).encode()
    if not key:
        return letter
    signature: bytes = dkim.sign(
        letter, selector.encode(), domain.encode(), key, include_headers=_SIGNED,
        canonicalize=(b"relaxed", b"relaxed"),
    )  # fmt: skip
    return signature + letter


def forged(sender: str, recipient: str, token: str, selector: str, key: bytes) -> bytes:
    """The same, changed behind its signature: what somebody sends who has seen a message of ours."""
    return genuine(sender, recipient, token, selector, key).replace(b"removed at once", b"please pay at once")


@dataclass(frozen=True, slots=True)
class Results:
    """What the Authentication-Results of the edge say; ``text`` is the field, "" where there is none."""

    dkim: frozenset[str]
    dmarc: str
    text: str

    @property
    def passed(self) -> bool:
        """Whether the author was proven."""
        return "pass" in self.dkim and self.dmarc in {"pass", "none", ""}

    @classmethod
    def read(cls, message: bytes, authserv_id: str) -> Self:
        """Of the topmost field with that name."""
        parsed = message_from_bytes(message, policy=email.policy.compat32)
        for value in parsed.get_all("Authentication-Results") or []:
            text = " ".join(str(value).split())
            if text.partition(";")[0].split()[:1] == [authserv_id]:
                found = _RESULT.findall(text)
                dmarc = next((result for method, result in found if method == "dmarc"), "")
                return cls(frozenset(result for method, result in found if method == "dkim"), dmarc, text)
        return cls(frozenset(), "", "")
