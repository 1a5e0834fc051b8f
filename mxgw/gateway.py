"""The engine between a door and home: gather facts, decide, amend, relay, tell. Knows no socket.

A door hands over commands as values and gets replies back; what a reply should be is policy's business, and
what happened becomes one ``Outcome``. Nothing here is kept between transactions but the memory of mixed
results, which is safe to lose.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from mxgw import account, policy
from mxgw.content import ContentFault
from mxgw.envelope import Client, ForwardPath, MailCommand, ReversePath, Transaction
from mxgw.header import Header, message_age_seconds
from mxgw.inspection import NO_OBJECTION, Inspection, Inspector, Ruling
from mxgw.intake import Intake
from mxgw.mixtures import SplitMemory
from mxgw.outcome import Decision, HomeAnswer, Outcome
from mxgw.policy import Reason, Verdict
from mxgw.relay import Parcel
from mxgw.reply import Reply
from mxgw.seal import Sealer
from mxgw.spool import SpoolBudget
from mxgw.trace import header_for_home


class Home(Protocol):
    """Where messages go. Both return one answer per path and raise nothing but cancellation."""

    def available(self) -> bool:
        """False while home is known to be away: do not let the octets travel in vain."""

    async def deliver(self, parcel: Parcel) -> tuple[HomeAnswer, ...]:
        """Hand over a message at once."""


class Asker(Protocol):
    """Who answers for recipients, live."""

    async def ask(
        self, reverse_path: ReversePath, forward_paths: Sequence[ForwardPath]
    ) -> tuple[HomeAnswer, ...]:
        """One answer per path; trouble where home cannot be asked."""


class Domains(Protocol):
    """The domains that we take mail for, in lower case; they may change while we run."""

    def current(self) -> frozenset[str]:
        """The set to decide by just now."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers and names that the gateway decides by. Octets, seconds, counts."""

    hostname: str
    postmaster: ForwardPath
    max_message_octets: int
    max_recipients: int
    max_received: int
    spool_dir: Path | None
    spool_memory_octets: int
    one_reply_each: bool
    """True at an LMTP door: every accepted RCPT gets its own reply (RFC 2033 section 4.2)."""


