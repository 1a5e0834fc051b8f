"""The door at home between an edge, the real Rspamd and the real Dovecot."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mxgw.scanner.inspector import NO_FIELDS
from tests.cli.support import Demo
from tests.home.sessions import SENDER_ADDRESS, SENDER_HELO, Hop, account, bring, hop, letter, stored
from tests.rig.dovecot import Dovecot
from tests.rig.homedoor import HomeDoor
from tests.rig.rspamd import GTUBE, Rspamd
from tests.rig.wire import Wire

NAMED = f"ADDR={SENDER_ADDRESS} PORT=4000 HELO={SENDER_HELO} PROTO=ESMTP SESSION=tx1"


def test_an_ordinary_message_is_scanned_and_stored(door: HomeDoor, mailboxes: Dovecot) -> None:
    octets = letter("ordinary")

    assert bring(door.lmtp, octets)[0].startswith("250 2.0.0")

    [message] = stored(mailboxes, "ordinary")
    assert message["X-MXGW-Junk"] is None
    assert message.get_payload() == "Hello.\r\n"
    assert account(door, octets)["checks"] == {"seal": "none", "rspamd": "no-action", "handling": "deliver"}


def test_spam_over_the_threshold_is_refused_in_session_to_each_recipient(
    door: HomeDoor, mailboxes: Dovecot
) -> None:
    octets = letter("gtube", body=f"{GTUBE}\r\n")

    replies = bring(door.lmtp, octets, "taro@example.jp", "hanako@example.jp")

    assert replies == ["550 5.7.1 This message looks like spam and is not accepted #M60"] * 2
    assert stored(mailboxes, "gtube") == stored(mailboxes, "gtube", "hanako") == []


@pytest.mark.parametrize(
    ("test", "reply", "junk", "word"),
    [
        ("TEST_JUNK", "250 2.0.0", "yes", "add-header"),
        ("TEST_GREY", "250 2.0.0", None, "greylist"),
        ("TEST_SPAM", "550 5.7.1 This message looks like spam", None, "reject"),
        ("VIRUS", "550 5.7.1 A virus was found", None, "reject"),
        ("VIRUS_FAIL", "451 4.7.1 The content cannot be checked just now", None, "no-virus-scan"),
        ("SCANNER_DOWN", "451 4.7.1 This message cannot be taken just now", None, "soft-reject"),
    ],
)
def test_what_rspamd_says_is_done(
    test: str, reply: str, junk: str | None, word: str, door: HomeDoor, mailboxes: Dovecot
) -> None:
    octets = letter(f"says {test}", more=f"X-Test: {test}\r\n")

    answers = bring(door.lmtp, octets, "taro@example.jp", "hanako@example.jp")

    assert [answer.startswith(reply) for answer in answers] == [True, True], answers
    copies = stored(mailboxes, f"says {test}")
    assert [copy["X-MXGW-Junk"] for copy in copies] == ([junk] if reply.startswith("250") else [])
    assert account(door, octets)["checks"]["rspamd"] == word


def test_each_recipient_gets_its_own_reply(door: HomeDoor, mailboxes: Dovecot) -> None:
    with hop(door.lmtp, NAMED) as session:
        assert session.command("MAIL FROM:<a@bank.example>").startswith("250")
        assert session.command("RCPT TO:<nobody@example.jp>").startswith("550 5.1.1")
        assert session.command("RCPT TO:<taro@example.jp>").startswith("250")
        assert session.command("RCPT TO:<full@example.jp>").startswith("250")
        assert session.command("RCPT TO:<hanako@example.jp>").startswith("250")
        assert session.command("DATA").startswith("354")
        session.send(letter("each") + b".\r\n")
        replies = [session.reply() for _ in range(3)]

    assert [reply[:9] for reply in replies] == ["250 2.0.0", "552 5.2.2", "250 2.0.0"]
    assert len(stored(mailboxes, "each")) == len(stored(mailboxes, "each", "hanako")) == 1


def test_a_message_is_scanned_once_however_many_recipients_it_has(door: HomeDoor, scanner: Rspamd) -> None:
    octets = letter("once")

    bring(door.lmtp, octets, "taro@example.jp", "hanako@example.jp", "jiro@example.jp")

    id_ = account(door, octets)["id"]
    lines = [line for line in scanner.log().splitlines() if f"qid: <{id_}>" in line]
    assert len(lines) == 1
    assert "rcpts: <taro@example.jp,hanako@example.jp,jiro@example.jp>" in lines[0]


def test_the_scanner_and_the_mailbox_hear_of_the_edges_client(
    door: HomeDoor, scanner: Rspamd, mailboxes: Dovecot
) -> None:
    octets = letter("whose")

    assert bring(door.lmtp, octets)[0].startswith("250")

    event = account(door, octets)
    assert (event["client"], event["helo"]) == (SENDER_ADDRESS, SENDER_HELO)
    [line] = [line for line in scanner.log().splitlines() if f"qid: <{event['id']}>" in line]
    assert f"ip: {SENDER_ADDRESS}" in line
    assert "from: <bounce@bank.example>" in line
    # The domain's SPF record names this client: Rspamd asked about the right one.
    assert "R_SPF_ALLOW" in line
    [message] = stored(mailboxes, "whose")
    # Dovecot's own Received field is on top.
    assert f"([{SENDER_ADDRESS}])" in message.get_all("Received")[0]
    assert f"{event['id']}:" in mailboxes.log()


def test_what_the_edge_calls_a_transaction_is_in_this_log_and_in_the_mailbox_servers(
    door: HomeDoor, mailboxes: Dovecot
) -> None:
    octets = letter("named")
    name = "1a20d6fa4b1436700abc"

    with hop(door.lmtp, f"ADDR={SENDER_ADDRESS} HELO={SENDER_HELO} SESSION={name}") as session:
        assert session.deliver(octets, "taro@example.jp")[0].startswith("250")

    event = account(door, octets)
    assert event["session"] == name != event["id"]
    assert f"<{name}:" in mailboxes.log()


def test_a_client_that_nobody_named_is_not_judged_by_the_edges_address(
    door: HomeDoor, scanner: Rspamd
) -> None:
    octets = letter("nameless")

    with hop(door.lmtp) as session:
        assert session.deliver(octets, "taro@example.jp")[0].startswith("250")

    id_ = account(door, octets)["id"]
    [line] = [line for line in scanner.log().splitlines() if f"qid: <{id_}>" in line]
    assert ", ip: " not in line
    assert "R_SPF" not in line


def test_the_null_reverse_path_is_told_as_such(door: HomeDoor, scanner: Rspamd) -> None:
    octets = letter("report")

    with hop(door.lmtp, NAMED) as session:
        assert session.deliver(octets, "taro@example.jp", sender="")[0].startswith("250")

    id_ = account(door, octets)["id"]
    [line] = [line for line in scanner.log().splitlines() if f"qid: <{id_}>" in line]
    # Rspamd leaves it out of its log, and looks at the HELO domain for SPF.
    assert ", from: " not in line
    assert "FROM_EQ_ENVFROM" not in line


# -- the same message again


def test_a_repeat_without_a_seal_is_dropped(door: HomeDoor, mailboxes: Dovecot) -> None:
    octets = letter("repeat")

    for attempt in (1, 2):
        trace = f"Received: from x by edge id {attempt};\r\n Tue, 24 Nov 2026 10:00:0{attempt} +0000\r\n"
        assert bring(door.lmtp, trace.encode() + octets)[0].startswith("250")

    [message] = stored(mailboxes, "repeat")
    assert account(door, octets)["fingerprint"] == message["X-MXGW-Fingerprint"]


def test_a_repeat_without_message_id_is_known_by_its_content(door: HomeDoor, mailboxes: Dovecot) -> None:
    octets = letter("no name", message_id="")

    for attempt in (1, 2):
        trace = f"Received: from x by edge id {attempt};\r\n Tue, 24 Nov 2026 10:00:0{attempt} +0000\r\n"
        forged = f"X-MXGW-Fingerprint: {attempt:064x}\r\n"
        assert bring(door.lmtp, (trace + forged).encode() + octets)[0].startswith("250")
    assert bring(door.lmtp, letter("no name", message_id="", body="Another.\r\n"))[0].startswith("250")

    assert len(stored(mailboxes, "no name")) == 2


async def test_copies_that_come_at_the_same_time_are_stored_once(door: HomeDoor, mailboxes: Dovecot) -> None:
    octets = [letter(f"parallel {n}") for n in range(12)]

    replies = await asyncio.gather(
        *(asyncio.to_thread(bring, door.lmtp, one) for one in octets for _ in range(3))
    )

    assert all(reply[0].startswith("250") for reply in replies)
    assert [len(stored(mailboxes, f"parallel {n}")) for n in range(12)] == [1] * 12


# -- who may talk, and for whom


def test_xclient_is_offered_and_asks_for_lhlo_again(door: HomeDoor) -> None:
    with Hop(door.lmtp) as session:
        assert "XCLIENT ADDR PORT PROTO HELO SESSION" in session.begin()
        assert session.command(f"XCLIENT {NAMED}").startswith("220 home.example.jp ")
        assert session.command("MAIL FROM:<a@bank.example>").startswith("503 5.5.1")
        assert session.command("XCLIENT ADDR=nowhere").startswith("501 5.5.4")
        session.command("LHLO edge.example.jp")
        assert session.command("MAIL FROM:<a@bank.example> SIZE=100").startswith("250")
        assert session.command(f"XCLIENT {NAMED}").startswith("503 5.5.1")
        assert session.command("RSET").startswith("250")


def test_a_client_that_spoke_plain_smtp_keeps_no_parameter_from_the_edge(door: HomeDoor) -> None:
    with hop(door.lmtp, "ADDR=192.0.2.1 HELO=old.example PROTO=SMTP") as session:
        assert session.command("MAIL FROM:<a@bank.example> SIZE=100 BODY=8BITMIME").startswith("250")


def test_one_session_serves_many_clients(door: HomeDoor, mailboxes: Dovecot) -> None:
    octets = [letter("many") for _ in range(3)]

    with hop(door.lmtp) as session:
        for number, one in enumerate(octets):
            session.names(f"ADDR=192.0.2.{number} HELO=mx{number}.example SESSION={number}")
            assert session.deliver(one, "taro@example.jp")[0].startswith("250")

    assert [account(door, one)["client"] for one in octets] == [f"192.0.2.{n}" for n in range(3)]
    assert len(stored(mailboxes, "many")) == 3


def test_a_stranger_is_closed_out_with_a_reply(mailboxes: Dovecot, scanner: Rspamd) -> None:
    with HomeDoor(mailboxes.url, rspamd=scanner.url, edge_from="192.0.2.0/24") as door:
        with Wire(door.lmtp) as wire:
            assert wire.reply().startswith("554 5.7.1 This door is for our own servers")
            with pytest.raises(ConnectionError):
                wire.reply()
        assert b'mxgw_sessions_refused_total{reason="not-ours"} 1.0' in door.get("/metrics")[1]


# -- for operators


def test_probes_and_counts_are_as_at_the_edge(door: HomeDoor) -> None:
    bring(door.lmtp, letter("counted"))

    assert door.get("/livez")[0] == door.get("/readyz")[0] == 200
    metrics = door.get("/metrics")[1].decode()
    assert 'mxgw_checks_total{check="rspamd",result="no-action"}' in metrics
    assert 'mxgw_checks_total{check="seal",result="none"}' in metrics
    assert "mxgw_home_up 1.0" in metrics
    assert b'"role":"home"' in door.get("/status")[1]


def test_a_question_about_recipients_is_no_transaction_in_the_log(door: HomeDoor) -> None:
    octets = [letter("before"), letter("after")]

    with hop(door.lmtp) as session:
        assert session.deliver(octets[0], "taro@example.jp")[0].startswith("250")
        session.command("MAIL FROM:<a@bank.example>")
        session.command("RCPT TO:<taro@example.jp>")
        session.command("RCPT TO:<nobody@example.jp>")
        session.command("RSET")
        assert session.deliver(octets[1], "taro@example.jp")[0].startswith("250")

    lines = [event["id"] for event in (account(door, one) for one in octets)]
    ids = [event["id"] for event in door.transactions()]
    assert ids.index(lines[1]) == ids.index(lines[0]) + 1


def test_a_peer_may_be_refused_as_often_as_strangers_ask(door: HomeDoor) -> None:
    with hop(door.lmtp) as session:
        for _ in range(40):
            session.command("MAIL FROM:<a@bank.example>")
            assert session.command("RCPT TO:<nobody@example.jp>").startswith("550 5.1.1")
            session.command("RSET")


# -- messages and senders of every shape


@pytest.mark.parametrize(
    ("name", "octets", "scanned"),
    [
        ("no header", b"just text\r\n", NO_FIELDS + b"just text\r\n"),
        ("only ours", b"X-MXGW-Junk: yes\r\n\r\ntext\r\n", NO_FIELDS + b"text\r\n"),
        ("only a header", b"Subject: only a header\r\n", b"Subject: only a header\r\n"),
        ("no body", b"Subject: no body\r\n\r\n", b"Subject: no body\r\n\r\n"),
        ("a blank line", b"\r\nblank\r\n", NO_FIELDS + b"blank\r\n"),
        ("8 bit", "Subject: 例え\r\n\r\n例え\r\n".encode(), "Subject: 例え\r\n\r\n例え\r\n".encode()),
        ("dots", b"Subject: dots\r\n\r\n.\r\n..\r\n", b"Subject: dots\r\n\r\n.\r\n..\r\n"),
        ("ours", b"X-MXGW-Junk: yes\r\nSubject: ours\r\n\r\nx\r\n", b"Subject: ours\r\n\r\nx\r\n"),
    ],
)
def test_what_is_scanned_is_what_goes_on(
    name: str, octets: bytes, scanned: bytes, door: HomeDoor, scanner: Rspamd, mailboxes: Dovecot
) -> None:
    before = len(mailboxes.messages("jiro"))

    assert bring(door.lmtp, octets, "jiro@example.jp")[0].startswith("250")

    assert len(mailboxes.messages("jiro")) == before + 1
    assert mailboxes.messages("jiro")[-1].endswith(b"\r\n" + scanned.removeprefix(NO_FIELDS))
    # Rspamd's own count of what it got.
    line = [line for line in scanner.log().splitlines() if "qid: <" in line][-1]
    assert f"len: {len(scanned)}," in line


def test_a_sender_outside_ascii_is_no_trouble_to_rspamd_and_kept(
    door: HomeDoor, scanner: Rspamd, mailboxes: Dovecot
) -> None:
    octets = letter("utf8")
    with hop(door.lmtp, NAMED) as session:
        assert session.command("MAIL FROM:<太郎@例え.jp> SMTPUTF8").startswith("250")
        assert session.command("RCPT TO:<taro@example.jp>").startswith("250")
        assert session.command("DATA").startswith("354")
        session.send(octets + b".\r\n")
        assert session.reply().startswith("250")

    [message] = stored(mailboxes, "utf8")
    assert message["Return-Path"] == "<>"
    assert "<太郎@例え.jp>".encode() in mailboxes.messages("taro")[-1]
    id_ = account(door, octets)["id"]
    [line] = [line for line in scanner.log().splitlines() if f"qid: <{id_}>" in line]
    # To Rspamd it is none, as is the null reverse-path.
    assert ", from: " not in line


def test_which_domains_there_are_is_the_mailbox_servers_business(mailboxes: Dovecot, scanner: Rspamd) -> None:
    home = HomeDoor(mailboxes.url, rspamd=scanner.url)
    del home._environ["MXGW_DOMAINS"]
    with home as door, hop(door.lmtp, NAMED) as session:
        session.command("MAIL FROM:<a@bank.example>")
        assert session.command("RCPT TO:<taro@example.jp>").startswith("250")
        assert session.command("RCPT TO:<taro@elsewhere.example>").startswith("550 5.1.1")


def test_a_domain_that_is_not_ours_is_refused_where_the_administrator_named_them(door: HomeDoor) -> None:
    with hop(door.lmtp, NAMED) as session:
        session.command("MAIL FROM:<a@bank.example>")
        assert session.command("RCPT TO:<taro@elsewhere.example>").startswith("550 5.7.1")


def test_a_door_that_trusts_nobody_takes_no_xclient(tmp_path: Path) -> None:
    with Demo(tmp_path) as demo:
        host, _, port = demo.doors["lmtp"].rpartition(":")
        with Hop((host, int(port))) as session:
            assert "XCLIENT" not in session.begin()
            assert session.command(f"XCLIENT {NAMED}").startswith("550 5.7.0")
