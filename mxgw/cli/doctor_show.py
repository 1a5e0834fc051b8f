"""What the doctor found, in tables for people and as facts for programs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from mxgw.admin.dns_check import Level
from mxgw.cli.admin_call import Call
from mxgw.cli.doctor_house import SUBJECT, for_people
from mxgw.cli.terminal import console, plain
from mxgw.doctor.verdict import Verdict

if TYPE_CHECKING:
    from rich.text import Text

STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILED: "bold red"}


def facts_of(call: Call, verdict: Verdict) -> dict[str, object]:
    """One verdict for a program."""
    return {
        "subject": verdict.subject,
        "check": verdict.check,
        "level": verdict.level.value,
        "finding": verdict.key,
        "message": call.words(verdict.key, **verdict.facts),
        "mend": call.words(verdict.mend, **verdict.facts) if verdict.mend else "",
        "evidence": list(verdict.evidence),
    }


def print_verdicts(call: Call, verdicts: Sequence[Verdict], domains: Collection[str]) -> None:
    """One table for each subject; evidence under every finding."""
    from rich.table import Table
    from rich.text import Text

    for subject, group in groupby(verdicts, key=lambda verdict: verdict.subject):
        console().print(Text(plain(_title(call, subject, domains)), style="bold"))
        table = Table(box=None, header_style="bold")
        table.add_column(call.words("column-check"), style="cyan", overflow="fold")
        table.add_column(call.words("column-result"), no_wrap=True)
        table.add_column(call.words("column-finding"), overflow="fold")
        named = subject == SUBJECT or subject in domains
        for verdict in for_people(list(group)) if subject == SUBJECT else group:
            label = verdict.check if named else call.words(f"label-{verdict.check}")
            level = Text(call.words(f"level-{verdict.level}"), style=STYLES[verdict.level])
            table.add_row(plain(label), level, _finding(call, verdict))
        console().print(table)
        console().print()


def _title(call: Call, subject: str, domains: Collection[str]) -> str:
    if subject == SUBJECT:
        return call.words("house-title")
    if subject in domains:
        return call.words("domain-title", domain=subject)
    return call.words("edge-title", place=subject)


def _finding(call: Call, verdict: Verdict) -> Text:
    from mxgw.cli.sentence import Sentence

    told = Sentence(plain(call.words(verdict.key, **verdict.facts)))
    for line in verdict.evidence:
        told.append("\n" + plain(call.words("evidence", text=line)), style="dim")
    if verdict.mend:
        mend = call.words(verdict.mend, **verdict.facts)
        told.append("\n" + plain(call.words("check-mend", text=mend)))
    return told
