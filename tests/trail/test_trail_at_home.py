"""At the home machine's terminal nothing but the address is needed: the containers' own logs are read."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mxgw.admin.words import Language, Words
from mxgw.trail.words import Speech
from tests.admin.person import Person
from tests.cli.support import PROGRAM, environment, mxgw
from tests.trail.story import SENDER, Story

SENT = (
    (
        "Nov 24 12:00:00 mail postfix/submission/smtpd[22]: A8CFF2647A6: client=unknown[100.64.0.7], "
        "sasl_method=PLAIN, sasl_username=taro@example.jp"
    ),
    (
        "Nov 24 12:00:01 mail postfix/qmgr[20]: A8CFF2647A6: from=<taro@example.jp>, size=395, nrcpt=1 "
        "(queue active)"
    ),
    (
        "Nov 24 12:00:02 mail postfix/smtp[30]: A8CFF2647A6: to=<friend@example.net>, "
        "relay=smtp.sendgrid.net[192.0.2.9]:587, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 Ok)"
    ),
)

LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])


@pytest.fixture
def house(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """The settings of a machine whose docker does this."""

    def settings(script: str) -> dict[str, str]:
        (tmp_path / "compose.yaml").write_text("services: {}\n")
        docker = tmp_path / "docker"
        docker.write_text(f"#!/bin/sh\n{script}\n")
        docker.chmod(0o755)
        return {"MXGW_STACK": str(tmp_path), "MXGW_DOCKER": str(docker)}

    return settings


def screen(settings: dict[str, str], *arguments: str, lang: str = "en") -> tuple[int, str]:
    environ = environment({"LC_ALL": f"{lang}_XX.UTF-8", "PYTHONUTF8": "1", "TERM": "xterm", **settings})
    with Person([PROGRAM, "trace", *arguments], environ) as person:
        return person.ends(), person.screen


def test_an_address_alone_is_followed_through_the_logs_of_the_containers(
    story: Story, house: Callable[[str], dict[str, str]], tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    settings = house(f'echo "$@" >{asked}; cat {story.one}')

    code, shown = screen(settings, SENDER)

    assert (code, f"messages match {SENDER}" in shown) == (0, True), shown
    assert asked.read_text().split() == [
        *("compose", "--project-directory", str(tmp_path)),
        *("logs", "--no-color", "--no-log-prefix", "--timestamps", "home", "dovecot", "postfix"),
    ]


def test_mail_that_was_sent_is_found_there_too(
    house: Callable[[str], dict[str, str]], tmp_path: Path
) -> None:
    log = tmp_path / "all.log"
    taken = [f"2026-11-24T03:00:0{number}.123456789Z {one}" for number, one in enumerate(SENT)]
    log.write_text("\n".join(taken))
    settings = house(f"cat {log}") | {"TZ": "Asia/Tokyo"}

    for lang, words in (("en", "Handed over to SendGrid"), ("ja", "SendGrid (smtp.sendgrid.net) へ渡し")):
        code, shown = screen(settings, "friend@example.net", lang=lang)
        assert (code, words in shown) == (0, True), shown
        # Docker knows year and zone, whatever the container writes.
        assert "2026-11-24 12:00:02" in shown
        assert Speech(japanese=lang == "ja")("house-logs") in " ".join(shown.split())


@LANGUAGES
def test_an_address_that_never_wrote_is_told_with_what_to_try(
    house: Callable[[str], dict[str, str]], lang: str
) -> None:
    code, shown = screen(house("true"), "nobody@example.net", lang=lang)

    speech = Speech(japanese=lang == "ja")
    place = speech("place-always", sources=speech("house-logs"))
    said = speech("nothing-at-home", query="nobody@example.net", place=place)
    assert (code, said in shown.replace("\n", "")) == (1, True), shown


def test_without_a_terminal_and_with_nothing_piped_in_home_is_read_too(
    story: Story, house: Callable[[str], dict[str, str]]
) -> None:
    ended = subprocess.run(
        [PROGRAM, "trace", SENDER],
        env=environment({"LC_ALL": "C.UTF-8", **house(f"cat {story.one}")}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )

    assert (ended.returncode, len(json.loads(ended.stdout)["messages"]) > 5) == (0, True), ended.stderr


def test_who_waits_for_a_pipe_is_told_so() -> None:
    ended = mxgw("trace", SENDER, settings={"LC_ALL": "C.UTF-8"})

    assert ended.code == 1
    assert "reading a log from standard input" in ended.err


@LANGUAGES
def test_a_docker_that_fails_is_quoted(house: Callable[[str], dict[str, str]], lang: str) -> None:
    code, shown = screen(house("echo 'no such project' >&2; exit 14"), SENDER, lang=lang)

    said = Speech(japanese=lang == "ja")("house-silent", why="no such project")
    assert (code, said in shown) == (1, True), shown


@LANGUAGES
def test_a_docker_that_is_not_there_is_said(
    house: Callable[[str], dict[str, str]], tmp_path: Path, lang: str
) -> None:
    settings = house("") | {"MXGW_DOCKER": str(tmp_path / "none")}

    code, shown = screen(settings, SENDER, lang=lang)

    assert (code, Words(Language(lang))("docker-missing") in shown) == (1, True), shown


@LANGUAGES
def test_elsewhere_a_log_is_to_be_named(tmp_path: Path, lang: str) -> None:
    code, shown = screen({"MXGW_STACK": str(tmp_path / "none")}, SENDER, lang=lang)

    assert (code, Speech(japanese=lang == "ja")("no-source") in shown) == (2, True), shown
