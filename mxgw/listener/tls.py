"""The certificate of STARTTLS: from files, read anew when they change; held in memory; or made at start.

Without files a self-signed ECDSA certificate is made: between MTAs TLS is opportunistic (RFC 7435), and an
unverified cipher beats clear text. ECDSA P-256 since its handshake costs half of RSA-2048's.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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

    @property
    def ends_at(self) -> float | None:
        """The Unix time when the certificate in use ends; None where it was made at the start."""

    def context(self) -> ssl.SSLContext:
        """The context to use now."""


class SelfSigned:
    """A certificate for this name, made now, kept in memory."""

    ends_at: float | None = None

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
        self._ends_at: float | None = None
        self._context = self._load()

    @property
    def ends_at(self) -> float | None:
        """When the newest good certificate ends: no client has to come for it to be seen."""
        self.context()
        return self._ends_at

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
        self._ends_at = _end_of(self._paths[0].read_bytes())
        return context


class HeldCertificate:
    """A pair of PEM texts in memory, which ``replace`` exchanges while we run.

    Raises OSError or ssl.SSLError where the first pair cannot be used: a mistake to report at start.
    """

    ends_at: float | None

    def __init__(self, certificate: str, key: str) -> None:
        self._pair = (certificate, key)
        self._context = pem_context(certificate, key)
        self.ends_at = _end_of(certificate.encode())

    def context(self) -> ssl.SSLContext:
        """The context of the newest good pair."""
        return self._context

    def replace(self, certificate: str, key: str) -> str:
        """Use this pair from now on; until when it is valid, "" where it is in use already.

        Raises ValueError where it cannot be used: the pair before it stays.
        """
        if (certificate, key) == self._pair:
            return ""
        try:
            context = pem_context(certificate, key)
        except OSError as error:
            raise ValueError(f"the new TLS certificate cannot be used: {_reason(error)}") from None
        self._pair, self._context = (certificate, key), context
        self.ends_at = _end_of(certificate.encode())
        end = "" if self.ends_at is None else f", valid until {datetime.fromtimestamp(self.ends_at, UTC):%F}"
        return f"a new TLS certificate is in use{end}"


def pem_context(certificate: str, key: str) -> ssl.SSLContext:
    """A server's context out of PEM texts. Raises OSError or ssl.SSLError.

    The ssl module reads files only. Under Linux these are files in memory (memfd_create(2)) that have no
    name, are open to this process alone and gone before this returns: nothing of a key is ever on a disk.
    Systems without them are developers' own: there it is a temporary file of mode 600, gone as soon.
    """
    context = _server_context()
    with ExitStack() as files:
        certificate_path = files.enter_context(_nameless_file(certificate.encode()))
        key_path = files.enter_context(_nameless_file(key.encode()))
        context.load_cert_chain(certificate_path, key_path, password=_no_password)
    return context


@contextmanager
def _nameless_file(octets: bytes) -> Iterator[str]:
    if not hasattr(os, "memfd_create"):
        with tempfile.NamedTemporaryFile() as file:
            file.write(octets)
            file.flush()
            yield file.name
        return
    with os.fdopen(os.memfd_create("pem"), "wb") as memory:
        memory.write(octets)
        memory.flush()
        yield f"/proc/self/fd/{memory.fileno()}"


def _no_password() -> str:
    # Without this OpenSSL asks for it on the terminal, and a server stops at its start.
    raise ssl.SSLError(ssl.SSL_ERROR_SSL, "the key has a password; give one without")


def _reason(error: OSError) -> str:
    reason = getattr(error, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return "certificate and key do not belong together"
    return reason or str(error)


def _end_of(pem: bytes) -> float | None:
    """When the first certificate ends, as Unix time; None where that cannot be told."""
    try:
        return x509.load_pem_x509_certificate(pem).not_valid_after_utc.timestamp()
    except ValueError:
        # OpenSSL takes some that this library does not; they serve all the same.
        return None


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
    return pem_context(
        certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode("ascii"),
    )
