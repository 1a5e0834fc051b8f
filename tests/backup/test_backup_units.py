"""The timers of backup and update: what they call exists, and when."""

from __future__ import annotations

import configparser
import shlex

import pytest

from mxgw.cli.admin import group_for
from tests.rig.process import ROOT

UNITS = ROOT / "dell-stack" / "systemd"


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    parser.read_string((UNITS / name).read_text())
    return parser


@pytest.mark.parametrize("name", ["mxgw-backup", "mxgw-update"])
def test_a_timer_calls_a_command_that_there_is(name: str) -> None:
    program, *words = shlex.split(unit(f"{name}.service")["Service"]["ExecStart"])

    assert (program, words[0], words[-1]) == ("/usr/local/bin/mxgw", "admin", "--json")
    part = group_for([]).commands[words[1]]
    assert words[2] in getattr(part, "commands", {})
    assert unit(f"{name}.timer")["Install"]["WantedBy"] == "timers.target"


def test_the_backup_comes_before_the_updates_which_begin_within_their_window() -> None:
    backup, update = (unit(f"mxgw-{name}.timer")["Timer"] for name in ("backup", "update"))

    assert backup["OnCalendar"] == "*-*-* 00:30:00 Asia/Tokyo"
    assert update["OnCalendar"] == "*-*-* 02:10:00 Asia/Tokyo"
    # A machine that was off must not update in the middle of the day.
    assert "Persistent" not in update
