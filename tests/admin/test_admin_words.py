"""Whatever mxgw admin can say, it can say in both languages, about the same things."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from mxgw.admin.words import CATALOGUE, PARTS, Language, Words, language_of
from tests.rig.process import ROOT

SOURCES = [
    *sorted(path for path in (ROOT / "mxgw" / "admin").rglob("*.py") if path.parent.name != "words"),
    *sorted((ROOT / "mxgw" / "watch").rglob("*.py")),
    *sorted((ROOT / "mxgw" / "cli").glob("admin*.py")),
]
MADE = re.compile(r"^(help|short|ask|column|level)-")
"""Keys that the program puts together."""


def literals(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def placeholders(text: str) -> list[str]:
    """With what is done to them ("!r")."""
    return sorted(
        f"{name}!{conversion or ''}" for _, name, _, conversion in string.Formatter().parse(text) if name
    )


def test_no_key_stands_in_two_parts() -> None:
    assert len(CATALOGUE) == sum(map(len, PARTS))


@pytest.mark.parametrize("key", CATALOGUE)
def test_a_text_has_the_same_facts_in_both_languages(key: str) -> None:
    text = CATALOGUE[key]

    assert text.en
    assert text.ja
    assert set(placeholders(text.en)) == set(placeholders(text.ja))


@pytest.mark.parametrize("key", CATALOGUE)
def test_japanese_is_japanese_and_english_is_english(key: str) -> None:
    text = CATALOGUE[key]

    assert text.en.isascii()
    japanese = any("\u3040" <= character <= "\u9fff" for character in text.ja)
    assert japanese or key == "ask-yes-no"


def test_what_the_program_says_is_in_the_catalogue() -> None:
    said = {
        call.args[0].value
        for path in SOURCES
        for call in calls(path)
        if call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
        and ast.unparse(call.func).rpartition(".")[2]
        in {"Refused", "words", "say", "warn", "done", "confirmed"}
    }

    assert len(said) > 100
    assert said - set(CATALOGUE) == set()


def test_every_text_is_said_somewhere() -> None:
    said = {text for path in SOURCES for text in literals(path)}

    silent = {key for key in CATALOGUE if key not in said and not MADE.match(key)}

    assert silent == set()


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LANG": "ja_JP.UTF-8"}, Language.JA),
        ({"LANG": "en_US.UTF-8"}, Language.EN),
        ({"LANG": "C.UTF-8"}, Language.EN),
        ({}, Language.EN),
        ({"LC_ALL": "ja_JP.UTF-8", "LANG": "C"}, Language.JA),
        ({"LC_ALL": "", "LC_MESSAGES": "C", "LANG": "ja_JP.UTF-8"}, Language.EN),
    ],
)
def test_the_locale_names_the_language(environ: dict[str, str], language: Language) -> None:
    assert language_of(environ) is language


def test_a_text_is_filled_with_its_facts() -> None:
    assert Words(Language.JA)("user-exists", address="taro@example.jp").startswith("taro@example.jp の")
