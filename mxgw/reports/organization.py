"""The organizational domain of a domain: the DNS tree walk of RFC 9989 section 4.10."""

from __future__ import annotations

import re
from typing import Final

from mxgw.resolver import Lookup, Status

MAX_LABELS: Final = 7
"""RFC 9989 section 4.10: a name of eight labels or more is asked for itself, and then from seven on."""

_RECORD: Final = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
_PSD: Final = re.compile(r";[ \t]*psd[ \t]*=[ \t]*([yn])[ \t]*(?:;|$)", re.IGNORECASE)


async def organizational_domain(lookup: Lookup, domain: str) -> str | None:
    """The organizational domain, as A-labels like ``domain``; None where DNS cannot tell now.

    At most eight questions. RFC 9989 section 4.10.2.
    """
    found = domain
    for name in _walk(domain):
        answer = await lookup.txt(f"_dmarc.{name}")
        if answer.status is Status.TEMPORARY:
            return None
        texts = [octets.decode("ascii", "replace") for octets in answer.records]
        records = [text for text in texts if _RECORD.match(text)]
        if len(records) != 1:
            continue
        psd = _PSD.search(records[0])
        if psd is None:
            found = name
        elif psd[1].lower() == "n" or name == domain:
            return name
        else:
            # A public suffix: whoever is registered directly below it is an organization.
            return ".".join(domain.split(".")[-name.count(".") - 2 :])
    return found


def _walk(domain: str) -> list[str]:
    labels = domain.split(".")
    cuts = range(max(1, len(labels) - MAX_LABELS), len(labels))
    return [domain, *(".".join(labels[cut:]) for cut in cuts)]
