"""What is done with a message for what was found out about its author. Pure.

What a message that fails DMARC meets at most is set by MXGW_DMARC:

| DMARC says | report | quarantine | reject |
|---|---|---|---|
| pass, none, permerror; fail with p=none | deliver | deliver | deliver |
| fail with p=quarantine | deliver | junk | junk |
| fail with p=reject | deliver | junk | refuse: 550 |
| no answer from DNS, policy known to be quarantine or reject | deliver | junk | junk |
| no answer from DNS, policy not known; quarantine or reject above it | deliver | junk | defer: 451 |
| no answer from DNS, no policy known | deliver | deliver | defer: 451 |
| From names nobody, or not clearly | deliver | junk | refuse: 550 |

A sealer that we trust and that vouches for the author (mxgw.msgauth.arc_word) excuses a failure. Where DNS
hides whether its seal holds, what would be refused is deferred. DNS trouble never leads to a 5xx.

No answer where the policy is known means: nothing that passed aligns, and what might have passed could not
be checked. A forger can bring that about, with a signature whose key is at a name that DNS stays silent on;
so such a message is not delivered as if nothing was wrong (RFC 9989 section 5.3.6 leaves it to us).

No answer because we had too many questions on their way is our own trouble, and a forger can bring that about
too: but in mode report, the message is deferred in place of delivery or junk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mxgw.config.rows import DmarcPolicy, DnsblPolicy, NullMxPolicy
from mxgw.msgauth.arc import ArcVerdict
from mxgw.msgauth.arc_word import vouches
from mxgw.msgauth.author import Author
from mxgw.msgauth.dmarc import DmarcVerdict, Policy
from mxgw.msgauth.dnsbl import DnsblResult, Listing
from mxgw.msgauth.null_mx import NullMx
from mxgw.msgauth.results import Result
from mxgw.reply import Reply

MAX_NAMED_SEALERS = 5
"""In a comment of a DMARC report. Chains in use have up to five sets."""


class Handling(StrEnum):
    """What becomes of a message."""

    DELIVER = "deliver"
    JUNK = "junk"
    REJECT = "reject"
    DEFER = "defer"


class DispositionReason(StrEnum):
    """What was found, whether anything is done about it or not: a closed set, for logs and metrics."""

    NONE = "none"
    DMARC_FAIL = "dmarc-fail"
    DMARC_TEMPERROR = "dmarc-temperror"
    ARC_TEMPERROR = "arc-temperror"
    NO_AUTHOR = "no-author"
    TRUSTED_ARC = "trusted-arc"
    DNSBL = "dnsbl"
    NULL_MX = "null-mx"


class Override(StrEnum):
    """Why the policy of the domain was not carried out: words of RFC 9990 (PolicyOverrideType)."""

    NONE = ""
    LOCAL_POLICY = "local_policy"
    POLICY_TEST_MODE = "policy_test_mode"


@dataclass(frozen=True, slots=True)
class Disposition:
    """What to do, and why. ``reply`` is there for REJECT and DEFER, and for them alone.

    ``override`` and ``override_comment`` are for the DMARC report.
    """

    handling: Handling
    reason: DispositionReason
    override: Override = Override.NONE
    override_comment: str = ""
    reply: Reply | None = None


DMARC_REFUSED = Reply.of(
    550, "5.7.26", "DMARC: the policy of the author's domain is to refuse this message (RFC 9989) #M50"
)
NO_AUTHOR_REFUSED = Reply.of(550, "5.6.0", "The From field does not name an author clearly (RFC 5322) #M51")
NO_ANSWER = Reply.of(
    451, "4.7.0", "DNS has no answer for what DMARC asks of the author's domain; please try again later #M52"
)
NULL_MX_REFUSED = Reply.of(
    550, "5.7.27", "The domain of the sender's address takes no mail itself (null MX, RFC 7505) #M55"
)
SEAL_UNKNOWN = Reply.of(
    451, "4.7.0", "DNS has no answer for the ARC seals of this message; please try again later #M53"
)

_ASKED_FOR = {
    Policy.NONE: Handling.DELIVER,
    Policy.QUARANTINE: Handling.JUNK,
    Policy.REJECT: Handling.REJECT,
}


def dispose(
    *,
    mode: DmarcPolicy,
    author: Author | None,
    dmarc: DmarcVerdict | None,
    arc: ArcVerdict | None,
    trusted_sealers: frozenset[str],
    dnsbl: Sequence[DnsblResult] = (),
    dnsbl_policy: DnsblPolicy = DnsblPolicy.REPORT,
    null_mx: NullMx | None = None,
    null_mx_policy: NullMxPolicy = NullMxPolicy.REPORT,
    crowded: bool = False,
) -> Disposition:
    """Decide. None stands for a check that was not made; ``dmarc`` speaks for all author domains.

    ``trusted_sealers`` are signing domains of ARC seals, lower case, A-labels. ``crowded``: some questions
    found no place among those on their way.
    """
    if (refusing := refusing_list(dnsbl, dnsbl_policy)) is not None:
        override = _override(dmarc, Handling.REJECT)
        return Disposition(Handling.REJECT, DispositionReason.DNSBL, override, reply=_listed(refusing.zone))
    if null_mx is NullMx.YES and null_mx_policy is NullMxPolicy.REJECT:
        override = _override(dmarc, Handling.REJECT)
        return Disposition(Handling.REJECT, DispositionReason.NULL_MX, override, reply=NULL_MX_REFUSED)
    if author is not None and author.problem:
        return _without_author(mode)
    if dmarc is None or dmarc.result not in {Result.FAIL, Result.TEMPERROR}:
        return Disposition(Handling.DELIVER, DispositionReason.NONE)
    # A sealer speaks for one author domain; a message with several is not excused by a word for one of them.
    one_author = author is None or len(author.domains) == 1
    excused = one_author and arc is not None and _vouched(arc, dmarc, trusted_sealers)
    if arc is not None and excused and arc.result is Result.PASS:
        override = _override(dmarc, Handling.DELIVER)
        comment = _comment(arc) if override is Override.LOCAL_POLICY else ""
        return Disposition(Handling.DELIVER, DispositionReason.TRUSTED_ARC, override, comment)
    if dmarc.result is Result.TEMPERROR:
        return _without_answer(mode, dmarc, crowded=crowded)
    handling = _ASKED_FOR[dmarc.policy]
    match mode:
        case DmarcPolicy.REPORT:
            handling = Handling.DELIVER
        case DmarcPolicy.QUARANTINE if handling is Handling.REJECT:
            handling = Handling.JUNK
        case _:
            pass
    if handling is not Handling.REJECT:
        return Disposition(handling, DispositionReason.DMARC_FAIL, _override(dmarc, handling))
    if arc is not None and excused and arc.temporary:
        return Disposition(Handling.DEFER, DispositionReason.ARC_TEMPERROR, reply=SEAL_UNKNOWN)
    if arc is not None and one_author and dmarc.organization_hidden and _trusted(arc, trusted_sealers):
        # What the sealer says may be about another domain of the author's organization.
        return Disposition(Handling.DEFER, DispositionReason.DMARC_TEMPERROR, reply=NO_ANSWER)
    return Disposition(handling, DispositionReason.DMARC_FAIL, reply=DMARC_REFUSED)


def refusing_list(results: Sequence[DnsblResult], policy: DnsblPolicy) -> DnsblResult | None:
    """The first list for whose word the client is refused, None where it is not."""
    if policy is not DnsblPolicy.REJECT:
        return None
    return next((one for one in results if one.listing is Listing.LISTED), None)


def _listed(zone: str) -> Reply:
    return Reply.of(550, "5.7.1", f"Your address is on the DNS list {zone}; ask there to be taken off #M54")


def _without_author(mode: DmarcPolicy) -> Disposition:
    match mode:
        case DmarcPolicy.REPORT:
            return Disposition(Handling.DELIVER, DispositionReason.NO_AUTHOR)
        case DmarcPolicy.QUARANTINE:
            return Disposition(Handling.JUNK, DispositionReason.NO_AUTHOR)
        case DmarcPolicy.REJECT:
            return Disposition(Handling.REJECT, DispositionReason.NO_AUTHOR, reply=NO_AUTHOR_REFUSED)


def _without_answer(mode: DmarcPolicy, dmarc: DmarcVerdict, *, crowded: bool) -> Disposition:
    reason = DispositionReason.DMARC_TEMPERROR
    unknown = dmarc.record is None
    # Without a record the policy is none.
    harmless = mode is DmarcPolicy.REPORT or (dmarc.policy is Policy.NONE and not unknown)
    if not harmless and (crowded or (unknown and mode is DmarcPolicy.REJECT)):
        return Disposition(Handling.DEFER, reason, reply=NO_ANSWER)
    if unknown and mode is DmarcPolicy.QUARANTINE and dmarc.presumed is not Policy.NONE:
        return Disposition(Handling.JUNK, reason)
    return Disposition(Handling.DELIVER if harmless or unknown else Handling.JUNK, reason)


def _vouched(arc: ArcVerdict, dmarc: DmarcVerdict, trusted_sealers: frozenset[str]) -> bool:
    """Whether the newest sealer, if its seal holds, is one we trust, and says that the author is true."""
    return _trusted(arc, trusted_sealers) and vouches(
        arc.results, dmarc.author_domain, dmarc.organizational_domain
    )


def _trusted(arc: ArcVerdict, trusted_sealers: frozenset[str]) -> bool:
    """Whether the newest sealer, if its seal holds, is one we trust, and has sealed the author."""
    may_hold = arc.result is Result.PASS or arc.temporary
    return may_hold and bool(arc.sealers) and arc.sealers[0] in trusted_sealers and arc.author_sealed


def _override(dmarc: DmarcVerdict | None, handling: Handling) -> Override:
    if dmarc is None:
        return Override.NONE
    if dmarc.result is Result.TEMPERROR:
        # Nobody can say what the policy asked for; it was not a refusal.
        return Override.LOCAL_POLICY if handling is Handling.REJECT else Override.NONE
    failed = dmarc.result is Result.FAIL
    asked_for = _ASKED_FOR[dmarc.policy] if failed else Handling.DELIVER
    if handling is not asked_for:
        return Override.LOCAL_POLICY
    return Override.POLICY_TEST_MODE if failed and dmarc.published is not dmarc.policy else Override.NONE


def _comment(arc: ArcVerdict) -> str:
    """As in RFC 8617 section 7.2.2, as far as it is known here."""
    newest = len(arc.sealers)
    named = [f"as[{newest - at}].d={one}" for at, one in enumerate(arc.sealers[:MAX_NAMED_SEALERS])]
    return " ".join(["arc=pass", *named])
