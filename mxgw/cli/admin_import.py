"""``mxgw admin import``: an old mailbox elsewhere is taken over."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import click

from mxgw.admin import forms
from mxgw.admin.backup.maildir import home_of
from mxgw.admin.importing.copying import Planned, copy, plan
from mxgw.admin.importing.remembered import Remembered
from mxgw.admin.importing.sessions import known_here, old_mailbox, open_home, server
from mxgw.admin.refusal import Refused
from mxgw.admin.words import Words
from mxgw.cli.admin_backup import place_of
from mxgw.cli.admin_call import Call, spoken
from mxgw.cli.admin_stack_option import stack_option
from mxgw.cli.terminal import on_terminal


def group(words: Words) -> click.Command:
    """The command."""
    return spoken(
        "import",
        words,
        take_over,
        [
            click.Argument(["name"], required=False, metavar="[ADDRESS]"),
            click.Option(["--from", "old"], metavar="HOST[:PORT]", help=words("option-import-from")),
            click.Option(["--user", "login"], metavar="LOGIN", help=words("option-import-user")),
            click.Option(["--password-file"], metavar="FILE", help=words("option-password-file")),
            click.Option(["--dry-run"], is_flag=True, help=words("option-import-dry-run")),
            click.Option(["--yes", "-y"], is_flag=True, help=words("option-yes")),
            stack_option(words),
        ],
    )


def take_over(
    call: Call,
    name: str | None,
    old: str | None,
    login: str | None,
    password_file: str | None,
    dry_run: bool,
    yes: bool,
    stack: str,
) -> None:
    """Shows what is there, asks, and copies what did not come yet."""
    address = call.asked(name, "import-address", forms.address)
    host, port = call.asked(old, "import-from", server)
    place = place_of(call, stack)
    known_here(place.stack, address)
    if not (dry_run or yes or sys.stdin.isatty()):
        raise Refused("import-needs-yes")
    login = login or address
    password = call.secret("ask-import-password", password_file, login=login, host=host)
    directory = place.data / "mail" / home_of(address)
    remembered = Remembered(directory, host=host, login=login)
    with closing(old_mailbox(host, port, login, password)) as there:
        planned = plan(there, remembered)
        new = sum(len(one.new) for one in planned)
        if dry_run or not call.as_json:
            _show(call, planned)
        for one in planned:
            if not one.opens:
                call.incomplete = True
                call.warn("import-folder-closed", folder=one.folder.name, host=host)
        if dry_run:
            call.say("import-dry-run", new=new)
            return
        if new:
            call.confirmed("ask-import", yes=yes, new=new, address=address, host=host)
        with (
            closing(open_home(place.stack, address)) as home,
            remembered,
            message_progress(call, "import-copying", new) as passed,
        ):
            came = copy(there, home, planned, remembered, address=address, passed=passed)
    if came.left:
        call.incomplete = True
        call.warn("import-left", count=came.left, why=came.why)
    more = {"already_here": came.here, "left": came.left}
    call.done("imported", address=address, messages=came.copied, folders=len(planned), more=more)
    call.say("import-again")


def _show(call: Call, planned: list[Planned]) -> None:
    call.show(
        ["import-there", "import-here", "import-messages", "import-new"],
        [[one.folder.name, one.folder.target, str(one.messages), str(len(one.new))] for one in planned],
        [
            {
                "folder": one.folder.name,
                "here": one.folder.target,
                "messages": one.messages,
                "new": len(one.new),
            }
            for one in planned
        ],
    )


@contextmanager
def message_progress(call: Call, key: str, total: int) -> Iterator[Callable[[int], None]]:
    """Messages as they come, for a person who waits."""
    if call.as_json or not on_terminal() or not os.environ.get("TERM"):
        yield lambda _: None
        return
    # Imported here: only people pay for it.
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as shown:
        task = shown.add_task(call.words(key), total=total)
        yield lambda messages: shown.advance(task, messages)
