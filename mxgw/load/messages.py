"""The messages of a load run: bodies prepared once, and a header that costs next to nothing for each.

All bodies are beginnings of one long text: some prose with dots at the beginning of lines, then lines of
base64, as most octets of real mail are. So a thousand sizes up to 25 MB need 25 MB, and one pass for their
hashes. A message is a body of the shelf with an id of its own.
"""

from __future__ import annotations

import hashlib
import math
import random
import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from statistics import NormalDist

from mxgw.load.ledger import HASH_FIELD, ID_FIELD
from mxgw.load.letter import Letter, Piece
from mxgw.load.replies import Stage

MIN_BODY_OCTETS = 4
MAX_BODY_OCTETS = 256 * 1024**2
"""Ten times what mail servers take: the text must fit into memory."""

REAL_MEDIAN_OCTETS = 75_000
REAL_SIGMA = 1.8
REAL_MAX_OCTETS = 25 * 1024**2
"""Sizes like real mail: log-normal with this median, cut where most servers refuse. With this sigma the mean
is about 350 KB, one in a hundred has 5 MB, one in a thousand the maximum."""

SHELF_SIZES = 1000
"""Different sizes of a distribution: the largest is drawn once in so many."""

MESSAGE_ID_DOMAIN = "load.mxgw.invalid"

_OWN_FIELDS = f"Message-ID: <%b@{MESSAGE_ID_DOMAIN}>\r\n{ID_FIELD}: %b\r\n".encode()
_SIZE = re.compile(r"(\d{1,12})([KM]?)", re.IGNORECASE)
_UNITS = {"": 1, "K": 1024, "M": 1024**2}
_PROSE = (
    b"This message was made by mxgw load. Nobody needs to read it.\r\n"
    b".A line that begins with a dot, and one that is nothing else:\r\n"
    b".\r\n"
    b"..Two dots. They must arrive as they were sent.\r\n"
) + b"The quick brown fox jumps over the lazy dog. It does so again.\r\n" * 40
_BLOCK_LINES = 13_000  # about 1 MB: longer than any compressor looks back
_LINE_OCTETS = 57  # of data: 76 of base64, RFC 2045 section 6.8


class SizesError(ValueError):
    """Sizes that cannot be understood; the text says why."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Octets of the bodies, ascending, each as likely as the others; ``words`` are what was asked for."""

    words: str
    octets: tuple[int, ...]

    @property
    def mean(self) -> float:
        """Octets of a body on average."""
        return sum(self.octets) / len(self.octets)


def parse_sizes(text: str) -> Sizes:
    """``10240``, ``10K``, ``1K..100K`` (all sizes between alike) or ``real``. Raises SizesError."""
    if text == "real":
        normal = NormalDist(0, REAL_SIGMA)
        quantiles = [normal.inv_cdf((index + 0.5) / SHELF_SIZES) for index in range(SHELF_SIZES)]
        sizes = [REAL_MEDIAN_OCTETS * math.exp(one) for one in quantiles]
        return Sizes(text, tuple(min(int(size), REAL_MAX_OCTETS) for size in sizes))
    least, is_range, most = text.partition("..")
    low = _octets(least)
    if not is_range:
        return Sizes(text, (low,))
    high = _octets(most)
    if high < low:
        raise SizesError(f"{text!r}: the first size is the smaller one")
    step = (high - low) / (SHELF_SIZES - 1)
    return Sizes(text, tuple(sorted({round(low + index * step) for index in range(SHELF_SIZES)})))


