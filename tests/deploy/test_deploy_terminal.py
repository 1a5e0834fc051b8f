"""As a person uses it: asked, hidden, again where the answer is wrong, in two languages."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.deploy.deploy_rig import TAILSCALE, Aws, Desk, running_edge
from tests.rig.process import ROOT


def test_a_newcomer_is_led_through_it(desk: Desk, aws: Aws) -> None:
    desk.settings(tailscale_secret_file=None)

    with (
        running_edge(desk.bin) as place,
        desk.at_terminal("up", "--verify-at", place, "--dns", "127.0.0.1:9") as person,
    ):
        person.sees("OK  account: account 123456789012")
        person.sees("+ add")
        person.sees("Change the stack mxgw-base so? [y/N]")
        person.types("perhaps")
        person.sees("Please answer y or n.")
        person.types("y")
        person.sees("AWS has sent a mail to admin@example.net")
        person.sees("not shown):")
        person.types("hunter2")
        person.sees("that is no Tailscale secret")
        person.sees("not shown):")
        person.types(TAILSCALE)
        person.sees("Change the stack mxgw-edge so? [y/N]")
        person.types("y")
        person.sees("DNS records to set")
        person.sees("10 mx.example.jp.")
        person.sees("encryption")
        person.sees("OK  look from outside: the edge takes mail in")
        code = person.ends()

    assert code == 0
    assert "hunter2" not in person.screen
    assert TAILSCALE not in person.screen
    assert set(aws.stacks().values()) == {"CREATE_COMPLETE"}


def test_a_no_changes_nothing(desk: Desk, aws: Aws) -> None:
    with desk.at_terminal("up", "--lang", "ja") as person:
        person.sees("スタック mxgw-base をこのとおり変更しますか")
        person.types("いいえ")
        code = person.ends()

    assert code == 1
    assert "何も変更していません" in person.screen
    assert aws.stacks() == {}


def test_who_leaves_a_question_changes_nothing(desk: Desk, aws: Aws) -> None:
    with desk.at_terminal("up") as person:
        person.sees("Change the stack mxgw-base so?")
        person.presses(b"\x04", until="nothing was changed")
        code = person.ends()

    assert code == 1
    assert aws.stacks() == {}


def test_destroy_asks_for_the_name_until_it_is_right(desk: Desk, aws: Aws) -> None:
    desk.deploy("up", "--yes", DOCKER_FAILS="build")

    with desk.at_terminal("destroy", LC_ALL="", LANG="ja_JP.UTF-8") as person:
        person.sees("削除されるものと残るもの")
        person.sees("base スタックの名前を入力してください")
        person.types("y")
        person.sees("名前が違います")
        person.types("mxgw-base")
        person.sees("両方のスタックを削除しました")
        code = person.ends()

    assert code == 0
    assert "aws ec2 release-address" in person.screen
    assert aws.stacks() == {}


def test_the_help_is_in_both_languages(desk: Desk) -> None:
    for command in ((), ("plan",), ("up",), ("status",), ("rollback",), ("destroy",)):
        english, japanese = (desk.deploy(*command, "--help", "--lang", lang) for lang in ("en", "ja"))
        assert (english.code, japanese.code) == (0, 0)
        assert "Usage: " in english.out
        assert "使い方" in japanese.out


def test_a_wrong_word_is_told(desk: Desk) -> None:
    assert "remove" in desk.deploy("remove").err
    assert desk.deploy("up", "--verify-at", "mx:port").code == 2
    assert desk.deploy("up", "--dns", "no server").code == 2


def test_outside_of_a_checkout_the_one_of_the_program_is_used(desk: Desk, tmp_path: Path) -> None:
    ended = desk.deploy("plan", "--settings", str(tmp_path / "none.toml"))

    assert ended.code == 2
    assert "cp ecs/deploy.example.toml" in ended.err


# -- ecs/deploy ------------------------------------------------------


def entry(desk: Desk, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(desk.checkout / "ecs" / "deploy"), "plan", "--lang", "ja"],
        env={"PATH": path, "HOME": str(desk.checkout)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_entry_makes_its_environment_once_and_again_after_a_change(desk: Desk) -> None:
    # A Python that only writes down what it is asked for: the real installation needs a registry and minutes.
    log = desk.checkout / "python.log"
    program = (
        '#!/bin/sh\nprintf "%s " "$(basename "$0")" "$@" >> "$HOME/python.log"\necho >> "$HOME/python.log"\n'
    )
    make = 'if [ "$2" = venv ]; then mkdir -p "$3/bin"; for n in pip mxgw; do cp "$0" "$3/bin/$n"; done; fi\n'
    (desk.bin / "python3").write_text(program + make)
    (desk.bin / "python3").chmod(0o755)
    path = f"{desk.bin}:/usr/bin:/bin"

    first = entry(desk, path)
    once = log.read_text()
    entry(desk, path)
    twice = log.read_text()
    (desk.checkout / "requirements-runtime.lock").write_text("another")
    entry(desk, path)

    assert first.returncode == 0, first.stderr
    assert "--require-hashes" in once
    assert once.splitlines()[-1].strip() == "mxgw deploy plan --lang ja"
    assert twice.count("--require-hashes") == 1
    assert twice.count("mxgw deploy plan") == 2
    assert log.read_text().count("--require-hashes") == 2


def test_the_entry_without_python_says_what_to_install(desk: Desk, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("dirname", "cat", "cksum"):
        (tools / name).symlink_to(f"/usr/bin/{name}")

    ended = entry(desk, str(tools))

    assert ended.returncode == 2
    assert "Python 3.11" in ended.stderr
    assert "必要です" in ended.stderr


def test_the_entry_may_be_called_as_it_is() -> None:
    assert (ROOT / "ecs" / "deploy").stat().st_mode & 0o111
