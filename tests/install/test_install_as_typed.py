"""install.sh as somebody at a Japanese keyboard uses it: full-width answers, and Ctrl-C."""

from __future__ import annotations

import subprocess

import pytest

from mxgw.cli.columns import width
from tests.admin.person import Person, wide
from tests.install.bare_machine import INSTALL, SENDGRID_KEY, BareMachine
from tests.rig.process import ROOT

INTERRUPTED = 130


def test_answers_of_full_width_are_taken_and_ctrl_c_says_how_to_go_on(bare: BareMachine) -> None:
    command = [*bare.inside(), "setsid", "--ctty", "--wait", INSTALL]
    with Person(command, bare.environ("ja")) as person:
        person.sees("[mailserver]")
        person.types(wide("mail-1"))
        person.sees("システムディスクにメールを保存しますか")
        person.types("はい")
        person.sees("カンマ区切り")
        person.types(f"{wide('example.jp')}、example.com\N{IDEOGRAPHIC SPACE}")
        person.sees("[mx.example.jp]")
        person.types(wide("mx1.example.jp"))
        person.sees("[postmaster@example.jp]")
        person.types(wide("info@example.jp"))
        person.sees("SendGrid の API キー")
        person.types(SENDGRID_KEY)
        person.sees("警報の送り先")
        person.presses(b"\x03", until="続きから進みます。")
        code = person.ends()
    settings = bare.read("/opt/mxgw/dell-stack/.env")

    assert code == INTERRUPTED
    assert "MAIL_DOMAINS=example.jp,example.com\n" in settings
    assert "EDGE_HOSTNAME=mx1.example.jp\n" in settings
    assert "POSTMASTER_ADDRESS=info@example.jp\n" in settings
    assert f"SENDGRID_API_KEY={SENDGRID_KEY}\n" in settings


@pytest.mark.parametrize("locale", ["C", "ja_JP.UTF-8"])
def test_help_fits_a_screen_of_80_columns(locale: str) -> None:
    told = subprocess.run(
        [str(ROOT / "dell-stack" / "install.sh"), "--help"],
        env={"PATH": "/usr/bin:/bin", "LANG": locale},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert ("使い方" in told.stdout) == (locale != "C")
    assert max(width(line) for line in told.stdout.splitlines()) <= 80
