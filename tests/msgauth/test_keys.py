"""Key records: RFC 6376 section 3.6.1, RFC 8301, RFC 8463, and keys made to do harm."""

from __future__ import annotations

import base64
from contextlib import suppress
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from mxgw.msgauth.dkim_tags import TagFault
from mxgw.msgauth.keys import MAX_RECORD_OCTETS, Algorithm, parse_key
from tests.msgauth.dkim_keymaker import rsa_record
from tests.msgauth.dkim_signer import ed25519_key, key_record, raw_signature, rsa_key

DIGEST = sha256(b"octets").digest()
RSA_2048 = key_record(rsa_key()).rpartition("p=")[2]
ED25519 = key_record(ed25519_key()).rpartition("p=")[2]


def fault(record: bytes | str) -> str:
    with pytest.raises(TagFault) as caught:
        parse_key(record.encode() if isinstance(record, str) else record)
    return str(caught.value)


@pytest.mark.parametrize(
    "record",
    [
        f"v=DKIM1; k=rsa; p={RSA_2048}",
        f"p={RSA_2048}",
        f"v=DKIM1;p={RSA_2048};",
        f" v = DKIM1 ; k = rsa ; p = {RSA_2048} ; ",
        f"v=DKIM1; s=email; h=sha1:sha256; t=; n=it's mine; g=*; p={RSA_2048}",
        f"v=DKIM1; s=other : *; p={RSA_2048[:70]} {RSA_2048[70:200]}\r\n\t{RSA_2048[200:]}",
        f"k=rsa; zz=\xff; p={RSA_2048}",
    ],
)
def test_records_that_a_domain_may_publish(record: str) -> None:
    key = parse_key(record.encode("latin-1"))

    assert (key.algorithm, key.bits, key.size_fault) == (Algorithm.RSA_SHA256, 2048, "")
    assert key.verify(raw_signature(rsa_key(), DIGEST), DIGEST)
    assert not key.verify(raw_signature(rsa_key(), sha256(b"other").digest()), DIGEST)


def test_an_ed25519_key_is_32_octets() -> None:
    key = parse_key(f"v=DKIM1; k=ed25519; p={ED25519}".encode())

    assert (key.algorithm, key.bits, key.size_fault) == (Algorithm.ED25519_SHA256, 256, "")
    assert key.verify(raw_signature(ed25519_key(), DIGEST), DIGEST)
    assert not key.verify(bytes(64), DIGEST)
    assert not key.verify(b"short", DIGEST)
    assert not key.verify(b"", DIGEST)


def test_a_bare_rsa_public_key_is_taken_as_well() -> None:
    numbers = rsa_key().public_key().public_numbers()

    key = parse_key(rsa_record(numbers.n, numbers.e))

    assert key.verify(raw_signature(rsa_key(), DIGEST), DIGEST)


def test_flags() -> None:
    both = parse_key(f"t=y:s; p={RSA_2048}".encode())
    spaced = parse_key(f"t= S : unknown ; p={RSA_2048}".encode())

    assert (both.testing, both.exact_domain) == (True, True)
    assert (spaced.testing, spaced.exact_domain) == (False, True)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("", "key record has no key"),
        ("v=DKIM1; k=rsa", "key record has no key"),
        ("v=DKIM1; p=", "key is revoked"),
        ("v=DKIM1; p= ;", "key is revoked"),
        ("v=spf1 include:example.net -all", "key record is of another version"),
        (f"v=DKIM2; p={RSA_2048}", "key record is of another version"),
        (f"v=dkim1; p={RSA_2048}", "key record is of another version"),
        (f"k=rsa; v=DKIM1; p={RSA_2048}", "key record is of another version"),
        (f"k=rsa; k=rsa; p={RSA_2048}", "two tags k="),
        (f"k=rsa;; p={RSA_2048}", "not a list of tags"),
        ("google-site-verification", "not a list of tags"),
        (f"s=tlsrpt; p={RSA_2048}", "key is not for e-mail"),
        (f"h=sha1; p={RSA_2048}", "key is not for SHA-256"),
        (f"k=dsa; p={RSA_2048}", "key is of a kind not known here"),
        (f"k=ed25519; p={RSA_2048}", "p= is not an Ed25519 key"),
        (f"k=rsa; p={ED25519}", "p= is not an RSA key"),
        ("p=AAAA", "p= is not an RSA key"),
        ("p=MIGf*", "p= is not base64"),
        (f"p={RSA_2048[:-1]}", "p= is not base64"),
        (f"p={RSA_2048}; n={'x' * MAX_RECORD_OCTETS}", "key record is too long"),
    ],
)
def test_records_without_a_key_for_us(record: str, reason: str) -> None:
    assert fault(record) == reason


