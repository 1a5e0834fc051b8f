"""The header of a message as it goes home: our trace fields on top, without what only we may write."""

from __future__ import annotations

from datetime import datetime

from mxgw.envelope import Transaction
from mxgw.header import Header, received_field
from mxgw.seal import fingerprint_field

REVERSE_PATH_FIELD = "X-MXGW-Reverse-Path"
"""Keeps who sent a message whose reverse-path home may not take: without SMTPUTF8 the relay says ``<>``."""


def header_for_home(
    transaction: Transaction,
    header: Header,
    *,
    hostname: str,
    when: datetime,
    lmtp: bool,
    fields: bytes,
    fingerprint: str,
    forged: frozenset[str],
    removed: frozenset[int],
) -> bytes:
    """The whole header block with its blank line.

    ``fields`` are those of an inspector; RFC 8601 section 4.1 wants results above our Received. ``forged``
    are the names, in lower case, and ``removed`` the indices of the fields that must not go on.
    """
    # RFC 5321 section 7.2: one recipient is not told of another.
    single = str(transaction.forward_paths[0]) if len(transaction.forward_paths) == 1 else None
    parts = [fields] if fields else []
    parts.append(
        received_field(
            client=transaction.client,
            hostname=hostname,
            transaction_id=transaction.id,
            forward_path=single,
            smtputf8=transaction.parameters.smtputf8,
            when=when,
            lmtp=lmtp,
        )
    )
    if fingerprint:
        parts.append(fingerprint_field(fingerprint))
    if not transaction.reverse_path.ascii:
        parts.append(f"{REVERSE_PATH_FIELD}: <{transaction.reverse_path}>\r\n".encode())
    # No header section: without an empty line the content's first line would become part of ours.
    parts.append(header.without(forged, removed) if header.octets else b"\r\n")
    return b"".join(parts)
