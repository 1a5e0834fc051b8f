"""Makes key records that no key generator would make."""

from __future__ import annotations

import base64


def der_length(octets: int) -> bytes:
    if octets < 128:
        return bytes([octets])
    text = octets.to_bytes(4, "big").lstrip(b"\0")
    return bytes([128 + len(text)]) + text


def der(tag: int, content: bytes) -> bytes:
    return bytes([tag]) + der_length(len(content)) + content


def rsa_record(modulus: int, exponent: int) -> bytes:
    """A bare RSAPublicKey, without any care for whether it is a sound one."""
    numbers = [der(2, n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in (modulus, exponent)]
    return b"p=" + base64.b64encode(der(0x30, b"".join(numbers)))
