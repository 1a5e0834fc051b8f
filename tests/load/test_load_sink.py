"""The sink takes what real clients and the gateway send, and its ledger says so."""

from __future__ import annotations

import hashlib
import shlex
import signal
import subprocess
import time
from pathlib import Path
from subprocess import PIPE

import psutil
import pytest

from mxgw.load.ledger import Entry, State
from tests.load.sinks import PROGRAM, RunningSink, ledger_files
from tests.rig import clients
from tests.rig.gateway import Gateway
from tests.rig.process import Child, answers, find_program, free_port, wait_until
from tests.rig.wire import Wire

BODY = b"A line.\r\n.\r\n..two dots\r\n. and a dot\r\n\r\nX-Load-Id: not-a-field\r\n"


def message(number: int = 1, body: bytes = BODY) -> bytes:
    stated = hashlib.sha256(body).hexdigest()
    head = (
        f"From: sender@example.org\r\nX-Load-Id: run-0-{number}\r\nX-Load-Hash: {stated}\r\nSubject: load\r\n"
    )
    return head.encode() + b"\r\n" + body


def facts(entry: Entry) -> tuple[str, str, str, int, State]:
    return (entry.id, entry.recipient, entry.hash, entry.octets, entry.state)


def kept(
    number: int = 1, recipient: str = clients.TARO, body: bytes = BODY
) -> tuple[str, str, str, int, State]:
    digest = hashlib.sha256(body).hexdigest()
    return (f"run-0-{number}", recipient, digest, len(body), State.ACKNOWLEDGED)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_smtp_source_is_counted_to_the_last_message() -> None:
    with RunningSink() as sink:
        new = clients.smtp_source(sink.address, messages=300, sessions=10)
        reused = clients.smtp_source(sink.address, messages=300, sessions=10, keep=True)

        totals = sink.stop()

        assert new.accepted, new.words
        assert reused.accepted, reused.words
        assert totals["messages"] == totals["copies"] == totals["without_id"] == 600
        assert totals["open_connections"] == 0
        assert len(sink.entries()) == 600


def test_lmtp_smtp_source_is_counted_too() -> None:
    with RunningSink(lmtp=True) as sink:
        sent = clients.smtp_source(sink.address, messages=50, sessions=5, lmtp=True)

        assert sent.accepted, sent.words
        assert sink.stop()["messages"] == 50


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
def test_swaks_leaves_id_and_hash_in_the_ledger(tls: bool) -> None:
    users = ("taro@example.jp", "hanako@example.jp")
    with RunningSink() as sink:
        sent = clients.swaks(sink.address, message(), recipients=users, tls=tls)

        totals = sink.stop()

        assert sent.accepted, sent.words
        assert [facts(entry) for entry in sink.entries()] == [kept(recipient=user) for user in users]
        assert (totals["messages"], totals["copies"], totals["tls"]) == (1, 2, int(tls))
        assert totals["altered"] == totals["without_id"] == 0


async def test_smtputf8_and_tls_of_aiosmtplib_are_taken() -> None:
    with RunningSink() as sink:
        sent = await clients.aiosmtplib_client(
            sink.address, message(), recipients=("太郎@example.jp",), tls=True, options=("SMTPUTF8",)
        )

        assert sent.accepted, sent.words
        sink.stop()
        assert [facts(entry) for entry in sink.entries()] == [kept(recipient="太郎@example.jp")]


@pytest.mark.parametrize("cut", [1, 2, 3, 7])
def test_the_hash_is_the_same_however_the_octets_come(cut: int) -> None:
    with RunningSink() as sink, Wire(sink.address) as wire:
        wire.greet()
        wire.envelope("a@example.org", [clients.TARO])
        wire.command("DATA")
        octets = message().replace(b"\r\n.", b"\r\n..") + b".\r\nNOOP\r\n"
        for place in range(0, len(octets), cut):
            wire.send(octets[place : place + cut])

        assert (wire.reply()[:3], wire.reply()[:3]) == ("250", "250")
        wire.envelope("a@example.org", [clients.TARO])
        whole = message(2)
        wire.bdat(*(whole[place : place + cut * 50] for place in range(0, len(whole), cut * 50)))
        sink.stop()
        assert [facts(entry) for entry in sink.entries()] == [kept(1), kept(2)]


@pytest.mark.parametrize(
    ("octets", "body"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b""),
        (b"\r\n..\r\n.\r\n", b".\r\n"),
        (b"no field\r\n.\r\n", b""),
        (b"A: b\r\n\r\n..\r\n.\r\n", b".\r\n"),
        (b"A: b\r\n\r\n.\n..\r\n.\r\n", b"\n..\r\n"),
    ],
)
def test_odd_contents_have_an_end_and_a_hash(octets: bytes, body: bytes) -> None:
    with RunningSink() as sink, Wire(sink.address) as wire:
        wire.greet()
        wire.envelope("a@example.org", [clients.TARO])
        wire.command("DATA")

        wire.send(octets)

        assert wire.reply().startswith("250")
        sink.stop()
        (entry,) = sink.entries()
        assert (entry.hash, entry.octets) == (hashlib.sha256(body).hexdigest(), len(body))


