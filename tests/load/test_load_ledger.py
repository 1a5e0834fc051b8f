"""The ledger: what is written is read again, whatever addresses hold and whoever is killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.load.ledger import FLUSH_OCTETS, Entry, Ledger, LedgerError, State, parts, read, state_of

HASH = "9f" * 32


def entry(number: int = 1, recipient: str = "taro@example.jp", state: State = State.ACKNOWLEDGED) -> Entry:
    return Entry(f"r1-0-{number}", recipient, HASH, 10_240, state, 250, 1_795_515_600.125)


@given(st.text(max_size=30), st.text(max_size=60), st.sampled_from(State), st.integers(0, 599))
def test_any_address_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, identity: str, recipient: str, state: State, code: int
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "sent"
    written = Entry(identity, recipient, HASH, 7, state, code, 1.5)

    with Ledger(path) as ledger:
        ledger.append(written)

    assert list(read(path)) == [written]


def test_every_process_writes_a_part_of_its_own_and_a_reader_gets_all(tmp_path: Path) -> None:
    path = tmp_path / "sent[1].jsonl"
    for part in range(12):
        with Ledger(path, part=part) as ledger:
            ledger.append(entry(part))
    (tmp_path / "sent[1].jsonl.bak").write_text("not ours")

    assert [one.id for one in read(path)] == [f"r1-0-{part}" for part in range(12)]
    assert len(parts(path)) == 12


def test_lines_are_kept_back_until_there_are_enough_of_them_or_flush_is_called(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    with Ledger(path) as ledger:
        ledger.append(entry())
        before = path.stat().st_size
        ledger.flush()
        flushed = path.stat().st_size
        while path.stat().st_size == flushed:
            ledger.append(entry())

        assert before == 0
        assert flushed > 0
        assert path.stat().st_size - flushed >= FLUSH_OCTETS


def test_what_was_flushed_survives_sigkill_and_the_next_process_goes_on_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    pid = os.fork()
    if pid == 0:
        ledger = Ledger(path)
        ledger.append(entry(1))
        ledger.flush()
        ledger.append(entry(2))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    with path.open("ab") as file:
        file.write(b'{"id":"r1-0-3","recip')

    assert [one.id for one in read(path)] == ["r1-0-1"]

    with Ledger(path) as ledger:
        ledger.append(entry(4))

    assert [one.id for one in read(path)] == ["r1-0-1", "r1-0-4"]


@pytest.mark.parametrize(
    "line", ["", "[]", "{}", '{"id":1}', "250 OK", "\udcff", '{"id":"a","state":"lost"}']
)
def test_a_file_that_is_no_ledger_is_named_with_the_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "sent"
    with Ledger(path) as ledger:
        ledger.append(entry())
    with path.open("ab") as file:
        file.write(line.encode(errors="surrogateescape") + b"\n")

    with pytest.raises(LedgerError, match="sent, line 2"):
        list(read(path))


def test_a_ledger_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no such ledger"):
        list(read(tmp_path / "sent"))


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (250, State.ACKNOWLEDGED),
        (451, State.DEFERRED),
        (550, State.REFUSED),
        (354, State.UNKNOWN),
        (0, State.UNKNOWN),
    ],
)
def test_the_first_digit_says_what_a_reply_means(code: int, state: State) -> None:
    assert state_of(code) is state
