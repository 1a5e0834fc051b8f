"""The embedded home: what it answers, and what is on disk when it does."""

from __future__ import annotations

import asyncio
import errno
import mailbox
import os
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.envelope import NULL_REVERSE_PATH, ForwardPath, ReversePath
from mxgw.mailbox import MAGIC_MEANINGS, SLOW_SECONDS, Magic, Mailbox, messages, safe_name

SENDER = ReversePath("hanako", "sender.example")
TARO = ForwardPath("taro", "example.jp")
CONTENT = b"Subject: hello\r\n\r\n.leading dot\r\nand no end"


def sealed(fingerprint: str, content: bytes = CONTENT) -> bytes:
    return f"X-MXGW-Fingerprint: {fingerprint}\r\n".encode() + content


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


async def test_a_message_is_kept_octet_for_octet_behind_its_trace_fields(tmp_path: Path) -> None:
    home = Mailbox(tmp_path)

    reply = await home.store(SENDER, TARO, iter([CONTENT[:20], CONTENT[20:]]))

    assert (reply.code, reply.status) == (250, "2.0.0")
    [message] = messages(tmp_path)
    trace = b"Return-Path: <hanako@sender.example>\r\nDelivered-To: taro@example.jp\r\n"
    assert message.path.read_bytes() == trace + CONTENT
    assert message.octets == len(trace + CONTENT)
    assert message.path.parent == tmp_path / "example.jp" / "taro" / "new"
    assert list((tmp_path / "example.jp" / "taro" / "tmp").iterdir()) == []


async def test_any_mail_program_can_read_the_maildir(tmp_path: Path) -> None:
    await Mailbox(tmp_path).store(NULL_REVERSE_PATH, TARO, iter([CONTENT]))

    maildir = mailbox.Maildir(tmp_path / "example.jp" / "taro", create=False)

    [message] = list(maildir)
    assert message["Subject"] == "hello"
    assert message["Return-Path"] == "<>"


async def test_messages_are_listed_in_the_order_of_arrival(tmp_path: Path) -> None:
    now = 1.0
    home = Mailbox(tmp_path, clock=lambda: now)
    for now, local in [(999_999_999.5, "b"), (1_000_000_000.25, "a"), (1_000_000_000.25, "c")]:  # noqa: B007
        await home.store(SENDER, ForwardPath(local, "example.jp"), iter([CONTENT]))

    assert [message.path.parent.parent.name for message in messages(tmp_path)] == ["b", "a", "c"]


async def test_a_repeat_is_acknowledged_and_not_stored_again(tmp_path: Path) -> None:
    first = await Mailbox(tmp_path).store(SENDER, TARO, iter([sealed("a" * 64)]))
    # Another one: what was seen is remembered on disk.
    again = await Mailbox(tmp_path).store(SENDER, TARO, iter([b"Received: x\r\n" + sealed("a" * 64)]))

    assert first.positive
    assert again.positive
    assert len(messages(tmp_path)) == 1


async def test_twins_that_arrive_together_are_stored_once(tmp_path: Path) -> None:
    home = Mailbox(tmp_path)

    replies = await asyncio.gather(*(home.store(SENDER, TARO, iter([sealed("b" * 64)])) for _ in range(12)))

    assert all(reply.positive for reply in replies)
    assert len(messages(tmp_path)) == 1


async def test_each_mailbox_gets_its_copy_and_aliases_share_one(tmp_path: Path) -> None:
    home = Mailbox(tmp_path)

    for local in ["taro", "TARO", "taro+list", '"taro"', r'"t\aro"', "jiro"]:
        assert (await home.store(SENDER, ForwardPath(local, "example.jp"), iter([sealed("c" * 64)]))).positive
    await home.store(SENDER, ForwardPath("taro", "EXAMPLE.com"), iter([sealed("c" * 64)]))

    places = [str(message.path.parent.parent.relative_to(tmp_path)) for message in messages(tmp_path)]
    assert sorted(places) == ["example.com/taro", "example.jp/jiro", "example.jp/taro"]


