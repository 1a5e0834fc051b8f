"""The administrator sees what waits in the real Postfix, has it tried again, and throws it away."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.admin_house import Told, admin
from tests.dell.sending_house import SendingHouse, letter
from tests.rig.process import wait_until

DOCKER = """#!{python}
# docker compose --project-directory D exec -T postfix COMMAND...
import os, sys
arguments = sys.argv[1:]
at = arguments.index("exec")
assert arguments[:2] == ["compose", "--project-directory"] and arguments[at + 1 : at + 3] == ["-T", "postfix"]
os.environ["MAIL_CONFIG"] = {etc!r}
os.execvp(arguments[at + 3], arguments[at + 3 :])
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SendingHouse]:
    with SendingHouse(tmp_path_factory.mktemp("queue"), scan=False) as running:
        yield running


@pytest.fixture
def queue(house: SendingHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SendingHouse]:
    """``docker`` leads to the house's Postfix, whose relay says "later"."""
    program = tmp_path / "docker"
    program.write_text(DOCKER.format(python=sys.executable, etc=str(house.postfix.etc)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}{os.pathsep}/usr/sbin")
    house.relay.refusals["later@example.net"] = "451 4.7.1 try again later"
    yield house
    house.relay.refusals.clear()
    house.postfix.drain()


def ask(*arguments: str, lang: str = "en") -> Told:
    return admin("queue", *arguments, settings={}, lang=lang)


def waits(house: SendingHouse) -> str:
    """A message that waits; its id."""
    house.send(letter(), "later@example.net")
    wait_until(
        lambda: any(one["reasons"] for one in ask("list").facts), seconds=20, what="deferred with a reason"
    )
    return str(ask("list").facts[0]["id"])


def test_what_waits_is_listed_with_the_reason(queue: SendingHouse) -> None:
    name = waits(queue)

    (one,) = ask("list").facts

    assert one["id"] == name
    assert one["sender"] == "taro@example.jp"
    assert one["recipients"] == ["later@example.net"]
    assert "451 4.7.1 try again later" in one["reasons"][0]
    assert one["octets"] > 0


def test_a_message_is_shown_without_its_text(queue: SendingHouse) -> None:
    queue.send(letter(more="Subject: about the house\r\n", text="nobody's business\r\n"), "later@example.net")
    wait_until(lambda: ask("list").facts, seconds=20, what="it waits")

    told = ask("show", ask("list").facts[0]["id"])

    assert "Subject: about the house" in told.facts["header"]
    assert "nobody's business" not in told.out


def test_a_message_is_tried_at_once_when_told_so(queue: SendingHouse) -> None:
    name = waits(queue)
    queue.relay.refusals.clear()

    told = ask("flush", name)

    assert told.facts["did"] == "queue-tried"
    queue.relay.wait_for("later@example.net")
    wait_until(lambda: not ask("list").facts, seconds=20, what="the queue is empty")


def test_all_messages_are_tried_when_none_is_named(queue: SendingHouse) -> None:
    waits(queue)
    queue.relay.refusals.clear()

    def left() -> bool:
        assert ask("flush").facts["did"] == "queue-flushed"
        return not ask("list").facts

    wait_until(left, seconds=20, what="the queue is empty")


def test_a_message_that_is_thrown_away_is_never_sent(queue: SendingHouse) -> None:
    taken = len(queue.relay.taken)
    name = waits(queue)

    refused, told = ask("remove", name), ask("remove", name, "--yes")

    assert refused.facts["error"] == "needs-yes"
    assert told.facts["did"] == "queue-removed"
    queue.relay.refusals.clear()
    queue.postfix.drain()
    assert len(queue.relay.taken) == taken


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["show", "4c7Wl23X9kz1Q"], "queue-has-no-such"),
        (["show", "-d"], ""),
        (["remove", "ALL", "--yes"], "bad-queue-id"),
        (["remove", "--yes"], "missing-argument"),
        (["flush", "../etc"], "bad-queue-id"),
    ],
)
def test_a_mistake_is_a_sentence(queue: SendingHouse, arguments: list[str], error: str, lang: str) -> None:
    told = ask(*arguments, lang=lang)

    assert told.code == 2
    assert told.err.startswith("mxgw: ")
    assert not error or told.facts["error"] == error


def test_without_docker_it_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    told = ask("list")

    assert (told.code, told.facts["error"]) == (1, "docker-missing")
