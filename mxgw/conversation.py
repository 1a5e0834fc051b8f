"""What a channel drives: the shape of a conversation, and the two small ones, handshake and NOOP.

Pure: replies in, octets out. The large one is mxgw/dialogue.py.
"""

from __future__ import annotations

from typing import Protocol

from mxgw import lmtp
from mxgw.outcome import Trouble
from mxgw.reply import Reply


class Conversation(Protocol):
    """What a channel drives: Dialogue, and the handshake below."""

    finished: bool
    odd: bool
    begun: bool

    @property
    def awaits_storage(self) -> bool:
        """No bound on the silence but the deadline."""

    def receive(self, reply: Reply) -> bytes:
        """Take a reply, return what to send."""

    def fail(self, trouble: Trouble) -> None:
        """The connection is gone."""


class Handshake:
    """Greeting and LHLO."""

    awaits_storage = False

    def __init__(self, hostname: str) -> None:
        self.finished = False
        self.odd = False
        self.begun = False
        self.lhlo_reply: Reply | None = None
        self.trouble: Trouble | None = None
        self.detail = ""
        self._hostname = hostname

    def receive(self, reply: Reply) -> bytes:
        """The greeting, then the reply to LHLO."""
        if not reply.positive:
            self.detail = str(reply)
            self.fail(Trouble.GREETING_REFUSED)
        elif not self.begun:
            self.begun = True
            return lmtp.lhlo(self._hostname)
        else:
            self.lhlo_reply = reply
            self.finished = True
        return b""

    def fail(self, trouble: Trouble) -> None:
        """No LMTP here."""
        if not self.finished:
            self.trouble = trouble
            self.odd = True
            self.finished = True


class Noop:
    """One NOOP: is the connection alive?"""

    awaits_storage = False

    def __init__(self) -> None:
        self.finished = False
        self.odd = False
        self.begun = False

    def receive(self, reply: Reply) -> bytes:
        """Any positive reply will do."""
        self.begun = True
        self.odd = not reply.positive
        self.finished = True
        return b""

    def fail(self, _trouble: Trouble) -> None:
        """It is not."""
        self.odd = True
        self.finished = True
