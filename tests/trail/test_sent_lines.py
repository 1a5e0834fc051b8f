"""What single lines of Postfix's log say, and what they say together; no program runs here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import pytest

from mxgw.trail.log_time import syslog_time, whole_time
from mxgw.trail.moments import ALWAYS
from mxgw.trail.postfix_line import LoginFailed, Refused, parse_postfix
from mxgw.trail.query import parse_query
from mxgw.trail.sent import SentMessage
from mxgw.trail.sent_conclusion import answer, client_name, relay_name, sent_advice, sent_conclusion
from mxgw.trail.sent_fate import (
    QUEUE_LIFETIME_SECONDS,
    SentCause,
    SentFate,
    SentMessageFate,
    SentState,
    sent_fate_of,
)
from mxgw.trail.sent_search import RawLine, SentFound, SentSearch
from mxgw.trail.words import Speech
from tests.rig.process import ROOT

NOON = datetime(2026, 11, 24, 12).timestamp()  # noqa: DTZ001 - the zone of the log is the local one
TAKEN = (
    "postfix/submission/smtpd[22]: {id}: client=unknown[100.64.0.7], sasl_method=PLAIN, "
    "sasl_username=taro@example.jp"
)
QUEUED = "postfix/qmgr[20]: {id}: from=<taro@example.jp>, size=395, nrcpt=1 (queue active)"
TO = "to=<friend@example.net>, relay=smtp.sendgrid.net[192.0.2.9]:587, delay=1, delays=0/0/1/0, "
SENT = "postfix/smtp[30]: {id}: " + TO + "dsn=2.0.0, status=sent (250 Ok: queued as x)"
LATER = (
    "postfix/smtp[30]: {id}: " + TO + "dsn=4.7.1, status=deferred "
    "(host smtp.sendgrid.net[192.0.2.9] said: 451 4.7.1 later (in reply to RCPT TO command))"
)
REMOVED = "postfix/qmgr[20]: {id}: removed"
ID = "A8CFF2647A6"


def lines(*said: str, id_: str = ID, minutes: float = 1) -> list[str]:
    """Lines of one message, so far apart from noon on."""
    return [
        f"{datetime.fromtimestamp(NOON + 60 * minutes * number):%b %d %H:%M:%S} mail {one.format(id=id_)}"  # noqa: DTZ006
        for number, one in enumerate(said)
    ]


class Log:
    """A source of lines that are at hand."""

    def __init__(self, lines: Sequence[str], *, latest: float = NOON + 86_400) -> None:
        self._lines = lines
        self._latest = latest

    def postfix_lines(self, wanted: Callable[[bytes], bool]) -> Iterator[RawLine]:
        for line in self._lines:
            if wanted(line.encode()):
                yield RawLine("x", line, self._latest)


def search(lines: Sequence[str], query: str = "taro@example.jp") -> SentFound:
    return SentSearch(parse_query(query), ALWAYS, Log(lines)).run()


def one(lines: Sequence[str], query: str = "taro@example.jp") -> SentMessage:
    [found] = search(lines, query).messages
    return found


def fate(message: SentMessage, *, now: float = NOON + 3600) -> SentMessageFate:
    return sent_fate_of(message, now=now)


def sentence(message: SentMessage, *, now: float = NOON + 3600) -> str:
    return sent_conclusion(message, fate(message, now=now), Speech(japanese=False), str)


# -- times


@pytest.mark.parametrize(
    ("text", "latest", "year"),
    [
        ("Nov 24 12:00:00", "2026-11-24T12:00:01", 2026),
        ("Dec 31 23:59:59", "2027-01-01T00:00:05", 2026),
        ("Jan  1 00:00:01", "2027-01-01T00:00:05", 2027),
        # The other clock is a little ahead.
        ("Jan  1 00:00:01", "2026-12-31T23:59:58", 2027),
        ("Mar  1 00:00:00", "2027-02-20T00:00:00", 2026),
        ("Feb 29 12:00:00", "2027-03-01T00:00:00", 2024),
    ],
)
def test_a_date_without_a_year_is_the_last_one_before_the_end_of_its_log(
    text: str, latest: str, year: int
) -> None:
    found = syslog_time(text, latest=datetime.fromisoformat(latest).timestamp())

    assert found is not None
    assert datetime.fromtimestamp(found).year == year  # noqa: DTZ006


@pytest.mark.parametrize("text", ["Feb 30 12:00:00", "Nov 24 25:00:00", "Nov  0 12:00:00"])
def test_a_date_that_there_never_was_is_none(text: str) -> None:
    assert syslog_time(text, latest=NOON) is None


@pytest.mark.parametrize("text", ["2026-02-30T12:00:00Z", "0001-01-01T00:00:00+23:59"])
def test_a_whole_time_that_there_never_was_is_none(text: str) -> None:
    assert whole_time(text) is None


@pytest.mark.parametrize(
    "before",
    [
        "Nov 24 12:00:00 mail ",
        "2026-11-24T03:00:00.123456+00:00 mail ",
        "2026-11-24T03:00:00.123456789Z Nov 24 12:00:00 mail ",
        "postfix-1  | 2026-11-24T03:00:00.123456789Z Nov 24 12:00:00 mail ",
        "postfix-1  | Nov 24 12:00:00 mail ",
    ],
)
def test_the_line_is_known_behind_whatever_docker_or_syslog_puts_before_it(before: str) -> None:
    found = parse_postfix(before + QUEUED.format(id=ID), latest=NOON + 86_400)

    assert found is not None
    if "Z" in before or "+" in before:
        assert round(found.time, 3) == datetime.fromisoformat("2026-11-24T03:00:00.123+00:00").timestamp()


@pytest.mark.parametrize(
    "line",
    [
        '{"event":"transaction","message_id":"Nov 24 12:00:00 mail postfix/qmgr[1]: A8CFF2647A6: removed"}',
        "Nov 24 12:00:00 mail postfix/smtpd[1]: warning: A8CFF2647A6: removed",
        "Nov 24 12:00:00 mail evil postfix/qmgr[1]: A8CFF2647A6: removed",
        # What a delivery program says is not the queue manager's word.
        "Nov 24 12:00:00 mail postfix/smtp[1]: A8CFF2647A6: removed",
        "Nov 24 12:00:00 mail postfix/cleanup[1]: A8CFF2647A6: client=unknown[192.0.2.1]",
    ],
)
def test_words_that_only_look_like_it_are_no_line_of_postfix(line: str) -> None:
    assert parse_postfix(line, latest=NOON + 86_400) is None


# -- refusals


def test_the_addresses_of_a_refusal_are_those_at_its_end() -> None:
    inner = "a; from=<b@c.example> to=<d@e.example> proto=ESMTP helo=<f>"
    line = (
        f"Nov 24 12:00:00 mail postfix/submission/smtpd[22]: NOQUEUE: reject: RCPT from unknown[100.64.0.7]: "
        f"553 5.7.1 <{inner}@example.jp>: Sender address rejected: not owned by user taro@example.jp; "
        f'from=<"{inner}"@example.jp> to=<x@example.net> proto=ESMTP helo=<[100.64.0.7]>'
    )

    found = parse_postfix(line, latest=NOON + 86_400)

    assert found is not None
    assert isinstance(found.event, Refused)
    assert (found.event.sender, found.event.recipient) == (f'"{inner}"@example.jp', "x@example.net")
    assert found.event.login == "taro@example.jp"
    assert found.event.reply.endswith("not owned by user taro@example.jp")


def test_refusals_that_are_alike_are_one_with_their_number() -> None:
    refused = (
        "postfix/submission/smtpd[22]: NOQUEUE: reject: MAIL from unknown[100.64.0.7]: 552 5.3.4 Message "
        "size exceeds fixed limit; from=<taro@example.jp> proto=ESMTP helo=<pc>"
    )

    found = one(lines(*[refused] * 3))

    assert (found.times, found.last_at - found.began_at) == (3, 120)
    assert fate(found).causes == (SentCause.TOO_LARGE,)
    assert "3 times" in sentence(found)


def test_failed_logins_are_counted_by_name_and_place() -> None:
    failed = "postfix/submissions/smtpd[22]: warning: unknown[{}]: SASL PLAIN authentication failed: "
    reason = "(reason unavailable), sasl_username=taro@example.jp"

    found = search(
        lines(*(failed.replace("{}", place) + reason for place in ("100.64.0.7", "100.64.0.7", "100.64.0.9")))
    )

    assert [(message.client, message.times) for message in found.messages] == [
        ("unknown[100.64.0.7]", 2),
        ("unknown[100.64.0.9]", 1),
    ]
    parsed = parse_postfix(lines(failed.replace("{}", "100.64.0.7") + reason)[0], latest=NOON + 86_400)
    assert parsed is not None
    assert isinstance(parsed.event, LoginFailed)


# -- messages


def test_a_queue_id_that_is_used_again_is_another_message() -> None:
    found = search(lines(TAKEN, QUEUED, SENT, REMOVED, TAKEN, QUEUED, LATER))

    assert [fate(message).fate for message in found.messages] == [SentFate.HANDED_OVER, SentFate.WAITING]


def test_long_queue_ids_are_known_too() -> None:
    found = one(lines(TAKEN, QUEUED, SENT, REMOVED, id_="4bRkzR0LZ9z3Xy1"))

    assert (found.id, fate(found).fate) == ("4bRkzR0LZ9z3Xy1", SentFate.HANDED_OVER)


def test_of_a_message_that_waits_since_and_last_and_until_are_told() -> None:
    found = one(lines(TAKEN, QUEUED, LATER, LATER, LATER, minutes=60))

    said = sentence(found, now=NOON + 5 * 3600)

    assert f"Waiting since {NOON + 7200}, tried 3 times, last at {NOON + 4 * 3600}: 451 4.7.1 later" in said
    assert str(NOON + QUEUE_LIFETIME_SECONDS) in said


def test_after_two_days_postfix_gives_up_and_its_report_is_shown() -> None:
    expired = "postfix/qmgr[20]: {id}: from=<taro@example.jp>, status=expired, returned to sender"
    told = "postfix/bounce[33]: {id}: sender non-delivery notification: D5DA6264112"
    report = [
        "postfix/cleanup[9]: D5DA6264112: message-id=<2026.D5DA6264112@mail.example.jp>",
        "postfix/qmgr[20]: D5DA6264112: from=<>, size=3351, nrcpt=1 (queue active)",
        (
            "postfix/lmtp[32]: D5DA6264112: to=<taro@example.jp>, relay=dovecot[10.0.0.3]:24, delay=0.01, "
            "delays=0/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 <taro@example.jp> mLBVNL/1BW Saved)"
        ),
    ]
    whole = lines(TAKEN, QUEUED, LATER, expired, told, REMOVED, *report, minutes=300)

    for query in ("taro@example.jp", "friend@example.net"):
        found = one(whole, query)
        assert fate(found).fate is SentFate.EXPIRED
        assert sentence(found).endswith("taro@example.jp has a report of it in the mailbox.")


def test_a_message_without_an_end_is_not_said_to_wait_for_ever() -> None:
    found = one(lines(TAKEN, QUEUED, LATER))

    assert fate(found, now=NOON + 2 * 86_400).fate is SentFate.WAITING
    assert fate(found, now=NOON + 4 * 86_400).fate is SentFate.LOST_SIGHT


def test_a_message_of_which_nothing_more_is_known_was_taken_in() -> None:
    assert fate(one(lines(TAKEN))).fate is SentFate.ACCEPTED


def test_lines_that_are_read_twice_count_once() -> None:
    once = lines(TAKEN, QUEUED, LATER)

    assert one([*once, *once]) == one(once)


def test_what_came_before_the_log_began_is_missing_and_no_hindrance() -> None:
    found = one(lines(SENT, REMOVED), "friend@example.net")

    assert (found.sender, fate(found).fate) == ("", SentFate.HANDED_OVER)


def test_recipients_that_went_different_ways_are_told_apart() -> None:
    gone = (
        "postfix/smtp[30]: {id}: to=<gone@example.net>, relay=smtp.sendgrid.net[192.0.2.9]:587, delay=1, "
        "delays=0/0/1/0, dsn=5.1.1, status=bounced (host smtp.sendgrid.net[192.0.2.9] said: 550 5.1.1 no)"
    )
    found = one(lines(TAKEN, QUEUED, SENT, gone, REMOVED))

    said = sentence(found)

    assert fate(found).fate is SentFate.MIXED
    assert said.index("refused for good for gone@example.net (550 5.1.1 no)") < said.index("handed over to")


# -- why


@pytest.mark.parametrize(
    ("transport", "dsn", "said", "cause"),
    [
        (
            "smtp",
            "4.7.8",
            (
                "SASL authentication failed; server smtp.sendgrid.net[192.0.2.9] said: 535 5.7.8 "
                "Authentication credentials invalid"
            ),
            SentCause.RELAY_KEY,
        ),
        (
            "smtp",
            "4.0.0",
            (
                "SASL authentication failed; server smtp.sendgrid.net[192.0.2.9] said: 451 "
                "Authentication failed: Maximum credits exceeded"
            ),
            SentCause.RELAY_PLAN,
        ),
        (
            "smtp",
            "5.0.0",
            (
                "host smtp.sendgrid.net[192.0.2.9] said: 550 The from address does not match a "
                "verified Sender Identity. (in reply to end of DATA command)"
            ),
            SentCause.RELAY_SENDER,
        ),
        ("smtp", "4.4.1", "connect to localhost[127.0.0.1]:23952: Connection refused", SentCause.RELAY_AWAY),
        (
            "error",
            "4.4.1",
            (
                "delivery temporarily suspended: connect to smtp.sendgrid.net[192.0.2.9]:587: "
                "Connection timed out"
            ),
            SentCause.RELAY_AWAY,
        ),
        (
            "error",
            "4.4.1",
            ("delivery temporarily suspended: connect to 10.129.72.3[10.129.72.3]:24: Connection refused"),
            SentCause.MAILBOX_AWAY,
        ),
        (
            "smtp",
            "4.4.2",
            ("lost connection with smtp.sendgrid.net[192.0.2.9] while receiving the initial server greeting"),
            SentCause.RELAY_AWAY,
        ),
        ("smtp", "4.7.5", "Server certificate not verified", SentCause.RELAY_TLS),
        ("smtp", "5.1.1", "host smtp.sendgrid.net[192.0.2.9] said: 550 5.1.1 no", SentCause.RELAY_NO),
        (
            "lmtp",
            "5.1.1",
            "host dovecot[10.0.0.3] said: 550 5.1.1 <x@example.jp> User doesn't exist",
            SentCause.NO_MAILBOX,
        ),
        (
            "lmtp",
            "5.2.2",
            "host dovecot[10.0.0.3] said: 552 5.2.2 <x@example.jp> Quota exceeded",
            SentCause.MAILBOX_FULL,
        ),
        ("lmtp", "4.4.1", "connect to dovecot[10.0.0.3]:24: Connection refused", SentCause.MAILBOX_AWAY),
    ],
)
def test_the_answer_leads_to_what_is_to_be_done(
    transport: str, dsn: str, said: str, cause: SentCause
) -> None:
    status = "bounced" if dsn.startswith("5") else "deferred"
    tried = (
        f"postfix/{transport}[30]: {{id}}: to=<x@example.jp>, relay=none, delay=1, delays=0/0/1/0, "
        f"dsn={dsn}, status={status} ({said})"
    )

    judged = fate(one(lines(TAKEN, QUEUED, tried)))

    assert judged.causes == (cause,)
    for japanese in (False, True):
        assert all(sent_advice(judged, Speech(japanese=japanese)))


def test_names_are_shown_as_people_know_them() -> None:
    assert relay_name("smtp.sendgrid.net[192.0.2.9]:587") == "SendGrid (smtp.sendgrid.net)"
    assert relay_name("smtp.example.com[192.0.2.9]:587") == "smtp.example.com"
    assert client_name("unknown[100.64.0.7]") == "100.64.0.7"
    assert answer("host x[192.0.2.9] said: 451 later (in reply to RCPT TO command)") == "451 later"


def test_every_word_of_a_closed_set_has_its_text_in_both_languages() -> None:
    for speech in (Speech(japanese=False), Speech(japanese=True)):
        for end in SentFate:
            assert speech(f"sent-short-{end.value}")
        for cause in SentCause:
            assert speech(f"sent-cause-{cause.value}")
    assert {state.value for state in SentState} <= {end.value for end in SentFate}


def test_postfix_gives_up_when_its_configuration_says_so() -> None:
    text = (ROOT / "dell-stack" / "postfix" / "main.cf").read_text()

    assert f"maximal_queue_lifetime = {QUEUE_LIFETIME_SECONDS // 86_400}d\n" in text
