"""``mxgw admin user``: add, remove, passwd, quota, list."""

from __future__ import annotations

from functools import partial

import click

from mxgw.admin import accounts, forms
from mxgw.admin.accounts import DEFAULT_QUOTA_OCTETS, User
from mxgw.admin.database import opened
from mxgw.admin.hashing import hash_password
from mxgw.admin.mailstore import MailStore, Usage
from mxgw.admin.refusal import Refused
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call, Cell, spoken, spoken_group
from mxgw.cli.admin_forgetting import forget

NEARLY_FULL_PERCENT = 80
FULL_PERCENT = 95
"""A photograph more may not fit."""


def group(words: Words) -> click.Group:
    """The commands, in the order of a mailbox's life."""
    address = partial(click.Argument, ["address"], required=False, metavar="[ADDRESS]")
    password_file = partial(
        click.Option, ["--password-file"], metavar="FILE", help=words("option-password-file")
    )
    made = spoken_group("user", words)
    for command in (
        spoken(
            "user-add",
            words,
            add,
            [
                address(),
                click.Option(["--quota"], metavar="SIZE", help=words("option-quota")),
                password_file(),
            ],
        ),
        spoken(
            "user-list",
            words,
            show,
            [click.Option(["--domain"], metavar="DOMAIN", help=words("option-domain"))],
        ),
        spoken("user-passwd", words, passwd, [address(), password_file()]),
        spoken(
            "user-quota",
            words,
            quota,
            [address(), click.Argument(["size"], required=False, metavar="[SIZE]")],
        ),
        spoken(
            "user-remove",
            words,
            remove,
            [
                address(),
                click.Option(["--delete-mail"], is_flag=True, help=words("option-delete-mail")),
                click.Option(["--yes", "-y"], is_flag=True, help=words("option-yes")),
            ],
        ),
    ):
        made.add_command(command)
    return made


def add(call: Call, address: str | None, quota: str | None, password_file: str | None) -> None:
    """A new mailbox. Whatever can be wrong is said before a password is asked for."""
    octets = DEFAULT_QUOTA_OCTETS if quota is None else forms.quota(quota)
    mailbox = call.asked(address, "address", forms.address)
    access, store = call.database, call.store
    with opened(access) as database:
        accounts.may_add_user(database, mailbox)
    hashed = hash_password(call.password(mailbox, password_file))
    with opened(access) as database:
        accounts.add_user(database, mailbox, password_hash=hashed, quota_octets=octets)
    # Should Dovecot remember that there was no such mailbox.
    forget(call, store, [mailbox], unset="")
    call.done("user-added", address=mailbox, quota_octets=octets, shown={"quota": quota_text(call, octets)})
    call.say("next-user-added", address=mailbox)


def remove(call: Call, address: str | None, delete_mail: bool, yes: bool) -> None:
    """A mailbox less; its mail stays unless told otherwise."""
    mailbox = call.asked(address, "address", forms.address)
    access, store = call.database, call.store
    if delete_mail and store is None:
        raise Refused("delete-needs-doveadm", variable="MXGW_ADMIN_DOVEADM")
    with opened(access) as database:
        user = accounts.user(database, mailbox)
    question = "ask-remove-user-and-mail" if delete_mail else "ask-remove-user"
    call.confirmed(question, yes=yes, address=mailbox)
    # Asked for while Dovecot still knows the user, and before anything has changed.
    home = store.home(mailbox) if delete_mail and store else ""
    with opened(access) as database:
        accounts.remove_user(database, mailbox)
    forget(call, store, [mailbox, *user.aliases], unset="warn-remembered", disconnect=mailbox)
    if home and store:
        _delete(call, store, home)
    aliases = ", ".join(user.aliases)
    call.done("user-removed-with-mail" if delete_mail else "user-removed", address=mailbox)
    if aliases:
        call.say("aliases-went-too", aliases=aliases)


def passwd(call: Call, address: str | None, password_file: str | None) -> None:
    """Another password, at once: who is logged in with the old one has to log in anew."""
    mailbox = call.asked(address, "address", forms.address)
    access, store = call.database, call.store
    with opened(access) as database:
        accounts.user(database, mailbox)
    hashed = hash_password(call.password(mailbox, password_file))
    with opened(access) as database:
        accounts.set_password(database, mailbox, hashed)
    forget(call, store, [mailbox], unset="warn-remembered", disconnect=mailbox)
    call.done("password-changed", address=mailbox)


def quota(call: Call, address: str | None, size: str | None) -> None:
    """Show a quota, or set it."""
    octets = None if size is None else forms.quota(size)
    mailbox = call.asked(address, "address", forms.address)
    access, store = call.database, call.store
    with opened(access) as database:
        user = accounts.user(database, mailbox)
        if octets is not None:
            accounts.set_quota(database, mailbox, octets)
    if octets is None:
        _list(call, [user], store)
        return
    forget(call, store, [mailbox, *user.aliases], unset="warn-remembered")
    used = _usage(call, [user], store).get(mailbox) if octets and not call.incomplete else None
    if used and used.octets >= octets:
        sizes = {"used": forms.about(used.octets), "quota": forms.size(octets)}
        call.warn("warn-quota-below-use", address=mailbox, **sizes)
    call.done("quota-set", address=mailbox, quota_octets=octets, shown={"quota": quota_text(call, octets)})


def show(call: Call, domain: str | None) -> None:
    """All mailboxes."""
    name = "" if domain is None else forms.domain(domain)
    store = call.store
    with opened(call.database) as database:
        found = accounts.users(database, domain=name)
        if name and not found:
            accounts.need_domain(database, name)
    if not found and not call.as_json:
        call.say("no-users-yet")
        return
    _list(call, found, store)


def quota_text(call: Call, octets: int) -> str:
    """A quota for people."""
    return call.words("quota-unbounded") if octets == forms.UNBOUNDED else forms.size(octets)


def _list(call: Call, users: list[User], store: MailStore | None) -> None:
    usage = _usage(call, users, store)
    rows: list[list[Cell]] = []
    facts = []
    for user in users:
        used = usage.get(user.address)
        rows.append(
            [
                user.address,
                quota_text(call, user.quota_octets),
                *([_used_cell(used, user.quota_octets)] if usage else []),
                ", ".join(user.aliases),
                call.words("state-active" if user.active else "state-inactive"),
            ]
        )
        facts.append(
            {
                "address": user.address,
                "quota_octets": user.quota_octets,
                "used_octets": used.octets if used else None,
                "messages": used.messages if used else None,
                "aliases": list(user.aliases),
                "active": user.active,
            }
        )
    call.show(["address", "quota", *(["used"] if usage else []), "aliases", "state"], rows, facts)


def _usage(call: Call, users: list[User], store: MailStore | None) -> dict[str, Usage]:
    """How full they are; a list without it is better than no list."""
    if store is None:
        return {}
    try:
        return store.usage([user.address for user in users])
    except Refused as why:
        call.warn(why.key, **why.facts)
        return {}


def _used_cell(used: Usage | None, quota_octets: int) -> Cell:
    if used is None:
        return "?"
    if not quota_octets:
        return forms.about(used.octets)
    percent = used.octets * 100 // quota_octets
    style = "bold red" if percent >= FULL_PERCENT else "yellow" if percent >= NEARLY_FULL_PERCENT else ""
    return f"{forms.about(used.octets)} ({percent}%)", style


def _delete(call: Call, store: MailStore, home: str) -> None:
    try:
        store.delete(home)
    except Refused as why:
        call.incomplete = True
        call.warn(why.key, **why.facts)
        call.warn("warn-mail-is-left", path=home)
