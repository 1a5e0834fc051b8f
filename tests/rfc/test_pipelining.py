"""RFC 2920 seen from the socket: what leaves together, and that nothing is lost or held back."""

from __future__ import annotations

from tests.rfc.edge import Edge

TRIES = 5
"""TCP may cut a write in two; it will not do so every time."""


def test_a_group_is_answered_in_one_write(edge: Edge) -> None:
    # RFC 2920 section 3.2: responses to grouped commands are sent as a unit.
    fewest = 99
    for _ in range(TRIES):
        with edge.session() as wire:
            before = wire.reads
            wire.group(
                "MAIL FROM:<alice@sender.example>",
                "RCPT TO:<taro@example.org>",
                "RCPT TO:<hanako@example.org>",
            )
            replies = [wire.reply() for _ in range(3)]
            fewest = min(fewest, wire.reads - before)

            assert [reply[:9] for reply in replies] == ["250 2.1.0", "250 2.1.5", "250 2.1.5"]
    assert fewest == 1


def test_a_group_that_ends_with_data_is_answered_in_one_write(edge: Edge) -> None:
    fewest = 99
    for _ in range(TRIES):
        with edge.session() as wire:
            before = wire.reads
            wire.group("MAIL FROM:<alice@sender.example>", "RCPT TO:<taro@example.org>", "DATA")
            replies = [wire.reply() for _ in range(3)]
            fewest = min(fewest, wire.reads - before)
            wire.group("Subject: x", "", ".")

            assert [reply[:3] for reply in replies] == ["250", "250", "354"]
            assert wire.reply().startswith("250 2.0.0")
    assert fewest == 1


def test_replies_do_not_wait_for_the_rest_of_a_command(edge: Edge) -> None:
    # RFC 2920 section 3.2: all pending responses leave when the input is used up; half a command is nothing.
    with edge.session() as wire:
        wire.send(b"RSET\r\nMAIL FROM:<alice@sender.exam")

        assert wire.reply() == "250 2.0.0 Flushed"
        wire.send(b"ple>\r\n")
        assert wire.reply().startswith("250 2.1.0")


def test_a_thousand_commands_in_one_write_get_a_thousand_replies_in_order(edge: Edge) -> None:
    # RFC 2920 section 3.2: no input is lost; nor does a client that writes before it reads get stuck.
    pairs = 300
    with edge.session() as wire:
        wire.group(*["MAIL FROM:<alice@sender.example>", "RSET", "VRFY taro"] * pairs)

        replies = [wire.reply()[:9] for _ in range(3 * pairs)]

    assert replies == ["250 2.1.0", "250 2.0.0", "252 2.0.0"] * pairs


def test_home_is_asked_once_for_a_run_of_recipients(edge: Edge) -> None:
    home = edge.home
    with edge.session() as wire:
        home.transcript.clear()
        wire.group(
            "MAIL FROM:<alice@sender.example>", *[f"RCPT TO:<group-{n}@example.org>" for n in range(20)]
        )
        replies = [wire.reply()[:9] for _ in range(21)]

    assert replies == ["250 2.1.0", *["250 2.1.5"] * 20]
    asked = [line for line in home.commands() if not line.startswith("LHLO")]
    assert [line.split()[0] for line in asked] == ["MAIL", *["RCPT"] * 20, "RSET"]
    assert home.violations == []
