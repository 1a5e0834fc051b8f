"""Every refusal and every delay carries a code, and every code is explained, in both languages."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from mxgw.config.settings import SETTINGS
from mxgw.doctor.reply_codes import code_in, page
from mxgw.doctor.words.codes import CODES
from mxgw.policy import passed_on
from mxgw.reply import Reply
from tests.admin.person import wide
from tests.rig.process import ROOT

TAIL = re.compile(r" #(M\d\d)$")
NOT_THE_GATEWAY = {"load", "mailbox.py"}
"""The load harness plays other servers; the demo's mailbox is what the gateway asks."""

MADE_OF_OTHERS = {"policy.py"}
"""Puts replies together out of coded ones too."""


def replies() -> Iterator[tuple[str, str]]:
    """Place and last text of every 4xx and 5xx that the source writes down."""
    for path in sorted((ROOT / "mxgw").rglob("*.py")):
        if NOT_THE_GATEWAY & set(path.relative_to(ROOT).parts):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) not in {"Reply.of", "Reply"}:
                continue
            code = node.args[0] if node.args else None
            if not isinstance(code, ast.Constant) or code.value < 400:
                continue
            text = node.args[-1]
            if isinstance(text, ast.JoinedStr):
                text = text.values[-1]
            if isinstance(text, ast.Constant):
                yield f"{path.name}:{node.lineno}", str(text.value)
            else:
                assert path.name in MADE_OF_OTHERS, f"{path}:{node.lineno}"


def test_every_refusal_and_delay_in_the_source_ends_with_a_code() -> None:
    found = list(replies())

    assert len(found) > 60
    assert [one for one in found if not TAIL.search(one[1])] == []


def test_every_code_is_explained_and_no_other() -> None:
    source = "".join((ROOT / "mxgw" / name).read_text() for name in ("policy.py", "dialogue.py"))
    used = {match[1] for _, text in replies() if (match := TAIL.search(text))}
    used |= set(re.findall(r" #(M\d\d)\"", source))

    assert used == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_an_explanation_is_there_in_both_languages(code: str) -> None:
    for text in (CODES[code].what, CODES[code].sender, CODES[code].admin):
        assert text.en.isascii()
        assert re.search("[\u3040-\u9fff]", text.ja)


def test_the_settings_and_commands_that_an_explanation_names_exist() -> None:
    words = " ".join(text for one in CODES.values() for text in (one.admin.en, one.admin.ja))

    assert set(re.findall(r"MXGW_[A-Z_]+", words)) <= {row.variable for row in SETTINGS}
    commands = {tuple(found.split()) for found in re.findall(r"mxgw ([a-z]+(?: [a-z]+){0,2})", words)}
    assert {command[0] for command in commands} <= {"admin", "doctor", "trace", "verify"}


def test_homes_own_words_get_a_code_and_a_code_of_our_door_at_home_stays() -> None:
    unknown = passed_on(Reply.of(550, "5.1.1", "<taro@example.jp> User doesn't exist: taro@example.jp"))
    spam = passed_on(Reply.of(550, "5.7.1", "This message looks like spam and is not accepted #M60"))
    other = passed_on(Reply.of(554, "5.7.0", "I do not want it"))
    later = passed_on(Reply.of(451, "4.2.0", "Internal error occurred"))

    assert [code_in(reply.lines[0]) for reply in (unknown, spam, other, later)] == [
        "M34",
        "M60",
        "M78",
        "M74",
    ]
    assert spam.lines[0].count("#") == 1


def test_the_page_is_the_one_in_the_documents() -> None:
    assert (ROOT / "docs" / "reply-codes.md").read_text() == page()


def doctor(*arguments: str, lang: str = "en_US.UTF-8") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mxgw", "doctor", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": lang, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "words",
    [
        ("M34",),
        ("#m34",),
        (wide("#M34"),),
        ("550 5.1.1 No such mailbox here #M34",),
        ("550", "5.1.1", "No", "#M34"),
    ],
)
def test_the_doctor_explains_a_code_or_a_whole_reply(words: tuple[str, ...]) -> None:
    ended = doctor(*words)

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == [
        {
            "code": "M34",
            "what": CODES["M34"].what.en,
            "sender": CODES["M34"].sender.en,
            "admin": CODES["M34"].admin.en,
        }
    ]


def test_several_codes_are_explained_and_all_are_listed() -> None:
    assert [one["code"] for one in json.loads(doctor("M10", "M71", "--lang", "ja").stdout)] == ["M10", "M71"]
    assert [one["code"] for one in json.loads(doctor("codes").stdout)] == list(CODES)


@pytest.mark.parametrize(
    ("lang", "word"), [("en_US.UTF-8", "holds no code"), ("ja_JP.UTF-8", "見つかりません")]
)
@pytest.mark.parametrize("wrong", ["M99", "hello", "5.1.1"])
def test_what_is_no_code_is_told_in_a_sentence(lang: str, word: str, wrong: str) -> None:
    ended = doctor(wrong, lang=lang)

    assert ended.returncode == 2
    assert word in ended.stderr
    assert "Traceback" not in ended.stderr
