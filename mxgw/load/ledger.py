"""The ledger: who promised what for which message, one JSON line for each message and recipient.

The sender keeps one of what it was answered, the sink one of what it took. Both have this form:

    {"id":"r1-0-17","recipient":"a@example.com","hash":"9f86...","octets":10240,"state":"acknowledged",
     "code":250,"at":1795515600.125}

``FILE`` is written by one process. Where several take part, each writes a part of its own, ``FILE.0``,
``FILE.1`` and so on, and a reader of ``FILE`` gets all of them: no lock, and a process that is killed costs
at most the line it was writing.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

ID_FIELD = "X-Load-Id"
HASH_FIELD = "X-Load-Hash"

FLUSH_OCTETS = 256 * 1024
"""So much is kept back before it is written: a write costs as much as formatting some thirty lines."""

_PART = re.compile(r"\d+")
_TAIL_OCTETS = 64 * 1024
"""How far back the end of the last whole line is looked for: no line of ours comes near."""


class State(StrEnum):
    """What is known of a message and a recipient after an attempt.

    In the ledger of a sink, ``acknowledged`` and ``unknown`` are copies it kept (``unknown``: the answer did
    not go out); ``refused`` and ``deferred`` are contents it took and did not keep.
    """

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"


class Entry(NamedTuple):
    """One line. ``octets`` and ``hash`` (SHA-256, hexadecimal) are of the body: what follows the blank line
    behind the header section, without dot-stuffing. ``code`` is the last reply's, 0 where there was none;
    ``at`` is Unix time in seconds, when the state was known.
    """

    id: str
    recipient: str
    hash: str
    octets: int
    state: State
    code: int
    at: float


class LedgerError(ValueError):
    """A file that is no ledger; the text says which, and where."""


def state_of(code: int) -> State:
    """What a reply means for the message (RFC 5321 section 4.2.1); 0 stands for no reply."""
    states = {2: State.ACKNOWLEDGED, 4: State.DEFERRED, 5: State.REFUSED}
    return states.get(code // 100, State.UNKNOWN)


class Ledger:
    """Writes a ledger, or one part of it. An existing file is continued.

    Lines are kept back until FLUSH_OCTETS have come together: ``flush`` before a promise is made that the
    ledger must know of. Raises OSError where the file cannot be written.
    """

    def __init__(self, path: Path, *, part: int | None = None) -> None:
        self.path = path if part is None else path.with_name(f"{path.name}.{part}")
        self._file = self.path.open("ab", buffering=0)
        _cut_torn_line(self.path)
        self._lines: list[str] = []
        self._held = 0

    def append(self, entry: Entry) -> None:
        """Add a line."""
        line = (
            f'{{"id":{json.dumps(entry.id)},"recipient":{json.dumps(entry.recipient)},"hash":"{entry.hash}",'
            f'"octets":{entry.octets},"state":"{entry.state.value}","code":{entry.code},"at":{entry.at:.6f}}}\n'
        )
        self._lines.append(line)
        self._held += len(line)
        if self._held >= FLUSH_OCTETS:
            self.flush()

    def flush(self) -> None:
        """Hand what is kept back to the system: it survives the end of this process from here on."""
        if not self._lines:
            return
        octets = memoryview("".join(self._lines).encode("ascii"))
        self._lines.clear()
        self._held = 0
        while octets:
            octets = octets[self._file.write(octets) :]

    def close(self) -> None:
        """Write the rest and close the file."""
        try:
            self.flush()
        finally:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def parts(path: Path) -> list[Path]:
    """The files that make up a ledger: ``path`` if it is there, then its parts in their order.

    Raises LedgerError where there is neither.
    """
    numbered = [
        (int(one.name.removeprefix(f"{path.name}.")), one)
        for one in path.parent.glob(f"{_literal(path.name)}.*")
        if _PART.fullmatch(one.name.removeprefix(f"{path.name}."))
    ]
    found = [path] if path.is_file() else []
    found += [one for _, one in sorted(numbered)]
    if not found:
        raise LedgerError(f"{path}: no such ledger")
    return found


def read(path: Path) -> Iterator[Entry]:
    """All entries of all parts, part by part.

    A last line without its end is the mark of a process that was killed, and is left out. Raises
    LedgerError at any other line that is no entry.
    """
    for part in parts(path):
        with part.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                yield _entry(line, part, number)


def _entry(line: bytes, part: Path, number: int) -> Entry:
    try:
        values = json.loads(line)
        return Entry(
            str(values["id"]),
            str(values["recipient"]),
            str(values["hash"]),
            int(values["octets"]),
            State(values["state"]),
            int(values["code"]),
            float(values["at"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"{part}, line {number}: not an entry of a ledger ({error!r})") from error


def _cut_torn_line(path: Path) -> None:
    """A killed process may have left half a line: whatever comes next must not be glued to it."""
    if not path.is_file():
        return  # a pipe or a device has no end to look at
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - _TAIL_OCTETS)
        file.seek(start)
        tail = file.read()
        if tail and not tail.endswith(b"\n"):
            file.truncate(start + tail.rfind(b"\n") + 1)


def _literal(name: str) -> str:
    """A file name as a pattern that matches only itself."""
    return re.sub(r"([*?\[])", r"[\1]", name)
