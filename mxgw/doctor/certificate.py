"""What a certificate says of itself: whose it is, for which names, until when. Pure."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

MAX_NAMES = 20
"""Shown of one certificate."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """``names`` are the DNS names of its subjectAltName, lower case (RFC 6125 section 6.4)."""

    names: tuple[str, ...]
    begins: datetime
    ends: datetime
    issuer: str
    self_signed: bool

    def covers(self, host: str) -> bool:
        """Whether it is for this host name; a wildcard stands for one label (RFC 6125 section 6.4.3)."""
        _, dot, parent = host.partition(".")
        return host in self.names or (bool(dot) and f"*.{parent}" in self.names)


def read_certificate(der: bytes) -> CertificateFacts | None:
    """The facts; None where it cannot be read."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        names: list[str] = []
        with contextlib.suppress(x509.ExtensionNotFound):
            alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            names = [name.lower() for name in alternative.value.get_values_for_type(x509.DNSName)]
        return CertificateFacts(
            tuple(names[:MAX_NAMES]),
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
            certificate.issuer.rfc4514_string()[:200],
            certificate.issuer == certificate.subject,
        )
    except ValueError:
        return None
