"""What a message costs on the way home, counted as turns of the conversation with a real Dovecot."""

from __future__ import annotations

from contextlib import ExitStack

from tests.rig import specimen
from tests.rig.dovecot import Dovecot
from tests.rig.gateway import Gateway
from tests.rig.tap import Tap
from tests.rig.wire import Wire

SLOW_CLIENTS = 50


def send(gateway: Gateway, recipient: str) -> str:
    with Wire(gateway.smtp) as wire:
        wire.greet()
        wire.envelope("sender@example.org", [recipient])
        return wire.data(specimen.ordinary().octets)


def turns(tap: Tap) -> int:
    return sum(conversation.turns() for conversation in tap.conversations)


def test_a_message_on_a_warm_connection_costs_two_round_trips() -> None:
    """One asks for the recipient, one carries the message; a recipient asked lately costs none."""
    with (
        Dovecot({"taro": None, "hanako": None}) as home,
        Tap(("127.0.0.1", home.port)) as tap,
        Gateway(f"lmtp://127.0.0.1:{tap.port}", home_connections="1") as gateway,
    ):
        assert send(gateway, "taro@example.jp").startswith("250")
        warm = turns(tap)

        assert send(gateway, "hanako@example.jp").startswith("250")
        asked = turns(tap) - warm
        assert send(gateway, "hanako@example.jp").startswith("250")
        known = turns(tap) - warm - asked

        assert (asked, known) == (2, 1)


def test_slow_clients_hold_no_connection_to_home_and_cost_others_no_round_trip() -> None:
    with (
        Dovecot({"taro": None, "hanako": None}) as home,
        Tap(("127.0.0.1", home.port)) as tap,
        Gateway(f"lmtp://127.0.0.1:{tap.port}", home_connections="1") as gateway,
        ExitStack() as clients,
    ):
        for _ in range(SLOW_CLIENTS):
            slow = clients.enter_context(Wire(gateway.smtp))
            slow.greet()
            slow.envelope("slow@example.org", ["taro@example.jp"])
            assert slow.command("DATA").startswith("354")
            slow.send(b"Subject: slow\r\n")
        warm = turns(tap)

        assert send(gateway, "hanako@example.jp").startswith("250")

        assert turns(tap) - warm == 2
