"""The envelope: paths and parameters of MAIL and RCPT, parsed once at the door.

Sources: RFC 5321 sections 4.1.1.2, 4.1.1.3 and 4.1.2 (grammar), RFC 6531 section 3.3 (SMTPUTF8 grammar),
RFC 1870 (SIZE), RFC 6152 (BODY), RFC 8689 (REQUIRETLS), draft-hall-prdr-00 (PRDR).

Parsers are total: any octets give a value or the Reply that refuses them, never an exception.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from mxgw.reply import Reply

MAX_LOCAL_PART_OCTETS = 255
"""RFC 5321 section 4.5.3.1.1 asks for 64; senders' VERP and SRS addresses are longer, so we take more."""

MAX_DOMAIN_OCTETS = 255
"""RFC 5321 section 4.5.3.1.2, which is also the limit of the DNS."""

MAX_PATH_OCTETS = 512
"""RFC 5321 section 4.5.3.1.3 asks for 256; room for a long local part and a long domain, no more."""

# RFC 5321 section 4.1.2, extended by RFC 6531 section 3.3 (UTF8-non-ascii in atoms, quoted strings, labels).
# The text holds printable characters only (_decode), so that each class can be written as the ASCII it leaves
# out: a class that spells out the rest of Unicode takes 0.3 s to compile.
_ATOM = r'[^ "(),.:;<>@\[\\\]]+'
_DOT_STRING = rf"{_ATOM}(?:\.{_ATOM})*"
# "<" and ">" are legal in a quoted string and never used: whoever searches for the end of the path the quick
# way would find another address than we do, so such a path is refused.
_QUOTED_STRING = r'"(?:[^"\\<>]|\\[ -;=?-~])*"'
# An underscore is not in the grammar; bounce domains of real senders have it, and refusing them loses mail.
_LET_DIG = r"[^ -/:-@\[-^`{-~]"
_LDH = r"[^ -,./:-@\[-^`{-~]"
_LABEL = rf"{_LET_DIG}(?:{_LDH}{{0,61}}{_LET_DIG})?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_LITERAL = r"\[[0-9A-Za-z.:-]+\]"
_MAILBOX = rf"(?P<local>{_DOT_STRING}|{_QUOTED_STRING})@(?P<domain>{_DOMAIN}|{_LITERAL})"
# Source routes are recognised and ignored: RFC 5321 section 4.1.1.3 and appendix C.
_ROUTE = rf"(?:@{_DOMAIN}(?:,@{_DOMAIN})*:)?"

# Case is ignored where it does not matter only: over the whole of Unicode it costs 0.3 s at start.
_MAIL = re.compile(rf"(?i:FROM):<(?:{_ROUTE}{_MAILBOX})?>(?P<rest>(?: .*)?)", re.DOTALL)
_RCPT = re.compile(
    rf"(?i:TO):<(?:{_ROUTE}{_MAILBOX}|(?P<postmaster>(?i:postmaster)))>(?P<rest>(?: .*)?)", re.DOTALL
)
_PARAMETER = re.compile(r"(?P<keyword>[A-Za-z0-9][A-Za-z0-9-]*)(?:=(?P<value>[!-<>-~]+))?")
_SIZE = re.compile(r"[0-9]{1,20}")
_DOMAIN_ONLY = re.compile(_DOMAIN)
_MAILBOX_ONLY = re.compile(_MAILBOX)

_BAD_MAIL = Reply.of(501, "5.5.4", "Syntax: MAIL FROM:<address> [parameters] #M20")
_BAD_RCPT = Reply.of(501, "5.5.4", "Syntax: RCPT TO:<address> #M20")
_BAD_REVERSE_PATH = Reply.of(501, "5.1.7", "The sender address does not follow RFC 5321 section 4.1.2 #M30")
_BAD_FORWARD_PATH = Reply.of(
    501, "5.1.3", "The recipient address does not follow RFC 5321 section 4.1.2 #M31"
)
# RFC 6531 section 3.5: 550 to MAIL, 553 to RCPT.
_SENDER_NEEDS_SMTPUTF8 = Reply.of(550, "5.6.7", "A non-ASCII address needs the SMTPUTF8 parameter #M32")
_RECIPIENT_NEEDS_SMTPUTF8 = Reply.of(553, "5.6.7", "A non-ASCII address needs the SMTPUTF8 parameter #M32")
_BAD_PARAMETER = Reply.of(501, "5.5.4", "Parameter syntax or value not understood #M26")
_UNKNOWN_PARAMETER = Reply.of(555, "5.5.4", "Parameter not recognised or not implemented #M26")
_REPEATED_PARAMETER = Reply.of(501, "5.5.4", "Parameter given twice #M26")


