"""The "dmarc" event of the log: what an aggregate report (RFC 9990) needs to know of one message."""

from __future__ import annotations

from collections.abc import Mapping

from mxgw.envelope import Transaction
from mxgw.msgauth.disposition import Disposition, Handling
from mxgw.msgauth.dmarc import DmarcVerdict, Policy
from mxgw.msgauth.evaluation import Evaluation
from mxgw.msgauth.results import Result
from mxgw.msgauth.spf_result import Identity
from mxgw.outcome import Decision

MAX_REPORTED_SIGNATURES = 8
"""As many as mxgw.msgauth.dkim verifies."""


def report_event(
    transaction: Transaction, evaluation: Evaluation, disposition: Disposition, decision: Decision
) -> Mapping[str, object]:
    """The fields of the event; empty where no policy was found, since nobody asked for a report then.

    Domains only, no local parts: a report goes to strangers.
    """
    verdict = evaluation.dmarc
    if verdict is None or verdict.record is None:
        return {}
    record, spf = verdict.record, evaluation.spf
    return {
        "id": transaction.id,
        "source_ip": transaction.client.address_text,
        "count": 1,
        "header_from": verdict.author_domain,
        "envelope_from": transaction.reverse_path.domain.lower(),
        "envelope_to": sorted({path.domain.lower() for path in transaction.forward_paths}),
        "policy_domain": verdict.record_domain,
        "discovery": "treewalk",
        "p": record.p.value,
        "sp": record.sp.value if record.sp else "",
        "np": record.np.value if record.np else "",
        "adkim": record.adkim.value,
        "aspf": record.aspf.value,
        "testing": "y" if record.t else "n",
        "rua": list(record.rua),
        "disposition": _disposition(verdict, disposition, decision),
        "dkim_aligned": "pass" if verdict.aligned_dkim else "fail",
        "spf_aligned": "pass" if verdict.aligned_spf else "fail",
        "override": disposition.override,
        "override_comment": disposition.override_comment,
        "dkim": [
            {
                "domain": one.claim.domain,
                "selector": one.claim.selector,
                "result": one.result.value,
                "human_result": one.reason,
            }
            for one in (evaluation.dkim or ())[:MAX_REPORTED_SIGNATURES]
        ],
        "spf": (
            {
                "domain": spf.domain,
                "scope": "helo"
                if transaction.reverse_path.null or spf.identity is Identity.HELO
                else "mfrom",
                "result": spf.result.value,
            }
            if spf
            else {}
        ),
    }


def _disposition(verdict: DmarcVerdict, disposition: Disposition, decision: Decision) -> str:
    """RFC 9990's ActionDispositionType: what was done because of the policy."""
    if verdict.result is Result.PASS:
        return "none" if verdict.policy is Policy.NONE else "pass"
    if disposition.handling is Handling.JUNK:
        return "quarantine"
    return "reject" if decision is Decision.REJECT and disposition.handling is Handling.REJECT else "none"
