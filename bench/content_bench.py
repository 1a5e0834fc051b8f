"""``python -m bench.content_bench``: what content of any shape costs in the decoder and in the intake.

Figures are MB per second of CPU time, best of a few; ``ratio`` is the cost beside base64 lines. A shape that
costs a multiple is a way to make the gateway work for nothing.
"""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable

from mxgw.content import DataDecoder
from mxgw.intake import Intake
from mxgw.spool import SpoolBudget

TOTAL_OCTETS = 16 * 1024 * 1024
CHUNK_OCTETS = 64 * 1024
REPEATS = 3

_BASE64_LINE = base64.b64encode(random.Random(1).randbytes(57)) + b"\r\n"
SHAPES = {
    "base64 lines": _BASE64_LINE,
    "text": b"The quick brown fox. Jumps over the lazy dog.\r\n",
    "empty lines": b"\r\n",
    "stuffed dots": b"..\r\n",
    "dots": b"." * 998 + b"\r\n",
    "a dot among empty lines": b"..x\r\n" + b"\r\n" * 1000,
    "one line": b"x",
    "NUL": b"\0" * 998 + b"\r\n",
    "bare LF": b"\n.\n",
    "bare CR": b"\r\n.\r",
}


def decode(chunks: list[bytes]) -> None:
    decoder = DataDecoder(max_octets=2 * TOTAL_OCTETS)
    for chunk in chunks:
        decoder.feed(chunk)


def take_in(chunks: list[bytes]) -> None:
    decoder = DataDecoder(max_octets=2 * TOTAL_OCTETS)
    intake = Intake(SpoolBudget(2 * TOTAL_OCTETS), hash_body=True)
    for chunk in chunks:
        intake.write(decoder.feed(chunk))
    intake.finish()
    intake.close()


def speed(work: Callable[[list[bytes]], None], chunks: list[bytes]) -> float:
    """MB per second of CPU time."""
    best = float("inf")
    for _ in range(REPEATS):
        start = time.process_time()
        work(chunks)
        best = min(best, time.process_time() - start)
    return sum(map(len, chunks)) / best / 1e6


def main() -> None:
    ordinary: tuple[float, float] | None = None
    print(f"{'':26}{'decoder MB/s':>14}{'ratio':>7}{'intake MB/s':>14}{'ratio':>7}")
    for name, unit in SHAPES.items():
        content = b"Subject: x\r\n\r\n" + unit * (TOTAL_OCTETS // len(unit))
        chunks = [content[at : at + CHUNK_OCTETS] for at in range(0, len(content), CHUNK_OCTETS)]
        decoder, intake = speed(decode, chunks), speed(take_in, chunks)
        ordinary = ordinary or (decoder, intake)
        print(
            f"{name:26}{decoder:14.0f}{ordinary[0] / decoder:7.1f}{intake:14.0f}{ordinary[1] / intake:7.1f}"
        )


if __name__ == "__main__":
    main()
