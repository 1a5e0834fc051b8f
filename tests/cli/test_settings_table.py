"""The table of settings: for people, for programs, and the manual made of it."""

from __future__ import annotations

import json
from pathlib import Path

from mxgw.config import SETTINGS
from tests.cli.support import mxgw

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"


def test_the_manual_is_up_to_date() -> None:
    ended = mxgw("settings", "--markdown")

    assert ended.out == MANUAL.read_text(), "run: mxgw settings --markdown > docs/configuration.md"


def test_the_manual_has_a_row_of_five_columns_per_setting() -> None:
    rows = [line for line in MANUAL.read_text().splitlines() if line.startswith("| `MXGW_")]

    assert [row.split("`")[1] for row in rows] == [setting.variable for setting in SETTINGS]
    assert all(row.replace("\\|", "").count("|") == 6 for row in rows)


def test_programs_get_json_and_pipes_get_tabs() -> None:
    facts = json.loads(mxgw("settings", "--json").out)
    lines = mxgw("settings").out.splitlines()

    assert [fact["variable"] for fact in facts] == [setting.variable for setting in SETTINGS]
    assert [line.split("\t")[0] for line in lines] == [setting.variable for setting in SETTINGS]
    assert all(len(line.split("\t")) == 4 for line in lines)
    assert [fact["variable"] for fact in facts if fact["secret"]] == ["MXGW_SEAL_KEY"]
