"""The script of the sink: what its rules mean, and each misbehaviour as a real client meets it."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.load.behaviour import Act, Behaviour, Rule, RuleError, Stage, parse_rule, parse_script
from mxgw.load.ledger import Entry, Ledger, State, state_of
from tests.load.sinks import RunningSink
from tests.load.test_load_sink import BODY, message
from tests.load.test_load_verify import verify
from tests.rig import clients
from tests.rig.gateway import Gateway
from tests.rig.wire import Wire

TARO, HANAKO, JIRO = "taro@example.jp", "hanako@example.jp", "jiro@example.jp"
HASH = hashlib.sha256(BODY).hexdigest()

# -- the rules


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("content lose", Rule(Stage.CONTENT, Act.LOSE)),
        ("rcpt reply=450", Rule(Stage.RCPT, Act.REPLY, reply="450")),
        (
            "rcpt reply='550 5.1.1 No' match='x*'",
            Rule(Stage.RCPT, Act.REPLY, reply="550 5.1.1 No", match="x*"),
        ),
        ("connect delay=0.5 rate=0.25", Rule(Stage.CONNECT, Act.DELAY, seconds=(0.5, 0.5), rate=0.25)),
        ("middle delay=0.1..2 every=10", Rule(Stage.MIDDLE, Act.DELAY, seconds=(0.1, 2.0), every=10)),
        ("content half then=hang times=3", Rule(Stage.CONTENT, Act.HALF, then=Act.HANG, times=3)),
    ],
)
def test_a_rule_in_words_is_understood_and_says_itself_again(text: str, rule: Rule) -> None:
    assert parse_rule(text) == rule
    assert parse_rule(str(rule)) == rule


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "expected a stage and an act"),
        ("content", "expected a stage and an act"),
        ("dinner lose", "dinner"),
        ("content sing", "sing"),
        ("content lose=1", "lose takes no value"),
        ("rcpt reply", "needs a reply"),
        ("rcpt reply=650", "needs a reply"),
        ("rcpt reply='450 x\ny'", "needs a reply"),
        ("rcpt delay", "needs seconds"),
        ("rcpt delay=2..1", "needs seconds"),
        ("rcpt delay=-1", "no time"),
        ("rcpt lose", "is for the stage content"),
        ("middle garbage", "cannot be in the middle"),
        ("content lose then=delay", "ends with close, reset or hang"),
        ("content close then=hang", "has no other end"),
        ("content lose rate=2", "rate from 0 to 1"),
        ("content lose rate=0.5 every=2", "not both"),
        ("content lose every=-1", "counts from 0"),
        ("mail hang match=a", "knows no recipient"),
        ("content lose rate=often", "often"),
        ("content lose colour=red", "unknown key colour"),
        ("content lose rate", "no key=value"),
        ("content 'lose", "No closing quotation"),
    ],
)
def test_a_rule_that_makes_no_sense_is_told_why(text: str, why: str) -> None:
    with pytest.raises(RuleError, match=why):
        parse_rule(text)


def test_a_script_in_toml_means_the_same() -> None:
    script = """
        [[rule]]
        stage = "rcpt"
        act = "reply"
        reply = "550 5.1.1 No"
        match = "x*"
        [[rule]]
        stage = "connect"
        act = "delay"
        seconds = [0.1, 2]
        rate = 0.25
        [[rule]]
        stage = "content"
        act = "lose"
        then = "reset"
        every = 100
    """

    words = [
        "rcpt reply='550 5.1.1 No' match='x*'",
        "connect delay=0.1..2 rate=0.25",
        "content lose then=reset every=100",
    ]
    assert parse_script(script) == [parse_rule(text) for text in words]


@pytest.mark.parametrize("script", ["[[rule]", "seed = 1", "rule = 1", "[[rule]]\nstage = 'rcpt'"])
def test_a_script_that_makes_no_sense_is_told_too(script: str) -> None:
    with pytest.raises(RuleError):
        parse_script(script)


def behaviour(*rules: str, seed: int = 1) -> Behaviour:
    return Behaviour([parse_rule(rule) for rule in rules], random.Random(seed))


def test_every_n_th_and_at_most_so_often() -> None:
    script = behaviour("rcpt hang every=3 times=2")

    hits = [script.decide(Stage.RCPT).rule is not None for _ in range(12)]

    assert [place for place, hit in enumerate(hits, 1) if hit] == [3, 6]


def test_the_first_rule_that_hits_decides_and_delays_add_up() -> None:
    script = behaviour("rcpt delay=1", "rcpt delay=2", "rcpt close match='a@*'", "rcpt reset", "rcpt delay=4")

    first, second = script.decide(Stage.RCPT, ["a@b"]), script.decide(Stage.RCPT, ["b@b"])

    assert (first.delay, first.rule and first.rule.act) == (3, Act.CLOSE)
    assert (second.delay, second.rule and second.rule.act) == (3, Act.RESET)
    assert script.decide(Stage.MAIL).rule is None


@given(st.integers())
def test_the_same_seed_throws_the_same_dice(seed: int) -> None:
    one, other = (behaviour("mail hang rate=0.5", "mail delay=0..9 rate=0.5", seed=seed) for _ in range(2))

    assert [one.decide(Stage.MAIL) for _ in range(20)] == [other.decide(Stage.MAIL) for _ in range(20)]


def test_a_rate_is_met_about_so_often() -> None:
    script = behaviour("mail hang rate=0.1")

    hits = sum(script.decide(Stage.MAIL).rule is not None for _ in range(10_000))

    assert 800 < hits < 1200


# -- seen by clients


@pytest.mark.parametrize("stage", ["connect", "helo", "mail", "rcpt", "data", "content"])
def test_swaks_meets_a_refusal_at_each_stage(stage: str) -> None:
    with RunningSink(rules=[f"{stage} reply=554"]) as sink:
        sent = clients.swaks(sink.address, message())

        totals = sink.stop()

        assert not sent.accepted
        assert "554 5.0.0 So says the script" in sent.words
        assert totals["acts"][f"{stage} reply"] >= 1
        assert totals["messages"] == 0
        assert [entry.state for entry in sink.entries()] == [State.REFUSED] * (stage == "content")


@pytest.mark.parametrize("stage", ["connect", "helo", "mail", "rcpt", "data", "middle", "content", "quit"])
@pytest.mark.parametrize("act", ["close", "reset"])
def test_a_client_is_left_at_each_stage(stage: str, act: str) -> None:
    with RunningSink(rules=[f"{stage} {act}"]) as sink:
        sent = clients.smtplib_client(sink.address, message())

        totals = sink.stop()

        assert totals["acts"] == {f"{stage} {act}": totals["connections"]}
        assert totals["messages"] == (stage == "quit")
        assert not sent.accepted or stage == "quit"


@pytest.mark.parametrize("stage", ["connect", "rcpt", "middle", "content"])
def test_a_client_waits_in_vain_at_each_stage_and_the_sink_can_still_end(stage: str) -> None:
    with RunningSink(rules=[f"{stage} hang"]) as sink:
        sent = clients.swaks(sink.address, message(), extra=["--timeout", "1s"])

        assert not sent.accepted
        assert sink.stop()["messages"] == 0


@pytest.mark.parametrize("stage", ["connect", "helo", "mail", "rcpt", "data", "content"])
@pytest.mark.parametrize("act", ["garbage then=close", "half"])
def test_no_client_takes_garbage_or_half_a_reply_for_a_reply(stage: str, act: str) -> None:
    with RunningSink(rules=[f"{stage} {act}"]) as sink:
        sent = clients.swaks(sink.address, message(), extra=["--timeout", "1s"])

        totals = sink.stop()

        assert not sent.accepted
        # Half a reply after the content: stored, and the client cannot know.
        states = [entry.state for entry in sink.entries()]
        assert states == [State.UNKNOWN] * (stage == "content" and act.startswith("half"))
        assert totals["unanswered"] == len(states)


def test_half_a_reply_is_half_of_the_reply_that_was_due() -> None:
    with RunningSink(rules=["content half"]) as sink, Wire(sink.address) as wire:
        wire.greet()
        wire.envelope("a@example.org", [TARO])

        with pytest.raises(ConnectionError, match=r"closed by the other side after b'250 2\.0\.'"):
            wire.data(message())


@pytest.mark.parametrize("stage", ["connect", "helo", "mail", "rcpt", "data", "middle", "content", "quit"])
def test_a_delay_is_waited_for_and_then_all_is_well(stage: str) -> None:
    with RunningSink(rules=[f"{stage} delay=0.3"]) as sink:
        began = time.monotonic()
        sent = clients.swaks(sink.address, message())
        seconds = time.monotonic() - began

        assert sent.accepted, sent.words
        assert seconds >= 0.3
        assert sink.stop()["messages"] == 1


@pytest.mark.parametrize("then", ["close", "reset", "hang"])
def test_a_message_is_stored_and_its_reply_lost(then: str) -> None:
    with RunningSink(rules=[f"content lose then={then}"]) as sink:
        sent = clients.swaks(sink.address, message(), extra=["--timeout", "1s"])

        totals = sink.stop()

        assert not sent.accepted
        assert [entry.state for entry in sink.entries()] == [State.UNKNOWN]
        assert (totals["messages"], totals["unanswered"]) == (1, 1)


def test_pipelined_commands_wait_for_the_delay_before_them_and_are_answered_in_order() -> None:
    with RunningSink(rules=["rcpt delay=0.1", "rcpt reply=450 every=2"]) as sink, Wire(sink.address) as wire:
        wire.greet()

        replies = wire.envelope("a@example.org", [TARO, HANAKO, JIRO])

        assert [reply[:3] for reply in replies] == ["250", "250", "450", "250"]
        assert wire.data(message()).startswith("250")
        sink.stop()
        assert [entry.recipient for entry in sink.entries()] == [TARO, JIRO]


def test_421_is_followed_by_the_end_of_the_connection() -> None:
    with RunningSink(rules=["mail reply=421"]) as sink, Wire(sink.address) as wire:
        wire.greet()
        assert wire.command("MAIL FROM:<>").startswith("421")

        with pytest.raises(ConnectionError):
            wire.reply()


def test_bdat_is_refused_and_read_to_its_end_and_so_are_those_behind_it() -> None:
    with RunningSink(rules=["data reply=451 times=1"]) as sink, Wire(sink.address) as wire:
        wire.greet()
        wire.envelope("a@example.org", [TARO])
        wire.send(b"BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")

        replies = [wire.reply() for _ in range(3)]

        assert [reply[:3] for reply in replies] == ["451", "503", "250"]
        wire.envelope("a@example.org", [TARO])
        assert wire.bdat(message()).startswith("250")


def test_in_the_middle_it_stops_reading() -> None:
    with RunningSink(rules=["middle hang"]) as sink, Wire(sink.address, seconds=1.0) as wire:
        wire.greet()
        wire.envelope("a@example.org", [TARO])
        wire.command("DATA")

        with pytest.raises(TimeoutError):
            wire.send(b"x" * 78 * 1000_000)


def test_in_the_middle_it_may_refuse_and_go() -> None:
    with RunningSink(rules=["middle reply='452 4.3.1 Full'"]) as sink, Wire(sink.address) as wire:
        wire.greet()
        wire.envelope("a@example.org", [TARO])
        wire.command("DATA")
        wire.send(b"Subject: x\r\n")

        assert wire.reply() == "452 4.3.1 Full"


def test_starttls_may_be_refused_and_xclient_too() -> None:
    with RunningSink(rules=["starttls reply=454"]) as sink, Wire(sink.address) as wire:
        wire.greet()
        assert wire.starttls().startswith("454")
        assert wire.command("NOOP").startswith("250")
    with RunningSink(rules=["xclient reply=550"], lmtp=True) as sink, Wire(sink.address) as wire:
        wire.greet("LHLO")
        assert wire.command("XCLIENT ADDR=192.0.2.1").startswith("550")
        assert wire.envelope("a@example.org", [TARO])[0].startswith("250")


# -- LMTP: each recipient for itself


def test_lmtp_recipients_get_answers_of_their_own() -> None:
    rules = ["content reply='552 5.2.2 Full' match='hanako*'", "content reply=451 match='jiro@*'"]
    with RunningSink(rules=rules, lmtp=True) as sink, Wire(sink.address) as wire:
        wire.greet("LHLO")
        wire.envelope("a@example.org", [TARO, HANAKO, JIRO])

        replies = [wire.data(message()), wire.reply(), wire.reply()]

        assert [reply[:3] for reply in replies] == ["250", "552", "451"]
        totals = sink.stop()
        assert [entry.state for entry in sink.entries()] == [
            State.ACKNOWLEDGED,
            State.REFUSED,
            State.DEFERRED,
        ]
        assert (totals["copies"], totals["refused"], totals["deferred"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("act", "states"),
    [
        ("lose", [State.ACKNOWLEDGED, State.UNKNOWN, State.UNKNOWN]),
        ("half", [State.ACKNOWLEDGED, State.UNKNOWN, State.UNKNOWN]),
        ("close", [State.ACKNOWLEDGED]),
    ],
)
def test_lmtp_replies_stop_in_the_middle(act: str, states: list[State]) -> None:
    with RunningSink(rules=[f"content {act} match='hanako*'"], lmtp=True) as sink, Wire(sink.address) as wire:
        wire.greet("LHLO")
        wire.envelope("a@example.org", [TARO, HANAKO, JIRO])

        assert wire.data(message()).startswith("250")
        with pytest.raises(ConnectionError):
            wire.reply()

        sink.stop()
        assert [entry.state for entry in sink.entries()] == states


# -- the gateway in front of it: nothing it is told here may become a promise or a bounce


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("content reply=451", "451"),
        ("content reply=550", "550"),
        ("content lose", "451"),
        ("content lose then=reset", "451"),
        ("content half", "451"),
        ("content garbage", "451"),
        ("content reset", "451"),
        ("middle reset", "451"),
        ("connect garbage", "451"),
        ("mail close", "451"),
        ("rcpt reply=550", "550"),
    ],
)
def test_what_the_gateway_makes_of_it(rule: str, code: str) -> None:
    with (
        RunningSink(rules=[rule], lmtp=True) as sink,
        Gateway(sink.url, relay_seconds="5", connect_seconds="2") as gateway,
    ):
        sent = clients.swaks(gateway.smtp, message())

        assert not sent.accepted
        assert f"<** {code} " in sent.words, sent.words
        assert gateway.tracebacks() == []


def test_what_the_gateway_acknowledges_is_stored_whatever_the_sink_does(tmp_path: Path) -> None:
    rules = [
        "content lose rate=0.05",
        "content half rate=0.05",
        "content reply=451 rate=0.05",
        "content reset rate=0.05",
        "middle close rate=0.05",
        "rcpt reply=450 rate=0.05",
        "mail garbage rate=0.02 then=close",
        "connect close rate=0.1",
    ]
    answers: Counter[str] = Counter()
    sent = tmp_path / "sent"
    with (
        RunningSink("--seed", "3", rules=rules, lmtp=True) as sink,
        Gateway(sink.url, relay_seconds="5", connect_seconds="2") as gateway,
        Ledger(sent) as ledger,
    ):
        for number in range(200):
            with Wire(gateway.smtp) as wire:
                wire.greet()
                replies = wire.envelope("a@example.org", [TARO])
                answer = next((one for one in replies if not one.startswith("250")), "")
                answer = answer or wire.data(message(number))
            code = int(answer[:3])
            answers[answer[:3]] += 1
            ledger.append(Entry(f"run-0-{number}", TARO, HASH, len(BODY), state_of(code), code, time.time()))
        ledger.flush()
        sink.stop()

        done = verify(str(sent), "--sink", str(sink.ledger))

        print(f"\nanswers {dict(answers)}, acts {sink.totals['acts']}; {done.stdout}")
        assert answers.keys() == {"250", "451"}
        assert (done.returncode, done.stderr) == (0, "")
        told = json.loads(done.stdout)
        assert (told["sent"], told["acknowledged"], told["lost"]) == (200, answers["250"], 0)
        # Kept, and the reply lost on purpose: the gateway said 451, and a sender would come again.
        assert told["stored-though-deferred"] == sink.totals["unanswered"] > 0
