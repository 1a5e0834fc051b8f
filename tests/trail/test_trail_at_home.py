"""At the home machine's terminal nothing but the address is needed: the containers' own logs are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mxgw.admin.words import Language, Words
from mxgw.trail.words import Speech
from tests.admin.person import Person
from tests.cli.support import PROGRAM, environment
from tests.trail.story import SENDER, Story

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
