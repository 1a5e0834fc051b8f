"""Under the platform's init, as the task definition wants it: SIGTERM arrives, orphans are collected.

tini is what container engines put in place of process 1. Here it runs in a process namespace of its own.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from tests.rig.gateway import ENVIRONMENT
from tests.rig.process import ROOT, Child, find_program, need_root, wait_until

ENTRY = [sys.executable, "-I", "-B", str(ROOT / "docker" / "entry.py"), "serve", "edge"]
Start = Callable[[Sequence[str]], Child]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the image's program as process 1 of a namespace, behind what is given."""
    need_root("Process namespaces belong to root")
    children: list[Child] = []

    def started(init: Sequence[str]) -> Child:
        unshare = find_program("unshare", package="util-linux")
        child = Child(
            [unshare, "--pid", "--mount-proc", "--fork", "--kill-child", *init, *ENTRY],
            words=tmp_path / "words",
            environ={**ENVIRONMENT, "MXGW_HOME": "lmtp://127.0.0.1:9", "PATH": "/usr/bin:/bin"},
        )
        children.append(child)
        child.start(lambda: '"door":"smtp"' in child.said())
        return child

    yield started
    for child in children:
        child.kill()


def first_process(child: Child) -> psutil.Process:
    """Process 1 of the namespace."""
    (first,) = psutil.Process(child.pid).children()
    return first


def leave_an_orphan(first: psutil.Process) -> None:
    """What a health check leaves that is ended from outside while a child of its own still runs."""
    nsenter = find_program("nsenter", package="util-linux")
    command = [nsenter, f"--target={first.pid}", "--pid", "--mount", "sh", "-c", "sleep 1 & exit 0"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def zombies(first: psutil.Process) -> int:
    return sum(child.status() == psutil.STATUS_ZOMBIE for child in first.children())


def sleepers(first: psutil.Process) -> int:
    return sum(child.name() == "sleep" for child in first.children())


def test_sigterm_goes_through_the_init_and_the_program_drains(start: Start) -> None:
    child = start([find_program("tini", package="tini"), "--"])
    first = first_process(child)
    assert first.name() == "tini"

    first.send_signal(signal.SIGTERM)
    wait_until(lambda: not child.running, seconds=20, what="the program has ended")

    assert '"event":"drained"' in child.said()
    assert child.stop() == 0


def test_the_init_collects_an_orphan(start: Start) -> None:
    child = start([find_program("tini", package="tini"), "--"])
    first = first_process(child)

    leave_an_orphan(first)
    wait_until(lambda: sleepers(first) == 1, seconds=20, what="the orphan is the init's")

    wait_until(lambda: sleepers(first) == 0, seconds=20, what="the orphan is gone")
    assert zombies(first) == 0


def test_without_an_init_the_orphan_stays(start: Start) -> None:
    """The reason for the init."""
    child = start([])
    first = first_process(child)

    leave_an_orphan(first)

    wait_until(lambda: zombies(first) == 1, seconds=20, what="the orphan is a zombie")
