"""The edge's inspector: who sent a message, what is stated of it, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mxgw.config import DmarcPolicy, DnsblPolicy, NullMxPolicy
from mxgw.edgeseal import EdgeSealer
from mxgw.envelope import Transaction
from mxgw.intake import Intake
from mxgw.msgauth.checks import Examination, Examiner
from mxgw.msgauth.disposition import Disposition, Handling, dispose
from mxgw.msgauth.evaluation import Evaluation
from mxgw.msgauth.forged_results import forged_results
from mxgw.msgauth.received_spf import received_spf_field
from mxgw.msgauth.report_event import report_event
from mxgw.msgauth.results_field import results_field
from mxgw.outcome import Decision
from mxgw.policy import Reason, Verdict
from mxgw.reply import Reply
from mxgw.seal import message_identity

JUNK_FIELD = b"X-MXGW-Junk: yes\r\n"
"""Home files a message with this field into Junk. Nobody but us may bring it (mxgw.seal.forged_fields)."""


@dataclass(frozen=True, slots=True)
class Stance:
    """What the administrator decided. ``own_ids`` are the authserv-ids that only we may use."""

    authserv_id: str
    own_ids: frozenset[str]
    dmarc: DmarcPolicy
    dnsbl: DnsblPolicy
    trusted_sealers: frozenset[str]
    null_mx: NullMxPolicy = NullMxPolicy.REPORT
    received_spf_by: str = ""
    """Our own name in Received-SPF fields; "" where none are written."""

    def dispose(self, evaluation: Evaluation) -> Disposition:
        """What is to be done with a message of which this was found."""
        return dispose(
            mode=self.dmarc,
            author=evaluation.author,
            dmarc=evaluation.dmarc,
            arc=evaluation.arc,
            trusted_sealers=self.trusted_sealers,
            dnsbl=evaluation.dnsbl,
            dnsbl_policy=self.dnsbl,
            null_mx=evaluation.null_mx,
            null_mx_policy=self.null_mx,
            crowded=evaluation.crowded,
        )


class Authentication:
    """Begins the inspection of messages at the edge.

    ``sealer`` is None where edge and home share no key. ``report`` takes the fields of one "dmarc" event for
    each message whose author domain has a policy: aggregate reports are made of them.
    """

    def __init__(
        self,
        examiner: Examiner,
        stance: Stance,
        *,
        sealer: EdgeSealer | None,
        report: Callable[[Mapping[str, object]], None],
        clock: Callable[[], float],
    ) -> None:
        self._examiner = examiner
        self.stance = stance
        self.sealer = sealer
        self.report = report
        self.clock = clock

    def begin(self, transaction: Transaction) -> EdgeInspection:
        """At MAIL: what needs the envelope only starts now."""
        return EdgeInspection(self, self._examiner.begin(transaction.client, transaction.reverse_path))


class EdgeInspection:
    """One message."""

    def __init__(self, authentication: Authentication, examination: Examination) -> None:
        self._authentication = authentication
        self._examination = examination
        self.header = examination.header
        self.body = examination.body
        self.drop = examination.drop
        stance = authentication.stance
        self._refuses_early = stance.dnsbl is DnsblPolicy.REJECT or stance.null_mx is NullMxPolicy.REJECT

    def refusal(self) -> Reply | None:
        """A client that a list names, or a sender who can get no answer, is not asked for its message where
        DNS has answered by now."""
        if not self._refuses_early:
            return None
        examination = self._examination
        known = Evaluation(examination.address, dnsbl=examination.listings, null_mx=examination.null_mx)
        return self._authentication.stance.dispose(known).reply

    async def finish(self, transaction: Transaction, intake: Intake) -> EdgeRuling:
        """Wait for what is still being asked, and judge."""
        evaluation = await self._examination.finish()
        disposition = self._authentication.stance.dispose(evaluation)
        return EdgeRuling(self._authentication, transaction, intake, evaluation, disposition)


class EdgeRuling:
    """What was found about one message, and what follows from it."""

    def __init__(
        self,
        authentication: Authentication,
        transaction: Transaction,
        intake: Intake,
        evaluation: Evaluation,
        disposition: Disposition,
    ) -> None:
        self._authentication = authentication
        self._transaction = transaction
        self._intake = intake
        self._evaluation = evaluation
        self._disposition = disposition
        self.auth_class = evaluation.auth_class
        self.removed = forged_results(intake.header, authentication.stance.own_ids)

    @property
    def verdict(self) -> Verdict | None:
        """The refusal that the disposition asks for."""
        reply = self._disposition.reply
        if reply is None:
            return None
        decision = Decision.REJECT if reply.permanent else Decision.DEFER
        return Verdict((reply,), decision, Reason.AUTHENTICATION)

    @property
    def checks(self) -> tuple[tuple[str, str], ...]:
        """One word per check that was made, and the handling."""
        return (*self._evaluation.words, ("handling", self._disposition.handling))

    def fields(self, fingerprint: str) -> bytes:
        """Authentication-Results, the seal on it, the word for Junk, Received-SPF."""
        stance, sealer = self._authentication.stance, self._authentication.sealer
        junk = self._disposition.handling is Handling.JUNK
        results = results_field(stance.authserv_id, self._evaluation.findings())
        parts = [results]
        if sealer is not None and fingerprint:
            now = self._authentication.clock()
            intake = self._intake
            parts.append(
                sealer.seal_field(
                    results=results,
                    identity=message_identity(intake.header, intake.body_digest()),
                    fingerprint=fingerprint,
                    junk=junk,
                    now=now,
                )
            )
        if junk:
            parts.append(JUNK_FIELD)
        if stance.received_spf_by and (spf := self._evaluation.spf):
            client = self._transaction.client
            parts.append(
                received_spf_field(
                    spf,
                    address=client.address,
                    helo=client.helo,
                    reverse_path=self._transaction.reverse_path,
                    receiver=stance.received_spf_by,
                )
            )
        return b"".join(parts)

    def settled(self, decision: Decision) -> None:
        """A message that is put off comes again: it is reported when it is through."""
        if decision in {Decision.ACCEPT, Decision.REJECT}:
            event = report_event(self._transaction, self._evaluation, self._disposition, decision)
            if event:
                self._authentication.report(event)
