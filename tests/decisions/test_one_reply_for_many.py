"""One reply for many recipients: every vector of home's answers for up to four recipients."""

import itertools

import pytest

from mxgw import policy
from mxgw.envelope import ForwardPath
from mxgw.outcome import Decision, HomeAnswer, Trouble
from mxgw.policy import Reason
from mxgw.reply import Reply

STORED = HomeAnswer(Reply.of(250, "2.0.0", "Saved"))
REFUSED = HomeAnswer(Reply.of(550, "5.1.1", "User doesn't exist"))
REFUSED_OTHERWISE = HomeAnswer(Reply.of(552, "5.2.2", "Quota exceeded"))
DEFERRED = HomeAnswer(Reply.of(451, "4.2.0", "Internal error"))
UNKNOWN = HomeAnswer(trouble=Trouble.CLOSED)
KINDS = (STORED, REFUSED, REFUSED_OTHERWISE, DEFERRED, UNKNOWN)
VECTORS = [vector for n in range(1, 5) for vector in itertools.product(KINDS, repeat=n)]
PATHS = tuple(ForwardPath(name, "example.jp") for name in ("taro", "hanako", "jiro", "yuki"))
ONE_DAY_AND_AN_HOUR = 25 * 3600.0


def answer(vector, *, deferred=False, age_seconds=None):
    return policy.answer(
        vector, PATHS[: len(vector)], deferred=deferred, age_seconds=lambda: age_seconds, transaction_id="abc"
    )


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize("age_seconds", [None, 0.0, ONE_DAY_AND_AN_HOUR])
def test_every_vector_gets_the_reply_of_the_written_table(deferred, age_seconds):
    for vector in VECTORS:
        verdict = answer(vector, deferred=deferred, age_seconds=age_seconds)
        (reply,) = verdict.replies
        stored = [item for item in vector if item is STORED]
        refused = [item for item in vector if item in (REFUSED, REFUSED_OTHERWISE)]
        old = age_seconds == ONE_DAY_AND_AN_HOUR

        if len(stored) == len(vector):
            assert reply.code == 250, vector
        elif len(refused) == len(vector):
            assert (reply.code == 451) if deferred else reply.permanent, vector
        elif stored and len(stored) + len(refused) == len(vector):
            assert (reply.code == 554) if old and not deferred else (reply.code == 451), vector
        else:
            assert reply.code == 451, vector


def test_it_is_2xx_exactly_where_all_have_it():
    for vector in VECTORS:
        positive = answer(vector).replies[0].positive

        assert positive == all(item is STORED for item in vector)


