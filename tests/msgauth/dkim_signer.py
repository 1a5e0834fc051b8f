"""Signs messages for tests, line by line as RFC 6376 says it, sharing nothing with the verifier.

The caller writes the signature field itself, every blank of it: ``@BH@`` and ``@B@`` stand where the hash of
the body and the signature go. So any layout that a signer may choose can be made.
"""

from __future__ import annotations

import base64
import re
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

PrivateKey = RSAPrivateKey | Ed25519PrivateKey

MESSAGE = (
    b"From: Joe SixPack <joe@football.example.com>\r\n"
    b"To: Suzie Q <suzie@shopping.example.net>\r\n"
    b"Subject: Is dinner  ready?\r\n"
    b"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    b"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
    b"\r\n"
    b"Hi.\r\n"
    b"\r\n"
    b"We lost the game.  Are you hungry yet?\r\n"
    b"\r\n"
    b"Joe. \t\r\n"
    b"\r\n"
)

TAGS = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=sel; h=from:to:subject; bh=@BH@; b=@B@"


@cache
def rsa_key(bits: int = 2048, exponent: int = 65537) -> RSAPrivateKey:
    """A key, the same one each time."""
    return generate_private_key(exponent, bits)


@cache
def ed25519_key() -> Ed25519PrivateKey:
    """A key, the same one each time."""
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def key_record(key: PrivateKey, *, more: str = "") -> str:
    """What the domain publishes; ``more`` are tags before p=, each with its semicolon."""
    if isinstance(key, RSAPrivateKey):
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"v=DKIM1; k=rsa; {more}p={base64.b64encode(public).decode()}"
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; k=ed25519; {more}p={base64.b64encode(public).decode()}"


def private_pem(key: RSAPrivateKey) -> bytes:
    """As dkimpy reads it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def private_seed(key: Ed25519PrivateKey) -> bytes:
    """As dkimpy reads it."""
    return base64.b64encode(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))


def sign(
    message: bytes, key: PrivateKey, tags: str = TAGS, *, name: str = "DKIM-Signature", before: str = " "
) -> bytes:
    """The message with a signature field on top; ``before`` stands between the colon and the tags."""
    header, _, body = message.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", header)
    forms = _tag(tags, "c", "simple/simple").split("/")
    relaxed_header, relaxed_body = forms[0] == "relaxed", forms[-1] == "relaxed" and len(forms) == 2
    hashed_body = canonical_body(body, relaxed=relaxed_body)
    if length := _tag(tags, "l", ""):
        hashed_body = hashed_body[: int(length)]
    tags = tags.replace("@BH@", base64.b64encode(sha256(hashed_body).digest()).decode())
    text = b""
    left = list(fields)
    for wanted in re.split(r"\s*:\s*", _tag(tags, "h", "")):
        for at in range(len(left) - 1, -1, -1):
            if left[at].partition(b":")[0].strip().lower() == wanted.lower().encode():
                text += canonical_field(left.pop(at), relaxed=relaxed_header) + b"\r\n"
                break
    unsigned = re.sub(r"[ \t\r\n]*@B@[ \t\r\n]*", "", tags)
    bare = f"{name}:{before}{unsigned}".encode()
    digest = sha256(text + canonical_field(bare, relaxed=relaxed_header)).digest()
    value = base64.b64encode(raw_signature(key, digest)).decode()
    return f"{name}:{before}{tags.replace('@B@', value)}\r\n".encode() + message


def raw_signature(key: PrivateKey, digest: bytes) -> bytes:
    """Over a SHA-256 digest, as RFC 8463 and RFC 8301 say."""
    if isinstance(key, RSAPrivateKey):
        return key.sign(digest, PKCS1v15(), Prehashed(SHA256()))
    return key.sign(digest)


def canonical_field(field: bytes, *, relaxed: bool) -> bytes:
    """RFC 6376 sections 3.4.1 and 3.4.2, without the CRLF."""
    if not relaxed:
        return field
    name, _, value = field.partition(b":")
    value = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b""))
    return name.strip(b" \t").lower() + b":" + value.strip(b" \t")


def canonical_body(body: bytes, *, relaxed: bool) -> bytes:
    """RFC 6376 sections 3.4.3 and 3.4.4."""
    lines = body.split(b"\r\n")
    if relaxed:
        lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        return b"" if relaxed else b"\r\n"
    return b"\r\n".join(lines) + b"\r\n"


def _tag(tags: str, name: str, default: str) -> str:
    match = re.search(rf"(?:^|;)\s*{name}\s*=([^;]*)", tags)
    return match[1].strip() if match else default
