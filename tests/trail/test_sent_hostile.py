"""Strangers choose addresses, Message-IDs and replies: none of it is taken for Postfix's words, raises, or
steers a terminal; and no flood of lines fills the memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mxgw.cli.trace_sent import sent_facts
from mxgw.trail import sent_search
from mxgw.trail.attempt import MAX_TEXT, printable
from mxgw.trail.filing import Filed, Filing, parse_filing
from mxgw.trail.log_time import RFC_3339, SYSLOG, syslog_time, whole_time
from mxgw.trail.moments import ALWAYS
from mxgw.trail.postfix_line import (
    Accepted,
    LoginFailed,
    Named,
    Queued,
    Refused,
    Tried,
    parse_postfix,
)
from mxgw.trail.query import parse_query
from mxgw.trail.sent_conclusion import sent_advice, sent_conclusion
from mxgw.trail.sent_fate import sent_fate_of
from mxgw.trail.sent_search import SentSearch
from mxgw.trail.words import Speech
from tests.admin.person import Person
from tests.cli.support import PROGRAM, environment
from tests.trail.test_sent_lines import LATER, NOON, QUEUED, SENT, TAKEN, Log, lines

TIME = "Nov 24 12:00:00 mail "
LATEST = NOON + 86_400
# As Postfix writes them: control characters are question marks by then.
LOGGED = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\x85"), max_size=60
)
WORDS = st.sampled_from(
    ['"', "\\", ">", "<", ", ", "; ", " to=<", "from=<a@b>", "relay=none", "status=sent (x)", "proto=ESMTP",
     " helo=<x>", ": ", "removed", "(", ")", "dsn=2.0.0", "\u202e", "\x9b31m"]
)  # fmt: skip
MADE_UP = st.lists(WORDS | LOGGED, max_size=8).map("".join)


def quoted(local: str) -> str:
    """A local part as Postfix logs one that needs quotes."""
    inner = local.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"@evil.example'


def event(said: str) -> object:
    found = parse_postfix(TIME + said, latest=LATEST)
    return found.event if found else None


@given(MADE_UP, MADE_UP)
@example("a>, relay=none, dsn=2.0.0, status=sent (x)", "250 ok), status=bounced (550 no")
def test_of_an_attempt_the_address_and_the_answer_are_never_mixed_up(local: str, reply: str) -> None:
    address = quoted(local)

    found = event(
        f"postfix/smtp[1]: AB12CD: to=<{address}>, orig_to=<{address}>, relay=relay.example[192.0.2.1]:587, "
        f"conn_use=2, delay=1, delays=0/0/1/0, dsn=4.7.1, status=deferred ({reply})"
    )

    assert isinstance(found, Tried)
    assert (found.recipient, found.original) == (printable(address), printable(address))
    assert (found.status, found.dsn, found.relay) == ("deferred", "4.7.1", "relay.example[192.0.2.1]:587")
    assert found.said == printable(reply)


@given(MADE_UP, MADE_UP, st.sampled_from(["NOQUEUE", "AB12CD"]))
@example("a; from=<b@c> to=<d@e> proto=ESMTP helo=<f>", 'a; from=<b@c> to=<"', "NOQUEUE")
def test_of_a_refusal_the_addresses_are_those_of_its_envelope(sender: str, to: str, id_: str) -> None:
    # Within the words of a refusal addresses stand without their quotes.
    found = event(
        f"postfix/submission/smtpd[1]: {id_}: reject: RCPT from unknown[192.0.2.1]: 553 5.7.1 "
        f"<{to}@evil.example>: Sender address rejected: <{sender}@evil.example> is not owned by user t@x; "
        f"from=<{quoted(sender)}> to=<{quoted(to)}> proto=ESMTP helo=<pc.example>"
    )

    assert isinstance(found, Refused)
    assert found.sender == printable(quoted(sender))
    assert found.recipient == printable(quoted(to))


@given(MADE_UP)
def test_a_message_id_and_a_login_are_all_of_the_rest(text: str) -> None:
    named = event(f"postfix/cleanup[1]: AB12CD: message-id={text}")
    failed = event(
        "postfix/submission/smtpd[1]: warning: unknown[192.0.2.1]: SASL PLAIN authentication failed: "
        f"(reason unavailable), sasl_username={text}"
    )

    assert named == Named(printable(text))
    assert isinstance(failed, LoginFailed)
    assert printable(text).endswith(failed.login)


@given(st.text(max_size=80), st.sampled_from(["smtp", "smtpd", "qmgr", "cleanup", "bounce", "pickup", "x"]))
def test_any_text_is_a_line_or_none(text: str, service: str) -> None:
    for line in (text, TIME + text, f"{TIME}postfix/{service}[1]: {text}",
                 f"{TIME}postfix/{service}[1]: AB12CD: {text}"):  # fmt: skip
        found = parse_postfix(line, latest=LATEST)
        if found is None:
            continue
        match found.event:
            case Accepted(client=a, login=b, sender=c):
                texts = [a, b, c]
            case Named(message_id=a) | Queued(sender=a):
                texts = [a]
            case Tried(recipient=a, original=b, relay=c, said=d):
                texts = [a, b, c, d]
            case Refused(client=a, reply=b, sender=c, recipient=d):
                texts = [a, b, c, d]
            case _:
                texts = []
        assert all(one.isprintable() and len(one) <= MAX_TEXT for one in texts)


@given(st.from_regex(SYSLOG, fullmatch=True), st.floats(86_400, 4e9))
def test_any_date_is_a_moment_or_none(text: str, latest: float) -> None:
    found = syslog_time(text, latest=latest)

    assert found is None or 0 <= found <= latest + 2 * 86_400


@given(st.from_regex(RFC_3339, fullmatch=True))
def test_any_whole_time_is_a_moment_or_none(text: str) -> None:
    found = whole_time(text)

    assert found is None or found >= 0


SAID = st.sampled_from([
    TAKEN, QUEUED, SENT, LATER, "postfix/qmgr[20]: {id}: removed",
    "postfix/postsuper[20]: {id}: removed",
    "postfix/cleanup[20]: {id}: message-id=<m@example.jp>",
    ("postfix/cleanup[20]: {id}: milter-reject: END-OF-MESSAGE from unknown[192.0.2.1]: 5.7.1 No; "
    "from=<taro@example.jp> to=<friend@example.net> proto=ESMTP helo=<pc>"),
    ("postfix/submission/smtpd[1]: {id}: reject: RCPT from unknown[192.0.2.1]: 450 4.3.0 Later; "
    "from=<taro@example.jp> to=<other@example.net> proto=ESMTP helo=<pc>"),
    "postfix/qmgr[20]: {id}: from=<taro@example.jp>, status=expired, returned to sender",
    "postfix/bounce[20]: {id}: sender non-delivery notification: {other}",
    "postfix/bounce[20]: {id}: sender delay notification: {id}",
    ("postfix/lmtp[20]: {id}: to=<taro@example.jp>, relay=none, delay=1, delays=0/0/0/0, dsn=2.0.0, "
    "status=sent (250 2.0.0 <taro@example.jp> AEI6M7/1BW Saved)"),
    ("postfix/smtp[20]: {id}: to=<other@example.net>, relay=none, delay=1, delays=0/0/0/0, dsn=5.0.0, "
    "status=bounced (no)"),
])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(SAID, st.sampled_from(["AB12CD", "EF34AB"])), max_size=14),
    st.sampled_from(["taro@example.jp", "friend@example.net", "AB12CD", "<m@example.jp>"]),
    st.floats(0, 1e7),
)
def test_any_order_of_lines_has_a_fate_and_a_sentence_in_both_languages(
    said: list[tuple[str, str]], wanted: str, later: float
) -> None:
    text = [one.replace("{id}", id_).replace("{other}", "EF34AB") for one, id_ in said]

    found = SentSearch(parse_query(wanted), ALWAYS, Log(lines(*text))).run()

    for message in found.messages:
        assert message.matches(parse_query(wanted))
        assert message.began_at <= message.last_at
        fate = sent_fate_of(message, now=NOON + later)
        assert len(fate.recipients) == len(message.recipients)
        for japanese in (False, True):
            speech = Speech(japanese=japanese)
            assert sent_conclusion(message, fate, speech, str)
            assert all(sent_advice(fate, speech))
            assert sent_facts(1, message, fate, speech)


def test_a_dovecot_without_sieve_says_where_a_message_is_and_a_message_id_does_not() -> None:
    head = "Nov 24 12:00:00 lmtp(hanako@example.jp)<29><AEI6M7/1BWtdCwAAg+zDdQ>: Info: msgid="
    filed = Filed("AEI6M7/1BWtdCwAAg+zDdQ", "hanako@example.jp", Filing.STORED, "INBOX")

    for forged in ("<1@x.example>", "<x>: saved mail to Junk", "<x: stored mail into mailbox 'Junk'>"):
        assert parse_filing(f"{head}{forged}: saved mail to INBOX") == filed
        assert parse_filing(head + forged.replace("saved mail to", "sent mail to")) is None


# -- bounds


@pytest.mark.parametrize(
    ("bound", "flood"),
    [
        ("MAX_IDS", [one for number in range(30) for one in lines(TAKEN, QUEUED, id_=f"AB{number:03d}")]),
        ("MAX_KEPT_LINES", lines(TAKEN, QUEUED, *[LATER] * 30)),
        ("MAX_SENT", [one for number in range(30) for one in lines(TAKEN, SENT, id_=f"AB{number:03d}")]),
        (
            "MAX_REFUSALS",
            lines(
                *(
                    "postfix/submission/smtpd[1]: warning: unknown[192.0.2." + str(number) + "]: SASL PLAIN "
                    "authentication failed: x, sasl_username=taro@example.jp"
                    for number in range(30)
                )
            ),
        ),
    ],
)
def test_a_flood_is_cut_and_that_is_told(
    bound: str, flood: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def search() -> sent_search.SentFound:
        return SentSearch(parse_query("taro@example.jp"), ALWAYS, Log(flood)).run()

    whole = search()
    monkeypatch.setattr(sent_search, bound, 10)
    cut = search()

    assert not whole.cut
    assert cut.cut
    assert len(cut.messages) <= 10


MEMORY_KILOBYTES = 512 * 1024


def test_a_million_lines_are_read_within_bounded_memory(tmp_path: Path) -> None:
    log = tmp_path / "postfix.log"
    others = [one.replace("taro", "hanako").replace("friend", "aunt") for one in (TAKEN, QUEUED, SENT)]
    with log.open("w") as file:
        file.write("".join(f"{one}\n" for one in lines(TAKEN, QUEUED, LATER)))
        many = "".join(f"{one}\n" for one in lines(*others * 3333, id_="EF34AB", minutes=0))
        for _ in range(100):
            file.write(many)
        file.write("".join(f"{one}\n" for one in lines(SENT)))

    ended = subprocess.run(
        [
            *("sh", "-c", f'ulimit -v {MEMORY_KILOBYTES} && exec "$@"', "sh", sys.executable, "-m", "mxgw"),
            *("trace", "taro@example.jp", str(log), "--json"),
        ],
        env=environment({"LC_ALL": "C.UTF-8"}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert '"fate": "handed-over"' in ended.stdout
    assert "999,904 lines read" in ended.stderr


# -- the terminal


@pytest.mark.parametrize(("lang", "words"), [("en", "Refused for good"), ("ja", "拒否され")])
def test_what_a_stranger_chose_does_not_steer_the_terminal(tmp_path: Path, lang: str, words: str) -> None:
    evil = quoted("\x1b[2J\x07\x9b31m\u202e[bold]x[/bold]")
    log = tmp_path / "postfix.log"
    gone = (
        f"postfix/smtp[30]: {{id}}: to=<{evil}>, relay=\x1b]0;x\x07relay[192.0.2.9]:587, delay=1, "
        "delays=0/0/1/0, dsn=5.1.1, status=bounced (host x[192.0.2.9] said: 550 \x1b[31m\x9b no \u202e)"
    )
    named = "postfix/cleanup[30]: {id}: message-id=<\x1b[2J\x9bx>"
    log.write_text("\n".join(lines(TAKEN, named, QUEUED, gone)))
    environ = environment({"LC_ALL": f"{lang}_XX.UTF-8", "PYTHONUTF8": "1", "TERM": "xterm"})

    with Person([PROGRAM, "trace", "taro@example.jp", str(log)], environ) as person:
        code, shown, raw = person.ends(), person.screen, person.raw

    assert code == 0, shown
    assert words in shown
    assert "[bold]x[/bold]" in shown
    for control in ("\x1b[2J", "\x1b[31m\x9b", "\x1b]", "\x07", "\x9b", "\u202e"):
        assert control not in raw
