"""Finds the events of one name in log files, whatever program has fetched them.

A line holds an event in one of two ways. Bare: somewhere in it a JSON object begins, at once or behind a time
stamp and a stream name (``aws logs tail``, an export to S3, ``--output text``). Wrapped: the line of the log
is a string in another JSON document, the value of "message" (``aws logs filter-log-events --output json``,
subscriptions) or of "value" (Logs Insights). Memory is bounded by MAX_LINE_OCTETS, whatever the size of the
document, with line ends or without.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from typing import Any, Final

MAX_LINE_OCTETS: Final = 4 * 1024 * 1024
"""A CloudWatch event has at most 1 MiB, which the escapes of JSON may double."""

CHUNK_OCTETS: Final = 256 * 1024

_GZIP: Final = b"\x1f\x8b"
_STRING: Final = re.compile(rb'"(?:@?message|value)"\s*:\s*("[^"\\]*(?:\\.[^"\\]*)*")', re.DOTALL)
_BROKEN: Final = "the JSON is cut or broken"
_decoder: Final = json.JSONDecoder()

LoggedObject = Mapping[str, object]


@dataclass(slots=True)
class LogCounts:
    """What the logs were made of."""

    lines: int = 0
    events: int = 0
    """Objects whose "event" is the one that is looked for."""

    other: int = 0
    """Lines that hold none: the rest of the log, and the frame of a document."""

    unreadable: int = 0
    """Lines that speak of such an event and cannot be read, and events that cannot be used."""

    first_unreadable: str = ""
    """Where the first of them is, and what is wrong."""

    def bad(self, place: str, why: str) -> None:
        """Count one that cannot be used."""
        self.unreadable += 1
        self.first_unreadable = self.first_unreadable or f"{place}: {why}"


class LogDamagedError(Exception):
    """A file ends or breaks in its middle; what was read before it stands."""


class _Wanted:
    """How a line looks that holds an event of this name."""

    def __init__(self, event: str) -> None:
        name = re.escape(event).encode()
        self.event = event
        self.bare = re.compile(rb'"event"\s*:\s*"%b"' % name)
        self.wrapped = re.compile(rb'\\"event\\"\s*:\s*\\"%b\\"' % name)


def read_events(
    file: BufferedReader[Any],
    name: str,
    counts: LogCounts,
    *,
    event: str,
    worth_reading: Callable[[bytes], bool] | None = None,
    max_lines: int | None = None,
) -> Iterator[tuple[str, LoggedObject]]:
    """The events of one file, each behind its place (``edge.log, line 7``), in their order.

    ``worth_reading`` spares time: lines of which it says no are skipped unread. Nothing more is read when
    ``counts`` has ``max_lines``. gzip is known by its first octets. Raises LogDamagedError and OSError.
    """
    wanted = _Wanted(event)
    number = 1
    for line, ended in _lines(_unpacked(file)):
        place = f"{name}, line {number}"
        number += ended
        counts.lines += ended
        if max_lines is not None and counts.lines > max_lines:
            return
        if worth_reading is not None and not worth_reading(line):
            counts.other += ended
        elif wanted.bare.search(line):
            yield from _bare(line, place, counts, wanted)
        elif wanted.wrapped.search(line):
            yield from _wrapped(line, place, counts, wanted)
        else:
            counts.other += ended


def read_lines(file: BufferedReader[Any]) -> Iterator[bytes]:
    """The lines of a file as they are, gzip or not; one that is too long for memory comes in parts.

    Raises LogDamagedError and OSError.
    """
    for line, _ in _lines(_unpacked(file)):
        yield line


def events_in(text: str, place: str, counts: LogCounts, *, event: str) -> Iterator[tuple[str, LoggedObject]]:
    """The events in one line of a log that is at hand as text: as ``read_events`` finds them in a file."""
    wanted, line = _Wanted(event), text.encode("utf-8", "replace")
    counts.lines += 1
    if wanted.bare.search(line):
        yield from _bare(line, place, counts, wanted)
    else:
        counts.other += 1


def _bare(line: bytes, place: str, counts: LogCounts, wanted: _Wanted) -> Iterator[tuple[str, LoggedObject]]:
    text = line.decode("utf-8", "replace")
    start, before = text.find("{"), counts.events
    # More than one: some shippers put objects side by side without a line end.
    while start >= 0:
        try:
            found, end = _decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            counts.bad(place, _BROKEN)
            return
        event = found if "event" in found else found.get("message", found.get("@message"))
        if isinstance(event, dict) and event.get("event") == wanted.event:
            counts.events += 1
            yield place, event
        start = text.find("{", end)
    counts.other += counts.events == before


def _wrapped(
    line: bytes, place: str, counts: LogCounts, wanted: _Wanted
) -> Iterator[tuple[str, LoggedObject]]:
    if _is_ours(line):
        # A stranger's words in a line of our own log may look like an event. They are none.
        counts.other += 1
        return
    strings = [string[1] for string in _STRING.finditer(line) if wanted.wrapped.search(string[1])]
    if not strings:
        counts.bad(place, _BROKEN)
    for string in strings:
        try:
            inner: str = json.loads(string.decode("utf-8", "replace"))
        except ValueError:
            counts.bad(place, _BROKEN)
            continue
        yield from _bare(inner.encode("utf-8", "replace"), place, counts, wanted)


def _is_ours(line: bytes) -> bool:
    text = line.decode("utf-8", "replace")
    try:
        found, _ = _decoder.raw_decode(text, text.index("{"))
    except (ValueError, RecursionError):
        return False
    return "event" in found


def _unpacked(file: BufferedReader[Any]) -> Iterator[bytes]:
    if file.peek(len(_GZIP))[: len(_GZIP)] != _GZIP:
        while chunk := file.read1(CHUNK_OCTETS):
            yield chunk
        return
    unpacked = gzip.GzipFile(fileobj=file)
    try:
        while chunk := unpacked.read1(CHUNK_OCTETS):
            yield chunk
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise LogDamagedError("the compressed data ends too early or is broken") from error


def _lines(chunks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Lines, with True; parts of a line that is too long to be held, with False, and its last with True.

    A document without line ends is cut behind a string that is complete; what has none is no log.
    """
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line, True
        if len(rest) > MAX_LINE_OCTETS:
            end = max((string.end() for string in _STRING.finditer(rest)), default=len(rest))
            yield rest[:end], False
            rest = rest[end:]
    if rest:
        yield rest, True
