"""Letters, and who brings them: an edge in tests' hands over LMTP, senders over SMTP."""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message
from itertools import count

from tests.rig.dovecot import Dovecot
from tests.rig.gateway import Event, Gateway
from tests.rig.process import wait_until
from tests.rig.wire import Wire, stuffed

SENDER = "bounce@bank.example"
SENDER_ADDRESS, SENDER_HELO = "203.0.113.5", "mx.bank.example"
_numbers = count(1)


def letter(subject: str, *, more: str = "", body: str = "Hello.\r\n", message_id: str | None = None) -> bytes:
    """A letter with a Message-ID of its own (``message_id`` "" for none). ``more`` goes on top."""
    name = f"<{next(_numbers)}.{abs(hash(subject)):x}@bank.example>" if message_id is None else message_id
    identity = f"Message-ID: {name}\r\n" if name else ""
    return (
        f"{more}From: Bank <news@bank.example>\r\nTo: taro@example.jp\r\nSubject: {subject}\r\n"
        f"Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n{identity}\r\n{body}"
    ).encode()


class Hop(Wire):
    """One LMTP session with a door at home, as an edge has it."""

    def begin(self) -> str:
        """Banner and LHLO; the reply to it."""
        return self.greet("LHLO")

    def names(self, attributes: str) -> None:
        """XCLIENT, and LHLO again."""
        assert self.command(f"XCLIENT {attributes}").startswith("220 ")
        assert self.command("LHLO edge.example.jp").startswith("250-")

    def deliver(self, octets: bytes, *recipients: str, sender: str = SENDER) -> list[str]:
        """One message in one write, as our relay sends it; the replies after the content."""
        lines = [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{path}>" for path in recipients)]
        commands = "".join(f"{line}\r\n" for line in lines).encode()
        self.send(commands + b"BDAT %d LAST\r\n" % len(octets) + octets)
        envelope = [self.reply() for _ in lines]
        assert all(reply.startswith("250") for reply in envelope), envelope
        return [self.reply() for _ in recipients]


def hop(address: tuple[str, int], attributes: str = "") -> Hop:
    """A session that is ready for MAIL."""
    session = Hop(address)
    session.begin()
    if attributes:
        session.names(attributes)
    return session


def bring(address: tuple[str, int], octets: bytes, *recipients: str) -> list[str]:
    """One message in a session of its own, for a client that the session names."""
    with hop(address, f"ADDR={SENDER_ADDRESS} PORT=4000 HELO={SENDER_HELO} PROTO=ESMTP") as session:
        return session.deliver(octets, *(recipients or ("taro@example.jp",)))


def mail(edge: Gateway, octets: bytes, *recipients: str, address: str = SENDER_ADDRESS) -> str:
    """One message to an edge whose clients come by the PROXY protocol; the reply that ended it."""
    with Wire(edge.smtp) as wire:
        wire.send(f"PROXY TCP4 {address} 127.0.0.1 4000 25\r\n".encode())
        assert wire.reply().startswith("220 ")
        wire.command(f"EHLO {SENDER_HELO}")
        wire.command(f"MAIL FROM:<{SENDER}>")
        for path in recipients or ("taro@example.jp",):
            answer = wire.command(f"RCPT TO:<{path}>")
            if not answer.startswith("250"):
                return answer
        assert wire.command("DATA").startswith("354")
        wire.send(stuffed(octets) + b".\r\n")
        return wire.reply()


def stored(home: Dovecot, subject: str, user: str = "taro") -> list[Message]:
    """The copies of a letter in a mailbox."""
    messages = map(message_from_bytes, home.messages(user))
    return [message for message in messages if message["Subject"] == subject]


def account(door: Gateway, octets: bytes) -> Event:
    """The line that a door logs of this letter, its last one: it may come after the reply."""
    name = message_from_bytes(octets)["Message-ID"]

    def found() -> list[Event]:
        return [event for event in door.transactions() if event["message_id"] == name]

    wait_until(lambda: bool(found()), seconds=30, what=f"{name} is in the log")
    return found()[-1]


def held_octets(door: Gateway) -> int:
    """Octets of messages that a door has and has not answered for."""
    for line in door.get("/metrics")[1].decode().splitlines():
        if line.startswith("mxgw_spool_octets "):
            return int(float(line.split()[1]))
    return 0
