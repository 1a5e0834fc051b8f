"""The DNS records of a domain on the screen: as they are typed in by hand, or as they are about to change."""

from __future__ import annotations

from collections.abc import Sequence

from mxgw.admin.cloud.cloudflare import Held, Put
from mxgw.admin.cloud.record_plan import Change, Step
from mxgw.admin.dns_records import Exchanger, Kind, Purpose, Record, mta_sts_policy
from mxgw.cli.admin_call import Call
from mxgw.cli.terminal import console, plain

SIGNS = {Step.CREATE: "+", Step.CHANGE: "~", Step.REPLACE: "!", Step.KEEP: "=", Step.BY_HAND: "?"}
STYLES = {
    Step.CREATE: "green",
    Step.CHANGE: "cyan",
    Step.REPLACE: "bold red",
    Step.KEEP: "dim",
    Step.BY_HAND: "yellow",
}


def record_facts(wanted: Sequence[Record], exchanger: Exchanger) -> dict[str, object]:
    """For a program."""
    return {
        "records": [
            {
                "purpose": record.purpose.value,
                "type": record.kind.value,
                "name": record.name,
                "content": record.content,
                "priority": record.preference,
                "exact": record.exact,
            }
            for record in wanted
        ],
        "mta_sts_policy": mta_sts_policy(exchanger),
    }


def print_records(call: Call, domain: str, exchanger: Exchanger, wanted: Sequence[Record]) -> None:
    """Each record in two lines: what is to be copied is never broken."""
    from rich.text import Text

    call.say("records-intro", domain=domain)
    kinds = max(len(record.kind) for record in wanted) + 2
    names = max(len(record.name) for record in wanted) + 2
    for record in wanted:
        head = Text.assemble(
            (f"  {record.kind.value:<{kinds}}", "cyan"),
            (f"{record.name:<{names}}", "bold"),
            (call.words(record.note), "dim"),
        )
        # A service has a field for each part; its note says the others.
        typed = record.content.rpartition(" ")[2] if record.kind is Kind.SRV else record.content
        content = Text(f"  {'':<{kinds}}{typed}", "green" if record.exact else "yellow")
        console().print(head, content, sep="\n", soft_wrap=True)
    if not all(record.exact for record in wanted):
        call.say("records-brackets")
    print_policy(call, domain, exchanger)


def print_policy(call: Call, domain: str, exchanger: Exchanger) -> None:
    """What the MTA-STS host has to serve."""
    policy = mta_sts_policy(exchanger).replace("\r\n", "\n  ").rstrip()
    call.say("records-policy", domain=domain, policy=policy)


def change_facts(call: Call, change: Change) -> dict[str, object]:
    """For a program."""
    return {
        "purpose": change.purpose.value,
        "step": change.step.value,
        "record": put_text(change.put),
        "instead_of": [held_text(one) for one in change.lost],
        "message": call.words(change.why),
    }


def print_changes(call: Call, changes: Sequence[Change]) -> None:
    """What will be created, changed and left, before anything is; what would be lost stands in red."""
    from rich.text import Text

    for change in changes:
        style = STYLES[change.step]
        lines = [
            Text(f"  {SIGNS[change.step]} {plain(put_text(change.put))}", style),
            Text(f"      {call.words(change.why)}", "dim"),
        ]
        lost = "bold red" if change.step is Step.REPLACE or change.purpose is Purpose.MX else "yellow"
        lines += [Text(f"      - {plain(held_text(one))}", lost) for one in change.lost]
        console().print(*lines, sep="\n", soft_wrap=True)


def put_text(put: Put) -> str:
    """One line: type, name, content."""
    return _line(put.kind, put.name, put.preference, put.content)


def held_text(held: Held) -> str:
    """One line: type, name, content."""
    return _line(held.kind, held.name, held.preference, held.content)


def _line(kind: str, name: str, preference: int | None, content: str) -> str:
    return f"{kind} {name} {'' if preference is None else f'{preference} '}{content}"
