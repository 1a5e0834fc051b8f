"""DATA: where the end is, what is refused, and that neither depends on how the octets arrive."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mxgw.content import ContentFault, DataDecoder
from mxgw.lmtp import DotStuffer

LIMIT = 1_000_000
ENDING = b"\r\n.\r\n"

# Octets that matter here, thick on the ground, and any others.
TRICKY = st.lists(
    st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"\r\n.", b"\r\n..", b"x", b"\0", b"\x80", b"ab.c"])
).map(b"".join)
WIRES = st.one_of(TRICKY, st.binary(max_size=200))
LINES = st.lists(
    st.lists(st.sampled_from([b".", b"..", b"x", b"\0", b"\xff", b" "]), max_size=8).map(b"".join),
    max_size=20,
)
CUTS = st.lists(st.integers(1, 9), min_size=1, max_size=8)


def pieces(octets: bytes, cuts: list[int]) -> Iterator[bytes]:
    position = turn = 0
    while position < len(octets):
        size = cuts[turn % len(cuts)]
        yield octets[position : position + size]
        position += size
        turn += 1


def stuff(content: bytes) -> bytes:
    """The client's side of RFC 5321 section 4.5.2, for content that is empty or ends with CRLF."""
    lines = content.split(b"\r\n")
    assert lines.pop() == b""
    return b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n"


def expected(wire: bytes, max_octets: int, max_line_octets: int) -> tuple[bytes, bytes, ContentFault | None]:
    """Content, rest and fault of a wire with an end in it: the RFC's words, octet by octet."""
    whole = b"\r\n" + wire
    end = whole.index(ENDING)
    lines = whole[2 : end + 2].split(b"\r\n")
    content = b"\r\n".join(line.removeprefix(b".") for line in lines)
    rest = whole[end + len(ENDING) :]
    line_octets = 0
    before = 0
    for count, octet in enumerate(content, 1):
        line_octets += 1
        found = []
        if (before == 13) != (octet == 10):
            found.append(ContentFault.BARE_CR_LF)
        if line_octets > max_line_octets:
            found.append(ContentFault.LINE_TOO_LONG)
        if count > max_octets:
            found.append(ContentFault.TOO_LARGE)
        if found:
            return content, rest, found[0]
        if octet == 10:
            line_octets = 0
        before = octet
    return content, rest, None


def run(
    wire: bytes, cuts: list[int], max_octets: int = LIMIT, max_line_octets: int = LIMIT
) -> tuple[DataDecoder, bytes, bytes]:
    decoder = DataDecoder(max_octets=max_octets, max_line_octets=max_line_octets)
    content = rest = b""
    for piece in pieces(wire, cuts):
        if decoder.finished:
            rest += piece
            continue
        given_out = decoder.feed(piece)
        assert not (given_out and decoder.fault)
        content += given_out
    return decoder, content, decoder.rest + rest


@given(LINES, CUTS)
@settings(deadline=None)
def test_stuffed_content_comes_out_as_it_went_in(lines: list[bytes], cuts: list[int]) -> None:
    content = b"".join(line + b"\r\n" for line in lines)

    decoder, out, rest = run(stuff(content) + b"QUIT\r\n", cuts)

    assert (out, rest, decoder.fault) == (content, b"QUIT\r\n", None)
    assert decoder.octets == len(content)


@given(LINES, CUTS, CUTS, st.booleans())
@settings(deadline=None)
def test_our_own_stuffing_towards_home_is_what_the_decoder_undoes(
    lines: list[bytes], sent: list[int], received: list[int], ended: bool
) -> None:
    content = b"\r\n".join(lines) + (b"\r\n" if ended else b"")
    stuffer = DotStuffer()
    wire = b"".join(map(stuffer.feed, pieces(content, sent))) + stuffer.finish()

    decoder, out, rest = run(wire, received)

    assert decoder.finished
    assert (rest, decoder.fault) == (b"", None)
    assert out == content + (b"" if content.endswith(b"\r\n") or not content else b"\r\n")


@given(WIRES, CUTS, st.integers(0, 60), st.integers(2, 20))
@example(b"\r\n\n", [1], 60, 20)
@example(b"a\r\n.\r", [3], 60, 20)
@example(b"\r.\r\n", [9], 60, 20)
@settings(deadline=None, max_examples=1500)
def test_what_is_decoded_does_not_depend_on_how_the_wire_is_cut(
    wire: bytes, cuts: list[int], max_octets: int, max_line_octets: int
) -> None:
    wire += ENDING + b"NOOP\r\n"
    content, rest, fault = expected(wire, max_octets, max_line_octets)

    decoder, out, got_rest = run(wire, cuts, max_octets, max_line_octets)

    assert decoder.finished
    assert (got_rest, decoder.fault, decoder.octets) == (rest, fault, len(content))
    assert decoder.overrun == (len(content) > 2 * max_octets)
    assert content.startswith(out)
    if fault is None:
        assert out == content


@pytest.mark.parametrize("wire", [b".\r\n", b"\r\n.\r\n", b"a\r\n.\r\n", b"..\r\n.\r\n", b"\r\n\r\n.\r\n"])
def test_the_end_is_a_line_of_one_dot_even_as_the_first_line(wire: bytes) -> None:
    for size in range(1, len(wire) + 1):
        decoder, content, rest = run(wire + b"QUIT\r\n", [size])

        assert decoder.finished
        assert decoder.fault is None
        assert content == wire[: -len(b".\r\n")].replace(b"..", b".")
        assert rest == b"QUIT\r\n"


