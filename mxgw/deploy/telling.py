"""How a deployment tells what it does and asks what it must know; the command line does both."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from mxgw.deploy.stack_state import Change


class State(StrEnum):
    """Of a step."""

    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    WARNING = "warning"
    FAILED = "failed"


class Teller(Protocol):
    """Keys name texts of the catalogue, which the facts fill."""

    def step(self, name: str, state: State, key: str, /, **facts: str | int) -> None:
        """A step is now in this state."""

    def changes(self, stack: str, changes: Sequence[Change]) -> None:
        """What would change in a stack."""

    def confirm(self, key: str, **facts: str | int) -> None:
        """Goes on where the answer is yes; raises Refused where it is no, or nobody can be asked."""

    def confirm_loss(self, names: Sequence[str]) -> None:
        """The same, for what cannot be brought back: a plain --yes does not do."""

    def secret(self, key: str, **facts: str | int) -> str | None:
        """Asked for without being shown; None where nobody can be asked."""

    def refusal(self, key: str, **facts: str | int) -> None:
        """What was answered cannot be used; it is asked again."""
