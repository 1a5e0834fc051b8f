"""Some recipients take the message, others refuse it after DATA: real queues in front, real Dovecot behind.

When all retries are over each good mailbox has one copy and each refused one a bounce, whoever sends.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.rig import specimen
from tests.rig.dovecot import Dovecot
from tests.rig.gateway import Gateway
from tests.rig.homeserver import HomeServer
from tests.rig.process import wait_until
from tests.rig.queues import EximQueue, PostfixQueue, QueueService
from tests.rig.tap import Conversation, Side, Tap
from tests.rig.wire import Wire, stuffed

QUEUES: dict[str, Callable[..., QueueService]] = {
    "Postfix": PostfixQueue,
    "Exim without PRDR": lambda gateway, **options: EximQueue(gateway, prdr=False, **options),
    "Exim with PRDR": EximQueue,
}
GOOD = ("taro@example.jp", "hanako@example.jp")
SMALL = "small@example.jp"
TINY = "tiny@example.jp"
NOBODY = "nobody@example.jp"
# More than a small mailbox holds. At RCPT it is empty, so Dovecot refuses only after the content.
TOO_MUCH = 60_000

type_of_queue = pytest.mark.parametrize("queue_type", QUEUES)


@pytest.fixture
def home() -> Iterator[Dovecot]:
    with Dovecot({"taro": None, "hanako": None, "small": 30_000, "tiny": 20_000}) as dovecot:
        yield dovecot


@pytest.fixture
def edge(home: Dovecot) -> Iterator[Gateway]:
    with Gateway(home.url) as gateway:
        yield gateway
        assert gateway.tracebacks() == []


def _home_takes(home: Dovecot, user: str) -> bool:
    with Wire(("127.0.0.1", home.port)) as wire:
        wire.greet("LHLO")
        return wire.envelope("probe@example.org", [user])[-1].startswith("250")


def _replies(edge: Gateway) -> list[tuple[str, str]]:
    return [(event["reason"], event["reply"]) for event in edge.transactions()]


@type_of_queue
@pytest.mark.parametrize(
    "recipients",
    [(SMALL, *GOOD), (*GOOD, SMALL), (GOOD[0], SMALL, GOOD[1], TINY), (GOOD[0], NOBODY, SMALL, GOOD[1])],
    ids=["refused first", "refused last", "two refused", "one unknown, one refused"],
)
def test_the_good_ones_get_one_copy_and_the_refused_ones_a_bounce(
    queue_type: str, recipients: Sequence[str], home: Dovecot, edge: Gateway
) -> None:
    sent = specimen.header("mixture") + specimen.text_body(TOO_MUCH)

    with QUEUES[queue_type](edge.smtp) as queue:
        queue.submit(sent, recipients)
        queue.wait_until_empty()
        bounced = queue.bounced()

    print(f"\n{queue_type}: {_replies(edge)}")
    assert [len(home.messages(user)) for user in GOOD] == [1, 1]
    assert [len(home.messages(user)) for user in (SMALL, TINY)] == [0, 0]
    assert bounced == sorted(set(recipients) - set(GOOD))


@type_of_queue
def test_prdr_tells_the_truth_at_once(queue_type: str, home: Dovecot, edge: Gateway) -> None:
    """With PRDR one transaction is enough; without, the sender comes again and is led to the same end."""
    with QUEUES[queue_type](edge.smtp) as queue:
        queue.submit(specimen.header("once") + specimen.text_body(TOO_MUCH), [SMALL, *GOOD])
        queue.wait_until_empty()
        assert queue.bounced() == [SMALL]

    transactions = edge.transactions()
    assert [len(home.messages(user)) for user in GOOD] == [1, 1]
    if queue_type == "Exim with PRDR":
        assert [event["decision"] for event in transactions] == ["accept"]
    else:
        assert transactions[0]["decision"] == "defer"
        assert transactions[-1]["decision"] == "reject"


@type_of_queue
async def test_one_stored_one_put_off_one_refused_ends_with_two_copies_and_a_bounce(queue_type: str) -> None:
    async with HomeServer() as scripted:
        stored, put_off, refused = GOOD[0], GOOD[1], SMALL
        scripted.final[put_off] = ["451 4.2.0 Mailbox is locked", "250 2.0.0 Stored"]
        scripted.final[refused] = "552 5.2.2 Mailbox is full"

        def send_and_wait() -> list[str]:
            with (
                Gateway(f"lmtp://127.0.0.1:{scripted.port}") as edge,
                QUEUES[queue_type](edge.smtp) as queue,
            ):
                queue.submit(specimen.ordinary().octets, [refused, put_off, stored])
                queue.wait_until_empty()
                print(f"\n{queue_type}: {_replies(edge)}")
                return queue.bounced()

        assert await asyncio.to_thread(send_and_wait) == [refused]

        copies = [(message.forward_path, _fingerprint(message.content)) for message in scripted.messages]
        # This home knows nothing of repeats; by their fingerprint a real one drops what it has.
        assert len(set(copies)) == 2
        if queue_type == "Exim with PRDR":
            assert sorted(copies) == sorted(set(copies))


def _fingerprint(content: bytes) -> bytes:
    (value,) = re.findall(rb"^X-MXGW-Fingerprint: (\w+)\r$", content, re.MULTILINE)
    return value


@type_of_queue
def test_when_everybody_refuses_the_bounce_comes_at_once(
    queue_type: str, home: Dovecot, edge: Gateway
) -> None:
    with QUEUES[queue_type](edge.smtp) as queue:
        queue.submit(specimen.header("refused") + specimen.text_body(TOO_MUCH), [SMALL, TINY])
        queue.wait_until_empty()
        assert queue.bounced() == sorted([SMALL, TINY])

    assert [event["decision"] for event in edge.transactions()] == ["reject"]
    assert [len(home.messages(user)) for user in (SMALL, TINY)] == [0, 0]


@type_of_queue
def test_a_mailbox_that_is_full_already_is_refused_before_the_content(queue_type: str, home: Dovecot) -> None:
    with (
        # The answer to the first message must not stand for the second one.
        Gateway(home.url, recipient_cache_seconds="0") as edge,
        QUEUES[queue_type](edge.smtp) as queue,
    ):
        queue.submit(specimen.header("fills it") + specimen.text_body(25_000), [SMALL])
        queue.wait_until_empty()
        home.set_quota(SMALL, 10_000)
        # Dovecot looks at its file of users once in a while.
        wait_until(lambda: not _home_takes(home, SMALL), seconds=20, what="the mailbox is full")
        queue.submit(specimen.header("too late") + specimen.text_body(1_000), [SMALL, *GOOD])
        queue.wait_until_empty()
        assert queue.bounced() == [SMALL]
        decisions = [event["decision"] for event in edge.transactions()]

    assert [len(home.messages(user)) for user in (SMALL, *GOOD)] == [1, 1, 1]
    assert decisions == ["accept", "accept"]


def _once(side: Side, words: bytes) -> tuple[Callable[[Conversation, Side, bytes], bool], list[bytes]]:
    """Cut the first piece of that side that has these words in it; the list shows that it happened."""
    cuts: list[bytes] = []

    def cut(conversation: Conversation, speaker: Side, piece: bytes) -> bool:
        if cuts or speaker != side or words not in piece:
            return False
        cuts.append(piece)
        return True

    return cut, cuts


@type_of_queue
@pytest.mark.parametrize("recipients", [GOOD[:1], GOOD], ids=["one recipient", "two recipients"])
def test_an_acknowledgement_lost_on_the_way_to_the_sender_makes_no_second_copy(
    queue_type: str, recipients: Sequence[str], home: Dovecot, edge: Gateway
) -> None:
    cut, cuts = _once("server", b"the mailbox has it")

    with Tap(edge.smtp, cut=cut) as tap, QUEUES[queue_type](tap.address, tls=False) as queue:
        queue.submit(specimen.ordinary().octets, recipients)
        queue.wait_until_empty()
        assert queue.bounced() == []

    assert len(cuts) == 1
    decisions = [event["decision"] for event in edge.transactions()]
    assert len(decisions) >= 2
    assert set(decisions) == {"accept"}
    assert [len(home.messages(user)) for user in recipients] == [1] * len(recipients)


@type_of_queue
@pytest.mark.parametrize("recipients", [GOOD[:1], GOOD], ids=["one recipient", "two recipients"])
def test_an_acknowledgement_lost_on_the_way_from_home_makes_no_second_copy(
    queue_type: str, recipients: Sequence[str], home: Dovecot
) -> None:
    cut, cuts = _once("server", b"Saved")

    with (
        Tap(("127.0.0.1", home.port), cut=cut) as tap,
        Gateway(f"lmtp://127.0.0.1:{tap.port}") as edge,
        QUEUES[queue_type](edge.smtp) as queue,
    ):
        queue.submit(specimen.ordinary().octets, recipients)
        queue.wait_until_empty()
        assert queue.bounced() == []
        decisions = [event["decision"] for event in edge.transactions()]

    assert len(cuts) == 1
    assert "accept" in decisions
    assert [len(home.messages(user)) for user in recipients] == [1] * len(recipients)


@pytest.mark.parametrize("chunking", [False, True], ids=["DATA", "BDAT"])
def test_a_client_that_hangs_up_after_the_last_octet_leaves_one_copy(
    chunking: bool, home: Dovecot, edge: Gateway
) -> None:
    sent = specimen.ordinary()

    def send(wire: Wire) -> None:
        wire.greet()
        wire.envelope("sender@example.org", ["taro@example.jp"])
        if chunking:
            wire.send(b"BDAT %d LAST\r\n" % len(sent.octets) + sent.octets)
        else:
            assert wire.command("DATA").startswith("354")
            wire.send(stuffed(sent.octets) + b".\r\n")

    with Wire(edge.smtp) as wire:
        send(wire)
    wait_until(lambda: len(home.messages("taro")) == 1, seconds=20, what="the delivery goes on")
    with Wire(edge.smtp) as wire:
        send(wire)
        assert wire.reply().startswith("250")

    assert len(home.messages("taro")) == 1
    specimen.added(home.messages("taro")[0], sent.octets)


def test_a_client_that_hangs_up_in_the_middle_leaves_nothing(home: Dovecot, edge: Gateway) -> None:
    sent = specimen.ordinary()

    with Wire(edge.smtp) as wire:
        wire.greet()
        wire.envelope("sender@example.org", ["taro@example.jp"])
        wire.command("DATA")
        wire.send(sent.octets[:5000])

    (event,) = edge.wait_for("transaction")
    assert event["decision"] == "aborted"
    assert home.messages("taro") == []