async def test_without_a_fingerprint_every_message_is_kept(tmp_path: Path) -> None:
    home = Mailbox(tmp_path)

    for _ in range(2):
        await home.store(SENDER, TARO, iter([CONTENT]))

    assert len(messages(tmp_path)) == 2


async def test_a_fingerprint_in_the_body_means_nothing(tmp_path: Path) -> None:
    home = Mailbox(tmp_path)

    for _ in range(2):
        await home.store(SENDER, TARO, iter([b"Subject: x\r\n\r\n" + sealed("d" * 64)]))

    assert len(messages(tmp_path)) == 2


@pytest.mark.parametrize(
    ("local", "code", "status"),
    [
        ("refused", 550, "5.1.1"),
        ("full", 552, "5.2.2"),
        ("later", 451, "4.2.0"),
        ("Refused+tag", 550, "5.1.1"),
        ('"full"', 552, "5.2.2"),
        ("fails", 250, "2.1.5"),
        ("defers", 250, "2.1.5"),
        ("slow", 250, "2.1.5"),
        ("anybody", 250, "2.1.5"),
    ],
)
def test_rcpt_is_answered_as_the_local_part_says(tmp_path: Path, local: str, code: int, status: str) -> None:
    reply = Mailbox(tmp_path).recipient(ForwardPath(local, "example.jp"))

    assert (reply.code, reply.status) == (code, status)


@pytest.mark.parametrize(("local", "code"), [("fails", 550), ("defers", 451)])
async def test_content_is_refused_as_the_local_part_says(tmp_path: Path, local: str, code: int) -> None:
    reply = await Mailbox(tmp_path).store(SENDER, ForwardPath(local, "example.jp"), iter([CONTENT]))

    assert reply.code == code
    assert messages(tmp_path) == []


async def test_slow_waits_and_stores(tmp_path: Path) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    reply = await Mailbox(tmp_path, sleep=sleep).store(
        SENDER, ForwardPath("slow", "example.jp"), iter([CONTENT])
    )

    assert reply.positive
    assert waits == [SLOW_SECONDS]
    assert len(messages(tmp_path)) == 1


def test_every_magic_address_is_explained() -> None:
    assert set(MAGIC_MEANINGS) == set(Magic)


async def test_a_full_disk_is_a_452_and_leaves_nothing(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield CONTENT
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    reply = await Mailbox(tmp_path).store(SENDER, TARO, chunks())

    assert (reply.code, reply.status) == (452, "4.3.1")
    assert files(tmp_path) == []


async def test_a_directory_that_cannot_be_made_is_a_451(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()

    reply = await Mailbox(in_the_way).store(SENDER, TARO, iter([CONTENT]))

    assert (reply.code, reply.status) == (451, "4.3.0")


async def test_a_non_ascii_mailbox_is_kept_under_a_plain_name(tmp_path: Path) -> None:
    await Mailbox(tmp_path).store(SENDER, ForwardPath("太郎", "例え.jp"), iter([CONTENT]))

    [message] = messages(tmp_path)
    assert message.path.relative_to(tmp_path).parts[0].isascii()
    header = message_from_bytes(message.path.read_bytes())
    assert str(header["Delivered-To"])


names = st.one_of(st.text(max_size=300), st.text(st.sampled_from("../\\%~\0a+@[]"), max_size=40))


@given(text=names)
def test_a_name_never_leaves_its_directory(text: str) -> None:
    text = text.lower()

    name = safe_name(text)

    assert name not in ("", ".", "..")
    assert not name.startswith(".")
    assert not set(name) & set("/\\\0")
    assert len(os.fsencode(name)) <= 255


@given(one=names, other=names)
def test_two_mailboxes_never_share_a_name(one: str, other: str) -> None:
    one, other = one.lower(), other.lower()

    assert (safe_name(one) == safe_name(other)) == (one == other)
