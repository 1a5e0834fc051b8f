"""Whatever mxgw doctor can say, it can say in both languages, about the same things."""

from __future__ import annotations

import ast
import re
import string
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from mxgw.admin.words import CATALOGUE as SHARED
from mxgw.admin.words import Language
from mxgw.doctor.edge_judge import EdgeCheck
from mxgw.doctor.words import CATALOGUE, DoctorWords
from mxgw.doctor.words.domain import DOMAIN
from mxgw.doctor.words.edge import EDGE
from mxgw.doctor.words.help import HELP
from mxgw.doctor.words.house import HOUSE
from tests.rig.process import ROOT

SOURCES = [
    *sorted((ROOT / "mxgw" / "doctor").glob("*.py")),
    *sorted((ROOT / "mxgw" / "cli").glob("doctor_*.py")),
]
JUDGES = {"good", "warn", "bad", "_bad"}
SPEAKERS = {"Refused", "words", "say", *JUDGES}
MADE = re.compile(r"^(help|short|option|label|column|code)-")
"""Keys that the program puts together."""

COLUMNS = 80
NAMES_ONLY = {"label-postmaster"}


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def texts(node: ast.AST) -> Iterator[str]:
    return (
        one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)
    )


def placeholders(text: str) -> set[str]:
    return {f"{name}!{conversion or ''}" for _, name, _, conversion in string.Formatter().parse(text) if name}


def width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "FW" else 1 for character in line)


def test_no_key_stands_in_two_parts() -> None:
    assert len(CATALOGUE) == len(DOMAIN) + len(EDGE) + len(HELP) + len(HOUSE)
    assert CATALOGUE.keys() & SHARED.keys() == set()


@pytest.mark.parametrize("key", CATALOGUE)
def test_a_text_has_the_same_facts_in_both_languages(key: str) -> None:
    text = CATALOGUE[key]

    assert text.en
    assert text.ja
    assert placeholders(text.en) == placeholders(text.ja)


@pytest.mark.parametrize("key", CATALOGUE)
def test_japanese_is_japanese_and_english_is_english(key: str) -> None:
    text = CATALOGUE[key]

    assert text.en.isascii()
    assert key in NAMES_ONLY or any("\u3040" <= character <= "\u9fff" for character in text.ja)


def test_what_the_program_says_is_in_a_catalogue() -> None:
    said = {
        argument.value
        for path in SOURCES
        for call in calls(path)
        if ast.unparse(call.func).rpartition(".")[2] in SPEAKERS
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }

    assert len(said) > 80
    assert said - set(CATALOGUE) - set(SHARED) == set()


def test_every_text_is_said_somewhere() -> None:
    said = {text for path in SOURCES for text in texts(ast.parse(path.read_text()))}

    assert {key for key in CATALOGUE if key not in said and not MADE.match(key)} == set()


def test_each_verdict_gives_its_texts_the_facts_that_they_need() -> None:
    """Of judge.bad("key", "mend", name=...) in the source; ``**facts`` is looked at where it is used."""
    checked = 0
    for path in SOURCES:
        for call in calls(path):
            if ast.unparse(call.func).rpartition(".")[2] not in JUDGES - {"_bad"}:
                continue
            given = {keyword.arg for keyword in call.keywords}
            needed = {
                name.partition("!")[0]
                for key in texts(ast.Module([ast.Expr(argument) for argument in call.args], []))
                for name in placeholders((CATALOGUE | SHARED)[key].en)
            }
            checked += 1
            # None stands for ``**facts``: address and port.
            assert needed <= given | ({"address", "port"} if None in given else set()), ast.unparse(call)

    assert checked > 50


@pytest.mark.parametrize("check", EdgeCheck)
@pytest.mark.parametrize("language", Language)
def test_every_check_has_a_name(check: EdgeCheck, language: Language) -> None:
    assert DoctorWords(language)(f"label-{check}")


@pytest.mark.parametrize("key", ["help-doctor"])
def test_help_fits_a_terminal(key: str) -> None:
    for text in CATALOGUE[key]:
        # Two columns of indentation.
        assert max(map(width, text.splitlines())) <= COLUMNS + 12


def test_what_is_shared_with_the_admins_commands_is_said_in_their_words() -> None:
    assert DoctorWords(Language.JA)("level-ok") == SHARED["level-ok"].ja
