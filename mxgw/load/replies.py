"""The replies of a load run: which stage of a session they answer, and how often they came."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

MAX_TEXTS = 200
"""Different refusals of which the text is kept; a server has some ten."""


class Stage(StrEnum):
    """What a reply answers; also where a client hangs up on purpose."""

    CONNECT = "connect"
    HELO = "helo"
    STARTTLS = "starttls"
    RSET = "rset"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    MIDDLE = "middle"
    CONTENT = "content"
    QUIT = "quit"


@dataclass(slots=True)
class Replies:
    """How often which code answered which stage, and the first text of each that was no success."""

    counts: Counter[tuple[Stage, int]] = field(default_factory=Counter)
    texts: dict[tuple[Stage, int], str] = field(default_factory=dict)

    def count(self, stage: Stage, code: int, line: bytes) -> None:
        """Take down a reply; ``line`` is its last line."""
        key = (stage, code)
        self.counts[key] += 1
        if code >= 400 and key not in self.texts and len(self.texts) < MAX_TEXTS:
            self.texts[key] = line[4:].decode(errors="replace").strip()

    def take(self) -> Replies:
        """What was counted since the last time."""
        taken = Replies(Counter(self.counts), dict(self.texts))
        self.counts.clear()
        return taken
