"""What ``mxgw trace`` answers: lists and timelines for people, one JSON document for programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from mxgw.cli.terminal import console
from mxgw.cli.trace_sent import judged_sent, sent_facts, show_sent, show_sent_list
from mxgw.cli.trace_show import judged, message_facts, show_list, show_message, stamp, zone_name
from mxgw.trail.moments import Window
from mxgw.trail.search import Found
from mxgw.trail.sent_search import SentFound
from mxgw.trail.words import Speech

MAX_TIMELINES: Final = 5
"""Messages whose timelines are all shown; of more, the list is shown, and one may be chosen."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Mail that came in, and mail that was sent; numbered in this order, from 1."""

    query: str
    window: Window
    found: Found
    sent: SentFound
    now: float

    @property
    def count(self) -> int:
        """How many messages there are."""
        return len(self.found.messages) + len(self.sent.messages)

    def show(self, speech: Speech, *, number: int | None) -> None:
        """The lists where there are several messages, then the timelines; or that of one number."""
        came, went = judged(self.found, now=self.now), judged_sent(self.sent, now=self.now)
        if self.count > 1 and number is None:
            if came:
                show_list(self.query, came, speech)
            if went:
                show_sent_list(self.query, went, speech, before=len(came))
        if number is None and self.count > MAX_TIMELINES:
            console(stderr=True).print(f"mxgw: {speech('choose', count=self.count)}")
            return
        for index, (message, fate) in enumerate(came, 1):
            if number in (None, index):
                show_message(index, message, fate, speech)
        for index, (posted, posted_fate) in enumerate(went, len(came) + 1):
            if number in (None, index):
                show_sent(index, posted, posted_fate, speech)
        console().print(speech("times-in", zone=zone_name(self.now)), style="dim")

    def json(self, speech: Speech, *, number: int | None) -> str:
        """Everything that was found; times in UTC."""
        came, went = judged(self.found, now=self.now), judged_sent(self.sent, now=self.now)
        counts = self.found.counts
        document = {
            "query": self.query,
            "since": stamp(self.window.since),
            "until": stamp(self.window.until),
            "lines": counts.lines,
            "transactions": counts.events,
            "unreadable": counts.unreadable,
            "cut": self.found.cut or self.sent.cut,
            "messages": [
                message_facts(index, message, fate, speech)
                for index, (message, fate) in enumerate(came, 1)
                if number in (None, index)
            ],
            "sent": [
                sent_facts(index, posted, posted_fate, speech)
                for index, (posted, posted_fate) in enumerate(went, len(came) + 1)
                if number in (None, index)
            ],
        }
        return json.dumps(document, indent=2)