def test_a_whole_session_in_one_write_is_answered_in_order() -> None:
    with RunningSink() as sink, Wire(sink.address) as wire:
        whole = message()
        wire.send(
            b"EHLO a.example\r\nMAIL FROM:<>\r\nRCPT TO:<taro@example.jp>\r\n"
            + b"BDAT %d LAST\r\n" % len(whole)
            + whole
            + b"MAIL FROM:<a@b.example>\r\nRSET\r\nQUIT\r\n"
        )

        replies = [wire.reply() for _ in range(8)]

        assert [reply[:3] for reply in replies] == ["220", *["250"] * 6, "221"]
        sink.stop()
        assert [facts(entry) for entry in sink.entries()] == [kept()]


def test_commands_out_of_sequence_are_refused_and_the_session_goes_on() -> None:
    with RunningSink() as sink, Wire(sink.address) as wire:
        early = [wire.reply(), wire.command("MAIL FROM:<a@example.org>"), wire.command("EHLO a.example")]
        wrong = [
            wire.command(line)
            for line in ("RCPT TO:<a@b.example>", "DATA", "LHLO a", "MAIL a@b", "HELP", "BDAT 0 LAST")
        ]

        assert [reply[:3] for reply in early] == ["220", "503", "250"]
        assert [reply[:3] for reply in wrong] == ["503", "503", "500", "501", "500", "503"]
        assert clients.swaks(sink.address, message()).accepted


def test_commands_in_clear_behind_starttls_are_not_obeyed() -> None:
    with RunningSink() as sink, Wire(sink.address) as wire:
        wire.greet()
        wire.send(b"STARTTLS\r\nRSET\r\n")

        assert wire.reply().startswith("220")
        assert len(sink.stop()["replies"]) == 2
        assert sink.totals["replies"] == {"220": 2, "250": 1}


def test_a_handshake_that_fails_costs_one_connection_and_no_more() -> None:
    with RunningSink() as sink:
        with Wire(sink.address) as wire:
            wire.greet()
            wire.command("STARTTLS")
            wire.send(b"This is no handshake\r\n" * 10)
            with pytest.raises(ConnectionError):
                wire.reply()

        assert clients.swaks(sink.address, message(), tls=True).accepted
        totals = sink.stop()
        assert (totals["connections"], totals["open_connections"], totals["tls"]) == (2, 0, 1)


def test_quoted_local_parts_and_parameters_are_read() -> None:
    with RunningSink() as sink, Wire(sink.address) as wire:
        wire.greet()
        mail = wire.command('MAIL FROM:<"a>b\\"c"@example.org> SIZE=1000 BODY=8BITMIME')
        rcpt = wire.command('RCPT TO:<"x y>"@example.jp> ORCPT=rfc822;a@b')

        assert (mail[:3], rcpt[:3], wire.data(message())[:3]) == ("250", "250", "250")
        sink.stop()
        assert [entry.recipient for entry in sink.entries()] == ['"x y>"@example.jp']


def test_lmtp_answers_for_each_recipient_and_takes_xclient() -> None:
    with RunningSink(lmtp=True) as sink, Wire(sink.address) as wire:
        offered = wire.greet("LHLO")
        proxied = wire.command("XCLIENT ADDR=192.0.2.1 PROTO=ESMTP")
        wire.command("LHLO client.example.org")
        wire.envelope("a@example.org", ["a@example.jp", "b@example.jp"])

        replies = [wire.data(message()), wire.reply()]

        assert "XCLIENT ADDR" in offered
        assert proxied.startswith("220")
        assert [reply[:3] for reply in replies] == ["250", "250"]
        assert wire.command("EHLO a").startswith("500")


