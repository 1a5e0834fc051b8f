"""The operators' door, by real requests on a real socket."""

from __future__ import annotations

import asyncio
import json
import re
import select
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import uvloop
from prometheus_client.parser import text_string_to_metric_families

import mxgw.http
from mxgw.http import Facts, HttpDoor
from mxgw.http.page import load_page
from mxgw.observe import HomeReading, Instruments, Readings, Snapshot, State
from tests.observe.samples import NOON, outcome

DEADLINE_SECONDS = 30


LOOPS = pytest.mark.parametrize(
    "loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
"""Transports differ between the loops, and the door is opened on either."""


@dataclass
class Program:
    """What the door tells about; tests change it while the door is open."""

    state: State = State.READY
    home: HomeReading | None = None
    instruments: Instruments = field(init=False)

    def __post_init__(self) -> None:
        self.instruments = Instruments(
            clock=lambda: NOON - 90, read=lambda: Readings(self.state, self.home), index=0
        )

    async def gather(self) -> Snapshot:
        return self.instruments.snapshot()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


Ask = Callable[..., Awaitable[Answer]]


@asynccontextmanager
async def door(program: Program) -> AsyncIterator[tuple[str, int]]:
    door = HttpDoor(
        facts=Facts("1.2.3", "mx.example.jp", "edge", "lmtp://home:2525"),
        state=lambda: program.state,
        gather=program.gather,
        clock=lambda: NOON,
    )
    address = await door.open("127.0.0.1", 0)
    try:
        yield address
    finally:
        await door.close()


async def ask(address: tuple[str, int], request: str, *headers: str) -> Answer:
    """One request on a connection of its own; the answer is whatever comes until the door closes it."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        reader, writer = await asyncio.open_connection(*address)
        lines = [f"{request} HTTP/1.1", "Host: test", *headers, "", ""]
        writer.write("\r\n".join(lines).encode())
        answer = await reader.read()
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    parsed = dict(line.split(": ", 1) for line in rest)
    if parsed.get("Content-Encoding") == "deflate":
        body = zlib.decompress(body)
    return Answer(int(first.split()[1]), parsed, body)


async def test_livez_lives_and_readyz_follows_the_state() -> None:
    program = Program(state=State.STARTING)
    async with door(program) as address:
        answers = []
        for program.state in (State.STARTING, State.READY, State.DRAINING):
            answers.append((await ask(address, "GET /livez"), await ask(address, "GET /readyz")))

    assert [live.status for live, _ in answers] == [200, 200, 200]
    assert [(ready.status, ready.body) for _, ready in answers] == [
        (503, b"starting\n"),
        (200, b"ready\n"),
        (503, b"draining\n"),
    ]


async def test_a_dead_home_makes_nobody_kill_us() -> None:
    async with door(Program(home=HomeReading(up=False, last_error="connect-timeout"))) as address:
        assert (await ask(address, "GET /livez")).status == 200
        assert (await ask(address, "GET /readyz")).status == 200


async def test_metrics_are_those_of_prometheus() -> None:
    program = Program(home=HomeReading(up=True))
    program.instruments.record(outcome())
    async with door(program) as address:
        answer = await ask(address, "GET /metrics")

    values = {
        sample.name: sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert values["mxgw_transactions_total"] == 1
    assert values["mxgw_home_up"] == 1
    assert values["mxgw_build_info"] == 1


async def test_status_says_what_the_page_shows() -> None:
    program = Program(home=HomeReading(up=True, since=NOON - 60, connections=4, idle=3))
    program.instruments.record(outcome(ended_at=NOON - 1, transaction_id="new"))
    program.instruments.record(outcome(ended_at=NOON - 600, transaction_id="old"))
    program.instruments.session_opened()
    async with door(program) as address:
        answer = await ask(address, "GET /status")

    status = json.loads(answer.body)
    assert status["version"] == "1.2.3"
    assert status["hostname"] == "mx.example.jp"
    assert status["state"] == "ready"
    assert status["uptime_seconds"] == 90
    assert status["home"] == {
        "up": True,
        "since": NOON - 60,
        "last_error": "",
        "connections": 4,
        "idle": 3,
        "waiting": 0,
        "breaker": "",
        "address": "lmtp://home:2525",
    }
    assert [status["rates"][span]["accept"] for span in ("minute", "hour", "start")] == [1, 2, 2]
    assert sum(sum(minute) for minute in status["history"]["counts"]) == 2
    assert status["sessions"] == {"open": 1, "total": 1, "refused": 0}
    assert status["relay_seconds"] == {"median": 0.05, "p95": 0.05}
    assert [worker["state"] for worker in status["workers"]] == ["ready"]
    [newest, oldest] = status["recent"]
    assert newest["recipients"] == [{"forward_path": "taro@example.jp", "home": "250 2.0.0 Saved"}]
    assert newest["decision"] == "accept"
    assert oldest["id"] in ("old", "new")


async def test_hostile_text_is_data_in_the_status_and_never_in_the_page() -> None:
    program, hostile = Program(), "</script><img src=x onerror=alert(1)>\ud800@x"
    program.instruments.record(outcome(reverse_path=hostile))
    async with door(program) as address:
        status = await ask(address, "GET /status")
        page = await ask(address, "GET /")

    assert json.loads(status.body)["recent"][0]["reverse_path"] == hostile
    assert status.headers["Content-Type"] == "application/json; charset=utf-8"
    assert status.headers["X-Content-Type-Options"] == "nosniff"
    assert page.body == load_page().body


async def test_the_page_runs_its_own_script_and_style_and_nothing_else() -> None:
    async with door(Program()) as address:
        answer = await ask(address, "GET /")

    policy = answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert len(re.findall(r"'sha256-[A-Za-z0-9+/]{43}='", policy)) == 2
    assert "Set-Cookie" not in answer.headers


def test_the_page_needs_nothing_from_elsewhere_and_writes_no_html() -> None:
    text = load_page().body.decode()

    assert "//" not in text
    assert not re.search(r"\bsrc=|@import|url\(", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|\bon[a-z]+=", text)
    assert not re.search(r"\sstyle=", text)
    assert len(re.findall(r"<script", text)) == len(re.findall(r"<style", text)) == 1


def test_the_page_says_everything_in_both_languages() -> None:
    text = load_page().body.decode()

    english, japanese = (
        set(re.findall(r"(?m)(?:^ +|, |\{ )(\w+): ", text.split(f"const {name} =")[1].split("};\n")[0]))
        for name in ("ENGLISH", "JAPANESE")
    )

    assert english == japanese
    assert set(re.findall(r'data-t="(\w+)"', text)) <= english


async def test_a_head_request_gets_the_head_alone() -> None:
    async with door(Program()) as address:
        for path in ("/", "/livez", "/readyz", "/metrics", "/status"):
            answer = await ask(address, f"HEAD {path}")
            assert (path, answer.status, answer.body) == (path, 200, b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_methods_are_not_allowed(method: str) -> None:
    async with door(Program()) as address:
        answer = await ask(address, f"{method} /status", "Content-Length: 3", "", "abc")

    assert answer.status == 405
    assert answer.headers["Allow"] == "GET,HEAD"


async def test_an_unknown_path_is_not_found_and_tells_nothing() -> None:
    async with door(Program()) as address:
        answer = await ask(address, "GET /../../etc/passwd")

    assert answer.status == 404
    assert answer.headers["Server"] == "mxgw"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


async def test_a_long_answer_travels_compressed_where_the_client_can() -> None:
    program = Program()
    for number in range(200):
        program.instruments.record(outcome(transaction_id=str(number)))
    async with door(program) as address:
        plain = await ask(address, "GET /status")
        small = await ask(address, "GET /status", "Accept-Encoding: deflate")

    assert int(small.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 10
    assert len(json.loads(small.body)["recent"]) == 200


async def test_garbage_gets_400_and_the_door_stays_open() -> None:
    async with door(Program()) as address:
        garbage = await ask(address, "\x16\x03\x01 nonsense")
        long_line = await ask(address, "GET /" + "x" * 10_000)
        after = await ask(address, "GET /livez")

    assert garbage.status == long_line.status == 400
    assert after.status == 200


async def test_connections_beyond_the_bound_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mxgw.http, "MAX_CONNECTIONS", 3)
    async with door(Program()) as address:
        idle = [await asyncio.open_connection(*address) for _ in range(3)]
        await until(address, refused=True)

        for _, writer in idle:
            writer.close()
        await until(address, refused=False)


async def until(address: tuple[str, int], *, refused: bool) -> None:
    """The kernel hands connections over when it likes: ask until the door has seen them."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                answered = (await ask(address, "GET /livez")).status == 200
            except (ConnectionError, IndexError):
                answered = False
            if answered is not refused:
                return
            await asyncio.sleep(0.01)


async def test_a_gathering_that_fails_is_a_500_without_details() -> None:
    program = Program()

    async def fail() -> Snapshot:
        raise RuntimeError("secret detail")

    program.gather = fail  # type: ignore[method-assign]
    async with door(program) as address:
        answer = await ask(address, "GET /status")
        after = await ask(address, "GET /livez")

    assert answer.status == 500
    assert b"secret" not in answer.body
    assert after.status == 200


@LOOPS
@pytest.mark.parametrize("sent", [b"", b"GET /livez HTTP/1.1\r\nHost:", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_connection_that_dawdles_is_ended(
    sent: bytes, loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mxgw.http, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(mxgw.http, "CONNECTION_SECONDS", 0.1)

    async def dawdle() -> bytes:
        async with door(Program()) as address, asyncio.timeout(DEADLINE_SECONDS):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(sent)
            try:
                return await reader.read()
            except ConnectionError:
                return b""
            finally:
                writer.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(dawdle()) == b""


@LOOPS
def test_a_client_that_does_not_read_is_ended(
    loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mxgw.http, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(mxgw.http, "CONNECTION_SECONDS", 0.3)
    program = Program()

    async def gather() -> Snapshot:
        return Snapshot(NOON, recent=({"ended_at": 0, "text": "x" * 16 * 1024 * 1024},))

    async def ask_and_look_away() -> list[tuple[int, int]]:
        async with door(program) as address:
            with socket.create_connection(address) as client:
                client.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")
                poll = select.poll()
                poll.register(client, 0)
                return await asyncio.to_thread(poll.poll, DEADLINE_SECONDS * 1000)

    program.gather = gather  # type: ignore[method-assign]
    with asyncio.Runner(loop_factory=loop) as runner:
        events = runner.run(ask_and_look_away())

    assert [event & select.POLLHUP for _, event in events] == [select.POLLHUP]
