"""Log lines: valid JSON or a readable line, whatever strangers and libraries put into them."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pty
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.observe import EventLog, Form
from mxgw.observe.eventlog import MAX_CAPTURED_PER_MINUTE, MAX_LINE_OCTETS, MAX_TRACEBACK
from mxgw.outcome import Decision
from tests.observe.samples import NOON, outcome

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
HOSTILE = st.text(st.characters() | st.sampled_from('\r\n\x00\x1b\x85\u2028\u2029\u202e\ud800\udfff"'))


class Page:
    """Keeps what was written."""

    def __init__(self) -> None:
        self.octets = b""
        self.lost = 0

    def write(self, line: bytes) -> None:
        self.octets += line

    def close(self) -> None:
        pass

    @property
    def lines(self) -> list[bytes]:
        return self.octets.splitlines(keepends=True)

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.lines]


def log_on(page: Page, form: Form = Form.JSON, *, colour: bool = False) -> EventLog:
    return EventLog(page, form=form, colour=colour, clock=lambda: NOON + 0.25)


@contextmanager
def captured(clock: Callable[[], float] = lambda: NOON) -> Iterator[Page]:
    """What libraries log in here, and nowhere else: pytest hangs its own handlers in before each test."""
    root, page = logging.getLogger(), Page()
    handlers, level = root.handlers[:], root.level
    EventLog(page, clock=clock).capture_logging()
    try:
        yield page
    finally:
        logging.captureWarnings(capture=False)
        root.handlers[:], root.level = handlers, level


def test_an_event_is_one_line_of_json_with_time_and_name() -> None:
    page = Page()

    log_on(page).event("listening", door="smtp", address="127.0.0.1:8025")

    assert page.octets == (
        b'{"time":"2026-11-24T12:00:00.250Z","event":"listening","door":"smtp","address":"127.0.0.1:8025"}\n'
    )


def test_a_transaction_line_has_every_field_of_the_outcome() -> None:
    page = Page()

    log_on(page).transaction(outcome(relay_seconds=0.0123456789))

    assert page.events() == [
        {
            "time": "2026-11-24T12:00:00.000Z",
            "event": "transaction",
            "id": "7f",
            "ended_at": NOON,
            "client": "192.0.2.7",
            "helo": "mx.example.com",
            "tls": "TLSv1.3",
            "reverse_path": "hanako@example.com",
            "recipients": [{"forward_path": "taro@example.jp", "home": "250 2.0.0 Saved"}],
            "detail": "",
            "checks": {"spf": "pass", "dmarc": "fail"},
            "octets": 10240,
            "decision": "accept",
            "reason": "delivered",
            "reply": "250 2.0.0 Delivered as 7f",
            "message_id": "<1@example.com>",
            "receive_seconds": 0.02,
            "relay_seconds": 0.012346,
            "fingerprint": "",
            "session": "",
        }
    ]


@given(st.dictionaries(st.text(min_size=1), ANYTHING, max_size=6))
def test_any_values_make_one_line_of_ascii_json(values: dict[str, object]) -> None:
    page = Page()

    log_on(page).event("odd", **values)

    [line] = page.lines
    assert re.fullmatch(rb"[ -~]+\n", line)
    assert json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


@given(HOSTILE, HOSTILE, HOSTILE)
def test_hostile_text_comes_back_from_a_transaction_line_as_it_was(path: str, helo: str, home: str) -> None:
    page = Page()

    log_on(page).transaction(outcome(reverse_path=path, helo=helo, recipients=[(path, home)]))

    [event] = page.events()
    assert event["reverse_path"] == path
    assert event["helo"] == helo
    assert event["recipients"] == [{"forward_path": path, "home": home}]


@given(HOSTILE, HOSTILE)
def test_hostile_text_cannot_break_a_readable_line(path: str, home: str) -> None:
    page = Page()
    log = log_on(page, Form.TEXT)

    log.transaction(outcome(reverse_path=path, recipients=[(path, home)], reply=home, helo=path))
    log.event("odd", value=path, other=home)

    text = page.octets.decode()
    assert text.count("\n") == 2
    assert all(line.isprintable() for line in text.removesuffix("\n").split("\n"))


def test_what_json_cannot_say_is_said_as_text() -> None:
    page = Page()
    circle: list[object] = []
    circle.append(circle)

    log_on(page).event("odd", circle=circle, number=float("nan"), exception=KeyError("x"))

    assert page.events() == [
        {
            "time": "2026-11-24T12:00:00.250Z",
            "event": "odd",
            "circle": "[[...]]",
            "number": "nan",
            "exception": "'x'",
        }
    ]


def test_a_line_has_a_bound_whatever_it_is_made_of() -> None:
    page = Page()
    log = log_on(page)

    log.transaction(outcome(recipients=[(f"{n}@x.jp", "\U0001f431" * 10_000) for n in range(1000)]))
    log.event("odd", **{f"key{n}": "\U0001f431" * 10_000 for n in range(30)})

    transaction, event = page.events()
    assert all(len(line) <= MAX_LINE_OCTETS for line in page.lines)
    assert transaction["id"] == "7f"
    assert event["event"] == "odd"


def test_a_readable_line_says_what_matters() -> None:
    page = Page()

    log_on(page, Form.TEXT).transaction(
        outcome(
            decision=Decision.DEFER,
            reason="home-unreachable",
            reply="451 4.4.1 Later",
            recipients=[("a@x.jp", ""), ("b@x.jp", "")],
            octets=37_748_736,
        )
    )

    assert re.fullmatch(
        r"\d\d:00:00 defer    36\.0 MB   0\.050 s  <hanako@example\.com> -> <a@x\.jp> \+1  451 4\.4\.1 Later"
        r"  home-unreachable 192\.0\.2\.7 7f\n",
        page.octets.decode(),
    )


def test_colours_are_there_only_where_asked_for() -> None:
    plain, coloured = Page(), Page()

    for page, colour in ((plain, False), (coloured, True)):
        log = log_on(page, Form.TEXT, colour=colour)
        log.transaction(outcome())
        log.event("drain", sessions=3)

    assert b"\x1b" not in plain.octets
    assert b"\x1b[32maccept \x1b[0m" in coloured.octets
    assert re.sub(rb"\x1b\[\d+m", b"", coloured.octets) == plain.octets


def test_values_with_spaces_are_quoted_in_a_readable_line() -> None:
    page = Page()

    log_on(page, Form.TEXT).event("odd", empty="", words='say "a b"', number=3)

    assert page.octets.decode().split(" ", 1)[1] == 'odd empty="" words="say \\"a b\\"" number=3\n'


def test_warnings_and_errors_of_libraries_become_events() -> None:
    with captured() as page, warnings.catch_warnings():
        warnings.simplefilter("always")

        logging.getLogger("mail.log").info("EHLO from somebody")
        logging.getLogger("asyncio").warning("socket.send() raised %s", "exception")
        warnings.warn("something is old", DeprecationWarning, stacklevel=1)

    events = page.events()
    assert [event["logger"] for event in events] == ["asyncio", "py.warnings"]
    assert events[0]["event"] == "log"
    assert events[0]["level"] == "warning"
    assert events[0]["message"] == "socket.send() raised exception"
    assert "something is old" in str(events[1]["message"])


def test_a_traceback_is_one_bounded_field() -> None:
    with captured() as page:
        try:
            raise RuntimeError("x" * 2 * MAX_TRACEBACK)
        except RuntimeError:
            logging.getLogger("mail.log").exception("session ended")

    [event] = page.events()
    assert event["message"] == "session ended"
    assert len(str(event["traceback"])) == MAX_TRACEBACK


def test_a_traceback_is_set_off_in_the_readable_form() -> None:
    page = Page()

    log_on(page, Form.TEXT).event("log", level="error", traceback="Traceback:\n  File x\x1b[2J\nKeyError")

    first, *rest = page.octets.decode().splitlines()
    assert first.endswith("log level=error")
    assert rest == ["    | Traceback:", "    |   File x\ufffd[2J", "    | KeyError"]


def test_a_record_with_a_wrong_format_string_is_not_lost() -> None:
    with captured() as page:
        logging.getLogger("asyncio").error("%d octets", "many")

    [event] = page.events()
    assert event["message"] == "%d octets"


async def test_an_exception_nobody_awaited_is_in_the_log() -> None:
    with captured() as page:
        asyncio.get_running_loop().call_exception_handler({"message": "lost", "exception": ValueError("bad")})

    [event] = page.events()
    assert event["logger"] == "asyncio"
    assert str(event["traceback"]).endswith("ValueError: bad\n")


def test_a_flood_of_library_records_is_cut_and_counted() -> None:
    now = [NOON]
    with captured(lambda: now[0]) as page:
        for _ in range(MAX_CAPTURED_PER_MINUTE + 40):
            logging.getLogger("asyncio").error("again")
        now[0] += 60
        logging.getLogger("asyncio").error("again")

    events = page.events()
    assert len(events) == MAX_CAPTURED_PER_MINUTE + 1
    assert events[-1]["suppressed"] == 40


SAY = """
import os
from mxgw.observe import EventLog
log = EventLog.on_stdout({form!r}, os.environ)
log.event("listening", door="smtp")
log.close()
"""


def said_on_a_terminal(form: str | None, **environ: str) -> bytes:
    """What a program writes whose stdout is a terminal."""
    ours, theirs = pty.openpty()
    try:
        subprocess.run([sys.executable, "-c", SAY.format(form=form)], stdout=theirs, check=True, env=environ)
        return os.read(ours, 4096).replace(b"\r\n", b"\n")
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_terminal_gets_coloured_text_and_no_color_is_respected() -> None:
    assert re.fullmatch(rb"\d\d:\d\d:\d\d \x1b\[1mlistening\x1b\[0m door=smtp\n", said_on_a_terminal(None))
    assert re.fullmatch(rb"\d\d:\d\d:\d\d listening door=smtp\n", said_on_a_terminal(None, NO_COLOR="1"))
    assert re.fullmatch(rb"\d\d:\d\d:\d\d listening door=smtp\n", said_on_a_terminal("text", TERM="dumb"))


def test_json_is_written_where_it_is_asked_for_or_nobody_looks() -> None:
    piped = subprocess.run(
        [sys.executable, "-c", SAY.format(form=None)], stdout=subprocess.PIPE, check=True
    ).stdout

    for said in (piped, said_on_a_terminal("json")):
        event = json.loads(said)
        assert (event["event"], event["door"]) == ("listening", "smtp")