@dataclass(frozen=True, slots=True)
class ReversePath:
    """Where a failure report would go; ``ReversePath("", "")`` is the null reverse-path ``<>``.

    ``local`` keeps its quotes where the client sent them; ``domain`` keeps its case.
    """

    local: str
    domain: str

    @property
    def null(self) -> bool:
        """Whether this is ``<>``: a failure report or another message that must not bounce."""
        return not self.domain

    @property
    def ascii(self) -> bool:
        """Whether a next hop without SMTPUTF8 can carry it."""
        return (self.local + self.domain).isascii()

    def __str__(self) -> str:
        return "" if self.null else f"{self.local}@{self.domain}"


@dataclass(frozen=True, slots=True)
class ForwardPath:
    """One recipient. ``domain`` is "" only for ``RCPT TO:<postmaster>`` (RFC 5321 section 4.5.1)."""

    local: str
    domain: str

    @property
    def postmaster(self) -> bool:
        """Whether this is postmaster, at any domain or none, in any case of letters."""
        return self.local.strip('"').lower() == "postmaster"

    @property
    def ascii(self) -> bool:
        """Whether a next hop without SMTPUTF8 can carry it."""
        return (self.local + self.domain).isascii()

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}" if self.domain else self.local


NULL_REVERSE_PATH = ReversePath("", "")


class Body(StrEnum):
    """BODY= of RFC 6152 section 2; BINARYMIME is not offered (home would have to convert it)."""

    SEVEN_BIT = "7BIT"
    EIGHT_BIT_MIME = "8BITMIME"


_BODIES = frozenset(body.value for body in Body)


@dataclass(frozen=True, slots=True)
class MailParameters:
    """What the MAIL command said beside the reverse-path. No SIZE gives None."""

    size_octets: int | None = None
    body: Body | None = None
    smtputf8: bool = False
    requiretls: bool = False
    prdr: bool = False


_NO_PARAMETERS = MailParameters()


class MailCommand(NamedTuple):
    """A MAIL command that follows the grammar."""

    reverse_path: ReversePath
    parameters: MailParameters


@dataclass(frozen=True, slots=True)
class Tls:
    """The TLS session that a client talks in."""

    version: str
    cipher: str


@dataclass(frozen=True, slots=True)
class Client:
    """Who is at the other end of a session: address, what it called itself, and how it talks.

    ``address`` is the effective client's (from the PROXY header where one is required).
    ``helo`` is "" until EHLO, HELO or LHLO came; ``extended`` tells EHLO and LHLO from HELO.
    """

    address: IPv4Address | IPv6Address
    port: int
    helo: str = ""
    extended: bool = False
    tls: Tls | None = None
    address_text: str = field(default="", compare=False, repr=False)
    """The address as text, made once per session: it costs as much as parsing a command."""
    session: str = ""
    """What a peer that we trust calls this transaction (XCLIENT's SESSION); "" where it names none."""

    def __post_init__(self) -> None:
        if not self.address_text:
            object.__setattr__(self, "address_text", str(self.address))


@dataclass(slots=True)
class Transaction:
    """One mail transaction, filled in by the door and the gateway as commands arrive.

    ``forward_paths`` are the accepted recipients in the order of their RCPT commands, repeated ones
    repeated; ``refused`` the others with the reply they got. ``started_at`` is Unix time.
    """

    id: str
    client: Client
    reverse_path: ReversePath
    parameters: MailParameters
    started_at: float
    forward_paths: list[ForwardPath] = field(default_factory=list)
    refused: list[tuple[ForwardPath, Reply]] = field(default_factory=list)

    @property
    def deferred(self) -> bool:
        """Whether any RCPT was answered 4xx (policy: no 5xx after DATA then)."""
        return any(reply.transient for _, reply in self.refused)