def test_processes_share_the_port_and_each_has_its_part_of_the_ledger() -> None:
    with RunningSink("--processes", "2") as sink:
        sent = clients.smtp_source(sink.address, messages=200, sessions=20)

        totals = sink.stop()

        assert sent.accepted, sent.words
        assert totals["messages"] == len(sink.entries()) == 200
        assert ledger_files(sink.ledger) == ["stored.jsonl.0", "stored.jsonl.1"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_its_totals_even_with_clients_connected(number: signal.Signals) -> None:
    with RunningSink("--processes", "2") as sink, Wire(sink.address) as wire:
        wire.greet()

        totals = sink.stop(number)

        assert totals["event"] == "totals"
        assert totals["connections"] == 1


def test_what_it_acknowledged_is_in_the_ledger_after_sigkill_and_its_processes_go_with_it() -> None:
    with RunningSink("--processes", "2") as sink:
        children = psutil.Process(sink.pid).children()
        assert clients.smtp_source(sink.address, messages=100, sessions=4).accepted

        sink.kill()

        _, alive = psutil.wait_procs(children, timeout=20)
        assert (len(children), alive) == (2, [])
        assert len(sink.entries()) == 100


def test_a_line_a_second_says_how_it_goes() -> None:
    with RunningSink() as sink:
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            assert clients.smtp_source(sink.address, messages=20).accepted

        sink.stop()

        progress = [line for line in sink.lines if line["event"] == "progress"]
        assert progress
        assert progress[-1]["messages"] > 0


def test_the_gateway_relays_into_the_sink_whatever_it_is_sent() -> None:
    with RunningSink(lmtp=True) as sink, Gateway(sink.url) as gateway:
        sent = [clients.swaks(gateway.smtp, message(1)), clients.curl(gateway.smtp, message(2))]
        with Wire(gateway.smtp) as wire:
            wire.greet()
            wire.envelope("sender@example.org", [clients.TARO])
            chunked = wire.bdat(message(3)[:40], message(3)[40:])

        assert all(one.accepted for one in sent), sent
        assert chunked.startswith("250")
        assert gateway.terminate() == 0
        totals = sink.stop()
        assert sorted(facts(entry) for entry in sink.entries()) == [kept(1), kept(2), kept(3)]
        assert totals["altered"] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--misbehave", "content explode"], "explode"),
        (["--misbehave", "rcpt lose"], "is for the stage content"),
        (["--ledger", "x", "--no-hash"], "--no-hash"),
        (["--script", "/dev/null/none"], "does not exist"),
    ],
)
def test_a_mistake_is_one_clear_sentence_and_exit_code_2(arguments: list[str], words: str) -> None:
    done = run(*arguments)

    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_and_a_ledger_that_cannot_be_written_are_told() -> None:
    with RunningSink() as sink:
        taken = run("--listen", f"127.0.0.1:{sink.address[1]}")
        no_place = run("--listen", "127.0.0.1:0", "--ledger", "/dev/null/none")

    assert (taken.returncode, no_place.returncode) == (1, 1)
    assert "Address already in use" in taken.stderr
    assert "/dev/null/none" in no_place.stderr


def test_a_full_disk_under_the_ledger_ends_the_sink_before_it_promises_anything() -> None:
    with RunningSink("--ledger", "/dev/full", ledger=False) as sink:
        sent = clients.swaks(sink.address, message())

        assert not sent.accepted
        code, errors = sink.ended()
        assert code == 1
        assert "No space left on device" in errors


def test_the_death_of_one_of_its_processes_ends_it_with_a_word() -> None:
    with RunningSink("--processes", "2") as sink:
        first, _ = psutil.Process(sink.pid).children()

        first.kill()

        assert sink.ended() == (1, "mxgw: a process of the sink died\n")


def test_on_a_terminal_it_shows_itself_and_its_totals() -> None:
    port = free_port()
    # In the shell's place: some shells stay beside the program, and end as the interrupt ends them.
    program = shlex.join([*PROGRAM, "--listen", f"127.0.0.1:{port}", "--misbehave", "mail delay=0.01"])
    words = f"exec {program}"
    with subprocess.Popen(["script", "-qec", words, "/dev/null"], stdin=PIPE, stdout=PIPE) as process:
        wait_until(lambda: answers(port), seconds=30, what="the sink listens")
        assert clients.swaks(("127.0.0.1", port), message()).accepted

        screen, _ = process.communicate(b"\x03", timeout=60)

    shown = screen.decode()
    assert process.returncode == 0
    assert f"SMTP sink 127.0.0.1:{port}; Ctrl-C ends it" in shown
    assert "did mail delay" in shown.rpartition("totals")[2]


def test_its_cost_is_printed_beside_smtp_sinks(tmp_path: Path) -> None:
    """Printed and not judged: others work on the machine."""
    messages = 4000
    costs = {}

    def load(address: tuple[str, int]) -> None:
        sent = clients.smtp_source(address, messages=messages, sessions=20, octets=10_240, keep=True)
        assert sent.accepted, sent.words

    for name, arguments, ledger in (
        ("mxgw load sink", [], False),
        ("mxgw load sink --ledger", [], True),
        ("mxgw load sink --no-hash", ["--no-hash"], False),
    ):
        with RunningSink(*arguments, ledger=ledger) as sink:
            before = sum(sum(one.cpu_times()[:2]) for one in psutil.Process(sink.pid).children())
            load(sink.address)
            costs[name] = sink.stop()["cpu_seconds"] - before
    port = free_port()
    command = [find_program("smtp-sink", package="postfix"), "-u", "nobody", f"127.0.0.1:{port}", "512"]
    peer = Child(command, words=tmp_path / "words")
    peer.start(lambda: answers(port))
    try:
        load(("127.0.0.1", port))
        costs["smtp-sink"] = sum(psutil.Process(peer.pid).cpu_times()[:2])
    finally:
        peer.stop()

    print()
    for name, seconds in costs.items():
        print(f"{name:26} {1000 * seconds / messages:.3f} CPU-ms for each message of 10 KB")
