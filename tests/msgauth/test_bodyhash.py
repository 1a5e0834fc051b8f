"""RFC 6376 sections 3.4.3, 3.4.4, 3.4.5 and 3.7: body hashes, whatever the chunks."""

from __future__ import annotations

import random
import re
import tracemalloc
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256

import pytest
from dkim.canonicalization import Relaxed, Simple
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mxgw.msgauth.bodyhash import BodyForm, BodyHash, BodyHashes, Canonicalisation

SIMPLE = BodyForm(Canonicalisation.SIMPLE)
RELAXED = BodyForm(Canonicalisation.RELAXED)


def hashes(chunks: Iterable[bytes], *forms: BodyForm) -> dict[BodyForm, BodyHash]:
    taker = BodyHashes(forms or (SIMPLE, RELAXED))
    for chunk in chunks:
        taker.feed(chunk)
    return taker.finish()


def of(canonical: bytes) -> BodyHash:
    return BodyHash(sha256(canonical).digest(), len(canonical))


def whole(body: bytes) -> dict[BodyForm, BodyHash]:
    """dkimpy's canonicalisation of the whole body, but for blanks at an end without CRLF: they are at a line
    end too (section 3.4.4), and the CRLF that SMTP adds would make dkimpy strip them as well."""
    stripped = re.sub(rb"[ \t]+\Z", b"", body)
    return {
        SIMPLE: of(Simple.canonicalize_body(body)),
        RELAXED: of(Relaxed.canonicalize_body(stripped)),
    }


def cuts(body: bytes, choice: random.Random) -> list[bytes]:
    at = sorted(choice.randrange(len(body) + 1) for _ in range(choice.randrange(8)))
    return [body[begin:end] for begin, end in zip([0, *at], [*at, len(body)], strict=True)]


def test_the_example_of_section_3_4_5() -> None:
    found = hashes([b" C \r\nD \t E\r\n\r\n\r\n"])

    assert found == {SIMPLE: of(b" C \r\nD \t E\r\n"), RELAXED: of(b" C\r\nD E\r\n")}


def test_the_hashes_of_an_empty_body_that_the_rfc_gives() -> None:
    found = hashes([])

    assert b64encode(found[SIMPLE].digest) == b"frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="
    assert b64encode(found[RELAXED].digest) == b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


@pytest.mark.parametrize(
    ("body", "simple", "relaxed"),
    [
        (b"\r\n\r\n", b"\r\n", b""),
        (b" \r\n\t\r\n", b" \r\n\t\r\n", b""),
        (b"a", b"a\r\n", b"a\r\n"),
        (b"a \t", b"a \t\r\n", b"a\r\n"),
        (b"\ta\r\n", b"\ta\r\n", b" a\r\n"),
        (b"a\r\n\r\nb\r\n\r\n", b"a\r\n\r\nb\r\n", b"a\r\n\r\nb\r\n"),
        (b"a\r", b"a\r\r\n", b"a\r\r\n"),
    ],
)
def test_small_bodies_octet_by_octet(body: bytes, simple: bytes, relaxed: bytes) -> None:
    found = hashes(body[at : at + 1] for at in range(len(body)))

    assert found == {SIMPLE: of(simple), RELAXED: of(relaxed)}


@pytest.mark.parametrize(
    "words",
    [
        [b"\r\n", b" ", b"\t", b"a", b"."],
        [b"\r\n", b" "],
        [b"\r\n", b"a \r\n", b"\xff" * 20, b"\0", b"  "],
        [b"\r", b"\n", b"\r\n", b" ", b"\t", b"a"],
    ],
    ids=["text", "blanks", "octets", "bare line ends"],
)
def test_random_bodies_in_random_chunks_have_the_hash_of_the_whole(words: list[bytes]) -> None:
    choice = random.Random(6376)

    for _ in range(5000):
        body = b"".join(choice.choices(words, k=choice.randrange(24)))
        assert hashes(cuts(body, choice)) == whole(body), body


@settings(deadline=None, max_examples=500)
@given(body=st.binary(max_size=300), seed=st.integers(0, 2**32))
@example(body=b"\r\n" * 40_000, seed=1)
@example(body=(b"a" * 65_535 + b"\r\n") * 2, seed=3)
def test_any_octets_in_any_chunks_have_the_hash_of_the_whole(body: bytes, seed: int) -> None:
    assert hashes(cuts(body, random.Random(seed))) == whole(body)


@pytest.mark.parametrize("canonicalisation", list(Canonicalisation))
def test_a_length_hashes_so_many_canonical_octets_and_tells_of_the_rest(
    canonicalisation: Canonicalisation,
) -> None:
    choice = random.Random(3)
    body = b"some  text \r\n\r\nand more\t\r\n\r\n"
    policy = Simple if canonicalisation is Canonicalisation.SIMPLE else Relaxed
    canonical = policy.canonicalize_body(body)
    forms = [BodyForm(canonicalisation, length) for length in (0, 1, 9, len(canonical), 10**70)]

    found = hashes(cuts(body, choice), *forms)

    assert found == {
        form: BodyHash(sha256(canonical[: form.length]).digest(), len(canonical)) for form in forms
    }


def test_a_run_of_blanks_longer_than_a_chunk_is_one_space() -> None:
    body = b"a" + b" \t" * 70_000 + b"b" + b" " * 70_000 + b"\r\n" + b" " * 70_000

    found = hashes([body], RELAXED)

    assert found == {RELAXED: of(b"a b\r\n")}


def test_memory_does_not_depend_on_the_body() -> None:
    shapes = [b"text  with blanks \r\n" * 3000, b"\r\n" * 32_768, b" " * 65_536, b"\t\r" * 32_768]
    taker = BodyHashes([SIMPLE, RELAXED, BodyForm(Canonicalisation.RELAXED, 5)])
    tracemalloc.start()

    for shape in shapes:
        for _ in range(60):
            taker.feed(shape)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 1024 * 1024


def test_a_body_in_one_huge_chunk_is_taken_in_pieces() -> None:
    body = b"a line of text\r\n" * 200_000
    taker = BodyHashes([SIMPLE, RELAXED])
    tracemalloc.start()

    taker.feed(body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 1024 * 1024
    assert taker.finish() == {SIMPLE: of(body), RELAXED: of(body)}
