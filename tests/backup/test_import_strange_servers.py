"""Servers tell the same things in different orders and forms; each is understood, and nothing is marked."""

from __future__ import annotations

import imaplib
import socket
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest

from mxgw.admin.importing.copying import plan
from mxgw.admin.importing.remembered import Remembered
from mxgw.admin.importing.sessions import Header, Mailbox
from mxgw.admin.refusal import Refused

Result = TypeVar("Result")


def told(answers: Sequence[bytes], act: Callable[[Mailbox], Result]) -> tuple[Result, list[bytes]]:
    """What comes of a conversation in which the server gives these answers, one to each command; %TAG% is the
    command's tag. Also the commands."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            connection, _ = door.accept()
            with connection, connection.makefile("rwb") as lines:
                lines.write(b"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n")
                lines.flush()
                # imaplib asks first what the server can.
                for answer in (b"* CAPABILITY IMAP4rev1\r\n%TAG% OK done\r\n", *answers):
                    tag, _, command = lines.readline().rstrip().partition(b" ")
                    asked.append(command)
                    lines.write(answer.replace(b"%TAG%", tag))
                    lines.flush()

        thread = threading.Thread(target=serve)
        thread.start()
        session = imaplib.IMAP4("127.0.0.1", door.getsockname()[1], timeout=20)
        try:
            return act(Mailbox(session)), asked[1:]
        finally:
            session.shutdown()
            thread.join()


def in_inbox(answer: bytes, act: Callable[[Mailbox], Result]) -> tuple[Result, list[bytes]]:
    """The same with a folder that is open."""

    def opened(mailbox: Mailbox) -> Result:
        mailbox.open("INBOX")
        return act(mailbox)

    return told([b"* 0 EXISTS\r\n%TAG% OK [READ-ONLY] done\r\n", answer], opened)


def header(row: bytes) -> Header:
    found, _ = in_inbox(row + b"%TAG% OK done\r\n", lambda mailbox: list(mailbox.headers([7])))
    (one,) = found
    return one


FIELDS = b"Message-ID: <a@b>\r\nSubject: x\r\n\r\n"
SECTION = b"BODY[HEADER.FIELDS (MESSAGE-ID DATE FROM SUBJECT)]"
DATE = b'INTERNALDATE "03-Feb-2020 10:00:00 +0900"'


def test_attributes_may_stand_before_and_behind_the_literal() -> None:
    literal = SECTION + b" {%d}\r\n" % len(FIELDS) + FIELDS
    size = b"RFC822.SIZE 100"

    before = header(b"* 1 FETCH (UID 7 FLAGS (\\Seen) " + DATE + b" " + size + b" " + literal + b")\r\n")
    behind = header(b"* 1 FETCH (" + literal + b" FLAGS (\\Seen) UID 7 " + size + b" " + DATE + b")\r\n")

    assert before == behind
    assert (before.uid, before.octets, before.flags) == (7, 100, ("\\Seen",))
    assert before.date == "03-Feb-2020 10:00:00 +0900"


def test_a_message_is_the_same_in_another_zone_folding_and_order_of_fields() -> None:
    other = b"subject: x\r\nMessage-Id:\r\n <a@b>\r\n\r\n"
    date = b'INTERNALDATE " 3-Feb-2020 01:00:00 +0000"'

    one = header(
        b"* 1 FETCH (UID 7 " + DATE + b" " + SECTION + b" {%d}\r\n" % len(FIELDS) + FIELDS + b")\r\n"
    )
    two = header(b"* 1 FETCH (UID 7 " + date + b" " + SECTION + b" {%d}\r\n" % len(other) + other + b")\r\n")

    assert one.print == two.print


def test_flags_that_nobody_else_keeps_stay_behind() -> None:
    flags = b"FLAGS (\\Recent \\Seen $Forwarded \\X-Own a{b " + b"k" * 60 + b")"

    assert header(b"* 1 FETCH (UID 7 " + flags + b" " + DATE + b")\r\n").flags == ("\\Seen", "$Forwarded")


def test_folders_come_as_atoms_strings_and_literals() -> None:
    answer = (
        b'* LIST (\\HasNoChildren) "/" INBOX\r\n'
        b'* LIST (\\Noselect) "/" "[Gmail]"\r\n'
        b'* LIST (\\Flagged) "/" "[Gmail]/Starred"\r\n'
        b'* LIST () "\\\\" "a \\"b\\""\r\n'
        b'* LIST () "/" {7}\r\nliteral\r\n'
        b"* LIST () NIL flat\r\n"
        b"%TAG% OK done\r\n"
    )

    found, asked = told([b"* CAPABILITY IMAP4rev1\r\n%TAG% OK done\r\n", answer], Mailbox.folders)

    assert [one.wire for one in found] == ["INBOX", 'a "b"', "literal", "flat"]
    assert asked[-1] == b'LIST "" "*"'


def test_a_message_is_asked_for_without_marking_it_read() -> None:
    answer = b"* 1 FETCH (UID 7 BODY[] {3}\r\nabc)\r\n%TAG% OK done\r\n"

    found, asked = in_inbox(answer, lambda mailbox: mailbox.message(7))

    assert found == b"abc"
    assert asked == [b'EXAMINE "INBOX"', b"UID FETCH 7 (UID BODY.PEEK[])"]


@pytest.mark.parametrize(
    "answer",
    [
        b"%TAG% NO broken message\r\n",
        b"%TAG% OK done\r\n",
        b"* 1 FETCH (UID 8 BODY[] {1}\r\nx)\r\n%TAG% OK done\r\n",
    ],
)
def test_a_message_that_is_not_given_is_none(answer: bytes) -> None:
    found, _ = in_inbox(answer, lambda mailbox: mailbox.message(7))

    assert found is None


@pytest.mark.parametrize(
    "answer", [b"%TAG% NO never\r\n", b"%TAG% BAD what\r\n", b"* BYE\r\n", b"nonsense\r\n"]
)
def test_a_server_that_breaks_off_is_a_sentence(
    answer: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    remembered = Remembered(tmp_path_factory.mktemp("home"), host="h", login="l")

    with pytest.raises(Refused) as why:
        told(
            [b"* CAPABILITY IMAP4rev1\r\n%TAG% OK done\r\n", answer],
            lambda mailbox: plan(mailbox, remembered),
        )

    assert why.value.key == "import-broke-off"


def test_a_folder_that_does_not_open_is_told_apart_from_an_empty_one(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    remembered = Remembered(tmp_path_factory.mktemp("home"), host="h", login="l")
    answers = [
        b"* CAPABILITY IMAP4rev1\r\n%TAG% OK done\r\n",
        b'* LIST () "/" closed\r\n* LIST () "/" empty\r\n%TAG% OK done\r\n',
        b"%TAG% NO [NOPERM] not yours\r\n",
        b"* 0 EXISTS\r\n* OK [UIDVALIDITY 5] ok\r\n%TAG% OK done\r\n",
    ]

    planned, _ = told(answers, lambda mailbox: plan(mailbox, remembered))

    assert [(one.folder.name, one.opens) for one in planned] == [("closed", False), ("empty", True)]
