"""``mxgw admin phone``: a file that sets up a mailbox on an iPhone, and what to type on other phones."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mxgw.admin import forms
from mxgw.admin.phone import IMAP_PORT, SUBMISSION_PORT, Mailbox, profile
from mxgw.admin.refusal import Refused
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call, spoken
from mxgw.cli.admin_stack_option import site_environ, stack_option

SERVER = "MAIL_HOSTNAME"
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
    target = Path(output) if output is not None else Path(f"{user}.mobileconfig")
    _write(target, profile(Mailbox(user, shown, server)))
    call.done("phone-written", path=str(target), user=user, server=server)
    call.say("phone-how", path=str(target))
    call.say("phone-by-hand", server=server, user=user, imap=IMAP_PORT, smtp=SUBMISSION_PORT)


def _name(text: str) -> str:
    name = " ".join(forms.typed(text).split())
    if not name or len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        raise Refused("bad-person-name", text=forms.shown(text))
    return name


def _write(target: Path, octets: bytes) -> None:
    try:
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(octets)
    except OSError as error:
        raise Refused(
            "phone-not-written", failure=True, path=str(target), why=error.strerror or "?"
        ) from None