def test_classes_of_code_status_and_decision_agree():
    expected = {2: Decision.ACCEPT, 4: Decision.DEFER, 5: Decision.REJECT}
    for vector in VECTORS:
        verdict = answer(vector)
        (reply,) = verdict.replies

        assert reply.status[0] == str(reply.code)[0]
        assert verdict.decision is expected[reply.code // 100]


def test_unknown_answers_never_make_a_5xx():
    for vector in VECTORS:
        if UNKNOWN in vector:
            for deferred, age in itertools.product((False, True), (None, ONE_DAY_AND_AN_HOUR)):
                assert not answer(vector, deferred=deferred, age_seconds=age).replies[0].permanent
            assert policy.answer_each(
                vector, PATHS[: len(vector)], deferred=False, transaction_id="abc"
            ).replies[-1].code in (250, 451)


def test_no_5xx_leaves_in_a_transaction_in_which_a_rcpt_was_deferred():
    for vector in VECTORS:
        assert not answer(vector, deferred=True, age_seconds=ONE_DAY_AND_AN_HOUR).replies[0].permanent


def test_a_common_refusal_keeps_its_code_and_words():
    verdict = answer((REFUSED, REFUSED))

    assert verdict.replies == (Reply.of(550, "5.1.1", "No such mailbox here #M34"),)
    assert verdict.reason is Reason.HOME_REFUSED


def test_different_refusals_name_each_recipient():
    (reply,) = answer((REFUSED, REFUSED_OTHERWISE)).replies

    assert (reply.code, reply.status) == (554, "5.0.0")
    assert reply.lines == (
        "<taro@example.jp> No such mailbox here #M34",
        "<hanako@example.jp> The mailbox is full #M35",
    )


def test_an_old_mixed_message_names_who_was_refused_and_who_has_it():
    (reply,) = answer((STORED, REFUSED), age_seconds=ONE_DAY_AND_AN_HOUR).replies

    assert "<hanako@example.jp> No such mailbox here #M34" in reply.lines
    assert "<taro@example.jp> has it" in reply.lines


@pytest.mark.parametrize("deferred", [False, True])
def test_prdr_gives_one_line_per_recipient_and_a_final_reply_no_harder_than_the_mildest(deferred):
    for vector in VECTORS:
        paths = PATHS[: len(vector)]
        verdict = policy.answer_each(vector, paths, deferred=deferred, transaction_id="abc")
        first, *lines, final = verdict.replies

        assert first.code == 353
        assert len(lines) == len(vector)
        for line, item, path in zip(lines, vector, paths, strict=True):
            assert str(path) in line.lines[0]
            assert line.positive == item.stored
            assert line.permanent == item.refused
        if any(item.stored for item in vector):
            assert final.positive
        elif all(item.refused for item in vector) and not deferred:
            assert final.permanent
        else:
            assert final.transient


def test_lmtp_replies_are_home_s_one_to_one():
    replies = policy.each_reply((STORED, REFUSED, DEFERRED, UNKNOWN))

    assert [reply.code for reply in replies] == [250, 550, 451, 451]


@pytest.mark.parametrize(
    ("said", "passed"),
    [
        ("<u3@example.jp> User doesn't exist: u3@example.jp", "No such mailbox here #M34"),
    ],
)
def test_known_statuses_are_said_in_our_words(said, passed):
    assert policy.passed_on(Reply.of(550, "5.1.1", said)).lines == (passed,)


@pytest.mark.parametrize(
    "said",
    [
        "Rejected by dell.tail1234.ts.net",
        "Rejected by dell.tail1234.ts.net:2525",
        "Rejected [192.168.1.4]",
        "Rejected 192.168.1.4 fd7a:115c::1",
        "Rejected /var/mail/vhosts/example.jp/taro",
        "Rejected <taro@inner.example> (backend3)",
    ],
)
def test_inner_names_do_not_leave(said):
    text = policy.passed_on(Reply.of(554, "5.7.1", said)).lines[0]

    assert text.startswith("Rejected")
    for inner in ("ts.net", "192.", "fd7a", "/var", "inner.example", "backend3"):
        assert inner not in text


def test_no_word_dangles_where_an_inner_name_was():
    text = policy.passed_on(Reply.of(554, "5.7.1", "Looks like spam by rspamd.inner.example")).lines[0]

    assert text == "Looks like spam #M78"


def test_home_s_long_words_are_shortened():
    text = policy.passed_on(Reply.of(554, "5.7.1", "spam " * 200)).lines[0]

    assert 0 < len(text) <= policy.MAX_PASSED_TEXT


def test_a_reply_without_status_gets_the_general_one():
    assert policy.passed_on(Reply.of(550, "", "no")).status == "5.0.0"


def test_mail_is_refused_before_the_octets_travel():
    def reply(*, home=True, declared=None, free=1000):
        return policy.mail_reply(
            home_available=home, declared_octets=declared, max_octets=500, spool_free_octets=free
        )

    assert reply() is None
    assert reply(declared=500) is None
    assert reply(declared=501).code == 552
    assert reply(home=False).code == 451
    assert reply(free=0).code == 452
    assert reply(declared=400, free=300).code == 452


@pytest.mark.parametrize(
    ("home", "told"),
    [
        ("550 5.2.1 closed", "This mailbox is closed #M34"),
        ("451 4.2.1 busy", "This mailbox takes no mail just now; please try again later #M74"),
        ("552 5.2.2 quota", "The mailbox is full #M35"),
        ("452 4.2.2 quota", "The mailbox is full #M35"),
        ("450 4.1.1 lookup failed", "lookup failed #M74"),
    ],
)
def test_what_is_so_just_now_is_not_told_as_if_it_were_for_good(home: str, told: str) -> None:
    code, status, text = home.split(" ", 2)

    assert policy.passed_on(Reply.of(int(code), status, text)).lines == (told,)
