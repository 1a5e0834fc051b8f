"""Rspamd's JSON as values: what it really says, and what nobody should say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.scanner.answer import MAX_SYMBOLS, Action, Answer, Fault, parse_answer

# Of Rspamd 3.4, shortened.
ORDINARY = (
    b'{"is_skipped":false,"score":5.500000,"required_score":15.0,"action":"greylist","symbols":'
    b'{"MIME_GOOD":{"name":"MIME_GOOD","score":-0.10,"metric_score":-0.10,"options":["text/plain"]}},'
    b'"messages":{},"message-id":"1@sender.example","time_real":0.003852,'
    b'"milter":{"remove_headers":{"X-Spam":0}}}'
)
GTUBE = (
    b'{"is_skipped":true,"score":15.0,"required_score":15.0,"action":"reject","symbols":{"GTUBE":'
    b'{"name":"GTUBE","score":0.0,"metric_score":0.0}},"messages":{"smtp_message":"Gtube pattern"}}'
)


def said(**more: object) -> Answer | Fault:
    return parse_answer(json.dumps({"action": "no action", "symbols": {}, **more}).encode())


def test_an_ordinary_answer_is_understood() -> None:
    assert parse_answer(ORDINARY) == Answer(Action.GREYLIST, 5.5, 15.0)


def test_a_scan_that_was_cut_short_by_a_refusal_is_a_refusal() -> None:
    assert parse_answer(GTUBE) == Answer(Action.REJECT, 15.0, 15.0)


@pytest.mark.parametrize("action", Action)
def test_every_action_is_known(action: Action) -> None:
    assert said(action=action.value) == Answer(action)


def test_what_the_virus_scanners_say_is_seen_whichever_it_is() -> None:
    assert said(symbols={"CLAM_VIRUS": {}}) == Answer(Action.NO_ACTION, virus=True)
    assert said(symbols={"SOPHOS_VIRUS_FAIL": {}}) == Answer(Action.NO_ACTION, virus_scan_failed=True)
    assert said(symbols={"VIRUS_IN_SUBJECT": {}}) == Answer(Action.NO_ACTION)


def test_a_score_that_is_no_number_counts_as_none() -> None:
    assert said(score="7", required_score=None) == Answer(Action.NO_ACTION)
    assert parse_answer(b'{"action":"reject","score":NaN,"required_score":-Infinity}') == Answer(
        Action.REJECT
    )


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"no action",
        b'"no action"',
        b"[]",
        b"{}",
        b'{"action":"delete"}',
        b'{"action":["reject"]}',
        b'{"action":"no action","symbols":[]}',
        b'{"action":"no action"',
        b"[" * 100_000,
        b'{"action":"no action","x":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b"\xff\xfe{\x00",
        b'{"action":"no action","n":' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_answer_is_a_fault(octets: bytes) -> None:
    assert parse_answer(octets) is Fault.GARBAGE


def test_more_rules_than_there_can_be_are_a_fault() -> None:
    assert said(symbols={f"S{n}": {} for n in range(MAX_SYMBOLS + 1)}) is Fault.GARBAGE


@given(st.binary(max_size=200))
def test_any_octets_give_an_answer_or_a_fault(octets: bytes) -> None:
    assert isinstance(parse_answer(octets), Answer | Fault)


NAMES = st.sampled_from(["action", "symbols", "score"]) | st.text()
LEAVES = st.none() | st.booleans() | st.floats() | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)))
def test_any_json_gives_an_answer_or_a_fault(value: object) -> None:
    assert isinstance(parse_answer(json.dumps(value).encode()), Answer | Fault)