def parse_mail(argument: bytes, *, extended: bool) -> MailCommand | Reply:
    """Parse what follows ``MAIL `` (RFC 5321 section 4.1.1.2). ``extended``: the client said EHLO."""
    text = _decode(argument)
    if text is None:
        return _BAD_REVERSE_PATH
    if not (match := _MAIL.fullmatch(text)):
        return _BAD_REVERSE_PATH if text.upper().startswith("FROM:") else _BAD_MAIL
    local, domain = match["local"] or "", match["domain"] or ""
    if _too_long(local, domain) or (domain.startswith("[") and not _literal_ok(domain)):
        return _BAD_REVERSE_PATH
    parameters = _parse_mail_parameters(match["rest"], extended=extended)
    if isinstance(parameters, Reply):
        return parameters
    path = ReversePath(local, domain)
    if not parameters.smtputf8 and not text.isascii() and not path.ascii:
        return _SENDER_NEEDS_SMTPUTF8
    return MailCommand(path, parameters)


def parse_rcpt(argument: bytes, *, smtputf8: bool) -> ForwardPath | Reply:
    """Parse what follows ``RCPT `` (RFC 5321 section 4.1.1.3). We offer no RCPT parameter."""
    text = _decode(argument)
    if text is None:
        return _BAD_FORWARD_PATH
    if not (match := _RCPT.fullmatch(text)):
        return _BAD_FORWARD_PATH if text.upper().startswith("TO:") else _BAD_RCPT
    if match["rest"].strip(" "):
        return _UNKNOWN_PARAMETER
    local, domain = match["local"] or match["postmaster"], match["domain"] or ""
    if _too_long(local, domain) or (domain.startswith("[") and not _literal_ok(domain)):
        return _BAD_FORWARD_PATH
    path = ForwardPath(local, domain)
    if not smtputf8 and not text.isascii() and not path.ascii:
        return _RECIPIENT_NEEDS_SMTPUTF8
    return path


def is_domain(text: str) -> bool:
    """Whether ``text`` is a Domain in the sense of RFC 5321 section 4.1.2 (no address literal)."""
    return (
        text.isprintable() and len(text.encode()) <= MAX_DOMAIN_OCTETS and bool(_DOMAIN_ONLY.fullmatch(text))
    )


def parse_mailbox(text: str) -> ForwardPath | None:
    """A bare mailbox such as ``taro@example.jp``, as an administrator types it; None where it is not one."""
    match = _MAILBOX_ONLY.fullmatch(text) if text.isprintable() else None
    if not match or _too_long(match["local"], match["domain"]):
        return None
    if match["domain"].startswith("[") and not _literal_ok(match["domain"]):
        return None
    return ForwardPath(match["local"], match["domain"])


def _decode(argument: bytes) -> str | None:
    try:
        text = argument.decode()
    except UnicodeDecodeError:
        return None
    # Controls, C1 controls and unassigned line separators never belong into an address or a parameter.
    return text if text.isprintable() else None


def _too_long(local: str, domain: str) -> bool:
    if len(local) + len(domain) < 64:  # at most 252 octets, whatever the characters
        return False
    local_octets, domain_octets = len(local.encode()), len(domain.encode())
    return (
        local_octets > MAX_LOCAL_PART_OCTETS
        or domain_octets > MAX_DOMAIN_OCTETS
        or local_octets + domain_octets + len("<@>") > MAX_PATH_OCTETS
    )


def _literal_ok(domain: str) -> bool:
    inner = domain[1:-1]
    try:
        if inner.lower().startswith("ipv6:"):
            return IPv6Address(inner[5:]).scope_id is None
        IPv4Address(inner)
    except ValueError:
        return False
    return True


def _parse_mail_parameters(rest: str, *, extended: bool) -> MailParameters | Reply:
    if not rest:
        return _NO_PARAMETERS
    size: int | None = None
    body: Body | None = None
    flags = {"SMTPUTF8": False, "REQUIRETLS": False, "PRDR": False}
    seen: set[str] = set()
    for word in rest.split():
        if not (match := _PARAMETER.fullmatch(word)):
            return _BAD_PARAMETER
        keyword, value = match["keyword"].upper(), match["value"]
        if not extended:
            return _UNKNOWN_PARAMETER
        if keyword in seen:
            return _REPEATED_PARAMETER
        seen.add(keyword)
        if keyword in flags:
            if value is not None:
                return _BAD_PARAMETER
            flags[keyword] = True
        elif keyword == "SIZE":
            if value is None or not _SIZE.fullmatch(value):
                return _BAD_PARAMETER
            size = int(value)
        elif keyword == "BODY":
            if value is None:
                return _BAD_PARAMETER
            if value.upper() not in _BODIES:
                return _UNKNOWN_PARAMETER
            body = Body(value.upper())
        else:
            return _UNKNOWN_PARAMETER
    return MailParameters(size, body, flags["SMTPUTF8"], flags["REQUIRETLS"], flags["PRDR"])
