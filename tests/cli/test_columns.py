"""Lines end where a reader of Japanese, or a shell, expects them to."""

# ruff: noqa: RUF001 - signs of Japanese

from __future__ import annotations

import shlex

import pytest

from mxgw.cli.columns import columns, folded, joined, paragraphs, width


@pytest.mark.parametrize(
    ("text", "wide"), [("", 0), ("taro", 4), ("太郎", 4), ("ﾀﾛｳ", 3), ("か\u3099", 2), ("１a", 3)]
)
def test_a_wide_character_takes_two_columns(text: str, wide: int) -> None:
    assert width(text) == wide


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["one", "two"], "one two"),
        (["設定して", "ください。"], "設定してください。"),
        (["DNS", "レコード"], "DNS レコード"),
        (["サーバーの", "DNS"], "サーバーの DNS"),
        (["設定（", ".env）"], "設定（.env）"),
        (["終了、", "Ctrl+C"], "終了、Ctrl+C"),
        (["", "one"], "one"),
    ],
)
def test_lines_are_joined_with_a_blank_where_one_is_written(lines: list[str], text: str) -> None:
    assert joined(lines) == text


@pytest.mark.parametrize(
    ("text", "wide", "lines"),
    [
        ("a bc def", 4, ["a bc", "def"]),
        ("メールが届く", 6, ["メール", "が届く"]),
        ("届きます。", 8, ["届きま", "す。"]),
        ("残りは（必要なら）", 8, ["残りは", "（必要な", "ら）"]),
        ("名は example.jp です", 8, ["名は", "example.jp", "です"]),
        ("", 8, [""]),
    ],
)
def test_a_line_ends_where_it_may(text: str, wide: int, lines: list[str]) -> None:
    assert folded(text, wide) == lines


def test_a_command_that_is_too_wide_is_still_one_for_the_shell() -> None:
    command = "mxgw admin import taro@example.jp --from imap.example.com --user 'old name' | jq '.[] | .x'"

    lines = paragraphs(f"Example:\n  {command}   and what it does", 40)

    assert lines[0] == "Example:"
    assert lines[-1] == "      and what it does"
    assert max(map(len, lines)) <= 40
    # A shell drops the two.
    assert shlex.split("\n".join(lines[1:-1]).replace("\\\n", "")) == shlex.split(command)


def test_what_fits_stands_as_it_was_written() -> None:
    text = "First line,\nand second.\n\n  an example   its comment\n               and more of it"

    assert paragraphs(text, 60) == ["First line, and second.", *text.splitlines()[2:]]


@pytest.mark.parametrize(("says", "used"), [("200", 80), ("60", 60), ("3", 20), ("", 80)])
def test_a_window_may_be_too_wide_and_too_narrow(
    says: str, used: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", says)
    monkeypatch.setattr("sys.__stdout__", None)

    assert columns() == used
