"""``mxgw admin backup``: now, verify, list."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from mxgw.admin import forms
from mxgw.admin.backup.disk import DIRECTORY, Disk, read_manifest, write_verdict
from mxgw.admin.backup.make import Made, make, verify
from mxgw.admin.backup.result import write_result
from mxgw.admin.backup.rotation import DAYS, superfluous
from mxgw.admin.places import DATA_DIRECTORY, STATE_DIRECTORY, STATE_VARIABLE
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Stack, docker_command
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call, Cell, spoken, spoken_group
from mxgw.cli.admin_stack_option import site_environ, stack_option
from mxgw.cli.terminal import on_terminal

MAX_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is."""

    stack: Stack
    data: Path
    state: Path
    directory: Path
    days: int

    @property
    def disk(self) -> Disk:
        """Raises Refused where it is not mounted."""
        return Disk(self.directory, data=self.data)


def group(words: Words) -> click.Group:
    """The commands."""
    made = spoken_group("backup", words)
    no_verify = click.Option(["--no-verify"], is_flag=True, help=words("option-no-verify"))
    made.add_command(spoken("backup-now", words, now, [no_verify, stack_option(words)]))
    made.add_command(spoken("backup-verify", words, prove, [backup_argument(), stack_option(words)]))
    made.add_command(spoken("backup-list", words, show, [stack_option(words)]))
    return made


def backup_argument() -> click.Argument:
    """[DATE]: the beginning of a backup's name."""
    return click.Argument(["name"], required=False, metavar="[DATE]")


def place_of(call: Call, stack: str, *, without_file: bool = False) -> Place:
    """Of .env and the environment; of the latter alone where there is no .env and none is needed. Raises
    Refused."""
    lost = without_file and not (Path(stack) / ".env").exists()
    environ = dict(call.environ) if lost else site_environ(call, stack)
    days = environ.get("BACKUP_DAYS", "") or str(DAYS)
    if not (days.isdecimal() and days.isascii() and 1 <= int(days[:6]) <= MAX_DAYS):
        raise Refused("backup-days-wrong")
    return Place(
        Stack(Path(stack), docker=docker_command(environ)),
        Path(environ.get("MAILSERVER_DATA", "") or DATA_DIRECTORY),
        Path(environ.get(STATE_VARIABLE, "") or STATE_DIRECTORY),
        Path(environ.get("BACKUP_DIRECTORY", "") or DIRECTORY),
        int(days),
    )


def now(call: Call, no_verify: bool, stack: str) -> None:
    """A backup, its trial, and what is old goes."""
    made = back_up(call, place_of(call, stack), no_verify=no_verify)
    name, verified = made.path.name, not no_verify
    facts = {"verified": verified, "octets": made.octets, "learnt": made.lacks is None}
    call.done("backup-made", name=name, users=made.users, messages=made.messages, more=facts)
    if verified:
        call.say("backup-proven", name=name, messages=made.messages)


def back_up(call: Call, place: Place, *, no_verify: bool) -> Made:
    """The same, for other commands. The result is written whatever it is; raises Refused."""
    made: Made | None = None
    verified, why = False, ""
    try:
        disk = place.disk
        with disk.locked():
            with progress(call, "backup-copying") as passed:
                made = make(place.stack, disk, place.data, datetime.now(UTC), passed)
            if not no_verify:
                _prove(call, place, disk, made.path)
                verified = True
            for one in superfluous(disk.backups(), datetime.now(UTC), days=place.days):
                disk.remove(one.name)
    except Refused as error:
        why = call.words(error.key, **error.facts)
        # Another command at the disk has its own result to write.
        if error.key != "backup-running":
            _write(call, place, made, verified=verified, why=why)
        raise
    if made.lacks:
        call.incomplete = True
        reason = call.words(made.lacks.key, **made.lacks.facts)
        call.warn("backup-without-learnt", name=made.path.name, why=reason)
        why = call.words("backup-without-learnt", name=made.path.name, why=reason)
    _write(call, place, made, verified=verified, why=why)
    return made


def prove(call: Call, name: str | None, stack: str) -> None:
    """A restore on trial."""
    place = place_of(call, stack)
    disk = place.disk
    with disk.locked():
        backup = disk.find(name)
        messages = _prove(call, place, disk, backup)
    call.done("backup-proven", name=backup.name, messages=messages)


def show(call: Call, stack: str) -> None:
    """The list."""
    disk = place_of(call, stack).disk
    rows: list[list[Cell]] = []
    facts = []
    for one in disk.backups():
        try:
            manifest = read_manifest(disk.directory / one.name)
        except Refused:
            manifest = {"users": {}, "messages": 0, "octets": 0}
        users, messages, octets = len(manifest["users"]), int(manifest["messages"]), int(manifest["octets"])
        proven: Cell = call.words("backup-untried")
        if one.good is not None:
            proven = (
                (call.words("backup-good"), "green") if one.good else (call.words("backup-bad"), "bold red")
            )
        rows.append([one.name, str(users), str(messages), forms.about(octets), proven])
        facts.append(
            {
                "backup": one.name,
                "users": users,
                "messages": messages,
                "octets": octets,
                "verified": one.good,
            }
        )
    if not rows:
        call.say("backup-list-empty")
    if rows or call.as_json:
        call.show(["backup", "users", "messages", "backup-size", "proven"], rows, facts)


@contextmanager
def progress(call: Call, key: str) -> Iterator[Callable[[int], None]]:
    """Octets as they pass, for a person who waits."""
    if call.as_json or not on_terminal() or not os.environ.get("TERM"):
        yield lambda _: None
        return
    # Imported here: only people pay for it.
    from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn, TransferSpeedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
    )
    with Progress(*columns, transient=True) as shown:
        task = shown.add_task(call.words(key), total=None)
        yield lambda octets: shown.advance(task, octets)


def _prove(call: Call, place: Place, disk: Disk, backup: Path) -> int:
    try:
        with progress(call, "backup-checking") as passed:
            messages = verify(place.stack, disk, backup, passed)
    except Refused as why:
        # A trial that could not be run says nothing of the backup.
        if why.key in {"backup-damaged", "backup-differs"}:
            sentence = call.words(why.key, **why.facts)
            write_verdict(backup, good=False, why=sentence, now=datetime.now(UTC))
        raise
    write_verdict(backup, good=True, why="", now=datetime.now(UTC))
    return messages


def _write(call: Call, place: Place, made: Made | None, *, verified: bool, why: str) -> None:
    messages, octets = (made.messages, made.octets) if made else (0, 0)
    try:
        write_result(
            place.state,
            finished=datetime.now(UTC),
            ok=not why,
            verified=verified,
            messages=messages,
            octets=octets,
            why=why,
        )
    except OSError as error:
        call.incomplete = True
        call.warn("backup-state-unwritable", why=str(error))
