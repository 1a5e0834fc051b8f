"""Where we say whom From names, mailauth reads the same domains; where we say nothing, it may guess.

We refuse on purpose what can be read in two ways (RFC 9989 section 11.5), so the one direction is what
counts: no field may have an author for us and another one for other readers. Where one has, it is for one of
REASONS.
"""

from __future__ import annotations

import random
from collections import Counter

from mxgw.header import parse_header
from mxgw.msgauth.author import author_of
from tests.opinions.mailauth import Mailauth, author_question
from tests.opinions.reasons import Reason, Right, explanation, said

FIELDS = 4000

MAILBOXES = (
    "joe@one.example",
    "joe@one.example",
    "Joe Six <joe@one.example>",
    "John Q. Public <joe@one.example>",
    '"Six, Joe" <joe@two.example>',
    '"joe@fake.example" <joe@one.example>',
    "joe@fake.example <joe@one.example>",
    "joe@one.example (Joe Six)",
    "(first) joe@one.example",
    "Joe (joe@fake.example) <joe@one.example>",
    "Joe <joe(fake)@one.example>",
    "Joe <joe@one.example(.fake.example)>",
    "<joe@one.example>",
    "<joe@two.example>",
    "team: joe@one.example, eve@one.example;",
    "team: joe@one.example;",
    "team:;",
    '"a@fake.example"@one.example',
    '"a b"@one.example',
    "joe@[192.0.2.1]",
    "joe@ONE.Example",
    "jö@one.example",
    "joe@bücher.example",
    "joe@BÜCHER.example",
    "joe@xn--bcher-kva.example",
    "joe@one.example.",
    "joe@one..example",
    "=?utf-8?q?joe=40fake.example?= <joe@one.example>",
    "=?utf-8?b?am9lQGZha2UuZXhhbXBsZQ==?= <joe@one.example>",
    "=?utf-8?q?joe?=@one.example",
    "<joe@one.example>eve@two.example",
    "joe@one.example eve@two.example",
    "<@relay.example:joe@one.example>",
    "joe",
    "joe@fake.example@one.example",
    "joe @ one.example",
    "joe@one .example",
    "Joe\r\n <joe@one.example>",
    "joe@one.example\r\n",
    "'joe@fake.example' <joe@one.example>",
    "Joe <joe@one.example> <eve@two.example>",
    "joe_six@_dmarc.one.example",
    "joe@example",
)
ODD = ' \t,;:<>@()"\\.[]ax=?é\0\r\n'

REASONS = (
    Reason(
        "a line that is no field behind From",
        "RFC 5322 section 2.2",
        Right.OPEN,  # we end the field there, mailauth takes the line for a part of it
        ours=r".+",
        theirs=r".+",
        about=r"no field behind From.*",
    ),
    Reason(
        "a comment within the angle brackets",
        "RFC 5322 section 3.4.1",
        Right.WE,
        ours=r".+",
        theirs=r".*(no|invalid)-author-domain",
        about=r".*<[^<>]*\(.*",
    ),
)


def make_field(pick: random.Random) -> bytes:
    """A message of one From, or rarely two, whose addresses may have one character altered."""
    fields = []
    for _ in range(2 if pick.random() < 0.03 else 1):
        text = pick.choice((", ", ",", " , ", ",\r\n ")).join(
            pick.choice(MAILBOXES) for _ in range(pick.choice((1, 1, 1, 2, 3)))
        )
        if pick.random() < 0.5:
            at = pick.randrange(len(text) + 1)
            text = text[:at] + pick.choice(("", pick.choice(ODD))) + text[at + pick.randrange(2) :]
        fields.append(f"{pick.choice(('From: ', 'from:', 'From :'))}{text}\r\n")
    return "".join(fields).encode() + b"To: x@example.net\r\n\r\nHi.\r\n"


def about(message: bytes) -> str:
    names = [one.name.lower() for one in parse_header(message).fields]
    behind = names[names.index("from") + 1 :]
    return ("no field behind From; " if behind[:1] == [""] else "") + message.decode()


async def test_no_field_has_one_author_for_us_and_another_for_mailauth(mailauth: Mailauth) -> None:
    pick = random.Random(5322)
    messages = [make_field(pick) for _ in range(FIELDS)]
    asked = mailauth.ask([author_question(message) for message in messages])
    opinions = [author_of(parse_header(message)) for message in messages]
    outcomes: Counter[str] = Counter()

    for message, ours, theirs in zip(messages, opinions, asked.answers(FIELDS), strict=True):
        assert "broken" not in theirs, theirs
        if ours.problem:
            outcomes["we do not read it"] += 1
            continue
        outcomes["read alike"] += 1
        if sorted(ours.domains) != sorted(theirs["domains"]):
            words = " ".join(ours.domains), said(" ".join(theirs["domains"]), theirs["problem"])
            reason = explanation(REASONS, *words, about(message))
            assert reason, (words, message)
            outcomes[reason.name] += 1

    assert outcomes["read alike"] > FIELDS // 4
    assert outcomes["we do not read it"] > FIELDS // 4
