"""What a stack's state, its changes and its events mean. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Act(StrEnum):
    """What comes next for a stack."""

    CREATE = "create"
    UPDATE = "update"
    WAIT = "wait"
    DELETE_FIRST = "delete-first"
    REPAIR = "repair"


_GOOD = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }
)
_USELESS = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"})
"""CloudFormation takes nothing for these but their deletion."""


@dataclass(frozen=True, slots=True)
class StackFacts:
    """A stack as CloudFormation describes it."""

    name: str
    id: str
    status: str
    reason: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


def next_act(stack: StackFacts | None) -> Act:
    """What can be done with it now."""
    if stack is None or stack.status in {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"}:
        return Act.CREATE
    if stack.status.endswith("_IN_PROGRESS"):
        return Act.WAIT
    if stack.status in _USELESS:
        return Act.DELETE_FIRST
    if stack.status in _GOOD:
        return Act.UPDATE
    # UPDATE_ROLLBACK_FAILED, UPDATE_FAILED, and what is not known yet.
    return Act.REPAIR


def succeeded(status: str) -> bool:
    """Whether what was begun has been done."""
    return status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"}


class Loss(StrEnum):
    """What a change does to what is there."""

    NONE = "none"
    PERHAPS = "perhaps"
    SURE = "sure"


_KEEPS_SOMETHING = frozenset(
    {
        "AWS::EC2::EIP",
        "AWS::ECR::Repository",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::Logs::LogGroup",
        "AWS::SecretsManager::Secret",
        "AWS::SNS::Topic",
        "AWS::SNS::Subscription",
        "AWS::SSM::Parameter",
    }
)
"""Types that hold what cannot be made again from the source: values, addresses, logs, confirmations."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a change set; ``replacement`` is CloudFormation's True, False, Conditional or ""."""

    action: str
    name: str
    kind: str
    replacement: str = ""

    @property
    def what(self) -> str:
        """add, modify, replace, perhaps-replace, remove (also for actions that come later)."""
        if self.action != "Modify":
            return {"Add": "add", "Remove": "remove", "Import": "import"}.get(self.action, "modify")
        return {"True": "replace", "Conditional": "perhaps-replace"}.get(self.replacement, "modify")

    @property
    def loss(self) -> Loss:
        """Of something that has a state."""
        if self.kind not in _KEEPS_SOMETHING:
            return Loss.NONE
        return {"remove": Loss.SURE, "replace": Loss.SURE, "perhaps-replace": Loss.PERHAPS}.get(
            self.what, Loss.NONE
        )


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a resource of a stack, or to the stack itself."""

    id: str
    name: str
    kind: str
    status: str
    reason: str = ""


def first_failure(events: Iterable[Event]) -> Event | None:
    """The event that began the trouble; ``events`` are the oldest first.

    What was cancelled failed because something else had.
    """
    failed = [event for event in events if event.status.endswith("_FAILED")]
    causes = [event for event in failed if "cancelled" not in event.reason.lower()]
    of_resources = [event for event in causes if event.kind != "AWS::CloudFormation::Stack"]
    return next(iter([*of_resources, *causes, *failed]), None)


def advice(failure: Event) -> str:
    """The key of the text that says what to do about it."""
    reason = failure.reason.lower()
    by_reason = (
        ("not authorized", "advice-denied"),
        ("accessdenied", "advice-denied"),
        ("limit", "advice-limit"),
        ("quota", "advice-limit"),
        ("already exists", "advice-exists"),
        ("no export named", "advice-base-first"),
        ("in use by", "advice-in-use"),
        ("service linked role", "advice-linked-role"),
    )
    for part, key in by_reason:
        if part in reason:
            return key
    return "advice-tasks" if failure.kind == "AWS::ECS::Service" else "advice-other"
