"""What EHLO promises: exactly what the program does, no keyword more and none less."""

from __future__ import annotations

from tests.rfc.edge import HOSTNAME, Edge

ALWAYS = [
    "PIPELINING",
    "SIZE 37748736",
    "8BITMIME",
    "SMTPUTF8",
    "ENHANCEDSTATUSCODES",
    "CHUNKING",
    "LIMITS MAILMAX=10000 RCPTMAX=100",
    "PRDR",
    "HELP",
]


def keywords(reply: str) -> list[str]:
    first, *others = [line[4:] for line in reply.split("\n")]
    assert first == HOSTNAME
    return others


def test_in_clear_starttls_is_offered_and_requiretls_is_not(edge: Edge) -> None:
    with edge.connect() as wire:
        wire.reply()

        offered = keywords(wire.command("EHLO client.example"))

    assert sorted(offered) == sorted([*ALWAYS, "STARTTLS"])


def test_under_tls_requiretls_is_offered_and_starttls_is_not(edge: Edge) -> None:
    # RFC 3207 section 4.2, RFC 8689 section 2.
    with edge.session() as wire:
        assert wire.command("STARTTLS").startswith("220 2.0.0")
        wire.handshake()

        offered = keywords(wire.command("EHLO client.example"))

    assert sorted(offered) == sorted([*ALWAYS, "REQUIRETLS"])


def test_helo_gets_one_line(edge: Edge) -> None:
    # RFC 5321 section 3.2.
    with edge.connect() as wire:
        wire.reply()

        assert wire.command("HELO client.example") == f"250 {HOSTNAME}"


def test_no_keyword_is_offered_that_the_program_then_refuses(edge: Edge) -> None:
    # RFC 5321 section 4.2.4: nothing in the list gets 500 or 502.
    with edge.session() as wire:
        assert wire.command("STARTTLS").startswith("220")
        wire.handshake()
        wire.command("EHLO client.example")

        mail = wire.command(
            "MAIL FROM:<アリス@sender.example> SIZE=100 BODY=8BITMIME SMTPUTF8 PRDR REQUIRETLS"
        )
        rcpt = wire.command("RCPT TO:<taro@example.org>")
        wire.send(b"BDAT 4 LAST\r\n\r\n\r\n")
        bdat = wire.reply()

    assert [mail[:9], rcpt[:9], bdat[:9]] == ["250 2.1.0", "250 2.1.5", "250 2.0.0"]


def test_a_hundred_recipients_are_taken_and_the_next_is_put_off(edge: Edge) -> None:
    # RFC 5321 sections 4.5.3.1.8 and 4.5.3.1.10: at least 100, then 452. RFC 9422: as RCPTMAX says.
    paths = [f"user-{number}@example.org" for number in range(102)]
    with edge.session() as wire:
        wire.group("MAIL FROM:<alice@sender.example>", *[f"RCPT TO:<{path}>" for path in paths], "DATA")
        replies = [wire.reply() for _ in range(104)]
        wire.group("Subject: many", "", ".")
        final = wire.reply()

    assert [reply[:9] for reply in replies[1:101]] == ["250 2.1.5"] * 100
    assert [reply[:9] for reply in replies[101:103]] == ["452 4.5.3"] * 2
    assert final.startswith("250 2.0.0")
    assert [copy.forward_path for copy in edge.home.messages] == paths[:100]
