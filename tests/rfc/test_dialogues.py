"""Every transcript below tests/dialogues, played on a real socket against a real gateway process."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest

from tests.rfc.dialogue import (
    Action,
    Dialogue,
    Do,
    Expect,
    Home,
    Send,
    every_dialogue,
    parse,
    settings,
    unescape,
)
from tests.rfc.edge import Edge
from tests.rfc.wire import StrictWire, WireError

ALL = every_dialogue()


def play(dialogue: Dialogue, edge: Edge) -> None:
    """Play a transcript; AssertionError names the line of it that the program does not follow."""
    wire = edge.connect()
    last = 0
    try:
        for step in dialogue.steps:
            last = step.line
            match step:
                case Send():
                    wire.send(step.octets)
                case Expect():
                    line = wire.reply().rpartition("\n")[2] if step.whole_reply else wire.line()
                    assert step.pattern.fullmatch(line), f"said {line!r}, expected {step.pattern.pattern!r}"
                case Home():
                    look_at_home(step, edge)
                case Do(Action.AGAIN):
                    finish(wire)
                    wire = edge.connect()
                case Do():
                    act(step.action, wire)
        finish(wire)
    except (AssertionError, OSError) as error:
        raise AssertionError(f"{dialogue.group}/{dialogue.name}.txt, line {last}: {error}") from error
    finally:
        wire.close()


def finish(wire: StrictWire) -> None:
    """A dialogue ends where the transcript ends: nothing unexpected has arrived."""
    wire.close()
    if wire.unread:
        raise WireError(f"nobody expected {wire.unread!r}")


def act(action: Action, wire: StrictWire) -> None:
    """What a transcript does beside sending and expecting."""
    match action:
        case Action.CLOSED:
            wire.closed()
        case Action.REFUSED:
            said = wire.rest()
            assert re.fullmatch(rb"([45]\d\d[^\r\n]*\r\n)?", said), said
        case Action.CLOSE:
            wire.close()
        case Action.HALF_CLOSE:
            wire.half_close()
        case Action.STARTTLS:
            wire.handshake()
        case Action.OCTET_BY_OCTET:
            wire.octet_by_octet = True
        case _:
            raise ValueError(action)


def look_at_home(step: Home, edge: Edge) -> None:
    """What home must have seen by now: an answer leaves the gateway only after home's."""
    copies = edge.home.messages
    subject, _, rest = step.text.partition(" ")
    if step.content:
        assert step.text.encode() in copies[-1].content.split(b"\r\n"), copies[-1].content
    elif subject.isdecimal():
        assert len(copies) == int(subject), copies
    elif subject == "from":
        assert copies[-1].reverse_path == rest.removeprefix("<>"), copies[-1]
    else:
        assert rest in [copy.forward_path for copy in copies], copies


@pytest.mark.parametrize("dialogue", ALL, ids=[f"{d.group}/{d.name}" for d in ALL])
def test_dialogue(dialogue: Dialogue, edges: Callable[[Mapping[str, str]], Edge]) -> None:
    """The program talks as the transcript says."""
    play(dialogue, edges(settings(dialogue.group)))


def test_lines_of_the_client_leave_in_one_write_until_the_server_speaks() -> None:
    text = "# for the reader\nC: NOOP\nR: A\\x00\\{a\\n*2}\\r\\n\nS: 250\n\nC: QUIT\n-- send\nC: x\n"

    dialogue = parse(text, group="g", name="n")

    assert [step.octets for step in dialogue.steps if isinstance(step, Send)] == [
        b"NOOP\r\nA\x00a\na\n\r\n",
        b"QUIT\r\n",
        b"x\r\n",
    ]
    assert unescape("\\\\r") == b"\\r"
