"""The intake: spool, header and digests of one message, however its octets arrive."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mxgw.content import ContentFault
from mxgw.header import MAX_FIELDS, MAX_HEADER_OCTETS, NO_HEADER, parse_header
from mxgw.intake import Intake
from mxgw.spool import SpoolBudget

CONTENTS = st.lists(
    st.sampled_from(
        [
            b"A: 1\r\n",
            b"B : 2\r\n\tf\r\n",
            b"\r\n",
            b"x",
            b":",
            b"\r",
            b"\n",
            b" ",
            b"\r\n\r\n",
            b"Message-ID: <1>\r\n",
        ]
    )
).map(b"".join)


def take(content: bytes, size: int, intake: Intake) -> Intake:
    for position in range(0, len(content), size):
        intake.write(content[position : position + size])
    intake.finish()
    return intake


def used(budget: SpoolBudget) -> tuple[int, int, int]:
    return budget.used, budget.memory.used, budget.headers.used


@given(CONTENTS, st.integers(1, 12), st.sampled_from([0, 5, 100_000]))
@settings(deadline=None, max_examples=500)
def test_header_and_digests_do_not_depend_on_how_the_content_is_cut(
    content: bytes, size: int, memory_octets: int
) -> None:
    budget = SpoolBudget(1_000_000)

    intake = take(content, size, Intake(budget, memory_octets=memory_octets, hash_body=True))

    whole = parse_header(content)
    assert intake.fault is None
    assert intake.header_complete
    assert intake.header == whole
    assert intake.octets == len(content)
    assert b"".join(intake.spool.chunks()) == content
    block, body = content[: whole.octets], content[whole.octets :]
    assert intake.body_digest() == hashlib.sha256(body).digest()
    assert (
        intake.content_digest()
        == hashlib.sha256(hashlib.sha256(block).digest() + hashlib.sha256(body).digest()).digest()
    )
    intake.close()
    intake.close()
    assert used(budget) == (0, 0, 0)


def test_the_header_is_known_with_the_octet_that_completes_it() -> None:
    intake = Intake(SpoolBudget(1000))

    intake.write(b"Subject: x\r\n\r")
    assert not intake.header_complete
    assert intake.header == NO_HEADER
    intake.write(b"\n")

    assert intake.header_complete
    assert intake.header.first("subject") == "x"
    intake.close()


def test_content_that_starts_with_no_field_is_known_with_its_first_line() -> None:
    intake = Intake(SpoolBudget(1000))

    intake.write(b"hello\r")
    assert not intake.header_complete
    intake.write(b"\n")

    assert intake.header_complete
    assert intake.header == NO_HEADER
    intake.close()


@pytest.mark.parametrize("size", [1460, 65_536, 10_000_000])
def test_a_header_block_has_a_size_limit(size: int) -> None:
    start = b"Subject: x\r\nTo: "
    for octets, fault in ((MAX_HEADER_OCTETS, None), (MAX_HEADER_OCTETS + 1, ContentFault.HEADER_TOO_LARGE)):
        budget = SpoolBudget(1_000_000)
        content = start + b"x" * (octets - len(start) - 4) + b"\r\n\r\nbody"

        intake = take(content, size, Intake(budget))

        assert intake.fault is fault
        assert intake.octets == len(content)
        assert (used(budget) == (0, 0, 0)) == (fault is not None)
        intake.close()


def test_a_header_block_of_one_endless_field_is_refused_and_a_body_of_one_line_is_not() -> None:
    for start, fault in ((b"Subject: ", ContentFault.HEADER_TOO_LARGE), (b"Subject ", None)):
        intake = take(start + b"x" * 300_000, 1460, Intake(SpoolBudget(1_000_000)))

        assert intake.fault is fault
        assert intake.header == NO_HEADER
        intake.close()


def test_a_large_body_without_header_or_blank_line_is_content_like_any_other() -> None:
    content = b"no field\r\n" * 50_000

    intake = take(content, 1460, Intake(SpoolBudget(1_000_000), hash_body=True))

    assert intake.fault is None
    assert intake.body_digest() == hashlib.sha256(content).digest()
    intake.close()


def test_a_header_block_has_a_limit_of_fields_which_folds_do_not_count_for() -> None:
    folds = b"To: a,\r\n" + b" b,\r\n" * (2 * MAX_FIELDS)
    for fields, fault in ((MAX_FIELDS - 1, None), (MAX_FIELDS, ContentFault.HEADER_TOO_LARGE)):
        intake = take(folds + b"A: 1\r\n" * fields + b"\r\n", 1460, Intake(SpoolBudget(1_000_000)))

        assert intake.fault is fault
        intake.close()


def test_when_the_budget_is_used_up_the_message_takes_no_more_room() -> None:
    budget = SpoolBudget(100)
    intake = Intake(budget, hash_body=True)
    intake.write(b"Subject: x\r\n\r\n" + b"x" * 80)

    intake.write(b"x" * 7)

    assert intake.fault is ContentFault.SPOOL_FULL
    assert "budget" in intake.fault_detail
    assert used(budget) == (0, 0, 0)
    intake.write(b"x" * 1000)
    intake.finish()
    assert intake.octets == 1101
    intake.close()
    assert used(budget) == (0, 0, 0)


def test_when_header_blocks_take_too_much_memory_the_message_is_put_off() -> None:
    budget = SpoolBudget(10_000, max_headers_octets=2000)
    first = take(b"A: " + b"x" * 1000 + b"\r\n\r\n", 100, Intake(budget))

    second = take(b"A: " + b"x" * 1000 + b"\r\n\r\n", 100, Intake(budget))

    assert first.fault is None
    assert second.fault is ContentFault.SPOOL_FULL
    assert "header" in second.fault_detail
    first.close()
    assert used(budget) == (0, 0, 0)


@pytest.mark.parametrize("last", [b"", b"\r\n"])
def test_a_spool_file_that_cannot_be_read_puts_the_message_off(tmp_path: Path, last: bytes) -> None:
    budget = SpoolBudget(10_000)
    intake = Intake(budget, directory=tmp_path, memory_octets=0)
    intake.write(b"Subject: x\r\n")
    assert intake.spool._file is not None
    os.ftruncate(intake.spool._file.fileno(), 3)
    os.lseek(intake.spool._file.fileno(), 0, os.SEEK_SET)

    intake.write(last)
    intake.finish()

    assert intake.fault is ContentFault.SPOOL_FULL
    assert "read" in intake.fault_detail
    assert used(budget) == (0, 0, 0)


def test_a_missing_spool_directory_puts_the_message_off(tmp_path: Path) -> None:
    intake = take(
        b"Subject: x\r\n\r\n", 100, Intake(SpoolBudget(100), directory=tmp_path / "no", memory_octets=0)
    )

    assert intake.fault is ContentFault.SPOOL_FULL
    assert "No such file" in intake.fault_detail


def test_an_empty_message_is_complete() -> None:
    intake = take(b"", 1, Intake(SpoolBudget(100), hash_body=True))

    assert intake.header_complete
    assert intake.header == NO_HEADER
    assert intake.body_digest() == hashlib.sha256().digest()
    intake.close()


def test_a_body_that_was_not_hashed_has_no_digest() -> None:
    with pytest.raises(ValueError, match="not hashed"):
        take(b"", 1, Intake(SpoolBudget(100))).body_digest()


@pytest.mark.parametrize("pattern", [b"\r\n", b".\r\n", b"a:\r\n ", b"x", b"A: x\r\n\r\n", b"\0"], ids=repr)
def test_no_message_takes_more_memory_than_the_bounds(tmp_path: Path, pattern: bytes) -> None:
    chunk = (pattern * 1460)[: 1460 // len(pattern) * len(pattern)]
    budget = SpoolBudget(100_000_000)
    tracemalloc.start()
    try:
        intake = Intake(budget, directory=tmp_path, memory_octets=100_000, hash_body=True)
        for _ in range(4_000_000 // len(chunk)):
            intake.write(chunk)
        intake.finish()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    intake.close()

    assert peak < 2 * 100_000 + 4 * MAX_HEADER_OCTETS
    assert used(budget) == (0, 0, 0)
