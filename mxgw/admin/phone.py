"""A profile with which an iPhone, iPad or Mac sets up a mailbox by itself (Apple, Configuration Profile
Reference, com.apple.mail.managed)."""

from __future__ import annotations

import plistlib
import uuid
from dataclasses import dataclass

IMAP_PORT = 993
SUBMISSION_PORT = 465
"""TLS from the first octet (RFC 8314 section 3.3); dell-stack/compose.yaml publishes both."""

_NAMES = uuid.UUID("8d6c0cf5-62f6-4b0c-9d2a-6f2b7fb4c0aa")
"""A name space of our own: the same address gives the same identifiers, so a second profile replaces the
first instead of adding an account."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Whose it is, and where: ``server`` is the home machine's name in the tailnet. ``password`` "": the
    phone asks for it."""

    address: str
    name: str
    server: str
    password: str = ""


def profile(mailbox: Mailbox) -> bytes:
    """The .mobileconfig: a property list in XML."""
    account: dict[str, object] = {
        "PayloadType": "com.apple.mail.managed",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"net.mxgw.mail.{mailbox.address}.account",
        "PayloadUUID": _uuid(mailbox.address, "account"),
        "PayloadDisplayName": mailbox.address,
        "EmailAccountType": "EmailTypeIMAP",
        "EmailAccountDescription": mailbox.address,
        "EmailAccountName": mailbox.name,
        "EmailAddress": mailbox.address,
        **_server("Incoming", mailbox, IMAP_PORT),
        **_server("Outgoing", mailbox, SUBMISSION_PORT),
        "OutgoingPasswordSameAsIncomingPassword": True,
    }
    if mailbox.password:
        account["IncomingPassword"] = mailbox.password
    whole = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"net.mxgw.mail.{mailbox.address}",
        "PayloadUUID": _uuid(mailbox.address, "profile"),
        "PayloadDisplayName": f"Mail: {mailbox.address}",
        "PayloadContent": [account],
    }
    return plistlib.dumps(whole, sort_keys=False)


def _server(side: str, mailbox: Mailbox, port: int) -> dict[str, object]:
    return {
        f"{side}MailServerHostName": mailbox.server,
        f"{side}MailServerPortNumber": port,
        f"{side}MailServerUseSSL": True,
        f"{side}MailServerUsername": mailbox.address,
        f"{side}MailServerAuthentication": "EmailAuthPassword",
    }


def _uuid(address: str, part: str) -> str:
    return str(uuid.uuid5(_NAMES, f"{address} {part}")).upper()
