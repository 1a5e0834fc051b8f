"""A load run as a drawing: throughput and latency over time, and latency by percentile."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from mxgw.load.histogram import MissingExtraError
from mxgw.load.report import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".svg", ".png")

_MESSAGES, _OCTETS, _TROUBLE = "#1f6feb", "#8b949e", "#d1242f"
_LATENCIES = {"median": "#2da44e", "99 %": "#bf8700", "longest": "#d1242f"}
_CURVE_POINTS = 200
_INCHES = (9.0, 9.5)


def draw(result: Result, path: Path) -> None:
    """Write the drawing; the suffix, one of SUFFIXES, says the format.

    Raises MissingExtraError where matplotlib is not installed, OSError where the file cannot be written.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib") from error
    # Text stays text, and the same run gives the same file.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "mxgw", "font.size": 9}):
        figure = Figure(figsize=_INCHES, layout="constrained")
        throughput, latency, curve = figure.subplots(3, 1)
        figure.suptitle(title(result))
        _throughput(throughput, result)
        _latency(latency, result)
        _curve(curve, result)
        metadata = {"Date": None} if path.suffix == ".svg" else {}
        figure.savefig(path, dpi=120, metadata=metadata)


def title(result: Result) -> str:
    """What was done, in a line."""
    plan = result.plan
    pace = f"{plan.rate:g} messages/s wanted" if plan.rate else "as fast as it goes"
    return (
        f"mxgw load send {plan.host}:{plan.port}: size {plan.sizes.words}, {plan.sessions} sessions, {pace}"
    )


def _throughput(axes: Axes, result: Result) -> None:
    at = [point.at for point in result.points]
    axes.plot(at, [point.messages for point in result.points], color=_MESSAGES, label="acknowledged")
    if any(point.others for point in result.points):
        axes.plot(at, [point.others for point in result.points], color=_TROUBLE, label="not acknowledged")
    if result.plan.rate:
        axes.axhline(result.plan.rate, color=_MESSAGES, linestyle=":", label="wanted")
    axes.set_ylabel("messages/s")
    axes.set_ylim(bottom=0)
    beside = axes.twinx()
    beside.plot(at, [point.octets / 1e6 for point in result.points], color=_OCTETS, linewidth=0.8)
    beside.set_ylabel("MB/s", color=_OCTETS)
    beside.set_ylim(bottom=0)
    axes.set_xlabel("seconds")
    axes.legend(loc="lower right")
    axes.grid(visible=True, alpha=0.3)


def _latency(axes: Axes, result: Result) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    points = [point for point in result.points if point.longest]
    at = [point.at for point in points]
    for values, (label, color) in zip(
        (
            [1000 * point.median for point in points],
            [1000 * point.percentile_99 for point in points],
            [1000 * point.longest for point in points],
        ),
        _LATENCIES.items(),
        strict=True,
    ):
        axes.plot(at, values, color=color, label=label, linewidth=0.8 if label == "longest" else 1.5)
    axes.set_ylabel("latency, ms")
    axes.set_xlabel("seconds")
    if points:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.legend(loc="upper right")
    axes.grid(visible=True, which="both", alpha=0.3)


def _curve(axes: Axes, result: Result) -> None:
    count = result.histogram.count
    axes.set_ylabel("latency, ms")
    axes.set_xlabel("percentile")
    axes.grid(visible=True, alpha=0.3)
    if not count:
        return
    # As many nines as there are messages to tell them apart.
    nines = max(1.0, math.log10(count))
    shares = [nines * step / _CURVE_POINTS for step in range(_CURVE_POINTS + 1)]
    wanted = [100 * (1 - 10**-share) for share in shares]
    values = result.histogram.percentiles(wanted)
    axes.plot(shares, [1000 * values[one] for one in wanted], color=_MESSAGES)
    ticks = [share for share in (0.0, math.log10(2), 1.0, 2.0, 3.0, 4.0, 5.0, 6.0) if share <= nines]
    axes.set_xticks(ticks, [f"{100 * (1 - 10**-share):.6g}" for share in ticks])
    axes.set_ylim(bottom=0)
