"""``mxgw admin update``: now, status."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from mxgw.admin.backup.result import write_state
from mxgw.admin.refusal import Refused
from mxgw.admin.update.plan import Outcome, in_window
from mxgw.admin.update.rolling import Patience, update
from mxgw.admin.words import Words
from mxgw.cli.admin_backup import Place, back_up, place_of
from mxgw.cli.admin_call import Call, Cell, spoken, spoken_group
from mxgw.cli.admin_stack_option import stack_option

FILE = "update.json"
STYLES = {
    Outcome.UPDATED: "green",
    Outcome.LEFT: "yellow",
    Outcome.ROLLED_BACK: "bold red",
    Outcome.BROKEN: "bold red",
}
SAID = {
    Outcome.UPDATED: "update-updated",
    Outcome.LEFT: "update-left",
    Outcome.ROLLED_BACK: "update-rolled-back",
    Outcome.BROKEN: "update-broken",
}
SHORT = {
    Outcome.UPDATED: "outcome-updated",
    Outcome.LEFT: "outcome-left",
    Outcome.ROLLED_BACK: "outcome-rolled-back",
    Outcome.BROKEN: "outcome-broken",
}


def group(words: Words) -> click.Group:
    """The commands."""
    made = spoken_group("update", words)
    at_once = click.Option(["--now", "at_once"], is_flag=True, help=words("option-update-now"))
    made.add_command(spoken("update-now", words, run, [at_once, stack_option(words)]))
    made.add_command(spoken("update-status", words, status, [stack_option(words)]))
    return made


def run(call: Call, at_once: bool, stack: str) -> None:
    """Updates what is new, within the window; the result is written whatever it is."""
    place = place_of(call, stack)
    if not (at_once or in_window(datetime.now(UTC))):
        raise Refused("update-outside-window")
    done: dict[str, Outcome] = {}
    refused: Refused | None = None
    try:
        done = update(
            place.stack,
            lambda: _back_up(call, place),
            lambda service, outcome: call.say(SAID[outcome], service=service),
            Patience(),
        )
    except Refused as error:
        refused = error
    failed = [name for name, outcome in done.items() if outcome is not Outcome.UPDATED]
    why = call.words(refused.key, **refused.facts) if refused else ""
    why = why or "; ".join(call.words(SAID[done[name]], service=name) for name in failed)
    _write(call, place.state, done, why)
    if refused:
        raise refused
    call.incomplete = bool(failed)
    call.done("update-done", count=len(done) - len(failed), more={"services": dict(done)})


def status(call: Call, stack: str) -> None:
    """What the last update came to."""
    path = place_of(call, stack).state / FILE
    try:
        told = json.loads(path.read_text())
        services = {name: Outcome(outcome) for name, outcome in told["services"].items()}
    except FileNotFoundError:
        raise Refused("update-never") from None
    except (OSError, ValueError, KeyError, AttributeError):
        raise Refused("update-state-damaged", failure=True, path=str(path)) from None
    if call.as_json:
        call.print_json(told)
        return
    rows: list[list[Cell]] = [
        [name, (call.words(SHORT[outcome]), STYLES[outcome])] for name, outcome in services.items()
    ]
    call.say("update-last", finished=told["finished"], why=told["why"] or "OK")
    if rows:
        call.show(["service", "outcome"], rows, [])


def _back_up(call: Call, place: Place) -> None:
    back_up(call, place, no_verify=False)


def _write(call: Call, state: Path, done: dict[str, Outcome], why: str) -> None:
    try:
        told = {"finished": datetime.now(UTC).isoformat(), "ok": not why, "services": done, "why": why}
        write_state(state, FILE, told)
    except OSError as error:
        call.incomplete = True
        call.warn("backup-state-unwritable", why=str(error))
