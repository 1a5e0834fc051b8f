"""From a stranger's SMTP client to the reader's browser and back out: everything is real, in one house."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.dell.household import DOMAIN, Household
from tests.dell.known_names import ADDRESS
from tests.dell.letters import mail, with_part, zipped
from tests.dell.scanning import EICAR
from tests.dell.test_webmail_roundcube import japanese_letter, open_inbox, parsed
from tests.dell.webmail_house import Webmail
from tests.dell.whole_house import Edge, Proxy, home_door, home_events, start_known_names
from tests.rig.process import find_program
from tests.rig.rspamd import GTUBE


@dataclass(frozen=True, slots=True)
class Whole:
    """The house and what stands before it."""

    home: Household
    webmail: Webmail
    edge: Edge


@pytest.fixture(scope="module")
def whole() -> Iterator[Whole]:
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(Household())
        home.add("taro", "hanako", "jiro")
        home.add("full", quota=4000)
        signature = home.host.data / "clamav" / "eicar.ndb"
        signature.write_text(f"Test.Eicar:0:*:{EICAR.hex()}\n")
        signature.chmod(0o644)
        webmail = stack.enter_context(Webmail(home, names=start_known_names))
        door = home_door(home.host)
        door.start()
        stack.enter_context(Proxy(home))
        edge = stack.enter_context(Edge(home.host))
        yield Whole(home, webmail, edge)
        assert edge.program.terminate() == 0
        assert edge.tracebacks() == []
        assert door.child.stop() == 0
        assert "Traceback" not in door.said()


def swaks(whole: Whole, to: str, octets: bytes, *, sender: str = "hanako@example.net") -> str:
    """One message by a stranger's program from ADDRESS; the whole conversation."""
    command = [
        *whole.home.host.into(),
        *(
            find_program("swaks", package="swaks"),
            "--server",
            "127.0.0.1",
            "--port",
            str(whole.edge.address[1]),
        ),
        *("--local-interface", ADDRESS, "--helo", "mx.example.net", "--from", sender),
        *("--to", f"{to}@{DOMAIN}", "--data", "-"),
    ]
    return subprocess.run(command, input=octets, capture_output=True, timeout=60, check=False).stdout.decode()


def answers(conversation: str) -> list[str]:
    """What the edge said, from the banner on; the last is to QUIT."""
    return [line[4:].strip() for line in conversation.splitlines() if line.startswith(("<-", "<**"))]


def taken(conversation: str) -> str:
    """The edge's id of a message that was accepted."""
    found = re.search(r"250 2\.0\.0 .*id ([0-9a-f]+)", conversation)
    assert found, conversation
    return found[1]


