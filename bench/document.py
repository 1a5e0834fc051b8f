"""The report as values: chapters of texts, tables, pictures and listings, for a terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table as TerminalTable

from bench.compare import Spread, Verdict


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; in Markdown."""

    words: str


@dataclass(frozen=True, slots=True)
class Table:
    """Cells are Markdown. The first column names, the others are figures unless ``words``."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A file beside the report, and what it shows."""

    path: str
    words: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Settings or commands, as they are."""

    title: str
    lines: Sequence[str]


Block = Text | Table | Picture | Listing


@dataclass(frozen=True, slots=True)
class Chapter:
    """One part of the report. ``listings`` go to its end, ``data`` are the figures behind it, for JSON."""

    title: str
    blocks: Sequence[Block]
    verdicts: Sequence[Verdict] = ()
    listings: Sequence[Listing] = ()
    data: Mapping[str, object] = field(default_factory=dict)


def figure(value: float) -> str:
    """Three significant digits, no exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def spread_words(value: Spread | None) -> str:
    """Median (lowest-highest)."""
    if value is None:
        return "-"
    if value.low == value.high:
        return figure(value.median)
    return f"{figure(value.median)} ({figure(value.low)}-{figure(value.high)})"


def verdict_table(title: str, verdicts: Sequence[Verdict]) -> Table:
    """Each ratio beside its limit."""
    rows = [
        (one.subject, spread_words(one.ratio), one.wording, "holds" if one.holds else "**BEHIND**")
        for one in verdicts
    ]
    return Table(title, ("measured", "median (lowest-highest)", "limit", ""), rows, words=True)


def markdown(chapters: Sequence[Chapter]) -> list[str]:
    """Lines of the report, without its beginning."""
    lines: list[str] = []
    for chapter in chapters:
        lines += ["", f"## {chapter.title}"]
        for block in chapter.blocks:
            lines += ["", *_lines(block)]
    listings = [listing for chapter in chapters for listing in chapter.listings]
    if listings:
        lines += ["", "## How each was run"]
    shown: set[str] = set()
    for listing in listings:
        if listing.title not in shown:
            shown.add(listing.title)
            lines += ["", *_lines(listing)]
    return lines


def table_lines(table: Table) -> list[str]:
    """A table in Markdown, without its title."""
    aligned = ["---", *("---" if table.words else "---:" for _ in table.headings[1:])]
    return [f"| {' | '.join(cells)} |" for cells in (table.headings, aligned, *table.rows)]


def _lines(block: Block) -> list[str]:
    match block:
        case Text(words):
            return [words]
        case Table(title=title):
            return [*([f"### {title}", ""] if title else []), *table_lines(block)]
        case Picture(path, words):
            return [f"![{words}]({path})"]
        case Listing(title, lines):
            return [f"{title}:", "", "```", *lines, "```"]


def show(console: Console, chapter: Chapter) -> None:
    """Tables and texts on a terminal; pictures and listings are for the file."""
    console.rule(chapter.title, align="left")
    for block in chapter.blocks:
        match block:
            case Text(words):
                console.print(words, highlight=False, markup=False)
            case Table():
                show_table(console, block)
            case Picture(path):
                console.print(f"drawn: {path}", style="dim")
            case Listing():
                pass


def show_table(console: Console, table: Table) -> None:
    """One table on a terminal; what is behind its limit is red."""
    drawn = TerminalTable(title=table.title or None, title_justify="left")
    for index, heading in enumerate(table.headings):
        drawn.add_column(heading, justify="right" if index and not table.words else "left")
    for row in table.rows:
        drawn.add_row(
            *(cell.replace("**", "") for cell in row), style="bold red" if "**BEHIND**" in row else ""
        )
    console.print(drawn)
