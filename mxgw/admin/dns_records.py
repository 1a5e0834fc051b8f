"""The DNS records that a domain of ours needs, ready to be typed into Cloudflare. Pure.

Mail comes in at the edge (MX) and leaves through SendGrid (SPF, DKIM). Programs that read it find the home
machine by two more, which only devices of the tailnet can use.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address

PREFERENCE = 10
SENDGRID = "sendgrid.net"
SELECTORS = ("s1", "s2")
"""What SendGrid's automated security signs with."""

SPF = f"v=spf1 include:{SENDGRID} ~all"

HTTPS_PORT = 443
AUTODISCOVER = "_autodiscover._tcp"
"""Where Outlook looks for the server of its settings (MS-OXDISCO section 3.1.5)."""

AUTODISCOVER_HOST = "autodiscover"
"""Where it looks before that: nothing is to be there, not even we, whose certificate is of another name."""

AUTOCONFIG = "autoconfig"
"""The host that Thunderbird asks for its settings, below the domain of the address."""

POLICY_SECONDS = 604800
"""RFC 8461 section 3.2 wants weeks; a week, so that a mistake is gone in a week."""


class Kind(StrEnum):
    """Types of records."""

    A = "A"
    CNAME = "CNAME"
    MX = "MX"
    SRV = "SRV"
    TXT = "TXT"


class Purpose(StrEnum):
    """What a record is for; the names that the list and the check share."""

    MX = "MX"
    MX_ADDRESS = "MX (A)"
    SPF = "SPF"
    DKIM = "DKIM"
    RETURN_PATH = "Return-Path"
    DMARC = "DMARC"
    MTA_STS = "MTA-STS"
    MTA_STS_HOST = "MTA-STS (A)"
    TLS_RPT = "TLS-RPT"
    OUTLOOK = "Outlook"
    THUNDERBIRD = "Thunderbird"


@dataclass(frozen=True, slots=True)
class Exchanger:
    """Where mail of the domain is taken in: the edge's name, and its fixed addresses where they are known."""

    host: str
    addresses: tuple[IPv4Address, ...] = ()


@dataclass(frozen=True, slots=True)
class MailHost:
    """The home machine, where programs read and send: its name and its IPv4 address in the tailnet. nginx
    there tells them their settings at HTTPS_PORT, with a certificate for this name alone."""

    name: str
    address: IPv4Address


@dataclass(frozen=True, slots=True)
class Signed:
    """A record that SendGrid asks for, to sign in the name of a domain: ``host`` is its full name."""

    purpose: Purpose
    kind: Kind
    host: str
    content: str


@dataclass(frozen=True, slots=True)
class Record:
    """One record. ``name`` is as Cloudflare wants it, "@" for the domain itself.

    ``exact`` tells whether ``content`` can be copied; where not, it has a part in <brackets> that somebody
    else says (SendGrid, AWS). ``preference`` is the priority of MX and SRV, whose ``content`` is then the
    host, or weight, port and host. ``note`` is a key of the catalogue.
    """

    purpose: Purpose
    kind: Kind
    name: str
    content: str
    note: str
    preference: int | None = None
    exact: bool = True


def wanted_records(
    domain: str,
    exchanger: Exchanger,
    *,
    reports: str,
    now: float,
    selectors: Sequence[str] = SELECTORS,
    signed: Sequence[Signed] = (),
    mail_host: MailHost | None = None,
) -> list[Record]:
    """In the order in which they are set. ``reports`` is the mailbox that reports go to, ``now`` Unix time.
    ``signed`` is what SendGrid has said that it needs; without it, its place is shown. Without ``mail_host``
    the records by which mail programs set themselves up are left out.

    A and MX first: without them nothing arrives.
    """
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(now))
    return [
        *_address_records(domain, exchanger),
        Record(Purpose.MX, Kind.MX, "@", exchanger.host, "note-mx", preference=PREFERENCE),
        Record(Purpose.SPF, Kind.TXT, "@", SPF, "note-spf"),
        *(_signed_records(domain, signed) if signed else _unknown_records(selectors)),
        Record(
            Purpose.DMARC, Kind.TXT, "_dmarc", f"v=DMARC1; p=quarantine; rua=mailto:{reports}", "note-dmarc"
        ),
        Record(Purpose.TLS_RPT, Kind.TXT, "_smtp._tls", f"v=TLSRPTv1; rua=mailto:{reports}", "note-tls-rpt"),
        Record(Purpose.MTA_STS, Kind.TXT, "_mta-sts", f"v=STSv1; id={stamp}", "note-mta-sts"),
        Record(
            Purpose.MTA_STS_HOST,
            Kind.CNAME,
            "mta-sts",
            "<your-worker-or-pages-host>",
            "note-mta-sts-host",
            exact=False,
        ),
        *(_program_records(mail_host) if mail_host else ()),
    ]


def full_name(record: Record, domain: str) -> str:
    """The name of a record with its domain behind it."""
    return domain if record.name == "@" else f"{record.name}.{domain}"


def mta_sts_policy(exchanger: Exchanger) -> str:
    """The text of https://mta-sts.DOMAIN/.well-known/mta-sts.txt (RFC 8461 section 3.2)."""
    return f"version: STSv1\r\nmode: testing\r\nmx: {exchanger.host}\r\nmax_age: {POLICY_SECONDS}\r\n"


def _address_records(domain: str, exchanger: Exchanger) -> list[Record]:
    """Of the edge's name, where it belongs to this domain; the edge of another domain has them there."""
    if exchanger.host != domain and not exchanger.host.endswith(f".{domain}"):
        return []
    name = exchanger.host.removesuffix(domain).removesuffix(".") or "@"
    if not exchanger.addresses:
        note = "note-mx-address-unknown"
        return [Record(Purpose.MX_ADDRESS, Kind.A, name, "<MxAddressA>", note, exact=False)]
    return [
        Record(Purpose.MX_ADDRESS, Kind.A, name, str(address), "note-mx-address")
        for address in exchanger.addresses
    ]


def _program_records(mail_host: MailHost) -> list[Record]:
    """Outlook is led to the name of the certificate. Thunderbird goes by the host's address: a CNAME would
    lead to a name that exists in the tailnet alone, which resolvers of the internet do not find."""
    service = f"0 {HTTPS_PORT} {mail_host.name}"
    return [
        Record(Purpose.OUTLOOK, Kind.SRV, AUTODISCOVER, service, "note-outlook", preference=0),
        Record(Purpose.THUNDERBIRD, Kind.A, AUTOCONFIG, str(mail_host.address), "note-thunderbird"),
    ]


def _signed_records(domain: str, signed: Sequence[Signed]) -> list[Record]:
    return [
        Record(
            purpose=it.purpose,
            kind=it.kind,
            name=it.host.removesuffix(domain).removesuffix(".") or "@",
            content=it.content,
            note="note-signed",
            preference=PREFERENCE if it.kind is Kind.MX else None,
        )
        for it in signed
    ]


def _unknown_records(selectors: Sequence[str]) -> list[Record]:
    """What SendGrid shows on its own pages."""
    target = f"<u000000.wl000>.{SENDGRID}"
    return [
        *(
            Record(
                Purpose.DKIM,
                Kind.CNAME,
                f"{selector}._domainkey",
                f"{selector}.domainkey.{target}",
                "note-dkim",
                exact=False,
            )
            for selector in selectors
        ),
        Record(Purpose.RETURN_PATH, Kind.CNAME, "<em0000>", target, "note-return-path", exact=False),
    ]
