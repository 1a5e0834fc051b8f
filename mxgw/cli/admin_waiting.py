"""``mxgw admin waiting``: which mail waits at its sender, out of the log of the edge."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack

import click

from mxgw.admin.refusal import Refused
from mxgw.admin.words import Language, Words
from mxgw.cli.admin_call import Call, Cell, Json, spoken
from mxgw.cli.trace_sources import Files
from mxgw.loglines import LogCounts
from mxgw.trail.attempt import Attempt, AttemptError, parse_attempt
from mxgw.trail.cloudwatch import CloudWatch, CloudWatchRefused
from mxgw.trail.moments import Window
from mxgw.trail.search import Source
from mxgw.trail.words import Speech
from mxgw.watch.facts import Unseen
from mxgw.watch.site import Site, site_of
from mxgw.watch.telling import clock
from mxgw.watch.waiting import LOOK_BACK_SECONDS, Mail, Waiting, waiting

LOG_GROUP = "EDGE_LOG_GROUP"
LOG_FILES = "EDGE_LOG_FILES"
"""For an edge that is no Fargate: paths of its log files."""


def group(words: Words) -> click.Command:
    """The command."""
    group = click.Option(
        ["--log-group", "groups"], multiple=True, metavar="NAME", help=words("option-waiting-group")
    )
    files = click.Argument(["files"], nargs=-1, metavar="[FILE]...")
    return spoken("waiting", words, show, [files, group])


def show(call: Call, files: tuple[str, ...], groups: tuple[str, ...]) -> None:
    """The table, the first to give up on top."""
    if not files and not groups:
        files, groups = _configured(site_of(call.environ))
    if not files and not groups:
        raise Refused("waiting-no-source")
    counts = LogCounts()
    found = read_clock(files, groups, call.words, now=time.time(), counts=counts)
    if found.cut:
        call.warn("waiting-cut")
    if counts.unreadable:
        call.incomplete = True
        call.warn("waiting-unreadable", first=counts.first_unreadable)
    if files and counts.lines and not counts.events:
        # Most likely the log of something else, of which "no mail waits" would say nothing.
        raise Refused("waiting-no-record", failure=True)
    mails = [*found.mails, *found.lost]
    if call.as_json:
        call.print_json(
            {
                "away_since": found.away_since,
                "first_gives_up_at": found.first_gives_up_at,
                "senders": found.senders,
                "arrived": len(found.arrived),
                "mails": [_facts(one) for one in found.mails],
                "lost": [_facts(one) for one in found.lost],
            }
        )
        return
    if found.away_since is not None:
        call.say(
            "watch-away",
            since=clock(found.away_since),
            mails=len(found.mails),
            senders=found.senders,
            give_up=clock(found.first_gives_up_at) if found.first_gives_up_at else "-",
        )
    if not mails and found.arrived:
        call.say("watch-all-arrived", arrived=len(found.arrived))
        return
    if not mails:
        call.say("waiting-none")
        return
    rows: list[list[Cell]] = [
        [
            one.sender or f"<> ({one.client})",
            ", ".join(one.recipients) or "?",
            str(one.attempts),
            clock(one.first_at),
            (clock(one.gives_up_at), "bold red" if one in found.lost else ""),
        ]
        for one in sorted(mails, key=lambda mail: mail.first_at)
    ]
    call.show(["sender", "recipients", "tries", "first", "gives-up"], rows, [])


def edge_clock(site: Site, *, now: float) -> Waiting | Unseen | None:
    """The clock of the site's own log; None where .env names none."""
    files, groups = _configured(site)
    if not files and not groups:
        return None
    for name, value in site.settings.items():
        # The AWS SDK looks for its keys there and nowhere else.
        if name.startswith("AWS_"):
            os.environ.setdefault(name, value)
    try:
        return read_clock(files, groups, Words(Language.EN), now=now)
    except Refused as why:
        return Unseen(" ".join([why.key, *map(str, why.facts.values())]))


def read_clock(
    files: Sequence[str],
    groups: Sequence[str],
    words: Words,
    *,
    now: float,
    counts: LogCounts | None = None,
) -> Waiting:
    """The clock out of files and groups of CloudWatch; raises Refused where one cannot be read. ``counts``
    hears what the logs were made of."""
    counts = counts or LogCounts()
    window = Window(max(0.0, now - LOOK_BACK_SECONDS), now + 1)
    broken: list[str] = []
    logs = Files(
        files,
        complain=lambda path, why: broken.append(f"{path}: {why}"),
        reading=words("waiting-reading"),
    )
    if (missing := logs.missing()) is not None:
        raise Refused("waiting-no-file", path=missing)
    clouds = [CloudWatch(group, window) for group in groups]
    sources: list[Source] = [*clouds, *([logs] if files else [])]

    def read() -> Iterable[Attempt]:
        return _attempts(sources, counts)

    speech = Speech(japanese=words.language is Language.JA)
    with ExitStack() as stack:
        stack.enter_context(logs)
        try:
            found = waiting(read, now=now)
        except CloudWatchRefused as refused:
            why = speech(refused.key, **refused.facts)
            raise Refused("waiting-log-refused", failure=True, why=why) from None
    if broken:
        raise Refused("waiting-log-refused", failure=True, why=broken[0])
    return found


def _attempts(sources: Sequence[Source], counts: LogCounts) -> Iterator[Attempt]:
    for source in sources:
        for logged in source.events((), counts):
            try:
                yield parse_attempt(logged.fields, logged.where)
            except AttemptError as error:
                counts.bad(logged.place, str(error))


def _configured(site: Site) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(site.get(LOG_FILES).split()), tuple(site.get(LOG_GROUP).split())


def _facts(mail: Mail) -> Json:
    return {
        "sender": mail.sender,
        "client": mail.client,
        "waiting": list(mail.recipients),
        "arrived": list(mail.arrived),
        "refused": list(mail.refused),
        "fingerprint": mail.fingerprint,
        "attempts": mail.attempts,
        "first_at": mail.first_at,
        "last_at": mail.last_at,
        "gives_up_at": mail.gives_up_at,
        "perhaps_more": mail.alone,
        "said": mail.said,
    }
