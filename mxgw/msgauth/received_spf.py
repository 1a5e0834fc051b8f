"""Received-SPF (RFC 7208 section 9.1): the result of SPF in a field of its own, for readers that want it.

Injection-proof as Authentication-Results are (mxgw.msgauth.results_field): a value has a form or is left out,
and none holds "=", a quote or a semicolon. There is no comment, where others repeat what the sender wrote.

Fields of the same name that a message brings along stay: they are trace of the hops before us, which the RFC
has nobody remove. Ours stands above our Received, where no stranger can put one.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address

from mxgw.envelope import ReversePath
from mxgw.msgauth.results import Result
from mxgw.msgauth.results_field import plain_reason, shown_domain, shown_mailbox
from mxgw.msgauth.spf_result import SpfResult

MAX_TERM_CHARACTERS = 64
"""Of a term that is shown whole. No RFC bounds it; the longest address with its prefix length has 52."""

_WORDS = {
    Result.PASS: "Pass",
    Result.FAIL: "Fail",
    Result.SOFTFAIL: "SoftFail",
    Result.NEUTRAL: "Neutral",
    Result.NONE: "None",
    Result.TEMPERROR: "TempError",
    Result.PERMERROR: "PermError",
}
# RFC 5322 section 3.2.3, dot-atom: of it what all readers agree on; the rest is quoted.
_DOT_ATOM = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_TERM = re.compile(r"[+?~-]?[A-Za-z0-9]+(?:[:/][A-Za-z0-9_.:/-]*)?")
_MECHANISM = re.compile(r"[+?~-]?[A-Za-z0-9]{1,20}")
_NO_MECHANISM = "default"


def received_spf_field(
    found: SpfResult,
    *,
    address: IPv4Address | IPv6Address,
    helo: str,
    reverse_path: ReversePath,
    receiver: str,
) -> bytes:
    """The whole field, folded, with CRLF at its end; US-ASCII whatever the values hold.

    ``address`` and ``helo`` are the client's, ``receiver`` is our own name.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    pairs = [("client-ip", str(address))]
    if reverse_path.null:
        pairs.append(("envelope-from", ""))
    elif sender := shown_mailbox(f"{reverse_path.local}@{reverse_path.domain}"):
        pairs.append(("envelope-from", sender))
    if name := shown_domain(helo):
        pairs.append(("helo", name))
    pairs += (("receiver", shown_domain(receiver)), ("identity", found.identity))
    if found.problem:
        pairs.append(("problem", plain_reason(found.problem)))
    else:
        pairs.append(("mechanism", _shown_term(found.term)))
    listed = ";\r\n\t".join(f"{key}={_dot_atom_or_quoted(value)}" for key, value in pairs)
    return f"Received-SPF: {_WORDS[found.result]}\r\n\t{listed}\r\n".encode("ascii")


def _shown_term(term: str) -> str:
    """The term that matched; of one that is long or has macros the mechanism."""
    if len(term) <= MAX_TERM_CHARACTERS and _TERM.fullmatch(term):
        return term
    mechanism = _MECHANISM.match(term)
    return mechanism[0] if mechanism else _NO_MECHANISM


def _dot_atom_or_quoted(value: str) -> str:
    return value if _DOT_ATOM.fullmatch(value) else f'"{value}"'
