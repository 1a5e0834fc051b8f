"""``mxgw deploy rollback``, ``destroy``, ``status``: back to the image before, everything away, how it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mxgw.admin.refusal import Refused
from mxgw.deploy.account import Account
from mxgw.deploy.image import previous_tag
from mxgw.deploy.settings import Settings, Templates
from mxgw.deploy.stack_state import StackFacts
from mxgw.deploy.stacks import Stacks, Wish
from mxgw.deploy.telling import State, Teller

CONTAINER = "mxgw"
"""Of the task that runs the image."""

ADDRESS = "AWS::EC2::EIP"


def rollback(
    account: Account, stacks: Stacks, teller: Teller, settings: Settings, to: str | None
) -> StackFacts:
    """The service stack with the image before, or with the one that is named; all else as it is there.

    What ran before is known from the revisions of the task definition, which ECS keeps for good.
    """
    now = stacks.settled("service", settings.service_stack)
    if now is None:
        raise Refused("rollback-nothing", stack=settings.service_stack)
    base = account.stack(settings.base_stack)
    present = now.parameters.get("ImageTag", "")
    repository = base.outputs.get("RepositoryUri", "").partition("/")[2] if base else ""
    kept = account.image_tags(repository) if repository else None
    if kept is None:
        raise Refused("repository-missing", failure=True, name=repository or "-", stack=settings.base_stack)
    tag = to or previous_tag(account.images_deployed(now.name, CONTAINER), present)
    others = ", ".join(one for one in kept if one != present) or "-"
    if tag is None:
        raise Refused("rollback-no-previous", tag=present, kept=others)
    if tag == present:
        raise Refused("rollback-same", tag=tag, kept=others)
    if tag not in kept:
        raise Refused("rollback-image-gone", tag=tag, kept=others)
    teller.step("service", State.RUNNING, "rollback-to", before=present, tag=tag)
    parameters: dict[str, str | None] = {**dict.fromkeys(now.parameters), "ImageTag": tag}
    stack = stacks.apply(Wish("service", now.name, None, parameters))
    teller.step("service", State.DONE, "rolled-back", before=present, tag=tag)
    return stack


@dataclass(frozen=True, slots=True)
class Remains:
    """What a deletion takes and what it leaves; ``addresses`` are those that go on costing."""

    goes: Sequence[tuple[str, str]]
    stays: Sequence[tuple[str, str]]
    addresses: Sequence[str]


def remains(account: Account, settings: Settings, templates: Templates) -> Remains:
    """Of both stacks, by the templates here; a resource that they do not know goes."""
    goes: list[tuple[str, str]] = []
    stays: list[tuple[str, str]] = []
    addresses: list[str] = []
    for name, template in (
        (settings.service_stack, templates.service),
        (settings.base_stack, templates.base),
    ):
        if account.stack(name) is None:
            continue
        for logical, physical in account.resources(name).items():
            known = template.resources.get(logical)
            retained = known is not None and known.retained
            (stays if retained else goes).append((logical, physical))
            if known is not None and retained and known.kind == ADDRESS:
                addresses.append(physical)
    return Remains(goes, stays, addresses)


def destroy(stacks: Stacks, teller: Teller, settings: Settings) -> None:
    """The service stack, then the base stack; the caller has asked."""
    for step, name in (("service", settings.service_stack), ("base", settings.base_stack)):
        stacks.delete(step, name)
        teller.step(step, State.DONE, "stack-gone", stack=name)


@dataclass(frozen=True, slots=True)
class Standing:
    """How it is. ``tasks`` are running and wanted, None where nobody knows."""

    base: StackFacts | None
    service: StackFacts | None
    tasks: tuple[int, int] | None
    ringing: tuple[str, ...]
    empty_secrets: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Mail is taken in, and nothing rings."""
        stacks = [stack for stack in (self.base, self.service) if stack is not None]
        whole = len(stacks) == 2 and all(
            stack.status.endswith("_COMPLETE") and stack.status != "ROLLBACK_COMPLETE" for stack in stacks
        )
        return (
            whole
            and self.tasks is not None
            and self.tasks[0] > 0
            and not self.ringing
            and not self.empty_secrets
        )


def standing(account: Account, settings: Settings, wanted: Callable[[StackFacts], Sequence[str]]) -> Standing:
    """Both stacks, tasks, alarms, secrets; ``wanted`` has the outputs with secrets that need a value."""
    base, service = account.stack(settings.base_stack), account.stack(settings.service_stack)
    tasks, ringing = None, tuple[str, ...]()
    if service is not None and {"ClusterName", "ServiceName"} <= service.outputs.keys():
        tasks = account.task_counts(service.outputs["ClusterName"], service.outputs["ServiceName"])
        ringing = account.ringing(f"{service.name}-")
    empty: list[str] = []
    if base is not None:
        named = [name for name in wanted(base) if name in base.outputs]
        empty = [name for name in named if not account.secret(base.outputs[name]).value]
    return Standing(base, service, tasks, ringing, tuple(empty))
