"""A certificate and its key as PEM: whose it is, until when, whether the two belong together. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from mxgw.admin.refusal import Refused

RENEW_BEFORE = timedelta(days=30)
"""What Let's Encrypt advises for its 90 days: a month in which trouble can be noticed and mended."""

MAX_PEM_OCTETS = 64 * 1024
"""A chain of three certificates is 6 KiB."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A chain, its end entity first, and the key."""

    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Of the end entity; times are UTC."""

    names: tuple[str, ...]
    not_after: datetime
    issuer: str

    def due(self, now: datetime) -> bool:
        """Whether it is time for the next one."""
        return self.not_after - now < RENEW_BEFORE

    def days_left(self, now: datetime) -> int:
        """Whole days; below 0 where it has ended."""
        return (self.not_after - now).days

    def covers(self, name: str) -> bool:
        """Whether it is for a host name (RFC 9525 section 6.3)."""
        return name in self.names or f"*.{name.partition('.')[2]}" in self.names


def facts(certificate: str) -> Facts:
    """Raises Refused where it is no certificate."""
    found = _certificate(certificate)
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = tuple(name.lower() for name in names.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        hosts = ()
    return Facts(hosts, found.not_valid_after_utc, found.issuer.rfc4514_string())


def checked(pair: Pair, name: str, now: datetime) -> Facts:
    """Facts of a pair that may be put to use. Raises Refused: a server with a wrong pair does not start."""
    found = facts(pair.certificate)
    certified = _certificate(pair.certificate).public_key()
    try:
        key = load_pem_private_key(pair.key.encode(), None)
    except (ValueError, TypeError):
        raise Refused("certificate-key-unreadable", failure=True) from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != certified.public_bytes(*form):
        raise Refused("certificate-key-differs", failure=True)
    if not found.covers(name):
        raise Refused("certificate-other-name", failure=True, name=name, names=", ".join(found.names))
    if found.not_after <= now.astimezone(UTC):
        raise Refused("new-certificate-ended", failure=True, name=name)
    return found


def _certificate(text: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(text[:MAX_PEM_OCTETS].encode())[0]
    except (ValueError, IndexError):
        raise Refused("new-certificate-unreadable", failure=True) from None
