"""The third opinion is never missing in silence: whatever keeps it away fails the tests with words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.opinions import node_cache
from tests.opinions.mailauth import Mailauth, dmarc_question
from tests.opinions.node_cache import CannotInstall, installed
from tests.rig.zone import Zone

QUESTION = dmarc_question(Zone(), "one.example", [], [])


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No package is there, and no program but those that a test puts here."""
    monkeypatch.setattr(node_cache, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_without_npm_the_words_say_how_to_get_it(empty_cache: Path) -> None:
    with pytest.raises(CannotInstall, match="apt-get install npm"):
        installed()


def test_what_npm_complains_of_is_told_and_nothing_half_done_is_left(empty_cache: Path) -> None:
    npm = empty_cache / "npm"
    npm.write_text("#!/bin/sh\necho no route to the registry\nexit 1\n")
    npm.chmod(0o755)

    for _ in range(2):
        with pytest.raises(CannotInstall, match="no route to the registry"):
            installed()


def test_a_question_that_breaks_it_does_not_stop_the_next(mailauth: Mailauth) -> None:
    broken, answer = mailauth.ask([{"check": "spf", "zone": None}, QUESTION]).answers(2)

    assert "TypeError" in broken["broken"]
    assert answer["result"] == "none"


def test_a_child_that_ends_fails_the_test() -> None:
    with Mailauth() as child:
        child.ask([QUESTION]).answers(1)

        child.end()

        with pytest.raises(AssertionError, match="mailauth ended"):
            child.ask([QUESTION]).answers(1)
