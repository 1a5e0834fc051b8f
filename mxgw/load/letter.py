"""One message of a load run on its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from mxgw.load.replies import Stage

Piece: TypeAlias = bytes | memoryview


@dataclass(slots=True)
class Letter:
    """A message on its way, and how it went.

    ``pieces`` are the content as it goes over the wire: dot-stuffed for DATA, as it is for BDAT; their sum
    is ``wire_octets``, the message itself has ``octets``. ``codes`` hold the reply that decided for each
    recipient, 0 where none came. ``content_sent``: the end of the content was handed to the connection, so
    that without a reply nobody knows.
    """

    identity: str
    recipients: Sequence[str]
    rcpt_lines: Sequence[bytes]
    pieces: Sequence[Piece]
    octets: int
    wire_octets: int
    hash: str
    body_octets: int
    hang_up: Stage | None = None
    octets_per_second: int = 0
    """How slowly the content is sent; 0: as quickly as it goes."""
    began: float = 0.0
    codes: list[int] = field(init=False)
    answered: bool = False
    content_sent: bool = False
    hung_up: bool = False
    trouble: str = ""
    """Why a reply is missing: "" where none is."""
    retried: bool = False

    def __post_init__(self) -> None:
        self.codes = [0] * len(self.rcpt_lines)

    def start_again(self) -> None:
        """Nothing has come of it: it goes out once more."""
        self.codes = [0] * len(self.rcpt_lines)
        self.answered = self.content_sent = False
        self.trouble = ""
        self.retried = True


def first_octets(pieces: Sequence[Piece], octets: int) -> list[Piece]:
    """The beginning of a content."""
    taken: list[Piece] = []
    for piece in pieces:
        if octets <= 0:
            break
        taken.append(piece[:octets])
        octets -= len(piece)
    return taken
