"""The spool: bounded memory, files without a name, and a budget that always comes back to nothing."""

from __future__ import annotations

import os
import resource
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mxgw.spool import READ_OCTETS, Spool, SpoolBudget, SpoolFull

CHUNKS = st.lists(st.integers(0, 100_000).map(lambda size: bytes([size % 251]) * size), max_size=8)


@contextmanager
def file_size_limit(octets: int) -> Iterator[None]:
    """The kernel refuses to let a file of ours grow beyond this, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def used(budget: SpoolBudget) -> tuple[int, int]:
    return budget.used, budget.memory.used


@given(CHUNKS, st.sampled_from([0, 1, 1000, 70_000, 1_000_000]), st.integers(0, 150_000), st.data())
@settings(deadline=None, max_examples=60)
def test_what_was_written_is_read_from_anywhere_and_the_budget_comes_back(
    chunks: list[bytes], memory_octets: int, memory_of_all: int, data: st.DataObject
) -> None:
    whole = b"".join(chunks)
    budget = SpoolBudget(10_000_000, max_memory_octets=memory_of_all)

    with Spool(budget, memory_octets=memory_octets) as spool:
        for chunk in chunks:
            spool.write(chunk)
            assert budget.memory.used <= min(memory_octets, memory_of_all)
        start = data.draw(st.integers(0, len(whole) + 1))

        got = list(spool.chunks(start))

        assert b"".join(got) == whole[start:]
        assert all(0 < len(chunk) <= READ_OCTETS for chunk in got)
        assert b"".join(spool.chunks()) == whole
        assert spool.octets == budget.used == len(whole)
    assert used(budget) == (0, 0)


@pytest.mark.parametrize("memory_octets", [0, 3, 100_000])
def test_iterations_are_independent_and_see_what_is_written_meanwhile(memory_octets: int) -> None:
    with Spool(SpoolBudget(1_000_000), memory_octets=memory_octets) as spool:
        spool.write(b"a" * READ_OCTETS)
        spool.write(b"b" * 10)
        one, two = spool.chunks(), spool.chunks(READ_OCTETS - 2)

        assert next(one) == b"a" * READ_OCTETS
        assert next(two) == b"aa" + b"b" * 10
        spool.write(b"c" * 20)

        assert b"".join(one) == b"b" * 10 + b"c" * 20
        assert b"".join(two) == b"c" * 20


def test_a_small_message_makes_no_file_and_a_large_one_leaves_no_name(tmp_path: Path) -> None:
    descriptors = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else None
    spool = Spool(SpoolBudget(10_000), directory=tmp_path, memory_octets=1000)

    spool.write(b"x" * 1000)
    assert spool._file is None
    spool.write(b"x")
    assert spool._file is not None
    assert list(tmp_path.iterdir()) == []

    spool.close()
    spool.close()
    assert spool._file.closed
    if descriptors is not None:
        assert len(os.listdir("/proc/self/fd")) == descriptors


def test_a_closed_spool_gives_and_takes_nothing() -> None:
    budget = SpoolBudget(1000)
    spool = Spool(budget, memory_octets=2)
    spool.write(b"abc")
    reading = spool.chunks()
    spool.close()

    for action in (lambda: next(reading), lambda: list(spool.chunks()), lambda: spool.write(b"x")):
        with pytest.raises(ValueError, match="closed"):
            action()
    assert spool.octets == 3
    assert used(budget) == (0, 0)


def test_one_budget_for_all_spools() -> None:
    budget = SpoolBudget(100)
    first, second = Spool(budget), Spool(budget)
    first.write(b"x" * 60)

    with pytest.raises(SpoolFull, match="budget"):
        second.write(b"x" * 41)
    assert used(budget) == (60, 60)

    first.close()
    third = Spool(budget)
    third.write(b"x" * 100)
    third.close()
    assert used(budget) == (0, 0)


def test_when_memory_of_all_is_used_up_the_next_message_goes_to_a_file() -> None:
    budget = SpoolBudget(10_000, max_memory_octets=1000)
    first, second = Spool(budget), Spool(budget)
    first.write(b"x" * 1000)

    second.write(b"yy")
    second.write(b"z")

    assert second._file is not None
    assert b"".join(second.chunks()) == b"yyz"
    assert used(budget) == (1003, 1000)
    first.close()
    second.close()
    assert used(budget) == (0, 0)


def test_a_disk_that_is_full_refuses_the_message_and_keeps_the_budget_right(tmp_path: Path) -> None:
    budget = SpoolBudget(10_000_000)
    spool = Spool(budget, directory=tmp_path, memory_octets=0)

    with file_size_limit(100_000):
        spool.write(b"x" * 60_000)
        with pytest.raises(SpoolFull, match="cannot be written"):
            spool.write(b"x" * 60_000)

    assert used(budget) == (0, 0)
    spool.close()
    assert used(budget) == (0, 0)


def test_a_disk_that_is_full_when_memory_moves_to_it_is_no_other_case(tmp_path: Path) -> None:
    budget = SpoolBudget(10_000_000)
    spool = Spool(budget, directory=tmp_path, memory_octets=60_000)
    spool.write(b"x" * 60_000)

    with file_size_limit(50_000), pytest.raises(SpoolFull):
        spool.write(b"x")

    assert used(budget) == (0, 0)


def test_a_directory_that_is_not_there_refuses_the_message(tmp_path: Path) -> None:
    budget = SpoolBudget(1000)
    spool = Spool(budget, directory=tmp_path / "missing", memory_octets=2)

    with pytest.raises(SpoolFull, match="No such file"):
        spool.write(b"abc")
    assert used(budget) == (0, 0)


@pytest.mark.parametrize("size", [3, 1460, 65_536])
def test_memory_does_not_grow_with_the_message(tmp_path: Path, size: int) -> None:
    chunk = b"x" * size
    budget = SpoolBudget(100_000_000)
    tracemalloc.start()
    try:
        with Spool(budget, directory=tmp_path, memory_octets=100_000) as spool:
            for _ in range(600_000 // size):
                spool.write(chunk)
            for _ in spool.chunks():
                pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 100_000 * 1.2 + 2 * READ_OCTETS + size + 10_000
