"""``mxgw admin update``: now, status."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from mxgw.admin.refusal import Refused
from mxgw.admin.update import record
from mxgw.admin.update.plan import ZONE, Outcome, in_window
from mxgw.admin.update.record import Record
from mxgw.admin.update.rolling import Told, Update
from mxgw.admin.update.stopping import Stopping
from mxgw.admin.words import Words
from mxgw.cli.admin_backup import Place, back_up, place_of
from mxgw.cli.admin_call import Call, Cell, spoken, spoken_group
from mxgw.cli.admin_stack_option import stack_option

STYLES = {
    Outcome.UPDATED: "green",
    Outcome.LEFT: "yellow",
    Outcome.HELD: "yellow",
    Outcome.POSTPONED: "yellow",
    Outcome.STOPPED: "yellow",
    Outcome.ROLLED_BACK: "bold red",
    Outcome.BROKEN: "bold red",
}
SAID = {
    Outcome.UPDATED: "update-updated",
    Outcome.LEFT: "update-left",
    Outcome.HELD: "update-held",
    Outcome.POSTPONED: "update-postponed",
    Outcome.STOPPED: "update-service-stopped",
    Outcome.ROLLED_BACK: "update-rolled-back",
    Outcome.BROKEN: "update-broken",
}


def group(words: Words) -> click.Group:
    """The commands."""
    made = spoken_group("update", words)
    at_once = click.Option(["--now", "at_once"], is_flag=True, help=words("option-update-now"))
    retry = click.Option(["--retry"], is_flag=True, help=words("option-update-retry"))
    made.add_command(spoken("update-now", words, run, [at_once, retry, stack_option(words)]))
    made.add_command(spoken("update-status", words, status, [stack_option(words)]))
    return made


def run(call: Call, at_once: bool, retry: bool, stack: str) -> None:
    """Updates what is new, within the window; the result is written whatever it is."""

    def may_begin() -> bool:
        return at_once or in_window(datetime.now(UTC))

    place = place_of(call, stack)
    if not may_begin():
        raise Refused("update-outside-window")
    with record.alone(place.state):
        stopping = Stopping()
        update = Update(
            place.stack.apart(),
            _told(call),
            stopping=stopping,
            refused=_refused(place.state),
            retry=retry,
        )
        why: Refused | None = None
        try:
            with stopping.heard():
                call.say("update-pulling")
                # The backup's programs are in sessions of their own, too.
                update.run(lambda: _back_up(call, replace(place, stack=update.stack)), may_begin)
        except Refused as error:
            why = error
        except KeyboardInterrupt:
            why = Refused("update-stopped", failure=True)
        if why is None and stopping.asked:
            why = Refused("update-stopped", failure=True)
        _write(call, place.state, update, why)
    if why:
        raise why
    failed = [name for name, outcome in update.outcomes.items() if outcome is not Outcome.UPDATED]
    call.incomplete = call.incomplete or bool(failed)
    services = {"services": dict(update.outcomes)}
    if update.outcomes:
        call.done("update-done", count=len(update.outcomes) - len(failed), more=services)
    else:
        call.done("update-nothing", more=services)


def status(call: Call, stack: str) -> None:
    """What the last update came to."""
    last = record.read(place_of(call, stack).state)
    if last is None:
        raise Refused("update-never")
    if call.as_json:
        call.print_json(record.as_json(last))
        return
    # A sentence for each service, in the language of who asks; why is in that of the timer.
    rows: list[list[Cell]] = [
        [name, (call.words(SAID[outcome], service=name), STYLES[outcome])]
        for name, outcome in last.services.items()
    ]
    finished = f"{last.finished.astimezone(ZONE):%Y-%m-%d %H:%M}"
    if last.ok:
        call.say("update-last", finished=finished)
    else:
        call.say("update-last-not-well", finished=finished, why=last.why)
    if rows:
        call.show(["service", "outcome"], rows, [])


def _told(call: Call) -> Told:
    return Told(
        begun=lambda service: call.say("update-begun", service=service),
        done=lambda service, outcome: call.say(SAID[outcome], service=service),
    )


def _refused(state: Path) -> dict[str, str]:
    """Of the last update; what cannot be read keeps nobody from an update."""
    try:
        last = record.read(state)
    except Refused:
        return {}
    return dict(last.refused) if last else {}


def _back_up(call: Call, place: Place) -> None:
    call.say("update-backup")
    back_up(call, place, no_verify=False)


def _write(call: Call, state: Path, update: Update, refused: Refused | None) -> None:
    sentences = [
        call.words(SAID[outcome], service=name)
        for name, outcome in update.outcomes.items()
        if outcome is not Outcome.UPDATED
    ]
    if refused:
        sentences.append(call.words(refused.key, **refused.facts))
    told = Record(datetime.now(UTC), update.outcomes, " ".join(sentences), update.refused)
    try:
        record.write(state, told)
    except OSError as error:
        call.incomplete = True
        call.warn("backup-state-unwritable", why=str(error))
