"""What is done with a message for what the content scanner said of it. Pure: values in, a judgement out.

| Rspamd says                                   | the message                                              |
|-----------------------------------------------|----------------------------------------------------------|
| reject, discard                               | 550 5.7.1 (nothing is ever dropped without a word)       |
| soft reject                                   | 451 4.7.1                                                |
| nothing, or its virus scanner said nothing    | 451 4.7.1, or goes on, as the administrator decided      |
| add header, rewrite subject, quarantine       | goes to Junk                                             |
| no action, greylist                           | goes to the inbox; to Junk if the edge said so           |

There is no greylisting here: it needs a memory, and holds up one-time codes. The action "greylist" means a
score between no and some suspicion, after a whole scan, and is no reason to wait. "Soft reject" is a reason:
Rspamd says it where it could not do its work, or was told to by a rule of the administrator's; and where its
own greylisting is on, it says it before it has looked for viruses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mxgw.config import Unscanned
from mxgw.reply import Reply
from mxgw.scanner.answer import Action, Answer, Fault


class Handling(StrEnum):
    """What is done with the message."""

    DELIVER = "deliver"
    JUNK = "junk"
    REJECT = "reject"
    DEFER = "defer"


SPAM = Reply.of(550, "5.7.1", "This message looks like spam and is not accepted #M60")
VIRUS = Reply.of(550, "5.7.1", "A virus was found in this message; it is not accepted #M61")
NOT_NOW = Reply.of(451, "4.7.1", "This message cannot be taken just now; please try again later #M62")
NOT_SCANNED = Reply.of(451, "4.7.1", "The content cannot be checked just now; please try again later #M63")

_JUNK = frozenset({Action.ADD_HEADER, Action.REWRITE_SUBJECT, Action.QUARANTINE})
_REJECT = frozenset({Action.REJECT, Action.DISCARD})


@dataclass(frozen=True, slots=True)
class Judgement:
    """``word`` is what was found, for log and metrics: an action with a hyphen for its blank, or a fault.

    ``reply`` is what the client is told where nothing is delivered, else None.
    """

    handling: Handling
    word: str
    reply: Reply | None = None


def judge(said: Answer | Fault, *, edge_says_junk: bool, unscanned: Unscanned) -> Judgement:
    """The table above. ``edge_says_junk``: the word of the edge, proven by its seal."""
    inbox = Handling.JUNK if edge_says_junk else Handling.DELIVER
    if isinstance(said, Fault):
        return _without_verdict(said, inbox, unscanned)
    word = said.action.value.replace(" ", "-")
    if said.action in _REJECT:
        return Judgement(Handling.REJECT, word, VIRUS if said.virus else SPAM)
    if said.action is Action.SOFT_REJECT:
        return Judgement(Handling.DEFER, word, NOT_NOW)
    handling = Handling.JUNK if said.action in _JUNK else inbox
    if said.virus_scan_failed:
        return _without_verdict(Fault.NO_VIRUS_SCAN, handling, unscanned)
    return Judgement(handling, word)


def _without_verdict(fault: Fault, handling: Handling, unscanned: Unscanned) -> Judgement:
    if unscanned is Unscanned.DEFER:
        return Judgement(Handling.DEFER, fault.value, NOT_SCANNED)
    return Judgement(handling, fault.value)