def test_a_letter_in_japanese_goes_the_whole_way_and_its_answer_out_again(
    whole: Whole, tmp_path: Path
) -> None:
    picture = tmp_path / "写真 一.bin"
    picture.write_bytes(os.urandom(1000))

    edge_id = taken(swaks(whole, "taro", japanese_letter()))

    # By IMAP and by POP3.
    (by_imap,) = whole.home.messages("taro")
    session = whole.home.pop3("taro")
    by_pop3 = b"\r\n".join(session.retr(1)[1])
    session.quit()
    assert by_imap.strip() == by_pop3.strip()
    assert by_imap.rstrip().endswith(japanese_letter().partition(b"\r\n\r\n")[2].rstrip())
    stored = parsed(by_imap)
    assert stored["Subject"] == "明日の会議について"
    assert stored["Authentication-Results"].startswith("mx.example.jp;")
    assert "spf=pass" in stored["Authentication-Results"]
    assert "dmarc=pass" in stored["Authentication-Results"]
    assert stored["X-MXGW-Seal"] is None
    # The id that the sender has is in every log on the way.
    (at_edge,) = [event for event in whole.edge.program.transactions() if event["id"] == edge_id]
    (at_home,) = [one for one in home_events(whole.home.host, "transaction") if one["session"] == edge_id]
    assert at_edge["client"] == at_home["client"] == ADDRESS
    assert at_edge["fingerprint"] == at_home["fingerprint"] == stored["X-MXGW-Fingerprint"]
    assert at_home["checks"]["seal"] == "valid"
    assert at_home["checks"]["rspamd"] == "no-action"
    assert f"qid: <{at_home['id']}>, ip: {ADDRESS}" in whole.home.host.cells["rspamd"].said()
    (filed,) = [
        line
        for line in whole.home.host.cells["dovecot"].said().splitlines()
        if f"<{edge_id}" in line and "stored" in line
    ]
    assert f"lmtp(taro@{DOMAIN})" in filed
    # In the browser, and out again.
    with whole.webmail.browser() as page:
        open_inbox(page, whole.webmail, "taro")
        page.wait("document.querySelector('#messagelist')?.innerText.includes('明日の会議について')")
        assert page.value("document.documentElement.lang") == "ja"
        number = page.value("rcmail.message_list.get_first_row()")
        page.open(f"{whole.webmail.url}?_task=mail&_mbox=INBOX&_uid={number}&_action=show")
        assert "明日の会議は十時からです" in page.text("#messagebody")
        page.open(f"{whole.webmail.url}?_task=mail&_action=compose&_reply_uid={number}&_mbox=INBOX")
        page.wait("window.rcmail && rcmail.env.compose_id && document.querySelector('#composebody')")
        page.fill("#composebody", "承知しました。髙橋・森鷗外・①です。")
        page.choose_files("#uploadformInput", picture)
        page.wait("Object.values(rcmail.env.attachments).some(one => one.complete)")
        page.click("button.send")
        page.wait("rcmail.env.action !== 'compose'")
        relayed = whole.webmail.relay.wait_for("hanako@example.net")
        page.open(f"{whole.webmail.url}?_task=mail&_mbox=Sent")
        page.wait("document.querySelector('#messagelist')?.innerText.includes('Re: 明日の会議について')")
        assert page.complaints == []
    assert whole.webmail.errors() == ""
    answer = parsed(relayed.content)
    (sent,) = (parsed(octets) for octets in whole.home.messages("taro", "Sent"))
    body, attached = answer.iter_parts()
    assert (relayed.tls, relayed.sender) == (True, f"taro@{DOMAIN}")
    assert answer["In-Reply-To"] == "<jis@example.net>"
    assert sent["Message-ID"] == answer["Message-ID"]
    assert "髙橋・森鷗外・①" in body.get_content()
    assert (attached.get_filename(), attached.get_payload(decode=True)) == (
        picture.name,
        picture.read_bytes(),
    )


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (mail(more=GTUBE.encode() + b"\r\n"), "spam"),
        (mail(more=EICAR + b"\r\n"), "virus"),
        (with_part('Content-Type: application/zip; name="a.zip"', zipped(EICAR)), "virus"),
    ],
    ids=["GTUBE", "EICAR", "EICAR in a zip"],
)
def test_spam_and_viruses_are_refused_while_their_sender_waits(
    whole: Whole, octets: bytes, reason: str
) -> None:
    *_, refusal, _ = answers(swaks(whole, "hanako", octets))

    assert refusal.startswith("550 5.7.1 ")
    assert reason in refusal
    assert whole.home.messages("hanako") == whole.home.messages("hanako", "Junk") == []


def test_what_looks_like_spam_lands_in_junk(whole: Whole) -> None:
    """By the rules of the real Rspamd: no date, no name, and it shouts."""
    spammy = b"Subject: YOU HAVE WON A CASH PRIZE OF $$$\r\nFrom: <x@example.org>\r\n\r\nFree.\r\n"

    edge_id = taken(swaks(whole, "jiro", spammy))

    assert whole.home.messages("jiro") == []
    (junk,) = whole.home.messages("jiro", "Junk")
    assert junk.rstrip().endswith(b"Free.")
    (at_home,) = [one for one in home_events(whole.home.host, "transaction") if one["session"] == edge_id]
    assert at_home["checks"] == {"seal": "valid", "rspamd": "add-header", "handling": "junk"}


def test_a_full_mailbox_and_a_stranger_are_refused_before_the_content_travels(whole: Whole) -> None:
    filler = ("x" * 70 + "\r\n") * 30
    taken(swaks(whole, "full", mail(filler)))

    full = swaks(whole, "full", mail(filler * 3))
    unknown = swaks(whole, "nobody-here", mail())

    assert "552 5.2.2" in full
    assert "-> RCPT" in unknown
    assert "550 5.1.1" in unknown
    assert "-> DATA" not in unknown
    assert len(whole.home.messages("full")) == 1
