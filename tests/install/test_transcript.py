"""The transcripts in the guides are of this install.sh, not of one that was."""

from __future__ import annotations

import pytest

from tests.guides.guide_text import LANGUAGES, Guide
from tests.guides.test_guides import unknown
from tests.install.bare_machine import BareMachine
from tests.install.transcript import installation, shape


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guide_shows_every_step_and_question_of_today(bare: BareMachine, language: str) -> None:
    """If not: python -m tests.install.transcript"""
    shown = Guide(language, "install-home.md").transcripts["install"]

    assert shape(shown) == shape(installation(bare, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_commands_of_the_first_mail_exist(language: str) -> None:
    shown = Guide(language, "install-home.md").transcripts["first-mail"]
    commands = [line.removeprefix("$ ").split() for line in shown.splitlines() if line.startswith("$ ")]

    assert [words[0] for words in commands] == ["mxgw", "mxgw", "curl", "mxgw"]
    assert [words for words in commands if words[0] == "mxgw" and unknown(words)] == []
    assert "250 2.0.0" in shown
