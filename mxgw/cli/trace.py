"""``mxgw trace``: where a message is, followed through the logs."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from mxgw.cli.terminal import FAILURE, fail, on_terminal, plain

if TYPE_CHECKING:
    from mxgw.trail.moments import Window
    from mxgw.trail.search import Found
    from mxgw.trail.words import Speech

DEFAULT_SINCE = "1d"
"""With a log group, which may hold a month."""

LOGGING_SERVICES = ("home", "dovecot", "postfix")
"""Of the stack at home: who took a message in, into which folder it went, and who sent one out."""

LOG_SECONDS = 120.0
"""Docker keeps at most 200 MB of each (compose.yaml)."""


class _InTheUsersLanguage(click.Command):
    """Becomes the command in the language that --lang or LANG names, when it is called."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the real command; click goes on with that."""
        return _command(args).make_context(info_name, args, parent, **extra)


command = _InTheUsersLanguage("trace")


def _command(arguments: list[str]) -> click.Command:
    # Imported here: --help of the program needs none of it.
    from mxgw.admin.words import Language
    from mxgw.cli.admin_spoken import Spoken, language_option, words_for
    from mxgw.trail.words import Speech

    words = words_for(arguments)
    speech = Speech(japanese=words.language is Language.JA)

    def callback(**given: Any) -> None:
        _trace(speech, **given)

    return Spoken(
        "trace",
        words,
        callback=callback,
        help=speech("help-trace"),
        params=[
            click.Argument(["what"], metavar="WHAT"),
            click.Argument(["files"], nargs=-1, metavar="[FILE]..."),
            click.Option(["--since"], metavar="TIME", help=speech("option-since")),
            click.Option(["--until"], metavar="TIME", help=speech("option-until")),
            click.Option(
                ["--log-group", "groups"], multiple=True, metavar="NAME", help=speech("option-log-group")
            ),
            click.Option(["--number"], type=click.IntRange(1), metavar="N", help=speech("option-number")),
            click.Option(["--json", "as_json"], is_flag=True, help=words("option-json")),
            language_option(words),
        ],
    )


def _trace(
    speech: Speech,
    *,
    what: str,
    files: tuple[str, ...],
    since: str | None,
    until: str | None,
    groups: tuple[str, ...],
    number: int | None,
    as_json: bool,
) -> None:
    from mxgw.cli.trace_answer import Answer
    from mxgw.cli.trace_show import zone_name
    from mxgw.cli.trace_sources import Files
    from mxgw.trail.cloudwatch import CloudWatch, CloudWatchRefused
    from mxgw.trail.filing import with_filings
    from mxgw.trail.query import parse_query
    from mxgw.trail.search import Search, Source
    from mxgw.trail.sent_search import SentFound, SentSearch, with_sent_filings

    try:
        query = parse_query(what)
    except ValueError:
        fail(plain(speech("bad-query", query=what)))
    now = time.time()
    window = _window(speech, since or (DEFAULT_SINCE if groups else None), until, now=now)
    held = ExitStack()
    called: dict[str, str] = {}
    if not files and not groups:
        if (pipe := _piped()) is not None:
            if pipe:
                _warn(speech("reading-stdin"))
            files = ("-",)
        else:
            files = (held.enter_context(_log_of_the_house(speech)),)
            called = {files[0]: speech("house-logs")}
    logs = Files(
        files,
        complain=lambda path, why: _warn(speech("file-broken", file=path, why=why)),
        called=called,
        reading=speech("reading"),
    )
    if (missing := logs.missing()) is not None:
        fail(plain(speech("no-file", file=missing)))
    clouds = [CloudWatch(group, window) for group in groups]
    sources: list[Source] = [*clouds, *([logs] if files else [])]
    try:
        with held, logs:
            found = Search(query, window, sources).run()
            sent = SentSearch(query, window, logs).run() if files else SentFound()
            attempts = [one for message in found.messages for one in message.attempts]
            ids = {id_ for one in attempts for id_ in (one.id, one.session) if id_}
            ids.update(session for message in sent.messages for session in message.sessions)
            if files and ids:
                filings = logs.filings(frozenset(ids))
                found = replace(found, messages=with_filings(found.messages, filings))
                sent = replace(sent, messages=with_sent_filings(sent.messages, filings))
    except CloudWatchRefused as refused:
        fail(plain(speech(refused.key, **refused.facts)), code=FAILURE)
    cut = found.cut or sent.cut or logs.cut or any(cloud.cut for cloud in clouds)
    _tell(speech, found, postfix=logs.postfix_count, cut=cut)
    answer = Answer(query.text, window, found, sent, now)
    if number is not None and number > answer.count > 0:
        fail(speech("no-such-number", number=number, count=answer.count))
    if as_json or not on_terminal():
        click.echo(answer.json(speech, number=number))
    elif answer.count:
        answer.show(speech, number=number)
    if not answer.count:
        names = [called.get(file, file) for file in files]
        place = speech("place-always", sources=", ".join([*groups, *names]))
        if since or groups:
            begin = f"{datetime.fromtimestamp(window.since).astimezone():%Y-%m-%d %H:%M} {zone_name(now)}"
            place = speech("place-window", sources=place, since=begin)
        key = "nothing-at-home" if called and not groups else "nothing-found"
        _warn(speech(key, query=query.text, place=place))
    sys.exit(0 if answer.count and logs.whole else FAILURE)


