"""The sink's reader of content: the same id and hash whatever the content is and however it is cut."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from mxgw.load.sink_content import MAX_HEADER_OCTETS, Content
from tests.rig.wire import stuffed

WORDS = [b".", b"..", b"\r\n", b"\r\n.\r\n", b"\n", b"\r", b"a", b"X-Load-Id: x\r\n", b"\r\n\r\n", b"-" * 90]
PIECES = st.lists(st.sampled_from(WORDS), max_size=25).map(b"".join)
CUTS = st.lists(st.integers(1, 40), max_size=12)


def cut(octets: bytes, sizes: list[int]) -> list[bytes]:
    """The octets in pieces of these sizes, the rest in one."""
    pieces = []
    for size in sizes:
        pieces.append(octets[:size])
        octets = octets[size:]
    return [piece for piece in [*pieces, octets] if piece]


def body_of(content: bytes) -> bytes:
    """By definition: what follows the first empty line."""
    return (b"\r\n" + content).partition(b"\r\n\r\n")[2]


@given(PIECES, CUTS)
def test_data_in_any_pieces(content: bytes, sizes: list[int]) -> None:
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    reader = Content(hashing=True)

    rests = [reader.data(piece) for piece in cut(stuffed(content) + b".\r\n", sizes)]

    assert rests == [None] * (len(rests) - 1) + [b""]
    assert reader.octets == len(content)
    assert reader.body_octets == len(body_of(content))
    assert reader.hash == hashlib.sha256(body_of(content)).hexdigest()


@given(PIECES, CUTS)
def test_bdat_in_any_pieces(content: bytes, sizes: list[int]) -> None:
    reader = Content(hashing=True)

    for piece in cut(content, sizes):
        reader.take(piece)

    assert reader.octets == len(content)
    assert reader.hash == hashlib.sha256(body_of(content)).hexdigest()


@given(PIECES, CUTS)
def test_what_follows_the_end_of_data_is_given_back(behind: bytes, sizes: list[int]) -> None:
    reader = Content(hashing=False)
    pieces = cut(b"X-Load-Id: a-b-1\r\n\r\nx\r\n.\r\n" + behind, sizes)

    rest = None
    while rest is None:
        rest = reader.data(pieces.pop(0))

    assert rest + b"".join(pieces) == behind
    assert reader.body_octets == 3


def test_id_and_hash_are_fields_of_the_header_section_in_any_case_of_letters() -> None:
    reader = Content(hashing=True)

    reader.take(b"x-load-id:  run-0-1 \r\nX-LOAD-HASH:abc\r\n\r\nX-Load-Id: no\r\n")

    assert (reader.identity, reader.stated_hash) == ("run-0-1", "abc")


def test_a_header_section_without_end_does_not_fill_memory() -> None:
    reader = Content(hashing=True)
    line = b"A: " + b"b" * 70 + b"\r\n"

    for _ in range(MAX_HEADER_OCTETS // len(line) + 100):
        reader.take(line)

    assert 0 < reader.body_octets < 101 * len(line)
    assert reader.octets == (MAX_HEADER_OCTETS // len(line) + 100) * len(line)
