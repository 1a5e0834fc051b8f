"""The inspector at home: opens the edge's seal, asks the content scanner, says what is to be done.

Nothing is kept between messages. A message is scanned once, however many recipients it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol

from mxgw.authentication import JUNK_FIELD
from mxgw.config import Unscanned
from mxgw.edgeseal import EdgeSealer
from mxgw.envelope import Transaction
from mxgw.header import Header
from mxgw.intake import Intake
from mxgw.outcome import Decision
from mxgw.policy import Reason, Verdict
from mxgw.reply import Reply
from mxgw.scanner.answer import Answer, Fault
from mxgw.scanner.client import Question
from mxgw.scanner.edgeword import Believed, believe
from mxgw.scanner.judgement import Handling, Judgement, judge
from mxgw.seal import forged_fields, message_identity

SEAL_FACT = "X-MXGW-Seal"
"""A field of the request to Rspamd, not of the message: the state of the edge's seal. Where it is "valid",
a rule may trust the topmost Authentication-Results: ``task:get_request_header('X-MXGW-Seal')``."""


NO_FIELDS = b"X-MXGW-Scan: no header section\r\n\r\n"
"""Goes to Rspamd before content that has no field left: it skips blank lines at the beginning, and would take
the text for a header."""


class Scanner(Protocol):
    """Who looks into content (mxgw.scanner.client.Rspamd)."""

    async def scan(self, question: Question) -> Answer | Fault:
        """A verdict, or why there is none. Raises nothing but CancelledError."""


@dataclass(frozen=True, slots=True)
class HomeStance:
    """What the administrator decided.

    ``authserv_ids`` are the names that only we may use in Authentication-Results; a client in ``own`` is a
    machine of ours, and no sender.
    """

    unscanned: Unscanned
    authserv_ids: frozenset[str]
    own: tuple[IPv4Network | IPv6Network, ...]


class ContentInspector:
    """Begins inspections at home. ``sealer`` is None where edge and home share no key."""

    def __init__(
        self,
        scanner: Scanner,
        stance: HomeStance,
        *,
        sealer: EdgeSealer | None,
        clock: Callable[[], float],
    ) -> None:
        self._scanner = scanner
        self._stance = stance
        self._sealer = sealer
        self._clock = clock

    def begin(self, transaction: Transaction) -> ContentInspection:
        """Nothing is asked before the content is complete: half a message cannot be scanned."""
        return ContentInspection(self)

    async def inspect(self, transaction: Transaction, intake: Intake) -> ContentRuling:
        """What is to be done with a message that is complete."""
        stance, header = self._stance, intake.header
        believed = believe(
            header,
            message_identity(header, intake.body_digest()) if self._sealer else b"",
            sealer=self._sealer,
            authserv_ids=stance.authserv_ids,
            now=self._clock(),
        )
        said = await self._scanner.scan(self._question(transaction, intake, believed))
        edge_says_junk = believed.word is not None and believed.word.junk
        judgement = judge(said, edge_says_junk=edge_says_junk, unscanned=stance.unscanned)
        return ContentRuling(believed, judgement)

    def _question(self, transaction: Transaction, intake: Intake, believed: Believed) -> Question:
        client = transaction.client
        ours = any(
            client.address.version == network.version and client.address in network
            for network in self._stance.own
        )
        # What is scanned is what goes on: nothing that we do not believe, nothing that only we read.
        header, spool = intake.header, intake.spool
        block = header.without(forged_fields(header), believed.removed) if header.octets else b""
        if block in {b"", b"\r\n"}:
            block = NO_FIELDS

        def chunks() -> Iterator[bytes]:
            yield block
            yield from spool.chunks(header.octets)

        return Question(
            id=transaction.id,
            client="" if ours else client.address_text,
            helo=client.helo,
            reverse_path=transaction.reverse_path,
            forward_paths=tuple(dict.fromkeys(transaction.forward_paths)),
            facts=((SEAL_FACT, believed.state.value),),
            octets=len(block) + spool.octets - header.octets,
            chunks=chunks,
        )


class ContentInspection:
    """One message."""

    def __init__(self, inspector: ContentInspector) -> None:
        self._inspector = inspector

    def header(self, header: Header) -> None:
        """The intake keeps it."""

    def body(self, octets: bytes) -> None:
        """The spool keeps it."""

    def refusal(self) -> Reply | None:
        """Nobody is refused before his message was seen."""
        return None

    async def finish(self, transaction: Transaction, intake: Intake) -> ContentRuling:
        """Scan, and judge."""
        return await self._inspector.inspect(transaction, intake)

    def drop(self) -> None:
        """Nothing runs beside the arrival."""


class ContentRuling:
    """What was found about one message, and what follows from it."""

    def __init__(self, believed: Believed, judgement: Judgement) -> None:
        self._judgement = judgement
        self.auth_class = believed.auth_class
        self.removed = believed.removed
        self.checks = (
            ("seal", believed.state.value),
            ("rspamd", judgement.word),
            ("handling", judgement.handling.value),
        )

    @property
    def verdict(self) -> Verdict | None:
        """The refusal, if it is one."""
        reply = self._judgement.reply
        if reply is None:
            return None
        decision = Decision.REJECT if self._judgement.handling is Handling.REJECT else Decision.DEFER
        return Verdict((reply,), decision, Reason.CONTENT)

    def fields(self, fingerprint: str) -> bytes:
        """The word that Sieve files into Junk by."""
        return JUNK_FIELD if self._judgement.handling is Handling.JUNK else b""

    def settled(self, decision: Decision) -> None:
        """Nobody keeps count."""
