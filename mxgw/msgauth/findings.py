"""What the checks found, in the words of Authentication-Results: one Finding for each result.

Sources: RFC 8601 section 2.7 (SPF, DKIM, iprev), RFC 6008 (header.b), RFC 8617 section 6 (ARC), RFC 9989
section 9 (DMARC), and IANA's registry "Email Authentication Parameters" for all names.

DNS lists have no method there but for welcome lists (dnswl, RFC 8904), and a reader may ignore a whole field
that has a method it does not know (RFC 8601 section 2.7.6). So a listing is stated beside the other thing
that is known of the address, as local policy (section 2.4): iprev=pass policy.dnsbl=zen.example.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise, takewhile

from mxgw.msgauth.arc import ArcVerdict
from mxgw.msgauth.author import Author
from mxgw.msgauth.dkim import DkimVerdict
from mxgw.msgauth.dmarc import DmarcVerdict
from mxgw.msgauth.dnsbl import DnsblResult, Listing
from mxgw.msgauth.iprev import IprevResult
from mxgw.msgauth.null_mx import NullMx
from mxgw.msgauth.results import Result
from mxgw.msgauth.results_field import Finding
from mxgw.msgauth.spf_result import SpfResult

MIN_SIGNATURE_LETTERS = 8
"""RFC 6008 section 4: at least so many of header.b."""


def spf_finding(found: SpfResult, *, null_mx: NullMx | None = None) -> Finding:
    """``smtp.mailfrom`` or ``smtp.helo``, without a local part: RFC 8601 section 2.7.2.

    That the domain takes no mail is stated beside it: ``policy.mx``.
    """
    properties = [("smtp", str(found.identity), found.domain)]
    if null_mx is NullMx.YES:
        properties.append(("policy", "mx", "null"))
    return Finding("spf", found.result, found.problem, tuple(properties))


def dkim_findings(verdicts: Sequence[DkimVerdict], *, unread: int = 0) -> tuple[Finding, ...]:
    """One for each signature that was looked at, in the order of the message; ``dkim=none`` without any.

    ``unread`` is how many more the message has: they may begin like one of these, so all letters are shown.
    """
    values = [one.claim.value for one in verdicts]
    starts = values if unread else told_apart(values)
    found = [_dkim_finding(*one) for one in zip(verdicts, starts, strict=True)]
    return tuple(found) or (Finding("dkim", Result.NONE),)


def told_apart(values: Sequence[str]) -> list[str]:
    """The beginnings of b=, each as long as it takes to tell it from the others (RFC 6008 section 4)."""
    letters = dict.fromkeys(values, MIN_SIGNATURE_LETTERS)
    for one, other in pairwise(sorted(values)):
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
        needed = sum(1 for _ in alike) + 1
        letters[one], letters[other] = max(letters[one], needed), max(letters[other], needed)
    return [value[: letters[value]] for value in values]


def arc_finding(verdict: ArcVerdict, address: IPv4Address | IPv6Address) -> Finding:
    """``address`` is the client's."""
    properties = [("smtp", "remote-ip", str(address))]
    if verdict.oldest_pass is not None:
        properties.append(("header", "oldest-pass", str(verdict.oldest_pass)))
    return Finding("arc", verdict.result, verdict.reason, tuple(properties))


def dmarc_finding(verdict: DmarcVerdict) -> Finding:
    """``policy.dmarc`` is the policy that applies, where the message was judged by it."""
    properties = [("header", "from", verdict.author_domain)]
    if verdict.result in {Result.PASS, Result.FAIL}:
        properties.append(("policy", "dmarc", verdict.policy))
    return Finding("dmarc", verdict.result, verdict.reason, tuple(properties))


def no_author_finding(author: Author) -> Finding:
    """DMARC's result for a message whose From names nobody: never ``none``, which says "no policy"."""
    return Finding("dmarc", Result.PERMERROR, author.problem)


def iprev_finding(
    found: IprevResult, address: IPv4Address | IPv6Address, lists: Sequence[DnsblResult] = ()
) -> Finding:
    """``address`` is the client's. The lists that name it are stated beside it."""
    properties = [("policy", "iprev", str(address))]
    properties += (("policy", "dnsbl", one.zone) for one in lists if one.listing is Listing.LISTED)
    return Finding("iprev", found.result, "", tuple(properties))


def _dkim_finding(verdict: DkimVerdict, start: str) -> Finding:
    claim = verdict.claim
    properties = [
        ("header", "d", claim.domain),
        ("header", "s", claim.selector),
        ("header", "a", claim.algorithm),
        ("header", "b", start),
    ]
    if claim.identity != f"@{claim.domain}":
        properties.append(("header", "i", claim.identity))
    return Finding("dkim", verdict.result, verdict.reason, tuple(properties))