def test_a_key_of_another_kind_in_the_same_wrapping_is_none() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    public = other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    assert fault(b"p=" + base64.b64encode(public)) == "p= is not an RSA key"


@pytest.mark.parametrize(
    ("bits", "size_fault"),
    [
        (512, "key of 512 bits is too short"),
        (1023, "key of 1023 bits is too short"),
        (1024, ""),
        (4096, ""),
        (4097, "key of 4097 bits is too long"),
        (16_384, "key of 16384 bits is too long"),
        (40_000, "key of 40000 bits is too long"),
    ],
)
def test_size_decides_before_any_arithmetic(bits: int, size_fault: str) -> None:
    key = parse_key(rsa_record(2 ** (bits - 1) + 1, 65_537))

    assert (key.bits, key.size_fault) == (bits, size_fault)
    if size_fault:
        with pytest.raises(ValueError, match="bits"):
            key.verify(bytes(bits // 8), DIGEST)
    else:
        assert not key.verify(b"\1" * (bits // 8), DIGEST)


@pytest.mark.parametrize("exponent", [0, 1, 2, 65_536])
def test_an_exponent_that_is_none_makes_no_key(exponent: int) -> None:
    assert fault(rsa_record(2**2047 + 1, exponent)) == "p= is not an RSA key"


@pytest.mark.parametrize("exponent", [2**32 + 1, 2**64 + 1, 2**2000 + 1])
def test_an_exponent_that_makes_verifying_slow_makes_no_key(exponent: int) -> None:
    assert fault(rsa_record(2**2047 + 1, exponent)) == "exponent of the key is too large"


@pytest.mark.parametrize("exponent", [3, 17, 2**32 - 1])
def test_small_odd_exponents_are_fine(exponent: int) -> None:
    assert parse_key(rsa_record(2**2047 + 1, exponent)).size_fault == ""


def test_an_even_modulus_breaks_nothing() -> None:
    key = parse_key(rsa_record(2**2047, 3))

    assert not key.verify(b"\1" * 256, DIGEST)


@settings(deadline=None, max_examples=500)
@given(st.binary(max_size=400))
def test_any_octets_are_a_key_or_a_fault(record: bytes) -> None:
    with suppress(TagFault):
        assert parse_key(record).bits


@settings(deadline=None, max_examples=500)
@given(
    st.lists(st.sampled_from(["v=DKIM1", "k=rsa", "k=ed25519", "t=y", "h=sha256", "s=*", "n=", "", " "])),
    st.sampled_from([RSA_2048, ED25519]),
    st.binary(max_size=3),
    st.integers(0, 400),
)
def test_keys_cut_up_and_altered_are_a_key_or_a_fault(
    tags: list[str], public: str, wedge: bytes, at: int
) -> None:
    octets = base64.b64decode(public)
    text = base64.b64encode(octets[:at] + wedge + octets[at + len(wedge) :]).decode()
    with suppress(TagFault):
        key = parse_key("; ".join([*tags, f"p={text}"]).encode())
        assert key.size_fault or not key.verify(bytes(range(256)), DIGEST)
