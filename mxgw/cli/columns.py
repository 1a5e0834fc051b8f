"""Text on a screen of so many columns: how wide it is there, and where a line of it may end.

A character of Chinese, Japanese or Korean takes two columns (Unicode Standard Annex 11). Between two of
them a line may end anywhere, but not before a comma or a closing bracket, and not behind an opening one
(JIS X 4051); English ends at blanks alone, and what is to be copied ends as a shell wants it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from shutil import get_terminal_size
from typing import Final

MOST_COLUMNS: Final = 80
"""Longer lines are hard to read, however wide the window is."""

LEAST_COLUMNS: Final = 20
"""Of a narrower screen nothing sensible can be made."""

_NOT_FIRST: Final = frozenset(
    "、。，．・：；？！）」』】〕》〉〟ー～…‥々ゝゞヽヾ％"  # noqa: RUF001 - signs of Japanese
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ"
)
_NOT_LAST: Final = frozenset("（「『【〔《〈〝")  # noqa: RUF001 - signs of Japanese
_ENDS: Final = frozenset(".:。：）")  # noqa: RUF001 - signs of Japanese

_COMMENT_INDENTATION: Final = 12
"""A line that begins here goes on with the comment of the example above it."""

_PIECE: Final = re.compile(r"[\x21-\x7e]+|\S")
_QUOTED: Final = r"""(?:'[^']*'|"[^"]*"|\S)+"""
_WORD: Final = re.compile(rf"--\S+ (?![-|]){_QUOTED}|\| \S+|{_QUOTED}")
"""What stays together in a command: an option and its value, a pipe and the program behind it."""


def columns() -> int:
    """Those of the terminal, or 80, of which no more than 80 are used."""
    return max(LEAST_COLUMNS, min(MOST_COLUMNS, get_terminal_size((MOST_COLUMNS, 24)).columns))


def width(text: str) -> int:
    """In columns of a terminal."""
    return sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Cf", "Me", "Mn"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "FW" else 1


def joined(lines: list[str]) -> str:
    """One paragraph of lines that were broken by hand: a blank comes between them where one is written."""
    text = ""
    for line in map(str.strip, lines):
        text += f" {line}" if text and _blank_between(text[-1], line[:1]) else line
    return text


def folded(text: str, wide: int) -> list[str]:
    """A paragraph in lines of at most so many columns; a word that is longer has a line of its own."""
    lines, line = [], ""
    for blank, unit in units(text):
        if line and width(line) + blank + width(unit) > wide:
            lines.append(line)
            line = unit
        else:
            line += " " * (blank if line else 0) + unit
    return [*lines, line] if line or not lines else lines


def paragraphs(text: str, wide: int) -> list[str]:
    """Help as it stands in a catalogue: lines that begin with a blank stay as they are, as examples do, while
    they fit; the others are set anew, up to the end of a sentence that is the end of its line."""
    lines: list[str] = []
    for block in _blocks(text.strip().splitlines()):
        lines += _example(block, wide) if block[0].startswith(" ") else folded(joined(block), wide)
    return lines


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Lines that belong together: a paragraph, an example with its comment, an empty line."""
    block: list[str] = []
    for line in lines:
        goes_on = bool(block and block[-1] and line)
        if goes_on and block[0].startswith(" "):
            goes_on = line.startswith(" " * _COMMENT_INDENTATION)
        elif goes_on:
            goes_on = not line.startswith(" ") and block[-1][-1] not in _ENDS
        if block and not goes_on:
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _example(block: list[str], wide: int) -> list[str]:
    """As it stands; where that is too wide, its comment below it, and a command in several lines."""
    if all(width(line) <= wide for line in block):
        return block
    first, *more = block
    indentation = len(first) - len(first.lstrip())
    command, _, comment = first.strip().partition("   ")
    deeper = " " * (indentation + 4)
    lines, line = [], " " * (indentation - 1)
    for word in _WORD.findall(command):
        if line.strip() and width(f"{line} {word} \\") > wide:
            lines.append(f"{line} \\")
            line = deeper[1:]
        line += f" {word}"
    comments = [f"{deeper}{one}" for one in folded(joined([comment, *more]), wide - len(deeper)) if one]
    return [*lines, line, *comments]


def units(text: str) -> Iterator[tuple[int, str]]:
    """What is never broken, each with the number of blanks before it (0 or 1)."""
    unit, before, end = "", 0, 0
    for piece in _PIECE.finditer(text):
        blank = int(piece.start() > end)
        end = piece.end()
        sticks = not blank and unit and (piece[0][0] in _NOT_FIRST or unit[-1] in _NOT_LAST)
        if sticks:
            unit += piece[0]
            continue
        if unit:
            yield before, unit
        unit, before = piece[0], blank
    if unit:
        yield before, unit


def _blank_between(last: str, first: str) -> bool:
    """English words have one; Japanese has one beside a word of English, but not beside a sign."""
    if last.isascii() and first.isascii():
        return True
    other = last if first.isascii() else first
    return (last.isascii() or first.isascii()) and other.isalpha() and unicodedata.category(other) == "Lo"
