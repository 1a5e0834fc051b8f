"""Commands of the mail server's own machine, called elsewhere or with settings that nobody can read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mxgw.admin.env_file import read_env_file
from mxgw.admin.refusal import Refused
from tests.admin.admin_house import admin

WITHOUT_STACK_OPTION = [("watch",), ("watch", "--show"), ("alert", "test"), ("waiting",), ("canary",)]


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("arguments", WITHOUT_STACK_OPTION, ids=" ".join)
def test_whoever_has_no_settings_here_is_not_told_of_an_option_that_is_not_there(
    arguments: tuple[str, ...], lang: str, tmp_path: Path
) -> None:
    told = admin(*arguments, settings={"MXGW_STACK": str(tmp_path)}, lang=lang)

    assert (told.code, told.facts["error"]) == (2, "env-file-missing")
    assert "--stack" not in told.err
    assert "MXGW_STACK=" in told.err


def test_settings_that_are_no_text_are_not_said_to_need_root(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"MAIL_DOMAINS=\xff\xfe\n")

    told = admin("watch", settings={"MXGW_STACK": str(tmp_path)}, lang="ja")

    assert (told.code, told.facts["error"]) == (2, "env-file-unreadable")
    assert "sudo" not in told.err
    assert "byte 14" in told.err
    assert "mxgw admin restore --configuration only" in told.err


def test_whoever_may_not_read_the_settings_is_told_to_be_root(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("MAIL_DOMAINS=example.jp\n")
    path.chmod(0o600)

    with pytest.raises(Refused) as refused:
        _as_nobody(path)

    assert refused.value.key == "env-file-forbidden"


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_log_of_something_else_is_not_said_to_hold_no_waiting_mail(lang: str, tmp_path: Path) -> None:
    log = tmp_path / "messages"
    log.write_text("Nov 24 20:00:00 mail systemd[1]: Started Session 1 of user root.\n")

    told = admin("waiting", str(log), settings={}, lang=lang)

    assert (told.code, told.facts["error"]) == (1, "waiting-no-record")


def test_a_record_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    log = tmp_path / "edge.log"
    log.write_text('{"event": "transaction"}\n')

    told = admin("waiting", str(log), settings={})

    assert told.code == 1
    assert "edge.log, line 1" in told.err


def test_half_of_what_line_needs_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LINE_CHANNEL_TOKEN=tok\n")

    told = admin("alert", "test", settings={"MXGW_STACK": str(tmp_path)}, lang="ja")

    assert told.code != 0
    assert "LINE_TO" in told.err.splitlines()[0]


def _as_nobody(path: Path) -> None:
    """Root may read every file, so another user reads it."""
    if os.geteuid() != 0:
        path.chmod(0)
        read_env_file(path)
        return
    os.seteuid(65534)
    try:
        read_env_file(path)
    finally:
        os.seteuid(0)
