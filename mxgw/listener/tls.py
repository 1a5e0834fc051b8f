"""The certificate of STARTTLS: from files, read anew when they change, or made at start.

Without files a self-signed ECDSA certificate is made: between MTAs TLS is opportunistic (RFC 7435), and an
unverified cipher beats clear text. ECDSA P-256 since its handshake costs half of RSA-2048's.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CHECK_SECONDS = 1.0
"""Files are looked at no more often than this."""

SELF_SIGNED_DAYS = 825
"""A task lives for weeks at most; clients that look at dates at all see none that is odd."""

MAX_COMMON_NAME = 64
"""RFC 5280 appendix A.1, ub-common-name."""


class Certificates(Protocol):
    """Where a door takes its TLS context from, at each STARTTLS."""

    def context(self) -> ssl.SSLContext:
        """The context to use now."""


class SelfSigned:
    """A certificate for this name, made now, kept in memory."""

    def __init__(self, hostname: str) -> None:
        self._context = _self_signed_context(hostname)

    def context(self) -> ssl.SSLContext:
        """Always the same one."""
        return self._context


class CertificateFiles:
    """PEM files that may be replaced while we run (renewal); a bad pair keeps the last good one in use.

    Raises OSError or ssl.SSLError where the first pair cannot be read: a mistake to report at start.
    """

    def __init__(
        self, certificate: Path, key: Path, *, clock: Callable[[], float], complain: Callable[[str], None]
    ) -> None:
        self._paths = (certificate, key)
        self._clock = clock
        self._complain = complain
        self._looked_at = clock()
        self._seen = self._stamp()
        self._context = self._load()

    def context(self) -> ssl.SSLContext:
        """The context of the newest good pair of files."""
        now = self._clock()
        if now - self._looked_at >= CHECK_SECONDS:
            self._looked_at = now
            self._refresh()
        return self._context

    def _refresh(self) -> None:
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return
            self._seen = stamp
            self._context = self._load()
        except (OSError, ssl.SSLError) as error:
            self._complain(f"the new TLS certificate cannot be used, the old one stays: {error}")

    def _stamp(self) -> tuple[tuple[int, int, int], ...]:
        stats = [path.stat() for path in self._paths]
        return tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats)

    def _load(self) -> ssl.SSLContext:
        context = _server_context()
        context.load_cert_chain(*self._paths)
        return context


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # RFC 8996: nothing below TLS 1.2. No client certificates are asked for.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_NONE
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return context


def _self_signed_context(hostname: str) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:MAX_COMMON_NAME])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=SELF_SIGNED_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(hostname)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = _server_context()
    # The ssl module reads keys from files only: a private temporary one, gone before anything is served.
    handle, path = tempfile.mkstemp()
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
        context.load_cert_chain(path)
    finally:
        Path(path).unlink()
    return context
