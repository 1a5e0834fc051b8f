"""Null MX (RFC 7505): does the domain of the reverse-path say of itself that it takes no mail?

Nobody can be told there that a message did not arrive. RFC 7505 section 4.2: whoever sends from such a domain
risks that its mail is refused.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum

from mxgw.resolver.answers import Answer, Lookup, MailExchanger, Status
from mxgw.resolver.names import canonical

SECONDS = 2.0
"""A message waits for this, at the end of its content: the answer is not worth more."""

_NULL = (MailExchanger(0, ""),)
"""RFC 7505 section 3: the only MX record, of preference 0, with the root for its host. What is anything else
is not taken for one: whoever wrote it may have meant something else."""


class NullMx(StrEnum):
    """What DNS says of the domain."""

    YES = "yes"
    NO = "no"
    UNAVAILABLE = "unavailable"
    """It did not answer, or had not yet. Never a reason to refuse."""


def may_have_mx(domain: str) -> bool:
    """Whether there is anything to ask: not of an address literal, of "" or of a name of one label."""
    name = canonical(domain)
    return name is not None and "." in name and name[0] != "["


async def check_null_mx(lookup: Lookup, domain: str, *, seconds: float = SECONDS) -> NullMx:
    """One question."""
    try:
        async with asyncio.timeout(seconds):
            return null_mx_of(await lookup.mx(domain))
    except TimeoutError:
        return NullMx.UNAVAILABLE


def null_mx_of(answer: Answer[MailExchanger]) -> NullMx:
    """What the answer to a question for MX means."""
    if answer.status is Status.TEMPORARY:
        return NullMx.UNAVAILABLE
    return NullMx.YES if answer.records == _NULL else NullMx.NO
