"""Each kind of finding is found when it is planted, and none where nothing is."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.load.ledger import Entry, Ledger, State
from mxgw.load.verify import WRONG, Copy, Finding, Verdict, compare

PROGRAM = (sys.executable, "-c", "from mxgw.cli.load_verify import command; command()")
TARO = "taro@example.jp"


def entry(
    number: int, state: State = State.ACKNOWLEDGED, *, recipient: str = TARO, body: str = "aa"
) -> Entry:
    return Entry(f"run-0-{number}", recipient, body * 32, 100, state, 250, 1.0)


def copy(number: int, *, recipient: str = TARO, body: str = "aa", run: str = "run") -> Copy:
    return Copy(f"{run}-0-{number}", recipient, body * 32 if body else "")


def judge(sent: list[Entry], stored: list[Copy], *recipients: str) -> Verdict:
    return compare(lambda: sent, lambda: stored, recipients=frozenset(recipients))


def test_all_is_well_where_every_acknowledged_message_is_there_once() -> None:
    verdict = judge([entry(1), entry(2, State.REFUSED), entry(3, State.DEFERRED)], [copy(1)])

    assert (verdict.sent, verdict.acknowledged, verdict.copies) == (3, 1, 1)
    assert verdict.counts == Counter()
    assert verdict.wrong == []
    assert verdict.listed == {}


@pytest.mark.parametrize(
    ("sent", "stored", "finding"),
    [
        ([entry(1)], [], Finding.LOST),
        ([entry(1)], [copy(1, body="bb")], Finding.ALTERED),
        ([entry(1)], [copy(1), copy(1)], Finding.DUPLICATED),
        ([entry(1, State.UNKNOWN)], [copy(1)], Finding.STORED_THOUGH_UNKNOWN),
        ([entry(1, State.DEFERRED)], [copy(1)], Finding.STORED_THOUGH_DEFERRED),
        ([entry(1, State.REFUSED)], [copy(1)], Finding.STORED_THOUGH_REFUSED),
        ([entry(2)], [copy(2), copy(1)], Finding.NOT_IN_LEDGER),
        # Several attempts: one acknowledgement is a promise, and the least certain refusal counts.
        ([entry(1, State.DEFERRED), entry(1)], [], Finding.LOST),
        ([entry(1), entry(1, State.UNKNOWN)], [copy(1), copy(1)], Finding.DUPLICATED),
        ([entry(1, State.REFUSED), entry(1, State.UNKNOWN)], [copy(1)], Finding.STORED_THOUGH_UNKNOWN),
        # The same message for another recipient does not stand for this one.
        (
            [entry(1), entry(1, State.DEFERRED, recipient="b@example.jp")],
            [copy(1)] * 1 + [copy(1, recipient="b@example.jp")],
            Finding.STORED_THOUGH_DEFERRED,
        ),
    ],
)
def test_what_is_planted_is_found_and_named(sent: list[Entry], stored: list[Copy], finding: Finding) -> None:
    noise = [entry(number) for number in range(100, 200)]
    copies = [copy(number) for number in range(100, 200)]

    verdict = judge([*noise, *sent], [*stored, *copies])

    assert verdict.counts == Counter([finding])
    assert verdict.wrong == [one for one in WRONG if one is finding]
    assert [identity for identity, _ in verdict.listed[finding]] == ["run-0-1"]


def test_a_duplicate_after_an_attempt_without_a_reply_is_told_from_one_without_any_reason() -> None:
    verdict = judge([entry(1), entry(2, State.UNKNOWN), entry(2)], [copy(number) for number in (1, 1, 2, 2)])

    assert verdict.counts[Finding.DUPLICATED] == 2
    assert verdict.twice_for_want_of_a_reply == 1


def test_what_other_runs_left_behind_and_foreign_mail_are_counted_apart() -> None:
    verdict = judge([entry(1)], [copy(1), copy(1, run="old"), copy(2, run="old"), Copy("", "", "")])

    assert verdict.other_runs == {"old": 2}
    assert verdict.without_id == 1
    assert verdict.copies == 1
    assert verdict.counts == Counter()


def test_names_of_thousands_of_other_runs_are_not_kept() -> None:
    verdict = judge([entry(1)], [copy(1), *(copy(1, run=f"old{run}") for run in range(1000))])

    assert len(verdict.other_runs) <= 101
    assert verdict.other_runs.total() == 1000


def test_only_the_recipients_asked_about_are_compared_and_case_makes_no_difference() -> None:
    sent = [entry(1, recipient="Taro@Example.JP"), entry(1, recipient="b@example.jp")]

    verdict = judge(sent, [copy(1), copy(1, recipient="c@example.jp")], "TARO@example.jp")

    assert (verdict.sent, verdict.elsewhere, verdict.counts) == (1, 2, Counter())


def test_a_body_that_nobody_hashed_is_not_called_altered() -> None:
    nobody = judge([entry(1, body="")], [copy(1)])
    not_stored = judge([entry(1)], [copy(1, body="")])

    assert nobody.counts == not_stored.counts == Counter()


def test_the_first_of_many_are_named_in_the_order_of_the_ledger() -> None:
    sent = [entry(number) for number in range(500)]

    verdict = judge(sent, [])

    assert verdict.counts[Finding.LOST] == 500
    assert [identity for identity, _ in verdict.listed[Finding.LOST]] == [f"run-0-{n}" for n in range(10)]


KEYS = st.tuples(st.integers(0, 5), st.sampled_from(["a@example.jp", "b@example.jp"]))
SENT = st.lists(st.tuples(KEYS, st.sampled_from(State)), min_size=1, max_size=30)
STORED = st.lists(st.tuples(KEYS, st.booleans()), max_size=30)


@given(SENT, STORED)
def test_it_agrees_with_the_plain_definition(
    sent: list[tuple[tuple[int, str], State]], stored: list[tuple[tuple[int, str], bool]]
) -> None:
    """The same in plain sets, without partitions and flat records."""
    states: dict[tuple[int, str], set[State]] = {}
    for key, state in sent:
        states.setdefault(key, set()).add(state)
    times = Counter(key for key, _ in stored if key in states)
    promised = {key for key, seen in states.items() if State.ACKNOWLEDGED in seen}

    verdict = judge(
        [entry(number, state, recipient=recipient) for (number, recipient), state in sent],
        [
            copy(number, recipient=recipient, body="aa" if whole else "bb")
            for (number, recipient), whole in stored
        ],
    )

    assert verdict.sent == len(states)
    assert verdict.acknowledged == len(promised)
    assert verdict.copies == len(stored)
    assert verdict.counts[Finding.LOST] == len(promised - times.keys())
    assert verdict.counts[Finding.DUPLICATED] == sum(count > 1 for count in times.values())
    assert verdict.counts[Finding.ALTERED] == len(
        {key for key, whole in stored if not whole and key in states}
    )
    assert verdict.counts[Finding.NOT_IN_LEDGER] == sum(key not in states for key, _ in stored)
    though = (
        verdict.counts[Finding.STORED_THOUGH_UNKNOWN]
        + verdict.counts[Finding.STORED_THOUGH_DEFERRED]
        + verdict.counts[Finding.STORED_THOUGH_REFUSED]
    )
    assert though == len(times.keys() - promised)
    for finding, names in verdict.listed.items():
        assert 0 < len(names) <= min(10, verdict.counts[finding])


def test_a_message_and_its_copy_take_less_than_a_hundred_octets_of_memory() -> None:
    count = 100_000

    def sent() -> Iterator[Entry]:
        return (entry(number, recipient=f"user{number}@example.jp") for number in range(count))

    def stored() -> Iterator[Copy]:
        return (copy(number, recipient=f"user{number}@example.jp") for number in range(count))

    tracemalloc.start()
    verdict = compare(sent, stored)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (verdict.sent, verdict.wrong) == (count, [])
    print(f"\n{peak / count:.0f} octets for each message at the peak")
    assert peak < 100 * count


def write(path: Path, entries: list[Entry]) -> str:
    with Ledger(path) as ledger:
        for one in entries:
            ledger.append(one)
    return str(path)


def verify(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_the_command_says_in_json_and_by_its_exit_code_what_is_wrong(tmp_path: Path) -> None:
    sent = write(tmp_path / "sent", [entry(number) for number in range(1, 6)])
    stored = write(
        tmp_path / "stored",
        [
            entry(1),
            entry(2, State.UNKNOWN),
            entry(3, body="bb"),
            entry(4),
            entry(4),
            entry(5, State.DEFERRED),
        ],
    )

    done = verify(sent, "--sink", stored)

    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert done.stderr == "mxgw: 1 lost, 1 altered, 1 duplicated\n"
    assert (told["lost"], told["altered"], told["duplicated"]) == (1, 1, 1)
    assert told["listed"]["lost"] == [{"id": "run-0-5", "recipient": TARO}]


def test_the_command_ends_with_0_where_all_is_well(tmp_path: Path) -> None:
    first = write(tmp_path / "first", [entry(1), entry(2, State.REFUSED)])
    second = write(tmp_path / "second", [entry(3), entry(4, State.UNKNOWN)])
    stored = write(tmp_path / "stored", [entry(1), entry(3), entry(4)])

    done = verify(first, second, "--sink", stored)

    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (told["sent"], told["acknowledged"], told["lost"], told["stored-though-unknown"]) == (4, 2, 0, 1)


def test_on_a_terminal_it_shows_a_table(tmp_path: Path) -> None:
    sent = write(tmp_path / "sent", [entry(1), entry(2)])
    stored = write(tmp_path / "stored", [entry(1)])
    line = " ".join([sys.executable, "-c", f"'{PROGRAM[2]}'", sent, "--sink", stored])

    done = subprocess.run(
        ["script", "-qec", line, "/dev/null"], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 1
    assert "acknowledged, and not stored" in done.stdout
    assert f"run-0-2  {TARO}" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "SENT-LEDGER"),
        (["sent"], "give --sink, --maildir or --imap"),
        (["none", "--sink", "sent"], "no such ledger"),
        (["sent", "--sink", "none"], "no such ledger"),
        (["noledger", "--sink", "sent"], "noledger, line 1"),
        (["empty", "--sink", "sent"], "nothing to compare"),
        (["sent", "--sink", "sent", "--recipient", "b@example.jp"], "for these recipients"),
        (["sent", "--maildir", "."], "no Maildir here"),
        (["sent", "--imap", "127.0.0.1:1"], "needs --user and --password-file"),
        (["sent", "--sink", "sent", "--user", "a"], "go with --imap"),
        (["sent", "--imap", "127.0.0.1:1", "--user", "a", "--password-file", "sent"], "no mail address"),
        (["sent", "--imap", "127.0.0.1:1", "--user", TARO, "--password-file", "sent"], "refused"),
    ],
)
def test_without_a_comparison_the_exit_code_is_2_and_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "sent", [entry(1)])
    (tmp_path / "empty").touch()
    (tmp_path / "noledger").write_text("From: somebody\n")

    done = verify(*arguments)

    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
