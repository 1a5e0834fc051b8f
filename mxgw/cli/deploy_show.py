"""Shows a deployment: tables and a moving line on a terminal, one JSON line for each thing in a pipe."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from mxgw.admin.refusal import Refused
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call, Cell
from mxgw.cli.doctor_show import STYLES
from mxgw.cli.terminal import console, plain
from mxgw.deploy.back import Remains, Standing
from mxgw.deploy.records import Record
from mxgw.deploy.settings import Settings
from mxgw.deploy.stack_state import Change, Loss
from mxgw.deploy.telling import State
from mxgw.doctor.verdict import Verdict

if TYPE_CHECKING:
    from rich.status import Status

SIGNS = {
    State.RUNNING: ("...", "dim"),
    State.DONE: ("OK ", "green"),
    State.SKIPPED: ("-  ", "dim"),
    State.WARNING: ("!  ", "yellow"),
    State.FAILED: ("X  ", "bold red"),
}
CHANGE_STYLES = {
    "add": "green",
    "import": "green",
    "modify": "yellow",
    "perhaps-replace": "yellow",
    "replace": "bold yellow",
    "remove": "bold yellow",
}


class Show:
    """The Teller of the command line. Used in ``with``, so that no moving line is left behind."""

    def __init__(self, call: Call, *, yes: bool, accept_loss: bool) -> None:
        self.call = call
        self.words: Words = call.words
        self.began = False
        """Something may have been changed."""
        self._yes = yes
        self._accept_loss = accept_loss
        self._moving: Status | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pause()

    # -- telling ------------------------------------------------------------------------------------------

    def step(self, name: str, state: State, key: str, /, **facts: str | int) -> None:
        """A line; what is running moves, and the next one takes its place."""
        text = self._said(key, facts)
        if self.call.as_json:
            self._line({"step": name, "state": state.value, "did": key, "message": text, **facts})
            return
        label = f"{self.words(f'step-{name}')}: {text}"
        # Docker shows its own progress below ours.
        if state is State.RUNNING and not key.startswith("image-"):
            self._move(label)
            return
        self.pause()
        sign, style = SIGNS[state]
        console().print(f"{sign} {label}", style=style, soft_wrap=True)

    def changes(self, stack: str, changes: Sequence[Change]) -> None:
        """A table with what is lost in red; one line for each in a pipe."""
        if not changes:
            self.closing("changes-none", stack=plain(stack))
            return
        self._title("changes-title", stack=stack)
        rows: list[Sequence[Cell]] = []
        for one in changes:
            style = CHANGE_STYLES.get(one.what, "") if one.loss is Loss.NONE else "bold red"
            rows.append(((self.words(f"change-{one.what}"), style), (one.name, style), one.kind))
        facts = [
            {
                "change": one.what,
                "stack": stack,
                "resource": one.name,
                "type": one.kind,
                "loss": one.loss.value,
            }
            for one in changes
        ]
        self._table(["change", "resource", "type"], rows, facts)

    def records(self, found: Sequence[Record]) -> None:
        """What to set in DNS."""
        self._title("records-title")
        self._table(
            ["name", "kind", "value", "why"],
            [(one.name, one.kind, (one.value, "bold"), self.words(one.why)) for one in found],
            [{"record": one.kind, "name": one.name, "value": one.value} for one in found],
        )
        names = [one.name for one in found]
        self.closing("records-more", host=names[0], domain=names[-1])

    def verdicts(self, found: Sequence[Verdict]) -> None:
        """What the doctor says, with its repairs."""
        self.pause()
        rows: list[Sequence[Cell]] = []
        facts: list[dict[str, object]] = []
        for _, group in groupby(found, key=lambda verdict: verdict.subject):
            for verdict in group:
                said = self.words(verdict.key, **verdict.facts)
                mend = self.words(verdict.mend, **verdict.facts) if verdict.mend else ""
                level = (self.words(f"level-{verdict.level}"), STYLES[verdict.level])
                evidence = [self.words("evidence", text=line) for line in verdict.evidence]
                repair = [self.words("check-mend", text=mend)] if mend else []
                rows.append(
                    (self.words(f"label-{verdict.check}"), level, "\n".join([said, *evidence, *repair]))
                )
                facts.append(
                    {
                        "check": verdict.check,
                        "level": verdict.level.value,
                        "finding": verdict.key,
                        "message": said,
                        "mend": mend,
                        "evidence": list(verdict.evidence),
                    }
                )
        self._table(["check", "result", "finding"], rows, facts)

    def standing(self, now: Standing, settings: Settings) -> None:
        """How it is, part by part."""
        self._title("status-title", region=settings.region)
        none = self.words("status-none")
        parts: list[tuple[str, str, bool]] = []
        for name, stack in ((settings.base_stack, now.base), (settings.service_stack, now.service)):
            good = (
                stack is not None
                and stack.status.endswith("_COMPLETE")
                and stack.status != "ROLLBACK_COMPLETE"
            )
            parts.append((name, stack.status if stack else none, good))
        tag = now.service.parameters.get("ImageTag", "") if now.service else ""
        parts.append((self.words("part-image"), tag or none, bool(tag)))
        running, wanted = now.tasks or (0, 0)
        tasks = self.words("status-tasks", running=running, wanted=wanted) if now.tasks else none
        parts.append((self.words("part-tasks"), tasks, running > 0))
        alarms = ", ".join(now.ringing) or self.words("status-no-alarms")
        parts.append((self.words("part-alarms"), alarms, not now.ringing))
        empty = ", ".join(now.empty_secrets)
        secrets = (
            self.words("status-secrets-empty", names=empty) if empty else self.words("status-secrets-good")
        )
        parts.append(
            (self.words("part-secrets"), secrets if now.base else none, bool(now.base and not empty))
        )
        self._table(
            ["part", "state"],
            [(name, (state, "green" if good else "bold red")) for name, state, good in parts],
            [{"part": name, "state": state, "ok": good} for name, state, good in parts],
        )

    def remains(self, left: Remains) -> None:
        """What destroy takes and what it leaves."""
        self._title("destroy-title")
        fates = [("goes", "bold red", left.goes), ("stays", "green", left.stays)]
        self._table(
            ["fate", "resource", "name"],
            [
                ((self.words(f"fate-{fate}"), style), name, physical)
                for fate, style, found in fates
                for name, physical in found
            ],
            [
                {"fate": fate, "resource": name, "name": physical}
                for fate, _, found in fates
                for name, physical in found
            ],
        )
        self.closing("destroy-loses")

    def closing(self, key: str, **facts: str | int) -> None:
        """A sentence for whoever reads to the end."""
        self.pause()
        if self.call.as_json:
            self._line({"did": key, "message": self._said(key, facts), **facts})
        else:
            click.echo(plain(self._said(key, facts)))

    def refused(self, refused: Refused) -> None:
        """Why it ends here."""
        self.pause()
        facts = dict(refused.facts)
        if "advice" in facts:
            facts["advice"] = self.words(str(facts["advice"]))
        text = self._said(refused.key, facts)
        if self.call.as_json:
            self._line({"ok": False, "error": refused.key, "message": text})
        click.echo(f"mxgw: {text}", err=True)

    # -- asking -------------------------------------------------------------------------------------------

    def confirm(self, key: str, **facts: str | int) -> None:
        """A question, unless --yes has answered it."""
        self.pause()
        self.call.confirmed(key, yes=self._yes, **facts)
        self.began = True

    def confirm_loss(self, names: Sequence[str]) -> None:
        """Asked even with --yes; only --accept-loss answers it beforehand."""
        self.pause()
        if not self._accept_loss and not sys.stdin.isatty():
            raise Refused("needs-accept-loss", names=", ".join(names))
        self.call.confirmed("ask-lose", yes=self._accept_loss, names=", ".join(names))
        self.began = True

    def secret(self, key: str, **facts: str | int) -> str | None:
        """Not shown, and in no history of a shell."""
        self.pause()
        if not sys.stdin.isatty():
            return None
        try:
            return getpass.getpass(f"{self._said(key, facts)} ")
        except EOFError:
            raise click.Abort from None

    def refusal(self, key: str, **facts: str | int) -> None:
        """Before it is asked again."""
        click.echo(self._said(key, facts), err=True)

    # -- printing -----------------------------------------------------------------------------------------

    def pause(self) -> None:
        """End the moving line: something else is to be printed."""
        if self._moving is not None:
            self._moving.stop()
            self._moving = None

    def _move(self, text: str) -> None:
        if self._moving is None:
            self._moving = console().status(text)
            self._moving.start()
        else:
            self._moving.update(text)

    def _said(self, key: str, facts: dict[str, str | int]) -> str:
        said = {name: plain(value) if isinstance(value, str) else value for name, value in facts.items()}
        return self.words(key, **said)

    def _title(self, key: str, **facts: str | int) -> None:
        self.pause()
        if not self.call.as_json:
            console().print(f"\n{self._said(key, facts)}", style="bold")

    def _table(
        self, columns: Sequence[str], rows: Sequence[Sequence[Cell]], facts: Sequence[Mapping[str, object]]
    ) -> None:
        if self.call.as_json:
            for one in facts:
                self._line(one)
        else:
            self.call.show(columns, rows, [])

    @staticmethod
    def _line(facts: object) -> None:
        click.echo(json.dumps(facts, ensure_ascii=False))
        sys.stdout.flush()
