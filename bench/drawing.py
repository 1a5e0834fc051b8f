"""Pictures of the report: SVG by matplotlib, the same octets for the same figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INCHES = (8.0, 4.2)
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "mxgw",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A median with its lowest and highest."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of one thing; ``low`` and ``high`` are drawn as a band where they are there."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


def draw_bars(folder: Path | None, name: str, label: str, bars: Sequence[Bar]) -> str:
    """Bars with their spread. The path from the report, or "" where nothing is drawn."""
    if folder is None or not bars:
        return ""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=INCHES)
        axes = figure.subplots()
        names = [bar.name for bar in bars]
        reach = [[bar.value - bar.low for bar in bars], [bar.high - bar.value for bar in bars]]
        axes.barh(
            names, [bar.value for bar in bars], xerr=reach, color="#4c72b0", ecolor="#333333", capsize=3
        )
        axes.invert_yaxis()
        axes.set_xlabel(label)
        return _write(figure, folder, name)


def draw_curves(
    folder: Path | None,
    name: str,
    panels: Sequence[tuple[str, Sequence[Curve]]],
    *,
    x_label: str,
    x_names: Sequence[tuple[float, str]],
    logarithmic: bool = False,
) -> str:
    """Panels side by side over one x axis, logarithmic unless it has 0; ``panels``: label and curves."""
    if folder is None or not any(curves for _, curves in panels):
        return ""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(INCHES[0] * len(panels) / 1.4, INCHES[1]))
        all_axes = figure.subplots(1, len(panels), squeeze=False)
        for axes, (label, curves) in zip(all_axes[0], panels, strict=True):
            _panel(axes, label, curves, x_label=x_label, x_names=x_names, logarithmic=logarithmic)
        figure.tight_layout()
        return _write(figure, folder, name)


def _panel(
    axes: Axes,
    label: str,
    curves: Sequence[Curve],
    *,
    x_label: str,
    x_names: Sequence[tuple[float, str]],
    logarithmic: bool,
) -> None:
    for curve in curves:
        (line,) = axes.plot(curve.x, curve.y, marker="o", markersize=4, label=curve.name)
        if curve.low:
            axes.fill_between(curve.x, curve.low, curve.high, color=line.get_color(), alpha=0.15)
    axes.set_xscale("linear" if any(x <= 0 for x, _ in x_names) else "log")
    axes.set_xticks([x for x, _ in x_names], [text for _, text in x_names])
    axes.minorticks_off()
    if logarithmic:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_xlabel(x_label)
    axes.set_ylabel(label)
    axes.legend()


def _write(figure: Figure, folder: Path, name: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.svg"
    # Without a date the file changes only where the figures do.
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
    return f"{folder.name}/{path.name}"
