"""Stdout that stalls, closes or never was: real pipes and sockets."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mxgw.observe.lines import MAX_BACKLOG_OCTETS, LineWriter

LINE = b"x" * 999 + b"\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, writing
    for descriptor in (reading, writing):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def read_all(descriptor: int) -> bytes:
    octets = b""
    while True:
        try:
            octets += os.read(descriptor, 65536)
        except BlockingIOError:
            return octets


def test_lines_go_out_at_once(pipe: tuple[int, int]) -> None:
    writer = LineWriter(pipe[1])

    writer.write(b"one\n")
    writer.write(b"two\n")

    assert read_all(pipe[0]) == b"one\ntwo\n"
    assert writer.lost == 0


def test_a_stalled_reader_is_not_waited_for_and_loses_nothing_up_to_the_bound(
    pipe: tuple[int, int],
) -> None:
    writer = LineWriter(pipe[1])
    sent = [b"%06d" % number + LINE for number in range(500)]

    for line in sent:
        writer.write(line)
    received = b""
    while chunk := read_all(pipe[0]):
        received += chunk
        writer.flush()

    assert received == b"".join(sent)
    assert writer.lost == 0


def test_beyond_the_bound_whole_lines_are_lost_and_counted(pipe: tuple[int, int]) -> None:
    writer = LineWriter(pipe[1])

    for _ in range(2 * MAX_BACKLOG_OCTETS // len(LINE)):
        writer.write(LINE)
    received = b""
    while chunk := read_all(pipe[0]):
        received += chunk
        writer.flush()

    assert writer.lost > 0
    assert received == LINE * (2 * MAX_BACKLOG_OCTETS // len(LINE) - writer.lost)


def test_a_shared_descriptor_stays_blocking_for_others(pipe: tuple[int, int]) -> None:
    LineWriter(pipe[1])

    assert not fcntl.fcntl(pipe[1], fcntl.F_GETFL) & os.O_NONBLOCK


@pytest.mark.parametrize("kind", ["stream", "pipe without /proc"])
def test_a_descriptor_that_cannot_be_opened_anew_is_not_waited_for_either(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "stream":
        left, right = socket.socketpair()
        left.setblocking(False)
        reading, writing = left.detach(), right.detach()
    else:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)

        def refuse(*_: object) -> int:
            raise PermissionError

        monkeypatch.setattr(os, "open", refuse)
    writer = LineWriter(writing)
    count = 700

    for _ in range(count):
        writer.write(LINE)
    received = b""
    while chunk := read_all(reading):
        received += chunk
        writer.flush()

    assert received == LINE * count
    os.close(reading)
    os.close(writing)


async def test_what_was_held_back_leaves_without_another_line(pipe: tuple[int, int]) -> None:
    writer = LineWriter(pipe[1])
    count = 200
    for _ in range(count):
        writer.write(LINE)

    received = b""
    async with asyncio.timeout(30):
        while len(received) < count * len(LINE):
            received += read_all(pipe[0])
            await asyncio.sleep(0.01)

    assert received == LINE * count


def test_a_reader_that_went_away_costs_lines_and_nothing_else(pipe: tuple[int, int]) -> None:
    writer = LineWriter(pipe[1])
    writer.write(b"one\n")
    os.close(pipe[0])

    writer.write(b"two\n")
    writer.write(b"three\n")

    assert writer.lost == 2


def test_what_was_held_back_for_a_reader_that_went_away_is_counted(pipe: tuple[int, int]) -> None:
    writer = LineWriter(pipe[1])
    for _ in range(500):
        writer.write(LINE)
    os.close(pipe[0])

    writer.close()

    assert writer.lost > 0


def test_no_stdout_at_all_costs_lines_and_nothing_else() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)

    writer = LineWriter(writing)
    writer.write(b"one\n")
    writer.close()

    assert writer.lost == 1


def test_closing_waits_for_a_slow_reader_and_leaves_the_descriptor_open(pipe: tuple[int, int]) -> None:
    reader = subprocess.Popen(
        [sys.executable, "-c", "import sys; print(len(sys.stdin.buffer.read()))"],
        stdin=pipe[0],
        stdout=subprocess.PIPE,
    )
    os.set_blocking(pipe[0], True)
    writer = LineWriter(pipe[1])

    for _ in range(300):
        writer.write(LINE)
    writer.close()
    os.write(pipe[1], b"end\n")
    os.close(pipe[1])

    output, _ = reader.communicate()
    assert int(output) == 300 * len(LINE) + 4
    assert writer.lost == 0


def test_a_file_is_appended_to_where_it_stands(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        file.write(b"before\n")
        file.flush()
        writer = LineWriter(file.fileno())

        writer.write(b"after\n")
        writer.close()

    assert (tmp_path / "log").read_bytes() == b"before\nafter\n"
