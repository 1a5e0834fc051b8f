"""What an SPF check found, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mxgw.msgauth.results import Result

MAX_EXPLANATION_CHARACTERS = 200
"""It may enter a reply line, of which RFC 5321 section 4.5.3.1.5 allows 512 octets."""

MAX_TEXT_CHARACTERS = 200
"""Of terms and problems in results."""

MAX_STEP_CHARACTERS = 1000


class Identity(StrEnum):
    """Which domain was checked; the words are those of Authentication-Results (smtp.mailfrom, smtp.helo)."""

    MAIL_FROM = "mailfrom"
    HELO = "helo"


class StepKind(StrEnum):
    """A question to DNS with its answer, or a term with what came of it."""

    QUESTION = "question"
    TERM = "term"


@dataclass(frozen=True, slots=True)
class SpfStep:
    """One line of the explanation in `mxgw verify`; printable ASCII. ``depth`` counts includes."""

    kind: StepKind
    depth: int
    domain: str
    subject: str
    outcome: str


@dataclass(frozen=True, slots=True)
class SpfResult:
    """What was found. All texts are printable ASCII and short, whatever a stranger's zone holds.

    ``domain`` is the checked one as A-labels, "" where there was none to check. ``term`` is the term that
    matched, of that domain's record or of the one it redirects to, "" where none did; ``explanation`` has the
    domain's own words for a fail; ``problem`` says why there is no definite result. ``unsure``: DNS did not
    answer for a name of the client, which is no match (RFC 7208 section 5.5) and might have been one.
    """

    result: Result
    identity: Identity
    domain: str
    term: str = ""
    explanation: str = ""
    problem: str = ""
    questions: int = 0
    unsure: bool = False


def plain(text: str, characters: int) -> str:
    """Printable ASCII, cut: what a stranger wrote must be harmless in a reply, a log and a field."""
    text = text[:characters]
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if " " <= character <= "~" else "?" for character in text)
