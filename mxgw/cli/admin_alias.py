"""``mxgw admin alias``: add, remove, list."""

from __future__ import annotations

from functools import partial

import click

from mxgw.admin import accounts, forms
from mxgw.admin.database import opened
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call, spoken, spoken_group
from mxgw.cli.admin_forgetting import forget


def group(words: Words) -> click.Group:
    """The commands."""
    address = partial(click.Argument, ["address"], required=False, metavar="[ADDRESS]")
    made = spoken_group("alias", words)
    for command in (
        spoken(
            "alias-add",
            words,
            add,
            [address(), click.Argument(["user"], required=False, metavar="[USER]")],
        ),
        spoken(
            "alias-list",
            words,
            show,
            [click.Option(["--domain"], metavar="DOMAIN", help=words("option-domain"))],
        ),
        spoken(
            "alias-remove",
            words,
            remove,
            [address(), click.Option(["--yes", "-y"], is_flag=True, help=words("option-yes"))],
        ),
    ):
        made.add_command(command)
    return made


def add(call: Call, address: str | None, user: str | None) -> None:
    """Another address for a user."""
    alias = call.asked(address, "alias", forms.alias_address)
    target = call.asked(user, "user", forms.address)
    access, store = call.database, call.store
    with opened(access) as database:
        accounts.add_alias(database, alias, target)
    # Should Dovecot remember that there was no such address, or another behind a catch-all.
    forget(call, store, [alias], unset="")
    call.done("catch-all-added" if alias.startswith("@") else "alias-added", address=alias, user=target)


def remove(call: Call, address: str | None, yes: bool) -> None:
    """An address less; the user keeps the mail."""
    alias = call.asked(address, "alias", forms.alias_address)
    access, store = call.database, call.store
    with opened(access) as database:
        found = accounts.alias(database, alias)
    call.confirmed("ask-remove-alias", yes=yes, address=alias, user=found.user)
    with opened(access) as database:
        accounts.remove_alias(database, alias)
    forget(call, store, [alias], unset="warn-remembered")
    call.done("alias-removed", address=alias, user=found.user)


def show(call: Call, domain: str | None) -> None:
    """All aliases."""
    name = "" if domain is None else forms.domain(domain)
    with opened(call.database) as database:
        found = accounts.aliases(database, domain=name)
        if name and not found:
            accounts.need_domain(database, name)
    if not found and not call.as_json:
        call.say("no-aliases-yet")
        return
    call.show(
        ["address", "user", "state"],
        [
            [alias.address, alias.user, call.words("state-active" if alias.active else "state-inactive")]
            for alias in found
        ],
        [{"address": alias.address, "user": alias.user, "active": alias.active} for alias in found],
    )
