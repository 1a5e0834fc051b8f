"""Whatever stands in a log, nothing is raised, and nothing of it steers a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BufferedReader, BytesIO
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mxgw.loglines import LogCounts, read_events
from mxgw.outcome import Decision, RecipientOutcome, Trouble
from mxgw.policy import Reason
from mxgw.trail.attempt import MAX_TEXT, Attempt, AttemptError, Door, parse_attempt
from mxgw.trail.conclusion import advice, conclusion
from mxgw.trail.fate import Fate, State, fate_of
from mxgw.trail.joining import joined
from mxgw.trail.moments import ALWAYS, moment
from mxgw.trail.query import parse_query
from mxgw.trail.search import MAX_MESSAGES, Logged, Search
from mxgw.trail.words import Speech

NOW = 1_795_520_400.0
FIELDS = [
    "id", "client", "helo", "tls", "reverse_path", "reply", "reason", "message_id", "fingerprint", "detail",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ADDRESSES = st.sampled_from(["a@b.example", "A@b.example", "c@d.example", "", "x\u202ey@z.example"])
HOMES = st.sampled_from(
    ["", "250 2.0.0 OK", "451 4.3.0 Later", "550 5.1.1 No", "552 5.2.2 Full", "999", *Trouble]
)
LINES = st.fixed_dictionaries(
    {
        "decision": st.sampled_from([*Decision]),
        "ended_at": st.floats(NOW - 1e6, NOW),
        "octets": st.integers(0, 2**40),
        "receive_seconds": st.floats(0, 1000),
        "relay_seconds": st.floats(0, 1000),
        "recipients": st.lists(st.fixed_dictionaries({"forward_path": ADDRESSES, "home": HOMES}), max_size=3),
        "checks": st.dictionaries(
            st.sampled_from(["spf", "dmarc", "rspamd", "handling", "seal", "dnsbl"]),
            st.sampled_from(["pass", "fail", "junk", "listed", "temperror", "permerror"]),
        ),
        "id": st.text(max_size=3),
        "reverse_path": ADDRESSES,
        "message_id": st.sampled_from(["", "<m@x>", "<n@x>"]),
        "fingerprint": st.sampled_from(["", "ab" * 32, "cd" * 32]),
        "reason": st.sampled_from([*Reason, "new"]),
        "reply": HOMES,
    }
)


class Lines:
    """A source of lines that are at hand."""

    any_case = True

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self._lines = lines

    def events(self, _terms: tuple[str, ...], _counts: LogCounts) -> Iterator[Logged]:
        for number, line in enumerate(self._lines):
            yield Logged("x", f"x, line {number}", line)


def line(**changes: Any) -> dict[str, Any]:
    return {
        "decision": "accept", "ended_at": NOW, "octets": 1, "receive_seconds": 0.0, "relay_seconds": 0.0,
        "recipients": [{"forward_path": "a@b.example", "home": "250 2.0.0 OK"}], "checks": {}, "id": "1",
        "reverse_path": "s@b.example", "message_id": "<m@x>", "reason": "delivered", "reply": "250 2.0.0 OK",
        **changes,
    }  # fmt: skip


@given(st.dictionaries(st.sampled_from([*FIELDS, *line()]), JSON))
def test_any_object_is_an_attempt_or_says_why_it_is_none(changes: dict[str, Any]) -> None:
    for fields in (changes, line(**changes)):
        try:
            attempt = parse_attempt(fields, "x")
        except AttemptError:
            continue
        texts = [str(getattr(attempt, name)) for name in FIELDS]
        assert all(text.isprintable() and len(text) <= MAX_TEXT for text in texts)


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=12), st.sampled_from(["a@b.example", "<m@x>", "abababab", "1"]))
def test_any_attempts_have_a_fate_and_a_sentence_in_both_languages(
    lines: list[dict[str, Any]], wanted: str
) -> None:
    found = Search(parse_query(wanted), ALWAYS, [Lines(lines)]).run()

    for message in found.messages:
        assert any(parse_query(wanted).matches(one) for one in message.attempts)
        times = [step.attempt.ended_at for step in message.steps]
        assert times == sorted(times)
        for now in (NOW, NOW + 1e7):
            fate = fate_of(message, now=now)
            stored = [one.state is State.STORED for one in fate.recipients]
            assert all(stored) == (fate.fate.value.startswith("stored") or not stored)
            for japanese in (False, True):
                speech = Speech(japanese=japanese)
                assert conclusion(fate, speech, str)
                assert all(advice(fate, speech))


@given(st.lists(LINES, max_size=12))
def test_every_attempt_is_in_one_message_whatever_the_order(lines: list[dict[str, Any]]) -> None:
    attempts = [parse_attempt(one, "x") for one in lines]

    forth, back = joined(attempts), joined(reversed(attempts))

    found = [one for message in forth for one in message.attempts]
    assert len(found) == len(set(found))
    assert set(found) == set(attempts)
    assert len(forth) == len(back)


@given(st.binary(max_size=300), st.lists(LINES, max_size=2))
def test_any_octets_may_stand_between_the_lines(octets: bytes, lines: list[dict[str, Any]]) -> None:
    text = b"\n".join(
        [octets, *(json.dumps({"event": "transaction", **one}).encode() for one in lines), octets, b""]
    )
    counts = LogCounts()
    file = BufferedReader(BytesIO(b"\n" + text))  # type: ignore[arg-type]

    found = [fields for _, fields in read_events(file, "x", counts, event="transaction")]

    assert len(found) == len(lines)


@given(st.text(max_size=30))
def test_any_query_is_taken_or_refused(text: str) -> None:
    try:
        query = parse_query(text)
    except ValueError:
        return
    assert query.wanted
    assert all(term.isascii() and '"' not in term for term in query.terms)
    query.matches(parse_attempt(line(), "x"))


@given(
    st.text(max_size=30) | st.from_regex(r"\d{4}-\d\d-\d\d(T\d\d:\d\d)?(Z|[+-]\d\d:\d\d)?", fullmatch=True)
)
def test_any_time_is_a_moment_or_refused(text: str) -> None:
    try:
        found = moment(text, now=NOW, zone=None)
    except ValueError:
        return
    assert 0 <= found < 1e12


def test_more_messages_than_anybody_reads_are_cut_and_the_newest_stay() -> None:
    lines = [line(id=str(number), message_id=f"<{number}@x>", ended_at=NOW + number) for number in range(300)]

    found = Search(parse_query("a@b.example"), ALWAYS, [Lines(lines)]).run()

    assert found.cut
    assert len(found.messages) == MAX_MESSAGES
    assert found.messages[-1].steps[0].attempt.message_id == "<299@x>"


def attempt(**changes: Any) -> Attempt:
    return parse_attempt(line(**changes), "x")


def home(**changes: Any) -> Attempt:
    return attempt(checks={"seal": "valid", "rspamd": "no-action", "handling": "deliver"}, **changes)


def test_where_homes_answer_was_lost_its_own_log_says_that_it_was_stored() -> None:
    lost = [{"forward_path": "a@b.example", "home": "timeout"}]
    edge = attempt(id="e1", decision="defer", reason="home-unreachable", recipients=lost)
    again = attempt(id="e2", ended_at=NOW + 600)

    [alone], [both], [three] = (
        joined([edge]),
        joined([edge, home(id="h")]),
        joined([edge, home(id="h"), again]),
    )

    assert fate_of(alone, now=NOW).fate is Fate.PUT_OFF
    assert fate_of(both, now=NOW).fate is Fate.STORED
    assert both.steps[0].behind[0].door is Door.HOME
    assert fate_of(three, now=NOW).fate is Fate.STORED_ONCE


def test_without_a_fingerprint_two_copies_are_said_to_be_possible() -> None:
    [message] = joined([attempt(id="1"), attempt(id="2", ended_at=NOW + 60)])

    fate = fate_of(message, now=NOW)

    assert "there may be two copies" in conclusion(fate, Speech(japanese=False), str)


def test_after_five_days_the_sender_has_given_up() -> None:
    late = [RecipientOutcome("a@b.example", "451 4.3.0 Later")._asdict()]
    [message] = joined([attempt(decision="defer", reason="home-deferred", recipients=late)])

    assert fate_of(message, now=NOW + 4 * 86_400).fate is Fate.PUT_OFF
    assert fate_of(message, now=NOW + 6 * 86_400).fate is Fate.GIVEN_UP


def test_no_more_lines_are_read_than_are_allowed() -> None:
    text = b"".join(
        json.dumps({"event": "transaction", "id": str(number)}).encode() + b"\n" for number in range(9)
    )
    counts = LogCounts()

    found = list(
        read_events(BufferedReader(BytesIO(text)), "x", counts, event="transaction", max_lines=4)  # type: ignore[arg-type]
    )

    assert [fields["id"] for _, fields in found] == ["0", "1", "2", "3"]
    assert counts.lines == 5
