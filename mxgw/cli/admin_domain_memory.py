"""What resolvers still remember of a domain, on the screen: until when the world goes by the old answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from mxgw.cli.admin_call import Call
from mxgw.cli.terminal import console, plain
from mxgw.doctor.memory import Memory, Old

SHOWN = {
    "current": ("green", "memory-current", "memory-is-current"),
    "old": ("yellow", "memory-old", ""),
    "silent": ("dim", "memory-silent", "memory-is-silent"),
}
"""How a state looks: style, name, and the sentence where there are no answers to show."""


def tell_memories(call: Call, memories: Sequence[Memory]) -> list[dict[str, object]]:
    """For a person at once; for a program as the value of this."""
    now = datetime.now().astimezone()
    if memories and not call.as_json:
        _print(call, memories, now)
    return [
        {
            "resolver": memory.resolver,
            "state": _state(memory),
            "old": [
                {
                    "type": old.kind,
                    "name": old.name,
                    "seen": list(old.seen),
                    "until": _until(now, old.seconds).isoformat(timespec="seconds"),
                }
                for old in memory.old
            ],
        }
        for memory in memories
    ]


def _state(memory: Memory) -> str:
    if not memory.answered:
        return "silent"
    return "old" if memory.old else "current"


def _print(call: Call, memories: Sequence[Memory], now: datetime) -> None:
    from rich.table import Table
    from rich.text import Text

    from mxgw.cli.sentence import Sentence

    call.say("memory-intro")
    table = Table(box=None, header_style="bold")
    for column in ("resolver", "result", "finding"):
        table.add_column(call.words(f"column-{column}"), overflow="fold", no_wrap=column == "result")
    for memory in memories:
        style, name, sentence = SHOWN[_state(memory)]
        lines = [_line(call, old, now) for old in memory.old] or [call.words(sentence)]
        level = Sentence(call.words(name), style=style)
        table.add_row(Text(memory.resolver, style="cyan"), level, Sentence(plain("\n".join(lines))))
    console().print(table)
    longest = max(memory.seconds for memory in memories)
    if any(memory.old for memory in memories):
        call.say("memory-wait", time=_clock(now, longest))


def _line(call: Call, old: Old, now: datetime) -> str:
    key = "memory-line" if old.seen else "memory-line-nothing"
    return call.words(
        key,
        kind=old.kind,
        name=old.name,
        seen=" | ".join(old.seen),
        time=_clock(now, old.seconds),
        minutes=max(1, math.ceil(old.seconds / 60)),
    )


def _until(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)


def _clock(now: datetime, seconds: float) -> str:
    """With its zone, and with the day where that is another: containers do not know where they are."""
    until = _until(now, seconds)
    return f"{until:%H:%M %Z}" if until.date() == now.date() else f"{until:%Y-%m-%d %H:%M %Z}"
