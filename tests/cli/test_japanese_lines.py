"""Where lines of Japanese end in tables."""

# ruff: noqa: RUF001 - signs of Japanese

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mxgw.cli.columns import width
from mxgw.cli.sentence import Sentence, breaks


def lines(text: str, wide: int) -> list[str]:
    return [text[begin:end].rstrip() for begin, end in pairwise([0, *breaks(text, wide), len(text)])]


@pytest.mark.parametrize(
    ("text", "wide", "shown"),
    [
        ("1 回の接続で送れる通数に達しました。", 20, ["1 回の接続で送れる通", "数に達しました。"]),
        ("通知は届いています。", 18, ["通知は届いていま", "す。"]),
        ("  根拠：connect", 8, ["  根拠：", "connect"]),
        ("mxgw admin backup now を実行", 12, ["mxgw admin", "backup now", "を実行"]),
        ("/data/docker/volumes の空き", 10, ["/data/dock", "er/volumes", "の空き"]),
        ("ユーザー", 4, ["ユー", "ザー"]),
        ("", 5, [""]),
    ],
)
def test_a_line_ends_where_japanese_may(text: str, wide: int, shown: list[str]) -> None:
    assert lines(text, wide) == shown


@given(st.text(alphabet="あア漢。、（）「」ーっ aZ/.-9　", max_size=60), st.integers(4, 30))
def test_nothing_is_lost_and_nothing_is_too_wide(text: str, wide: int) -> None:
    cut = lines(text, wide)

    assert "".join("".join(cut).split()) == "".join(text.split())
    assert all(width(line) <= wide for line in cut)


def shown(*cells: Text, wide: int) -> list[str]:
    table = Table(box=None, show_header=False)
    for _ in cells:
        table.add_column(overflow="fold")
    table.add_row(*cells)
    written = io.StringIO()
    Console(file=written, width=wide).print(table)
    return written.getvalue().splitlines()


def test_a_table_keeps_its_columns_beside_japanese() -> None:
    told = shown(
        Sentence("disk"), Sentence("/mnt/backup の空きは 2.0G（99%）です。"), Sentence("正常\n異常"), wide=30
    )

    assert all(width(line) == 30 for line in told)
    assert told[0].rstrip().endswith("  正常")
    assert told[1].rstrip().endswith("  異常")
    assert not any(line.strip().startswith(("。", "）")) for line in told)


def test_english_is_left_to_rich() -> None:
    text = "The gateway cannot reach home since noon."

    assert shown(Sentence(text), wide=20) == shown(Text(text), wide=20)
