"""What is looked for: an address, a Message-ID, the id of a transaction, or a fingerprint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mxgw.account import MAX_LOGGED_MESSAGE_ID
from mxgw.trail.attempt import Attempt, folded

MAX_QUERY: Final = 998
"""Characters: a Message-ID is in one line, which RFC 5322 section 2.1.1 bounds."""

MIN_FINGERPRINT: Final = 8
"""Digits of a fingerprint that stand for all of it: shorter ones would be found by chance."""

_FINGERPRINT: Final = re.compile(rf"[0-9a-f]{{{MIN_FINGERPRINT},64}}")
# Nobody escapes these in JSON, so a text of them stands in the log as it is.
_NEVER_ESCAPED: Final = re.compile(r"[A-Za-z0-9@._+=-]+")


@dataclass(frozen=True, slots=True)
class Query:
    """The text that was given, without blanks around it; it may be any of the four."""

    text: str

    @property
    def wanted(self) -> str:
        """As it is compared."""
        return folded(self.text)

    def matches(self, attempt: Attempt) -> bool:
        """Whether this attempt is one that was looked for."""
        wanted = self.wanted
        names = {folded(attempt.reverse_path), attempt.id.lower(), attempt.session.lower()}
        if wanted in names or wanted in attempt.addresses:
            return bool(wanted)
        if attempt.fingerprint.startswith(wanted) and _FINGERPRINT.fullmatch(wanted):
            return True
        logged = folded(attempt.message_id)
        if len(attempt.message_id) >= MAX_LOGGED_MESSAGE_ID:
            return wanted.startswith(logged)
        return bool(wanted) and wanted == logged

    @property
    def terms(self) -> tuple[str, ...]:
        """Texts of which a line has one where it is looked for, if it has it in this spelling.

        () where that cannot be said: look at all lines then.
        """
        bare = self.text.strip().strip("<>")[: MAX_LOGGED_MESSAGE_ID - 2]
        local, at, domain = bare.rpartition("@")
        return searchable(bare, bare.lower(), f"{local}{at}{domain.lower()}")


def parse_query(text: str) -> Query:
    """Raises ValueError where the text cannot be anything that is in a log."""
    query = Query(text.strip())
    if not query.wanted or not query.text.isprintable() or len(query.text) > MAX_QUERY:
        raise ValueError("no address, Message-ID, id or fingerprint")
    return query


def searchable(*texts: str) -> tuple[str, ...]:
    """The texts, each once; () where one of them may look otherwise in a log."""
    if not all(_NEVER_ESCAPED.fullmatch(text) for text in texts):
        return ()
    return tuple(dict.fromkeys(texts))
