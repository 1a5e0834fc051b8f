"""Notices as text for people: subject and body, in one language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from mxgw.admin.words import Words
from mxgw.watch.finding import Finding, Severity
from mxgw.watch.memory import Notice, Occasion

_SIGNS = {
    Occasion.WORSE: "watch-sign-worse",
    Occasion.BETTER: "watch-sign-better",
    Occasion.RECOVERED: "watch-sign-recovered",
    Occasion.REMINDER: "watch-sign-reminder",
    Occasion.TEST: "watch-sign-test",
}


def clock(at: float) -> str:
    """Unix time as people at this machine read it."""
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M}"


MAX_NOTICES: Final = 10
"""Told in one message, in full; LINE's free plan has 200 messages a month."""


def text_of(notices: Sequence[Notice], words: Words, *, room: int = 0) -> tuple[str, str]:
    """Subject and text of one message with these notices, at least one, the worst first. What goes beyond
    MAX_NOTICES, or does not fit into ``room`` characters (0: any number), is counted."""
    worst = sorted(notices, key=_urgency)
    first = worst[0]
    subject = f"[mxgw] {words(_SIGNS[first.occasion])} {sentence(first.finding, words)}"
    if len(notices) > 1:
        subject = words("watch-subject-more", subject=subject, count=len(notices) - 1)
    paragraphs = [_paragraph(one, words) for one in worst[:MAX_NOTICES]]
    while True:
        left = len(notices) - len(paragraphs)
        more = [words("watch-more", count=left)] if left else []
        text = "\n\n".join([*paragraphs, *more]) + "\n"
        # A single one that is too long is the channel's to cut.
        if not room or len(paragraphs) == 1 or len(subject) + 1 + len(text) <= room:
            return subject, text
        paragraphs.pop()


def _urgency(notice: Notice) -> int:
    return (Severity.BAD, Severity.WARNING, Severity.GOOD).index(notice.finding.severity)


def sentence(finding: Finding, words: Words) -> str:
    """What is so."""
    return words(finding.key, **finding.facts)


def mend(finding: Finding, words: Words) -> str:
    """What to do; "" where there is nothing to do."""
    return words(finding.mend, **finding.facts) if finding.mend else ""


def _paragraph(notice: Notice, words: Words) -> str:
    finding = notice.finding
    lines = [f"{words(_SIGNS[notice.occasion])} {sentence(finding, words)}"]
    if notice.occasion is not Occasion.TEST:
        lines.append(words("watch-since", since=clock(notice.since)))
    lines += [f"  {line}" for line in finding.evidence]
    if what := mend(finding, words):
        lines.append(words("watch-do", text=what))
    return "\n".join(lines)
