"""The dialogue as a pure object: whatever home answers, replies are counted and nobody gets another's."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mxgw.dialogue import Dialogue, Prelude, Purpose
from mxgw.envelope import MailParameters
from mxgw.lmtp import Extensions
from mxgw.outcome import HomeAnswer, Trouble
from mxgw.reply import Reply
from tests.relay.support import SENDER, mailbox

EXTENSIONS = st.sets(st.sampled_from(["PIPELINING", "CHUNKING"])).map(
    lambda words: Extensions(frozenset(words))
)
PRELUDES = st.builds(
    Prelude,
    reset=st.booleans(),
    xclient=st.sampled_from([b"", b"XCLIENT HELO=x\r\n"]),
    lhlo=st.just(b"LHLO edge.example\r\n"),
    another_client=st.booleans(),
)
CODES = st.lists(
    st.sampled_from([220, 250, 250, 250, 251, 354, 354, 421, 450, 451, 500, 503, 550, 554]), max_size=20
)


def numbered(codes: list[int]) -> list[Reply]:
    """Each reply tells its place, so that an answer shows whose it was."""
    return [Reply.of(code, "", f"reply {place}") for place, code in enumerate(codes)]


class Home:
    """Answers one command after the other out of a list, as a server on the wire would be seen."""

    def __init__(self, dialogue: Dialogue, replies: list[Reply]) -> None:
        self.dialogue = dialogue
        self.replies = replies
        self.taken = 0
        self.wire = dialogue.opening()
        self.content_sent_at: int | None = None

    def play(self) -> None:
        for reply in self.replies:
            if self.dialogue.content_due and self.content_sent_at is None and not self.dialogue.finished:
                self.content_sent_at = self.taken
                self.dialogue.content_was_sent()
            if self.dialogue.finished:
                return
            self.wire += self.dialogue.receive(reply)
            self.taken += 1


@settings(max_examples=500)
@given(st.sampled_from(Purpose), EXTENSIONS, PRELUDES, st.integers(1, 4), CODES)
def test_whatever_home_answers_every_recipient_gets_one_answer_that_was_meant_for_it(
    purpose: Purpose, extensions: Extensions, prelude: Prelude, recipients: int, codes: list[int]
) -> None:
    paths = [mailbox(f"user{number}") for number in range(recipients)]
    dialogue = Dialogue(purpose, extensions, SENDER, paths, MailParameters(), 10, prelude)
    home = Home(dialogue, numbered(codes))

    home.play()
    whole = dialogue.finished
    dialogue.fail(Trouble.CLOSED)

    assert dialogue.finished
    answers = dialogue.answers()
    assert len(answers) == recipients
    assert HomeAnswer(trouble=Trouble.INTERNAL) not in answers
    replies = [answer.reply for answer in answers if answer.reply]
    # No reply is used twice, each was given, in the order of the recipients within a stage.
    assert len(set(map(str, replies))) == len(replies)
    assert set(replies) <= set(home.replies[: home.taken])
    assert not {reply.code for reply in replies} & {354, 421, 500, 503}
    if purpose is Purpose.DELIVER and any(answer.stored for answer in answers):
        assert home.content_sent_at is not None
    if whole and not dialogue.odd:
        assert home.taken == replies_owed(home)


def replies_owed(home: Home) -> int:
    """How many replies a server owes for what was sent: RFC 2033 section 4.2, counted from the wire alone."""
    verbs = [line.split(b" ")[0] for line in home.wire.split(b"\r\n") if line]
    commands = [verb for verb in verbs if verb not in {b"BDAT", b"."}]
    mail, recipients = commands.index(b"MAIL"), commands.count(b"RCPT")
    accepted = sum(reply.positive for reply in home.replies[mail + 1 : mail + 1 + recipients])
    if not home.replies[mail].positive:
        accepted = 0
    if b"BDAT" in verbs:
        return len(commands) + max(1, accepted)
    if b"." in verbs:
        return len(commands) + 1
    return len(commands) + (accepted if home.content_sent_at is not None else 0)


@settings(max_examples=500)
@given(EXTENSIONS, st.integers(1, 4), CODES, st.integers(0, 12))
def test_a_failure_at_any_point_keeps_what_was_answered_before(
    extensions: Extensions, recipients: int, codes: list[int], cut: int
) -> None:
    paths = [mailbox(f"user{number}") for number in range(recipients)]

    def played(number: int) -> Dialogue:
        dialogue = Dialogue(Purpose.DELIVER, extensions, SENDER, paths, MailParameters(), 10)
        Home(dialogue, numbered(codes)[:number]).play()
        dialogue.fail(Trouble.TIMEOUT)
        return dialogue

    before, after = played(cut).answers(), played(cut + 1).answers()

    for earlier, later in zip(before, after, strict=True):
        assert later == earlier or earlier.trouble


SAYS = st.sampled_from([250, 450, 550])


@settings(max_examples=500)
@given(
    st.sampled_from(Purpose), EXTENSIONS, PRELUDES, SAYS, st.lists(SAYS, min_size=1, max_size=4), st.data()
)
def test_an_honest_home_never_costs_a_connection(
    purpose: Purpose,
    extensions: Extensions,
    prelude: Prelude,
    mail: int,
    recipients: list[int],
    data: st.DataObject,
) -> None:
    paths = [mailbox(f"user{number}") for number in range(len(recipients))]
    dialogue = Dialogue(purpose, extensions, SENDER, paths, MailParameters(), 10, prelude)
    before = (1 if prelude.reset else 0) + (2 if prelude.xclient else 0)
    codes = [250] * before + [mail]
    accepted = recipients.count(250) if mail == 250 else 0
    if mail == 250:
        codes += recipients
    elif extensions.pipelining:
        codes += [503] * len(recipients)
    if purpose is Purpose.ASK:
        codes += [250] if mail == 250 or extensions.pipelining else []
    elif not accepted:
        nobody = [503] if extensions.chunking else data.draw(st.sampled_from([[503], [354, 554], [354, 503]]))
        codes += nobody if extensions.pipelining else []
    elif extensions.chunking or data.draw(st.booleans()):
        codes += [] if extensions.chunking else [354]
        codes += data.draw(st.lists(SAYS, min_size=accepted, max_size=accepted))
    else:
        codes += [451]
    home = Home(dialogue, numbered(codes))

    home.play()

    assert dialogue.finished
    assert not dialogue.odd
    assert home.taken == len(codes) == replies_owed(home)
