"""The first five minutes of a stranger: start the demo, send, read, and see each answer come true."""

from __future__ import annotations

import hashlib
import json
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mxgw.mailbox import Magic
from tests.admin.person import Person
from tests.cli.support import PROGRAM, Demo, Ended, environment, mxgw

FORCED = {
    Magic.REFUSED: "550 5.1.1",
    Magic.FULL: "552 5.2.2",
    Magic.LATER: "451 4.2.0",
    Magic.FAILS: "550 5.7.1",
    Magic.DEFERS: "451 4.2.0",
    Magic.SLOW: "250 2.0.0",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("mail")) as running:
        yield running
        assert running.stop() == 0
        assert "Traceback" not in running.errors


def send(demo: Demo, *arguments: str, stdin: str = "") -> Ended:
    return mxgw("send", "--server", demo.doors["smtp"], *arguments, stdin=stdin)


def read(demo: Demo, *arguments: str) -> Ended:
    return mxgw("read", "--mail-dir", str(demo.mail_dir), *arguments)


def last(demo: Demo) -> dict[str, object]:
    facts = json.loads(read(demo, "last", "--json").out)
    assert isinstance(facts, dict)
    return facts


def test_a_japanese_message_with_an_attachment_arrives(demo: Demo, tmp_path: Path) -> None:
    photo = tmp_path / "写真.jpg"
    photo.write_bytes(b"\xff\xd8" * 1000)

    ended = send(
        demo,
        "--to",
        "taro@example.com",
        "--subject",
        "こんにちは",
        "--body",
        "本文です",
        "--attach",
        str(photo),
    )

    assert ended.code == 0
    assert ended.out.startswith("accepted: 250 2.0.0 ")
    shown = read(demo, "last").out
    assert "Subject: こんにちは\n" in shown
    assert "\n本文です\n" in shown
    assert "[attachment: 写真.jpg, image/jpeg, 2,000 octets]" in shown
    assert last(demo)["delivered_to"] == "taro@example.com"


def typed(command: str) -> Ended:
    """What a user's shell makes of a line."""
    return mxgw("-c", command, start=("sh",))


@pytest.mark.parametrize("client", ["mxgw", "swaks", "curl", "python"])
def test_what_the_demo_says_to_type_delivers_a_mail(demo: Demo, client: str) -> None:
    before = len(read(demo).out.splitlines())

    ended = typed(demo.guide[client])

    assert ended.code == 0, ended.out + ended.err
    assert len(read(demo).out.splitlines()) == before + 1
    assert last(demo)["delivered_to"] == "taro@example.com"
    assert "hanako@example.org" in str(last(demo)["sender"])


@pytest.mark.parametrize("way", ["list", "show"])
def test_what_the_demo_says_to_type_reads_it(demo: Demo, way: str) -> None:
    send(demo, "--subject", "read me")

    ended = typed(demo.guide[way])

    assert ended.code == 0
    assert "read me" in ended.out


def test_the_demo_shows_its_status_page_and_every_magic_address(demo: Demo) -> None:
    page = typed(f"curl -sSf {demo.guide['status']}")

    assert page.code == 0
    assert "<html" in page.out
    assert {f"{magic}@" for magic in Magic} <= set(demo.guide)


def test_the_dialogue_is_shown_and_goes_on_under_tls(demo: Demo) -> None:
    ended = send(demo, "-v")

    assert ended.code == 0
    before, _, after = ended.err.partition("C: STARTTLS\n")
    assert "S: 250-PIPELINING" in before
    assert "C: MAIL FROM:<hanako@example.org> SIZE=" in after
    assert "S: 354 " in after
    assert "(using TLSv1." in str(last(demo)["fields"])


def test_without_tls_it_stays_in_clear(demo: Demo) -> None:
    assert "STARTTLS\n" not in send(demo, "-v", "--no-tls").err.replace("250-STARTTLS\n", "")


@pytest.mark.parametrize("magic", list(Magic))
def test_magic_addresses_force_their_answers(demo: Demo, magic: Magic) -> None:
    ended = send(demo, "--to", f"{magic}@example.com")

    assert FORCED[magic] in ended.out
    assert ended.code == (0 if magic is Magic.SLOW else 1)


def test_one_refused_recipient_does_not_keep_the_other_from_his_mail(demo: Demo) -> None:
    ended = send(demo, "--to", "refused@example.com", "--to", "jiro@example.com", "--subject", "for jiro")

    assert ended.code == 1
    assert "refused@example.com: not accepted: 550 5.1.1" in ended.out
    assert "accepted: 250 2.0.0" in ended.out
    assert last(demo)["delivered_to"] == "jiro@example.com"


