"""Who is measured without authentication."""

from __future__ import annotations

from bench.gateways import Gateway, Mxgw, Plain, debian_mxgw
from bench.peers import EximCutthrough, Haraka, OpenSmtpd
from bench.postfix import PostfixProxy, PostfixQueue

OURS = ("mxgw", "mxgw-debian")


def relays(resolver: str = "") -> list[Gateway]:
    """mxgw, and all peers, as they relay without checks. ``resolver`` answers those that ask for names."""
    return [
        Mxgw(title="mxgw"),
        debian_mxgw(),
        PostfixProxy(),
        Plain(),
        PostfixQueue(in_memory=True),
        PostfixQueue(in_memory=False),
        EximCutthrough(),
        OpenSmtpd(resolver=resolver),
        Haraka(forward=True, resolver=resolver),
        Haraka(forward=False, resolver=resolver),
    ]
