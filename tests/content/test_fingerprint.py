"""The fingerprint: the same for a retry, another for every other message."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mxgw.envelope import NULL_REVERSE_PATH, ReversePath
from mxgw.header import parse_header
from mxgw.seal import FINGERPRINT_FIELD, OUR_FIELDS, Sealer, fingerprint_field, forged_fields

KEY = b"sixteen octets!!"
SENDER = ReversePath("hana", "sender.example")
BLOCK = (
    b"Message-ID: <1@sender.example>\r\nDate: Mon, 24 Nov 2025 05:39:00 +0000\r\n"
    b"From: hana@sender.example\r\nTo: taro@example.jp\r\nSubject: hello\r\n\r\n"
)


def fingerprint(
    block: bytes = BLOCK,
    *,
    sender: ReversePath = SENDER,
    body: bytes = b"body",
    content: bytes = b"content",
    auth_class: str = "pass",
    key: bytes = KEY,
) -> str:
    return Sealer(key).fingerprint(
        reverse_path=sender,
        header=parse_header(block),
        body_digest=body,
        content_digest=lambda: content,
        auth_class=auth_class,
    )


def test_a_retry_with_more_trace_fields_has_the_same() -> None:
    retried = (
        b"Received: from a by b; Mon, 24 Nov 2025 05:50:00 +0000\r\nX-Retry: 2\r\nReturn-Path: <x@y>\r\n"
        + BLOCK
    )

    assert fingerprint(retried, content=b"another") == fingerprint()


@pytest.mark.parametrize("name", ["Message-ID", "Date", "From", "To", "Subject"])
def test_every_lasting_field_counts(name: str) -> None:
    start = BLOCK.index(name.encode())
    colon = BLOCK.index(b":", start)

    changed = {
        fingerprint(BLOCK[: colon + 2] + b"x" + BLOCK[colon + 2 :]),
        fingerprint(name.encode() + b": more\r\n" + BLOCK),
        fingerprint(parse_header(BLOCK).without(frozenset({name}))),
    }

    assert len(changed | {fingerprint()}) == 4


def test_sender_body_authentication_and_key_count() -> None:
    assert (
        len(
            {
                fingerprint(),
                fingerprint(sender=NULL_REVERSE_PATH),
                fingerprint(sender=ReversePath("hana", "other.example")),
                fingerprint(body=b"other"),
                fingerprint(auth_class="fail"),
                fingerprint(key=KEY[::-1]),
            }
        )
        == 6
    )


@pytest.mark.parametrize("message_id", [b"", b"Message-ID:\r\n", b"Message-ID: \r\n \r\n"])
def test_without_a_message_id_the_whole_content_counts(message_id: bytes) -> None:
    block = message_id + BLOCK[BLOCK.index(b"Date") :]

    assert fingerprint(block) == fingerprint(block, body=b"any")
    assert fingerprint(block) != fingerprint(block, content=b"other")
    assert fingerprint(block) != fingerprint(block, auth_class="fail")
    assert fingerprint(block) != fingerprint(block, sender=NULL_REVERSE_PATH)


@given(
    st.lists(st.sampled_from([b"To: a\r\n", b"From: a\r\n", b"To: a\r\n b\r\n", b"Subject: 1:a\r\n"])),
    st.data(),
)
@settings(deadline=None)
def test_no_two_sets_of_fields_are_taken_for_one_another(fields: list[bytes], data: st.DataObject) -> None:
    def bodies(these: list[bytes]) -> list[tuple[bytes, ...]]:
        header = parse_header(b"Message-ID: <1>\r\n" + b"".join(these))
        return [tuple(one.body for one in header.named(name)) for name in ("From", "To", "Subject")]

    others = data.draw(st.lists(st.sampled_from(fields))) if fields else [b"To:\r\n"]

    same = fingerprint(b"Message-ID: <1>\r\n" + b"".join(fields)) == fingerprint(
        b"Message-ID: <1>\r\n" + b"".join(others)
    )

    assert same == (bodies(fields) == bodies(others))


def test_it_is_an_hmac_over_counted_parts() -> None:
    """Edge and home may run different versions: the octets that go into the HMAC are fixed."""
    parts = [b"mxgw fingerprint 1", b"pass", b"hana@sender.example"]
    for name, value in (
        (b"Message-ID", b"<1@sender.example>"),
        (b"Date", b"Mon, 24 Nov 2025 05:39:00 +0000"),
        (b"From", b"hana@sender.example"),
        (b"To", b"taro@example.jp"),
        (b"Subject", b"hello"),
    ):
        parts += [name + b"*1", value]
    parts.append(b"body")
    message = b"".join(str(len(part)).encode() + b":" + part for part in parts)

    assert fingerprint() == hmac.new(KEY, message, hashlib.sha256).hexdigest()


def test_the_field_carries_a_fingerprint_and_nothing_else() -> None:
    value = fingerprint()

    assert fingerprint_field(value) == f"{FINGERPRINT_FIELD}: {value}\r\n".encode()
    for wrong in ("", value[1:], value + "0", "g" + value[1:], value[2:] + "\r\n", value.upper()):
        with pytest.raises(ValueError, match="64"):
            fingerprint_field(wrong)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16"):
        Sealer(b"x" * 15)


def test_a_stranger_brings_no_field_of_ours() -> None:
    content = (
        b"X-MXGW-Fingerprint: a\r\nSubject: x\r\nx-mxgw-fingerprint : b\r\nX-Mxgw-Anything: c\r\n d\r\n"
        b"Return-Path: <>\r\nDelivered-To: a@b.example\r\n\r\n"
    )
    header = parse_header(content)

    assert header.without(forged_fields(header)) == (
        b"Subject: x\r\nReturn-Path: <>\r\nDelivered-To: a@b.example\r\n\r\n"
    )
    assert forged_fields(parse_header(b"")) == OUR_FIELDS == frozenset({"x-mxgw-fingerprint"})