def _piped() -> bool | None:
    """None where stdin brings no log, being a terminal or /dev/null; else whether it might wait for ever."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):
        return False
    return None if stat.S_ISCHR(mode) else not stat.S_ISREG(mode)


@contextmanager
def _log_of_the_house(speech: Speech) -> Iterator[str]:
    """What the doors and Dovecot have said, in a file; fails where this is not the home machine."""
    from mxgw.admin.places import STACK_DIRECTORY, STACK_VARIABLE
    from mxgw.admin.refusal import Refused
    from mxgw.admin.stack import Stack, docker_command
    from mxgw.admin.words import Language, Words

    directory = Path(os.environ.get(STACK_VARIABLE, STACK_DIRECTORY))
    if not (directory / "compose.yaml").is_file():
        fail(speech("no-source"))
    with TemporaryDirectory() as place:
        path = Path(place) / "house.log"
        try:
            with path.open("wb") as file:
                answer = Stack(directory, docker=docker_command(os.environ)).compose(
                    "logs",
                    "--no-color",
                    "--no-log-prefix",
                    # Postfix and Dovecot write no year and no zone.
                    "--timestamps",
                    *LOGGING_SERVICES,
                    stdout=file,
                    timeout=LOG_SECONDS,
                )
        except Refused as why:
            language = Language.JA if speech.japanese else Language.EN
            fail(plain(Words(language)(why.key, **why.facts)), code=FAILURE)
        if answer.code:
            fail(plain(speech("house-silent", why=answer.errors.strip())), code=FAILURE)
        yield str(path)


def _window(speech: Speech, since: str | None, until: str | None, *, now: float) -> Window:
    from mxgw.trail.moments import ALWAYS, Window, moment

    found = list(ALWAYS)
    for index, (option, text) in enumerate((("--since", since), ("--until", until))):
        if text is None:
            continue
        try:
            found[index] = moment(text, now=now, zone=None)
        except ValueError:
            fail(plain(speech("bad-time", option=option, text=text)))
    window = Window(*found)
    if window.since >= window.until:
        fail(speech("bad-window"))
    return window


def _tell(speech: Speech, found: Found, *, postfix: int, cut: bool) -> None:
    """What was read and what was not, on stderr: nothing is left out in silence."""
    counts = found.counts
    read = {"lines": f"{counts.lines:,}", "events": f"{counts.events:,}"}
    _warn(speech("read-postfix", postfix=f"{postfix:,}", **read) if postfix else speech("read", **read))
    if counts.unreadable:
        _warn(speech("unreadable", count=f"{counts.unreadable:,}", first=counts.first_unreadable))
    if cut:
        _warn(speech("cut"))


def _warn(text: str) -> None:
    click.echo(plain(f"mxgw: {text}"), err=True)
