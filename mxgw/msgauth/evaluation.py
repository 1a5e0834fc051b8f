"""All that was found out about who really sent a message, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from mxgw.msgauth.arc import ArcVerdict
from mxgw.msgauth.author import Author
from mxgw.msgauth.dkim import DkimVerdict
from mxgw.msgauth.dmarc import DmarcVerdict
from mxgw.msgauth.dnsbl import DnsblResult, Listing
from mxgw.msgauth.findings import (
    arc_finding,
    dkim_findings,
    dmarc_finding,
    iprev_finding,
    no_author_finding,
    spf_finding,
)
from mxgw.msgauth.iprev import IprevResult
from mxgw.msgauth.null_mx import NullMx
from mxgw.msgauth.results import Result
from mxgw.msgauth.results_field import Finding
from mxgw.msgauth.spf_result import SpfResult

_BY_WEIGHT = (Listing.LISTED, Listing.BROKEN, Listing.UNAVAILABLE, Listing.NOT_LISTED)
"""Of several lists the one with the gravest word is named: what is ill must not hide behind what is well."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What each check found; None, or empty, where it was not made. ``address`` is the client's.

    ``spf`` is of MAIL FROM, or of the HELO name where that was null; ``helo`` of the HELO name.
    ``inner_client``: the client's address is of our own network, so whatever depends on it was left out.
    ``questions`` were put to DNS, or to what we remember of it; ``crowded``: some were not, since too many
    were on their way.
    """

    address: IPv4Address | IPv6Address
    spf: SpfResult | None = None
    helo: SpfResult | None = None
    iprev: IprevResult | None = None
    dnsbl: tuple[DnsblResult, ...] = ()
    null_mx: NullMx | None = None
    dkim: tuple[DkimVerdict, ...] | None = None
    unread_signatures: int = 0
    arc: ArcVerdict | None = None
    author: Author | None = None
    dmarc: DmarcVerdict | None = None
    inner_client: bool = False
    questions: int = 0
    crowded: bool = False

    def findings(self) -> tuple[Finding, ...]:
        """What Authentication-Results says of it."""
        found: list[Finding] = []
        if self.spf:
            found.append(spf_finding(self.spf, null_mx=self.null_mx))
        if self.dkim is not None:
            found += dkim_findings(self.dkim, unread=self.unread_signatures)
        if self.arc:
            found.append(arc_finding(self.arc, self.address))
        if self.dmarc:
            found.append(dmarc_finding(self.dmarc))
        elif self.author and self.author.problem:
            found.append(no_author_finding(self.author))
        if self.iprev:
            found.append(iprev_finding(self.iprev, self.address, self.dnsbl))
        return tuple(found)

    @property
    def dkim_result(self) -> Result | None:
        """One word for all signatures: a pass if there is one, else the first result."""
        if self.dkim is None:
            return None
        results = [verdict.result for verdict in self.dkim] or [Result.NONE]
        return Result.PASS if Result.PASS in results else results[0]

    @property
    def words(self) -> tuple[tuple[str, str], ...]:
        """Name and result of each check that was made, for the log and the metrics: closed sets."""
        found: list[tuple[str, str]] = []
        if self.spf:
            found.append(("spf", self.spf.result))
        if self.dkim_result:
            found.append(("dkim", self.dkim_result))
        if self.dmarc:
            found.append(("dmarc", self.dmarc.result))
        elif self.author and self.author.problem:
            found.append(("dmarc", Result.PERMERROR))
        if self.arc:
            found.append(("arc", self.arc.result))
        if self.iprev:
            found.append(("iprev", self.iprev.result))
        if self.dnsbl:
            found.append(("dnsbl", min((one.listing for one in self.dnsbl), key=_BY_WEIGHT.index)))
        if self.null_mx:
            found.append(("null-mx", self.null_mx))
        return tuple(found)

    @property
    def auth_class(self) -> str:
        """For the fingerprint: who stands for the message, and by which proof.

        Two messages with equal fields and bodies that differ here are two messages: a forged twin, sent
        ahead, cannot make home drop the true one. Failures and DNS trouble all count as nobody, so that a
        retry after trouble is at worst a second copy.
        """
        if self.dmarc and self.dmarc.result is Result.PASS:
            return f"dmarc {self.dmarc.author_domain}"
        if signers := sorted({one.claim.domain for one in self.dkim or () if one.counts_for_dmarc}):
            return f"dkim {' '.join(signers)}"
        if self.spf and self.spf.result is Result.PASS:
            return f"spf {self.spf.domain}"
        return "nobody"
