"""Workers: real processes, killed, frozen and drained."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mxgw.workers import reserve
from mxgw.workers.worker import MAX_OUTSTANDING

DEADLINE_SECONDS = 60
ROOT = Path(__file__).parents[2]


class Program:
    """A running worker_program."""

    def __init__(self, plan: Mapping[str, object]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.observe.worker_program", json.dumps(plan)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        self.events: list[dict[str, Any]] = []
        self._queue: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._queue.put(json.loads(line))
        self._queue.put(None)

    def wait_for(self, name: str, **values: object) -> dict[str, Any]:
        """The next event of that name and with these values."""
        while True:
            event = self._queue.get(timeout=DEADLINE_SECONDS)
            assert event is not None, f"ended without {name}; it said {self.events}"
            self.events.append(event)
            if event["event"] == name and values.items() <= event.items():
                return event

    def start(self) -> Self:
        """Wait until both doors are open."""
        self.http = self.wait_for("listening", door="http")["address"]
        host, port = self.wait_for("listening", door="smtp")["address"].split(":")
        self.address = (host, int(port))
        return self

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=DEADLINE_SECONDS)

    def say(self, word: str) -> int:
        """One transaction on a new connection; the PID of the worker that took it."""
        with self.connect() as connection:
            connection.sendall(f"{word}\n".encode())
            return int(read_line(connection))

    def worker_with(self, word: str, pid: int) -> socket.socket:
        """A connection to that worker, on which ``word`` was said."""
        while True:
            connection = self.connect()
            connection.sendall(b"who\n")
            if int(read_line(connection)) == pid:
                connection.sendall(f"{word}\n".encode())
                return connection
            connection.close()

    def get(self, path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(f"http://{self.http}{path}", timeout=DEADLINE_SECONDS) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.get("/status")[1])
        return status

    def metric(self, name: str, **labels: str) -> float:
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.get("/metrics")[1].decode())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def pids(self) -> list[int]:
        return [worker["pid"] for worker in self.status()["workers"]]

    def said(self) -> list[str]:
        """The names of all events, in order."""
        return [event["event"] for event in self.events]

    def end(self) -> int:
        """Wait for its end; the exit code."""
        code = self.process.wait(timeout=DEADLINE_SECONDS)
        self._reading.join(timeout=DEADLINE_SECONDS)
        while not self._queue.empty():
            if event := self._queue.get():
                self.events.append(event)
        return code


@contextmanager
def program(**plan: object) -> Iterator[Program]:
    running = Program({"workers": 2} | plan)
    family = psutil.Process(running.process.pid)
    try:
        yield running
    finally:
        everybody = [*family.children(recursive=True), family] if family.is_running() else []
        for each in everybody:
            try:
                each.kill()
            except psutil.NoSuchProcess:
                continue
        running.end()
        assert running.process.stdout
        running.process.stdout.close()


def read_line(connection: socket.socket) -> str:
    octets = b""
    while not octets.endswith(b"\n"):
        chunk = connection.recv(1024)
        assert chunk, "the connection ended"
        octets += chunk
    return octets.decode()


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_counts_of_two_workers_are_summed_and_both_do_the_work() -> None:
    with program() as running:
        running.start()

        took = [running.say(f"m{number}") for number in range(100)]
        while len(set(took)) < 2:
            took.append(running.say("more"))

        assert running.metric("mxgw_transactions_total", decision="accept") == len(took)
        assert running.metric("mxgw_sessions_total") == len(took)
        assert running.metric("mxgw_workers", state="ready") == 2
        status = running.status()
        assert status["rates"]["start"]["accept"] == len(took)
        assert {worker["pid"] for worker in status["workers"]} == set(took)
        assert status["resident_octets"] > sum(worker["resident_octets"] for worker in status["workers"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_drain_lets_what_is_in_flight_finish_and_readyz_says_so_at_once(number: signal.Signals) -> None:
    with program() as running:
        running.start()
        assert running.get("/readyz") == (200, b"ready\n")
        busy = [running.worker_with("hold", pid) for pid in running.pids()]
        for connection in busy:
            assert read_line(connection) == "held\n"

        running.process.send_signal(number)
        running.wait_for("drain")

        assert running.get("/readyz") == (503, b"draining\n")
        assert running.get("/livez")[0] == 200
        assert running.metric("mxgw_draining") == 1
        for connection in busy:
            connection.sendall(b"go\n")
            read_line(connection)
            connection.close()
        assert running.end() == 0
        assert [event["event"] for event in running.events[-3:]] == [
            "worker-drained",
            "worker-drained",
            "stopped",
        ]


def test_a_worker_that_is_killed_is_replaced_and_its_counts_stay() -> None:
    with program() as running:
        running.start()
        for number in range(30):
            running.say(f"m{number}")
        before = running.metric("mxgw_transactions_total")
        victim, other = running.pids()

        os.kill(victim, signal.SIGKILL)
        mourned = running.wait_for("worker-died")

        assert (mourned["pid"], mourned["code"]) == (victim, -signal.SIGKILL)
        assert running.metric("mxgw_transactions_total") == before == 30
        eventually(lambda: running.metric("mxgw_workers", state="ready") == 2)
        assert victim not in running.pids()
        assert other in running.pids()
        assert running.metric("mxgw_worker_deaths_total") == 1
        running.say("after")
        assert running.metric("mxgw_transactions_total") == 31
        assert running.get("/readyz")[0] == 200
        running.process.terminate()
        assert running.end() == 0


def test_a_worker_that_drains_by_itself_is_replaced_and_loses_no_count() -> None:
    with program() as running:
        running.start()
        victim = running.pids()[0]
        with running.worker_with("last", victim) as connection:
            read_line(connection)
            os.kill(victim, signal.SIGTERM)
        counted = running.status()["rates"]["start"]["accept"]

        mourned = running.wait_for("worker-died")

        assert mourned["code"] == 0
        eventually(lambda: running.metric("mxgw_workers", state="ready") == 2)
        assert running.status()["rates"]["start"]["accept"] == counted


def test_a_worker_that_does_not_answer_is_left_out_and_no_counter_goes_back() -> None:
    with program() as running:
        running.start()
        for number in range(20):
            running.say(f"m{number}")
        frozen, other = running.pids()
        before = running.metric("mxgw_transactions_total")

        os.kill(frozen, signal.SIGSTOP)
        status = running.status()

        assert {worker["pid"]: worker["state"] for worker in status["workers"]} == {
            frozen: "silent",
            other: "ready",
        }
        assert running.metric("mxgw_transactions_total") == before == 20
        assert running.metric("mxgw_workers", state="silent") == 1
        assert running.get("/readyz")[0] == 200
        os.kill(frozen, signal.SIGCONT)
        eventually(lambda: running.metric("mxgw_workers", state="ready") == 2)


def test_questions_to_a_worker_that_never_answers_do_not_pile_up() -> None:
    with program(workers=1) as running:
        running.start()
        [frozen] = running.pids()
        os.kill(frozen, signal.SIGSTOP)

        with ThreadPoolExecutor(2 * MAX_OUTSTANDING) as pool:
            asked = [
                pool.submit(running.metric, "mxgw_workers", state="silent")
                for _ in range(2 * MAX_OUTSTANDING)
            ]
            assert [each.result() for each in asked] == [1] * len(asked)

        os.kill(frozen, signal.SIGCONT)
        eventually(lambda: running.metric("mxgw_workers", state="ready") == 1)


def test_a_worker_that_outlives_the_drain_is_killed_and_the_exit_code_says_so() -> None:
    with program(deaf=True, drain_seconds=0.2) as running:
        running.start()
        pids = running.pids()

        running.process.terminate()

        assert running.end() == 1
        assert {event["pid"] for event in running.events if event["event"] == "worker-killed"} == set(pids)
        assert not any(psutil.pid_exists(pid) for pid in pids)


def test_workers_drain_by_themselves_when_the_supervisor_is_gone() -> None:
    with program() as running:
        running.start()
        family = psutil.Process(running.process.pid).children(recursive=True)
        pid = running.pids()[0]
        with running.worker_with("hold", pid) as connection:
            read_line(connection)

            running.process.kill()
            connection.sendall(b"go\n")

            assert int(read_line(connection)) == pid
        gone, alive = psutil.wait_procs(family, timeout=DEADLINE_SECONDS)
        assert len(gone) == 3
        assert not alive


def test_without_the_nursery_the_rest_drains_and_the_exit_code_says_so() -> None:
    with program() as running:
        running.start()
        workers = running.pids()
        [nursery] = psutil.Process(running.process.pid).children()
        assert nursery.pid not in workers

        nursery.kill()

        assert running.end() == 1
        assert {event["pid"] for event in running.events if event["event"] == "worker-drained"} == set(
            workers
        )
        assert "nursery-died" in [event["event"] for event in running.events]


def test_without_the_nursery_a_worker_that_outlives_the_drain_is_killed_all_the_same() -> None:
    with program(deaf=True, drain_seconds=0.2) as running:
        running.start()
        workers = running.pids()
        [nursery] = psutil.Process(running.process.pid).children()

        nursery.kill()

        assert running.end() == 1
        assert running.said().count("worker-killed") == 2
        eventually(lambda: not any(psutil.pid_exists(pid) for pid in workers))


def test_a_worker_that_cannot_start_ends_everything_with_its_exit_code() -> None:
    with program(fail=2) as running:
        assert running.end() == 2
        assert "worker-failed" in running.said()


def test_an_exception_in_a_worker_is_an_exit_code_of_its_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "once").touch()

    with program(crash_once=str(tmp_path / "once")) as running:
        assert running.end() == 70

    assert "RuntimeError: mischief" in capfd.readouterr().err


def test_a_port_that_somebody_has_is_refused_even_if_it_is_shared() -> None:
    with program() as running:
        running.start()

        with pytest.raises(OSError, match="in use"):
            reserve(*running.address)


def test_a_reserved_port_takes_no_connection_and_is_kept() -> None:
    with reserve("127.0.0.1", 0) as reserved:
        address = reserved.getsockname()

        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        with pytest.raises(OSError, match="in use"), socket.socket() as other:
            other.bind(address)


def test_a_port_of_ipv6_can_be_reserved() -> None:
    with reserve("::1", 0) as reserved:
        assert reserved.getsockname()[1] > 0
