"""BDAT (RFC 3030): content by count, as it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mxgw.content import ChunkDecoder, ContentFault

TRICKY = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"\r\n.\r\n", b"x", b"\0"])).map(b"".join)


def take(decoder: ChunkDecoder, chunk: bytes, *, last: bool, size: int = 1000) -> bytes:
    decoder.begin(len(chunk), last=last)
    content = b""
    for position in range(0, len(chunk), size):
        own, rest = decoder.feed(chunk[position : position + size])
        assert rest == b""
        content += own
    assert decoder.chunk_finished
    return content


@given(st.lists(TRICKY, min_size=1, max_size=5), st.integers(1, 7))
@settings(deadline=None, max_examples=500)
def test_content_is_what_the_chunks_held_however_they_were_cut(chunks: list[bytes], size: int) -> None:
    content = b"".join(chunks)
    bare = content.replace(b"\r\n", b"").strip(b".x\0") != b""
    decoder = ChunkDecoder(max_octets=1000)

    out = b""
    for number, chunk in enumerate(chunks, 1):
        out += take(decoder, chunk, last=number == len(chunks), size=size)

    assert decoder.finished
    assert decoder.octets == len(content)
    assert decoder.fault is (ContentFault.BARE_CR_LF if bare else None)
    assert content.startswith(out)
    if not bare:
        assert out == content


def test_dots_mean_nothing() -> None:
    decoder = ChunkDecoder(max_octets=1000)

    assert take(decoder, b"..\r\n.\r\n.x\r\n", last=True) == b"..\r\n.\r\n.x\r\n"
    assert decoder.fault is None


def test_the_last_chunk_may_be_empty() -> None:
    """RFC 3030 section 2: "BDAT 0 LAST" ends a message whose content is all there."""
    decoder = ChunkDecoder(max_octets=1000)
    take(decoder, b"a\r\n", last=False)

    decoder.begin(0, last=True)

    assert decoder.chunk_finished
    assert decoder.finished
    assert decoder.feed(b"QUIT\r\n") == (b"", b"QUIT\r\n")
    assert decoder.octets == 3


def test_content_without_a_final_line_end_stays_so() -> None:
    decoder = ChunkDecoder(max_octets=1000)

    assert take(decoder, b"Subject: a\r\n\r\nend", last=True) == b"Subject: a\r\n\r\nend"
    assert decoder.fault is None


def test_commands_behind_a_chunk_are_given_back() -> None:
    decoder = ChunkDecoder(max_octets=1000)
    decoder.begin(4, last=False)

    assert decoder.feed(b"ab") == (b"ab", b"")
    assert decoder.feed(b"cdBDAT 2 LAST\r\nef") == (b"cd", b"BDAT 2 LAST\r\nef")
    assert decoder.chunk_finished
    assert not decoder.finished


def test_a_crlf_may_lie_across_two_chunks() -> None:
    decoder = ChunkDecoder(max_octets=1000)
    take(decoder, b"a\r", last=False)
    assert decoder.fault is None

    take(decoder, b"\nb", last=True)

    assert decoder.fault is None


@pytest.mark.parametrize(
    "chunks", [[b"a\r"], [b"a\r", b""], [b"a\r", b"b"], [b"a", b"\nb"], [b"a\r", b"\r\n"]]
)
def test_half_a_line_end_across_chunks_is_refused(chunks: list[bytes]) -> None:
    decoder = ChunkDecoder(max_octets=1000)

    for number, chunk in enumerate(chunks, 1):
        take(decoder, chunk, last=number == len(chunks))

    assert decoder.fault is ContentFault.BARE_CR_LF


def test_a_chunk_too_large_for_the_limit_is_refused_before_its_octets_come() -> None:
    decoder = ChunkDecoder(max_octets=1000)
    take(decoder, b"x" * 998 + b"\r\n", last=False)
    assert decoder.fault is None

    decoder.begin(1, last=False)
    assert decoder.fault is ContentFault.TOO_LARGE
    assert not decoder.overrun
    assert decoder.feed(b"xQUIT\r\n") == (b"", b"QUIT\r\n")

    decoder.begin(10**30, last=True)
    assert decoder.overrun
    assert decoder.octets == 1001


def test_a_line_across_chunks_has_the_same_limit() -> None:
    decoder = ChunkDecoder(max_octets=1000, max_line_octets=100)
    take(decoder, b"x" * 60, last=False)
    assert decoder.fault is None

    take(decoder, b"x" * 41, last=True)

    assert decoder.fault is ContentFault.LINE_TOO_LONG


def test_chunks_come_one_after_the_other() -> None:
    decoder = ChunkDecoder(max_octets=1000)
    assert decoder.chunk_finished
    decoder.begin(2, last=True)

    with pytest.raises(ValueError, match="begins before"):
        decoder.begin(2, last=True)
    decoder.feed(b"ab")
    with pytest.raises(ValueError, match="after the last"):
        decoder.begin(2, last=True)
    with pytest.raises(ValueError, match="negative"):
        ChunkDecoder(max_octets=1000).begin(-1, last=False)


def test_a_fault_found_elsewhere_stops_the_content() -> None:
    decoder = ChunkDecoder(max_octets=1000)
    decoder.refuse(ContentFault.SPOOL_FULL)

    assert take(decoder, b"abc", last=True) == b""
    assert decoder.fault is ContentFault.SPOOL_FULL
    assert decoder.octets == 3
