"""What was seen at the edge, before anybody judges it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

from mxgw.doctor.smtp_talk import Broken
from mxgw.msgauth.iprev import IprevResult
from mxgw.reply import Reply
from mxgw.resolver.answers import Status


class Errand(StrEnum):
    """What a transaction is to show."""

    RELAY = "relay"
    RELAY_AS_OURS = "relay-as-ours"
    POSTMASTER = "postmaster"
    UNKNOWN = "unknown"
    HOME = "home"
    SEND = "send"


@dataclass(frozen=True, slots=True)
class Probe:
    """One transaction: ``content`` is sent for SEND only, all others end before DATA."""

    errand: Errand
    sender: str
    recipient: str
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Probed:
    """The replies, as far as it went. ``broken`` where the session ended in it."""

    probe: Probe
    mail: Reply | None = None
    rcpt: Reply | None = None
    data: Reply | None = None
    final: Reply | None = None
    broken: Broken | None = None


@dataclass(frozen=True, slots=True)
class TlsSeen:
    """STARTTLS: its reply and the handshake.

    ``certificate`` is DER, b"" where there was no handshake; ``distrust`` says why the system does not trust
    it, "" where it does. Names and dates are for whoever judges.
    """

    reply: Reply | None = None
    version: str = ""
    cipher: str = ""
    certificate: bytes = b""
    distrust: str = ""
    broken: Broken | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """One address of the edge. ``hello`` is the answer to EHLO in clear, ``hello_in_tls`` the one behind it;
    ``seconds`` passed until the greeting."""

    address: IPv4Address | IPv6Address
    reverse: IprevResult | None = None
    seconds: float = 0.0
    greeting: Reply | None = None
    hello: Reply | None = None
    hello_in_tls: Reply | None = None
    tls: TlsSeen | None = None
    probed: tuple[Probed, ...] = ()
    broken: Broken | None = None


@dataclass(frozen=True, slots=True)
class EdgeSeen:
    """The edge by its name, and each of its addresses. ``status`` is that of its name in DNS."""

    host: str
    port: int
    status: Status
    visits: tuple[Visit, ...] = ()

    @property
    def place(self) -> str:
        """As --edge has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == SMTP_PORT else f"{host}:{self.port}"


SMTP_PORT = 25
