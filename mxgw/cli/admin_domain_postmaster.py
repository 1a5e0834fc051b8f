"""Who reads the mail to postmaster of a new domain (RFC 5321 section 4.5.1)."""

from __future__ import annotations

import sys

from mxgw.admin import accounts, forms
from mxgw.admin.access import DatabaseAccess
from mxgw.admin.cloud.settings import POSTMASTER
from mxgw.admin.database import opened
from mxgw.admin.mailstore import MailStore
from mxgw.admin.refusal import Refused
from mxgw.cli.admin_call import Call
from mxgw.cli.admin_domain_cloud import Outside, Part, State
from mxgw.cli.admin_forgetting import forget


def postmaster_reader(call: Call, access: DatabaseAccess, domain: str, given: str | None) -> str:
    """The user who is to read it, "" where that is for later. Asked for before anything changes."""
    wanted = accounts.postmaster(domain)
    with opened(access) as database:
        if accounts.reader_of(database, wanted):
            return ""
        users = {user.address for user in accounts.users(database)}

    def a_user(text: str) -> str:
        address = forms.address(text)
        with opened(access) as database:
            reader = accounts.reader_of(database, address)
        if not reader:
            raise Refused("alias-leads-nowhere", user=address)
        return reader

    if given is not None:
        return a_user(given)
    configured = call.environ.get(POSTMASTER, "").strip()
    if configured:
        try:
            return a_user(configured)
        except Refused:
            # .env names a mailbox that is still to be made, as on the day of the first domain.
            return ""
    if not users or call.as_json or not sys.stdin.isatty():
        return ""
    return call.asked(None, "postmaster", lambda text: a_user(text) if text.strip() else "")


def lead_postmaster(
    call: Call, access: DatabaseAccess, store: MailStore | None, outside: Outside, domain: str, reader: str
) -> None:
    """Mail to the postmaster reaches ``reader``; without one, what to do stands among what is left."""
    words, address = call.words, accounts.postmaster(domain)
    with opened(access) as database:
        known = accounts.reader_of(database, address)
        if not known and reader:
            accounts.add_alias(database, address, reader)
    if known:
        part = Part(State.THERE, words("postmaster-there", address=address, user=known))
    elif reader:
        forget(call, store, [address], unset="")
        part = Part(State.DONE, words("alias-added", address=address, user=reader))
    else:
        part = Part(
            State.OFF,
            words("postmaster-nobody", address=address),
            (words("postmaster-by-hand", address=address),),
        )
    outside.note("postmaster", part)
