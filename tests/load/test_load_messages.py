"""The messages of a load run: sizes, hashes, ids, signatures that a stranger verifies."""

from __future__ import annotations

import email
import email.policy
import hashlib
import random
import stat
from ipaddress import ip_address, ip_network
from pathlib import Path
from statistics import fmean, median

import dkim
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.load.ledger import HASH_FIELD, ID_FIELD
from mxgw.load.letter import Letter
from mxgw.load.messages import (
    MAX_BODY_OCTETS,
    REAL_MAX_OCTETS,
    REAL_MEDIAN_OCTETS,
    Letters,
    Signer,
    Sizes,
    SizesError,
    header_fields,
    make_bodies,
    parse_sizes,
)
from mxgw.load.proxy_header import proxy_headers
from mxgw.load.replies import Stage
from mxgw.load.signing import Algorithm, SigningKey, SigningKeyError

FIELDS = header_fields("a@example.org", "taro@example.jp", utf8=False, now=1795515600.0)


def letters(
    sizes: str | Sizes = "10K",
    *,
    dot_stuffed: bool = False,
    seed: int = 1,
    sign: Signer | None = None,
    recipients: tuple[str, ...] = ("taro@example.jp",),
    each: int = 1,
    hang_ups: tuple[tuple[Stage, float], ...] = (),
    slow: tuple[int, float] = (0, 0.0),
) -> Letters:
    known = sizes if isinstance(sizes, Sizes) else parse_sizes(sizes)
    return Letters(
        make_bodies(known, FIELDS, dot_stuffed=dot_stuffed, seed=seed, sign=sign),
        prefix="run-0-",
        recipients=recipients,
        recipients_each=each,
        dice=random.Random(seed),
        hang_ups=hang_ups,
        slow=slow,
    )


def octets_of(letter: Letter) -> bytes:
    return b"".join(letter.pieces)


def test_sizes_like_real_mail_have_its_median_and_its_tail() -> None:
    sizes = parse_sizes("real").octets

    assert median(sizes) == pytest.approx(REAL_MEDIAN_OCTETS, rel=0.01)
    assert sizes[-1] == REAL_MAX_OCTETS
    assert sizes == tuple(sorted(sizes))
    assert 200_000 < fmean(sizes) < 500_000


def test_sizes_are_understood_in_each_form() -> None:
    assert parse_sizes("10240") == Sizes("10240", (10240,))
    assert parse_sizes("10k").octets == (10240,)
    assert parse_sizes("25M").octets == (26_214_400,)
    between = parse_sizes("1K..2K").octets
    assert (between[0], between[-1], fmean(between)) == (1024, 2048, pytest.approx(1536, rel=0.01))
    assert parse_sizes("7..7").octets == (7,)


@pytest.mark.parametrize(
    "text", ["", "3", "-1", "10G", "10K..1K", "1..2..3", "real..1K", str(MAX_BODY_OCTETS + 1)]
)
def test_other_sizes_are_refused_in_words(text: str) -> None:
    with pytest.raises(SizesError, match=r"octets|smaller"):
        parse_sizes(text)


@given(
    octets=st.lists(st.integers(4, 6000), min_size=1, max_size=5, unique=True).map(sorted),
    seed=st.integers(0, 9),
)
def test_a_body_has_its_size_its_hash_and_whole_lines(octets: list[int], seed: int) -> None:
    maker = letters(Sizes("some", tuple(octets)), seed=seed)

    for number in range(len(octets) * 2):
        letter = maker.letter(number)

        header, _, body = octets_of(letter).partition(b"\r\n\r\n")
        assert len(body) == letter.body_octets
        assert letter.body_octets in octets
        assert letter.hash == hashlib.sha256(body).hexdigest()
        assert f"{ID_FIELD}: run-0-{number}\r\n".encode() in header
        assert f"{HASH_FIELD}: {letter.hash}".encode() in header
        assert letter.octets == letter.wire_octets == len(header) + 4 + len(body)
        assert body.endswith(b"\r\n")
        assert not body.endswith(b"\r\n\r\n")
        assert body.count(b"\n") == body.count(b"\r") == body.count(b"\r\n")
        assert max(map(len, body.split(b"\r\n"))) <= 998


@given(octets=st.integers(4, 6000))
def test_the_stuffed_form_is_that_of_rfc_5321_section_4_5_2(octets: int) -> None:
    plain = letters(Sizes("one", (octets,))).letter(0)
    stuffed = letters(Sizes("one", (octets,)), dot_stuffed=True).letter(0)

    assert octets_of(stuffed) == octets_of(plain).replace(b"\r\n.", b"\r\n..")
    assert stuffed.wire_octets == len(octets_of(stuffed))
    assert (stuffed.octets, stuffed.hash) == (plain.octets, plain.hash)


def test_bodies_have_lines_that_begin_with_a_dot() -> None:
    lines = octets_of(letters().letter(0)).split(b"\r\n")

    assert b"." in lines
    assert any(line.startswith(b"..") for line in lines)


def test_a_thousand_sizes_share_one_text() -> None:
    bodies = make_bodies(parse_sizes("1M..5M"), FIELDS, dot_stuffed=True, seed=1)

    texts = {id(piece.obj) for body in bodies for piece in body.pieces if isinstance(piece, memoryview)}

    assert len(bodies) == 1000
    assert len(texts) == 1


