"""Text for tables that ends its lines as Japanese does.

rich breaks at blanks alone and cuts what is longer, so that a Japanese sentence leaves the rest of its line
empty, and its full stop may stand alone on the next.
"""

from __future__ import annotations

from typing import Any

from rich.cells import chop_cells
from rich.console import Console, ConsoleOptions
from rich.containers import Lines
from rich.measure import Measurement
from rich.text import Text

from mxgw.cli.columns import units, width


class Sentence(Text):
    """In other languages it is a Text."""

    def wrap(self, console: Console, width: int, **settings: Any) -> Lines:
        """As Text does, but for where the lines end."""
        if settings.get("no_wrap") or self.plain.isascii():
            return super().wrap(console, width, **settings)
        lines = Lines()
        for line in self.split(allow_blank=True):
            for part in line.divide(breaks(line.plain, width)):
                part.rstrip()
                lines.append(part)
        return lines

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """As narrow as its longest unit."""
        if self.plain.isascii():
            return super().__rich_measure__(console, options)
        least = max((width(unit) for _, unit in units(self.plain)), default=0)
        return Measurement(least, max(map(width, self.plain.splitlines()), default=0))


def breaks(line: str, wide: int) -> list[int]:
    """Where a line is cut so that no part is wider than ``wide`` columns."""
    cuts: list[int] = []
    begin = end = 0
    for _, unit in units(line):
        start = line.index(unit, end)
        end = start + len(unit)
        if width(line[begin:end]) <= wide:
            continue
        if line[begin:start].strip():
            cuts.append(start)
            begin = start
        # An address or a path may have no line of its own either.
        for piece in chop_cells(line[begin:end], wide)[:-1]:
            begin += len(piece)
            cuts.append(begin)
    return cuts
