"""``mxgw admin restore``: everything, or one mailbox, from a backup."""

from __future__ import annotations

import click

from mxgw.admin import forms
from mxgw.admin.backup.restoring import restore
from mxgw.admin.words import Words
from mxgw.cli.admin_backup import backup_argument, place_of, progress
from mxgw.cli.admin_call import Call, spoken
from mxgw.cli.admin_stack_option import stack_option


def group(words: Words) -> click.Command:
    """The command."""
    return spoken(
        "restore",
        words,
        bring_back,
        [
            backup_argument(),
            click.Option(["--user"], metavar="ADDRESS", help=words("option-restore-user")),
            click.Option(["--yes", "-y"], is_flag=True, help=words("option-yes")),
            stack_option(words),
        ],
    )


def bring_back(call: Call, name: str | None, user: str | None, yes: bool, stack: str) -> None:
    """Asks, restores, tells where the old mail is."""
    place = place_of(call, stack)
    mailbox = forms.address(user) if user else ""
    disk = place.disk
    backup = disk.find(name)
    if mailbox:
        call.confirmed("ask-restore-user", yes=yes, address=mailbox, name=backup.name)
    else:
        call.confirmed("ask-restore", yes=yes, name=backup.name)
    with disk.locked(), progress(call, "backup-restoring") as passed:
        done = restore(place.stack, place.data, backup, user=mailbox, passed=passed)
    if done.unknown:
        call.warn("restore-homes-without-user", addresses=", ".join(done.unknown))
    aside = str(done.aside)
    call.done("restored", name=backup.name, users=done.users, messages=done.messages, more={"aside": aside})
    call.say("restore-aside", path=aside)