def _octets(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise SizesError(f"{text!r} is no size; expected octets, as in 10240, 10K, 1K..5M, or real")
    octets = int(match[1]) * _UNITS[match[2].upper()]
    if not MIN_BODY_OCTETS <= octets <= MAX_BODY_OCTETS:
        raise SizesError(f"{text!r}: a body has {MIN_BODY_OCTETS} to {MAX_BODY_OCTETS} octets")
    return octets


@dataclass(frozen=True, slots=True)
class Body:
    """One body. ``fields`` are the header fields that are the same in all messages with it, and the blank
    line; ``pieces`` the body as it goes over the wire."""

    octets: int
    hash: str
    fields: bytes
    pieces: tuple[Piece, ...]
    wire_octets: int


Signer = Callable[[Sequence[tuple[str, str]], bytes], bytes]
"""Header fields and the SHA-256 of the body to a signature field with its CRLF."""


def make_bodies(
    sizes: Sizes,
    fields: Sequence[tuple[str, str]],
    *,
    dot_stuffed: bool,
    seed: int,
    sign: Signer | None = None,
) -> list[Body]:
    """The shelf. ``fields`` are name and value, in the order in which they go out."""
    text = _text(sizes.octets[-1], seed)
    view = memoryview(text)
    digest = hashlib.sha256()
    hashed = 0
    bodies = []
    for octets in sizes.octets:
        # Whole lines of the text, then one that makes up what is missing: never a bare or an empty line end.
        whole = text.rfind(b"\n", 0, octets - 3) + 1
        closing = b"=" * (octets - whole - 2) + b"\r\n"
        digest.update(view[hashed:whole])
        hashed = whole
        own = digest.copy()
        own.update(closing)
        prose = text[: min(whole, len(_PROSE))]
        if dot_stuffed:
            prose = prose.replace(b"\n.", b"\n..")
        pieces = (prose, view[len(_PROSE) : whole], closing) if whole > len(_PROSE) else (prose, closing)
        own_fields = [*fields, (HASH_FIELD, own.hexdigest())]
        header = "".join(f"{name}: {value}\r\n" for name, value in own_fields).encode()
        if sign is not None:
            header = sign(own_fields, own.digest()) + header
        bodies.append(
            Body(octets, own.hexdigest(), header + b"\r\n", pieces, sum(len(piece) for piece in pieces))
        )
    return bodies


def header_fields(sender: str, recipient: str, *, utf8: bool, now: float) -> list[tuple[str, str]]:
    """What all messages of a run have in their header. ``now``: Unix time."""
    return [
        ("Date", formatdate(now)),
        ("From", sender or "postmaster@localhost"),
        ("To", recipient),
        ("Subject", "負荷試験のメッセージ" if utf8 else "A message of a load test"),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=us-ascii"),
    ]


class Letters:
    """Makes the letters of one worker, the same ones for the same seed.

    ``hang_ups`` and ``slow`` are shares of the messages: a stage with its probability; octets a second with
    its. Recipients are taken in turn.
    """

    def __init__(
        self,
        bodies: Sequence[Body],
        *,
        prefix: str,
        recipients: Sequence[str],
        recipients_each: int,
        dice: random.Random,
        hang_ups: Sequence[tuple[Stage, float]] = (),
        slow: tuple[int, float] = (0, 0.0),
    ) -> None:
        self._bodies = bodies
        self._prefix = prefix
        self._each = min(recipients_each, len(recipients))
        # Twice in a row, so that a slice never has to go round the end.
        self._recipients = [*recipients, *recipients]
        self._lines = [f"RCPT TO:<{one}>\r\n".encode() for one in self._recipients]
        self._round = len(recipients)
        self._next = dice.randrange(len(recipients))
        self._dice = dice
        self._hang_ups = hang_ups
        self._slow = slow

    def letter(self, number: int) -> Letter:
        """The next letter; ``number`` goes into its id."""
        bodies = self._bodies
        random_number = self._dice.random
        body = bodies[0] if len(bodies) == 1 else bodies[int(random_number() * len(bodies))]
        identity = f"{self._prefix}{number}"
        name = identity.encode("ascii")
        header = _OWN_FIELDS % (name, name) + body.fields
        first = self._next
        self._next = (first + self._each) % self._round
        slow, share = self._slow
        return Letter(
            identity,
            self._recipients[first : first + self._each],
            self._lines[first : first + self._each],
            (header, *body.pieces),
            len(header) + body.octets,
            len(header) + body.wire_octets,
            body.hash,
            body.octets,
            self._hang_up() if self._hang_ups else None,
            slow if share and random_number() < share else 0,
        )

    def _hang_up(self) -> Stage | None:
        chance = self._dice.random()
        for stage, share in self._hang_ups:
            if chance < share:
                return stage
            chance -= share
        return None


def _text(octets: int, seed: int) -> bytes:
    """At least so many octets of whole lines."""
    if octets <= len(_PROSE):
        return _PROSE
    dice = random.Random(seed)  # noqa: S311 - the same messages for the same seed
    lines_needed = min(_BLOCK_LINES, (octets - len(_PROSE)) // (_LINE_OCTETS * 4 // 3) + 1)
    data = dice.randbytes(_LINE_OCTETS * lines_needed)
    block = b"".join(
        b64encode(data[start : start + _LINE_OCTETS]) + b"\r\n" for start in range(0, len(data), _LINE_OCTETS)
    )
    blocks = -(-(octets - len(_PROSE)) // len(block))
    return _PROSE + block * blocks
