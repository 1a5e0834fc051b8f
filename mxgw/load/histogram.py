"""How long it took: latencies in a HdrHistogram, with three significant digits from a microsecond to an hour.

A worker only counts: microseconds, rounded as the histogram rounds, to how often. Such counts are cheap to
add to, to send and to merge; what is asked of all of them goes through the histogram.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias, cast

Counts: TypeAlias = dict[int, int]
"""Microseconds to how often."""

DIGITS = 3
MAX_MICROSECONDS = 3600 * 10**6

PERCENTILES = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9)

_EXACT_BITS = 11  # 2,048 steps for each doubling: what HdrHistogram takes for three digits


class MissingExtraError(Exception):
    """A package of the extra "load" is not installed; the text says what to do."""

    def __init__(self, package: str) -> None:
        super().__init__(f"{package} is not installed; it comes with: pip install 'mxgw[load]'")


class _Hdr(Protocol):
    def record_value(self, value: int, count: int) -> bool: ...
    def get_percentile_to_value_dict(self, percentile_list: list[float]) -> dict[float, int]: ...
    def get_total_count(self) -> int: ...
    def get_min_value(self) -> int: ...
    def get_max_value(self) -> int: ...
    def get_mean_value(self) -> float: ...
    def get_stddev(self) -> float: ...
    def encode(self) -> bytes: ...


def rounded(microseconds: int) -> int:
    """The lowest value that a histogram of DIGITS cannot tell from this one."""
    shift = microseconds.bit_length() - _EXACT_BITS
    return (microseconds >> shift) << shift if shift > 0 else microseconds


class Histogram:
    """All latencies so far. Raises MissingExtraError where HdrHistogram is not installed."""

    def __init__(self) -> None:
        try:
            from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped]  # ships no py.typed
        except ImportError as error:
            raise MissingExtraError("hdrhistogram") from error
        self._hdr = cast("_Hdr", HdrHistogram(1, MAX_MICROSECONDS, DIGITS))

    def add(self, counts: Mapping[int, int]) -> None:
        """Add what a worker has counted."""
        for microseconds, count in counts.items():
            self._hdr.record_value(min(microseconds, MAX_MICROSECONDS), count)

    @property
    def count(self) -> int:
        """How many there are."""
        return self._hdr.get_total_count()

    def percentiles(self, wanted: Sequence[float] = PERCENTILES) -> dict[float, float]:
        """Seconds by percentile, 0 to 100; empty where nothing was counted."""
        if not self.count:
            return {}
        values = self._hdr.get_percentile_to_value_dict(list(wanted))
        return {one: values[one] / 1e6 for one in sorted(values)}

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest, in seconds; zeros where nothing was counted."""
        if not self.count:
            return (0.0, 0.0)
        return (self._hdr.get_min_value() / 1e6, self._hdr.get_max_value() / 1e6)

    @property
    def mean(self) -> float:
        """In seconds."""
        return self._hdr.get_mean_value() / 1e6 if self.count else 0.0

    @property
    def deviation(self) -> float:
        """Standard deviation in seconds."""
        return self._hdr.get_stddev() / 1e6 if self.count else 0.0

    def encoded(self) -> str:
        """The whole histogram in the exchange format of HdrHistogram (base64, microseconds)."""
        return self._hdr.encode().decode("ascii")


def percentile_of(counts: Mapping[int, int], percentile: float) -> float:
    """Seconds, of a few counts; 0 where there are none."""
    target = math.ceil(sum(counts.values()) * percentile / 100)
    passed = 0
    for microseconds in sorted(counts):
        passed += counts[microseconds]
        if passed >= target:
            return microseconds / 1e6
    return 0.0
