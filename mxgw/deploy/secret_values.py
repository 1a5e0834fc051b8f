"""The values of the secrets: what they must look like, and what is missing. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from mxgw.admin.refusal import Refused

MAX_OCTETS = 65536
"""What Secrets Manager takes for one value."""

_TAILSCALE = re.compile(r"tskey-(client|auth)-[A-Za-z0-9-]{8,}(\?[A-Za-z0-9=&.:/-]*)?")
_WEBHOOK = re.compile(r"https://[^\s\"'<>]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A secret that must have a value: the output of the base stack with its ARN, the key of its file in
    the settings, and how a text becomes its value (raises Refused)."""

    output: str
    file: str
    parse: Callable[[str], str]


def tailscale_value(text: str) -> str:
    """An OAuth client secret with what makes its nodes ephemeral and admits them; an auth key as it is."""
    given = text.strip()
    if not _TAILSCALE.fullmatch(given):
        raise Refused("bad-tailscale-secret")
    if given.startswith("tskey-client-") and "?" not in given:
        return f"{given}?ephemeral=true&preauthorized=true"
    return given


def expires(value: str) -> bool:
    """Whether a Tailscale secret is an auth key, which lasts 90 days at most."""
    return value.startswith("tskey-auth-")


def chat_value(service: str) -> Callable[[str], str]:
    """For Slack and Discord the URL of a webhook; for LINE token and recipient, with a space between them."""

    def parse(text: str) -> str:
        given = text.strip()
        if given.startswith("{"):
            return _chat_json(service, given)
        if service == "line":
            token, _, recipient = given.partition(" ")
            if not token or not recipient.strip() or not given.isascii():
                raise Refused("bad-line-secret")
            return json.dumps({"token": token, "to": recipient.strip()})
        if not _WEBHOOK.fullmatch(given):
            raise Refused("bad-webhook", service=service)
        return json.dumps({"url": given})

    return parse


def _chat_json(service: str, text: str) -> str:
    try:
        table = json.loads(text)
    except (ValueError, RecursionError):
        table = None
    needed = {"token", "to"} if service == "line" else {"url"}
    if not isinstance(table, dict) or not needed <= {
        name for name, one in table.items() if isinstance(one, str)
    }:
        raise Refused("bad-line-secret") if service == "line" else Refused("bad-webhook", service=service)
    return json.dumps({name: table[name] for name in sorted(needed)})


def certificate_value(certificate: str, key: str, host: str, now: datetime | None = None) -> str:
    """Both as the task reads them. Raises Refused where they do not fit each other, the name or the day."""
    try:
        chain = x509.load_pem_x509_certificates(certificate.encode())
    except ValueError:
        raise Refused("bad-certificate") from None
    try:
        private = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError):
        raise Refused("bad-certificate-key") from None
    leaf = chain[0]
    if _public(private.public_key()) != _public(leaf.public_key()):
        raise Refused("certificate-key-differs")
    if leaf.not_valid_after_utc <= (now or datetime.now(UTC)):
        raise Refused("certificate-ended", day=f"{leaf.not_valid_after_utc:%Y-%m-%d}")
    names = _names(leaf)
    if not _covers(names, host):
        raise Refused("certificate-other-name", names=", ".join(names) or "-", host=host)
    return json.dumps({"certificate": certificate, "key": key})


def _public(key: object) -> bytes:
    encode: Callable[..., bytes] = key.public_bytes  # type: ignore[attr-defined]
    return encode(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return extension.value.get_values_for_type(x509.DNSName)


def _covers(names: list[str], host: str) -> bool:
    wild = f"*.{host.partition('.')[2]}"
    return any(name.lower() in {host.lower(), wild.lower()} for name in names)


def certificate_complete(value: str) -> bool:
    """Whether a value that is there already has what the task reads."""
    try:
        table = json.loads(value)
    except (ValueError, RecursionError):
        return False
    return isinstance(table, Mapping) and all(
        isinstance(table.get(name), str) and "-----BEGIN" in table[name] for name in ("certificate", "key")
    )
