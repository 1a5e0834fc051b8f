"""``mxgw admin phone``: a file that sets up a mailbox on an iPhone, and what to type on other phones."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mxgw.admin import accounts, forms
from mxgw.admin.access import DATABASE
from mxgw.admin.database import opened
from mxgw.admin.phone import IMAP_PORT, SUBMISSION_PORT, Mailbox, profile
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Stack, docker_command
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call, spoken
from mxgw.cli.admin_stack_option import site_environ, stack_option

SERVER = "MAIL_HOSTNAME"
NO_MAILBOX = "import-no-user"
MAX_NAME_CHARACTERS = 100


def group(words: Words) -> click.Command:
    """The command."""
    return spoken(
        "phone",
        words,
        phone,
        [
            click.Argument(["address"], required=False, metavar="[ADDRESS]"),
            click.Option(["--name"], metavar="NAME", help=words("option-name")),
            click.Option(["--output"], metavar="FILE", help=words("option-output")),
            stack_option(words),
        ],
    )


def phone(call: Call, address: str | None, name: str | None, output: str | None, stack: str) -> None:
    """Write the profile, and tell what everybody else types in."""
    user = call.asked(address, "address", forms.address)
    server = site_environ(call, stack).get(SERVER, "")
    if not server:
        raise Refused("phone-needs-server", variable=SERVER)
    shown = _name(name) if name is not None else user.partition("@")[0]
    _need_mailbox(call, Path(stack), user)
    target = Path(output) if output is not None else Path(f"{user}.mobileconfig")
    _write(target, profile(Mailbox(user, shown, server)))
    call.done("phone-written", path=str(target), user=user, server=server)
    call.say("phone-how", path=str(target))
    call.say("phone-by-hand", server=server, user=user, imap=IMAP_PORT, smtp=SUBMISSION_PORT)
    call.say("phone-programs", domain=user.rpartition("@")[2])


def _need_mailbox(call: Call, stack: Path, user: str) -> None:
    """A profile for a name that was mistyped would ask for its password in vain. Raises Refused; where nobody
    can say, as while the stack is down, the profile is right all the same."""
    if call.environ.get(DATABASE):
        with opened(call.database) as database:
            accounts.user(database, user)
        return
    # Imported here: it brings IMAP.
    from mxgw.admin.importing.sessions import known_here

    try:
        known_here(Stack(stack, docker=docker_command(call.environ)), user)
    except Refused as why:
        if why.key == NO_MAILBOX:
            raise


def _name(text: str) -> str:
    name = " ".join(forms.typed(text).split())
    if not name or len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        raise Refused("bad-person-name", text=forms.shown(text), most=MAX_NAME_CHARACTERS)
    return name


def _write(target: Path, octets: bytes) -> None:
    try:
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(octets)
    except OSError as error:
        raise Refused(
            "phone-not-written", failure=True, path=str(target), why=error.strerror or "?"
        ) from None
