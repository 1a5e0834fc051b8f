"""``mxgw admin restore``: everything, the settings, or one mailbox, from a backup."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from mxgw.admin import forms
from mxgw.admin.backup import configuration
from mxgw.admin.backup.beside import folder_name, put_beside
from mxgw.admin.backup.checksums import check_file
from mxgw.admin.backup.configuration import Change, Places
from mxgw.admin.backup.disk import NAME, read_manifest
from mxgw.admin.backup.maildir import home_of
from mxgw.admin.backup.make import SUMS
from mxgw.admin.backup.restoring import restore
from mxgw.admin.backup.settling import Settling
from mxgw.admin.refusal import Refused
from mxgw.admin.words import Words
from mxgw.cli.admin_backup import Place, backup_argument, place_of, progress
from mxgw.cli.admin_call import Call, Cell, spoken
from mxgw.cli.admin_import import message_progress
from mxgw.cli.admin_stack_option import stack_option

WITH, WITHOUT, ONLY = CHOICES = ("with", "without", "only")
DATA_VARIABLE = "MAILSERVER_DATA"
MAX_SHOWN = 20
"""Messages that waited in Postfix; whoever had more has seen an alarm."""


def group(words: Words) -> click.Command:
    """The command."""
    return spoken(
        "restore",
        words,
        bring_back,
        [
            backup_argument(),
            click.Option(["--user"], metavar="ADDRESS", help=words("option-restore-user")),
            click.Option(["--into"], metavar="FOLDER", help=words("option-restore-into")),
            click.Option(
                ["--configuration", "choice"],
                type=click.Choice(CHOICES),
                help=words("option-restore-configuration"),
            ),
            click.Option(["--yes", "-y"], is_flag=True, help=words("option-yes")),
            stack_option(words),
        ],
    )


def bring_back(
    call: Call,
    name: str | None,
    user: str | None,
    into: str | None,
    choice: str | None,
    yes: bool,
    stack: str,
) -> None:
    """Asks, restores, tells where the old mail is."""
    if choice and (user or into):
        raise Refused("restore-one-or-all")
    if into is not None and not user:
        raise Refused("restore-into-whom")
    place = place_of(call, stack, without_file=choice == ONLY)
    backup = place.disk.find(name)
    if user and into is not None:
        _beside(call, place, backup, forms.address(user), into, yes=yes)
    elif user:
        _everything(call, place, backup, forms.address(user), [], yes=yes)
    elif choice == ONLY:
        _settings(call, place, backup, yes=yes)
    else:
        _everything(call, place, backup, "", _chosen(call, place, backup, choice), yes=yes)


def _everything(
    call: Call, place: Place, backup: Path, mailbox: str, changes: list[Change], *, yes: bool
) -> None:
    if mailbox:
        _folders(backup, mailbox)
        call.confirmed("ask-restore-user", yes=yes, address=mailbox, name=backup.name)
    else:
        call.confirmed("ask-restore", yes=yes, name=backup.name)
    with place.disk.locked(), progress(call, "backup-restoring") as passed:
        done = restore(place.stack, place.data, backup, user=mailbox, settings=changes, passed=passed)
    if done.unknown:
        call.warn("restore-homes-without-user", addresses=", ".join(done.unknown))
    if done.unsent:
        shown = [f"{one.sender} -> {', '.join(one.recipients)} ({one.since})" for one in done.unsent]
        more = ["..."] if len(shown) > MAX_SHOWN else []
        call.warn("restore-unsent", count=len(shown), lines="\n  ".join([*shown[:MAX_SHOWN], *more]))
    aside = str(done.aside)
    facts = {
        "aside": aside,
        "configuration": [str(one.path) for one in changes],
        "kept": [str(path) for path in done.kept],
    }
    call.done("restored", name=backup.name, users=done.users, messages=done.messages, more=facts)
    call.say("restore-aside", path=aside)
    _tell_kept(call, done.kept)


def _beside(call: Call, place: Place, backup: Path, address: str, into: str, *, yes: bool) -> None:
    """What one mailbox had then, in a folder of what it has now."""
    folder = folder_name(into)
    count = sum(one["messages"] for one in _folders(backup, address).values())
    call.confirmed("ask-restore-into", yes=yes, address=address, name=backup.name, count=count, folder=folder)
    with place.disk.locked(), message_progress(call, "backup-restoring", count) as passed:
        came = put_beside(place.stack, place.disk, backup, address, folder, passed)
    if came.left:
        call.incomplete = True
        call.warn("restore-into-left", count=came.left, why=came.why)
    more = {"already_here": came.here, "left": came.left}
    call.done(
        "restored-into", name=backup.name, address=address, folder=folder, messages=came.copied, more=more
    )


def _folders(backup: Path, address: str) -> dict[str, Any]:
    """Those of one mailbox; raises Refused where the backup has none of it."""
    folders: dict[str, Any] | None = read_manifest(backup)["users"].get(home_of(address), {}).get("folders")
    if folders is None:
        raise Refused("restore-no-such-user", address=address)
    return folders


def _chosen(call: Call, place: Place, backup: Path, choice: str | None) -> list[Change]:
    """What of the settings is to be put back."""
    changes = _changes(call, place, backup)
    if not changes or choice == WITHOUT:
        return []
    _show(call, changes)
    if choice == WITH or call.agreed("ask-restore-configuration", yes=False, name=backup.name):
        return changes
    call.warn("restore-configuration-left", count=len(changes))
    return []


def _settings(call: Call, place: Place, backup: Path, *, yes: bool) -> None:
    changes = _changes(call, place, backup)
    if not changes:
        call.done("restore-configuration-same", name=backup.name)
        return
    _show(call, changes)
    call.confirmed("ask-restore-configuration", yes=yes, name=backup.name)
    running = (place.stack.directory / ".env").exists() and bool(place.stack.states())
    settling = Settling(place.stack if running else None, changes, datetime.now(UTC).strftime(NAME))
    with place.disk.locked():
        try:
            settling.put()
            settling.start()
        except OSError as error:
            settling.undo()
            raise Refused("restore-disk-fails", failure=True, why=forms.shown(str(error))) from None
        except BaseException:
            settling.undo()
            raise
    kept = [str(path) for path in settling.kept]
    facts = {"configuration": [str(one.path) for one in changes], "kept": kept}
    call.done("configuration-restored", name=backup.name, count=len(changes), more=facts)
    _tell_kept(call, settling.kept)
    if not running:
        call.say("configuration-then-install")


def _changes(call: Call, place: Place, backup: Path) -> list[Change]:
    check_file(backup, backup / SUMS, configuration.FILE)
    archive = configuration.read_archive(backup / configuration.FILE)
    data = place.data
    if not (place.stack.directory / ".env").exists() and not call.environ.get(DATA_VARIABLE):
        # Where this machine will have its data is what the backup says, too.
        data = Path(configuration.env_of(archive).get(DATA_VARIABLE) or data)
    return configuration.changes(archive, Places(place.stack.directory, data))


def _show(call: Call, changes: list[Change]) -> None:
    """Names, never values: most of them are secrets."""
    if call.as_json:
        return
    rows: list[list[Cell]] = []
    for one in changes:
        what = call.words("configuration-differs" if one.there else "configuration-missing")
        rows.append([str(one.path), f"{what}{', '.join(one.names)}" if one.there and one.names else what])
    call.show(["configuration", "configuration-what"], rows, [])


def _tell_kept(call: Call, kept: list[Path] | tuple[Path, ...]) -> None:
    if kept:
        call.say("configuration-kept", paths=", ".join(str(path) for path in kept))
