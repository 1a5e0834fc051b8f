"""Notices as text for people: subject and body, in one language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mxgw.admin.words import Words
from mxgw.watch.finding import Finding
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


def text_of(notices: Sequence[Notice], words: Words) -> tuple[str, str]:
    """Subject and text of one message with these notices, at least one."""
    first = notices[0]
    subject = f"[mxgw] {words(_SIGNS[first.occasion])} {sentence(first.finding, words)}"
    if len(notices) > 1:
        subject = words("watch-subject-more", subject=subject, count=len(notices) - 1)
    return subject, "\n\n".join(_paragraph(one, words) for one in notices) + "\n"


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
