"""Commands that a beginner finds in the guides speak Japanese as well, and say the same."""

# ruff: noqa: RUF001 - signs of Japanese

from __future__ import annotations

import ast
import asyncio
import json
import string
from pathlib import Path

import pytest

from mxgw.cli import explanation, group
from mxgw.cli.bilingual import Bilingual
from mxgw.cli.bilingual_words import HELPS, MAGIC, OPTIONS, SENTENCES
from mxgw.cli.verify_in_japanese import SENTENCES as OF_VERIFY
from mxgw.cli.verify_in_japanese import said
from mxgw.mailbox import MAGIC_MEANINGS
from tests.admin.person import Person
from tests.cli.support import PROGRAM, environment, mxgw
from tests.rig.process import ROOT
from tests.rig.zone import Zone, ZoneServer

JAPANESE = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "ja_JP.UTF-8"}
COMMANDS = list(HELPS)
LETTER = (
    b"Return-Path: <a@bank.example>\r\nReceived: from mx.bank.example ([203.0.113.5]) by mx with ESMTP; x\r\n"
    b"From: a@bank.example\r\nSubject: =?utf-8?b?44GT44KT44Gr44Gh44Gv?=\r\n\r\nhello\r\n"
)


def texts(path: Path, function: str) -> list[str]:
    """What is said by a call of this function, and what is assigned to ``sentence`` before."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function:
            found += [one.value for one in node.args if isinstance(one, ast.Constant)]
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "sentence":
            found += [node.value.value] if isinstance(node.value, ast.Constant) else []
    return found


def placeholders(text: str) -> list[str]:
    return sorted(f"{name}:{form}!{kind}" for _, name, form, kind in string.Formatter().parse(text) if name)


def test_each_sentence_is_there_in_japanese_and_none_without_use() -> None:
    sources = [ROOT / "mxgw" / "cli" / f"{name}.py" for name in ("send", "read", "demo")]

    assert {text for path in sources for text in texts(path, "said")} == set(SENTENCES)
    for english, japanese in SENTENCES.items():
        assert placeholders(english) == placeholders(japanese)
        assert not japanese.isascii()
    assert set(MAGIC) == set(MAGIC_MEANINGS.values())


def test_each_sentence_of_verify_is_there_in_japanese() -> None:
    for words in (explanation._WORDS, explanation._IPREV_WORDS, explanation._NULL_MX_WORDS):
        assert set(words.values()) - {""} <= set(OF_VERIFY)
    faults = texts(Path(explanation.__file__), "MessageFault")
    assert faults
    assert set(faults) <= set(OF_VERIFY)
    assert said("nothing speaks against it; a.example asks for p=reject") == (
        "問題は見つかりません。a.example の方針は p=reject"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_japanese_throughout(name: str) -> None:
    command = group.get_command(None, name)  # type: ignore[arg-type]
    assert isinstance(command, Bilingual)
    given = {option.opts[-1] for option in command.params if option.opts[-1].startswith("--")}

    ended = mxgw(name, "--help", settings={**JAPANESE, "COLUMNS": "200"})

    assert (ended.code, ended.err) == (0, "")
    assert "使い方" in ended.out
    for option in given:
        assert option in ended.out
    assert given == {*HELPS[name].options, *(given & set(OPTIONS))}
    assert "Show this" not in ended.out
    assert "default" not in ended.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("send", "--server", "x"), "--server には HOST:PORT の形の値を指定してください。"),
        (("send", "--attach", "/nowhere"), "--attach：ファイルを読めません。"),
        (("send", "--to", "x"), "'x' はメールアドレスの形式ではありません。"),
        (("verify",), "FILE を指定してください。"),
        (("verify", "/dev/null"), "メールのファイルではありません"),
        (("read", "--mail-dir", "/nowhere", "last"), "/nowhere にメールがありません。"),
    ],
)
def test_mistakes_are_told_in_japanese(arguments: tuple[str, ...], sentence: str) -> None:
    ended = mxgw(*arguments, settings=JAPANESE)

    assert ended.code == 2
    assert ended.err.startswith("mxgw: ")
    assert sentence in ended.err


def test_a_language_may_be_named(tmp_path: Path) -> None:
    told = [
        mxgw("read", "--mail-dir", str(tmp_path), "last", "--lang", lang, settings=JAPANESE).err
        for lang in ("ja", "en")
    ]

    assert "メールがありません" in told[0]
    assert told[1].isascii()


async def test_verify_tells_people_in_japanese_and_programs_as_ever(tmp_path: Path) -> None:
    file = tmp_path / "letter.eml"
    file.write_bytes(LETTER)

    def shown(command: list[str]) -> str:
        with Person([PROGRAM, *command], environment({**JAPANESE, "TERM": "xterm"})) as person:
            assert person.ends() == 0
            return person.screen

    async with ZoneServer(Zone({})) as server:
        command = ["verify", str(file), "--dns", server.address]
        screen = await asyncio.to_thread(shown, command)
        told = [
            json.loads((await asyncio.to_thread(mxgw, *command, settings={**JAPANESE, "LANG": lang})).out)
            for lang in ("ja_JP.UTF-8", "C")
        ]

    assert "こんにちは" in screen
    assert "受信トレイ（deliver）: 問題は見つかりません" in screen
    assert told[0] == told[1]
