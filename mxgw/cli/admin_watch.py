"""``mxgw admin watch``: one round of the watch, or what the last one found."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

import click

from mxgw.admin.refusal import Refused
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call, Cell, Json, spoken
from mxgw.cli.admin_waiting import edge_clock
from mxgw.cli.terminal import FAILURE
from mxgw.watch.channels import channels
from mxgw.watch.facts import Containers, Queue
from mxgw.watch.finding import Severity
from mxgw.watch.judge import QUEUE_WARNING_SECONDS
from mxgw.watch.memory import Memory
from mxgw.watch.memory_file import MemoryFile
from mxgw.watch.probes import ALL, look
from mxgw.watch.round import one_round
from mxgw.watch.site import site_of
from mxgw.watch.telling import clock, mend, sentence

PROBE = "probe-"
"""Begins the id of a finding that says whether the watch could look."""

NAMES = {
    Severity.GOOD: "severity-good",
    Severity.WARNING: "severity-warning",
    Severity.BAD: "severity-bad",
}
STYLES = {Severity.GOOD: "green", Severity.WARNING: "yellow", Severity.BAD: "bold red"}


def group(words: Words) -> click.Command:
    """The command."""
    show = click.Option(["--show"], is_flag=True, help=words("option-show"))
    return spoken("watch", words, watch, [show])


def watch(call: Call, show: bool) -> None:
    """One round, told in a table or as JSON; with ``show`` the last one, and exit code 1 where something is
    in trouble. A round that was made is no failure of the timer that made it."""
    file = MemoryFile(site_of(call.environ))
    if show:
        memory = file.load()
        if not memory.at:
            raise Refused("watch-never", failure=True)
    else:
        memory = _round(call, file)
    rows: list[list[Cell]] = []
    facts: list[Json] = []
    for one in memory.findings:
        known = memory.known.get(one.id)
        since = clock(known.since) if known and one.severity is not Severity.GOOD else ""
        text = sentence(one, call.words)
        more = [*(f"  {line}" for line in one.evidence), mend(one, call.words)]
        state = (call.words(NAMES[one.severity]), STYLES[one.severity])
        if not (one.severity is Severity.GOOD and one.id.startswith(PROBE)):
            # That a look was possible is no news to people; programs get it.
            rows.append([one.id, state, "\n".join([text, *(line for line in more if line)]), since])
        facts.append(
            {
                "id": one.id,
                "severity": one.severity.value,
                "finding": one.key,
                "message": text,
                "mend": mend(one, call.words),
                "evidence": list(one.evidence),
                "since": known.since if known else None,
            }
        )
    ok = all(one.severity is not Severity.BAD for one in memory.findings)
    if call.as_json:
        call.print_json({"ok": ok, "at": memory.at, "findings": facts, "pending": len(memory.pending)})
    else:
        call.show(["id", "severity", "sentence", "ill-since"], rows, facts)
        call.say("watch-at", at=clock(memory.at))
    if not ok and show:
        raise SystemExit(FAILURE)


def _round(call: Call, file: MemoryFile) -> Memory:
    """One round. Raises Refused where nothing can be remembered of it: then everything would be told each
    minute."""
    site = site_of(call.environ)
    now = time.time()
    try:
        with file.locked():
            seen = look(site, ALL, now=now)
            done = one_round(
                file.load(),
                seen,
                clock_says=edge_clock(site, now=now),
                channels=channels(site, postfix_well=lambda: _postfix_well(seen, now)),
                words=Words(call.words.language),
                now=now,
                save=file.save,
            )
            file.save(done.memory)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise Refused("watch-unwritable", failure=True, path=str(file.path), why=why) from None
    return done.memory


def _postfix_well(seen: Mapping[str, object], now: float) -> bool:
    states, queue = seen["containers"], seen["queue"]
    return (
        isinstance(states, Containers)
        and isinstance(queue, Queue)
        and (not queue.count or now - queue.oldest_at < QUEUE_WARNING_SECONDS)
        and getattr(states.states.get("postfix"), "state", "") == "running"
    )
