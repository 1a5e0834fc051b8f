"""One stack from change set to its end: previewed, confirmed, executed, waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mxgw.admin.refusal import Refused
from mxgw.deploy.account import Account, Preview
from mxgw.deploy.refusals import AwsRefused
from mxgw.deploy.stack_state import (
    Act,
    Loss,
    StackFacts,
    advice,
    first_failure,
    next_act,
    succeeded,
)
from mxgw.deploy.telling import State, Teller
from mxgw.deploy.templates import MAX_TEMPLATE_OCTETS, sendable

POLL_SECONDS = 4.0
"""A stack takes minutes; CloudFormation throttles who asks each second."""

MAX_POLLS = 900
"""An hour: ECS gives up a deployment that never becomes steady after about 40 minutes."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A stack as it should be: ``template`` None is the one in use, so is a parameter that is None."""

    step: str
    stack: str
    template: str | None
    parameters: Mapping[str, str | None]


class Stacks:
    """Changes stacks of an account. Raises Refused with what to do next."""

    def __init__(
        self,
        account: Account,
        teller: Teller,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._account = account
        self._teller = teller
        self._sleep = sleep
        self._clock = clock

    def settled(self, step: str, name: str) -> StackFacts | None:
        """The stack, once nothing is under way in it, if it can be changed then; None where there is none."""
        stack = self._account.stack(name)
        if stack is not None and next_act(stack) is Act.WAIT:
            self._teller.step(step, State.RUNNING, "stack-busy", stack=name, status=stack.status)
            stack = self._wait(step, stack.id, seen=set())
        match next_act(stack):
            case Act.CREATE:
                return None
            case Act.UPDATE:
                return stack
            case _ if stack is None:
                return None
            case Act.DELETE_FIRST:
                raise Refused("stack-useless", failure=True, stack=name, status=stack.status)
            case _:
                raise Refused(
                    "stack-needs-repair",
                    failure=True,
                    stack=name,
                    status=stack.status,
                    why=stack.reason or "-",
                )

    def made_usable(self, step: str, name: str) -> StackFacts | None:
        """The same, where a stack that cannot be changed any more is deleted after a yes."""
        try:
            return self.settled(step, name)
        except Refused as refused:
            if refused.key != "stack-useless":
                raise
            failure = first_failure(self._account.events(name))
            why = f"{failure.name}: {failure.reason}" if failure else "-"
            self._teller.confirm("ask-delete-useless", stack=name, status=refused.facts["status"], why=why)
        self.delete(step, name)
        return None

    def preview(self, wish: Wish, now: StackFacts | None) -> Preview:
        """A change set for the wish; the caller drops or executes it."""
        name = f"mxgw-{int(self._clock())}"
        template = None if wish.template is None else sendable(wish.template)
        if template is not None and (octets := len(template.encode())) > MAX_TEMPLATE_OCTETS:
            raise Refused(
                "template-large", failure=True, stack=wish.stack, octets=octets, most=MAX_TEMPLATE_OCTETS
            )
        try:
            id_ = self._account.propose(
                wish.stack,
                name,
                create=now is None,
                template=template,
                parameters=wish.parameters,
            )
        except AwsRefused as refused:
            # CloudFormation itself makes a failed change set of it; some of its stand-ins refuse at once.
            if "No updates are to be performed" in refused.said:
                return Preview("", empty=True)
            raise
        for _ in range(MAX_POLLS):
            preview = self._account.preview(wish.stack, id_)
            if preview.ready or preview.empty or preview.failed:
                break
            self._sleep(POLL_SECONDS)
        else:
            raise Refused("stack-slow", failure=True, stack=wish.stack)
        if preview.failed:
            self.forget(wish, now, preview)
            raise Refused("changes-failed", failure=True, stack=wish.stack, why=preview.failed)
        return preview

    def forget(self, wish: Wish, now: StackFacts | None, preview: Preview) -> None:
        """Leave no trace of a preview; a stack that it alone has made goes, too."""
        if not preview.id:
            return
        self._account.drop(wish.stack, preview.id)
        if now is None:
            self._account.delete(wish.stack)

    def apply(self, wish: Wish) -> StackFacts:
        """Make it so, after a yes; the stack as it is then."""
        now = self.made_usable(wish.step, wish.stack)
        preview = self.preview(wish, now)
        if preview.empty and now is not None:
            self.forget(wish, now, preview)
            self._teller.step(wish.step, State.SKIPPED, "stack-same", stack=wish.stack)
            return now
        try:
            self._teller.changes(wish.stack, preview.changes)
            losses = [one.name for one in preview.changes if one.loss is not Loss.NONE]
            if losses:
                self._teller.confirm_loss(losses)
            else:
                self._teller.confirm("ask-change-stack", stack=wish.stack)
        except BaseException:
            self.forget(wish, now, preview)
            raise
        seen = {event.id for event in self._account.events(wish.stack)}
        self._account.execute(wish.stack, preview.id)
        return self._finish(wish.step, wish.stack, seen)

    def delete(self, step: str, name: str) -> None:
        """Delete a stack and wait for it; one that is gone is no mistake."""
        stack = self._account.stack(name)
        if stack is None:
            return
        seen = {event.id for event in self._account.events(name)}
        self._account.delete(name)
        self._teller.step(step, State.RUNNING, "stack-deleting", stack=name)
        self._finish(step, stack.id, seen)

    def _finish(self, step: str, name: str, seen: set[str]) -> StackFacts:
        before = set(seen)
        stack = self._wait(step, name, seen)
        if succeeded(stack.status):
            return stack
        failure = first_failure([one for one in self._account.events(stack.id) if one.id not in before])
        if failure is None:
            raise Refused(
                "stack-failed", failure=True, stack=stack.name, status=stack.status, why=stack.reason or "-"
            )
        raise Refused(
            "stack-failed-at",
            failure=True,
            stack=stack.name,
            status=stack.status,
            resource=failure.name,
            kind=failure.kind,
            why=failure.reason or "-",
            advice=advice(failure),
        )

    def _wait(self, step: str, name: str, seen: set[str]) -> StackFacts:
        """Until nothing is under way, telling each new event."""
        for poll in range(MAX_POLLS):
            if poll:
                self._sleep(POLL_SECONDS)
            stack = self._account.stack(name)
            if stack is None:
                return StackFacts(name, name, "DELETE_COMPLETE")
            for event in self._account.events(stack.id):
                if event.id not in seen:
                    seen.add(event.id)
                    self._teller.step(
                        step, State.RUNNING, "stack-event", resource=event.name, status=event.status
                    )
            if next_act(stack) is not Act.WAIT:
                return stack
        raise Refused("stack-slow", failure=True, stack=name)