def test_the_same_seed_makes_the_same_messages_and_another_seed_others() -> None:
    def some(seed: int) -> list[tuple[str, bytes]]:
        maker = letters("1K..9K", seed=seed, hang_ups=((Stage.MAIL, 0.5),), recipients=("a@b.jp", "c@d.jp"))
        return [(str(one.hang_up), octets_of(one)) for one in map(maker.letter, range(50))]

    assert some(1) == some(1)
    assert some(1) != some(2)


def test_recipients_are_taken_in_turn() -> None:
    maker = letters(recipients=tuple(f"u{number}@example.jp" for number in range(5)), each=3)

    taken = [name for number in range(10) for name in maker.letter(number).recipients]

    assert all(taken.count(f"u{number}@example.jp") == 6 for number in range(5))
    letter = maker.letter(10)
    assert [f"RCPT TO:<{name}>\r\n".encode() for name in letter.recipients] == list(letter.rcpt_lines)
    assert len(set(letter.recipients)) == 3


def test_shares_are_kept() -> None:
    maker = letters(hang_ups=((Stage.MAIL, 0.25), (Stage.DATA, 0.25)), slow=(500, 0.25))

    made = [maker.letter(number) for number in range(4000)]

    for stage in (Stage.MAIL, Stage.DATA):
        assert sum(one.hang_up is stage for one in made) == pytest.approx(1000, rel=0.2)
    assert sum(one.octets_per_second == 500 for one in made) == pytest.approx(1000, rel=0.2)
    assert sum(one.octets_per_second == 0 for one in made) == pytest.approx(3000, rel=0.1)


def test_a_message_is_one_that_a_mail_reader_can_read() -> None:
    parsed = email.message_from_bytes(octets_of(letters().letter(7)), policy=email.policy.SMTP)

    assert parsed.defects == []
    assert (parsed["From"], parsed["To"]) == ("a@example.org", "taro@example.jp")
    assert parsed["Message-ID"] == "<run-0-7@load.mxgw.invalid>"
    assert parsed.get_content_type() == "text/plain"


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize("octets", [4, 100, 10240])
def test_dkimpy_verifies_the_signature_with_the_record_that_is_printed(
    algorithm: Algorithm, octets: int
) -> None:
    key = SigningKey.made("example.org", algorithm)
    names: list[bytes] = []

    def dns(name: bytes, timeout: int = 5) -> str:
        names.append(name)
        return key.record_text

    letter = letters(str(octets), sign=key.signature).letter(1)

    assert dkim.verify(octets_of(letter), dnsfunc=dns)
    assert names == [b"load._domainkey.example.org."]
    altered = octets_of(letter).replace(b"Subject: A", b"Subject: B")
    assert not dkim.verify(altered, dnsfunc=dns)
    assert max(map(len, octets_of(letter).split(b"\r\n"))) <= 200


def test_smtputf8_header_is_signed_as_it_is() -> None:
    key = SigningKey.made("example.org", Algorithm.ED25519)
    fields = header_fields("花子@example.org", "太郎@example.jp", utf8=True, now=0.0)
    (body,) = make_bodies(parse_sizes("100"), fields, dot_stuffed=False, seed=0, sign=key.signature)

    octets = body.fields + b"".join(body.pieces)

    assert "Subject: 負荷".encode() in octets
    assert dkim.verify(octets, dnsfunc=lambda name, timeout=5: key.record_text)


def test_the_record_is_a_line_of_a_zone_file_with_strings_that_fit() -> None:
    line = SigningKey.made("example.org", Algorithm.RSA).zone_line

    name, text = line.split(" IN TXT ")
    strings = text.strip("()").split('" "')
    assert name == "load._domainkey.example.org."
    assert all(len(one.strip('"')) <= 255 for one in strings)
    assert "".join(strings).strip('"').startswith("v=DKIM1; k=rsa; p=MII")


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_key_that_is_kept_is_for_its_owner_alone_and_stays_the_same(
    tmp_path: Path, algorithm: Algorithm
) -> None:
    path = tmp_path / "key.pem"

    made = SigningKey.kept("example.org", algorithm, path)
    again = SigningKey.kept("example.org", Algorithm.RSA, path)

    assert again.record_text == made.record_text
    assert again.algorithm is algorithm
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_no_key_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("nothing of the kind")

    with pytest.raises(SigningKeyError, match="no private key in PEM form"):
        SigningKey.kept("example.org", Algorithm.RSA, path)
    with pytest.raises(SigningKeyError, match="missing"):
        SigningKey.kept("example.org", Algorithm.RSA, tmp_path / "missing" / "key.pem")


@pytest.mark.parametrize(
    ("network", "server", "length"),
    [
        ("198.51.100.0/24", "127.0.0.1", 28),
        ("198.51.100.7/32", "::1", 28),
        ("2001:db8::/64", "127.0.0.1", 52),
    ],
)
def test_proxy_headers_name_clients_all_over_the_network(network: str, server: str, length: int) -> None:
    headers = proxy_headers(ip_network(network), server=server, port=25, dice=random.Random(1))

    some = [next(headers) for _ in range(50)]

    octets = 4 if length == 28 else 16
    sources = {ip_address(header[16 : 16 + octets]) for header in some}
    assert all(header.startswith(b"\r\n\r\n\0\r\nQUIT\n\x21") and len(header) == length for header in some)
    assert all(source in ip_network(network) for source in sources)
    assert len(sources) > 20 or ip_network(network).num_addresses == 1
    assert all(header.endswith(b"\x00\x19") for header in some)
