"""A list on a terminal: a table where it fits, else each record by itself, so that no address is cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from mxgw.cli.columns import width
from mxgw.cli.sentence import Sentence

PADDING: Final = 2
"""Blanks at each column of a table, one on either side."""

_UNBOUNDED: Final = 100_000


def print_list(console: Console, labels: Sequence[str], rows: Sequence[Sequence[tuple[str, str]]]) -> None:
    """``rows`` of texts with their styles, below ``labels`` or beside them."""
    cells = [[Sentence(text, style=style) for text, style in row] for row in rows]
    columns = [
        _column(console, label, [row[index] for row in cells], style="cyan" if index == 0 else "")
        for index, label in enumerate(labels)
    ]
    if sum(column.min_width or 0 for column in columns) + PADDING * len(columns) > console.width:
        _print_records(console, labels, cells)
        return
    table = Table(*columns, box=None, header_style="bold")
    for row in cells:
        table.add_row(*row)
    console.print(table)


def _column(console: Console, label: str, cells: Sequence[Text], *, style: str) -> Column:
    """As wide as its longest word at least; what is one word is never folded."""
    unbounded = console.options.update(max_width=_UNBOUNDED)
    sizes = [Measurement.get(console, unbounded, cell) for cell in (Sentence(label), *cells)]
    least, most = max(size.minimum for size in sizes), max(size.maximum for size in sizes)
    return Column(header=label, style=style, overflow="fold", min_width=least, no_wrap=least == most)


def _print_records(console: Console, labels: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    beside = max(map(width, labels)) + PADDING
    for number, row in enumerate(rows):
        if number:
            console.print()
        for index, (label, cell) in enumerate(zip(labels, row, strict=True)):
            if not cell.plain:
                continue
            if index == 0:
                cell.stylize("cyan")
            head = f"{label}{' ' * (beside - width(label))}"
            # The terminal breaks what is too long: it is copied in one piece.
            console.print(Text.assemble((head, "bold"), cell), soft_wrap=True)
