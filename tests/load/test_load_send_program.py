"""The sender as a program: its words, its exit codes, its signals, what it draws."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.load.senders import PROGRAM, send
from tests.load.sinks import RunningSink
from tests.rig.process import free_port, wait_until


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_a_server_that_is_not_there_is_told_in_one_sentence(tmp_path: Path) -> None:
    nobody = f"127.0.0.1:{free_port()}"

    done = run(nobody, "-n", "1000", "--processes", "2")
    unknown = run("no-such-host.invalid:25")
    no_ledger = run(nobody, "--ledger", str(tmp_path / "missing" / "sent.jsonl"))
    no_pid = run(nobody, "--watch-pid", "999999999")

    assert (done.returncode, unknown.returncode, no_ledger.returncode, no_pid.returncode) == (1, 1, 1, 1)
    assert done.stderr == f"mxgw: {nobody}: cannot connect: Connection refused\n"
    assert unknown.stderr.startswith("mxgw: no-such-host.invalid:25: no-such-host.invalid has no address")
    missing = tmp_path / "missing" / "sent.jsonl"
    assert no_ledger.stderr == f"mxgw: {missing}: No such file or directory\n"
    assert "there is no process 999999999" in no_pid.stderr


def test_a_server_that_goes_away_is_not_asked_as_fast_as_it_refuses() -> None:
    with RunningSink() as sink:

        def kill(process: subprocess.Popen[str]) -> None:
            wait_until(lambda: sink.ledger.stat().st_size > 0, seconds=30, what="messages arrive")
            sink.kill()

        report = send(sink.address, "--seconds", "3", "-s", "4", during=kill)

    assert report.code == 1
    refused = report.values["troubles"].get("cannot connect: Connection refused", 0)
    assert 0 < refused <= 4 * (3 / 0.2 + 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "expected host:port"),
        (["127.0.0.1:25", "--size", "10G"], "is no size"),
        (["127.0.0.1:25", "--to", "nobody"], "is not a mail address"),
        (["127.0.0.1:25", "--to", "u{9..1}@example.jp"], "smaller number first"),
        (["127.0.0.1:25", "--recipients", "2"], "give more with --to"),
        (["127.0.0.1:25", "--hang-up", "lunch"], "no such stage"),
        (["127.0.0.1:25", "--hang-up", "mail=2"], "a share is"),
        (["127.0.0.1:25", "--hang-up", "mail", "--hang-up", "data"], "more than 1 together"),
        (["127.0.0.1:25", "--slow", "1"], "10 at least"),
        (["127.0.0.1:25", "--proxy", "here"], "expected a network"),
        (["127.0.0.1:25", "--dkim", "no domain"], "is no domain"),
        (["127.0.0.1:25", "--dkim-key", "k.pem"], "goes with --dkim"),
        (["127.0.0.1:25", "--dkim-record"], "needs --dkim"),
        (["127.0.0.1:25", "--plot", "run.gif"], ".svg or .png"),
        (["127.0.0.1:25", "--sessions", "2", "--processes", "3"], "--sessions 3"),
    ],
)
def test_a_mistake_is_told_with_exit_code_2(arguments: list[str], words: str) -> None:
    done = run(*arguments)

    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_with_what_there_is(number: signal.Signals) -> None:
    with RunningSink() as sink:

        def interrupt(process: subprocess.Popen[str]) -> None:
            wait_until(lambda: sink.ledger.stat().st_size > 0, seconds=30, what="messages arrive")
            process.send_signal(number)

        report = send(sink.address, "--seconds", "100", "-s", "4", "--processes", "2", during=interrupt)
        totals = sink.stop()

        assert report.code == 0, report.errors
        assert report.values["interrupted"]
        assert report.messages["acknowledged"] == report.messages["begun"] == totals["messages"]


def test_a_second_ctrl_c_does_not_wait_for_messages_under_way() -> None:
    with RunningSink(rules=["content hang"]) as sink:

        def interrupt(process: subprocess.Popen[str]) -> None:
            time.sleep(1.5)
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)

        report = send(sink.address, "-n", "1000", "-s", "4", during=interrupt)

        assert report.code == 1
        assert report.messages == {"begun": 4, "unknown": 4}
        assert report.values["troubles"] == {"interrupted": 4}


def test_workers_end_when_their_parent_is_killed() -> None:
    with RunningSink() as sink:

        def kill(process: subprocess.Popen[str]) -> None:
            wait_until(lambda: len(_children(process.pid)) == 2, seconds=30, what="two workers run")
            workers = _children(process.pid)
            time.sleep(0.3)
            process.kill()
            process.wait()
            wait_until(lambda: not any(map(_alive, workers)), seconds=30, what="the workers end")

        report = send(sink.address, "--seconds", "100", "--processes", "2", during=kill)

        assert report.code == -signal.SIGKILL


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_summary_is_a_table_and_the_drawings_are_files(tmp_path: Path) -> None:
    with RunningSink(rules=["rcpt reply='550 5.1.1 No such user' every=9"]) as sink:
        address = f"127.0.0.1:{sink.address[1]}"
        svg = run(address, "-n", "50", "--plot", str(tmp_path / "run.svg"), "--watch-pid", str(sink.pid))
        png = run(address, "--rate", "100", "-n", "50", "--plot", str(tmp_path / "run.png"))

    assert (svg.returncode, png.returncode) == (1, 1)
    assert "of 50 messages acknowledged" in svg.stdout
    assert "5.1.1 No such user" in svg.stdout
    assert "this harness" in svg.stdout
    assert f"process {sink.pid}" in svg.stdout
    assert "latency since due" in png.stdout
    assert svg.stderr == png.stderr == ""
    assert (tmp_path / "run.svg").read_text().count("latency, ms") >= 2
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_that_connected_to_nothing_can_be_drawn(tmp_path: Path) -> None:
    with RunningSink(rules=["connect close"]) as sink:
        report = send(sink.address, "-n", "2", "--plot", str(tmp_path / "run.svg"))

    assert (report.code, report.messages) == (1, {"begun": 2, "deferred": 2})
    assert (tmp_path / "run.svg").exists()


def test_the_dns_record_is_printed_and_the_key_is_kept(tmp_path: Path) -> None:
    key = str(tmp_path / "key.pem")

    first = run("127.0.0.1:25", "--dkim", "example.org", "--dkim-key", key, "--dkim-record")
    again = run("127.0.0.1:25", "--dkim", "example.org", "--dkim-key", key, "--dkim-record")

    assert first.returncode == 0
    assert first.stdout == again.stdout
    assert first.stdout.startswith('load._domainkey.example.org. IN TXT ("v=DKIM1; k=rsa; p=')


def test_progress_is_shown_on_a_terminal() -> None:
    ours, theirs = os.openpty()
    with RunningSink() as sink:
        process = subprocess.Popen(
            [*PROGRAM, f"127.0.0.1:{sink.address[1]}", "--rate", "50", "--seconds", "3", "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
        )
        out, _ = process.communicate(timeout=60)
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
        os.close(ours)

    assert process.returncode == 0
    assert json.loads(out)["messages"]["acknowledged"] == 150
    assert "MB/s" in shown.decode()
    assert "99 %" in shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says EIO where the other end is closed
        return b""


def test_without_the_extra_it_says_what_to_install() -> None:
    hide = "import sys; sys.modules['hdrh'] = sys.modules['hdrh.histogram'] = None; "
    command = [sys.executable, "-c", f"{hide}from mxgw.cli.load_send import command; command()"]

    done = subprocess.run([*command, "127.0.0.1:9"], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 2
    assert done.stderr == "mxgw: hdrhistogram is not installed; it comes with: pip install 'mxgw[load]'\n"