def test_a_domain_that_is_not_ours_is_refused(demo: Demo) -> None:
    ended = send(demo, "--to", "taro@example.net")

    assert ended.code == 1
    assert "550 5.7.1" in ended.out


def test_size_is_reached_and_the_limit_is_told_before_the_content_travels(demo: Demo) -> None:
    assert send(demo, "--size", "3000000").code == 0
    octets = last(demo)["octets"]
    assert isinstance(octets, int)
    assert 2_999_000 < octets < 3_002_000

    ended = send(demo, "--size", "39000000", "-v")
    assert ended.code == 1
    assert "552 5.3.4" in ended.out
    assert "C: DATA" not in ended.err


def test_a_body_from_stdin_and_leading_dots_arrive_as_they_were(demo: Demo) -> None:
    assert send(demo, "--body", "-", stdin=".\n..\n.dot\n").code == 0

    assert last(demo)["text"] == ".\n..\n.dot"


def test_the_null_sender_and_a_non_ascii_mailbox_are_possible(demo: Demo) -> None:
    assert send(demo, "--from", "", "--to", "太郎@example.com").code == 0

    fields = last(demo)["fields"]
    assert isinstance(fields, list)
    assert ["Return-Path", "<>"] in fields
    assert ["Delivered-To", "太郎@example.com"] in fields


def test_the_same_message_twice_is_one_copy(demo: Demo) -> None:
    host, _, port = demo.doors["smtp"].rpartition(":")
    content = b"Message-ID: <once@example.org>\r\nSubject: once only\r\n\r\nHello.\r\n"
    with smtplib.SMTP(host, int(port)) as client:
        for _ in range(3):
            client.sendmail("hanako@example.org", ["taro@example.com"], content)

    assert read(demo).out.count("once only") == 1


def test_the_stored_octets_are_those_that_were_sent(demo: Demo) -> None:
    host, _, port = demo.doors["smtp"].rpartition(":")
    body = b".\r\n\xff\x80 eight bit\r\n" + b"x" * 5000 + b"\r\n"
    with smtplib.SMTP(host, int(port)) as client:
        client.sendmail("hanako@example.org", ["taro@example.com"], b"Subject: octets\r\n\r\n" + body)

    [line] = [line for line in read(demo).out.splitlines() if "\toctets\t" in line]
    number = int(line.split("\t")[0])
    path = Path(json.loads(read(demo, str(number), "--json").out)["path"])
    kept = path.read_bytes().partition(b"\r\n\r\n")[2]
    assert hashlib.sha256(kept).digest() == hashlib.sha256(body).digest()


def test_the_list_is_numbered_in_the_order_of_arrival(demo: Demo) -> None:
    send(demo, "--subject", "older")
    send(demo, "--subject", "newer")

    lines = [line.split("\t") for line in read(demo).out.splitlines()]

    assert [line[0] for line in lines] == [str(number) for number in range(1, len(lines) + 1)]
    assert [line[4] for line in lines][-2:] == ["older", "newer"]
    assert all(len(line) == 6 for line in lines)
    facts = json.loads(read(demo, "--json").out)
    assert [fact["subject"] for fact in facts] == [line[4] for line in lines]


def test_a_number_that_is_not_there_is_told_with_what_is(demo: Demo) -> None:
    send(demo)

    ended = read(demo, "9999")

    assert ended.code == 2
    assert "there are 1 to" in ended.err


def test_nobody_at_the_server_is_a_failure_with_a_hint() -> None:
    ended = mxgw("send", "--server", "127.0.0.1:1")

    assert ended.code == 1
    assert ended.err == "mxgw: cannot talk to 127.0.0.1:1: Connection refused (is `mxgw demo` running?)\n"


def test_an_empty_mailbox_says_how_to_fill_it(tmp_path: Path) -> None:
    ended = mxgw("read", "--mail-dir", str(tmp_path))

    assert (ended.code, ended.out) == (0, "")
    assert "send one with: mxgw send" in ended.err
    assert mxgw("read", "--json", "--mail-dir", str(tmp_path)).out == "[]\n"


@pytest.mark.parametrize("columns", [40, 80])
def test_a_list_on_a_narrow_screen_cuts_nothing_off(demo: Demo, columns: int) -> None:
    send(demo, "--subject", "one subject that is rather long, as subjects are", "--size", "20000")
    newest = json.loads(read(demo, "--json").out)[-1]

    command = [PROGRAM, "read", "--mail-dir", str(demo.mail_dir)]
    with Person(command, environment({"TERM": "xterm"}), columns=columns) as person:
        assert person.ends() == 0

    shown = "".join(person.screen.split())
    assert f"{newest['octets']:,}" in person.screen
    assert "taro@example.com" in person.screen
    assert "rather" in shown
    assert "as" in shown
    assert "…" not in person.screen
