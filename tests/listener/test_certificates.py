"""STARTTLS: certificates from files, read anew while running; a self-signed one without files."""

from __future__ import annotations

import datetime
import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mxgw.listener.tls import CertificateFiles, SelfSigned
from tests.rig.gateway import Gateway

NOBODY_HOME = "lmtp://127.0.0.1:1"


def write_pair(directory: Path, name: str) -> tuple[Path, Path]:
    """A certificate for this common name, and its key, under fixed file names."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = directory / "cert.pem", directory / "key.pem"
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert_path, key_path


def name_shown_by(address: tuple[str, int]) -> str:
    """The common name in the certificate that STARTTLS shows, after a whole EHLO in it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with smtplib.SMTP(*address, timeout=20) as client:
        client.ehlo()
        client.starttls(context=context)
        client.ehlo()
        assert client.has_extn("requiretls")
        assert not client.has_extn("starttls")
        der = client.sock.getpeercert(binary_form=True)
    assert der
    (common_name,) = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common_name.value)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    cert, key = write_pair(tmp_path, "first.example")
    running = Gateway(NOBODY_HOME, tls_cert=str(cert), tls_key=str(key), checks="none")
    running.start()
    yield running
    running.close()


def test_a_renewed_certificate_is_used_without_a_restart(gateway: Gateway, tmp_path: Path) -> None:
    assert name_shown_by(gateway.smtp) == "first.example"

    write_pair(tmp_path, "second.example")

    shown = name_shown_by(gateway.smtp)
    while shown == "first.example":  # files are looked at once a second
        shown = name_shown_by(gateway.smtp)
    assert shown == "second.example"


def test_without_files_a_self_signed_certificate_bears_our_name() -> None:
    running = Gateway(NOBODY_HOME, hostname="mx.self.example", checks="none")
    try:
        running.start()

        assert name_shown_by(running.smtp) == "mx.self.example"
    finally:
        running.close()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_broken_renewal_keeps_the_old_certificate_and_says_so(tmp_path: Path) -> None:
    clock, said = Clock(), list[str]()
    cert, key = write_pair(tmp_path, "first.example")
    files = CertificateFiles(cert, key, clock=clock, complain=said.append)
    good = files.context()

    cert.write_text("this is no certificate")
    clock.now = 2.0

    assert files.context() is good
    assert len(said) == 1

    write_pair(tmp_path, "second.example")
    clock.now = 4.0

    assert files.context() is not good
    assert len(said) == 1


def test_files_are_looked_at_no_more_than_once_a_second(tmp_path: Path) -> None:
    clock, said = Clock(), list[str]()
    cert, key = write_pair(tmp_path, "first.example")
    files = CertificateFiles(cert, key, clock=clock, complain=said.append)
    good = files.context()

    write_pair(tmp_path, "second.example")
    clock.now = 0.5

    assert files.context() is good


def test_a_pair_that_does_not_match_is_refused_at_start(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    cert, _ = write_pair(one, "one.example")
    _, key = write_pair(other, "other.example")

    with pytest.raises(ssl.SSLError):
        CertificateFiles(cert, key, clock=Clock(), complain=lambda _: None)


def test_a_long_host_name_still_gets_its_certificate() -> None:
    assert SelfSigned(".".join(["a" * 60] * 4)).context()
