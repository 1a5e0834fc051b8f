"""The load client by its transcripts: what it says to which reply, and what it makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.load.client import Client, Habits, Wish
from mxgw.load.letter import Letter
from mxgw.load.replies import Replies, Stage

EHLO = (
    "250-sink\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE\r\n250 STARTTLS"
)
OLD = "250 sink"


def habits(**values: object) -> Habits:
    return Habits(helo="client.example.org", sender="a@example.org", **values)  # type: ignore[arg-type]


def letter(*, recipients: int = 1, hang_up: Stage | None = None, **values: object) -> Letter:
    names = [f"r{number}@example.jp" for number in range(recipients)]
    return Letter(
        identity="run-0-1",
        recipients=names,
        rcpt_lines=[f"RCPT TO:<{name}>\r\n".encode() for name in names],
        pieces=(b"Subject: load\r\n\r\n", b"0123456789\r\n"),
        octets=29,
        wire_octets=29,
        hash="",
        body_octets=12,
        hang_up=hang_up,
        **values,  # type: ignore[arg-type]
    )


CONTENT = "Subject: load\r\n\r\n0123456789\r\n"


class Talk:
    """A client with a letter; ``says`` gives one write for each group of replies."""

    def __init__(self, own: Habits, *letters: Letter, last: bool = True) -> None:
        self.replies = Replies()
        self.client = Client(own, self.replies)
        self.letters = list(letters)
        self.finished: list[Letter] = []
        self._last = last
        self._begin()

    def says(self, *replies: str) -> str:
        self.client.receive("".join(f"{reply}\r\n" for reply in replies).encode())
        return self.said()

    def said(self) -> str:
        out = b"".join(self.client.out).decode()
        self.client.out = []
        if self.client.finished is not None:
            self.finished.append(self.client.finished)
            self.client.finished = None
            if self.client.idle and self.letters:
                self._begin()
                return out + self.said()
        return out

    def _begin(self) -> None:
        one = self.letters.pop(0)
        self.client.begin(one, last=self._last and not self.letters)


def test_with_pipelining_a_message_takes_two_writes_and_quit_goes_behind_the_content() -> None:
    talk = Talk(habits(), letter(recipients=2))

    assert talk.says("220 sink") == "EHLO client.example.org\r\n"
    assert talk.says(EHLO) == (
        "MAIL FROM:<a@example.org> SIZE=29\r\nRCPT TO:<r0@example.jp>\r\nRCPT TO:<r1@example.jp>\r\nDATA\r\n"
    )
    assert talk.says("250 ok", "250 ok", "250 ok", "354 go") == f"{CONTENT}.\r\nQUIT\r\n"
    assert talk.says("250 stored", "221 bye") == ""
    assert talk.finished[0].codes == [250, 250]
    assert talk.client.wish is Wish.CLOSE


def test_without_pipelining_each_command_waits_for_its_reply() -> None:
    talk = Talk(habits(pipelining=False), letter(recipients=2))

    writes = [talk.says(reply) for reply in ("220 sink", EHLO, "250 a", "250 b", "250 c", "354 d", "250 e")]

    assert writes == [
        "EHLO client.example.org\r\n",
        "MAIL FROM:<a@example.org> SIZE=29\r\n",
        "RCPT TO:<r0@example.jp>\r\n",
        "RCPT TO:<r1@example.jp>\r\n",
        "DATA\r\n",
        f"{CONTENT}.\r\n",
        "QUIT\r\n",
    ]


def test_pipelining_is_not_used_where_it_is_not_offered() -> None:
    talk = Talk(habits(), letter())
    talk.says("220 sink")

    assert talk.says(OLD) == "MAIL FROM:<a@example.org>\r\n"


def test_with_bdat_all_of_a_message_is_one_write() -> None:
    talk = Talk(habits(bdat=True), letter())
    talk.says("220 sink")

    assert talk.says(EHLO) == (
        f"MAIL FROM:<a@example.org> SIZE=29\r\nRCPT TO:<r0@example.jp>\r\nBDAT 29 LAST\r\n{CONTENT}QUIT\r\n"
    )
    assert talk.says("250 a", "250 b", "250 stored", "221 bye") == ""
    assert talk.finished[0].codes == [250]


def test_bdat_in_lock_step_begins_after_the_last_recipient() -> None:
    talk = Talk(habits(bdat=True, pipelining=False), letter(recipients=2))
    talk.says("220 sink")

    writes = [talk.says(reply) for reply in (EHLO, "250 a", "550 no", "250 c", "250 stored")]

    assert writes[-2:] == [f"BDAT 29 LAST\r\n{CONTENT}", "QUIT\r\n"]
    assert talk.finished[0].codes == [550, 250]


def test_lmtp_has_a_reply_for_each_recipient_that_was_taken() -> None:
    talk = Talk(habits(lmtp=True), letter(recipients=3))

    assert talk.says("220 sink") == "LHLO client.example.org\r\n"
    talk.says(EHLO)
    talk.says("250 a", "250 b", "550 c", "250 d", "354 e")
    talk.says("250 stored")
    assert talk.finished == []
    talk.says("452 full")
    assert talk.finished[0].codes == [250, 550, 452]


def test_a_letter_follows_in_the_same_session_and_the_last_one_says_quit() -> None:
    talk = Talk(habits(), letter(), letter(), last=True)
    talk.says("220 sink")
    talk.says(EHLO)
    assert talk.says("250 a", "250 b", "354 c") == f"{CONTENT}.\r\n"

    assert talk.says("250 stored").startswith("MAIL FROM")
    assert talk.says("250 a", "250 b", "354 c") == f"{CONTENT}.\r\nQUIT\r\n"


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("pipelined", "in_lock_step", "codes", "resets"),
    [
        (["550 5.7.1 no", "503 x", "503 x", "503 x"], ["550 5.7.1 no"], [550, 550], False),
        (["250 a", "550 b", "450 c", "503 x"], ["250 a", "550 b", "450 c"], [550, 450], True),
        (["250 a", "250 b", "550 c", "451 d"], ["250 a", "250 b", "550 c", "451 d"], [451, 550], True),
        # RFC 2920 section 3.1: a server may say 354 though nobody is left.
        (["250 a", "550 b", "550 c", "354 d", "554 e"], ["250 a", "550 b", "550 c"], [550, 550], True),
    ],
)
def test_after_a_refusal_the_next_letter_begins_clean(
    pipelining: bool, pipelined: Sequence[str], in_lock_step: Sequence[str], codes: list[int], resets: bool
) -> None:
    talk = Talk(habits(pipelining=pipelining), letter(recipients=2), letter())
    talk.says("220 sink")
    talk.says(EHLO)

    writes = [talk.says(reply) for reply in (pipelined if pipelining else in_lock_step)]

    assert talk.finished[0].codes == codes
    assert writes[-1].startswith("RSET\r\n" if resets or pipelining else "MAIL FROM")
    if not pipelining and resets:
        assert talk.says("250 flushed").startswith("MAIL FROM")


@pytest.mark.parametrize(
    ("stage", "dialogue", "last_write"),
    [
        (Stage.CONNECT, [], ""),
        (Stage.HELO, ["220 sink", EHLO], ""),
        (Stage.MAIL, ["220 sink", EHLO, "250 a"], ""),
        (Stage.RCPT, ["220 sink", EHLO, "250 a\r\n250 b"], ""),
        (Stage.DATA, ["220 sink", EHLO, "250 a\r\n250 b\r\n354 c"], ""),
        (Stage.MIDDLE, ["220 sink", EHLO, "250 a\r\n250 b\r\n354 c"], CONTENT[:14]),
        (Stage.CONTENT, ["220 sink", EHLO, "250 a\r\n250 b\r\n354 c"], f"{CONTENT}.\r\n"),
    ],
)
def test_it_hangs_up_where_it_was_told_to(stage: Stage, dialogue: Sequence[str], last_write: str) -> None:
    talk = Talk(habits(), letter(hang_up=stage))
    write = talk.said()

    for reply in dialogue:
        assert talk.client.wish is Wish.NOTHING
        write = talk.says(reply)

    assert talk.client.wish is Wish.HANG_UP
    assert write == last_write
    assert talk.finished[0].hung_up
    assert talk.finished[0].content_sent == (stage is Stage.CONTENT)


def test_a_hang_up_in_place_of_quit_comes_after_the_acknowledgement() -> None:
    talk = Talk(habits(), letter(hang_up=Stage.QUIT))
    talk.says("220 sink")
    talk.says(EHLO)
    talk.says("250 a", "250 b", "354 c")

    assert talk.says("250 stored") == ""
    assert talk.client.wish is Wish.HANG_UP
    assert talk.finished[0].codes == [250]
    assert not talk.finished[0].hung_up


def test_starttls_begins_the_session_anew_and_forgets_what_came_in_clear() -> None:
    talk = Talk(habits(starttls=True), letter())
    talk.says("220 sink")
    assert talk.says(EHLO) == "STARTTLS\r\n"

    assert talk.says("220 go", "250 injected") == ""
    assert talk.client.wish is Wish.TLS
    talk.client.secured()

    assert talk.said() == "EHLO client.example.org\r\n"
    assert talk.says(EHLO).startswith("MAIL FROM")


def test_smtputf8_says_so_in_mail() -> None:
    talk = Talk(habits(smtputf8=True), letter())
    talk.says("220 sink")

    assert talk.says(EHLO).startswith("MAIL FROM:<a@example.org> SIZE=29 SMTPUTF8 BODY=8BITMIME\r\n")


@pytest.mark.parametrize(
    ("own", "word"),
    [
        (habits(starttls=True), "STARTTLS"),
        (habits(bdat=True), "CHUNKING"),
        (habits(smtputf8=True), "SMTPUTF8"),
    ],
)
def test_what_the_run_is_about_must_be_offered(own: Habits, word: str) -> None:
    talk = Talk(own, letter())
    talk.says("220 sink")

    assert talk.says(OLD) == ""

    assert talk.client.complaint == f"the server does not offer {word}"
    assert talk.client.wish is Wish.CLOSE


@pytest.mark.parametrize("dialogue", [["554 no"], ["220 a", "502 no"], ["421 busy"], ["220 a", "421 busy"]])
def test_a_server_that_will_not_talk_decides_for_all_recipients(dialogue: Sequence[str]) -> None:
    talk = Talk(habits(), letter(recipients=2))

    for reply in dialogue:
        talk.says(reply)

    assert talk.finished[0].codes == [int(dialogue[-1][:3])] * 2
    assert talk.client.wish is Wish.CLOSE


@pytest.mark.parametrize(
    "octets", [b"\xff\x00garbage\r\n", b"999 no\r\n", b"25\r\n", b"250ok\r\n", b"x" * 70_000]
)
def test_what_is_no_reply_ends_the_session(octets: bytes) -> None:
    talk = Talk(habits(), letter())

    talk.client.receive(octets)
    talk.said()

    assert talk.finished[0].codes == [0]
    assert talk.finished[0].trouble
    assert talk.client.wish is Wish.CLOSE


def test_421_in_the_middle_ends_the_session_and_is_the_reply() -> None:
    talk = Talk(habits(), letter(recipients=2))
    talk.says("220 sink")
    talk.says(EHLO)

    talk.says("250 a", "250 b", "421 going down", "503 x")

    assert talk.finished[0].codes == [421, 421]
    assert not talk.finished[0].content_sent
    assert talk.client.wish is Wish.CLOSE


def test_replies_are_counted_by_stage_and_code_with_the_first_text_of_each_refusal() -> None:
    talk = Talk(habits(), letter(recipients=2))
    talk.says("220 sink")
    talk.says(EHLO)
    talk.says("250 a", "550 5.1.1 No such user", "550 5.1.1 Nor this one", "503 x")

    assert talk.replies.counts == {
        (Stage.CONNECT, 220): 1,
        (Stage.HELO, 250): 1,
        (Stage.MAIL, 250): 1,
        (Stage.RCPT, 550): 2,
        (Stage.DATA, 503): 1,
    }
    assert talk.replies.texts[Stage.RCPT, 550] == "5.1.1 No such user"


@given(cuts=st.lists(st.integers(1, 200), max_size=8))
def test_it_does_not_matter_how_the_octets_come(cuts: list[int]) -> None:
    talk = Talk(habits(), letter())
    octets = f"220 sink\r\n{EHLO}\r\n250 a\r\n250 b\r\n354 c\r\n250-so\r\n250 stored\r\n221 bye\r\n".encode()
    said = ""

    for cut in [*cuts, len(octets)]:
        talk.client.receive(octets[:cut])
        octets = octets[cut:]
        said += talk.said()

    assert talk.finished[0].codes == [250]
    assert said.endswith(f"DATA\r\n{CONTENT}.\r\nQUIT\r\n")


@given(st.binary(max_size=400))
def test_any_octets_leave_it_in_a_known_state(octets: bytes) -> None:
    talk = Talk(habits(), letter())

    talk.client.receive(octets)
    talk.said()

    assert talk.client.wish in (Wish.NOTHING, Wish.CLOSE)
    assert bool(talk.finished) == (talk.client.wish is Wish.CLOSE)
