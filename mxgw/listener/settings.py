"""What a door is told: names, limits, deadlines. All bounds on what a stranger controls stand here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Network, IPv6Network

from mxgw.reply import Reply

MAX_COMMAND_OCTETS = 2048
"""RFC 5321 section 4.5.3.1.4 asks for 512, plus what extensions add to MAIL (RFC 1870: 26, RFC 6531: 10,
RFC 4954: 500); long SMTPUTF8 paths need the rest."""

MAX_BUFFERED_OCTETS = 32 * 1024
"""Octets received and not yet taken, at which reading pauses (at twice as many), for commands and content;
a command line longer than this ends the session."""

MAX_UNFLUSHED_OCTETS = 64 * 1024
"""Octets of replies a client may leave unread before we wait for it."""

SMALL_CHUNK_OCTETS = 512
SMALL_CHUNKS_IN_A_ROW = 16
COALESCE_SECONDS = 0.01
"""Content in crumbs costs a wake-up each: after this many small reads in a row we let the kernel gather."""

MAX_PROXY_HEADER_OCTETS = 2048
"""The PROXY protocol specification asks to take 536; balancers add TLVs, certificates among them."""

XCLIENT_ATTRIBUTES = ("ADDR", "PORT", "PROTO", "HELO", "SESSION")
"""What XCLIENT may name at a door, as the door announces it."""

LINGER_SECONDS = 2.0
LINGER_OCTETS = 8 * 1024 * 1024
"""After a refusal that ends the session, what still arrives is read and dropped for so long: closing with
unread octets makes the kernel send a reset, and the client never sees the reply."""


class Deadline(Enum):
    """Seconds per state: RFC 5321 section 4.5.3.2 is a client's table; a server waits as long for it.

    The server's own time-out for the next command is at least 5 minutes (section 4.5.3.2.7).
    """

    PROXY_HEADER = 5.0
    COMMAND = 300.0
    TLS_HANDSHAKE = 30.0
    CONTENT_BLOCK = 180.0
    CONTENT_WHOLE = 3600.0
    """A whole message in an hour: 36 MiB at 10 KiB/s. Slower is no mail, but a held connection."""


class Protocol(Enum):
    """Which protocol a door speaks, as its banner says it."""

    SMTP = "ESMTP"
    LMTP = "LMTP"


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """One door's settings. ``pregreet_seconds`` 0 turns the early-talker test off.

    ``only_from`` are the networks that may talk here at all (None: everybody), ``xclient_from`` those whose
    word on whose mail they pass on is believed (XCLIENT).
    """

    protocol: Protocol
    hostname: str
    max_message_octets: int
    max_recipients: int
    max_messages_per_session: int
    max_commands: int
    max_errors: int
    pregreet_seconds: float
    proxy_from: tuple[IPv4Network | IPv6Network, ...]
    only_from: tuple[IPv4Network | IPv6Network, ...] | None = None
    xclient_from: tuple[IPv4Network | IPv6Network, ...] = ()

    greeting: Reply = field(init=False, repr=False, compare=False)
    helo_reply: Reply = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        banner = Reply(220, "", (f"{self.hostname} {self.protocol.value} mxgw",))
        object.__setattr__(self, "greeting", banner)
        object.__setattr__(self, "helo_reply", Reply(250, "", (self.hostname,)))

    def keywords(self, *, tls_offered: bool, in_tls: bool, xclient: bool = False) -> tuple[str, ...]:
        """The EHLO or LHLO keywords: exactly what this door does."""
        words = [
            "PIPELINING",
            f"SIZE {self.max_message_octets}",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
            "CHUNKING",
        ]
        if tls_offered:
            words.append("STARTTLS")
        if in_tls:
            words.append("REQUIRETLS")
        if self.protocol is Protocol.SMTP:
            words.append(f"LIMITS MAILMAX={self.max_messages_per_session} RCPTMAX={self.max_recipients}")
            words.append("PRDR")
        if xclient:
            words.append(" ".join(("XCLIENT", *XCLIENT_ATTRIBUTES)))
        # RFC 5321 section 4.1.1.1: every optional verb is listed.
        words.append("HELP")
        return tuple(words)
