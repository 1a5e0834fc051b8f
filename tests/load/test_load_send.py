"""The sender as a user runs it, against Postfix's sink, ours, and scripted homes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from mxgw.load.ledger import State, read
from tests.load.senders import Report, SmtpSink, send, verify
from tests.load.sinks import RunningSink, ledger_files
from tests.rig import clients
from tests.rig.homeserver import HomeServer

NOTHING_WRONG = ("lost", "altered", "duplicated", "stored-though-refused", "stored-though-deferred")


def well(values: dict[str, object]) -> bool:
    """Nothing of what verify calls wrong, and nothing odd."""
    return not any(values[name] for name in NOTHING_WRONG)


@pytest.mark.parametrize("keep", [False, True], ids=["new", "kept"])
def test_smtp_sink_counts_what_it_says_it_sent_as_it_does_for_smtp_source(keep: bool) -> None:
    with SmtpSink() as sink:
        report = send(
            sink.address, "--messages", "600", "--sessions", "20", "--per-connection", "0" if keep else "1"
        )
        ours = sink.messages()
        theirs = clients.smtp_source(sink.address, messages=600, sessions=20, octets=10240, keep=keep)

        assert theirs.accepted, theirs.words
        assert report.code == 0, report.errors
        assert report.messages == {"begun": 600, "acknowledged": 600}
        assert ours == 600
        assert sink.messages() - ours == pytest.approx(ours, rel=0.1)
        assert report.values["connections"] == (20 if keep else 600)
        assert report.values["latency_ms"]["count"] == 600


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--bdat"],
        ["--no-pipelining"],
        ["--bdat", "--no-pipelining", "--per-connection", "3"],
        ["--tls", "--per-connection", "0"],
        ["--tls", "--bdat"],
        ["--smtputf8"],
        ["--from", ""],
        ["--to", "u{1..9}@example.jp", "--recipients", "4", "--per-connection", "0"],
        ["--to", "太郎@example.jp", "--per-connection", "0"],
        ["--processes", "2", "--rate", "200"],
        ["--dkim", "example.org", "--size", "1K..200K"],
        ["--size", "4", "--per-connection", "0"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("lmtp", [False, True], ids=["smtp", "lmtp"])
def test_every_message_arrives_unaltered_whichever_way_it_is_sent(
    options: list[str], lmtp: bool, tmp_path: Path
) -> None:
    sent = tmp_path / "sent.jsonl"
    with RunningSink(lmtp=lmtp) as sink:
        report = send(
            sink.address, "-n", "60", "-s", "6", "--ledger", str(sent), *options, *["--lmtp"] * lmtp
        )
        totals = sink.stop()

        assert report.code == 0, report.errors
        assert report.messages == {"begun": 60, "acknowledged": 60}
        assert (totals["messages"], totals["altered"], totals["without_id"]) == (60, 0, 0)
        assert totals["octets"] == report.values["octets"]
        verdict = verify(sent, sink.ledger)
        assert well(verdict)
        assert verdict["acknowledged"] == verdict["copies"] == report.values["recipients"]["acknowledged"]


def test_sizes_like_real_mail_go_through_in_pieces(tmp_path: Path) -> None:
    sent = tmp_path / "sent.jsonl"
    with RunningSink() as sink:
        report = send(
            sink.address, "-n", "40", "-s", "4", "--size", "real", "--seed", "5", "--ledger", str(sent)
        )
        large = send(sink.address, "-n", "3", "-s", "3", "--size", "25M", "--bdat", "--ledger", str(sent))
        totals = sink.stop()

        assert (report.code, large.code) == (0, 0), report.errors + large.errors
        assert totals["altered"] == 0
        assert well(verify(sent, sink.ledger))
        sizes = {entry.octets for entry in read(sent)}
        assert max(sizes) == 25 * 1024**2
        assert len(sizes) > 30


def test_several_processes_add_up_and_each_writes_its_part_of_the_ledger(tmp_path: Path) -> None:
    sent = tmp_path / "sent.jsonl"
    with RunningSink("--processes", "2") as sink:
        report = send(
            sink.address,
            "-n",
            "301",
            "-s",
            "7",
            "--processes",
            "3",
            "--ledger",
            str(sent),
            "--plot",
            str(tmp_path / "a.svg"),
        )
        totals = sink.stop()

        assert report.code == 0, report.errors
        assert report.messages == {"begun": 301, "acknowledged": 301}
        assert totals["messages"] == 301
        assert ledger_files(sent) == ["sent.jsonl", "sent.jsonl.0", "sent.jsonl.1", "sent.jsonl.2"]
        assert well(verify(sent, sink.ledger))
        assert len({entry.id for entry in read(sent)}) == 301


def test_the_latency_of_an_open_loop_includes_the_waiting_that_a_stall_causes() -> None:
    with RunningSink(rules=["content delay=1 times=1"]) as sink:
        report = send(sink.address, "--rate", "100", "-n", "150", "-s", "1", "--per-connection", "0")

        # The first message takes a second; a hundred are due meanwhile, and the fiftieth waits half of it.
        assert report.code == 0, report.errors
        assert report.values["latency_ms"]["max"] >= 990
        assert report.values["latency_ms"]["p75"] >= 450
        assert report.values["latency_ms"]["count"] == 150


def test_messages_that_were_due_and_never_began_are_told_and_their_waiting_counts() -> None:
    with RunningSink(rules=["content delay=0.2"]) as sink:
        report = send(sink.address, "--rate", "100", "--seconds", "1", "-s", "2", "--per-connection", "0")

        assert report.code == 1
        assert report.messages["overdue"] + report.messages["begun"] == 100
        assert report.messages["overdue"] >= 70
        assert report.values["latency_ms"]["count"] == 100
        assert not report.values["as_expected"]


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
@pytest.mark.parametrize("options", [[], ["--bdat"], ["--no-pipelining"], ["--tls"]], ids=" ".join)
def test_after_hanging_up_at_every_stage_nothing_is_lost_and_the_sink_is_well(
    options: list[str], reset: bool, tmp_path: Path
) -> None:
    stages = ["connect", "helo", "mail", "rcpt", "data", "middle", "content", "quit"]
    sent = tmp_path / "sent.jsonl"
    with RunningSink() as sink:
        hang_ups = [word for stage in stages for word in ("--hang-up", f"{stage}=0.1")]
        report = send(
            sink.address, "-n", "200", "-s", "8", "--per-connection", "4", "--ledger", str(sent), *hang_ups,
            *options, *["--reset"] * reset,
        )  # fmt: skip
        after = send(sink.address, "-n", "10")
        totals = sink.stop()

        assert report.code == after.code == 0, report.errors + after.errors
        assert report.messages["acknowledged"] + report.messages["hung_up"] == report.messages["begun"] == 200
        assert report.messages["hung_up"] >= 80
        assert totals["altered"] == 0
        assert well(verify(sent, sink.ledger))


def test_a_hang_up_after_the_content_is_unknown_and_before_it_deferred(tmp_path: Path) -> None:
    with RunningSink() as sink:
        for stage, state in (("middle", State.DEFERRED), ("content", State.UNKNOWN)):
            sent = tmp_path / stage
            report = send(sink.address, "-n", "5", "-s", "1", "--hang-up", stage, "--ledger", str(sent))

            assert report.messages == {"begun": 5, "hung_up": 5}
            assert [(entry.state, entry.code) for entry in read(sent)] == [(state, 0)] * 5


def test_refusals_are_counted_by_stage_and_code_and_make_the_run_fail(tmp_path: Path) -> None:
    rules = [
        "mail reply=421 every=50",
        "rcpt reply='550 5.1.1 No such user' match='no*'",
        "content reply=451 every=10",
    ]
    sent = tmp_path / "sent.jsonl"
    with RunningSink(rules=rules) as sink:
        report = send(
            sink.address, "-n", "100", "-s", "5", "--per-connection", "0", "--to", "no@example.jp",
            "--to", "yes@example.jp", "--ledger", str(sent),
        )  # fmt: skip
        sink.stop()

        assert report.code == 1
        assert report.values["replies"]["rcpt"]["550"] == report.messages["refused"]
        assert report.values["replies"]["content"]["451"] == report.messages["deferred"]
        assert report.values["texts"]["rcpt 550"] == "5.1.1 No such user"
        assert report.messages["retried"] == report.values["replies"]["mail"]["421"] > 0
        assert sum(report.messages[name] for name in ("acknowledged", "refused", "deferred")) == 100
        assert well(verify(sent, sink.ledger))


@pytest.mark.parametrize(
    ("rule", "trouble", "state"),
    [
        ("content lose", "closed by the server", "unknown"),
        ("content reset", "reset by the server", "unknown"),
        ("content garbage", "octets that are no reply", "unknown"),
        ("content hang", "no reply within 1 s", "unknown"),
        ("connect hang", "no reply within 1 s", "deferred"),
        ("middle close", "by the server", "deferred"),
        ("data hang", "no reply within 1 s", "deferred"),
        ("starttls close", "by the server", "deferred"),
    ],
)
def test_a_missing_reply_has_its_reason_and_leaves_known_what_is_known(
    rule: str, trouble: str, state: str
) -> None:
    size = "20M" if "middle" in rule else "1K"
    tls = ["--tls"] * ("starttls" in rule)
    with RunningSink(rules=[rule]) as sink:
        report = send(sink.address, "-n", "3", "-s", "3", "--timeout", "1", "--size", size, *tls)

        assert report.code == 1
        assert report.messages == {"begun": 3, state: 3}
        assert sum(count for name, count in report.values["troubles"].items() if trouble in name) == 3


async def test_an_answer_in_the_middle_of_the_content_is_the_answer() -> None:
    async with HomeServer() as home:
        home.during_content, home.during_content_after = "552 5.3.4 Too large", 1_000_000
        report = await _send(
            home.port, "--lmtp", "-n", "3", "-s", "1", "--size", "20M", "--per-connection", "0"
        )

    assert report.messages == {"begun": 3, "acknowledged": 2, "refused": 1}
    assert report.values["replies"]["content"] == {"250": 2, "552": 1}
    assert len(home.messages) == 2


async def test_tls_that_fails_is_told_and_not_waited_for() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        for reply in (b"250-here\r\n250 STARTTLS\r\n", b"220 go\r\n", b"500 What?\r\n"):
            await reader.readline()
            writer.write(reply)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        report = await _send(port, "--tls", "-n", "2", "-s", "1", "--timeout", "30")

    assert report.code == 1
    assert report.messages == {"begun": 2, "deferred": 2}
    assert all(trouble.startswith("TLS handshake failed") for trouble in report.values["troubles"])


async def test_a_server_that_lacks_an_extension_is_named_with_it() -> None:
    async with HomeServer(extensions=("PIPELINING",)) as home:
        plain = await _send(home.port, "--lmtp", "-n", "5")
        for option, word in (("--tls", "STARTTLS"), ("--bdat", "CHUNKING"), ("--smtputf8", "SMTPUTF8")):
            report = await _send(home.port, "--lmtp", option, "-n", "50")

            assert (report.code, report.values) == (1, {})
            assert f"the server does not offer {word}" in report.errors
            assert "Traceback" not in report.errors

    assert plain.code == 0
    assert home.violations == []


async def test_an_honest_server_finds_no_fault_with_it() -> None:
    async with HomeServer(extensions=("8BITMIME", "SIZE")) as home:
        report = await _send(home.port, "--lmtp", "-n", "20", "-s", "2", "--per-connection", "5")

    assert report.code == 0
    assert home.violations == []
    assert home.connections == 4


async def _send(port: int, *arguments: str) -> Report:
    return await asyncio.to_thread(send, ("127.0.0.1", port), *arguments)


def test_a_slow_sender_takes_its_time() -> None:
    with RunningSink() as sink:
        report = send(sink.address, "-n", "2", "-s", "2", "--size", "2000", "--slow", "2000")

        assert report.code == 0, report.errors
        assert report.values["latency_ms"]["min"] >= 900


def test_its_cost_is_printed_beside_that_of_smtp_source(capsys: pytest.CaptureFixture[str]) -> None:
    lines = []
    with SmtpSink() as sink:
        for keep in (False, True):
            report = send(
                sink.address, "-n", "3000", "-s", "20", "--per-connection", "0" if keep else "1",
                "--watch-pid", str(sink.pid),
            )  # fmt: skip
            before = os.times()
            sent = clients.smtp_source(sink.address, messages=3000, sessions=20, octets=10240, keep=keep)
            after = os.times()
            theirs = (
                after.children_user + after.children_system - before.children_user - before.children_system
            )

            assert sent.accepted, sent.words
            assert report.code == 0, report.errors
            assert report.values["harness"]["cpu_ms_per_message"] > 0
            assert report.values["watched"][0]["cpu_seconds"] > 0
            lines.append(
                f"{'kept' if keep else 'new'} connections, CPU-ms/message: mxgw load send "
                f"{report.values['harness']['cpu_ms_per_message']:.3f}, smtp-source {theirs / 3:.3f}, "
                f"smtp-sink {report.values['watched'][0]['cpu_ms_per_message']:.3f}"
            )
    with capsys.disabled():
        print("\n" + "\n".join(lines))
