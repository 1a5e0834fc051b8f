"""A certificate that is in no file: held in memory, exchanged as a pair, never on a disk."""

from __future__ import annotations

import os
import ssl
import tempfile

import pytest

from mxgw.listener.tls import HeldCertificate, SelfSigned
from tests.aws.certificates import make_pair

FIRST = make_pair("first.example")
SECOND = make_pair("second.example", days=30)


def descriptors() -> set[str]:
    return {os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if is_open(name)}


def is_open(name: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{name}")


def test_a_new_pair_is_used_and_its_end_told() -> None:
    held = HeldCertificate(FIRST.certificate, FIRST.key)
    before = held.context()
    assert held.ends_at == FIRST.ends.timestamp()

    told = held.replace(SECOND.certificate, SECOND.key)

    assert held.context() is not before
    assert held.ends_at == SECOND.ends.timestamp()
    assert told == f"a new TLS certificate is in use, valid until {SECOND.ends:%Y-%m-%d}"


def test_the_same_pair_changes_nothing() -> None:
    held = HeldCertificate(FIRST.certificate, FIRST.key)
    before = held.context()

    assert held.replace(FIRST.certificate, FIRST.key) == ""
    assert held.context() is before


@pytest.mark.parametrize(
    ("certificate", "key", "problem"),
    [
        (SECOND.certificate, FIRST.key, "certificate and key do not belong together"),
        ("-----BEGIN CERTIFICATE-----\nhush\n-----END CERTIFICATE-----\n", SECOND.key, "cannot be used"),
        (SECOND.certificate, "-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n", "cannot"),
        ("", "", "cannot be used"),
        (SECOND.certificate, make_pair("x.example", password="hush").key, "the key has a password"),
    ],
)
def test_a_pair_that_cannot_be_used_leaves_the_old_one(certificate: str, key: str, problem: str) -> None:
    held = HeldCertificate(FIRST.certificate, FIRST.key)
    before = held.context()

    with pytest.raises(ValueError) as caught:
        held.replace(certificate, key)

    assert problem in str(caught.value)
    assert "hush" not in str(caught.value)
    assert held.context() is before
    assert held.ends_at == FIRST.ends.timestamp()


def test_a_first_pair_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(ssl.SSLError):
        HeldCertificate(SECOND.certificate, FIRST.key)


def test_no_key_is_ever_in_a_file_and_none_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever makes a temporary file now fails.
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    before = descriptors()

    HeldCertificate(FIRST.certificate, FIRST.key)
    SelfSigned("mx.example.jp")

    assert descriptors() == before
