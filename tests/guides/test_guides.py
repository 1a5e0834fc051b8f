"""The guides: both languages say the same, and what they tell to type is there."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from functools import cache

import pytest
from click.testing import CliRunner

from mxgw.cli import group
from tests.guides.drawings import drawings
from tests.guides.guide_text import DOCS, NAMES, Guide, guides
from tests.rig.process import ROOT

INSTALL = "\n".join(
    path.read_text()
    for path in (ROOT / "dell-stack/install.sh", *sorted((ROOT / "dell-stack/install").glob("*.sh")))
)
EVERY = pytest.mark.parametrize("guide", guides(), ids=lambda guide: f"{guide.language}/{guide.name}")


@cache
def help_of(words: tuple[str, ...]) -> str:
    """What ``--help`` says there; empty where there is no such command."""
    told = CliRunner().invoke(group, [*words, "--help"], prog_name="mxgw", env={"LC_ALL": "en_US.UTF-8"})
    return told.output if told.exit_code == 0 else ""


def unknown(words: Sequence[str]) -> str:
    """A command line of which something is not there; empty where all is."""
    options = [word for word in words if word.startswith("--")]
    named = list(itertools.takewhile(lambda word: not word.startswith("-"), words[1:]))
    # "mxgw admin ..." stands for all of them.
    text = help_of(tuple(word for word in named if word != "..."))
    lost = [option for option in options if not re.search(rf"{option}\b", text)]
    return " ".join(words) if lost or not text else ""


def test_there_are_the_same_guides_in_both_languages() -> None:
    assert sorted(path.name for path in (DOCS / "ja").glob("*.md")) == NAMES
    assert len(NAMES) == 9


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_say_the_same_in_the_same_order(name: str) -> None:
    english, japanese = Guide("en", name), Guide("ja", name)

    assert japanese.levels == english.levels
    assert japanese.blocks == english.blocks
    assert japanese.tables == english.tables
    assert sorted(english.commands()) == sorted(japanese.commands()) or name == "trouble.md"
    assert {link for link in japanese.links if not link.endswith(".svg")} == {
        link for link in english.links if not link.endswith(".svg")
    }
    assert sorted(japanese.transcripts) == sorted(english.transcripts)


@EVERY
def test_links_lead_somewhere(guide: Guide) -> None:
    lost = [link for link in guide.links if not (guide.path.parent / link).exists()]

    assert lost == []


@EVERY
def test_every_command_of_the_guides_exists(guide: Guide) -> None:
    lost = [found for words in guide.commands() if (found := unknown(words))]

    assert lost == []


@EVERY
def test_every_option_of_install_is_one(guide: Guide) -> None:
    options = {option for options in guide.calls_of_install() for option in options}

    assert {option for option in options if f"{option})" not in INSTALL and option != "--help"} == set()


def test_a_command_that_is_not_there_is_noticed() -> None:
    assert unknown(["mxgw", "admin", "user", "lisst"])
    assert unknown(["mxgw", "admin", "user", "list", "--colour"])
    assert not unknown(["mxgw", "admin", "user", "list", "--domain", "example.jp"])


@EVERY
def test_what_install_and_env_know_by_name_is_spelled_so(guide: Guide) -> None:
    """Variables in code that stand in .env.example, compose.yaml or the scripts."""
    known = (ROOT / "dell-stack/.env.example").read_text() + INSTALL
    named = set(re.findall(r"`([A-Z][A-Z]+_[A-Z_]+)(?:=[^`]*)?`", guide.own))

    assert {name for name in named if name not in known} == set()


@EVERY
def test_japanese_is_japanese_and_sentences_are_polite(guide: Guide) -> None:
    kana = re.search(r"[ぁ-んァ-ン]", re.sub(r"!\[[^]]*\]", "", guide.own))

    assert bool(kana) == (guide.language == "ja")


def test_every_function_has_its_line_in_the_test_procedure() -> None:
    for language in ("en", "ja"):
        text = Guide(language, "test-procedure.md").text
        functions = re.findall(r"^\| (F-\d{3}) \|", text, re.MULTILINE)
        listed = re.findall(r"^\| (F-\d{3}) \|", (DOCS / "traceability.md").read_text(), re.MULTILINE)
        assert functions == listed


def test_every_risk_has_its_section() -> None:
    for language in ("en", "ja"):
        found = re.findall(r"^## (R-\d{3}) ", Guide(language, "risks.md").text, re.MULTILINE)
        assert found == [f"R-{number:03}" for number in range(1, 11)]


def test_drawings_are_those_that_the_program_draws() -> None:
    """If not: python -m tests.guides.drawings"""
    for path, text in drawings():
        assert path.read_text() == text
