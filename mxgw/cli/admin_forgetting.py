"""Dovecot is told of what has changed in the database."""

from __future__ import annotations

from collections.abc import Sequence

from mxgw.admin.mailstore import MailStore
from mxgw.admin.refusal import Refused
from mxgw.cli.admin_call import Call


def forget(
    call: Call, store: MailStore | None, addresses: Sequence[str], *, unset: str, disconnect: str = ""
) -> None:
    """Make Dovecot ask the database anew about ``addresses``, and end the sessions of ``disconnect``.

    What is in the database is done already: trouble here is a warning, ``unset`` where no Dovecot is named.
    """
    named = [] if any(address.startswith("@") for address in addresses) else addresses
    command = " ".join(["doveadm auth cache flush", *named])
    if store is None:
        if unset:
            call.warn(unset, command=command)
        return
    try:
        store.forget(addresses)
        if disconnect:
            store.disconnect(disconnect)
    except Refused as why:
        call.incomplete = True
        call.warn(why.key, **why.facts)
        call.warn("warn-remembered", command=command)
