"""Plays transcripts: the client's side on a real socket, every line of the server compared."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.rfc.dialogue import Action, Dialogue, Do, Expect, Home, Send
from tests.rfc.wire import StrictWire, WireError
from tests.rig.homeserver import HomeServer


def play(dialogue: Dialogue, connect: Callable[[], StrictWire], home: HomeServer | None = None) -> None:
    """Play a transcript; AssertionError names the line of it that the program does not follow.

    ``home`` is where messages end; without it a transcript has no ``H`` lines.
    """
    wire = connect()
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
                    look_at(home, step)
                case Do(Action.AGAIN):
                    finish(wire)
                    wire = connect()
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


def look_at(home: HomeServer | None, step: Home) -> None:
    """What home must have stored by now: an answer leaves the gateway only after home's."""
    assert home
    copies = home.messages
    subject, _, rest = step.text.partition(" ")
    if step.content:
        assert step.text.encode() in copies[-1].content.split(b"\r\n"), copies[-1].content
    elif subject.isdecimal():
        assert len(copies) == int(subject), copies
    elif subject == "from":
        assert copies[-1].reverse_path == rest.removeprefix("<>"), copies[-1]
    else:
        assert rest in [copy.forward_path for copy in copies], copies
