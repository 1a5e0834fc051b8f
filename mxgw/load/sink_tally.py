"""What a sink counts: one tally in each process, added up by the parent."""

from __future__ import annotations

import resource
from collections import Counter
from dataclasses import dataclass, field, fields


@dataclass(slots=True)
class Tally:
    """Counts since the start. ``messages`` are contents of which at least one copy was kept, ``copies``
    count each recipient; ``unanswered`` copies were kept and the reply did not go out, on purpose.
    ``altered`` are contents whose body is not the one that their hash field names.
    ``replies`` counts by code, ``acts`` what the script did.
    """

    connections: int = 0
    open_connections: int = 0
    tls: int = 0
    messages: int = 0
    copies: int = 0
    unanswered: int = 0
    refused: int = 0
    deferred: int = 0
    octets: int = 0
    altered: int = 0
    without_id: int = 0
    cpu_seconds: float = 0.0
    peak_rss_octets: int = 0
    replies: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)

    def measure(self) -> None:
        """Take down what this process has used so far."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        self.peak_rss_octets = usage.ru_maxrss * 1024


def total(tallies: list[Tally]) -> Tally:
    """The sum; of peak memory too, since the processes are there together."""
    everything = Tally()
    for tally in tallies:
        for one in fields(Tally):
            setattr(everything, one.name, getattr(everything, one.name) + getattr(tally, one.name))
    return everything