class Gateway:
    """Decides for one door.

    ``forged`` names, in lower case, the fields of a header that a client of this door may not bring in.
    ``clock`` gives Unix time; ``new_id`` an identifier unique to a transaction.
    """

    def __init__(
        self,
        rules: Rules,
        *,
        home: Home,
        asker: Asker | None,
        domains: Domains,
        budget: SpoolBudget,
        mixtures: SplitMemory,
        sealer: Sealer | None,
        inspector: Inspector | None,
        forged: Callable[[Header], frozenset[str]],
        record: Callable[[Outcome], None],
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._rules = rules
        self._home = home
        self._asker = asker
        self._domains = domains
        self._budget = budget
        self._mixtures = mixtures
        self._sealer = sealer
        self._inspector = inspector
        self._inspections: dict[str, Inspection] = {}
        self._forged = forged
        self._record = record
        self._clock = clock
        self._new_id = new_id

    def mail(self, client: Client, command: MailCommand) -> Transaction | Reply:
        """Open a transaction, or refuse the MAIL command."""
        refusal = policy.mail_reply(
            home_available=self._home.available(),
            declared_octets=command.parameters.size_octets,
            max_octets=self._rules.max_message_octets,
            spool_free_octets=self._budget.max_octets - self._budget.used,
        )
        transaction = Transaction(
            self._new_id(), client, command.reverse_path, command.parameters, self._clock()
        )
        if refusal:
            if not refusal.permanent:
                self._record(_put_off_at_mail(transaction, refusal, self._clock()))
            return refusal
        if self._inspector is not None:
            self._inspections[transaction.id] = self._inspector.begin(transaction)
        return transaction

    def rcpt(
        self, transaction: Transaction, paths: Sequence[ForwardPath | Reply]
    ) -> list[Reply] | Awaitable[list[Reply]]:
        """Answer a pipelined run of RCPT commands at once: one question to home for all of them.

        An entry that is a Reply already (bad syntax) is its own answer.
        """
        inspection = self._inspections.get(transaction.id)
        if inspection is not None and (refusal := inspection.refusal()) is not None:
            final = [refusal if isinstance(path, ForwardPath) else path for path in paths]
            return self._keep_paths(transaction, paths, final)
        replies: list[Reply | None] = []
        asked: list[ForwardPath] = []
        room = self._rules.max_recipients - len(transaction.forward_paths)
        if transaction.reverse_path.null and not self._rules.one_reply_each:
            room = min(room, 1 - len(transaction.forward_paths))
        for path in paths:
            reply = self._judge(transaction, path, room) if isinstance(path, ForwardPath) else path
            replies.append(reply)
            if reply is None or reply.positive:
                room -= 1
            if reply is None and isinstance(path, ForwardPath):
                asked.append(path)
        if asked and self._asker:
            return self._ask(self._asker, transaction, paths, asked, replies)
        return self._keep_paths(
            transaction, paths, [policy.RECIPIENT_OK if reply is None else reply for reply in replies]
        )

    async def _ask(
        self,
        asker: Asker,
        transaction: Transaction,
        paths: Sequence[ForwardPath | Reply],
        asked: Sequence[ForwardPath],
        replies: Sequence[Reply | None],
    ) -> list[Reply]:
        answers = iter(await asker.ask(transaction.reverse_path, asked))
        return self._keep_paths(
            transaction,
            paths,
            [policy.recipient_reply(next(answers)) if reply is None else reply for reply in replies],
        )

    def _keep_paths(
        self, transaction: Transaction, paths: Sequence[ForwardPath | Reply], final: list[Reply]
    ) -> list[Reply]:
        """Put each path where its reply says it belongs; returns the replies."""
        for path, reply in zip(paths, final, strict=True):
            if not isinstance(path, ForwardPath):
                continue
            if reply.positive:
                transaction.forward_paths.append(self._resolve(path))
            else:
                transaction.refused.append((path, reply))
        return final

    def intake(self, transaction: Transaction) -> Intake:
        """Where the door puts the content of this transaction; ``deliver`` or ``abandon`` closes it."""
        return Intake(
            self._budget,
            directory=self._rules.spool_dir,
            memory_octets=self._rules.spool_memory_octets,
            hash_body=self._sealer is not None,
            observer=self._inspections.get(transaction.id),
        )

    async def deliver(
        self, transaction: Transaction, intake: Intake, fault: ContentFault | None
    ) -> tuple[Reply, ...]:
        """The content is complete (or faulty): decide, relay, and say what to answer."""
        received_at = self._clock()
        inspection = self._inspections.pop(transaction.id, None)
        answers: tuple[HomeAnswer, ...] = ()
        fingerprint = ""
        ruling: Ruling = NO_OBJECTION
        try:
            intake.finish()
            verdict = policy.content_verdict(
                fault or intake.fault,
                received_count=intake.header.count("Received"),
                max_received=self._rules.max_received,
            )
            if verdict is None and inspection is not None:
                ruling = await inspection.finish(transaction, intake)
                verdict = ruling.verdict
            if verdict is None:
                fingerprint = self._fingerprint(transaction, intake, ruling)
                answers = await self._relay(transaction, intake, ruling, fingerprint)
                verdict = self._answer(transaction, intake, answers)
            elif self._rules.one_reply_each:
                verdict = Verdict(
                    verdict.replies * len(transaction.forward_paths), verdict.decision, verdict.reason
                )
            else:
                verdict = policy.lawful(verdict, deferred=transaction.deferred)
            self._record(
                account.of_delivery(
                    transaction,
                    verdict,
                    answers,
                    octets=intake.octets,
                    message_id=intake.header.first("Message-ID") or "",
                    fingerprint=fingerprint,
                    detail=intake.fault_detail,
                    checks=ruling.checks,
                    received_at=received_at,
                    now=self._clock(),
                )
            )
            ruling.settled(verdict.decision)
            return verdict.replies
        finally:
            if inspection is not None:
                inspection.drop()
            intake.close()

    def abandon(self, transaction: Transaction, intake: Intake | None) -> None:
        """The transaction ends without an end of content: RSET, QUIT, a hang-up, or no recipient was left."""
        octets = intake.octets if intake else 0
        if intake:
            intake.close()
        if inspection := self._inspections.pop(transaction.id, None):
            inspection.drop()
        if outcome := account.of_abandoned(transaction, octets=octets, now=self._clock()):
            self._record(outcome)

    def _judge(self, transaction: Transaction, path: ForwardPath, room: int) -> Reply | None:
        """What can be said of a recipient without asking home; None where home is to be asked."""
        if path.domain and path.domain.lower() not in self._domains.current():
            return policy.RELAY_DENIED
        if not path.domain and not path.postmaster:
            return policy.RELAY_DENIED
        if room <= 0:
            null_sender = transaction.reverse_path.null and len(transaction.forward_paths) < (
                self._rules.max_recipients
            )
            return policy.ONE_RECIPIENT_FOR_NULL_SENDER if null_sender else policy.TOO_MANY_RECIPIENTS
        if not self._rules.one_reply_each and self._mixtures.puts_off(transaction.reverse_path, path):
            return policy.LATER_FOR_SPLIT
        if path.postmaster:
            return policy.RECIPIENT_OK
        return None if self._asker else policy.RECIPIENT_OK

    def _resolve(self, path: ForwardPath) -> ForwardPath:
        return path if path.domain else self._rules.postmaster

    def _fingerprint(self, transaction: Transaction, intake: Intake, ruling: Ruling) -> str:
        if self._sealer is None:
            return ""
        return self._sealer.fingerprint(
            reverse_path=transaction.reverse_path,
            header=intake.header,
            body_digest=intake.body_digest(),
            content_digest=intake.content_digest,
            auth_class=ruling.auth_class,
        )

    async def _relay(
        self, transaction: Transaction, intake: Intake, ruling: Ruling, fingerprint: str
    ) -> tuple[HomeAnswer, ...]:
        prefix = header_for_home(
            transaction,
            intake.header,
            hostname=self._rules.hostname,
            when=datetime.fromtimestamp(self._clock(), UTC),
            lmtp=self._rules.one_reply_each,
            fields=ruling.fields(fingerprint),
            fingerprint=fingerprint,
            forged=self._forged(intake.header),
            removed=ruling.removed,
        )
        spool, header_octets = intake.spool, intake.header.octets
        octets = len(prefix) + spool.octets - header_octets

        def chunks() -> Iterator[bytes]:
            yield prefix
            yield from spool.chunks(header_octets)

        # A mailbox named twice gets one copy; both of its RCPT commands get its answer.
        paths = transaction.forward_paths
        unique = tuple(paths) if len(paths) == 1 else tuple(dict.fromkeys(paths))
        parcel = Parcel(
            id=transaction.id,
            client=transaction.client,
            reverse_path=transaction.reverse_path,
            forward_paths=unique,
            parameters=transaction.parameters,
            octets=octets,
            chunks=chunks,
        )
        answers = await self._home.deliver(parcel)
        if len(unique) == len(transaction.forward_paths):
            return answers
        by_path = dict(zip(unique, answers, strict=True))
        return tuple(by_path[path] for path in transaction.forward_paths)

    def _answer(self, transaction: Transaction, intake: Intake, answers: tuple[HomeAnswer, ...]) -> Verdict:
        paths = transaction.forward_paths
        deferred = transaction.deferred
        if transaction.parameters.prdr and len(paths) > 1:
            return policy.answer_each(answers, paths, deferred=deferred, transaction_id=transaction.id)
        verdict = policy.answer(
            answers,
            paths,
            deferred=deferred,
            age_seconds=lambda: message_age_seconds(
                intake.header, datetime.fromtimestamp(self._clock(), UTC)
            ),
            transaction_id=transaction.id,
        )
        if self._rules.one_reply_each:
            return Verdict(policy.each_reply(answers), verdict.decision, verdict.reason)
        if verdict.decision is Decision.ACCEPT and not self._mixtures:
            return verdict
        stored = [path for path, item in zip(paths, answers, strict=True) if item.stored]
        if verdict.decision is Decision.ACCEPT:
            self._mixtures.acknowledge(transaction.reverse_path, stored)
        elif verdict.reason is Reason.MIXED and verdict.decision is Decision.DEFER:
            refused = [path for path, item in zip(paths, answers, strict=True) if item.refused]
            self._mixtures.remember(transaction.reverse_path, stored=stored, refused=refused)
        return verdict


def _put_off_at_mail(transaction: Transaction, refusal: Reply, now: float) -> Outcome:
    """Of a mail that waits at its sender from the first command on: nobody else tells that it exists."""
    reason = Reason.HOME_UNREACHABLE if refusal == policy.HOME_AWAY else Reason.SPOOL_FULL
    return account.of_delivery(
        transaction,
        Verdict((refusal,), Decision.DEFER, reason),
        (),
        octets=0,
        message_id="",
        fingerprint="",
        detail="",
        checks=(),
        received_at=now,
        now=now,
    )
