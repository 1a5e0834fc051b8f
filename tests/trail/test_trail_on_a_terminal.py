"""On a terminal: a table in colours, in the user's language, that a stranger's words cannot steer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.admin.person import Person
from tests.cli.support import PROGRAM, environment
from tests.trail.story import SENDER, Story


def screen(*arguments: str, **settings: str) -> tuple[str, str]:
    """What is shown, without and with its colours."""
    environ = environment({"LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo", "TERM": "xterm", **settings})
    with Person([PROGRAM, "trace", *arguments], environ) as person:
        person.ends()
        return person.screen, person.raw


def test_a_timeline_shows_each_attempt_and_ends_with_a_sentence(story: Story) -> None:
    shown, raw = screen("<late@shop.example>", story.one, story.two)

    for text in (
        "1. <late@shop.example>, from news@shop.example to later@example.jp",
        "203.0.113.5, calls itself shop.example, without TLS",
        "spf=pass dkim=none dmarc=pass",
        "later@example.jp  451 4.3.0 Not now",
        "later@example.jp  250 2.0.0 Stored",
        "put off",
        "taken",
        "two.log",
        "s to receive",
        "Put off 2 times since 20",
        "Times are in JST (+09:00).",
    ):
        assert text in shown
    assert "\x1b[1;32m" in raw


def test_many_messages_are_listed_and_one_is_to_be_chosen(story: Story) -> None:
    shown, _ = screen(SENDER, story.one)

    assert f"messages match {SENDER}" in shown
    assert "stored, after a retry" in shown
    assert "choose one with --number 1 to" in shown
    assert "What to do" not in shown


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nobody@example.jp", "そのメールボックスはありません"),
        ("<junk@shop.example>", "迷惑メールフォルダーに保存されました"),
        ("someone@elsewhere.example", "このドメインのメールを受け取りません"),
    ],
)
def test_japanese_is_spoken_where_the_locale_is(story: Story, name: str, words: str) -> None:
    shown, _ = screen(name, story.one, "--number", "1", LC_ALL="ja_JP.UTF-8")

    assert words in shown
    assert "時刻は JST" in shown


def test_what_a_stranger_wrote_cannot_steer_the_terminal(story: Story, tmp_path: Path) -> None:
    [line] = [line for line in story.lines("one") if "<junk@shop.example>" in line]
    hostile = {
        **json.loads(line),
        "helo": "\x1b[2Jx\x07",
        "detail": "[bold]\u202e",
        "message_id": "<\x9b31m@x>",
    }
    log = tmp_path / "hostile.log"
    log.write_text(json.dumps(hostile))

    shown, raw = screen("x@evil.example", str(log))

    assert "\ufffd[2Jx\ufffd" in shown
    assert "[bold]\ufffd" in shown
    for control in ("\x1b[2J", "\x07", "\x9b", "\u202e"):
        assert control not in raw
