"""A home that stops answering in the middle of an import is given up after a while, and said."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mxgw.admin.importing.copying import copy, plan
from mxgw.admin.importing.remembered import Remembered
from mxgw.admin.importing.sessions import Folder, Header, Mailbox, OverPipe, open_home
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Stack
from mxgw.admin.words import Language, Words

SILENCE_SECONDS = 0.3
LARGE = b"x" * 1024**2
"""More than a pipe holds."""

# What stands in for docker: answers so many commands, then neither reads nor writes. As with the real one,
# somebody else has its pipes, too, so that its end alone closes nothing.
DOCKER = """#!{python} -IS
import subprocess, sys, time
with open({other!r}, "w") as file:
    file.write(str(subprocess.Popen(["sleep", "60"]).pid))
answers = {answers}
if answers:
    sys.stdout.write("* PREAUTH [CAPABILITY IMAP4rev1] ready\\r\\n")
    sys.stdout.flush()
for _ in range(answers - 1):
    tag, word = sys.stdin.readline().split()[:2]
    if word == "CAPABILITY":
        print("* CAPABILITY IMAP4rev1", end="\\r\\n")
    if word == "EXAMINE":
        print("* 0 EXISTS\\r\\n* OK [UIDVALIDITY 1] ok", end="\\r\\n")
    if word == "APPEND":
        print("+ go on", end="\\r\\n", flush=True)
        time.sleep(60)
    print(tag, "OK done", end="\\r\\n", flush=True)
time.sleep(60)
"""


class OneMessage(Mailbox):
    """An old mailbox with one message."""

    def __init__(self) -> None:
        pass

    def folders(self) -> list[Folder]:
        return [Folder("INBOX", "INBOX", "INBOX", frozenset())]

    def open(self, folder: str) -> tuple[int, list[int]]:
        return 1, [7]

    def headers(self, uids: object) -> list[Header]:  # type: ignore[override]
        return [Header(7, len(LARGE), (), "", "print")]

    def message(self, uid: int) -> bytes:
        return LARGE


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[Callable[[int], Stack]]:
    other = tmp_path / "other.pid"

    def made(answers: int) -> Stack:
        docker = tmp_path / "docker"
        docker.write_text(DOCKER.format(python=sys.executable, answers=answers, other=str(other)))
        docker.chmod(0o755)
        return Stack(tmp_path, docker=[str(docker)])

    yield made
    # On a busy machine it may have been given up before it began.
    with contextlib.suppress(FileNotFoundError, ValueError):
        os.kill(int(other.read_text()), signal.SIGKILL)


@pytest.mark.parametrize("answers", [0, 1, 2])
def test_a_home_that_does_not_open_is_given_up(hanging: Callable[[int], Stack], answers: int) -> None:
    with pytest.raises(Refused) as why:
        open_home(hanging(answers), "taro@example.jp", silence=SILENCE_SECONDS)

    assert (why.value.key, why.value.failure) == ("import-home-hangs", True)


@pytest.mark.parametrize(
    "answers",
    [
        4,  # neither folder nor message is answered
        7,  # the message is taken, and never answered
    ],
)
def test_a_home_that_stops_within_the_copy_is_given_up(
    hanging: Callable[[int], Stack], tmp_path: Path, answers: int
) -> None:
    old = OneMessage()
    remembered = Remembered(tmp_path, host="h", login="l")
    home = open_home(hanging(answers), "taro@example.jp")
    # Not before: a busy machine takes its time to start a program.
    assert isinstance(home.session, OverPipe)
    home.session.silence = SILENCE_SECONDS

    try:
        with pytest.raises(Refused) as why, remembered:
            copy(
                old,
                home,
                plan(old, remembered),
                remembered,
                address="taro@example.jp",
                passed=lambda _: None,
            )
    finally:
        home.close()

    assert (why.value.key, why.value.failure, why.value.facts["copied"]) == ("import-home-hangs", True, 0)
    for language in Language:
        assert "docker compose restart dovecot" in Words(language)(why.value.key, **why.value.facts)
