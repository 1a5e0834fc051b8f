"""Whatever a user gets wrong is a sentence on stderr and exit code 2, never a traceback."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from mxgw.config import SETTINGS
from tests.cli.support import Ended, mxgw
from tests.config.bad_values import BAD

GOOD = {
    "MXGW_DOMAINS": "example.jp",
    "MXGW_HOME": "lmtp://127.0.0.1:2525",
    "MXGW_HOSTNAME": "mx.example.jp",
    "MXGW_LISTEN": "127.0.0.1:0",
    "MXGW_HTTP_LISTEN": "127.0.0.1:0",
}
EXPECTED = {setting.variable: setting.expected for setting in SETTINGS}


def sayable(texts: list[str]) -> str:
    """The first bad value that an environment can carry."""
    return next(text for text in texts if text and "\0" not in text)


def assert_mistake(ended: Ended) -> None:
    assert ended.code == 2
    assert ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("variable", list(BAD))
def test_each_setting_wrong_in_turn_stops_the_server(variable: str) -> None:
    ended = mxgw("serve", "edge", settings={**GOOD, variable: sayable(BAD[variable])})

    assert_mistake(ended)
    assert ended.out == ""
    assert f"  {variable}=" in ended.err
    assert EXPECTED[variable] in ended.err
    assert ended.err.startswith("mxgw: the configuration has a mistake:\n")


@pytest.mark.parametrize("command", [("serve", "edge"), ("demo",), ("check",)])
def test_several_mistakes_are_all_named(command: tuple[str, ...]) -> None:
    wrong = {variable: sayable(texts) for variable, texts in BAD.items()}

    ended = mxgw(*command, settings={**wrong, "MXGW_LISTN": "1"})

    assert_mistake(ended)
    assert "did you mean MXGW_LISTEN?" in ended.err
    for variable, expected in EXPECTED.items():
        assert variable in ended.err
        assert expected in ended.err


def test_mistakes_in_the_file_are_named_with_their_lines(tmp_path: Path) -> None:
    toml = tmp_path / "mxgw.toml"
    toml.write_text('domains = "example.jp"\nhome = "example.jp"\nworkers = "many"\nwrokers = 1\n')

    ended = mxgw("serve", "edge", "--config", str(toml))

    assert_mistake(ended)
    assert f"(home in {toml}:2)" in ended.err
    assert f"(workers in {toml}:3)" in ended.err
    assert "did you mean workers?" in ended.err


def test_the_seal_key_is_never_printed() -> None:
    ended = mxgw("check", settings={**GOOD, "MXGW_SEAL_KEY": "hunter2"})
    assert_mistake(ended)
    assert "hunter2" not in ended.out + ended.err

    ended = mxgw("check", settings={**GOOD, "MXGW_SEAL_KEY": "hunter2 hunter2 hunter2"})
    assert "hunter2" not in ended.out + ended.err


def test_check_tells_programs_of_mistakes_in_json() -> None:
    ended = mxgw("check", "--json", settings={"MXGW_HOME": "lmtp://mail"})

    assert_mistake(ended)
    facts = json.loads(ended.out)
    assert facts["ok"] is False
    assert len(facts["mistakes"]) == 1
    assert facts["mistakes"][0].startswith("MXGW_DOMAINS: it is not set")


def test_serve_home_asks_for_what_it_needs() -> None:
    ended = mxgw("serve", "home")

    assert_mistake(ended)
    assert "MXGW_HOME: it is not set" in ended.err


def test_serve_home_is_one_process() -> None:
    ended = mxgw("serve", "home", settings={"MXGW_HOME": "lmtp://mail", "MXGW_WORKERS": "2"})

    assert_mistake(ended)
    assert "MXGW_WORKERS" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("frobnicate",),
        ("serve",),
        ("serve", "moon"),
        ("serve", "edge", "--workers", "0"),
        ("serve", "edge", "--workers", "many"),
        ("serve", "edge", "--config", "/nowhere/mxgw.toml"),
        ("demo", "--smtp", "2525"),
        ("send", "--to", "nobody"),
        ("send", "--from", "no one@example.jp"),
        ("send", "--server", "example.jp"),
        ("send", "--attach", "/nowhere"),
        ("send", "--size", "0"),
        ("read", "1", "--mail-dir", "/nowhere"),
        ("read", "--raw", "--mail-dir", "/nowhere"),
        ("settings", "--yaml"),
    ],
)
def test_a_mistake_on_the_command_line_is_a_sentence(arguments: tuple[str, ...]) -> None:
    assert_mistake(mxgw(*arguments, settings=GOOD))


@pytest.mark.parametrize("door", ["MXGW_LISTEN", "MXGW_HTTP_LISTEN"])
def test_a_port_in_use_is_a_sentence(door: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        ended = mxgw(
            "serve",
            "edge",
            settings={**GOOD, door: f"127.0.0.1:{holder.getsockname()[1]}", "MXGW_LOG": "json"},
        )

    assert_mistake(ended)
    assert "in use" in ended.err
