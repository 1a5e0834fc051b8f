"""The event log: one line per event on stdout, JSON for machines or aligned text for a person at a terminal.

Never content, never secrets. A value cannot break its line or reach the terminal: JSON is written in ASCII
with everything else escaped, and text shows what is not printable as U+FFFD.
"""

from __future__ import annotations

import json
import logging
import os
import time
import traceback
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Protocol

from mxgw.observe.jsonline import transaction_json
from mxgw.observe.lines import LineWriter
from mxgw.observe.snapshot import outcome_fields
from mxgw.observe.text import text_event, text_transaction
from mxgw.outcome import Outcome

MAX_LINE_OCTETS = 64 * 1024
"""Longer lines are shortened: log collectors cut them anyway, and not at a good place."""

MAX_SHORTENED_TEXT = 200
MAX_SHORTENED_ITEMS = 20
MAX_PLAIN_TEXT = 80
MAX_TRACEBACK = 8 * 1024

MAX_CAPTURED_PER_MINUTE = 60
"""Records of libraries: a stranger who finds a way to cause one must not be able to fill the log."""


class Form(StrEnum):
    """How lines look."""

    JSON = "json"
    TEXT = "text"


class Writer(Protocol):
    """Where lines go; never raises, never waits."""

    @property
    def lost(self) -> int:
        """Lines that could not be written."""

    def write(self, line: bytes) -> None:
        """Take one whole line."""

    def close(self) -> None:
        """Write what is left."""


class EventLog:
    """Writes events. ``clock`` gives Unix time."""

    def __init__(
        self,
        writer: Writer,
        *,
        form: Form = Form.JSON,
        colour: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._writer = writer
        self._form = form
        self._colour = colour
        self._clock = clock
        self._second = 0
        self._prefix = ""
        self._encode = json.JSONEncoder(separators=(",", ":"), default=str, allow_nan=False).encode

    @classmethod
    def on_stdout(cls, form: str | None, environ: Mapping[str, str]) -> EventLog:
        """The program's log. ``form`` None: text on a terminal, else JSON. NO_COLOR is respected."""
        terminal = os.isatty(1)
        chosen = Form(form) if form else (Form.TEXT if terminal else Form.JSON)
        # https://no-color.org: any value but the empty one.
        colour = terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        return cls(LineWriter(1), form=chosen, colour=colour)

    @property
    def lines_lost(self) -> int:
        """Lines that stdout did not take."""
        return self._writer.lost

    def event(self, name: str, /, **values: object) -> None:
        """Write one event. Values that JSON does not know are written as their text."""
        now = self._clock()
        if self._form is Form.TEXT:
            self._writer.write(text_event(now, name, values, colour=self._colour))
        else:
            self._write_json({"time": self._stamp(now), "event": name, **values})

    def transaction(self, outcome: Outcome) -> None:
        """Write the line of one transaction."""
        if self._form is Form.TEXT:
            self._writer.write(text_transaction(outcome, colour=self._colour))
            return
        stamp = self._stamp(outcome.ended_at)
        line = transaction_json(outcome, stamp)
        if len(line) > MAX_LINE_OCTETS:
            self._write_json({"time": stamp, "event": "transaction", **outcome_fields(outcome)})
        else:
            self._writer.write(line.encode("ascii") + b"\n")

    def machine_event(self, name: str, /, **values: object) -> None:
        """Write one event for a program that reads the log: JSON whatever the form of the others."""
        self._write_json({"time": self._stamp(self._clock()), "event": name, **values})

    def capture_logging(self) -> None:
        """Take over what libraries log through ``logging``: warnings and errors, as events named "log"."""
        root = logging.getLogger()
        for handler in tuple(root.handlers):
            root.removeHandler(handler)
        root.addHandler(_Capture(self, self._clock))
        root.setLevel(logging.WARNING)
        logging.captureWarnings(capture=True)

    def close(self) -> None:
        """Write what was held back; call it last."""
        self._writer.close()

    def _write_json(self, values: dict[str, object]) -> None:
        try:
            line = self._encode(values)
            if len(line) > MAX_LINE_OCTETS:
                line = self._encode({key: _shortened(value) for key, value in values.items()})
        except (TypeError, ValueError, RecursionError):
            line = ""
        if not line or len(line) > MAX_LINE_OCTETS:
            # Not a number, a circle, or beyond all bounds: say it as text rather than not at all.
            line = self._encode({key: str(value)[:MAX_PLAIN_TEXT] for key, value in values.items()})
        self._writer.write(line.encode("ascii") + b"\n")

    def _stamp(self, now: float) -> str:
        second = int(now)
        if second != self._second:
            self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = second
        return f"{self._prefix}.{int((now - second) * 1000):03d}Z"


class _Capture(logging.Handler):
    """Turns a library's record into an event."""

    def __init__(self, log: EventLog, clock: Callable[[], float]) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._clock = clock
        self._minute = 0
        self._seen = 0

    def emit(self, record: logging.LogRecord) -> None:
        minute = int(self._clock()) // 60
        suppressed = 0
        if minute != self._minute:
            suppressed = max(0, self._seen - MAX_CAPTURED_PER_MINUTE)
            self._minute, self._seen = minute, 0
        self._seen += 1
        if self._seen > MAX_CAPTURED_PER_MINUTE:
            return
        values: dict[str, object] = {"level": record.levelname.lower(), "logger": record.name}
        try:
            values["message"] = record.getMessage()[:MAX_TRACEBACK]
        except Exception:  # noqa: BLE001 - a library's format string may be wrong; its record still counts
            values["message"] = str(record.msg)[:MAX_TRACEBACK]
        if record.exc_info and record.exc_info[1]:
            values["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))[-MAX_TRACEBACK:]
        if suppressed:
            values["suppressed"] = suppressed
        self._log.event("log", **values)


def _shortened(value: object) -> object:
    if isinstance(value, str):
        return value[:MAX_SHORTENED_TEXT]
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in list(value.items())[:MAX_SHORTENED_ITEMS]}
    if isinstance(value, list | tuple):
        return [_shortened(item) for item in value[:MAX_SHORTENED_ITEMS]]
    return value
