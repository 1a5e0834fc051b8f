"""Dialogues as text: the grammar of the transcripts below tests/dialogues.

A transcript is a conversation, one line per entry; blank lines and lines that begin with ``#`` are for the
reader. The client's lines up to the next entry of another kind leave in *one* write, as a client that
pipelines does it; everything else is lock-step.

    C: text       the client sends text and CRLF
    R: raw        the client sends raw octets, no CRLF added; escapes: \\r \\n \\t \\0 \\xHH \\\\ \\{A*600}
    S: 250 2.1.0  the next line of the server begins so
    S= text       the next line of the server is exactly that
    S~ regex      the next line of the server matches all of the expression
    S* 250        the next reply, of any number of lines; its last line begins so
    H: 1 copy     home has stored so many copies, one per recipient, since the dialogue began
    H: from path  the last copy came with this reverse-path (``<>``: the null one)
    H: to path    there is a copy for this forward-path
    H| text       the content of the last copy has this line
    -- action     send, closed, refused, close, half-close, again, starttls, octet by octet (see ``Action``)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

DIALOGUES = Path(__file__).resolve().parents[1] / "dialogues"

_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|\{(.+?)\*(\d+)\}|(.))", re.DOTALL)
_PLAIN_ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
_ENTRY = re.compile(r"(C:|R:|S[:=~*]|H[:|]|--)(?: (.*))?")


class TranscriptError(Exception):
    """A transcript that does not follow the grammar: file and line are in the text."""


class Action(StrEnum):
    """What happens beside lines that are sent and expected."""

    SEND = "send"  # what the client has said so far leaves in a write of its own
    CLOSED = "closed"  # the server closes, and says nothing before
    REFUSED = "refused"  # the server closes; before it may say one reply, which is 4xx or 5xx
    CLOSE = "close"  # the client hangs up
    HALF_CLOSE = "half-close"  # the client says that it will send no more
    AGAIN = "again"  # the client hangs up and comes back
    STARTTLS = "starttls"  # TLS handshake, after the server's 220
    OCTET_BY_OCTET = "octet by octet"  # from here on every octet has a write of its own


@dataclass(frozen=True, slots=True)
class Send:
    """The client writes these octets."""

    octets: bytes
    line: int


@dataclass(frozen=True, slots=True)
class Expect:
    """The next line of the server matches; of a whole reply, the last line."""

    pattern: re.Pattern[str]
    whole_reply: bool
    line: int


@dataclass(frozen=True, slots=True)
class Home:
    """What home has stored: a count, a path, or a line of content."""

    text: str
    content: bool
    line: int


@dataclass(frozen=True, slots=True)
class Do:
    """An action."""

    action: Action
    line: int


Step = Send | Expect | Home | Do


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A transcript, ready to be played. ``group`` names the gateway it is played against."""

    group: str
    name: str
    steps: tuple[Step, ...]


def unescape(text: str) -> bytes:
    """The octets that an ``R:`` line stands for."""
    octets = bytearray()
    end = 0
    for match in _ESCAPE.finditer(text):
        octets += text[end : match.start()].encode()
        end = match.end()
        hexadecimal, repeated, times, plain = match.groups()
        if hexadecimal:
            octets.append(int(hexadecimal, 16))
        elif repeated:
            octets += unescape(repeated) * int(times)
        elif plain in _PLAIN_ESCAPES:
            octets += _PLAIN_ESCAPES[plain].encode()
        else:
            raise TranscriptError(f"\\{plain} is no escape")
    return bytes(octets + text[end:].encode())


def parse(text: str, *, group: str, name: str) -> Dialogue:
    """Read a transcript."""
    steps: list[Step] = []
    pending = bytearray()

    def flush(line: int) -> None:
        if pending:
            steps.append(Send(bytes(pending), line))
            pending.clear()

    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if not (match := _ENTRY.fullmatch(line)):
            raise TranscriptError(f"{group}/{name}, line {number}: {line!r} is no entry")
        kind, rest = match[1], match[2] or ""
        if kind == "C:":
            pending += rest.encode() + b"\r\n"
            continue
        if kind == "R:":
            pending += unescape(rest)
            continue
        flush(number - 1)
        match kind:
            case "S:" | "S*":
                steps.append(Expect(re.compile(re.escape(rest) + ".*"), kind == "S*", number))
            case "S=":
                steps.append(Expect(re.compile(re.escape(rest)), whole_reply=False, line=number))
            case "S~":
                steps.append(Expect(re.compile(rest), whole_reply=False, line=number))
            case "H:" | "H|":
                steps.append(Home(rest, kind == "H|", number))
            case _:
                try:
                    action = Action(rest)
                except ValueError:
                    raise TranscriptError(f"{group}/{name}, line {number}: no action {rest!r}") from None
                if action is not Action.SEND:
                    steps.append(Do(action, number))
    flush(number)
    return Dialogue(group, name, tuple(steps))


def every_dialogue() -> list[Dialogue]:
    """All transcripts, in the order of their names."""
    return [
        parse(path.read_text(), group=path.parent.name, name=path.stem)
        for path in sorted(DIALOGUES.glob("*/*.txt"))
    ]


def settings(group: str) -> dict[str, str]:
    """The environment of a group's gateway: NAME=value lines of its settings.env, {} where there is none."""
    path = DIALOGUES / group / "settings.env"
    if not path.exists():
        return {}
    lines = (line for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)
