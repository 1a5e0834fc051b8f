"""What looks into a message beside its arrival: the interface between the gateway and its inspectors.

At the edge an inspector states who sent the message (mxgw.authentication); at home it asks for spam and
viruses. The gateway knows neither: it lets them see the message, asks for their ruling when the content is
complete, and carries the ruling out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mxgw.envelope import Transaction
from mxgw.intake import Intake, Observer
from mxgw.outcome import Decision
from mxgw.policy import Verdict
from mxgw.reply import Reply


class Ruling(Protocol):
    """What an inspector found out, and wants done."""

    @property
    def verdict(self) -> Verdict | None:
        """What to answer in place of delivering; None: deliver."""

    @property
    def checks(self) -> tuple[tuple[str, str], ...]:
        """Name and result of each check, out of closed sets: for the log and the metrics."""

    @property
    def auth_class(self) -> str:
        """Who stands for the message, for its fingerprint (mxgw.seal)."""

    @property
    def removed(self) -> frozenset[int]:
        """Which fields of the header must not go on: indices into ``Header.fields``."""

    def fields(self, fingerprint: str) -> bytes:
        """Whole header fields to put at the top. ``fingerprint`` is "" where none is made."""

    def settled(self, decision: Decision) -> None:
        """The transaction is over, and this is what the client was told; called once."""


class Inspection(Observer, Protocol):
    """One message under inspection. Ends with ``finish`` or ``drop``."""

    def refusal(self) -> Reply | None:
        """Why no recipient is to be taken, if that is known already. Never waits."""

    async def finish(self, transaction: Transaction, intake: Intake) -> Ruling:
        """The content is complete. Raises nothing but cancellation and bugs of ours."""

    def drop(self) -> None:
        """The message will not come, or its ruling is not wanted. May be called again, also after finish."""


class Inspector(Protocol):
    """Begins inspections."""

    def begin(self, transaction: Transaction) -> Inspection:
        """At MAIL, after the command was accepted."""


@dataclass(frozen=True, slots=True)
class NoObjection:
    """The ruling where nobody looked."""

    verdict: Verdict | None = None
    checks: tuple[tuple[str, str], ...] = ()
    auth_class: str = "unchecked"
    removed: frozenset[int] = frozenset()

    def fields(self, fingerprint: str) -> bytes:
        """None."""
        return b""

    def settled(self, decision: Decision) -> None:
        """Nobody keeps count."""


NO_OBJECTION = NoObjection()
