"""Both languages have every word, and what the words name is there."""

from __future__ import annotations

import re
from string import Formatter

import click
import pytest

from mxgw.cli import COMMANDS
from mxgw.cli.admin import group_for
from mxgw.config import SETTINGS
from mxgw.outcome import Decision, Trouble
from mxgw.policy import Reason
from mxgw.trail.fate import BY_REASON, BY_TROUBLE, Cause, Fate, State
from mxgw.trail.words import CATALOGUE, Speech
from mxgw.trail.words.advice import ADVICE

JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
SAME_IN_BOTH = {"column-number", "column-message-id", "place-always"}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", CATALOGUE)
def test_a_text_is_in_both_languages_with_the_same_facts(key: str) -> None:
    text = CATALOGUE[key]

    assert placeholders(text.en) == placeholders(text.ja)
    assert not JAPANESE.search(text.en)
    assert bool(JAPANESE.search(text.ja)) != (key in SAME_IN_BOTH | {"part-join"})


def test_every_word_of_a_closed_set_has_its_text() -> None:
    for speech in (Speech(japanese=False), Speech(japanese=True)):
        for decision in Decision:
            assert speech(f"decision-{decision.value}")
        for fate in Fate:
            assert speech(f"short-{fate.value}")
    assert {f"cause-{cause.value}" for cause in Cause} == set(ADVICE)
    assert {f"part-{state.value}" for state in State} <= set(CATALOGUE)
    assert {f"fate-{fate.value}" for fate in Fate} <= set(CATALOGUE)


def test_every_reason_and_trouble_of_the_gateway_has_a_cause() -> None:
    assert set(BY_REASON) == set(Reason)
    assert set(BY_TROUBLE) == set(Trouble)


def test_advice_names_settings_and_commands_that_there_are() -> None:
    text = "\n".join(f"{one.en}\n{one.ja}" for one in CATALOGUE.values())
    known = {row.variable for row in SETTINGS}

    assert set(re.findall(r"MXGW_[A-Z_]+[A-Z]", text)) <= known
    for command in re.findall(r"mxgw ([a-z]+)", text):
        assert command in COMMANDS
    group = group_for([])
    for part, name in re.findall(r"mxgw admin ([a-z]+) ([a-z]+)", text):
        family = group.commands[part]
        assert isinstance(family, click.Group)
        assert name in family.commands