# Every ending that some server has taken for the end of data where ours is the only one right.
SMUGGLED = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r.\n",
    b"\n.\r",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n",
    b"\r\n\n.\n\r\n",
    b"\n\n.\r\n",
    b"\r\n.\n\r\n",
    b"\r\n..\n",
]
SMUGGLED_NUL = [b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\0\n.\r\n", b"\r\n.\r\0\n", b"\0\r\n.\0\0\r\n"]
SECOND = b"MAIL FROM:<admin@bank.example>\r\nRCPT TO:<victim@mx.example>\r\nDATA\r\nFrom: admin\r\n\r\nPay"


@pytest.mark.parametrize("form", SMUGGLED, ids=repr)
def test_no_other_line_ends_end_the_data_and_the_message_is_refused(form: bytes) -> None:
    """RFC 5321 section 4.1.1.4: only CRLF.CRLF; section 2.3.8: CR and LF only together."""
    wire = b"From: a@b.example\r\n\r\nfirst" + form + SECOND + b"\r\n.\r\nQUIT\r\n"

    for cut in range(1, len(wire)):
        decoder = DataDecoder(max_octets=LIMIT)
        for piece in (wire[:cut], wire[cut:]):
            if not decoder.finished:
                decoder.feed(piece)

        assert decoder.finished
        assert decoder.rest in (b"QUIT\r\n", b"QUIT\r\n"[: -(len(wire) - cut)])
        assert decoder.fault is ContentFault.BARE_CR_LF


@pytest.mark.parametrize("form", SMUGGLED_NUL, ids=repr)
def test_nul_octets_make_no_end_of_data(form: bytes) -> None:
    wire = b"From: a@b.example\r\n\r\nfirst" + form + SECOND + b"\r\n.\r\n"

    for size in range(1, len(wire)):
        decoder, content, rest = run(wire, [size])

        assert decoder.finished
        assert rest == b""
        bare = b"\r\0\n" in form or b"\r\0" in form
        assert decoder.fault is (ContentFault.BARE_CR_LF if bare else None)
        if not bare:
            assert content.endswith(SECOND + b"\r\n")
            assert content.count(b"\0") == form.count(b"\0")


def test_every_octet_value_passes() -> None:
    content = bytes(octet for octet in range(256) if octet not in b"\r\n") + b"\r\n"

    decoder, out, _ = run(stuff(content), [7])

    assert out == content
    assert decoder.fault is None


def test_a_line_may_be_as_long_as_the_limit_and_no_longer() -> None:
    for octets, fault in ((98, None), (99, ContentFault.LINE_TOO_LONG)):
        for size in (1, 7, 1000):
            decoder, _, _ = run(b"a\r\n" + b"x" * octets + b"\r\n.\r\n", [size], max_line_octets=100)

            assert decoder.fault is fault


def test_content_may_be_as_large_as_the_limit_and_no_larger() -> None:
    for octets, fault in ((98, None), (99, ContentFault.TOO_LARGE)):
        for size in (1, 7, 1000):
            decoder, _, _ = run(b"x" * octets + b"\r\n.\r\n", [size], max_octets=100)

            assert decoder.fault is fault
            assert decoder.octets == octets + 2


def test_a_fault_found_elsewhere_stops_the_content_but_not_the_search_for_the_end() -> None:
    decoder = DataDecoder(max_octets=LIMIT)
    assert decoder.feed(b"one\r\ntwo") == b"one\r\ntwo"

    decoder.refuse(ContentFault.SPOOL_FULL)

    assert decoder.feed(b"\r\n..three\r\n.\r\nQUIT\r\n") == b""
    assert decoder.finished
    assert decoder.rest == b"QUIT\r\n"
    assert decoder.octets == len(b"one\r\ntwo\r\n.three\r\n")
    decoder.refuse(ContentFault.TOO_LARGE)
    assert decoder.fault is ContentFault.SPOOL_FULL


def test_a_client_that_never_ends_is_an_overrun() -> None:
    decoder = DataDecoder(max_octets=1000)

    for _ in range(20):
        decoder.feed(b"x" * 98 + b"\r\n")
    assert decoder.fault is ContentFault.TOO_LARGE
    assert not decoder.overrun

    decoder.feed(b"x" * 98 + b"\r\n")
    decoder.feed(b"x")
    assert decoder.overrun


def test_octets_behind_the_end_are_not_taken() -> None:
    decoder = DataDecoder(max_octets=LIMIT)
    assert decoder.feed(b"") == b""
    decoder.feed(b".\r\n")

    with pytest.raises(ValueError, match="after the end of data"):
        decoder.feed(b"QUIT\r\n")


@pytest.mark.parametrize(
    "pattern",
    [b"\r\n", b".", b"..\r\n", b"x", b"\n.\n", b"\r", b"\r\n.\r", b"\0", b"..x\r\n\r\n\r\n", b"a.\r\n"],
    ids=repr,
)
@pytest.mark.parametrize("size", [1460, 65536])
def test_a_large_message_of_any_shape_needs_no_more_than_a_few_chunks_of_memory(
    pattern: bytes, size: int
) -> None:
    total = 4 * 1024 * 1024
    chunk = (pattern * size)[: size // len(pattern) * len(pattern)]
    decoder = DataDecoder(max_octets=2 * total)
    tracemalloc.start()
    try:
        for _ in range(total // len(chunk)):
            decoder.feed(chunk)
            assert len(decoder._carry) <= 4
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert not decoder.finished
    assert peak < 8 * size + 16_384
