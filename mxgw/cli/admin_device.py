"""``mxgw admin device``: a password for each phone and PC."""

from __future__ import annotations

from functools import partial

import click

from mxgw.admin import accounts, forms
from mxgw.admin.database import opened
from mxgw.admin.devices import (
    add_device,
    device_name,
    devices,
    need_device,
    new_password,
    remove_device,
)
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call, spoken, spoken_group
from mxgw.cli.admin_forgetting import forget


def group(words: Words) -> click.Group:
    """The commands."""
    address = partial(click.Argument, ["address"], required=False, metavar="[ADDRESS]")
    name = partial(click.Argument, ["name"], required=False, metavar="[NAME]")
    made = spoken_group("device", words)
    for command in (
        spoken("device-add", words, add, [address(), name()]),
        spoken("device-list", words, show, [address()]),
        spoken(
            "device-remove",
            words,
            remove,
            [address(), name(), click.Option(["--yes", "-y"], is_flag=True, help=words("option-yes"))],
        ),
    ):
        made.add_command(command)
    return made


def add(call: Call, address: str | None, name: str | None) -> None:
    """A password of its own, shown this once."""
    user = _user(call, address)
    device = call.asked(name, "device", device_name)
    password = new_password()
    with opened(call.database) as database:
        add_device(database, user, device, password)
    call.done("device-added", user=user, name=device, password=password)
    call.say("device-only-once")


def remove(call: Call, address: str | None, name: str | None, yes: bool) -> None:
    """The device is out at once; the user's other devices come back by themselves."""
    user = _user(call, address)
    device = call.asked(name, "device", device_name)
    access, store = call.database, call.store
    with opened(access) as database:
        need_device(database, user, device)
    call.confirmed("ask-remove-device", yes=yes, user=user, name=device)
    with opened(access) as database:
        remove_device(database, user, device)
    forget(call, store, [user], unset="warn-remembered", disconnect=user)
    call.done("device-removed", user=user, name=device)


def show(call: Call, address: str | None) -> None:
    """All devices, or those of a user."""
    user = "" if address is None else forms.address(address)
    with opened(call.database) as database:
        if user:
            accounts.user(database, user)
        found = devices(database, user=user)
    if not found and not call.as_json:
        call.say("no-devices-yet")
        return
    call.show(
        ["address", "device", "since"],
        [[one.user, one.name, f"{one.created.astimezone():%Y-%m-%d %H:%M %Z}"] for one in found],
        [{"address": one.user, "name": one.name, "created": one.created.isoformat()} for one in found],
    )


def _user(call: Call, address: str | None) -> str:
    """Whose device it is; who has no mailbox is told before anything else is asked for."""
    user = call.asked(address, "address", forms.address)
    with opened(call.database) as database:
        accounts.user(database, user)
    return user
