"""Whatever mxgw deploy can say, it can say in both languages, about the same things."""

from __future__ import annotations

import ast
import string
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from mxgw.admin.words import CATALOGUE as ADMIN
from mxgw.admin.words import Language
from mxgw.deploy.words import CATALOGUE, PARTS, DeployWords
from mxgw.doctor.words import CATALOGUE as DOCTOR
from tests.rig.process import ROOT

SOURCES = [
    *(path for path in sorted((ROOT / "mxgw" / "deploy").glob("*.py"))),
    *sorted((ROOT / "mxgw" / "cli").glob("deploy*.py")),
]
MADE = ("help-", "short-", "step-", "column-", "change-", "fate-", "option-", "ask-", "docker-")
"""Keys that the program puts together."""

SAME = {"domains-put", "stack-event", "step-records"}
"""Names alone: the same in both languages."""


def literals(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_no_key_stands_in_two_parts() -> None:
    assert len(CATALOGUE) == sum(map(len, PARTS))


@pytest.mark.parametrize("key", CATALOGUE)
def test_a_text_is_in_both_languages_with_the_same_facts(key: str) -> None:
    text = CATALOGUE[key]

    assert text.en.isascii()
    assert placeholders(text.en) == placeholders(text.ja)
    assert key in SAME or any("\u3040" <= character <= "\u9fff" for character in text.ja)


def test_every_text_is_said_somewhere_and_every_refusal_has_one() -> None:
    said = {text for path in SOURCES for text in literals(path)}
    refused = {
        node.args[0].value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"Refused", "AwsRefused", "Mistake", "self._wrong"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }

    assert {key for key in CATALOGUE if key not in said and not key.startswith(MADE)} - {"needs-yes"} == set()
    assert len(refused) > 40
    assert refused - CATALOGUE.keys() - DOCTOR.keys() - ADMIN.keys() == set()


def test_help_fits_a_terminal() -> None:
    for key, text in CATALOGUE.items():
        if key.startswith("help-"):
            for line in (*text.en.splitlines(), *text.ja.splitlines()):
                wide = sum(2 if unicodedata.east_asian_width(one) in "FW" else 1 for one in line)
                assert wide <= 94, (key, line)


def test_what_is_not_here_is_said_by_the_others() -> None:
    words = DeployWords(Language.JA)

    assert words("label-starttls") == "暗号化"
    assert words("ask-yes-no") == ADMIN["ask-yes-no"].ja
