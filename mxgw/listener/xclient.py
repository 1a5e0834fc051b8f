"""XCLIENT: a peer that we trust says whose mail it passes on. Pure: an argument in, values or a reply out.

Sources: Postfix' XCLIENT_README (syntax, ``[UNAVAILABLE]``, the greeting that follows), RFC 3461 section 4
(xtext), Dovecot 2.3 (SESSION; an attribute that is not named keeps its value).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from mxgw.envelope import Client
from mxgw.listener.admission import Address, unmapped
from mxgw.listener.settings import XCLIENT_ATTRIBUTES
from mxgw.reply import Reply

MAX_VALUE_CHARACTERS = 255
"""Of a HELO domain or a session's name: RFC 5321 section 4.5.3.1.2 ends a domain there."""

BAD_ATTRIBUTE = Reply.of(501, "5.5.4", "XCLIENT takes ADDR, PORT, PROTO, HELO and SESSION, each once #M25")
BAD_VALUE = Reply.of(501, "5.5.4", "An XCLIENT attribute has no such value #M25")
NOT_TRUSTED = Reply.of(550, "5.7.0", "XCLIENT is not for you #M25")

_UNKNOWN = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]"})
_ATTRIBUTE = re.compile(r"([A-Za-z]{1,16})=([!-~]+)")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_OCTET = re.compile(rb"\+([0-9A-F]{2})")
_PORT = re.compile(r"[0-9]{1,5}")
_PROTOCOLS = {"SMTP": False, "ESMTP": True, "LMTP": True}


@dataclass(frozen=True, slots=True)
class Named:
    """The client that a peer named. None and "" where it did not say.

    ``session`` is what the peer calls the session or the transaction.
    """

    address: Address | None = None
    port: int | None = None
    helo: str = ""
    extended: bool | None = None
    session: str = ""


def origin(peer: Client, named: Named) -> Client:
    """Whose mail ``peer`` passes on; for what it did not say it stands itself."""
    return Client(
        peer.address if named.address is None else named.address,
        peer.port if named.port is None else named.port,
        named.helo or peer.helo,
        peer.extended if named.extended is None else named.extended,
        session=named.session,
    )


def parse_xclient(argument: bytes, before: Named | None = None) -> Named | Reply:
    """What follows ``XCLIENT ``; ``before`` is what the peer said earlier. Total."""
    words = argument.decode("latin-1").split()
    attributes: dict[str, str] = {}
    for word in words:
        match = _ATTRIBUTE.fullmatch(word)
        name = match[1].upper() if match else ""
        if not match or name not in XCLIENT_ATTRIBUTES or name in attributes:
            return BAD_ATTRIBUTE
        attributes[name] = match[2]
    if not attributes:
        return BAD_ATTRIBUTE
    named = before or Named()
    for name, text in attributes.items():
        try:
            named = _with(named, name, text)
        except ValueError:
            return BAD_VALUE
    return named


def _with(named: Named, name: str, text: str) -> Named:
    unknown = text.upper() in _UNKNOWN
    match name:
        case "ADDR":
            return replace(named, address=None if unknown else _address(text))
        case "PORT":
            return replace(named, port=None if unknown else _port(text))
        case "PROTO":
            return replace(named, extended=None if unknown else _protocol(text))
        case "HELO":
            return replace(named, helo="" if unknown else _text(text))
        case _:
            return replace(named, session="" if unknown else _text(text))


def _address(text: str) -> Address:
    text = _text(text)
    if text[:5].upper() == "IPV6:":
        address = IPv6Address(text[5:])
        if address.scope_id is not None:
            raise ValueError("a zone says nothing to us")
        return unmapped(address)
    return IPv4Address(text)


def _port(text: str) -> int:
    if not _PORT.fullmatch(text) or int(text) > 65535:
        raise ValueError("no port")
    return int(text)


def _protocol(text: str) -> bool:
    if text.upper() not in _PROTOCOLS:
        raise ValueError("no protocol")
    return _PROTOCOLS[text.upper()]


def _text(xtext: str) -> str:
    if not _XTEXT.fullmatch(xtext):
        raise ValueError("no xtext")
    text = _OCTET.sub(lambda match: bytes((int(match[1], 16),)), xtext.encode("ascii")).decode()
    if not text.isprintable() or not 0 < len(text) <= MAX_VALUE_CHARACTERS:
        raise ValueError("what is no text may not go into a log")
    return text
